package control

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/guarded"
)

// What a guarded ramp does when nothing else was said.
const (
	DefaultHold = 5 * time.Minute
	mostTick    = 5 * time.Second
	leastTick   = 200 * time.Millisecond
	renewEvery  = sources.LeaseFor / 3
	stepTime    = 15 * time.Second // for one write
)

// RampOptions are how a flag is ramped under guard. Hold, Tick and After have
// defaults.
type RampOptions struct {
	Flag     sources.FlagID
	To       sources.Percent // 0 for 100 %
	Hold     time.Duration   // at each step; 0 for DefaultHold
	Tick     time.Duration   // between two looks; 0 for a fraction of Hold
	OnBreach sources.OnBreach
	Actor    string
	Owner    string // who runs it, for other boards
	Reason   string
	Over     string // token of the lease to take over; "" for none
	After    func(time.Duration) <-chan time.Time
}

// Ramp is a guarded ramp that this process runs. It is goroutine-safe.
type Ramp struct {
	c      *Controller
	o      RampOptions
	name   string
	token  string
	store  *Store
	leaser sources.Leaser
	before Before
	say    chan guarded.Say
	done   chan struct{}

	state   guarded.State // of Run's goroutine
	results []sources.GuardResult
	renewed time.Time

	mu     sync.Mutex
	status sources.RampStatus
}

// StartRamp checks the plan, takes the lease and asks the guards once. Nothing is
// changed yet: Run does that, and has to be called. Errors are ErrConflict where
// somebody else runs the flag, ErrUnsupported where the store keeps no leases, and
// ErrInvalid for a plan that makes no sense.
func (c *Controller) StartRamp(ctx context.Context, o RampOptions) (*Ramp, error) {
	if c.opts.ReadOnly {
		return nil, fmt.Errorf("this session is read-only, nothing was changed: %w", sources.ErrReadOnly)
	}
	r, err := c.newRamp(ctx, o)
	if err != nil {
		return nil, err
	}
	f, results, err := c.Judge(ctx, o.Flag, Before{})
	switch {
	case err != nil:
		return nil, err
	case len(results) == 0:
		return nil, fmt.Errorf("no guard holds for %s, so there is nothing to ramp it under: name some under guards: in the config: %w",
			sources.Clean(o.Flag.Key, sources.MaxName), sources.ErrInvalid)
	}
	if err := c.iced(f); err != nil {
		return nil, err
	}
	plan, err := guarded.NewPlan(f, r.o.To, r.o.Hold, r.o.OnBreach)
	if err != nil {
		return nil, err
	}
	now := c.opts.Now()
	r.name, r.results, r.before = f.Name, results, beforeOf(results, now)
	r.state = guarded.Begin(plan, sightOf(f), now)
	r.publish(now)
	if err := r.lease(ctx, o.Over); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ramps[o.Flag] = r
	return r, nil
}

func (c *Controller) newRamp(ctx context.Context, o RampOptions) (*Ramp, error) {
	store, err := c.store(o.Flag.Source)
	if err != nil {
		return nil, err
	}
	if _, err := store.writer(ctx); err != nil {
		return nil, err
	}
	leaser, ok := store.Driver.(sources.Leaser)
	if !ok {
		return nil, fmt.Errorf("%s keeps no leases, so two runners of one flag could not be told apart: %w", store.Name, sources.ErrUnsupported)
	}
	o.To, o.Hold = cmp.Or(o.To, sources.Full), cmp.Or(o.Hold, DefaultHold)
	o.Tick = cmp.Or(o.Tick, max(leastTick, min(mostTick, o.Hold/5)))
	o.OnBreach = cmp.Or(o.OnBreach, sources.AskOnBreach)
	if o.After == nil {
		o.After = time.After
	}
	o.Owner = sources.Clean(cmp.Or(o.Owner, o.Actor, "somebody"), sources.MaxName)
	return &Ramp{
		c: c, o: o, token: c.opts.NewID(), store: store, leaser: leaser,
		say: make(chan guarded.Say, 4), done: make(chan struct{}),
	}, nil
}

