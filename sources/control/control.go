// Package control is the one path by which anything is changed: check the rules,
// record the intent, write with compare-and-swap, read it back.
package control

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/journal"
)

// ErrUnconfirmed means that a change was written, or may have been, and could
// not be read back. The receipt that comes with it is filled in.
var ErrUnconfirmed = errors.New("not confirmed")

// unconfirmed is a sentence that is ErrUnconfirmed without saying so: whoever
// shows it has better words.
type unconfirmed struct{ error }

func (u unconfirmed) Is(target error) bool { return target == ErrUnconfirmed }
func (u unconfirmed) Unwrap() error        { return u.error }

const (
	historyWindow = 1000                   // entries that undo looks back over, per store
	maxSentence   = 500                    // runes of a warning
	settleGrace   = time.Second            // to find out what became of a write when ctx has ended
	doubtTimeout  = 5 * time.Second        // for all of InDoubt
	patience      = 2 * time.Second        // with a journal that hangs: the store's lock is held meanwhile
	glance        = 200 * time.Millisecond // of a kill at such a journal, which it then leaves behind
	inFlight      = time.Minute            // a younger intent may be another process at work
	firstRetry    = 5 * time.Millisecond
	lastRetry     = 100 * time.Millisecond
)

// Store is one flag store, or one system of breakers, and the journal that belongs to
// it. Driver is asked for FlagWriter, FlagGetter and FlagLister, and where it writes no
// flags for BreakerSwitcher or AlertSilencer. A nil Journal records nothing, and then nothing can be
// undone.
type Store struct {
	Name     string
	Driver   any
	Journal  *journal.Journal
	ReadOnly bool

	// Evaluators are asked by Effect whether a change is in force, besides Driver
	// itself where it is a sources.Verifier.
	Evaluators []sources.Verifier

	audit *audit
}

// Options make a Controller.
type Options struct {
	Stores   []Store
	ReadOnly bool             // refuse every change
	Now      func() time.Time // nil for time.Now
	NewID    func() string    // unique and sortable by time; nil for the default
	// Migrations are the flags that are migrations, by key, and Ratios who can tell how
	// often their sides differ, asked in this order.
	Migrations map[string]*sources.Migration
	Ratios     []sources.RatioReader

	Observe func(sources.Activity) // told of each change as it comes along; nil for nobody
	// Effective is told when a change was seen to be in force; nil for nobody.
	Effective func(change string, at time.Time)

	Guards      Guards                   // the zero value guards nothing
	Calendar    sources.Calendar         // when no flag is raised
	ObserveRamp func(sources.RampStatus) // told of each guarded ramp as it comes along; nil for nobody
}

// Controller changes flags. It is goroutine-safe and makes no change wait for
// another, but for an undo that has to know what the last one was: the store's
// compare-and-swap decides between them.
type Controller struct {
	opts    Options
	mu      sync.Mutex
	running map[string]*work // changes this process is working on, by ID
	ramps   map[sources.FlagID]*Ramp
	before  map[sources.FlagID]Before // what guards compared with before the last raise here
}

// New is a Controller over the given stores.
func New(opts Options) *Controller {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.NewID == nil {
		opts.NewID = newIDs(opts.Now)
	}
	if opts.Observe == nil {
		opts.Observe = func(sources.Activity) {}
	}
	if opts.Effective == nil {
		opts.Effective = func(string, time.Time) {}
	}
	if opts.ObserveRamp == nil {
		opts.ObserveRamp = func(sources.RampStatus) {}
	}
	opts.Stores = slices.Clone(opts.Stores)
	for i := range opts.Stores {
		opts.Stores[i].audit = &audit{}
	}
	return &Controller{
		opts: opts, running: map[string]*work{}, ramps: map[sources.FlagID]*Ramp{}, before: map[sources.FlagID]Before{},
	}
}

// Do carries out an intent within ctx. It returns nil only when the change was
// written and read back, or when there was nothing to do (Receipt.Warning says
// so). Otherwise nothing was changed, except with ErrUnconfirmed. Kill ignores
// Seen and tries again on conflicts until ctx ends; ForceOpen ignores it as well. A
// breaker that only some instances have switched is ErrUnconfirmed. For Undo, Intent.Flag is not
// looked at: Intent.Change names the change, and "" is the actor's last one in
// any store that is not undone yet; a change of the actor that is still being
// written is waited for, so that undo never skips it.
func (c *Controller) Do(ctx context.Context, in sources.Intent) (sources.Receipt, error) {
	return c.do(ctx, in, nil, "")
}

