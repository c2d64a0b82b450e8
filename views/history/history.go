// Package history is the screen of one flag's past: every change and every state, the
// newest first, each of which the flag can be returned to.
package history

import (
	"strconv"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
)

// ClosedMsg says that the operator is done looking.
type ClosedMsg struct{}

// Model is the screen. The cursor stands on a state and not on a row, so that a change
// that comes in meanwhile moves it to no other. Not for concurrent use.
type Model struct {
	th       *themes.Theme
	keys     views.KeyMap
	width    int
	height   int
	focused  bool
	readOnly bool
	now      time.Time
	table    views.Table

	flag   sources.FlagID // whose history it is
	name   string
	past   *sources.History // nil while it is read for the first time
	why    string           // why it could not be read; "" when it could
	cursor int
	top    int
	on     id
}

// id tells states apart, whatever their order.
type id struct {
	change string
	before bool
}

// New is a screen without a size, about no flag.
func New(th *themes.Theme, keys views.KeyMap) Model { return Model{th: th, keys: keys, focused: true} }

// The columns, in drawing order.
const (
	colTime = iota
	colActor
	colKind
	colChange
	colOutcome
	colWhy
)

func columns(w int) []views.Column {
	change := 14
	if w >= 70 {
		change = 19
	}
	return []views.Column{
		{Title: "", Min: 7},
		{Title: "", Min: 8, Max: 14, From: 40},
		{Title: "", Min: 8, Max: 12, From: 56},
		{Title: "", Min: change, Max: 32},
		{Title: "", Min: 16, From: 60},
		{Title: "", Min: 12, Max: 200, From: 74},
	}
}

// SetSize gives the screen w x h cells.
func (m *Model) SetSize(w, h int) {
	m.width, m.height = w, h
	m.table = views.Lay(columns(w), w)
}

// SetFocused tells the screen whether it has the keys.
func (m *Model) SetFocused(focused bool) { m.focused = focused }

// SetReadOnly leaves out what the returning key would do.
func (m *Model) SetReadOnly(on bool) { m.readOnly = on }

// SetSnapshot says what time it is; what a history shows is read for it alone.
func (m *Model) SetSnapshot(_ *sources.Snapshot, now time.Time) { m.now = now }

// Open is about another flag, of which nothing is known yet.
func (m *Model) Open(flag sources.FlagID, name string) {
	m.flag, m.name, m.past, m.why, m.cursor, m.top, m.on = flag, name, nil, "", 0, 0, id{}
}

// Flag is whose history it is; zero for nobody's.
func (m *Model) Flag() sources.FlagID { return m.flag }

// Seen is the revision of the flag as the screen shows it; "" when it shows none.
func (m *Model) Seen() sources.Revision {
	if m.past == nil {
		return ""
	}
	return m.past.Flag.Revision
}

// SetHistory shows what was read, or why it could not be; one of another flag is not
// shown.
func (m *Model) SetHistory(h *sources.History, err error) {
	if h.Flag.ID != m.flag {
		return
	}
	m.why = sources.Sentence(err)
	if err != nil {
		return
	}
	m.past = h
	for i := range h.Past {
		if idOf(&h.Past[i]) == m.on {
			m.cursor = i
			return
		}
	}
	m.to(m.cursor)
}

func idOf(l *sources.PastChange) id { return id{l.ID, l.Before} }

// Selected is the line under the cursor; nil when there is none.
func (m *Model) Selected() *sources.PastChange {
	if m.past == nil || m.cursor >= len(m.past.Past) {
		return nil
	}
	return &m.past.Past[m.cursor]
}

// Intend is the return to the state under the cursor, from what the screen shows the
// flag to be, or why there is none in one sentence.
func (m *Model) Intend() (in sources.Intent, refused string) {
	l := m.Selected()
	switch {
	case l == nil:
		return in, "there is no earlier state of " + m.name + " on record"
	case l.InForce, l.Revision != "" && l.Revision == m.past.Flag.Revision:
		return in, m.name + " is " + l.New + " already: choose an earlier state"
	case l.Cannot != "":
		return in, m.name + " cannot be returned to that state: " + l.Cannot
	}
	f := &m.past.Flag
	return sources.Intent{
		Kind: sources.Restore, Flag: m.flag, Seen: f.Revision, SeenAs: f.Brief(), ToAs: l.New, Change: l.ID, Before: l.Before,
	}, ""
}

func (m *Model) to(i int) {
	m.cursor, m.on = 0, id{}
	if m.past != nil && len(m.past.Past) > 0 {
		m.cursor = max(0, min(i, len(m.past.Past)-1))
		m.on = idOf(&m.past.Past[m.cursor])
	}
}

// ShortHelp is the keys that the screen answers to.
func (m Model) ShortHelp() []key.Binding {
	k := m.keys
	if m.readOnly {
		k = k.ReadOnly()
	}
	return []key.Binding{k.Return, k.Kill, k.Undo, k.Escape, k.Up, k.Help}
}

// FullHelp is the same for the help screen.
func (m Model) FullHelp() [][]key.Binding { return [][]key.Binding{m.ShortHelp()} }

