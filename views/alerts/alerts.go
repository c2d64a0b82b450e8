// Package alerts is the pane of alerts, worst first.
package alerts

import (
	"strconv"
	"time"

	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
)

// Model is the pane. It is there only where a source has alerts. Not for concurrent
// use.
type Model struct{ views.List }

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
		{Title: "", Min: 12},
		{Title: "", Min: 12, Max: 34},
		{Title: "about", Min: 16, Max: 24, From: 64},
		{Title: "severity", Min: 9, From: 80},
		{Title: "since", Min: 5, Right: true, From: 44},
		{Title: "", Min: 12, Max: 200, From: 96},
	}
}

// New is an empty pane without a size.
func New(th *themes.Theme, keys views.KeyMap) Model {
	return Model{views.NewList(th, keys, views.About{
		Name: "Alerts", Columns: columns, Feed: views.AlertFeed,
		Len:   func(s *sources.Snapshot) int { return len(s.Alerts) },
		None:  "no alerts: no source has any",
		Empty: "nothing fires.",
		Warns: true,
	})}
}

// SetSnapshot shows other data, with ages as of now.
func (m *Model) SetSnapshot(s *sources.Snapshot, now time.Time) {
	m.List.SetSnapshot(s, now)
	var rows []views.Subject
	if s != nil {
		rows = make([]views.Subject, len(s.Alerts))
		for i := range s.Alerts {
			rows[i] = views.AlertSubject(&s.Alerts[i])
		}
	}
	m.SetRows(rows)
}

// Wants is how many lines below its title the pane has something to say in; -1 where
// it is not wanted at all, because no source has alerts. Where nothing fires, the
// title says so.
func (m Model) Wants() int {
	switch {
	case len(m.Feed.Names) == 0:
		return -1
	case len(m.Snap.Alerts) == 0 && m.Feed.Trouble != "":
		return sentence
	default:
		return len(m.Snap.Alerts)
	}
}

// sentence is the lines that the reason takes for which alerts cannot be read.
const sentence = 2

// Update moves the selection, and asks for the detail of what it is on.
func (m Model) Update(msg tea.Msg) (Model, tea.Cmd) {
	cmd := m.Answer(msg)
	return m, cmd
}

// View is the pane.
func (m Model) View() string {
	return m.Draw(m.notes(), func(p *views.Pen, i int) { m.row(p, i) })
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
	case len(m.Snap.Alerts) == 0 && m.Feed.Loaded:
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

func (m *Model) row(p *views.Pen, i int) {
	th, t, a := m.Theme, &m.Table, &m.Snap.Alerts[i]
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
	m.Begin(p, i)
	t.Look(p, colState, look)
	m.Name(p, i, colName, name, a.Name)
	t.Cell(p, colAbout, text, about(a))
	t.Cell(p, colSeverity, text, a.Severity)
	t.Cell(p, colSince, th.Quiet, views.AgeOf(a.Since, m.Now, false))
	t.Cell(p, colSummary, th.Quiet, why(a))
	p.End()
}

// about is the flag or the service that the alert names.
func about(a *sources.Alert) string {
	if a.Flag != "" {
		return a.Flag
	}
	return a.Service
}

// why is what an alert means; of a silenced one it is why nobody is told.
func why(a *sources.Alert) string {
	if a.State == sources.AlertSilenced && a.Why != "" {
		return a.Why
	}
	return a.Summary
}
