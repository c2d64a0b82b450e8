package detail

import (
	"time"

	"relctl-tui/sources"
	"relctl-tui/views"
	"relctl-tui/views/latency"
)

// latencyLines are what there is to say about the latency.
func (m *Model) latencyLines() []line {
	l, th := m.latency, m.th
	out := []line{func(p *views.Pen) { m.latencyRow(p, l) }}
	if l.SLO > 0 {
		out = append(out, m.field("SLO", th.Text, "p99 within "+l.SLO.Round(time.Microsecond).String()))
	}
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
	if l.Note != "" {
		out = append(out, m.field("note", th.Text, l.Note))
	}
	return append(out, m.source(l.Source, sources.PartLatencies))
}