// Update moves the cursor, and closes on escape. It never acts.
func (m Model) Update(msg tea.Msg) (Model, tea.Cmd) {
	press, ok := msg.(tea.KeyPressMsg)
	if !ok {
		return m, nil
	}
	page := max(m.rows(), 1)
	switch {
	case key.Matches(press, m.keys.Escape, m.keys.History, m.keys.Quit):
		return m, views.Send(ClosedMsg{})
	case key.Matches(press, m.keys.Up):
		m.to(m.cursor - 1)
	case key.Matches(press, m.keys.Down):
		m.to(m.cursor + 1)
	case key.Matches(press, m.keys.PageUp):
		m.to(m.cursor - page)
	case key.Matches(press, m.keys.PageDown):
		m.to(m.cursor + page)
	case key.Matches(press, m.keys.Top):
		m.to(0)
	case key.Matches(press, m.keys.Bottom):
		m.to(1 << 20)
	}
	return m, nil
}

// rows is how many lines of the past fit: the title, the warnings and what the key
// would do take theirs.
func (m *Model) rows() int { return m.height - 2 - len(m.warnings()) }

func (m *Model) warnings() []string {
	if m.past == nil || len(m.past.Warnings) == 0 {
		return nil
	}
	return views.WrapLines(m.th, m.past.Warnings[0], max(m.width-views.Indent-1, 1), 2)
}

// View is the screen.
func (m Model) View() string {
	p := views.NewPen(m.th, m.width, m.height)
	p.Title(m.focused, "History "+m.name, m.notes(), nil)
	switch {
	case m.past == nil && m.why != "":
		p.Say(m.th.Bad, m.why)
	case m.past == nil:
		p.Say(m.th.Quiet, "reading what is on record"+m.th.Glyphs.Ellipsis)
	case len(m.past.Past) == 0:
		p.Warn(m.warnings())
		p.Say(m.th.Quiet, "nothing is on record of how "+m.name+" came to be "+m.past.Flag.Brief()+".")
	default:
		p.Warn(m.warnings())
		m.lines(p)
	}
	return p.String()
}

func (m *Model) notes() []views.Note {
	if m.past == nil {
		return nil
	}
	notes := []views.Note{
		{Ink: m.th.Text, Text: "now " + m.past.Flag.Brief()},
		{Ink: m.th.Quiet, Text: strconv.Itoa(len(m.past.Past))},
	}
	if m.why != "" {
		notes = append(notes, views.Note{Ink: m.th.Warn, Text: m.why})
	}
	return notes
}

func (m *Model) lines(p *views.Pen) {
	n := max(m.rows(), 1)
	top := max(m.cursor-n+1, min(m.top, m.cursor), 0)
	top = max(0, min(top, len(m.past.Past)-n))
	for i := top; i < len(m.past.Past) && i < top+n && p.Left() > 0; i++ {
		m.line(p, i)
	}
	for p.Left() > 1 {
		p.End()
	}
	if p.Left() == 1 {
		m.outlook(p)
	}
}

// outlook is what the key would do with the state under the cursor.
func (m *Model) outlook(p *views.Pen) {
	p.Gap(views.Indent)
	in, refused := m.Intend()
	switch {
	case refused != "":
		p.Text(m.th.Quiet, views.Cut(m.th, refused, max(m.width-views.Indent, 1)))
	case m.readOnly:
		p.Text(m.th.Quiet, "this board is read-only")
	default:
		p.Text(m.th.Key, views.Named(m.keys.Return))
		p.Gap(1)
		how := ""
		if !m.Selected().Exact {
			how = ", by its value: the definition of then is not on record"
		}
		p.Text(m.th.Text, views.Cut(m.th, "returns "+m.name+" "+in.SeenAs+" "+m.th.Glyphs.Arrow+" "+in.ToAs+how, max(m.width-p.X(), 1)))
	}
	p.End()
}

func (m *Model) line(p *views.Pen, i int) {
	th, t, l := m.th, &m.table, &m.past.Past[i]
	here := i == m.cursor
	if here {
		p.Text(th.Accent, th.Glyphs.Cursor)
	}
	at, actor, kind, change := views.Clock(l.At, m.now), l.Actor, l.Kind, l.New
	if l.At.IsZero() {
		at = ""
	}
	if l.Old != "" {
		change = l.Old + " " + th.Glyphs.Arrow + " " + l.New
	}
	first := l.First()
	if first {
		kind = "at first"
	}
	t.Cell(p, colTime, th.Quiet, at)
	t.Cell(p, colActor, th.Text, actor)
	t.Cell(p, colKind, th.Quiet, kind)
	if here {
		p.To(t.Starts[colChange])
		p.Fill(th.Select, change, t.Widths[colChange])
	} else {
		t.Cell(p, colChange, th.Text, change)
	}
	look := views.OutcomeLook(th, l.Outcome)
	switch {
	case l.InForce:
		look = views.Look{Glyph: th.Glyphs.Good, Word: "current", Ink: th.Accent}
	case l.UndoneBy != "":
		look = views.Look{Glyph: th.Glyphs.Neutral, Word: "undone " + l.UndoneBy, Ink: th.Quiet}
	}
	if !first || l.InForce {
		t.Look(p, colOutcome, look)
	}
	if l.Err != "" {
		t.Cell(p, colWhy, th.Bad, l.Err)
	} else {
		t.Cell(p, colWhy, th.Quiet, l.Reason)
	}
	p.End()
}
