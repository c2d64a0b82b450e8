package live

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"relctl-tui/sources"
)

var errHung = errors.New("no answer")

// loops is what supervises the i-th source: a loop for each part, so that a slow
// one does not hold up the others.
func (e *Engine) loops(i int) (loops []loop) {
	src := e.opts.Sources[i]
	add := func(c sources.Part, read func(context.Context) (func(*state), error)) {
		nudge := make(chan struct{}, 1)
		e.mu.Lock()
		e.nudges[src.Name] = append(e.nudges[src.Name], nudge)
		e.mu.Unlock()
		loops = append(loops, loop{c, func(ctx context.Context) { e.poll(ctx, i, c, read, nudge) }})
	}
	lister, lists := src.Driver.(sources.FlagLister)
	flags := func(ctx context.Context) (func(*state), error) {
		set, err := lister.Flags(ctx)
		return func(s *state) { s.setFlags(i, &set, e.opts.Now()) }, err
	}
	if w, ok := src.Driver.(sources.FlagWatcher); ok {
		nudge := make(chan struct{}, 1)
		e.mu.Lock()
		e.nudges[src.Name] = append(e.nudges[src.Name], nudge)
		e.mu.Unlock()
		if !lists {
			flags = nil
		}
		loops = append(loops, loop{sources.PartFlags, func(ctx context.Context) { e.watch(ctx, i, w, flags, nudge) }})
	} else if lists {
		add(sources.PartFlags, flags)
	}
	if d, ok := src.Driver.(sources.BreakerLister); ok {
		add(sources.PartBreakers, func(ctx context.Context) (func(*state), error) {
			set, err := d.Breakers(ctx)
			return func(s *state) { s.setBreakers(i, set, e.opts.Now()) }, err
		})
	}
	if d, ok := src.Driver.(sources.LatencyReader); ok {
		first, once := make(chan struct{}), sync.Once{}
		add(sources.PartLatencies, func(ctx context.Context) (func(*state), error) {
			set, err := d.Latencies(ctx)
			return func(s *state) {
				s.setLatencies(i, set)
				once.Do(func() { close(first) })
			}, err
		})
		if r, ok := src.Driver.(sources.TrendReader); ok {
			loops = append(loops, loop{sources.PartLatencies, func(ctx context.Context) { e.backfill(ctx, i, r, first) }})
		}
	}
	e.laterLoops(i, add)
	return loops
}

// laterLoops are of what is looked at beside breakers and latencies.
func (e *Engine) laterLoops(i int, add func(sources.Part, func(context.Context) (func(*state), error))) {
	src := e.opts.Sources[i]
	if d, ok := src.Driver.(sources.BudgetReader); ok {
		add(sources.PartBudgets, func(ctx context.Context) (func(*state), error) {
			set, err := d.Budgets(ctx)
			return func(s *state) { s.setBudgets(i, set) }, err
		})
	}
	if d, ok := src.Driver.(sources.ExposureReader); ok {
		add(sources.PartExposures, func(ctx context.Context) (func(*state), error) {
			set, err := d.Exposures(ctx)
			return func(s *state) { s.setExposures(i, &set) }, err
		})
	}
	if d, ok := src.Driver.(sources.DeployLister); ok {
		add(sources.PartDeploys, func(ctx context.Context) (func(*state), error) {
			set, err := d.Deploys(ctx)
			return func(s *state) { s.setDeploys(i, set, e.opts.Now()) }, err
		})
	}
	if d, ok := src.Driver.(sources.AlertLister); ok {
		add(sources.PartAlerts, func(ctx context.Context) (func(*state), error) {
			set, err := d.Alerts(ctx)
			return func(s *state) { s.setAlerts(i, set, e.opts.Now()) }, err
		})
	}
}

// poll reads again and again: after Every, later when it fails, at once when
// nudged, and not at all while the source only stands by.
func (e *Engine) poll(ctx context.Context, i int, c sources.Part, read func(context.Context) (func(*state), error), nudge chan struct{}) {
	failures := 0
	for e.called(ctx, i) {
		err := e.read(ctx, i, c, read)
		if ctx.Err() != nil {
			return
		}
		if err == nil || absent(err) {
			failures = 0
		} else {
			failures++
		}
		select {
		case <-ctx.Done():
			return
		case <-nudge:
		case <-e.opts.After(e.pause(i, c, failures)):
		}
	}
}

// seldom is how often is read at most what changes seldom and costs the server much:
// budgets over weeks, and which versions run.
const seldom = 10 * time.Second

// pause is Every, doubled with each failure up to a cap, and then spread.
func (e *Engine) pause(i int, c sources.Part, failures int) time.Duration {
	every := e.opts.Sources[i].Every
	if c == sources.PartBudgets || c == sources.PartDeploys {
		every = max(every, seldom)
	}
	if failures == 0 {
		return every
	}
	d := every
	for n := 1; n < failures && d < maxBackoff; n++ {
		d *= 2
	}
	return e.opts.Jitter(min(d, max(maxBackoff, every)))
}

type reading struct {
	apply func(*state)
	err   error
	late  error // that it took longer than it may; nil in time
}

// read makes one read within the source's timeout and takes what it says.
func (e *Engine) read(ctx context.Context, i int, c sources.Part, read func(context.Context) (func(*state), error)) error {
	r := e.ask(ctx, i, e.timed(i, c, read), func(err error) { e.fail(i, c, err) })
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if r.late == nil || r.err == nil { // what is only late was told already
		e.take(i, c, r)
	}
	return r.err
}

