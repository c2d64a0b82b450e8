// Package breakers is the pane of circuit breakers, worst first.
package breakers

import (
	"fmt"
	"strconv"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
)

// Model is the pane. It lists breakers in the snapshot's order, which is worst
// first. Not for concurrent use.
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
	colState = iota
	colName
	colOpen
	colErrors
	colRate
	colRejects
	colSince
	colNote
)

func columns() []views.Column {
	return []views.Column{
		{Title: "", Min: 15},
		{Title: "", Min: 10, Max: 30},
		{Title: "open", Min: 7, Right: true, From: 40},
		{Title: "errors", Min: 6, Right: true, From: 48},
		{Title: "rate", Min: 6, Right: true, From: 58},
		{Title: "rejected", Min: 8, Right: true, From: 70},
		{Title: "since", Min: 5, Right: true, From: 78},
		{Title: "", Min: 10, Max: 200, From: 104},
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
	m.table = views.Lay(columns(), w)
}

// SetSnapshot shows other data, with ages as of now.
func (m *Model) SetSnapshot(s *sources.Snapshot, now time.Time) {
	m.snap, m.now = s, now
	m.feed = views.MetricFeed(s, now)
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
		m.scroll.Move(&m.keys, press, len(m.snap.Breakers), m.height-1)
	}
	return m, nil
}

// View is the pane.
func (m Model) View() string {
	p := views.NewPen(m.th, m.width, m.height)
	if m.snap == nil || len(m.snap.Breakers) == 0 {
		p.Title(m.focused, "Breakers", nil, nil)
		if !m.feed.Say(p, m.th, "no breakers: no metrics source is configured, start with --metrics") {
			p.Say(m.th.Quiet, "no breakers yet: none of the metrics looks like one.")
		}
		return p.String()
	}
	list := m.snap.Breakers
	top := m.scroll.Top(len(list), m.height-1)
	p.Title(m.focused, "Breakers", m.notes(list, top), m.table.Labels())
	p.Warn(m.feed.Warning(m.th, m.width, m.height))
	for i := top; i < len(list) && p.Left() > 0; i++ {
		m.row(p, &list[i])
	}
	return p.String()
}

func (m *Model) notes(list []sources.Breaker, top int) []views.Note {
	open, half := Count(list)
	notes := []views.Note{{Ink: m.th.Quiet, Text: strconv.Itoa(len(list))}}
	if m.feed.Stale {
		notes = append(notes, views.Note{Ink: m.th.Warn, Text: m.feed.Age()})
	}
	switch {
	case open > 0 && m.feed.AllOld:
		notes = append(notes, views.Note{Ink: m.th.Warn, Text: strconv.Itoa(open) + " open when last seen"})
	case open > 0:
		notes = append(notes, views.Note{Ink: m.th.Alarm, Text: " " + strconv.Itoa(open) + " open "})
	}
	if half > 0 {
		notes = append(notes, views.Note{Ink: m.th.Warn, Text: strconv.Itoa(half) + " half-open"})
	}
	if top > 0 {
		notes = append(notes, views.Note{Ink: m.th.Quiet, Text: "from " + strconv.Itoa(top+1)})
	}
	return notes
}

// Count is how many breakers are open (forced or not) and how many half-open.
func Count(list []sources.Breaker) (open, half int) {
	for i := range list {
		switch list[i].State {
		case sources.BreakerOpen, sources.BreakerForcedOpen:
			open++
		case sources.BreakerHalfOpen:
			half++
		default:
		}
	}
	return open, half
}

func (m *Model) row(p *views.Pen, b *sources.Breaker) {
	th, t := m.th, &m.table
	look := views.BreakerLook(th, b.State)
	name, number := th.Text, th.Text
	if b.State == sources.BreakerClosed {
		number = th.Quiet
	} else {
		name = th.Strong
	}
	fresh := views.Fresh(m.snap, b.Source)
	if !fresh {
		look.Ink, name, number = th.Stale, th.Stale, th.Stale
	}
	errors := number
	if fresh && b.ErrorRatio.OK && b.ErrorRatio.V >= 0.05 {
		errors = th.Bad
	}
	if b.Inferred {
		look.Word += "?" // worked out, not exported
	}
	t.Look(p, colState, look)
	t.Cell(p, colName, name, b.Name)
	t.Cell(p, colOpen, number, instances(b))
	t.Cell(p, colErrors, errors, views.Ratio(b.ErrorRatio))
	t.Cell(p, colRate, number, views.Rate(b.Rate))
	t.Cell(p, colRejects, number, views.Rate(b.RejectRate))
	if fresh {
		t.Cell(p, colSince, th.Quiet, views.AgeOf(b.Since, m.now, false))
	} else {
		t.Cell(p, colSince, th.Warn, "stale")
	}
	t.Cell(p, colNote, th.Quiet, b.Note)
	p.End()
}

// instances is "3/12", or nothing where only one instance is known of.
func instances(b *sources.Breaker) string {
	if b.Instances <= 0 {
		return views.Absent
	}
	return fmt.Sprintf("%d/%d", b.OpenInstances, b.Instances)
}
