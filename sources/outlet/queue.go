package outlet

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"relctl-tui/sources"
)

// Event is one change that was made, confirmed or not.
type Event struct {
	sources.Activity
	Context string // the environment's name; "" for none
}

// Text is the event in one line of plain text.
func (e *Event) Text() string {
	who, why := e.Actor, ""
	if who == "" {
		who = "somebody"
	}
	if e.Reason != "" {
		why = " (" + e.Reason + ")"
	}
	if e.Outcome == sources.Unconfirmed {
		why += ", not confirmed"
	}
	return sources.Clean(fmt.Sprintf("%s: %s %s, %s to %s%s", who, e.Kind, e.Name, e.Old, e.New, why), maxText)
}

// maxText is the most runes of a line: what PagerDuty takes.
const maxText = 1000

// Outlet is one system that is told. It may be used by one goroutine at a time.
type Outlet interface {
	Name() string

	// Send tells of an event, once. ErrUnavailable means that it is worth another try.
	Send(ctx context.Context, e Event) error
}

// Completer is an Outlet that can also be told when a change was in force where flags are
// evaluated. The event is one that was sent, with Effective filled in.
type Completer interface {
	Complete(ctx context.Context, e Event) error
}

// Checker is an Outlet that can be asked whether it would take an event, without telling
// it of any.
type Checker interface {
	Check(ctx context.Context) error
}

// Options make a Queue.
type Options struct {
	Context string
	Pause   func(ctx context.Context, d time.Duration) // nil for a timer
	// Record is told what became of each event at each outlet; nil for nobody. It may be
	// called by several goroutines at once.
	Record func(e Event, outlet string, err error)
}

// The bounds of a Queue: events that wait for one outlet, tries for one event, the pause
// after the first of them, which doubles, and the longest one.
const (
	waiting    = 64
	tries      = 6
	firstPause = 500 * time.Millisecond
	lastPause  = 15 * time.Second
	remembered = 256
)

var (
	errFull  = fmt.Errorf("too many events wait already: %w", sources.ErrUnavailable)
	errEnded = fmt.Errorf("the program ended before it could be told: %w", sources.ErrUnavailable)
)

// item is what waits for an outlet.
type item struct {
	Event
	complete bool
}

// Queue tells its outlets of events, each in its own goroutine and in order. It is
// goroutine-safe. Nothing runs before the first event.
type Queue struct {
	outlets []Outlet
	opts    Options
	life    context.Context //nolint:containedctx // of the goroutines that tell
	end     context.CancelFunc
	wg      sync.WaitGroup

	mu     sync.Mutex
	lanes  []chan item // one for each outlet; nil before the first event
	closed bool
	sent   map[string]Event // by change, to be completed
	order  []string
	lost   []string
}

// New is a Queue for these outlets.
func New(outlets []Outlet, opts Options) *Queue {
	if opts.Pause == nil {
		opts.Pause = pause
	}
	q := &Queue{outlets: outlets, opts: opts, sent: map[string]Event{}}
	q.life, q.end = context.WithCancel(context.Background())
	return q
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// Observe takes up a change that came to its end: it never waits. What is still pending,
// or changed nothing, is not told.
func (q *Queue) Observe(a sources.Activity) {
	if a.ID == "" || a.Outcome != sources.Confirmed && a.Outcome != sources.Unconfirmed {
		return
	}
	e := Event{Activity: a, Context: q.opts.Context}
	q.mu.Lock()
	if _, again := q.sent[a.ID]; again {
		q.mu.Unlock()
		return
	}
	q.sent[a.ID] = e
	q.order = append(q.order, a.ID)
	if len(q.order) > remembered {
		delete(q.sent, q.order[0])
		q.order = q.order[1:]
	}
	q.mu.Unlock()
	q.put(item{Event: e}, func(Outlet) bool { return true })
}

// Effective takes up when a change was in force: it never waits.
func (q *Queue) Effective(change string, at time.Time) {
	q.mu.Lock()
	e, ok := q.sent[change]
	q.mu.Unlock()
	if !ok || !e.Effective.IsZero() {
		return
	}
	e.Effective = at
	q.put(item{Event: e, complete: true}, func(o Outlet) bool { _, can := o.(Completer); return can })
}

// put gives an item to the outlets that want it.
func (q *Queue) put(it item, wants func(Outlet) bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	if q.lanes == nil {
		q.start()
	}
	for i, o := range q.outlets {
		if !wants(o) {
			continue
		}
		select {
		case q.lanes[i] <- it:
		default:
			q.lose(it, o, errFull)
			go q.record(it, o, errFull) // the record may be a slow disk
		}
	}
}

// start runs a goroutine for each outlet. The caller holds the lock.
func (q *Queue) start() {
	for _, o := range q.outlets {
		lane := make(chan item, waiting)
		q.lanes = append(q.lanes, lane)
		q.wg.Go(func() {
			for it := range lane {
				err := q.tell(o, it)
				if err != nil {
					q.mu.Lock()
					q.lose(it, o, err)
					q.mu.Unlock()
				}
				q.record(it, o, err)
			}
		})
	}
}

// lose notes a loss and its reason. The caller holds the lock.
func (q *Queue) lose(it item, o Outlet, err error) {
	if len(q.lost) < waiting {
		why := sources.Sentence(err)
		for named := true; named; { // it is named in front already
			why, named = strings.CutPrefix(why, o.Name()+": ")
		}
		q.lost = append(q.lost, fmt.Sprintf("%s was not told of change %s (%s): %s", o.Name(), it.ID, it.Name, why))
	}
}

func (q *Queue) record(it item, o Outlet, err error) {
	if q.opts.Record != nil {
		q.opts.Record(it.Event, o.Name(), err)
	}
}

// tell tries until it works, cannot work, or was tried often enough.
func (q *Queue) tell(o Outlet, it item) error {
	wait := firstPause
	for try := 1; ; try++ {
		if q.life.Err() != nil {
			return errEnded
		}
		err := once(q.life, o, it)
		if err == nil || try == tries || !errors.Is(err, sources.ErrUnavailable) {
			return err
		}
		d := wait
		if after, ok := sources.RetryAfter(err); ok {
			d = max(d, after)
		}
		q.opts.Pause(q.life, min(d, lastPause))
		wait *= 2
	}
}

// once tells one outlet; a panic of it is its error.
func once(ctx context.Context, o Outlet, it item) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%s failed (%v): %w", o.Name(), p, sources.ErrInvalid)
		}
	}()
	if !it.complete {
		return o.Send(ctx, it.Event)
	}
	if c, ok := o.(Completer); ok {
		return c.Complete(ctx, it.Event)
	}
	return nil
}

// Close waits until everything was told, or until ctx is over, and gives a sentence for
// each event that was lost. Nothing is taken up any more.
func (q *Queue) Close(ctx context.Context) []string {
	q.mu.Lock()
	if !q.closed {
		q.closed = true
		for _, lane := range q.lanes {
			close(lane)
		}
	}
	q.mu.Unlock()
	done := make(chan struct{})
	go func() { q.wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
		q.end() // what still waits fails at once
		<-done
	}
	q.end()
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.lost
}