// timed is a read that is told of once it is over, without the wait for its breaker.
func (e *Engine) timed(i int, c sources.Part, read func(context.Context) (func(*state), error)) func(context.Context) (func(*state), error) {
	if e.opts.Asked == nil {
		return read
	}
	return func(ctx context.Context) (func(*state), error) {
		start := e.opts.Now()
		apply, err := read(ctx)
		e.opts.Asked(e.opts.Sources[i].Name, c, e.opts.Now().Sub(start), err)
		return apply, err
	}
}

// ask makes one call within the source's timeout, once the source's breaker lets
// it. A driver that does not return even then is reported to late, and waited for:
// one call at a time is outstanding.
func (e *Engine) ask(ctx context.Context, i int, call func(context.Context) (func(*state), error), late func(error)) reading {
	report, err := e.breakers[i].admit(ctx)
	if err != nil {
		return reading{err: err}
	}
	callCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan reading, 1)
	go func() {
		var r reading
		defer func() {
			if p := recover(); p != nil {
				r = reading{err: fmt.Errorf("the driver failed (%v): %w", p, sources.ErrUnavailable)}
			}
			done <- r
		}()
		r.apply, r.err = call(callCtx)
	}()
	timeout := e.opts.Sources[i].Timeout
	deadline := e.opts.After(timeout)
	var hung error
	for {
		select {
		case <-ctx.Done():
			report(ctx.Err())
			return reading{err: ctx.Err()}
		case <-deadline:
			hung = fmt.Errorf("%w within %s: %w", errHung, timeout, sources.ErrUnavailable)
			late(hung)
			cancel()
			report(hung)
		case r := <-done:
			if r.late = hung; r.err != nil && hung != nil {
				r.err = hung // it only says that it was cancelled
			}
			report(r.err)
			return r
		}
	}
}

func (e *Engine) take(i int, c sources.Part, r reading) {
	if r.err != nil {
		e.fail(i, c, r.err)
		return
	}
	e.update(func(s *state) {
		r.apply(s)
		s.succeed(i, c, e.opts.Now())
	})
}

func (e *Engine) fail(i int, c sources.Part, err error) {
	e.update(func(s *state) { s.fail(i, c, err, e.opts.Now()) })
}

// absent says that a source simply does not have a thing, which is no failure.
func absent(err error) bool { return errors.Is(err, sources.ErrUnsupported) }

// watch follows a store and starts over, with a growing pause, when the watch
// cannot be had or breaks off. A nudge reads the store once, beside the watch.
func (e *Engine) watch(ctx context.Context, i int, w sources.FlagWatcher, flags func(context.Context) (func(*state), error), nudge chan struct{}) {
	failures := 0
	for {
		report, err := e.breakers[i].admit(ctx)
		if err != nil {
			return
		}
		events, cancel, err := e.startWatch(ctx, w)
		if err == nil {
			var good bool
			if good, err = e.follow(ctx, i, events, flags, nudge, report); good {
				failures = 0
			}
		}
		report(err)
		cancel()
		if ctx.Err() != nil {
			return
		}
		e.fail(i, sources.PartFlags, err)
		failures++
		select {
		case <-ctx.Done():
			return
		case <-nudge:
		case <-e.opts.After(e.pause(i, sources.PartFlags, failures)):
		}
	}
}

func (e *Engine) startWatch(ctx context.Context, w sources.FlagWatcher) (events <-chan sources.FlagEvent, cancel context.CancelFunc, err error) {
	ctx, cancel = context.WithCancel(ctx)
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the driver failed (%v): %w", p, sources.ErrUnavailable)
		}
	}()
	events, err = w.Watch(ctx, "")
	return events, cancel, err
}

// follow takes events until the watch ends, and says why and whether any was good.
// A watch beside which a read fails is not to be relied on either: it would be
// quiet, and the store stale, until something changes. The breaker gets its report
// with the first event, or when that is late.
func (e *Engine) follow(ctx context.Context, i int, events <-chan sources.FlagEvent, flags func(context.Context) (func(*state), error), nudge chan struct{}, report func(error)) (good bool, err error) {
	timeout := e.opts.Sources[i].Timeout
	late := e.opts.After(timeout)
	for {
		select {
		case <-ctx.Done():
			return good, ctx.Err()
		case <-late:
			hung := fmt.Errorf("%w within %s: %w", errHung, timeout, sources.ErrUnavailable)
			report(hung)
			e.fail(i, sources.PartFlags, hung)
		case <-nudge:
			if flags == nil {
				continue
			}
			if err := e.read(ctx, i, sources.PartFlags, flags); err != nil {
				return good, err
			}
		case ev, open := <-events:
			if !open {
				return good, fmt.Errorf("the watch broke off: %w", sources.ErrUnavailable)
			}
			late = nil
			report(ev.Err)
			if ev.Set == nil {
				e.fail(i, sources.PartFlags, ev.Err)
				continue
			}
			good = true
			e.update(func(s *state) {
				s.setFlags(i, ev.Set, e.opts.Now())
				s.succeed(i, sources.PartFlags, e.opts.Now())
				s.sources[i].caps[sources.PartFlags].live = true
			})
		}
	}
}
