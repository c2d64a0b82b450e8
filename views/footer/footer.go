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
	names   []string // what of it may lose its middle
	level   Level
	offer   string
	hint    string
	help    []key.Binding
}

// New is a footer without a size, with the key map's short help.
func New(th *themes.Theme, keys views.KeyMap) Model {
	return Model{th: th, keys: keys, help: keys.ShortHelp()}
}

// SetSize gives the footer w x h cells. A status hides the help where it needs
// every line; otherwise they stand above each other.
func (m *Model) SetSize(w, h int) { m.width, m.height = w, h }

// SetSnapshot is there for the sake of one interface; a footer shows no data.
func (m *Model) SetSnapshot(*sources.Snapshot, time.Time) {}

// SetFocused is there for the sake of one interface; a footer has no keys.
func (m *Model) SetFocused(focused bool) { m.focused = focused }

// longest bounds a sentence: one that holds two names of a store that allows any.
const longest = 1200

// SetStatus shows one sentence; "" shows none. The sentence may come from
// outside: it is cleaned here. names are those in it that lose their middle where it is
// read in one line then, for a second one is taken from the panes.
func (m *Model) SetStatus(sentence string, level Level, names ...string) {
	m.status, m.level, m.names = sources.Clean(sentence, longest), level, names
}

// SetOffer shows a line of its own until it is taken back with "": what there is to be
// looked at, and by which key. A status does not hide it.
func (m *Model) SetOffer(line string) { m.offer = sources.Clean(line, longest) }

// SetHint shows a line where the status stands while there is none; "" shows none.
func (m *Model) SetHint(line string) { m.hint = sources.Clean(line, 300) }

// Fits tells whether a hint fits in w columns.
func Fits(hint string, w int) bool { return views.Width(hint) < w-indent }

// Status is the sentence on show.
func (m Model) Status() string { return m.status }

// Level is how loud that is.
func (m Model) Level() Level { return m.level }

// SetHelp sets the keys that do something now. Disabled ones are left out.
func (m *Model) SetHelp(bindings []key.Binding) { m.help = bindings }

// Update changes nothing: a footer only shows.
func (m Model) Update(tea.Msg) (Model, tea.Cmd) { return m, nil }

// most is the lines that one status may take from the panes above it.
const most = 3

// Lines is how many lines, 1 to 3, the status needs in w columns, and one more with an
// offer; a status that is cut says what failed and not what to do about it.
func (m Model) Lines(w int) int {
	n := max(1, len(m.wrapped(w)))
	if m.offer != "" {
		n++
	}
	return n
}

func (m *Model) wrapped(w int) []string {
	if m.status == "" {
		return nil
	}
	return m.lines(w, most)
}

// lines is the status in at most so many.
func (m *Model) lines(w, most int) []string {
	room := max(w-indent-1, 1)
	if short := m.shortened(room); views.Width(short) <= room {
		return []string{short}
	}
	return views.WrapLines(m.th, m.status, room, most)
}

// leastName is how many cells of a name can still be told from another.
const leastName = 16

// shortened is the status with its names so long that it takes room cells, or with as
// little of them as can be.
func (m *Model) shortened(room int) string {
	short := m.status
	for _, name := range m.names {
		n, w := strings.Count(short, name), views.Width(name)
		over := views.Width(short) - room
		if name == "" || n == 0 || over <= 0 {
			continue
		}
		fits := max(leastName, w-(over+n-1)/n)
		short = strings.ReplaceAll(short, name, views.CutMiddle(m.th, name, fits))
	}
	return short
}

// View is the footer. The keys stand below the status where there is a line left.
func (m Model) View() string {
	p := views.NewPen(m.th, m.width, m.height)
	if m.offer != "" {
		p.Gap(1)
		p.Text(m.th.Accent, m.th.Glyphs.Cursor)
		p.To(indent)
		p.Text(m.th.Accent, views.WrapLines(m.th, m.offer, max(m.width-indent-1, 1), 1)[0])
		p.End()
	}
	if m.status != "" || p.Left() > 1 {
		m.sentence(p)
	}
	m.short(p)
	return p.String()
}

// indent is the room left of the status: a gap, its sign, a gap.
const indent = 3

func (m *Model) sentence(p *views.Pen) {
	th := m.th
	if m.status == "" {
		if m.hint != "" {
			p.Gap(1)
			p.Text(th.Accent, th.Glyphs.Neutral)
			p.To(indent)
			p.Text(th.Text, views.Cut(th, m.hint, max(m.width-indent-1, 1)))
		}
		p.End()
		return
	}
	look := [...]views.Look{
		Info:    {Glyph: th.Glyphs.Neutral, Ink: th.Text},
		Done:    {Glyph: th.Glyphs.Good, Ink: th.Good},
		Waiting: {Glyph: th.Glyphs.Stale, Ink: th.Pending},
		Warning: {Glyph: th.Glyphs.FlagBroken, Ink: th.Warn},
		Failure: {Glyph: th.Glyphs.Bad, Ink: th.Bad},
	}[max(Info, min(m.level, Failure))]
	look.Ink = th.Link(look.Ink, address(m.status))
	for i, line := range m.lines(m.width, max(1, min(most, m.height))) {
		p.Gap(1)
		if i == 0 {
			p.Text(look.Ink, look.Glyph)
		}
		p.To(indent)
		p.Text(look.Ink, line)
		p.End()
	}
}

// address is the first one in a sentence, "" for none.
func address(sentence string) string {
	for _, word := range strings.Fields(sentence) {
		if strings.HasPrefix(word, "https://") || strings.HasPrefix(word, "http://") {
			return strings.TrimRight(word, ".,;:)")
		}
	}
	return ""
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
		if !b.Enabled() || b.Help().Key == "" { // told with the one before it
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
