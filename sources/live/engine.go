// Package live supervises the sources of a context and publishes immutable,
// numbered snapshots of everything the board shows. One source's failure or
// silence never delays another, and polling never stops.
package live

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"relctl-tui/sources"
)

const (
	defaultStale    = 15 * time.Second
	defaultUnknown  = 2 * time.Minute
	defaultEvery    = 5 * time.Second
	defaultTimeout  = 5 * time.Second
	defaultCoolDown = 15 * time.Second
	defaultActivity = 200
	maxBackoff      = 15 * time.Second
	publishEvery    = 50 * time.Millisecond  // at most 20 snapshots a second
	recallEvery     = 250 * time.Millisecond // at most 4 reads of the journal a second
	maxText         = 300
)

// Source is one system to supervise. Driver is asked for FlagWatcher, FlagLister,
// BreakerLister, LatencyReader, ExposureReader and TrendReader.
type Source struct {
	Name, Kind string
	Driver     any
	Every      time.Duration // pause between polls; 0 for 5 s
	Timeout    time.Duration // of one read; 0 for 5 s
	Writable   bool          // flags, or breakers, may be changed through it, if the driver can

	// Sources of one Group stand in for each other: those of the same Tier speak
	// together, and a later tier is read only when those before it in the list fail.
	Group string // its name, for people; "" for a source that always speaks
	Tier  int
}

// FlagRule is what the configuration adds to a flag, by its key.
type FlagRule struct {
	Ladder sources.Ladder // nil for the context's
	Metric string         // name of a latency; "" for none

	Migration *sources.Migration // of a flag that is one; nil otherwise
}

// Options make an Engine. Only Sources matters; everything else has a default.
type Options struct {
	Context, Accent string
	Sources         []Source
	StaleAfter      time.Duration // age at which data is stale; 0 for 15 s
	UnknownAfter    time.Duration // age at which data means nothing; 0 for 2 min
	CoolDown        time.Duration // how long a source that fails is left alone; 0 for 15 s
	Now             func() time.Time
	After           func(time.Duration) <-chan time.Time
	Jitter          func(time.Duration) time.Duration // spreads retries; nil for ±20 %
	History         func() []sources.Activity         // the journal, newest first; may do I/O
	Rules           map[string]FlagRule               // by flag key
	Ladder          sources.Ladder                    // the context's; nil for the default
	Guards          []sources.Guard                   // on which flags may be raised; shown, not asked
	Calendar        sources.Calendar                  // when no flag is raised; shown, not kept
	MaxActivity     int                               // lines of activity kept; 0 for 200
	Crashed         func(value any, stack []byte)     // told of a panic that a loop survived; nil for nobody
	Replay          bool                              // of a recording: without sources, and fed by Show
	// Asked is told of each read of a part of a source that began, at its end; nil for
	// nobody. It may be called by several goroutines at once.
	Asked func(source string, part sources.Part, took time.Duration, err error)
}

// Engine supervises sources. Make it with New; it is goroutine-safe.
type Engine struct {
	opts     Options
	breakers []*breaker // one around each source
	snapshot atomic.Pointer[sources.Snapshot]
	kick     chan struct{} // wakes the publisher
	recall   chan struct{} // wakes the historian
	looks    looks         // of those who look closer

	mu     sync.Mutex
	state  *state
	wake   chan struct{} // closed with the next snapshot
	nudges map[string][]chan struct{}
}

// New is an Engine that has read nothing yet; its first snapshot is there at once.
func New(opts Options) *Engine {
	opts = withDefaults(opts)
	e := &Engine{
		opts: opts, kick: make(chan struct{}, 1), recall: make(chan struct{}, 1),
		wake: make(chan struct{}), nudges: map[string][]chan struct{}{},
		state: newState(opts),
	}
	for i := range opts.Sources {
		e.breakers = append(e.breakers, newBreaker(&opts, func(c breakerChange) { e.turned(i, c) }))
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.publish(opts.Now())
	return e
}

func withDefaults(o Options) Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.After == nil {
		o.After = time.After
	}
	if o.Jitter == nil {
		o.Jitter = func(d time.Duration) time.Duration {
			return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64())) //nolint:gosec // spreads load, guards nothing
		}
	}
	if o.StaleAfter <= 0 {
		o.StaleAfter = defaultStale
	}
	if o.UnknownAfter <= 0 {
		o.UnknownAfter = max(defaultUnknown, o.StaleAfter)
	}
	if o.CoolDown <= 0 {
		o.CoolDown = defaultCoolDown
	}
	if o.Crashed == nil {
		o.Crashed = func(any, []byte) {}
	}
	if o.MaxActivity <= 0 {
		o.MaxActivity = defaultActivity
	}
	o.Sources = append([]Source(nil), o.Sources...)
	for i := range o.Sources {
		s := &o.Sources[i]
		if s.Every <= 0 {
			s.Every = defaultEvery
		}
		if s.Timeout <= 0 {
			s.Timeout = defaultTimeout
		}
	}
	return o
}

// Run supervises all sources until ctx ends and then returns nil, once every
// loop of its own is over. Call it once.
func (e *Engine) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for i := range e.opts.Sources {
		for _, loop := range e.loops(i) {
			wg.Go(func() { e.supervise(ctx, loop.run, func(err error) { e.fail(i, loop.part, err) }) })
		}
	}
	if e.opts.History != nil {
		signal(e.recall)
		wg.Go(func() { e.supervise(ctx, e.historian, nil) })
	}
	e.supervise(ctx, e.publisher, nil)
	wg.Wait()
	return nil
}

// Snapshot is the latest snapshot; never nil, never blocks.
func (e *Engine) Snapshot() *sources.Snapshot { return e.snapshot.Load() }

