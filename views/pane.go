package views

import (
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"relctl-tui/themes"
)

// Note is a few words in one ink.
type Note struct {
	Ink  themes.Ink
	Text string
}

// Label is a column's title and the cell it starts at.
type Label struct {
	At   int
	Text string
}

// Title writes a pane's title line: a rule that carries the name, the notes and,
// where they do not collide, the titles of the columns above the columns. One
// line then does what would take two, on screens of 24.
func (p *Pen) Title(focused bool, name string, notes []Note, labels []Label) {
	th := p.th
	rule, dash, title := th.Rule, th.Glyphs.Rule, th.Title
	if focused {
		rule, dash, title = th.RuleHot, th.Glyphs.RuleHot, th.TitleHot
	}
	p.Text(rule, strings.Repeat(dash, min(2, p.width)))
	p.Gap(1)
	p.Text(title, name)
	for i, n := range notes {
		if p.x+1+min(i, 1)*2+Width(n.Text) > p.width {
			break
		}
		p.Gap(1)
		if i > 0 {
			p.Text(rule, th.Glyphs.Sep)
			p.Gap(1)
		}
		p.Text(n.Ink, n.Text)
	}
	p.Gap(1)
	free := p.x + 1 // as far apart as columns are, or a note reads on into a title: "1 open errors"
	for _, l := range labels {
		if l.At < free || l.At+Width(l.Text) > p.width {
			continue
		}
		p.Text(rule, strings.Repeat(dash, max(0, l.At-1-p.x)))
		p.To(l.At)
		p.Text(th.Label, l.Text)
		p.Gap(1)
		free = p.x
	}
	p.Text(rule, strings.Repeat(dash, p.width-p.x))
	p.End()
}

// Say writes a sentence over as many lines as it needs, indented by two.
func (p *Pen) Say(ink themes.Ink, sentence string) {
	room := max(p.width-Indent, 1)
	for _, line := range wrap(sentence, room) {
		if p.Left() <= 0 {
			return
		}
		p.Gap(Indent)
		p.Text(ink, strings.TrimRight(line, " "))
		p.End()
	}
}

// Warn writes lines of trouble.
func (p *Pen) Warn(lines []string) {
	for _, line := range lines {
		p.Gap(Indent)
		p.Text(p.th.Warn, line)
		p.End()
	}
}

// Scroll is how far a list without a selection is scrolled. The zero Scroll is
// at the top.
type Scroll struct{ top int }

// Top is the first row in sight of n, where rows fit.
func (s *Scroll) Top(n, rows int) int {
	s.top = max(0, min(s.top, n-max(rows, 1)))
	return s.top
}

// Move answers to the moving keys and tells whether it did.
func (s *Scroll) Move(keys *KeyMap, msg tea.KeyPressMsg, n, rows int) bool {
	switch {
	case key.Matches(msg, keys.Up):
		s.top--
	case key.Matches(msg, keys.Down):
		s.top++
	case key.Matches(msg, keys.PageUp):
		s.top -= max(rows, 1)
	case key.Matches(msg, keys.PageDown):
		s.top += max(rows, 1)
	case key.Matches(msg, keys.Top):
		s.top = 0
	case key.Matches(msg, keys.Bottom):
		s.top = n
	default:
		return false
	}
	s.Top(n, rows)
	return true
}
