package live

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"relctl-tui/sources"
)

// Series reads how a number went, now: from the named source, or, where that is "",
// from the first whose data is shown and that measures it. It may be called by any
// goroutine. ErrUnsupported means that the source keeps no past.
func (e *Engine) Series(ctx context.Context, source string, q sources.SeriesQuery) (sources.Series, error) {
	if err := e.notRecorded(); err != nil {
		return sources.Series{}, err
	}
	if source != "" {
		i := slices.IndexFunc(e.opts.Sources, func(s Source) bool { return s.Name == source })
		if i < 0 {
			return sources.Series{}, fmt.Errorf("no source is called %s: %w", sources.Clean(source, sources.MaxName), sources.ErrNotFound)
		}
		return e.series(ctx, i, q)
	}
	none := fmt.Errorf("no source keeps a past of it: %w", sources.ErrUnsupported)
	snap := e.Snapshot()
	for i := range e.opts.Sources {
		st := snap.Source(e.opts.Sources[i].Name)
		if !st.Shown() {
			continue
		}
		got, err := e.series(ctx, i, q)
		if err == nil || !errors.Is(err, sources.ErrUnsupported) && !errors.Is(err, sources.ErrNotFound) {
			return got, err
		}
		if errors.Is(err, sources.ErrNotFound) {
			none = err
		}
	}
	return sources.Series{}, none
}

// series asks one source, unless it fails at the moment.
func (e *Engine) series(ctx context.Context, i int, q sources.SeriesQuery) (out sources.Series, err error) {
	s := &e.opts.Sources[i]
	driver, ok := s.Driver.(sources.SeriesReader)
	if !ok {
		return out, fmt.Errorf("%s keeps no past of it: %w", s.Name, sources.ErrUnsupported)
	}
	if slices.ContainsFunc(e.Snapshot().Own, func(b sources.Breaker) bool { return b.Source == s.Name && b.State != sources.BreakerClosed }) {
		return out, fmt.Errorf("%s fails and is left alone for a while: %w", s.Name, sources.ErrUnavailable)
	}
	const questions = 4 // one after another, of which each has the source's timeout
	return shareLook(ctx, &e.looks, e.opts.Now, look{s.Name, q}, max(lookHolds, q.Step()/2), func(ctx context.Context) (sources.Series, error) {
		return asked(ctx, s, questions, func(ctx context.Context) (sources.Series, error) { return driver.Series(ctx, q) })
	})
}