// Ramp is the guarded ramp of a flag that this process runs; nil for none.
func (c *Controller) Ramp(id sources.FlagID) *Ramp {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ramps[id]
}

// Pause stops the climb at the present step until Resume. Like the three below it is
// acted on between two writes.
func (r *Ramp) Pause() { r.tell(guarded.SayPause) }

// Resume goes on after Pause, or stays at the step after a breach.
func (r *Ramp) Resume() { r.tell(guarded.SayResume) }

// Back goes back one step and ends the ramp.
func (r *Ramp) Back() { r.tell(guarded.SayBack) }

// Kill kills the flag and ends the ramp.
func (r *Ramp) Kill() { r.tell(guarded.SayKill) }

func (r *Ramp) tell(s guarded.Say) {
	select {
	case r.say <- s:
	case <-r.done:
	}
}

// Status is how far it is.
func (r *Ramp) Status() sources.RampStatus {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.status
}

// Run climbs until the ramp ends or ctx does, which leaves the flag at its step, and
// says how it ended. A write that has begun is finished first. Call it once.
func (r *Ramp) Run(ctx context.Context) sources.RampStatus {
	defer r.over()
	for {
		r.tick(ctx)
		if r.state.Phase.Ended() {
			return r.Status()
		}
		timer := r.o.After(r.o.Tick)
		select {
		case <-ctx.Done():
			r.state.Phase, r.state.Why = sources.RampStopped, "its board ended"
			r.publish(r.c.opts.Now())
			return r.Status()
		case s := <-r.say:
			r.feed(ctx, guarded.Event{Now: r.c.opts.Now(), Say: s})
		case <-timer:
		}
	}
}

// over gives the flag back.
func (r *Ramp) over() {
	ctx, cancel := context.WithTimeout(context.Background(), settleGrace)
	defer cancel()
	_ = r.leaser.DropLease(ctx, r.o.Flag, r.token) // else it runs out by itself
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	if r.c.ramps[r.o.Flag] == r {
		delete(r.c.ramps, r.o.Flag)
	}
	close(r.done)
}

// tick looks at the flag and its guards, and does what follows.
func (r *Ramp) tick(ctx context.Context) {
	if ctx.Err() != nil {
		return
	}
	look := guarded.Look{}
	f, err := r.store.read(ctx, r.o.Flag)
	if err != nil {
		look.Why = sources.Sentence(err)
	} else {
		s := sightOf(&f)
		look.Flag = &s
	}
	judged, results, err := r.c.Judge(ctx, r.o.Flag, r.before)
	if err == nil {
		r.results = results
		look.Verdict = sources.Worst(results)
		look.Why = cmp.Or(look.Why, sources.Objections(results, look.Verdict))
	} else {
		r.results = nil
		look.Why = cmp.Or(look.Why, "its guards could not be asked: "+sources.Sentence(err))
	}
	if ctx.Err() != nil {
		return
	}
	r.hold(&look, judged)
	r.feed(ctx, guarded.Event{Now: r.c.opts.Now(), Look: &look})
	now := r.c.opts.Now()
	if !r.state.Phase.Ended() && now.Sub(r.renewed) >= renewEvery {
		if err := r.lease(ctx, ""); errors.Is(err, sources.ErrConflict) {
			r.feed(ctx, guarded.Event{Now: now, Lost: sources.Sentence(err)})
		}
	}
}

// lease takes or renews the lease. A store that does not answer is no loss: what is
// written under a lease that ran out is refused.
func (r *Ramp) lease(ctx context.Context, over string) error {
	ctx, cancel := context.WithTimeout(ctx, guardTime)
	defer cancel()
	status := r.Status()
	now := r.c.opts.Now()
	err := r.leaser.TakeLease(ctx, sources.Lease{
		Flag: r.o.Flag, Token: r.token, Owner: r.o.Owner, Until: now.Add(sources.LeaseFor), Ramp: &status,
	}, over)
	if err == nil {
		r.renewed = now
	}
	return err
}

