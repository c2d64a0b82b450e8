// Package alerts is the pane of alerts, worst first, those of one rule under one row.
package alerts

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
)

// Model is the pane. It is there only where a source has alerts. Not for concurrent
// use.
type Model struct {
	views.List
	keys     views.KeyMap
	rows     []row
	wants    int             // rows, were there no filter
	plain    bool            // no alert says what it is about
	unfolded map[string]bool // by rule
	pending  map[sources.FlagID]string
}

// The columns, in drawing order.
const (
	colState = iota
	colName
	colAbout
	colSeverity
	colSince
	colSummary
)

func columns(int) []views.Column {
	return []views.Column{
		{Title: "", Min: 15}, // as wide as in the other panes, so that the names line up
		{Title: "", Min: 12, Max: 34},
		{Title: "about", Min: 16, Max: 24, From: 64},
		{Title: "severity", Min: 9, From: 80},
		{Title: "since", Min: 5, Right: true, From: 44},
		{Title: "", Min: 12, Max: 200, From: 96},
	}
}

// plain are the columns where no alert says what it is about: what it means has the room.
func plain(w int) []views.Column {
	list := columns(w)
	list[colAbout].From = w + 1
	return list
}

// New is an empty pane without a size.
func New(th *themes.Theme, keys views.KeyMap) Model {
	return Model{keys: keys, unfolded: map[string]bool{}, List: views.NewList(th, keys, views.About{
		Name: "Alerts", Columns: columns, Feed: views.AlertFeed,
		Len:   func(s *sources.Snapshot) int { return len(s.Alerts) },
		None:  "no alerts: no source has any",
		Empty: "nothing fires.",
		Warns: true, Sentence: sentence,
	})}
}

// SetSnapshot shows other data, with ages as of now.
func (m *Model) SetSnapshot(s *sources.Snapshot, now time.Time) {
	m.List.SetSnapshot(s, now)
	m.fold()
}

// fold works out the rows, and tells the list what they are.
func (m *Model) fold() {
	kept, all := 0, 0
	if m.rows, m.wants = nil, 0; m.Snap != nil {
		lets := func(a *sources.Alert) bool { return m.Lets(asked(a)) }
		all = len(m.Snap.Alerts)
		for i := range m.Snap.Alerts {
			if lets(&m.Snap.Alerts[i]) {
				kept++
			}
		}
		m.rows = fold(m.Snap.Alerts, lets, m.unfolded)
		if m.wants = len(m.rows); kept < all { // a pane that grew and shrank as one types would only jump
			m.wants = len(fold(m.Snap.Alerts, func(*sources.Alert) bool { return true }, m.unfolded))
		}
	}
	m.lay()
	subjects := make([]views.Subject, len(m.rows))
	for i := range m.rows {
		a := &m.Snap.Alerts[m.rows[i].at]
		if subjects[i] = views.AlertSubject(a); len(m.rows[i].group) > 0 {
			subjects[i] = views.GroupSubject(a)
		}
	}
	m.SetKept(kept, all, subjects)
}

// lay gives the column of what alerts are about to their summaries while it says nothing.
func (m *Model) lay() {
	none := m.Snap != nil && !slices.ContainsFunc(m.Snap.Alerts, func(a sources.Alert) bool { return views.AlertAbout(&a) != "" })
	if none == m.plain {
		return
	}
	if m.plain = none; none {
		m.SetColumns(plain)
	} else {
		m.SetColumns(columns)
	}
}

// asked is what a filter can ask of an alert.
func asked(a *sources.Alert) views.Row {
	return views.Row{
		Name: a.Name + " " + views.AlertAbout(a), Source: a.Source, Words: [3]string{a.State.String()}, Tags: []string{a.Severity}, Changed: a.Since,
	}
}

// SetFilter narrows the pane.
func (m *Model) SetFilter(text string) {
	m.List.SetFilter(text)
	m.fold()
}

// SetPending marks the alerts, by source and key, that are being silenced.
func (m *Model) SetPending(words map[sources.FlagID]string) { m.pending = words }

