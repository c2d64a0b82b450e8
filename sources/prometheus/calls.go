package prometheus

import (
	"context"
	"fmt"

	"relctl-tui/sources"
)

var _ sources.PathReader = (*Source)(nil)

// Calls implements sources.PathReader in three queries at most, however large the graph
// is: the server's time, what exists where that is not remembered, and all that is
// measured of calls at both moments.
func (s *Source) Calls(ctx context.Context, q sources.CallsQuery) (sources.Calls, error) {
	if err := q.Check(); err != nil {
		return sources.Calls{}, fmt.Errorf("%s: %w", s.name, err)
	}
	h := &history{call: call{s: s}, steps: 2}
	end, err := h.serverTime(ctx)
	if err != nil {
		return sources.Calls{}, err
	}
	h.span = stretch{start: end.Add(-q.Ago), end: end, step: q.Ago}
	at := s.opts.Now()
	out := sources.Calls{Source: s.name, At: at.Add(-q.Ago), Over: s.plan.Window(), ReadAt: at}
	h.at = 1
	now, err := s.plan.Graph(ctx, h)
	if err != nil {
		return sources.Calls{}, err
	}
	if out.Service, out.Now, out.From, err = now.Of(q.Service); err != nil {
		return sources.Calls{}, fmt.Errorf("%s: %w", s.who, err)
	}
	h.at = 0
	then, err := s.plan.Graph(ctx, h)
	if err != nil {
		return sources.Calls{}, err
	}
	// A graph that was not there then is no error: nothing is known of that moment.
	if _, edges, from, err := then.Of(q.Service); err == nil && from == out.From {
		out.Then = edges
	} else {
		out.Warnings = append(out.Warnings, "nothing is known of the calls "+sources.Span(q.Ago)+" ago")
	}
	out.Warnings = h.with(out.Warnings)
	return out, nil
}
