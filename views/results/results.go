// Package results is the screen that says which flag of a group is where, when not every
// one of them is as it was asked for.
package results

import (
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
)

// ClosedMsg says that the operator is done looking.
type ClosedMsg struct{}

// Result is what became of one flag of a group. Strings are cleaned.
type Result struct {
	Name string
	Old  string
	New  string
	Word string // "done", "refused", "failed", ...
	Good bool
	Why  string
}

// Model is the screen. Not for concurrent use.
type Model struct {
	th      *themes.Theme
	keys    views.KeyMap
	width   int
	height  int
	focused bool
	what    string
	all     []Result
	scroll  views.Scroll
}

// New is an empty screen without a size.
func New(th *themes.Theme, keys views.KeyMap) Model { return Model{th: th, keys: keys, focused: true} }

// SetSize gives the screen w x h cells.
func (m *Model) SetSize(w, h int) { m.width, m.height = w, h }

// SetFocused tells the screen whether it has the keys.
func (m *Model) SetFocused(focused bool) { m.focused = focused }

// SetSnapshot is there for the sake of one interface: what became of a group does not
// change any more.
func (m *Model) SetSnapshot(*sources.Snapshot, time.Time) {}

// SetResults shows what became of a group; what is it in words, and what went wrong
// stands first.
func (m *Model) SetResults(what string, all []Result) {
	m.what, m.all, m.scroll = what, nil, views.Scroll{}
	for _, good := range []bool{false, true} {
		for _, r := range all {
			if r.Good == good {
				m.all = append(m.all, r)
			}
		}
	}
}

// ShortHelp is the keys that the screen answers to.
func (m Model) ShortHelp() []key.Binding {
	return []key.Binding{m.keys.Undo, m.keys.Escape, m.keys.Up, m.keys.Help}
}

// FullHelp is the same for the help screen.
func (m Model) FullHelp() [][]key.Binding { return [][]key.Binding{m.ShortHelp()} }

// Update scrolls, and closes on escape. It never acts.
func (m Model) Update(msg tea.Msg) (Model, tea.Cmd) {
	press, ok := msg.(tea.KeyPressMsg)
	if !ok {
		return m, nil
	}
	if key.Matches(press, m.keys.Escape, m.keys.Quit) {
		return m, views.Send(ClosedMsg{})
	}
	m.scroll.Move(&m.keys, press, len(m.lines()), m.height-1)
	return m, nil
}

// line is one line of the screen: a flag with its outcome, or more of why.
type line struct {
	of   *Result
	more string
}

func (m *Model) lines() (out []line) {
	for i := range m.all {
		r := &m.all[i]
		out = append(out, line{of: r})
		if r.Why == "" {
			continue
		}
		for _, s := range views.WrapLines(m.th, r.Why, max(m.width-whyAt-1, 1), 3) {
			out = append(out, line{more: s})
		}
	}
	return out
}

// whyAt is where reasons stand, and nameWide what a name may take.
const (
	whyAt    = 4
	nameWide = 30
)

// View is the screen.
func (m Model) View() string {
	p := views.NewPen(m.th, m.width, m.height)
	p.Title(m.focused, m.what, []views.Note{{Ink: m.th.Quiet, Text: "esc closes"}}, nil)
	lines := m.lines()
	for i := m.scroll.Top(len(lines), m.height-1); i < len(lines) && p.Left() > 0; i++ {
		m.put(p, &lines[i])
	}
	return p.String()
}

func (m *Model) put(p *views.Pen, l *line) {
	if l.of == nil {
		p.Gap(whyAt)
		p.Text(m.th.Quiet, l.more)
		p.End()
		return
	}
	r := l.of
	look := views.Look{Glyph: m.th.Glyphs.Bad, Word: r.Word, Ink: m.th.Bad}
	if r.Good {
		look.Glyph, look.Ink = m.th.Glyphs.Good, m.th.Good
	}
	p.Gap(1)
	p.Look(look, 16)
	p.Gap(1)
	p.Cell(m.th.Text, r.Name, min(nameWide, max(m.width/3, 8)))
	p.Gap(1)
	change := r.New
	if r.Old != "" && r.Old != r.New {
		change = strings.Join([]string{r.Old, r.New}, " "+m.th.Glyphs.Arrow+" ")
	}
	p.Cell(m.th.Text, change, max(m.width-p.X()-1, 1))
	p.End()
}
