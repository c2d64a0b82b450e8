package detail

import (
	"fmt"

	"relctl-tui/sources"
	"relctl-tui/views"
)

// breakerLines are what there is to say about the breaker: what it does to calls
// now, and only then where that is known from.
func (m *Model) breakerLines() []line {
	b, th := m.breaker, m.th
	state := b.State.String()
	if b.Inferred {
		state += ", worked out from its counters: no state is exported"
	}
	out := []line{m.field("state", views.BreakerLook(th, b.State).Ink, state)}
	if b.Instances > 0 {
		out = append(out, m.field("open", th.Text, fmt.Sprintf("%d of %d instances", b.OpenInstances, b.Instances)))
	}
	out = append(out,
		m.field("errors", th.Text, views.Ratio(b.ErrorRatio)),
		m.field("calls", th.Text, views.Rate(b.Rate)+", "+views.Rate(b.RejectRate)+" rejected"),
		m.field("since", th.Text, views.AgeOf(b.Since, m.now, true)),
	)
	if b.Limit {
		out = append(out, m.field("kind", th.Text, "a limit of concurrency: no error opens it"))
	}
	if b.Note != "" {
		out = append(out, m.field("note", th.Text, b.Note))
	}
	if b.Own {
		out = append(out, m.field("whose", th.Text, "this board's own, around reading "+b.Source))
	}
	return append(out, m.field("preset", th.Quiet, orAbsent(b.Preset)), m.source(b.Source, sources.PartBreakers))
}
