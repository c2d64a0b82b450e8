// Package latency is the pane of latencies against their SLOs, worst first.
package latency

import (
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
)

// Model is the pane. It lists latencies in the snapshot's order, which is worst
// first. Not for concurrent use.
type Model struct{ views.List }

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

// columns are laid out for names and for what latencies are made of, so wide at most:
// where the latter lack room they have what no name needs.
func columns(names, made int) func(w int) []views.Column {
	return func(w int) []views.Column {
		name, spark := 30, 15
		if w >= 110 && w < 150 {
			name, spark = 18, 10
		}
		all := []views.Column{
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
		if t := views.Lay(all, w); t.Has(colCalls) && t.Widths[colCalls] < made {
			all[colName].Max = min(name, max(all[colName].Min, names))
		}
		return all
	}
}

// New is an empty pane without a size.
func New(th *themes.Theme, keys views.KeyMap) Model {
	return Model{views.NewList(th, keys, views.About{
		Name: "Latency", Columns: columns(0, 0), Feed: views.LatencyFeed,
		Len:   func(s *sources.Snapshot) int { return len(s.Latencies) },
		None:  "no latencies: no metrics source is configured, start with --metrics",
		Empty: "no latencies yet: no histogram matches.",
		Warns: true,
	})}
}

// SetSnapshot shows other data, with ages as of now.
func (m *Model) SetSnapshot(s *sources.Snapshot, now time.Time) {
	m.List.SetSnapshot(s, now)
	var rows []views.Subject
	if s != nil {
		rows = make([]views.Subject, len(s.Latencies))
		names, made := 0, 0
		for i := range s.Latencies {
			rows[i] = views.LatencySubject(&s.Latencies[i])
			names, made = max(names, views.Width(s.Latencies[i].Name)), max(made, atMost(&s.Latencies[i]))
		}
		m.SetColumns(columns(names, made))
	}
	m.SetRows(len(rows), rows, func(i int) views.Row {
		l := &s.Latencies[i]
		return views.Row{Name: l.Name, Source: l.Source, Words: [3]string{l.Verdict.String()}}
	})
}

// SetFilter narrows the pane.
func (m *Model) SetFilter(text string) {
	m.List.SetFilter(text)
	m.SetSnapshot(m.Snap, m.Now)
}

// Update moves the selection, and asks for the detail of what it is on.
func (m Model) Update(msg tea.Msg) (Model, tea.Cmd) {
	cmd := m.Answer(msg)
	return m, cmd
}

// View is the pane.
func (m Model) View() string {
	return m.Draw(m.notes(), func(p *views.Pen, i int) { m.row(p, i) })
}

// Count is how many latencies are over their SLO, and how many use up what it allows too
// fast.
func Count(list []sources.Latency) (breached, burning int) {
	for i := range list {
		switch list[i].Verdict {
		case sources.VerdictBreached:
			breached++
		case sources.VerdictBurning:
			burning++
		default:
		}
	}
	return breached, burning
}

// notes is what the title says besides the number: how many miss their SLO.
func (m *Model) notes() []views.Note {
	breached, burning := 0, 0
	if m.Snap != nil {
		breached, burning = Count(m.Snap.Latencies)
	}
	var words []string
	if burning > 0 {
		words = append(words, strconv.Itoa(burning)+" burning")
	}
	if breached > 0 {
		words = append(words, strconv.Itoa(breached)+" breached")
	}
	switch text := strings.Join(words, ", "); {
	case text == "":
		return nil
	case m.Feed.AllOld:
		return []views.Note{{Ink: m.Theme.Warn, Text: text + " when last seen"}}
	default:
		return []views.Note{{Ink: m.Theme.Bad, Text: text}}
	}
}

func (m *Model) row(p *views.Pen, i int) {
	th, t, l := m.Theme, &m.Table, &m.Snap.Latencies[i]
	look := views.LatencyLook(th, l)
	name, p99, quiet, errors, bad := th.Text, th.Text, th.Quiet, th.Quiet, th.Bad
	if l.Verdict == sources.VerdictBreached || l.Verdict == sources.VerdictBurning {
		name = th.Strong
	}
	if l.SLO > 0 && l.P99.OK && l.P99.Seconds > l.SLO.Seconds() {
		p99 = th.Bad
	}
	if l.ErrorRatio.OK && l.ErrorRatio.V >= 0.01 {
		errors = th.Bad
	}
	if h := views.Health(m.Snap, l.Source, sources.PartLatencies); h != sources.Fresh {
		look = views.HealthLook(th, h)
		look.Ink = th.Warn // the header's alarm is one, and not one for each row
		name, p99, quiet, errors, bad = th.Stale, th.Stale, th.Stale, th.Stale, th.Stale
	}
	m.Begin(p, i)
	t.Look(p, colVerdict, look)
	m.Name(p, i, colName, name, l.Name)
	t.Cell(p, colP50, quiet, views.ShortSeconds(l.P50))
	t.Cell(p, colP95, quiet, views.ShortSeconds(l.P95))
	t.Cell(p, colP99, p99, views.ShortSeconds(l.P99))
	if t.Has(colSpark) {
		p.To(t.Starts[colSpark])
		p.Spark(m.Snap.Trends[l.Name], l.SLO, quiet, bad, t.Widths[colSpark])
	}
	t.Cell(p, colSLO, quiet, slo(l.SLO))
	t.Cell(p, colRate, quiet, views.Rate(l.Rate))
	t.Cell(p, colErrors, errors, views.Ratio(l.ErrorRatio))
	if t.Has(colCalls) {
		t.Cell(p, colCalls, quiet, fitting(shares(m.Snap, l), t.Widths[colCalls]))
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
	return strings.Join(shares(s, l), ", ")
}

// atMost is how many cells Shares may take whatever the numbers are: columns that were
// laid out by what they are now would move with them.
func atMost(l *sources.Latency) (cells int) {
	for _, name := range l.Calls {
		cells += views.Width(name) + len(" 999ms 100%, ")
	}
	return max(0, cells-len(", "))
}

// fitting is as many parts as can be read to their end in so many cells, and how many
// more there are: half of a number would be another one. One is there in any case.
func fitting(parts []string, width int) string {
	all := strings.Join(parts, ", ")
	for n := len(parts) - 1; n > 0 && views.Width(all) > width; n-- {
		all = strings.Join(parts[:n], ", ") + " +" + strconv.Itoa(len(parts)-n)
	}
	return all
}

func shares(s *sources.Snapshot, l *sources.Latency) []string {
	parts := make([]string, 0, len(l.Calls))
	for _, name := range l.Calls {
		child := s.Latency(name)
		switch {
		case child == nil:
			parts = append(parts, name+" unknown")
		case !child.P99.OK:
			parts = append(parts, name+" "+views.Seconds(child.P99))
		case !l.P99.OK || l.P99.Over || child.P99.Over || child.P99.Seconds > l.P99.Seconds:
			// Its p99 is over all its callers: above this one's it is no share of it.
			parts = append(parts, name+" "+views.Seconds(child.P99))
		default:
			share := sources.Measured(child.P99.Seconds / l.P99.Seconds)
			parts = append(parts, name+" "+views.Seconds(child.P99)+" "+views.Ratio(share))
		}
	}
	return parts
}