// feed hands an event to the machine and does what it wants.
func (r *Ramp) feed(ctx context.Context, e guarded.Event) {
	next, want, to := r.state.Next(e)
	phase := r.state.Phase
	r.state = next
	r.publish(e.Now)
	if phase != next.Phase {
		r.renewed = time.Time{} // other boards want to know
	}
	if want == guarded.Nothing {
		return
	}
	wrote := r.write(ctx, want, to)
	r.state, _, _ = r.state.Next(guarded.Event{Now: r.c.opts.Now(), Wrote: wrote})
	r.publish(r.c.opts.Now())
	r.renewed = time.Time{}
}

// write does what the machine wants, through the one control path. It outlasts ctx.
func (r *Ramp) write(ctx context.Context, want guarded.Doing, to sources.Percent) *guarded.Wrote {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stepTime)
	defer cancel()
	in := sources.Intent{Flag: r.o.Flag, Seen: r.state.Seen, To: to, Actor: r.o.Actor, Reason: r.reason()}
	switch want {
	case guarded.Raise:
		in.Kind = sources.Ramp
		if r.renewed.IsZero() || r.c.opts.Now().Sub(r.renewed) >= renewEvery {
			if err := r.lease(ctx, ""); errors.Is(err, sources.ErrConflict) {
				return &guarded.Wrote{Err: sources.Sentence(err), Overtook: true}
			}
		}
	case guarded.Lower:
		in.Kind = sources.Back
	default:
		in.Kind = sources.Kill
	}
	receipt, err := r.c.do(ctx, in, r, "")
	w := &guarded.Wrote{Err: sources.Sentence(err)}
	switch {
	case err == nil:
		w.Flag = sightOf(&receipt.New)
	case errors.Is(err, ErrUnconfirmed):
		w.Unknown = true
	case errors.Is(err, sources.ErrConflict):
		w.Overtook = true
	}
	return w
}

func (r *Ramp) reason() string {
	text := "guarded ramp to " + r.o.To.String() + "%"
	switch {
	case r.state.Why != "":
		text += ": " + r.state.Why
	case r.o.Reason != "":
		text += ": " + r.o.Reason
	}
	return sources.Clean(text, maxSentence)
}

// publish tells everybody how far the ramp is, where that is another thing than
// before.
func (r *Ramp) publish(now time.Time) {
	s := &r.state
	st := sources.RampStatus{
		Flag: r.o.Flag, Name: r.name, Owner: r.o.Owner, Steps: s.Plan.Steps, At: s.At, Phase: s.Phase,
		Verdict: sources.Worst(r.results), Guards: r.results, Why: sources.Clean(s.Why, maxSentence), Own: true,
	}
	if len(r.results) == 0 {
		st.Verdict = sources.GuardUnknown
	}
	switch s.Phase {
	case sources.RampHolding:
		st.Due = s.Since.Add(s.Plan.Hold)
	case sources.RampPaused, sources.RampAsking:
		st.Left = s.Left(now)
	}
	r.mu.Lock()
	r.status = st
	r.mu.Unlock()
	r.c.opts.ObserveRamp(st)
}

func sightOf(f *sources.Flag) guarded.Sight {
	return guarded.Sight{Revision: f.Revision, At: f.Rollout.Or(0)}
}

// StopRamps ends every guarded ramp of this process, which leaves each flag at its
// step, and waits for them. The contexts that they run in must have ended.
func (c *Controller) StopRamps(ctx context.Context) {
	c.mu.Lock()
	all := make([]*Ramp, 0, len(c.ramps))
	for _, r := range c.ramps {
		all = append(all, r)
	}
	c.mu.Unlock()
	for _, r := range all {
		select {
		case <-r.done:
		case <-ctx.Done():
			return
		}
	}
}
