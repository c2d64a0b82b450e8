// Package help is the screen of all keys, printed from the key map.
package help

import (
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

// ShortHelp is the keys that the screen answers to.
func (m Model) ShortHelp() []key.Binding {
	return []key.Binding{m.keys.Escape, m.keys.Help, m.keys.Up, m.keys.Down}
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
	for _, g := range m.keys.Groups() {
		first := true
		for _, b := range g.Keys {
			if !b.Enabled() {
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

// View is the screen.
func (m Model) View() string {
	p := views.NewPen(m.th, m.width, m.height)
	lines := m.lines()
	p.Title(m.focused, "Keys", []views.Note{{Ink: m.th.Quiet, Text: "esc closes"}}, nil)
	const column = 44
	if columns := m.width / column; columns > 1 && len(lines) > m.height-1 {
		m.spread(p, lines, columns, column)
		return p.String()
	}
	for i := m.scroll.Top(len(lines), m.height-1); i < len(lines) && p.Left() > 0; i++ {
		m.put(p, &lines[i])
		p.End()
	}
	return p.String()
}

// spread prints the lines in columns, which a low and wide screen has room for.
func (m *Model) spread(p *views.Pen, lines []line, columns, width int) {
	rows := (len(lines) + columns - 1) / columns
	top := m.scroll.Top(rows, m.height-1)
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

func (m *Model) put(p *views.Pen, l *line) {
	switch {
	case l.title != "":
		p.Gap(2)
		p.Text(m.th.Title, l.title)
	case l.help.Key != "":
		p.Gap(4)
		p.Cell(m.th.Key, l.help.Key, 11)
		p.Text(m.th.Text, l.help.Desc)
	}
}
