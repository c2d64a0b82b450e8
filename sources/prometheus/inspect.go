package prometheus

import (
	"context"
	"time"

	"relctl-tui/sources"
)

// What is asked of a breaker's past: an hour, as finely as a usual scrape.
const (
	pastSteps = 240
	pastStep  = 15 * time.Second
)

// InspectBreaker implements sources.BreakerInspector in at most nine queries, one of
// them over the last hour. The times of its turns are those of the steps, 15 s apart.
func (s *Source) InspectBreaker(ctx context.Context, name string) (sources.BreakerDetail, error) {
	c, at := &call{s: s}, s.opts.Now()
	d, err := s.plan.InspectBreaker(ctx, name, c)
	if err != nil {
		return d, err
	}
	d.Source, d.ReadAt = s.name, at
	var warns []string
	if err := s.past(ctx, name, &d); err != nil {
		warns = append(warns, "the past cannot be read: "+sources.Sentence(err))
	}
	d.Warnings = c.with(append(warns, d.Warnings...))
	return d, nil
}

// past adds the turns of the last hour, as far as the server was asked to keep them.
func (s *Source) past(ctx context.Context, name string, d *sources.BreakerDetail) error {
	h := &history{call: call{s: s}, steps: pastSteps}
	end, err := h.serverTime(ctx)
	if err != nil {
		return err
	}
	h.span = stretch{start: end.Add(-(pastSteps - 1) * pastStep), end: end, step: pastStep}
	last, began := sources.BreakerUnknown, false
	for h.at = range pastSteps {
		state, known, err := s.plan.BreakerAt(ctx, name, h)
		if err != nil {
			return err
		}
		if !known {
			continue // a gap is no turn
		}
		at := d.ReadAt.Add(-time.Duration(pastSteps-1-h.at) * pastStep) // by our clock, as all ages are
		switch {
		case !began:
			began, d.Since = true, at
		case state != last:
			d.Turns = append([]sources.BreakerTurn{{At: at, Was: last, Is: state}}, d.Turns...)
		}
		last = state
	}
	d.Turns = d.Turns[:min(len(d.Turns), sources.MaxTurns)]
	return nil
}
