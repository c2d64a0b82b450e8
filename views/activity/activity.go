// Package activity is the pane of what happened, newest first.
package activity

import (
	"strconv"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
)

// Model is the pane. It shows times of day and not ages, because a list of ages
// would tick. Not for concurrent use.
type Model struct {
	th      *themes.Theme
	keys    views.KeyMap
	width   int
	height  int
	focused bool
	snap    *sources.Snapshot
	now     time.Time
	feed    views.Feed
	scroll  views.Scroll
	table   views.Table
}

// The columns, in drawing order.
const (
	colTime = iota
	colActor
	colName
	colChange
	colOutcome
	colWhy
)

func columns(w int) []views.Column {
	change := 12
	if w >= 64 {
		change = 19 // "half-open ➔ closed"
	}
	return []views.Column{
		{Title: "", Min: 6},
		{Title: "", Min: 7, Max: 8, From: 40},
		{Title: "", Min: 8, Max: 30},
		{Title: "", Min: change},
		{Title: "", Min: 13, From: 60},
		{Title: "", Min: 12, Max: 200, From: 90},
	}
}

// New is an empty pane without a size.
func New(th *themes.Theme, keys views.KeyMap) Model {
	m := Model{th: th, keys: keys}
	m.SetSize(0, 0)
	return m
}

// SetSize gives the pane w x h cells, its title line included.
func (m *Model) SetSize(w, h int) {
	m.width, m.height = w, h
	m.table = views.Lay(columns(w), w)
}

// SetSnapshot shows other data, with days as of now.
func (m *Model) SetSnapshot(s *sources.Snapshot, now time.Time) {
	m.snap, m.now = s, now
	m.feed = views.FlagFeed(s, now)
}

// SetFocused tells the pane whether it has the keys.
func (m *Model) SetFocused(focused bool) { m.focused = focused }

// ShortHelp is the keys that the pane answers to.
func (m Model) ShortHelp() []key.Binding { return []key.Binding{m.keys.Up, m.keys.Down} }

// FullHelp is the same for the help screen.
func (m Model) FullHelp() [][]key.Binding {
	return [][]key.Binding{{m.keys.Up, m.keys.Down, m.keys.PageUp, m.keys.PageDown, m.keys.Top, m.keys.Bottom}}
}

// Update scrolls.
func (m Model) Update(msg tea.Msg) (Model, tea.Cmd) {
	if press, ok := msg.(tea.KeyPressMsg); ok && m.snap != nil {
		m.scroll.Move(&m.keys, press, len(m.snap.Activity), m.height-1)
	}
	return m, nil
}

// View is the pane.
func (m Model) View() string {
	p := views.NewPen(m.th, m.width, m.height)
	if m.snap == nil || len(m.snap.Activity) == 0 {
		p.Title(m.focused, "Activity", nil, nil)
		if !m.feed.Say(p, m.th, "no activity: no flag store is configured, start with --flags") {
			p.Say(m.th.Quiet, "nothing has changed since the board was opened.")
		}
		return p.String()
	}
	list := m.snap.Activity
	top := m.scroll.Top(len(list), m.height-1)
	notes := []views.Note{{Ink: m.th.Quiet, Text: strconv.Itoa(len(list))}}
	if m.feed.Stale {
		notes = append(notes, views.Note{Ink: m.th.Warn, Text: m.feed.Age()})
	}
	if top > 0 {
		notes = append(notes, views.Note{Ink: m.th.Quiet, Text: "from " + strconv.Itoa(top+1)})
	}
	p.Title(m.focused, "Activity", notes, nil)
	for i := top; i < len(list) && p.Left() > 0; i++ {
		Row(p, m.th, &m.table, &list[i], m.now)
	}
	return p.String()
}

// Table is the pane's columns laid out for other panes that list changes.
func Table(width int) views.Table { return views.Lay(columns(width), width) }

// Row writes one line of activity.
func Row(p *views.Pen, th *themes.Theme, t *views.Table, a *sources.Activity, now time.Time) {
	look := Look(th, a)
	actor := a.Actor
	if actor == "" {
		actor = "somebody"
		if a.Kind == "breaker" {
			actor = "breaker"
		}
	}
	change := a.New
	if a.Old != "" {
		change = a.Old + " " + th.Glyphs.Arrow + " " + a.New
	}
	t.Cell(p, colTime, th.Quiet, views.Clock(a.At, now))
	t.Cell(p, colActor, th.Text, actor)
	t.Cell(p, colName, th.Text, a.Name)
	ink := look.Ink
	if a.Kind != "breaker" && (a.Outcome == sources.Confirmed || a.Outcome == sources.Seen) {
		ink = th.Text
	}
	t.Cell(p, colChange, ink, change)
	if a.Kind == "breaker" {
		look = views.OutcomeLook(th, a.Outcome)
	}
	t.Look(p, colOutcome, look)
	if a.Err != "" {
		t.Cell(p, colWhy, th.Bad, a.Err)
	} else {
		t.Cell(p, colWhy, th.Quiet, a.Reason)
	}
	p.End()
}

// Look is how one line's outcome is shown. A breaker that opened is bad news,
// whoever saw it.
func Look(th *themes.Theme, a *sources.Activity) views.Look {
	if a.Kind != "breaker" {
		return views.OutcomeLook(th, a.Outcome)
	}
	for s := sources.BreakerUnknown; s <= sources.BreakerDisabled; s++ {
		if s.String() == a.New {
			look := views.BreakerLook(th, s)
			return look
		}
	}
	return views.OutcomeLook(th, a.Outcome)
}
