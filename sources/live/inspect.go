package live

import (
	"context"
	"fmt"
	"slices"
	"time"

	"relctl-tui/sources"
)

// maxTurning bounds the breakers of a source whose turns are kept.
const maxTurning = 5000

// turned remembers a turn that was seen from here.
func (st *sourceState) turned(name string, turn sources.BreakerTurn) {
	if st.turns == nil {
		st.turns = map[string][]sources.BreakerTurn{}
	}
	if list, known := st.turns[name]; known || len(st.turns) < maxTurning {
		list = append([]sources.BreakerTurn{turn}, list...)
		st.turns[name] = list[:min(len(list), sources.MaxTurns)]
	}
}

// InspectBreaker reads one breaker in depth, now: from its source, and from also, which
// knows the same breaker, where that is not "". What only one of them says is taken from
// it. Turns are those that a source has on record, and those that were seen from here. It
// fails when neither can be read. It may be called by any goroutine.
func (e *Engine) InspectBreaker(ctx context.Context, source, also, name string) (sources.BreakerDetail, error) {
	if err := e.notRecorded(); err != nil {
		return sources.BreakerDetail{}, err
	}
	d, err := e.inspect(ctx, source, name)
	if also != "" {
		if more, moreErr := e.inspect(ctx, also, name); moreErr != nil {
			d.Warnings = append(slices.Clip(d.Warnings), sources.Sentence(moreErr))
		} else if err != nil {
			more.Warnings = append(slices.Clip(more.Warnings), sources.Sentence(err))
			d, err = more, nil
		} else {
			d = together(&d, &more)
		}
	}
	if err != nil {
		return d, err
	}
	d.Source, d.Name = source, name
	e.mu.Lock()
	defer e.mu.Unlock()
	if st := e.state.source(source); st != nil {
		d.Turns, d.Since = seenTurns(&d, st.turns[name], st.seenSince)
	}
	return d, nil
}

// inspect asks one source, unless it fails at the moment.
func (e *Engine) inspect(ctx context.Context, source, name string) (d sources.BreakerDetail, err error) {
	i := slices.IndexFunc(e.opts.Sources, func(s Source) bool { return s.Name == source })
	if i < 0 {
		return d, fmt.Errorf("no source is called %s: %w", sources.Clean(source, sources.MaxName), sources.ErrNotFound)
	}
	driver, ok := e.opts.Sources[i].Driver.(sources.BreakerInspector)
	if !ok {
		return sources.BreakerDetail{ReadAt: e.opts.Now()}, nil
	}
	s := e.Snapshot()
	if slices.ContainsFunc(s.Own, func(b sources.Breaker) bool { return b.Source == source && b.State != sources.BreakerClosed }) {
		return d, fmt.Errorf("%s fails and is left alone for a while: %w", source, sources.ErrUnavailable)
	}
	is := turn{name: name}
	if b := s.Breaker(source, name); b != nil {
		is.state, is.open = b.State, b.OpenInstances
	}
	const questions = 3 // one after another, of which each has the source's timeout
	return shareLook(ctx, &e.looks, e.opts.Now, look{source, is}, turnHolds, func(ctx context.Context) (sources.BreakerDetail, error) {
		return asked(ctx, &e.opts.Sources[i], questions, func(ctx context.Context) (sources.BreakerDetail, error) {
			return driver.InspectBreaker(ctx, name)
		})
	})
}

// turn is a breaker as it was when somebody looked closer: once it is another, so is the
// question.
type turn struct {
	name  string
	state sources.BreakerState
	open  int
}

// together is what asked the breaker itself, with what only the measured side knows.
func together(asked, measured *sources.BreakerDetail) sources.BreakerDetail {
	d := *asked
	if len(d.Instances) == 0 {
		d.Instances = measured.Instances
	}
	if !d.P50.OK && !d.P90.OK && !d.P99.OK {
		d.P50, d.P90, d.P99, d.Quantiles = measured.P50, measured.P90, measured.P99, measured.Quantiles
	}
	if d.Since.IsZero() {
		d.Turns, d.Since = measured.Turns, measured.Since
	}
	d.Facts = slices.Concat(d.Facts, measured.Facts)
	d.Warnings = slices.Concat(d.Warnings, measured.Warnings)
	return d
}

// seenTurns is the turns on record up to when we began to look, and then our own, whose
// times are better.
func seenTurns(d *sources.BreakerDetail, ours []sources.BreakerTurn, since time.Time) ([]sources.BreakerTurn, time.Time) {
	if d.Since.IsZero() || since.IsZero() {
		if since.IsZero() {
			return d.Turns, d.Since
		}
		return slices.Clone(ours), since
	}
	all := slices.Clone(ours)
	for _, t := range d.Turns {
		if t.At.Before(since) {
			all = append(all, t)
		}
	}
	return all[:min(len(all), sources.MaxTurns)], d.Since
}
