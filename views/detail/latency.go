package detail

import (
	"strconv"
	"time"

	"relctl-tui/sources"
	"relctl-tui/views"
	"relctl-tui/views/latency"
)

// latencyLines are what there is to say about the latency.
func (m *Model) latencyLines() []line {
	l, th := m.latency, m.th
	if m.path.on && !m.brief {
		return m.pathLines()
	}
	out := []line{func(p *views.Pen) { m.latencyRow(p, l) }}
	out = append(out, m.chartBlock()...)
	if l.SLO > 0 {
		out = append(out, m.field("SLO", th.Text, "p99 within "+l.SLO.Round(time.Microsecond).String()))
	}
	out = append(out, m.budget(&l.Budget)...)
	out = append(out,
		m.field("rate", th.Text, views.Rate(l.Rate)),
		m.field("errors", th.Text, views.Ratio(l.ErrorRatio)),
	)
	if shares := latency.Shares(m.snap, l); shares != "" {
		out = append(out, m.field("of which", th.Text, shares))
	}
	for i := range m.snap.Breakers {
		if b := &m.snap.Breakers[i]; sources.Protects(b.Name, l) {
			out = append(out, func(p *views.Pen) { m.breakerRow(p, b) })
		}
	}
	for i := range m.snap.Deploys {
		if d := &m.snap.Deploys[i]; d.Of(l.Name) {
			text := d.Brief()
			if d.Service != d.Bare() { // another namespace has one of that name too
				text = d.Namespace + ": " + text
			}
			out = append(out, m.field("running", th.Text, text))
		}
	}
	if l.Note != "" {
		out = append(out, m.field("note", th.Text, l.Note))
	}
	return append(out, m.source(l.Source, sources.PartLatencies)...)
}

// budget is what is left of the error budget, and how fast it burns over which span.
func (m *Model) budget(b *sources.Budget) []line {
	if !b.Set() {
		return nil
	}
	th := m.th
	share := strconv.FormatFloat(b.Objective*100, 'f', -1, 64) + "% over " + span(b.Window)
	ink := th.Text
	if b.Left.OK && b.Left.V <= 0 {
		ink = th.Bad
	}
	left := "what is left is not known yet"
	if b.Left.OK {
		left = views.Left(b.Left) + " of the budget is left"
	}
	out := []line{m.field("objective", ink, share+", "+left)}
	if b.Note != "" {
		out = append(out, m.field("", th.Quiet, b.Note))
	}
	alarm := b.Burning()
	return append(out, func(p *views.Pen) {
		m.head(p, "burns")
		if len(b.Burns) == 0 {
			p.Text(th.Quiet, "not known yet")
		}
		for _, r := range b.Burns {
			ink := th.Quiet
			if alarm.Rate > 0 && r.Over <= alarm.Over && r.Rate > 1 {
				ink = th.Bad
			}
			p.Text(th.Quiet, span(r.Over)+" ")
			p.Text(ink, views.Times(r.Rate))
			p.Gap(2)
		}
		p.End()
	})
}

// span is a duration in its largest whole unit: "5m", "6h", "30d".
func span(d time.Duration) string {
	switch {
	case d >= 24*time.Hour && d%(24*time.Hour) == 0:
		return strconv.Itoa(int(d/(24*time.Hour))) + "d"
	case d >= time.Hour && d%time.Hour == 0:
		return strconv.Itoa(int(d/time.Hour)) + "h"
	case d%time.Minute == 0:
		return strconv.Itoa(int(d/time.Minute)) + "m"
	default:
		return d.String()
	}
}