// Folded says what the cursor is on where that is a row of several alerts; "" where it
// is not.
func (m *Model) Folded() string {
	on := m.Selected()
	if on.Kind != views.AlertGroup {
		return ""
	}
	return "several alerts stand in that row: enter unfolds it, then one of them can be silenced"
}

// Wants is how many lines below its title the pane has something to say in; -1 where
// it is not wanted at all, because no source has alerts. Where nothing fires, the
// title says so.
func (m Model) Wants() int {
	switch {
	case len(m.Feed.Names) == 0:
		return -1
	case len(m.Snap.Alerts) == 0 && (m.Feed.Trouble != "" || m.Feed.Stale):
		return sentence
	default:
		return m.wants
	}
}

// sentence is the lines that it takes to say why alerts cannot be read.
const sentence = 2

// Update moves the selection, and asks for the detail of what it is on; a row of
// several alerts unfolds, or folds again.
func (m Model) Update(msg tea.Msg) (Model, tea.Cmd) {
	on := m.Selected()
	if press, ok := msg.(tea.KeyPressMsg); ok && on.Kind == views.AlertGroup && key.Matches(press, m.keys.Detail) {
		_, rule, _ := strings.Cut(on.ID, " ")
		m.unfolded = maps.Clone(m.unfolded)
		m.unfolded[rule] = !m.unfolded[rule]
		m.fold()
		return m, nil
	}
	cmd := m.Answer(msg)
	return m, cmd
}

// View is the pane.
func (m Model) View() string {
	return m.Draw(m.notes(), func(p *views.Pen, i int) { m.draw(p, i) })
}

func (m *Model) notes() (notes []views.Note) {
	if m.Snap == nil {
		return nil
	}
	n := Firing(m.Snap.Alerts)
	switch {
	case n > 0 && m.Feed.AllOld:
		notes = append(notes, views.Note{Ink: m.Theme.Warn, Text: strconv.Itoa(n) + " firing when last seen"})
	case n > 0:
		notes = append(notes, views.Note{Ink: m.Theme.Alarm, Text: " " + strconv.Itoa(n) + " firing "})
	case len(m.Snap.Alerts) == 0 && m.Feed.Loaded && !m.Feed.Stale:
		notes = append(notes, views.Note{Ink: m.Theme.Good, Text: "nothing fires"})
	}
	return notes
}

// Firing is how many alerts somebody is told of.
func Firing(list []sources.Alert) (n int) {
	for i := range list {
		if list[i].State == sources.AlertFiring {
			n++
		}
	}
	return n
}

func (m *Model) draw(p *views.Pen, i int) {
	r := &m.rows[i]
	th, t, a := m.Theme, &m.Table, &m.Snap.Alerts[r.at]
	look := views.AlertLook(th, a.State)
	name, text := th.Strong, th.Text
	switch {
	case !views.Fresh(m.Snap, a.Source, sources.PartAlerts):
		look.Ink, name, text = th.Stale, th.Stale, th.Stale
	case a.State == sources.AlertSilenced:
		name, text = th.Quiet, th.Quiet
	case a.State == sources.AlertPending:
		name = th.Text
	}
	since := a.Since
	if len(r.group) > 0 {
		since = m.earliest(r.group)
	} else if m.pends(a) {
		look = views.Look{Glyph: th.Glyphs.Stale, Word: "pending", Ink: th.Pending}
	}
	m.Begin(p, i)
	t.Look(p, colState, look)
	m.Name(p, i, colName, name, m.name(r))
	t.Cell(p, colAbout, text, m.about(r))
	t.Cell(p, colSeverity, text, a.Severity)
	t.Cell(p, colSince, th.Quiet, views.AgeOf(since, m.Now, false))
	t.Cell(p, colSummary, th.Quiet, why(a))
	p.End()
}

// pends says that an alert is being silenced.
func (m *Model) pends(a *sources.Alert) bool {
	for _, source := range []string{a.Source, a.Also} {
		if _, waits := m.pending[sources.FlagID{Source: source, Key: a.Key()}]; waits {
			return true
		}
	}
	return false
}

// why is what an alert means; of a silenced one it is why nobody is told.
func why(a *sources.Alert) string {
	if a.State == sources.AlertSilenced && a.Why != "" {
		return a.Why
	}
	return a.Summary
}
