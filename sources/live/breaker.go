package live

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"

	"relctl-tui/sources"
)

// trip is how many calls in a row must fail before a source is left alone.
const trip = 5

// breaker stands between the loops of one source and the source: after trip
// failures in a row no call goes through until the cool-down is over, then one,
// and with its success all of them again. It never stands in the way of a write.
//
// Calls that are under way count as failures until they are not, so that the
// source sees exactly trip of them however many loops it has.
type breaker struct {
	coolDown time.Duration
	now      func() time.Time
	after    func(time.Duration) <-chan time.Time
	spread   func(time.Duration) time.Duration
	tell     func(breakerChange) // called without a lock held

	mu       sync.Mutex
	cb       *gobreaker.TwoStepCircuitBreaker[struct{}]
	state    sources.BreakerState
	changed  bool // state is not told yet
	inFlight int
	began    time.Time     // of the wait
	wait     time.Duration // no call for so long after began
	freed    chan struct{} // closed when a call may have become possible
}

// breakerChange is what became of a breaker, and when it lets the next call through.
type breakerChange struct {
	state sources.BreakerState
	retry time.Time
}

func newBreaker(o *Options, tell func(breakerChange)) *breaker {
	b := &breaker{
		coolDown: o.CoolDown, now: o.Now, after: o.After, spread: o.Jitter, tell: tell,
		state: sources.BreakerClosed, freed: make(chan struct{}),
	}
	b.reset()
	return b
}

// reset closes the breaker. The caller holds b.mu, or is the only one to know b.
func (b *breaker) reset() {
	b.wait = 0
	b.cb = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		Timeout:     b.coolDown,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= trip },
		// What a source does not have proves nothing: a driver may know it without asking.
		IsExcluded:    func(err error) bool { return absent(err) || errors.Is(err, context.Canceled) },
		OnStateChange: func(_ string, _, to gobreaker.State) { b.turned(to) },
	})
	if b.state != sources.BreakerClosed {
		b.turned(gobreaker.StateClosed)
	}
}

// turned notes a change of state. b.mu is held: only calls made under it cause one.
func (b *breaker) turned(to gobreaker.State) {
	switch to {
	case gobreaker.StateOpen:
		b.state = sources.BreakerOpen
		b.hold(max(b.coolDown, b.spread(b.coolDown)))
	case gobreaker.StateHalfOpen:
		b.state = sources.BreakerHalfOpen
	default:
		b.state = sources.BreakerClosed
	}
	b.changed = true
}

func (b *breaker) hold(d time.Duration) { b.began, b.wait = b.now(), d }

// left is how much of the wait is left. A clock that was set back ends it: to wait
// longer than was meant would be to wait for ever.
func (b *breaker) left() time.Duration {
	if passed := b.now().Sub(b.began); passed >= 0 && passed < b.wait {
		return b.wait - passed
	}
	return 0
}

// admit waits until a call may be made; done takes what became of it and counts
// once. The only error is ctx's.
func (b *breaker) admit(ctx context.Context) (done func(error), err error) {
	for {
		done, wait, freed := b.try()
		if done != nil {
			return done, nil
		}
		var due <-chan time.Time
		if wait > 0 {
			due = b.after(wait)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-freed:
		case <-due:
		}
	}
}

// try admits a call, or says how long to wait and what may end the wait sooner.
func (b *breaker) try() (done func(error), wait time.Duration, freed <-chan struct{}) {
	b.mu.Lock()
	defer b.unlock()
	if left := b.left(); left > 0 {
		return nil, left, b.freed
	}
	failures := int(b.cb.Counts().ConsecutiveFailures)
	if b.cb.State() == gobreaker.StateClosed && b.inFlight > 0 && failures+b.inFlight >= trip {
		return nil, 0, b.freed
	}
	report, err := b.cb.Allow()
	switch {
	case errors.Is(err, gobreaker.ErrOpenState):
		return nil, time.Millisecond, b.freed // by its own clock the cool-down is just not over
	case err != nil:
		return nil, 0, b.freed // somebody else makes the one call
	}
	b.inFlight++
	var once sync.Once
	return func(err error) { once.Do(func() { b.done(report, err) }) }, 0, nil
}

func (b *breaker) done(report func(error), err error) {
	b.mu.Lock()
	defer b.unlock()
	b.inFlight--
	report(err)
	if rest, asked := sources.RetryAfter(err); asked && rest > b.left() {
		b.hold(rest)
	}
	b.release()
}

// release wakes whoever waits. The caller holds b.mu.
func (b *breaker) release() {
	close(b.freed)
	b.freed = make(chan struct{})
}

// trust closes the breaker: something else has shown that the source works.
func (b *breaker) trust() {
	b.mu.Lock()
	defer b.unlock()
	if b.state != sources.BreakerClosed {
		b.reset()
		b.release()
	}
}

// unlock gives b.mu back and then tells what changed under it.
func (b *breaker) unlock() {
	c, changed := breakerChange{state: b.state, retry: b.began.Add(b.wait)}, b.changed
	b.changed = false
	b.mu.Unlock()
	if changed {
		b.tell(c)
	}
}

// ownName is the breaker's row: whose it is and what it stands before.
func ownName(source string) string { return "relctl-tui/" + source }

// turned takes a change of the breaker around the i-th source.
func (s *state) turned(i int, c breakerChange, now time.Time) {
	st := s.sources[i]
	was := st.own
	st.own.State, st.own.OpenInstances, st.own.Note = c.state, 0, ""
	if c.state == sources.BreakerOpen {
		st.own.OpenInstances = 1
		st.own.Note = fmt.Sprintf("next try %s, after %d failures", c.retry.Format(time.TimeOnly), trip)
		if s.writable(st) {
			st.own.Note += "; keys still act"
		}
	}
	s.metricsDirty, s.dirty = true, true
	if (was.State == sources.BreakerClosed) == (c.state == sources.BreakerClosed) {
		return // a probe that failed is no news
	}
	st.own.Since = now
	s.transition(sources.KindBreaker, st.cfg.Name, ownName(st.cfg.Name), was.State.String(), c.state.String(), now)
}
