package live

import (
	"context"
	"maps"
	"math"
	"time"

	"relctl-tui/sources"
)

// trends are the trends of one source's latencies, by name.
type trends map[string]sources.Trend

// add appends one point for each latency and forgets names that are gone.
func (t trends) add(latencies []sources.Latency) {
	known := make(map[string]bool, len(latencies))
	for i := range latencies {
		l := &latencies[i]
		known[l.Name] = true
		p99 := math.NaN()
		if l.P99.OK {
			p99 = l.P99.Seconds
		}
		t[l.Name] = t[l.Name].Add(p99)
	}
	maps.DeleteFunc(t, func(name string, _ sources.Trend) bool { return !known[name] })
}

// precede puts the past before the points that were added since asked, which is
// the trends as they were when the source was asked for its past.
func (t trends) precede(past map[string][]float64, asked trends) {
	for name, values := range past {
		seen, known := t[name]
		if !known || len(values) == 0 {
			continue
		}
		var whole sources.Trend
		for _, v := range values[max(0, len(values)-sources.TrendLen):] {
			whole = whole.Add(v)
		}
		since := seen.Len - asked[name].Len
		for n := seen.Head - since; n < seen.Head; n++ {
			whole = whole.Add(float64(seen.Points[(n+sources.TrendLen)%sources.TrendLen]))
		}
		t[name] = whole
	}
}

// backfill asks a source for the past of its trends, once its latencies have been
// read, so that a board that has just been opened shows what came before. It runs
// beside everything else: no frame and no read waits for it. Where the past cannot
// be had the trends begin with the board.
func (e *Engine) backfill(ctx context.Context, i int, r sources.TrendReader, first <-chan struct{}) {
	select {
	case <-ctx.Done():
		return
	case <-first:
	}
	e.mu.Lock()
	asked := maps.Clone(e.state.sources[i].trends)
	e.mu.Unlock()
	got := e.ask(ctx, i, func(ctx context.Context) (func(*state), error) {
		past, err := r.Trends(ctx, sources.TrendLen, max(e.opts.Sources[i].Every, time.Second))
		return func(s *state) {
			s.sources[i].trends.precede(past, asked)
			s.trendsDirty, s.dirty = true, true
		}, err
	}, func(error) {})
	if got.err == nil {
		e.update(got.apply)
	}
}

// mergeTrends gives each name the trend of one source, never a mix: the first, in
// the order of the configuration, whose latencies mean anything now.
func (s *state) mergeTrends() {
	shown := map[string]sources.Trend{}
	for _, unknown := range []bool{false, true} {
		for _, st := range s.sources {
			if st.silent() || (st.caps[sources.PartLatencies].health == sources.Unknown) != unknown {
				continue
			}
			for name, t := range st.trends {
				if _, taken := shown[name]; !taken {
					shown[name] = t
				}
			}
		}
	}
	s.shownTrends = shown
}
