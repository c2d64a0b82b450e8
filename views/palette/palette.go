// Package palette is the line in which the board is told what to do in words, with all
// that can be said above it, what is most like the words first. It does nothing itself:
// what was chosen is a message.
package palette

import (
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
)

// Entry is one thing that can be said.
type Entry struct {
	Text string   // what is typed for it
	Also []string // other words for it, which are not listed
	Kind string   // what it is, in one word
	Does string
	Key  string // the key that does the same; "" for none
	Why  string // why it cannot be done now; "" when it can
	On   string // what it acts on when no flag is named; "" for nothing
	Acts bool   // it changes something: it has to stand written out before enter does it
	Flag bool   // a flag may follow

	// Rest says what a text that may follow means, and whether it means anything; nil
	// where none may.
	Rest func(text string) (hint string, ok bool)
}

// takes tells whether something may follow the entry.
func (e *Entry) takes() bool { return e.Flag || e.Rest != nil }

// ChosenMsg is what was said.
type ChosenMsg struct {
	Text string        // of the entry; "" for a flag alone, which is to be gone to
	Line string        // all of it as it is typed
	Flag *sources.Flag // as it was when the palette opened; nil for none. Never written to
	Rest string
}

// Model is the palette. It is closed until opened, and then takes every key. What it
// lists is what there was when it opened, so that nothing moves by itself under the
// cursor. Not for concurrent use.
type Model struct {
	th     *themes.Theme
	width  int
	height int
	open   bool
	input  textinput.Model
	table  views.Table

	snap    *sources.Snapshot
	entries []Entry
	labels  []string // of the flags, by their place in snap
	recent  []row

	said   said
	rows   []row
	pool   []int32 // the flags that held poolOf
	poolOf string
	at     int
	top    int
	chose  bool   // the operator has moved the cursor since the words changed
	note   string // why enter did nothing; "" for none
}

// row is one line that can be chosen: an entry, a flag, or an entry with a flag.
type row struct{ entry, flag int32 }

// none is no entry, or no flag.
const none = -1

// charLimit is how long a line may be: a word, a name and a sentence.
const charLimit = 300

// New is a closed palette without a size.
func New(th *themes.Theme) Model {
	in := textinput.New()
	in.Prompt, in.CharLimit = "", charLimit
	plain := lipgloss.NewStyle()
	state := textinput.StyleState{Text: th.Text.Style(), Placeholder: th.Quiet.Style(), Suggestion: plain, Prompt: plain}
	in.SetStyles(textinput.Styles{Focused: state, Blurred: state}) // no blinking, as in every prompt
	return Model{th: th, input: in}
}

// SetSize gives the palette w x h cells: a title, what can be chosen, and the line.
func (m *Model) SetSize(w, h int) {
	m.width, m.height = w, h
	name := max(20, min(w/3, 44))
	m.table = views.Lay([]views.Column{
		{Min: name}, {Min: 8, From: 40}, {Min: 8, Max: 200, From: 56}, {Min: 9, Right: true, Tight: true, From: 50},
	}, w)
	m.fit()
	m.show()
}

// fit leaves as much room for the hint as what is typed does not need.
func (m *Model) fit() {
	m.input.SetWidth(max(1, min(max(16, views.Width(m.input.Value())+2), m.width*2/3, m.width-4)))
	m.input.SetCursor(m.input.Position()) // scrolls the text for the new width
}

// Lines is how many lines the palette wants of a screen with h.
func Lines(h int) int { return max(5, min(h*2/5, 14)) }

// Open lists the entries and the flags of a snapshot; recent are lines that were chosen
// before, the last first.
func (m *Model) Open(s *sources.Snapshot, entries []Entry, recent []string) {
	m.open, m.snap, m.entries, m.recent = true, s, entries, nil
	m.pool, m.poolOf = nil, ""
	m.label()
	for _, line := range recent {
		if r, ok := m.standsFor(line); ok {
			m.recent = append(m.recent, r)
		}
	}
	m.write("")
	m.input.Focus()
}

// label is what each flag is called in a line: its name, and its store where there are
// several.
func (m *Model) label() {
	stores := 0
	for i := range m.snap.Sources {
		if m.snap.Sources[i].Flags {
			stores++
		}
	}
	m.labels = make([]string, len(m.snap.Flags))
	for i := range m.snap.Flags {
		f := &m.snap.Flags[i]
		m.labels[i] = f.Name
		if stores > 1 {
			m.labels[i] += " (" + sources.Clean(f.ID.Source, 40) + ")"
		}
	}
}

// Close forgets what was typed.
func (m *Model) Close() {
	m.open, m.snap, m.entries, m.labels, m.rows, m.pool, m.recent = false, nil, nil, nil, nil, nil, nil
	m.input.Blur()
}

// Opened tells whether the palette is open.
func (m *Model) Opened() bool { return m.open }

// Say shows why what was asked for was not done, until the next key.
func (m *Model) Say(note string) { m.note = sources.Clean(note, 300) }

// Value is what has been typed so far.
func (m *Model) Value() string { return m.input.Value() }

// ShortHelp is the keys that the palette answers to.
func (m Model) ShortHelp() []key.Binding {
	bind := func(k, does string) key.Binding { return key.NewBinding(key.WithKeys(k), key.WithHelp(k, does)) }
	return []key.Binding{bind("enter", "do it"), bind("tab", "complete"), bind("up/down", "choose"), bind("esc", "leave")}
}

