package live

import (
	"context"
	"fmt"
	"time"

	"relctl-tui/sources"
)

// backfillRetry is the pause after which a source that could not tell its past
// is asked again.
const backfillRetry = time.Minute

// backfill asks a source once for the past of its trends, so that a board that
// has just been opened shows what came before. It runs beside everything else: no
// frame and no read waits for it, and one that never answers is left alone.
func (e *Engine) backfill(ctx context.Context, i int, r sources.TrendReader) {
	src := e.opts.Sources[i]
	step := max(src.Every, time.Second)
	for {
		past, err := e.past(ctx, src.Timeout, func(ctx context.Context) (map[string][]float64, error) {
			return r.Trends(ctx, sources.TrendLen, step)
		})
		if ctx.Err() != nil {
			return
		}
		if err == nil || absent(err) {
			e.update(func(s *state) { s.seedTrends(i, past) })
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-e.opts.After(backfillRetry):
		}
	}
}

// past makes one call that is given up after timeout, whatever the driver does.
func (e *Engine) past(ctx context.Context, timeout time.Duration, call func(context.Context) (map[string][]float64, error)) (map[string][]float64, error) {
	type answer struct {
		past map[string][]float64
		err  error
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan answer, 1)
	go func() {
		var a answer
		defer func() {
			if p := recover(); p != nil {
				a = answer{err: fmt.Errorf("the driver failed (%v): %w", p, sources.ErrUnavailable)}
			}
			done <- a
		}()
		a.past, a.err = call(ctx)
	}()
	select {
	case a := <-done:
		return a.past, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-e.opts.After(timeout):
		return nil, fmt.Errorf("%w within %s: %w", errHung, timeout, sources.ErrUnavailable)
	}
}

// seedTrends puts the past before what was seen since. Where an earlier source
// speaks for a name, its trend stays as it is.
func (s *state) seedTrends(i int, past map[string][]float64) {
	for name, values := range past {
		if len(values) == 0 || !s.speaks(i, name) {
			continue
		}
		seen := s.trends[name]
		var t sources.Trend
		for _, v := range values[max(0, len(values)-sources.TrendLen):] {
			t = t.Add(v)
		}
		oldest := seen.Head - seen.Len + sources.TrendLen
		for n := range seen.Len {
			t = t.Add(float64(seen.Points[(oldest+n)%sources.TrendLen]))
		}
		s.trends[name] = t
		s.trendsDirty, s.dirty = true, true
	}
}

// speaks tells whether the i-th source is the one whose points make the trend of
// a latency: the first, in the order of the configuration, that has it fresh. Two
// sources that know the same name never mix.
func (s *state) speaks(i int, name string) bool {
	for _, earlier := range s.sources[:i] {
		if earlier.caps[capLatencies].health != sources.Fresh {
			continue
		}
		for j := range earlier.latencies {
			if earlier.latencies[j].Name == name {
				return false
			}
		}
	}
	return true
}
