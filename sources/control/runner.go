package control

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"relctl-tui/sources"
)

// RunnerOptions are how schedules are run. Every and After have defaults.
type RunnerOptions struct {
	Owner string        // who runs them, and where, for everybody else
	Every time.Duration // between two looks at a store; 0 for two seconds
	Watch bool          // only tell of them: nothing is claimed, run or found missed
	After func(time.Duration) <-chan time.Time

	// Ramp is how long a flag stays at each step of a guarded ramp, and what a breach
	// leads to; nil, 0 and "" for the defaults.
	Ramp func(key string) (time.Duration, sources.OnBreach)
	// Tell is told of a store's schedules after each look that found them readable, and
	// of why after each that did not. It may be called for several stores at once.
	Tell func(source string, all []sources.Schedule, err error)
}

const (
	lookAtSchedules = 2 * time.Second
	scheduleRetry   = 15 * time.Second // after the store or somebody's change stood in the way
	keepTries       = 5
)

// runner runs the schedules of one store.
type runner struct {
	c       *Controller
	o       RunnerOptions
	store   *Store
	keeper  sources.Scheduler
	tried   map[string]string // tokens of claims by schedule whose answer was lost
	ramping sync.WaitGroup
}

// RunSchedules makes what is scheduled happen until ctx ends, in every store that keeps
// schedules. A write that has begun is finished first, and guarded ramps that it began
// have ended when it returns. Any number of runners may run the same stores: who claims
// a schedule first is the one who makes its change.
func (c *Controller) RunSchedules(ctx context.Context, o RunnerOptions) {
	o.Owner = sources.Clean(cmp.Or(o.Owner, "somebody"), sources.MaxName)
	o.Every = cmp.Or(o.Every, lookAtSchedules)
	if o.After == nil {
		o.After = time.After
	}
	if o.Tell == nil {
		o.Tell = func(string, []sources.Schedule, error) {}
	}
	var wg sync.WaitGroup
	for i := range c.opts.Stores {
		store := &c.opts.Stores[i]
		if k, err := store.scheduler(); err == nil {
			r := &runner{c: c, o: o, store: store, keeper: k, tried: map[string]string{}}
			wg.Go(func() { r.run(ctx) })
		}
	}
	wg.Wait()
}

func (r *runner) run(ctx context.Context) {
	defer r.ramping.Wait()
	for ctx.Err() == nil {
		r.look(ctx)
		select {
		case <-ctx.Done():
		case <-r.o.After(r.o.Every):
		}
	}
}

// look is one round: read, do what is due, and tell how things are then.
func (r *runner) look(ctx context.Context) {
	all, err := r.list(ctx)
	acts := !r.o.Watch && !r.c.opts.ReadOnly && !r.store.ReadOnly
	for i := range all {
		if s := &all[i]; acts && ctx.Err() == nil {
			all[i] = r.step(ctx, *s)
		}
	}
	if ctx.Err() == nil {
		r.o.Tell(r.store.Name, all, err)
	}
}

func (r *runner) list(ctx context.Context) (all []sources.Schedule, err error) {
	ctx, cancel := context.WithTimeout(ctx, guardTime)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the driver of %s failed while reading schedules (%v): %w", r.store.Name, p, sources.ErrUnavailable)
		}
	}()
	return r.keeper.Schedules(ctx)
}

// step does what is due of one schedule and gives it back as it is then.
func (r *runner) step(ctx context.Context, s sources.Schedule) sources.Schedule {
	now := r.c.opts.Now()
	if s.State == sources.ScheduleRunning && r.tried[s.ID] == s.Claim && s.Claim != "" && now.Before(s.Until) {
		return r.do(ctx, s) // our claim, though its answer was lost
	}
	switch s.Due(now) {
	case sources.DueClaim:
		token := r.c.opts.NewID()
		next, err := s.Claimed(token, r.o.Owner, now)
		if err != nil {
			return s
		}
		r.tried[s.ID] = token
		if err := r.keep(ctx, next); err != nil {
			if errors.Is(err, sources.ErrConflict) { // somebody else was quicker
				delete(r.tried, s.ID)
			}
			return s
		}
		return r.do(ctx, next)
	case sources.DueMiss:
		id := r.c.opts.NewID()
		return r.end(ctx, s, id, sources.Failed, func() (sources.Schedule, error) { return s.Missed(id, now) })
	case sources.DueDoubt:
		id, why := r.c.opts.NewID(), r.doubt(ctx, &s)
		return r.end(ctx, s, id, sources.Unconfirmed, func() (sources.Schedule, error) { return s.Doubted(id, why, now) })
	case sources.DueDrop:
		ctx, cancel := context.WithTimeout(ctx, guardTime)
		defer cancel()
		_ = r.keeper.DropSchedule(ctx, s) // else in the next round
	case sources.DueNothing:
	}
	return s
}