// SetSnapshot is there for the sake of one interface: what is listed stays.
func (m *Model) SetSnapshot(*sources.Snapshot, time.Time) {}

// SetFocused is there for the sake of one interface: an open palette has the keys.
func (m *Model) SetFocused(bool) {}

// Update types, completes and chooses; enter sends a ChosenMsg and closes, where there
// is something to do. A paste is typed, without its line breaks.
func (m Model) Update(msg tea.Msg) (Model, tea.Cmd) {
	if !m.open {
		return m, nil
	}
	switch msg := msg.(type) {
	case tea.PasteMsg:
		msg.Content = sources.Clean(msg.Content, charLimit)
		return m.typed(msg)
	case tea.KeyPressMsg:
		m.note = ""
		switch msg.String() {
		case "esc", "ctrl+c":
			m.Close()
		case "enter":
			return m.enter()
		case "tab":
			m.complete()
		case "up", "ctrl+p":
			m.move(m.at - 1)
		case "down", "ctrl+n":
			m.move(m.at + 1)
		case "pgup":
			m.move(m.at - m.visible())
		case "pgdown":
			m.move(m.at + m.visible())
		case "right":
			if m.input.Position() == len([]rune(m.input.Value())) {
				m.complete()
				return m, nil
			}
			return m.typed(msg)
		default:
			return m.typed(msg)
		}
	}
	return m, nil
}

func (m Model) typed(msg tea.Msg) (Model, tea.Cmd) {
	before := m.input.Value()
	var cmd tea.Cmd
	m.input, cmd = m.input.Update(msg)
	if m.input.Value() != before {
		m.find()
	}
	return m, cmd
}

func (m *Model) write(text string) {
	m.input.SetValue(text)
	m.input.CursorEnd()
	m.find()
}

func (m *Model) move(to int) {
	if len(m.rows) > 0 {
		m.at, m.chose = max(0, min(to, len(m.rows)-1)), true
		m.show()
	}
}

// show keeps the cursor in sight.
func (m *Model) show() {
	n := m.visible()
	m.top = max(0, min(max(m.at-n+1, min(m.top, m.at)), len(m.rows)-n))
}

// visible is how many rows fit between the title and the line.
func (m *Model) visible() int { return max(m.height-2, 1) }

// complete writes what the cursor is on into the line.
func (m *Model) complete() {
	if len(m.rows) == 0 {
		return
	}
	r := m.rows[m.at]
	text := m.lineOf(r)
	switch {
	case r.entry == none:
	case r.flag == none && m.entries[r.entry].takes(), r.flag != none && m.entries[r.entry].Rest != nil:
		text += " "
	}
	if m.said.rest != "" && r.entry == int32(m.said.entry) {
		text = strings.TrimRight(text, " ") + " " + m.said.rest
	}
	m.write(text)
}

// lineOf is how a row is typed.
func (m *Model) lineOf(r row) string {
	switch {
	case r.entry == none:
		return m.labels[r.flag]
	case r.flag == none:
		return m.entries[r.entry].Text
	default:
		return m.entries[r.entry].Text + " " + m.labels[r.flag]
	}
}

// enter does what the cursor is on, unless there is a reason not to. What changes
// something has to stand in the line first: nothing is done to what only resembles what
// was typed.
func (m Model) enter() (Model, tea.Cmd) {
	if len(m.rows) == 0 {
		return m, nil
	}
	r := m.rows[m.at]
	if m.note = m.cannot(r); m.note == "" && !m.chose && m.namesakes(r) {
		m.note = "several flags are written like that: choose one with up and down"
	}
	if m.note != "" {
		return m, nil
	}
	rest := ""
	if r.entry != none {
		e := &m.entries[r.entry]
		if e.Acts && !m.written(r) {
			m.complete()
			return m, nil
		}
		if rest = m.restOf(r); rest != "" {
			if hint, ok := e.Rest(rest); !ok {
				m.note = hint
				return m, nil
			}
		}
	}
	out := ChosenMsg{Line: strings.TrimSpace(m.lineOf(r) + " " + rest), Rest: rest}
	if r.entry != none {
		out.Text = m.entries[r.entry].Text
	}
	if r.flag != none {
		out.Flag = &m.snap.Flags[r.flag]
	}
	m.Close()
	return m, views.Send(out)
}

// cannot is why a row cannot be done; "" when it can.
func (m *Model) cannot(r row) string {
	if r.entry == none {
		return ""
	}
	e := &m.entries[r.entry]
	switch {
	case e.Why != "":
		return e.Why
	case r.flag == none || !e.Acts:
		return ""
	}
	id := m.snap.Flags[r.flag].ID
	if why := m.snap.Source(id.Source).ReadOnly; why != "" {
		return sources.Clean(id.Source, 40) + " cannot be changed from here: " + why
	}
	return ""
}

// namesakes tells whether another flag in the list is written like that of the row.
func (m *Model) namesakes(r row) bool {
	if r.flag == none {
		return false
	}
	for _, other := range m.rows {
		if other.flag != none && other.flag != r.flag && m.labels[other.flag] == m.labels[r.flag] {
			return true
		}
	}
	return false
}
