// Package latency is the pane of latencies against their SLOs, worst first.
package latency

import (
	"strconv"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
)

// Model is the pane. It lists latencies in the snapshot's order, which is worst
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
	colVerdict = iota
	colName
	colP50
	colP95
	colP99
	colSpark
	colSLO
	colRate
	colErrors
	colCalls
)

func columns(w int) []views.Column {
	name, spark := 30, 15
	if w >= 110 && w < 150 {
		name, spark = 18, 10 // leaves room for what a latency is made of
	}
	return []views.Column{
		{Title: "", Min: 15},
		{Title: "", Min: 10, Max: name},
		{Title: "p50", Min: 6, Right: true, From: 64},
		{Title: "p95", Min: 6, Right: true, From: 72},
		{Title: "p99", Min: 6, Right: true, From: 30},
		{Title: "", Min: 6, Max: spark, From: 56},
		{Title: "SLO", Min: 5, Right: true, From: 46},
		{Title: "rate", Min: 6, Right: true, From: 86},
		{Title: "errors", Min: 6, Right: true, From: 78},
		{Title: "of which", Min: 18, Max: 60, From: 110},
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
		m.scroll.Move(&m.keys, press, len(m.snap.Latencies), m.height-1)
	}
	return m, nil
}

// View is the pane.
func (m Model) View() string {
	p := views.NewPen(m.th, m.width, m.height)
	if m.snap == nil || len(m.snap.Latencies) == 0 {
		p.Title(m.focused, "Latency", nil, nil)
		if !m.feed.Say(p, m.th, "no latencies: no metrics source is configured, start with --metrics") {
			p.Say(m.th.Quiet, "no latencies yet: no histogram matches the configured ones.")
		}
		return p.String()
	}
	list := m.snap.Latencies
	top := m.scroll.Top(len(list), m.height-1)
	p.Title(m.focused, "Latency", m.notes(list, top), m.table.Labels())
	p.Warn(m.feed.Warning(m.th, m.width, m.height))
	for i := top; i < len(list) && p.Left() > 0; i++ {
		m.row(p, &list[i])
	}
	return p.String()
}

func (m *Model) notes(list []sources.Latency, top int) []views.Note {
	notes := []views.Note{{Ink: m.th.Quiet, Text: strconv.Itoa(len(list))}}
	breached := 0
	for i := range list {
		if list[i].Verdict == sources.VerdictBreached {
			breached++
		}
	}
	if m.feed.Stale {
		notes = append(notes, views.Note{Ink: m.th.Warn, Text: m.feed.Age()})
	}
	if breached > 0 {
		note := views.Note{Ink: m.th.Bad, Text: strconv.Itoa(breached) + " breached"}
		if m.feed.AllOld {
			note = views.Note{Ink: m.th.Warn, Text: note.Text + " when last seen"}
		}
		notes = append(notes, note)
	}
	if top > 0 {
		notes = append(notes, views.Note{Ink: m.th.Quiet, Text: "from " + strconv.Itoa(top+1)})
	}
	return notes
}

func (m *Model) row(p *views.Pen, l *sources.Latency) {
	th, t := m.th, &m.table
	look := views.VerdictLook(th, l.Verdict)
	name, p99, quiet, errors, bad := th.Text, th.Text, th.Quiet, th.Quiet, th.Bad
	if l.Verdict == sources.VerdictBreached {
		name, p99 = th.Strong, th.Bad
	}
	if l.ErrorRatio.OK && l.ErrorRatio.V >= 0.01 {
		errors = th.Bad
	}
	if !views.Fresh(m.snap, l.Source) {
		look = views.Look{Glyph: th.Glyphs.Stale, Word: "stale", Ink: th.Warn}
		name, p99, quiet, errors, bad = th.Stale, th.Stale, th.Stale, th.Stale, th.Stale
	}
	t.Look(p, colVerdict, look)
	t.Cell(p, colName, name, l.Name)
	t.Cell(p, colP50, quiet, views.ShortSeconds(l.P50))
	t.Cell(p, colP95, quiet, views.ShortSeconds(l.P95))
	t.Cell(p, colP99, p99, views.ShortSeconds(l.P99))
	if t.Has(colSpark) {
		p.To(t.Starts[colSpark])
		p.Spark(m.snap.Trends[l.Name], l.SLO, quiet, bad, t.Widths[colSpark])
	}
	t.Cell(p, colSLO, quiet, slo(l.SLO))
	t.Cell(p, colRate, quiet, views.Rate(l.Rate))
	t.Cell(p, colErrors, errors, views.Ratio(l.ErrorRatio))
	if t.Has(colCalls) {
		t.Cell(p, colCalls, quiet, Shares(m.snap, l))
	}
	p.End()
}

func slo(d time.Duration) string {
	if d <= 0 {
		return views.Absent
	}
	return views.Seconds(sources.Quantile{Seconds: d.Seconds(), OK: true})
}

// Shares is which part of a latency its calls take, by p99, in words: "database
// 0.8s 25%". A call that is not measured says so. It is "" without calls.
func Shares(s *sources.Snapshot, l *sources.Latency) string {
	parts := make([]string, 0, len(l.Calls))
	for _, name := range l.Calls {
		child := s.Latency(name)
		switch {
		case child == nil:
			parts = append(parts, name+" unknown")
		case !child.P99.OK:
			parts = append(parts, name+" "+views.Seconds(child.P99))
		case !l.P99.OK || l.P99.Seconds <= 0 || l.P99.Over || child.P99.Over:
			parts = append(parts, name+" "+views.Seconds(child.P99))
		default:
			share := sources.Some(min(child.P99.Seconds/l.P99.Seconds, 1))
			parts = append(parts, name+" "+views.Seconds(child.P99)+" "+views.Ratio(share))
		}
	}
	return strings.Join(parts, ", ")
}
