package scrape

import (
	"context"
	"fmt"
	"slices"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
)

var _ sources.PathReader = (*Source)(nil)

// What is remembered of calls: a graph each ten seconds for an hour, and none that is
// larger than a screen can tell of; 6 MB at most.
const (
	graphsKept   = 360
	graphsApart  = 10 * time.Second
	graphLargest = 200
)

// graphAt is who called whom at one scrape.
type graphAt struct {
	at    time.Time
	graph *metrics.Graph
}

// rememberCalls keeps who calls whom for later comparison, now and then.
func (s *Source) rememberCalls(ctx context.Context, at time.Time) {
	s.mu.Lock()
	n := len(s.graphs)
	if n > 0 && at.Before(s.graphs[n-1].at) {
		s.graphs, n = nil, 0 // the clock went back
	}
	due := n == 0 || at.Sub(s.graphs[n-1].at) >= graphsApart
	s.mu.Unlock()
	if !due {
		return
	}
	g, err := s.plan.Graph(ctx, s)
	if err != nil || g.Len() == 0 || g.Len() > graphLargest {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.graphs = append(s.graphs, graphAt{at, g})
	s.graphs = slices.Delete(s.graphs, 0, max(0, len(s.graphs)-graphsKept))
}

// Calls implements sources.PathReader. The past goes back to when this source was first
// read, an hour at most: nobody else remembers.
func (s *Source) Calls(ctx context.Context, q sources.CallsQuery) (sources.Calls, error) {
	if err := q.Check(); err != nil {
		return sources.Calls{}, fmt.Errorf("%s: %w", s.name, err)
	}
	f, err := s.refresh(ctx)
	if err != nil {
		return sources.Calls{}, err
	}
	now, err := s.plan.Graph(ctx, s)
	if err != nil {
		return sources.Calls{}, err
	}
	out := sources.Calls{Source: s.name, Over: s.plan.Window(), ReadAt: f.at, Warnings: f.with(nil)}
	if out.Service, out.Now, out.From, err = now.Of(q.Service); err != nil {
		return sources.Calls{}, fmt.Errorf("%s: %w", s.name, err)
	}
	want := f.at.Round(0).Add(-q.Ago)
	out.At = want
	then, since := s.callsAt(want)
	if then.graph == nil {
		when := "nothing was read before now"
		if !since.IsZero() {
			when = "it was first read at " + since.Format(time.TimeOnly)
		}
		out.Warnings = append(out.Warnings, "nothing is known of the calls "+sources.Span(q.Ago)+" ago: "+when)
		return out, nil
	}
	if _, edges, from, err := then.graph.Of(q.Service); err == nil && from == out.From {
		out.Then, out.At = edges, then.at
	}
	return out, nil
}

// callsAt is the graph that was last read at a moment, none where that was long before;
// and since when any is known.
func (s *Source) callsAt(at time.Time) (found graphAt, since time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.graphs {
		if since.IsZero() {
			since = g.at
		}
		if !g.at.After(at) && at.Sub(g.at) <= max(s.plan.Window(), longPause) {
			found = g
		}
	}
	return found, since
}
