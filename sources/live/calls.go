package live

import (
	"context"
	"fmt"
	"slices"
	"time"

	"relctl-tui/sources"
)

// Calls reads the calls that a service is part of, now, from the named source. It may be
// called by any goroutine. ErrUnsupported means that the source knows of no calls.
func (e *Engine) Calls(ctx context.Context, source string, q sources.CallsQuery) (sources.Calls, error) {
	// Of the same service and, as far as it matters, the same moment before.
	same := calledAt{q.Service, e.opts.Now().Add(-q.Ago).Truncate(max(time.Second, q.Ago/60))}
	return onDemand(ctx, e, source, same, "knows nothing of calls", func(ctx context.Context, driver sources.PathReader) (sources.Calls, error) {
		return driver.Calls(ctx, q)
	})
}

type calledAt struct {
	service string
	before  time.Time
}

// Exemplars reads single calls of a latency that were slow, now, from the named source.
// It may be called by any goroutine. ErrUnsupported means that the source has none.
func (e *Engine) Exemplars(ctx context.Context, source string, q sources.ExemplarQuery) (sources.ExemplarSet, error) {
	return onDemand(ctx, e, source, q, "keeps no exemplars", func(ctx context.Context, driver sources.ExemplarReader) (sources.ExemplarSet, error) {
		return driver.Exemplars(ctx, q)
	})
}

// onDemand asks one source for what somebody looks at, unless it fails at the moment; what
// stands for the question among those of the others.
func onDemand[D, T any](ctx context.Context, e *Engine, source string, what any, cannot string, ask func(context.Context, D) (T, error)) (out T, err error) {
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
	const questions = 3 // one after another, of which each has the source's timeout
	return shareLook(ctx, &e.looks, e.opts.Now, look{source, what}, lookHolds, func(ctx context.Context) (T, error) {
		return asked(ctx, &e.opts.Sources[i], questions, func(ctx context.Context) (T, error) { return ask(ctx, driver) })
	})
}

// asked asks a source within its time, and keeps its driver's panic from taking the
// program down.
func asked[T any](ctx context.Context, s *Source, questions int, ask func(context.Context) (T, error)) (out T, err error) {
	defer func() {
		if p := recover(); p != nil {
			var none T
			out, err = none, fmt.Errorf("the driver of %s failed (%v): %w", s.Name, p, sources.ErrUnavailable)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, time.Duration(questions)*s.Timeout)
	defer cancel()
	return ask(ctx)
}
