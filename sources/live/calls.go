package live

import (
	"context"
	"fmt"
	"slices"

	"relctl-tui/sources"
)

// Calls reads the calls that a service is part of, now, from the named source. It may be
// called by any goroutine. ErrUnsupported means that the source knows of no calls.
func (e *Engine) Calls(ctx context.Context, source string, q sources.CallsQuery) (sources.Calls, error) {
	return onDemand(ctx, e, source, "knows nothing of calls", func(ctx context.Context, driver sources.PathReader) (sources.Calls, error) {
		return driver.Calls(ctx, q)
	})
}

// Exemplars reads single calls of a latency that were slow, now, from the named source.
// It may be called by any goroutine. ErrUnsupported means that the source has none.
func (e *Engine) Exemplars(ctx context.Context, source string, q sources.ExemplarQuery) (sources.ExemplarSet, error) {
	return onDemand(ctx, e, source, "keeps no exemplars", func(ctx context.Context, driver sources.ExemplarReader) (sources.ExemplarSet, error) {
		return driver.Exemplars(ctx, q)
	})
}

// onDemand asks one source for what somebody looks at, unless it fails at the moment.
func onDemand[D, T any](ctx context.Context, e *Engine, source, cannot string, ask func(context.Context, D) (T, error)) (out T, err error) {
	i := slices.IndexFunc(e.opts.Sources, func(s Source) bool { return s.Name == source })
	if i < 0 {
		return out, fmt.Errorf("no source is called %s: %w", sources.Clean(source, sources.MaxName), sources.ErrNotFound)
	}
	driver, ok := e.opts.Sources[i].Driver.(D)
	if !ok {
		return out, fmt.Errorf("%s %s: %w", source, cannot, sources.ErrUnsupported)
	}
	if slices.ContainsFunc(e.Snapshot().Own, func(b sources.Breaker) bool { return b.Source == source && b.State != sources.BreakerClosed }) {
		return out, fmt.Errorf("%s fails and is left alone for a while: %w", source, sources.ErrUnavailable)
	}
	defer func() {
		if p := recover(); p != nil {
			var none T
			out, err = none, fmt.Errorf("the driver of %s failed (%v): %w", source, p, sources.ErrUnavailable)
		}
	}()
	const questions = 3 // one after another, of which each has the source's timeout
	ctx, cancel := context.WithTimeout(ctx, questions*e.opts.Sources[i].Timeout)
	defer cancel()
	return ask(ctx, driver)
}