// Next waits for a snapshot whose Seq is above after and returns the latest. Its
// only error is ctx's.
func (e *Engine) Next(ctx context.Context, after uint64) (*sources.Snapshot, error) {
	for {
		e.mu.Lock()
		wake := e.wake
		e.mu.Unlock()
		if s := e.snapshot.Load(); s.Seq > after {
			return s, nil
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Heard waits until each source that is shown has answered in all its parts, well or
// badly, or ctx ends,
// and returns the latest snapshot.
func (e *Engine) Heard(ctx context.Context) *sources.Snapshot {
	s := e.Snapshot()
	for !heard(s) {
		next, err := e.Next(ctx, s.Seq)
		if err != nil {
			break
		}
		s = next
	}
	return s
}

func heard(s *sources.Snapshot) bool {
	for i := range s.Sources {
		st := &s.Sources[i]
		if !st.Shown() {
			continue
		}
		if st.LastOK.IsZero() && st.Err == "" {
			return false
		}
		for p := range st.Parts { // one that was read in part is unknown as a whole
			if part := &st.Parts[p]; part.Has && part.LastOK.IsZero() && part.Err == "" {
				return false
			}
		}
	}
	return len(s.Sources) > 0
}

// Observe adds what happened, or what became of it: an activity with a known ID
// replaces the one that is there.
func (e *Engine) Observe(a sources.Activity) {
	e.update(func(s *state) { s.observe(a, e.opts.Now()) })
	if a.Outcome == sources.Confirmed && a.Flag.Source != "" {
		for i := range e.opts.Sources { // it was written and read back, so it works
			if e.opts.Sources[i].Name == a.Flag.Source {
				e.breakers[i].trust()
			}
		}
		e.nudge(a.Flag.Source, false)
	}
}

// turned shows a breaker's change, and has everything of a source read that works
// again.
func (e *Engine) turned(i int, c breakerChange) {
	e.update(func(s *state) { s.turned(i, c, e.opts.Now()) })
	if c.state == sources.BreakerClosed {
		e.nudge(e.opts.Sources[i].Name, true)
	}
}

// Nudge reads the named source now instead of at its next turn.
func (e *Engine) Nudge(source string) { e.nudge(source, true) }

func (e *Engine) nudge(source string, watched bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	st := e.state.source(source)
	if st == nil || (!watched && st.watched) {
		return
	}
	for _, c := range e.nudges[source] {
		signal(c)
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// update changes the state and lets the publisher decide whether it shows.
func (e *Engine) update(f func(*state)) {
	unattributed := func() bool {
		e.mu.Lock()
		defer e.mu.Unlock() // whatever f does
		f(e.state)
		defer func() { e.state.unattributed = false }()
		return e.state.unattributed
	}()
	signal(e.kick)
	if unattributed {
		signal(e.recall)
	}
}

// publisher turns changes into snapshots: the first after a quiet time at once,
// bursts gathered, and health by the clock even when nothing arrives.
func (e *Engine) publisher(ctx context.Context) {
	var last time.Time
	for {
		var gather, health <-chan time.Time
		next, wait := e.due(&last)
		if wait > 0 {
			gather = e.opts.After(wait)
		}
		if next > 0 {
			health = e.opts.After(next)
		}
		kick := e.kick
		if gather != nil {
			kick = nil // it is dirty already; one look when the wait is over is enough
		}
		select {
		case <-ctx.Done():
			return
		case <-kick:
		case <-gather:
		case <-health:
		}
	}
}

// due publishes what is due since last, or says how long it has to wait, and in how
// long a health will change by itself; 0 for neither.
func (e *Engine) due(last *time.Time) (health, wait time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.opts.Now()
	health = e.state.assess(now)
	if !e.state.dirty {
		return health, 0
	}
	if passed := now.Sub(*last); !last.IsZero() && passed >= 0 && passed < publishEvery {
		return health, publishEvery - passed
	}
	e.publish(now)
	*last = now
	return health, 0
}

// publish makes the state the latest snapshot. The caller holds e.mu.
func (e *Engine) publish(now time.Time) {
	e.snapshot.Store(e.state.build(now))
	close(e.wake)
	e.wake = make(chan struct{})
}

// historian re-reads the journal when a change appears whose author is not
// known: the intent is on disk before the change shows, its result comes later. A
// burst of changes costs a few reads, not one each: the journal may be long.
func (e *Engine) historian(ctx context.Context) {
	pauses := []time.Duration{0, time.Second, 4 * time.Second}
	last := e.opts.Now().Add(-recallEvery)
	for n := len(pauses); ; {
		var due <-chan time.Time // nil when every read of the last change was made
		if n < len(pauses) {
			due = e.opts.After(max(pauses[n], recallEvery-e.opts.Now().Sub(last)))
		}
		select {
		case <-ctx.Done():
			return
		case <-e.recall: // another one: start over
			n = 0
		case <-due:
			e.remember(ctx)
			last = e.opts.Now()
			n++
		}
	}
}

// remember reads the journal on the side: one that hangs must not keep Run from
// ending. One read at a time is outstanding.
func (e *Engine) remember(ctx context.Context) {
	read := make(chan []sources.Activity, 1)
	go func() {
		defer close(read)
		defer func() { _ = recover() }() // a journal that cannot be read names nobody
		read <- e.opts.History()
	}()
	var acts []sources.Activity
	select {
	case <-ctx.Done():
		return
	case acts = <-read:
	}
	e.update(func(s *state) {
		for i := range min(len(acts), s.opts.MaxActivity) { // newest first: the rest would not be kept
			s.recall(acts[i], e.opts.Now())
		}
	})
}