// end keeps an end that is no change, and puts it on record where this runner was the
// one who found it.
func (r *runner) end(ctx context.Context, s sources.Schedule, id string, o sources.Outcome, next func() (sources.Schedule, error)) sources.Schedule {
	is, err := next()
	if err != nil {
		return s
	}
	if r.keep(ctx, is) != nil { // somebody else found it as well, or it is found again
		return s
	}
	r.c.note(r.store, &is, id, o)
	return is
}

func (r *runner) keep(ctx context.Context, s sources.Schedule) (err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), guardTime)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the driver of %s failed while keeping a schedule (%v): %w", r.store.Name, p, sources.ErrUnavailable)
		}
	}()
	return r.keeper.KeepSchedule(ctx, s)
}

// doubt is what can be said of a schedule whose runner never came back.
func (r *runner) doubt(ctx context.Context, s *sources.Schedule) string {
	ctx, cancel := context.WithTimeout(ctx, guardTime)
	defer cancel()
	why := sources.Clean(s.Owner, sources.MaxName) + " claimed it and never said what became of it, so it is not tried again"
	f, err := r.store.read(ctx, s.Flag)
	if err != nil {
		return why + "; the flag cannot be read: " + sources.Sentence(err)
	}
	f.Migration = r.c.migration(s.Flag)
	return why + "; the flag is " + f.Brief() + " now"
}

// do makes the change of a schedule that is this runner's, and keeps what became of it.
// It outlasts ctx, as every write does.
func (r *runner) do(ctx context.Context, s sources.Schedule) sources.Schedule {
	delete(r.tried, s.ID)
	writing, cancel := context.WithTimeout(context.WithoutCancel(ctx), stepTime)
	change, err := r.change(ctx, writing, &s)
	cancel()
	now, why := r.c.opts.Now(), sources.Sentence(err)
	var next sources.Schedule
	var bad error
	switch {
	case err == nil:
		next, bad = s.Finished(s.Claim, sources.ScheduleDone, change, "", now)
	case errors.Is(err, ErrUnconfirmed):
		next, bad = s.Finished(s.Claim, sources.ScheduleInDoubt, change, why, now)
	case errors.Is(err, sources.ErrConflict), errors.Is(err, sources.ErrUnavailable):
		if next, bad = s.Released(s.Claim, why, now.Add(scheduleRetry)); bad == nil && r.keep(ctx, next) == nil {
			return next
		}
		return s // it is then in doubt, which is never tried again
	default:
		id, outcome := r.c.opts.NewID(), sources.Failed
		if errors.Is(err, ErrGuarded) {
			outcome = sources.Refused
		}
		if next, bad = s.Finished(s.Claim, sources.ScheduleRefused, id, why, now); bad == nil {
			r.c.note(r.store, &next, id, outcome)
		}
	}
	if bad != nil {
		return s
	}
	return r.insist(ctx, next)
}

// insist keeps an end that is known, also where others had to doubt it meanwhile.
func (r *runner) insist(ctx context.Context, s sources.Schedule) sources.Schedule {
	for range keepTries {
		err := r.keep(ctx, s)
		if err == nil {
			break
		}
		if errors.Is(err, sources.ErrConflict) {
			s.Version++
		}
	}
	return s
}

// change makes the change itself, through the one path; writing bounds the write.
func (r *runner) change(ctx, writing context.Context, s *sources.Schedule) (id string, err error) {
	f, err := r.store.read(writing, s.Flag)
	if err != nil {
		return "", err
	}
	f.Migration = r.c.migration(s.Flag)
	if f.Killed && !s.Killed && s.Kind != sources.Kill {
		return "", fmt.Errorf("%s was killed after this was scheduled, so it stays so; schedule it anew if it may come back: %w", f.Name, sources.ErrRefused)
	}
	if s.Guarded && s.To > f.Rollout.Or(0) {
		return "", r.climb(ctx, writing, s)
	}
	in := sources.Intent{
		Kind: s.Kind, Flag: s.Flag, Seen: f.Revision, SeenAs: f.Brief(), To: s.To, Stage: s.Stage,
		Actor: s.Actor, Reason: scheduledBy(s), Until: s.Until,
	}
	receipt, err := r.c.do(writing, in, nil, "")
	return receipt.Change, err
}

// climb begins the guarded ramp of a schedule; it then has its own lease and its own end.
func (r *runner) climb(ctx, writing context.Context, s *sources.Schedule) error {
	o := RampOptions{Flag: s.Flag, To: s.To, Actor: s.Actor, Owner: r.o.Owner, Reason: scheduledBy(s)}
	if r.o.Ramp != nil {
		o.Hold, o.OnBreach = r.o.Ramp(s.Flag.Key)
	}
	ramp, err := r.c.StartRamp(writing, o)
	if err != nil {
		return err
	}
	r.ramping.Go(func() { ramp.Run(ctx) })
	return nil
}
