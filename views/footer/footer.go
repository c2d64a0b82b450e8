// Package footer is the board's last lines: what just happened, and the keys
// that do something now.
package footer

import (
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
)

// Level is how loud a status is.
type Level int

// The levels, from quiet to loud.
const (
	Info Level = iota
	Done
	Waiting
	Warning
	Failure
)

// Model is the footer. Not for concurrent use.
type Model struct {
	th      *themes.Theme
	keys    views.KeyMap
	width   int
	height  int
	focused bool
	status  string
	level   Level
	help    []key.Binding
}

// New is a footer without a size, with the key map's short help.
func New(th *themes.Theme, keys views.KeyMap) Model {
	return Model{th: th, keys: keys, help: keys.ShortHelp()}
}

// SetSize gives the footer w x h cells. In one line a status hides the help; in
// two they stand above each other.
func (m *Model) SetSize(w, h int) { m.width, m.height = w, h }

// SetSnapshot is there for the sake of one interface; a footer shows no data.
func (m *Model) SetSnapshot(*sources.Snapshot, time.Time) {}

// SetFocused is there for the sake of one interface; a footer has no keys.
func (m *Model) SetFocused(focused bool) { m.focused = focused }

// SetStatus shows one sentence; "" shows none. The sentence may come from
// outside: it is cleaned here.
func (m *Model) SetStatus(sentence string, level Level) {
	m.status, m.level = sources.Clean(sentence, 500), level
}

// Status is the sentence on show.
func (m Model) Status() string { return m.status }

// SetHelp sets the keys that do something now. Disabled ones are left out.
func (m *Model) SetHelp(bindings []key.Binding) { m.help = bindings }

// Update changes nothing: a footer only shows.
func (m Model) Update(tea.Msg) (Model, tea.Cmd) { return m, nil }

// View is the footer.
func (m Model) View() string {
	p := views.NewPen(m.th, m.width, m.height)
	if m.status != "" || m.height > 1 {
		m.sentence(p)
		p.End()
	}
	m.short(p)
	return p.String()
}

func (m *Model) sentence(p *views.Pen) {
	if m.status == "" {
		return
	}
	th := m.th
	look := [...]views.Look{
		Info:    {Glyph: th.Glyphs.Neutral, Ink: th.Text},
		Done:    {Glyph: th.Glyphs.Good, Ink: th.Good},
		Waiting: {Glyph: th.Glyphs.Stale, Ink: th.Pending},
		Warning: {Glyph: th.Glyphs.FlagBroken, Ink: th.Warn},
		Failure: {Glyph: th.Glyphs.Bad, Ink: th.Bad},
	}[max(Info, min(m.level, Failure))]
	p.Gap(1)
	p.Text(look.Ink, look.Glyph)
	p.Gap(1)
	p.Text(look.Ink, m.status)
}

// short is the keys that fit, in their order. Help always does: it is the key
// for whoever misses another.
func (m *Model) short(p *views.Pen) {
	p.Gap(1)
	way := m.keys.Help.Help().Key
	kept := 0
	for _, b := range m.help {
		if b.Enabled() && b.Help().Key == way {
			kept = entry(b)
		}
	}
	for _, b := range m.help {
		if !b.Enabled() {
			continue
		}
		if b.Help().Key == way {
			kept = 0
		}
		if p.X()+entry(b)+kept > p.Width()+2 {
			continue
		}
		p.Text(m.th.Key, b.Help().Key)
		p.Gap(1)
		p.Text(m.th.Quiet, Brief(b.Help().Desc))
		p.Gap(2)
	}
	p.End()
}

// entry is the room that a key takes, with the two cells of air after it.
func entry(b key.Binding) int {
	return views.Width(b.Help().Key) + 1 + views.Width(Brief(b.Help().Desc)) + 2
}

// Brief is a key's help in the one word that a footer has room for.
func Brief(desc string) string {
	word, _, _ := strings.Cut(desc, " ")
	return word
}