// do is Do; run is the guarded ramp that asks for it, which has asked the guards, or
// nil; group is what the change is one of, "" for one alone.
func (c *Controller) do(ctx context.Context, in sources.Intent, run *Ramp, group string) (sources.Receipt, error) {
	if c.opts.ReadOnly {
		return sources.Receipt{}, fmt.Errorf("this session is read-only, nothing was changed: %w", sources.ErrReadOnly)
	}
	in.Actor = sources.Clean(in.Actor, sources.MaxName) // as the journal will give it back
	a := &attempt{c: c, intent: in, group: group}
	a.change = sources.Change{
		ID: c.opts.NewID(), Flag: in.Flag, Kind: in.Kind, To: in.To, Seen: in.Seen,
		Actor: in.Actor, Reason: in.Reason, Group: group,
	}
	earlier, done := c.begin(a.change.ID, in.Actor)
	defer done()
	if in.Kind == sources.Undo && in.Change == "" {
		if err := await(ctx, earlier); err != nil {
			return sources.Receipt{}, err
		}
	}
	if err := a.prepare(ctx); err != nil {
		return sources.Receipt{}, err
	}
	if run != nil {
		if a.judged = true; in.Kind != sources.Kill { // which needs nobody's permission
			a.change.Lease = run.token
		}
	} else if err := a.thaw(ctx); err != nil {
		return sources.Receipt{}, err
	} else if err := a.guard(ctx); err != nil {
		return sources.Receipt{}, err
	}
	a.change.Commit = a.commit
	return a.run(ctx)
}

// work is a change under way.
type work struct {
	actor string
	done  chan struct{}
}

// begin enters a change among those under way, and says which of the actor's
// were there before it.
func (c *Controller) begin(id, actor string) (earlier []*work, done func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range c.running {
		if w.actor == actor {
			earlier = append(earlier, w)
		}
	}
	w := &work{actor: actor, done: make(chan struct{})}
	c.running[id] = w
	return earlier, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.running, id)
		close(w.done)
	}
}

// await lets an undo of the last change see what the last change is: one that is
// still being written counts.
func await(ctx context.Context, earlier []*work) error {
	for _, w := range earlier {
		select {
		case <-w.done:
		case <-ctx.Done():
			return fmt.Errorf("your last change is still being written, so nothing was undone; press undo again: %w: %w", sources.ErrUnavailable, ctx.Err())
		}
	}
	return nil
}

func (c *Controller) isRunning(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.running[id] != nil
}

func (c *Controller) store(name string) (*Store, error) {
	for i := range c.opts.Stores {
		if c.opts.Stores[i].Name == name {
			return &c.opts.Stores[i], nil
		}
	}
	return nil, fmt.Errorf("nothing that can be changed is called %q: %w", sources.Clean(name, sources.MaxName), sources.ErrNotFound)
}

// writer is the store's driver for writing, or why there is none.
func (s *Store) writer(ctx context.Context) (sources.FlagWriter, error) {
	if s.ReadOnly {
		return nil, fmt.Errorf("%s is read-only, nothing was changed: %w", s.Name, sources.ErrReadOnly)
	}
	if b := s.switcher(); b != nil {
		return b, nil
	}
	if b := s.silencer(); b != nil {
		return b, nil
	}
	w, ok := s.Driver.(sources.FlagWriter)
	if ok {
		return w, nil
	}
	if l, ok := s.Driver.(sources.FlagLister); ok { // which may know why
		if set, err := l.Flags(ctx); err == nil && set.ReadOnly != "" {
			return nil, fmt.Errorf("%s cannot be changed from here, nothing was changed: %s: %w", s.Name, set.ReadOnly, sources.ErrUnsupported)
		}
	}
	return nil, fmt.Errorf("flags of %s cannot be changed through it: %w", s.Name, sources.ErrUnsupported)
}

// read is the flag as the store has it now.
func (s *Store) read(ctx context.Context, id sources.FlagID) (sources.Flag, error) {
	if b := s.switcher(); b != nil {
		return b.read(ctx, id.Key)
	}
	if b := s.silencer(); b != nil {
		return b.read(ctx, id.Key)
	}
	switch d := s.Driver.(type) {
	case sources.FlagGetter:
		return d.Flag(ctx, id)
	case sources.FlagLister:
		set, err := d.Flags(ctx)
		if err != nil {
			return sources.Flag{}, err
		}
		for i := range set.Flags {
			if set.Flags[i].ID == id {
				return set.Flags[i], nil
			}
		}
		return sources.Flag{}, fmt.Errorf("%s has no such flag: %w", s.Name, sources.ErrNotFound)
	default:
		return sources.Flag{}, fmt.Errorf("flags of %s cannot be read: %w", s.Name, sources.ErrUnsupported)
	}
}

// Stores is what the controller was made with: a copy.
func (c *Controller) Stores() []Store { return slices.Clone(c.opts.Stores) }
