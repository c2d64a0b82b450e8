// Package control is the one path by which anything is changed: check the rules,
// record the intent, write with compare-and-swap, read it back.
package control

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/journal"
)

// ErrUnconfirmed means that a change was written, or may have been, and could
// not be read back. The receipt that comes with it is filled in.
var ErrUnconfirmed = errors.New("not confirmed")

const (
	historyWindow = 1000            // entries that undo looks back over, per store
	maxSentence   = 500             // runes of a warning
	settleGrace   = time.Second     // to find out what became of a write when ctx has ended
	doubtTimeout  = 5 * time.Second // for all of InDoubt
	inFlight      = time.Minute     // a younger intent may be another process at work
	firstRetry    = 5 * time.Millisecond
	lastRetry     = 100 * time.Millisecond
)

// Store is one flag store and the journal that belongs to it. Driver is asked
// for FlagWriter, FlagGetter and FlagLister. A nil Journal records nothing, and
// then nothing can be undone.
type Store struct {
	Name     string
	Driver   any
	Journal  *journal.Journal
	ReadOnly bool
}

// Options make a Controller.
type Options struct {
	Stores   []Store
	ReadOnly bool                   // refuse every change
	Now      func() time.Time       // nil for time.Now
	NewID    func() string          // unique and sortable by time; nil for the default
	Observe  func(sources.Activity) // told of each change as it comes along; nil for nobody
}

// Controller changes flags. It is goroutine-safe and never makes one change wait
// for another: the store's compare-and-swap decides between them.
type Controller struct {
	opts    Options
	mu      sync.Mutex
	running map[string]bool // changes this process is working on
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
	return &Controller{opts: opts, running: map[string]bool{}}
}

// Do carries out an intent within ctx. It returns nil only when the change was
// written and read back, or when there was nothing to do (Receipt.Warning says
// so). Otherwise nothing was changed, except with ErrUnconfirmed. Kill ignores
// Seen and tries again on conflicts until ctx ends. For Undo, Intent.Flag is not
// looked at: Intent.Change names the change, and "" is the actor's last one in
// any store that is not undone yet.
func (c *Controller) Do(ctx context.Context, in sources.Intent) (sources.Receipt, error) {
	if c.opts.ReadOnly {
		return sources.Receipt{}, fmt.Errorf("this session is read-only, nothing was changed: %w", sources.ErrReadOnly)
	}
	a := &attempt{c: c, intent: in}
	a.change = sources.Change{
		ID: c.opts.NewID(), Flag: in.Flag, Kind: in.Kind, To: in.To, Seen: in.Seen,
		Actor: in.Actor, Reason: in.Reason,
	}
	if err := a.prepare(ctx); err != nil {
		return sources.Receipt{}, err
	}
	a.change.Commit = a.commit
	c.track(a.change.ID, true)
	defer c.track(a.change.ID, false)
	return a.run(ctx)
}

func (c *Controller) track(id string, on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if on {
		c.running[id] = true
		return
	}
	delete(c.running, id)
}

func (c *Controller) isRunning(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.running[id]
}

func (c *Controller) store(name string) (*Store, error) {
	for i := range c.opts.Stores {
		if c.opts.Stores[i].Name == name {
			return &c.opts.Stores[i], nil
		}
	}
	return nil, fmt.Errorf("no flag store is called %q: %w", sources.Clean(name, sources.MaxName), sources.ErrNotFound)
}

// writer is the store's driver for writing, or why there is none.
func (s *Store) writer() (sources.FlagWriter, error) {
	if s.ReadOnly {
		return nil, fmt.Errorf("%s is read-only, nothing was changed: %w", s.Name, sources.ErrReadOnly)
	}
	w, ok := s.Driver.(sources.FlagWriter)
	if !ok {
		return nil, fmt.Errorf("flags of %s cannot be changed through it: %w", s.Name, sources.ErrUnsupported)
	}
	return w, nil
}

// read is the flag as the store has it now.
func (s *Store) read(ctx context.Context, id sources.FlagID) (sources.Flag, error) {
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
