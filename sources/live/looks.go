package live

import (
	"context"
	"sync"
	"time"
)

const (
	// lookHolds is how long what was read for one who looks is given to others who look at
	// the same. It is less than the pause before anybody reads it again, so that one who
	// looks alone, or looks for what broke, never gets the answer of before.
	lookHolds = 5 * time.Second
	// turnHolds is the same of what is read because a state changed, which all boards
	// see in the same moment.
	turnHolds = 2 * time.Second
	maxLooks  = 256
)

// looks are the reads that are made only while somebody looks, each once however many
// look: a hundred sessions with one chart open cost its source what one costs. The zero
// value is ready; it is goroutine-safe.
type looks struct {
	mu    sync.Mutex
	known map[look]*looking
}

// look is what is asked of a source; of is a comparable question.
type look struct {
	source string
	of     any
}

// looking is one read, under way until done is closed.
type looking struct {
	done    chan struct{}
	waiting int                // how many want it
	cancel  context.CancelFunc // for when none does any more
	at      time.Time          // of the answer
	holds   time.Duration
	out     any
	err     error
}

// shareLook gives the answer that is under way or still holds, or asks. What it gives is
// shared: nobody may write to it. An answer that is an error is for those who wait for it
// alone. Ask goes on until it ends or nobody waits for it any more, and must not panic.
func shareLook[T any](ctx context.Context, l *looks, now func() time.Time, what look, holds time.Duration, ask func(context.Context) (T, error)) (T, error) {
	r := l.join(ctx, now, what, holds, func(ctx context.Context) (any, error) { return ask(ctx) })
	select {
	case <-r.done:
	case <-ctx.Done():
		l.leave(what, r)
		var none T
		return none, ctx.Err()
	}
	out, _ := r.out.(T) // the same question has an answer of the same type
	return out, r.err
}

// join is the read of that question, begun now unless there is one.
func (l *looks) join(ctx context.Context, now func() time.Time, what look, holds time.Duration, ask func(context.Context) (any, error)) *looking {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := now()
	if r := l.known[what]; r != nil && (r.at.IsZero() || r.fresh(at)) {
		r.waiting++
		return r
	}
	l.forget(at)
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r := &looking{done: make(chan struct{}), waiting: 1, cancel: cancel, holds: holds}
	if l.known == nil {
		l.known = map[look]*looking{}
	}
	l.known[what] = r
	go func() {
		defer cancel()
		out, err := ask(ctx)
		l.mu.Lock()
		r.out, r.err, r.at = out, err, now()
		if l.known[what] == r && err != nil {
			delete(l.known, what)
		}
		l.mu.Unlock()
		close(r.done)
	}()
	return r
}

func (r *looking) fresh(now time.Time) bool { return now.Sub(r.at).Abs() < r.holds }

// leave ends a read that nobody waits for any more.
func (l *looks) leave(what look, r *looking) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.waiting--; r.waiting > 0 || !r.at.IsZero() {
		return
	}
	r.cancel()
	if l.known[what] == r {
		delete(l.known, what)
	}
}

// forget drops what no longer holds, and when that is not enough whatever is done: it
// is only asked for again then.
func (l *looks) forget(now time.Time) {
	for what, r := range l.known {
		if !r.at.IsZero() && (!r.fresh(now) || len(l.known) >= maxLooks) {
			delete(l.known, what)
		}
	}
}
