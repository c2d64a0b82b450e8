// Package help is the screen of all keys, printed from the key map.
package help

import (
	"fmt"
	"slices"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
)

// ClosedMsg says that the operator is done reading.
type ClosedMsg struct{}

// Model is the screen. Not for concurrent use.
type Model struct {
	th      *themes.Theme
	keys    views.KeyMap
	width   int
	height  int
	focused bool
	scroll  views.Scroll
	place   views.Place
	about   string
}

// New is a help screen without a size.
func New(th *themes.Theme, keys views.KeyMap) Model { return Model{th: th, keys: keys, focused: true} }

// SetSize gives the screen w x h cells.
func (m *Model) SetSize(w, h int) { m.width, m.height = w, h }

// SetSnapshot is there for the sake of one interface; help shows no data.
func (m *Model) SetSnapshot(*sources.Snapshot, time.Time) {}

// SetFocused tells the screen whether it has the keys.
func (m *Model) SetFocused(focused bool) { m.focused = focused }

// SetKeys prints another map, such as that of a read-only board.
func (m *Model) SetKeys(keys views.KeyMap) { m.keys = keys }

// SetPlace puts the keys of a place first, and says behind the title of the keys that act
// what is so of the flag that they would act on; "" for nothing.
func (m *Model) SetPlace(place views.Place, about string) {
	m.place, m.about, m.scroll = place, sources.Clean(about, 200), views.Scroll{}
}

// ShortHelp is the keys that the screen answers to.
func (m Model) ShortHelp() []key.Binding {
	return []key.Binding{m.keys.Escape, m.keys.Help, m.keys.Up}
}

// FullHelp is the same for the help screen itself.
func (m Model) FullHelp() [][]key.Binding { return [][]key.Binding{m.ShortHelp()} }

// Update scrolls, and closes on escape, help or quit.
func (m Model) Update(msg tea.Msg) (Model, tea.Cmd) {
	press, ok := msg.(tea.KeyPressMsg)
	if !ok {
		return m, nil
	}
	if key.Matches(press, m.keys.Escape, m.keys.Help, m.keys.Quit) {
		return m, views.Send(ClosedMsg{})
	}
	m.scroll.Move(&m.keys, press, len(m.lines()), m.height-1)
	return m, nil
}

type line struct {
	title string
	help  key.Help
}

// lines are the groups one under the other: a single column reads well at every
// width and scrolls where it does not fit.
func (m *Model) lines() []line {
	var out []line
	groups := m.keys.Groups()
	if m.place != views.Anywhere {
		slices.SortStableFunc(groups, func(a, b views.Group) int { return m.after(a) - m.after(b) })
	}
	for _, g := range groups {
		first := true
		for _, b := range g.Keys {
			if !b.Enabled() || b.Help().Key == "" {
				continue
			}
			if first {
				if len(out) > 0 {
					out = append(out, line{})
				}
				out = append(out, line{title: g.Title})
				first = false
			}
			out = append(out, line{help: b.Help()})
		}
	}
	return out
}

// after is 1 for a group whose keys belong to another place.
func (m *Model) after(g views.Group) int {
	if g.Place == m.place {
		return 0
	}
	return 1
}

// View is the screen.
func (m Model) View() string {
	p := views.NewPen(m.th, m.width, m.height)
	lines := m.lines()
	notes := []views.Note{{Ink: m.th.Quiet, Text: "esc closes"}}
	if m.about != "" {
		notes = append(notes, views.Note{Ink: m.th.Accent, Text: m.about})
	}
	columns, column := 1, widest(lines)
	if len(lines) > m.height-1 { // a low and wide screen has room for several
		columns = max(1, m.width/column)
		if (len(lines)+columns-1)/columns > m.height-1 { // titles tell groups apart as well
			lines = slices.DeleteFunc(lines, func(l line) bool { return l == line{} })
		}
	}
	rows := (len(lines) + columns - 1) / columns
	for at := rows - 1; columns > 1 && at < len(lines) && len(lines) < rows*columns; at += rows {
		if lines[at].title != "" { // it goes with its keys
			lines = slices.Insert(lines, at, line{})
		}
	}
	top := m.scroll.Top(rows, m.height-1)
	if last := top + m.height - 1; top > 0 || last < rows {
		more := fmt.Sprintf("lines %d to %d of %d, %s and %s scroll", top+1, min(last, rows), rows,
			views.Named(m.keys.Down), views.Named(m.keys.Up))
		notes = append(notes, views.Note{Ink: m.th.Accent, Text: more})
	}
	p.Title(m.focused, "Keys", notes, nil)
	m.spread(p, lines, columns, column, rows, top)
	return p.String()
}

// widest is the cells that the longest line takes, with air after it.
func widest(lines []line) int {
	w := 0
	for i := range lines {
		w = max(w, 2+views.Width(lines[i].title), keyAt+keyWide+views.Width(lines[i].help.Desc))
	}
	return w + 2
}

// spread prints the lines in columns, from the row top.
func (m *Model) spread(p *views.Pen, lines []line, columns, width, rows, top int) {
	for r := top; r < rows && p.Left() > 0; r++ {
		for c := range columns {
			if i := c*rows + r; i < len(lines) {
				p.To(c * width)
				m.put(p, &lines[i])
			}
		}
		p.End()
	}
}

// Where a key stands and the room that it takes.
const keyAt, keyWide = 4, 11

func (m *Model) put(p *views.Pen, l *line) {
	switch {
	case l.title != "":
		p.Gap(2)
		p.Text(m.th.Title, l.title)
	case l.help.Key != "":
		p.Gap(keyAt)
		p.Cell(m.th.Key, l.help.Key, keyWide)
		p.Text(m.th.Text, l.help.Desc)
	}
}
