package live_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/live"
)

// counted is a source of three parts that counts its calls and can be told to
// fail or to hang until its context ends.
type counted struct {
	mu    sync.Mutex
	err   error
	hangs bool
	calls []time.Time
}

func (c *counted) set(err error, hangs bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err, c.hangs, c.calls = err, hangs, nil
}

func (c *counted) call(ctx context.Context) error {
	c.mu.Lock()
	c.calls = append(c.calls, time.Now())
	err, hangs := c.err, c.hangs
	c.mu.Unlock()
	if hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	return err
}

func (c *counted) seen() []time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.calls)
}

func (c *counted) Breakers(ctx context.Context) (sources.BreakerSet, error) {
	return sources.BreakerSet{}, c.call(ctx)
}

func (c *counted) Latencies(ctx context.Context) (sources.LatencySet, error) {
	return sources.LatencySet{}, c.call(ctx)
}

func (c *counted) Exposures(ctx context.Context) (sources.ExposureSet, error) {
	return sources.ExposureSet{}, c.call(ctx)
}

var errDown = errors.New("connection refused")

// own is the row of the board's own breaker around a source.
func own(t *testing.T, e *live.Engine, source string) sources.Breaker {
	t.Helper()
	for _, b := range e.Snapshot().Own {
		if b.Source == source {
			require.True(t, b.Own)
			require.Equal(t, "relctl-tui/"+source, b.Name)
			return b
		}
	}
	require.Fail(t, "no breaker around "+source)
	return sources.Breaker{}
}

func TestASourceThatFailsGetsFiveCallsThenNoneUntilTheCoolDownThenOne(t *testing.T) {
	t.Parallel()
	for name, hangs := range map[string]bool{"refuses": false, "hangs": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &counted{}
			run(t, live.Options{Sources: []live.Source{src("m", c)}}, func(t *testing.T, e *live.Engine) {
				pass(7 * time.Second) // healthy at first, then at once on all its parts
				require.Equal(t, sources.BreakerClosed, own(t, e, "m").State)
				c.set(errDown, hangs)
				pass(14 * time.Second)
				require.Len(t, c.seen(), 5)
				row := own(t, e, "m")
				require.Equal(t, sources.BreakerOpen, row.State)
				require.Equal(t, 1, row.OpenInstances)
				require.Contains(t, row.Note, ", after 5 failures")
				require.NotZero(t, row.Since)

				for len(c.seen()) < 6 {
					pass(100 * time.Millisecond)
				}
				calls := c.seen()
				failed := calls[4]
				if hangs {
					failed = failed.Add(2 * time.Second) // it took its timeout to fail
				}
				require.GreaterOrEqual(t, calls[5].Sub(failed), 15*time.Second)
				require.Less(t, calls[5].Sub(failed), 25*time.Second)
				pass(10 * time.Second)
				require.Len(t, c.seen(), 6, "one probe at a time, however many parts wait")
				require.Equal(t, row.Since, own(t, e, "m").Since, "a probe that fails is no news")

				c.set(nil, false)
				pass(30 * time.Second)
				require.Equal(t, sources.BreakerClosed, own(t, e, "m").State)
				s := e.Snapshot().Source("m")
				require.Equal(t, sources.Fresh, s.Health)
				require.Empty(t, s.Err)
				require.Len(t, e.Snapshot().Activity, 1, "opened and closed is one line")
				require.Equal(t, "closed", e.Snapshot().Activity[0].New)
			})
		})
	}
}

// meagre is a source that knows of a part without asking that it does not have it.
type meagre struct{ counted }

func (*meagre) Budgets(context.Context) (sources.BudgetSet, error) {
	return sources.BudgetSet{}, sources.ErrUnsupported
}

func TestAPartThatASourceDoesNotHaveNeverPassesForASignThatItWorks(t *testing.T) {
	t.Parallel()
	c := &meagre{}
	c.set(errDown, false)
	run(t, live.Options{Sources: []live.Source{src("m", c)}}, func(t *testing.T, _ *live.Engine) {
		pass(10 * time.Minute)
		seen := c.seen()
		require.Greater(t, len(seen), 20, "probes go on")
		for i := 5; i < len(seen); i++ {
			require.GreaterOrEqual(t, seen[i].Sub(seen[i-1]), 15*time.Second, "call %d", i+1)
		}
	})
}

func TestWithTheProbeThatWorksAllOfASourceIsReadAtOnce(t *testing.T) {
	t.Parallel()
	c := &counted{err: errDown}
	run(t, live.Options{Sources: []live.Source{src("m", c)}}, func(t *testing.T, e *live.Engine) {
		pass(9 * time.Second)
		require.Equal(t, sources.BreakerOpen, own(t, e, "m").State)
		c.set(nil, false)
		for len(c.seen()) == 0 {
			pass(10 * time.Millisecond)
		}
		pass(100 * time.Millisecond)
		require.GreaterOrEqual(t, len(c.seen()), 3)
		require.Equal(t, sources.Fresh, e.Snapshot().Source("m").Health)
	})
}

func TestOneSuccessBetweenFailuresKeepsABreakerClosed(t *testing.T) {
	t.Parallel()
	l := &lister{}
	bad := &sometimes{lister: l}
	run(t, live.Options{Sources: []live.Source{src("prod", bad)}}, func(t *testing.T, e *live.Engine) {
		for range 400 {
			pass(time.Second)
			require.Equal(t, sources.BreakerClosed, own(t, e, "prod").State)
		}
		require.Greater(t, bad.calls.Load(), int32(20))
	})
}

// sometimes fails four times out of five, or always while it is down.
type sometimes struct {
	*lister
	calls atomic.Int32
	down  atomic.Bool
}

func (s *sometimes) Flags(ctx context.Context) (sources.FlagSet, error) {
	if s.calls.Add(1)%5 != 0 || s.down.Load() {
		return sources.FlagSet{}, errDown
	}
	return s.lister.Flags(ctx)
}

func TestAConfirmedWriteShowsThatAStoreWorksSoItIsReadAgain(t *testing.T) {
	t.Parallel()
	l := &lister{}
	store := &sometimes{lister: l}
	store.down.Store(true)
	run(t, live.Options{Sources: []live.Source{src("prod", store)}, CoolDown: time.Hour}, func(t *testing.T, e *live.Engine) {
		pass(2 * time.Minute)
		require.Equal(t, sources.BreakerOpen, own(t, e, "prod").State)
		store.calls.Store(4) // works with the next call
		store.down.Store(false)
		pass(10 * time.Minute)
		require.Equal(t, int32(4), store.calls.Load(), "the cool-down is an hour")
		e.Observe(ramp("01", "ana", "7", sources.Confirmed))
		pass(time.Second / 10)
		require.Equal(t, sources.BreakerClosed, own(t, e, "prod").State)
		require.Equal(t, sources.Fresh, e.Snapshot().Source("prod").Health)
	})
}

func TestAWatchThatCannotBeHadIsLeftAloneAfterFiveTries(t *testing.T) {
	t.Parallel()
	w := &noWatch{}
	run(t, live.Options{Sources: []live.Source{src("prod", w)}}, func(t *testing.T, e *live.Engine) {
		for own(t, e, "prod").State != sources.BreakerOpen {
			pass(time.Second)
		}
		require.Equal(t, int32(5), w.watches.Load())
		pass(14 * time.Second)
		require.Equal(t, int32(5), w.watches.Load())
		pass(time.Hour)
		require.Greater(t, w.watches.Load(), int32(100), "but never for good")
	})
}

type noWatch struct{ watches atomic.Int32 }

func (w *noWatch) Watch(context.Context, sources.Revision) (<-chan sources.FlagEvent, error) {
	w.watches.Add(1)
	return nil, errDown
}

func TestAWatchWithoutAFirstEventIsTold(t *testing.T) {
	t.Parallel()
	run(t, live.Options{Sources: []live.Source{src("prod", mute{})}}, func(t *testing.T, e *live.Engine) {
		pass(3 * time.Second)
		require.Contains(t, e.Snapshot().Source("prod").Err, "no answer within 2s")
	})
}

type mute struct{}

func (mute) Watch(ctx context.Context, _ sources.Revision) (<-chan sources.FlagEvent, error) {
	ch := make(chan sources.FlagEvent)
	go func() { <-ctx.Done(); close(ch) }()
	return ch, nil
}

func TestASourceThatAsksForRestGetsIt(t *testing.T) {
	t.Parallel()
	c := &counted{err: sources.WithRetryAfter(errDown, time.Minute)}
	run(t, live.Options{Sources: []live.Source{src("m", c)}}, func(t *testing.T, e *live.Engine) {
		pass(59 * time.Second)
		require.LessOrEqual(t, len(c.seen()), 3, "each of its parts asked before the first answer")
		c.set(nil, false)
		pass(2 * time.Second)
		require.Len(t, c.seen(), 3)
		require.Equal(t, sources.Fresh, e.Snapshot().Source("m").Health)
	})
}

func TestAClockThatIsSetBackDoesNotKeepASourceFromBeingRead(t *testing.T) {
	t.Parallel()
	var back atomic.Int64
	c := &counted{err: errDown}
	opts := live.Options{
		Sources: []live.Source{src("m", c)},
		Now:     func() time.Time { return time.Now().Add(-time.Duration(back.Load())) },
	}
	run(t, opts, func(t *testing.T, e *live.Engine) {
		pass(9 * time.Second)
		require.Equal(t, sources.BreakerOpen, own(t, e, "m").State)
		back.Store(int64(24 * time.Hour))
		c.set(nil, false)
		pass(30 * time.Second)
		require.Equal(t, sources.Fresh, e.Snapshot().Source("m").Health)
		c.set(errDown, false)
		back.Store(int64(48 * time.Hour))
		pass(40 * time.Second)
		require.Equal(t, sources.Stale, e.Snapshot().Source("m").Health, "data from the future is not fresh for ever")
	})
}

func TestALoopThatPanicsIsReportedAndStartedAgain(t *testing.T) {
	t.Parallel()
	var bombs atomic.Int32
	var reports atomic.Int32
	opts := live.Options{
		Sources: []live.Source{src("m", healthy()), src("prod", newFlags("a"))},
		Now: func() time.Time {
			if bombs.Add(-1) >= 0 {
				panic("no time")
			}
			return time.Now()
		},
		Crashed: func(value any, stack []byte) {
			if value == "no time" && len(stack) > 0 {
				reports.Add(1)
			}
		},
	}
	bombs.Store(0)
	run(t, opts, func(t *testing.T, e *live.Engine) {
		for range 20 { // whichever loop asks next for the time
			bombs.Store(1)
			pass(3 * time.Second)
		}
		require.GreaterOrEqual(t, reports.Load(), int32(10))
		pass(30 * time.Second)
		s := e.Snapshot()
		require.Equal(t, sources.Fresh, s.Source("m").Health)
		require.Equal(t, sources.Fresh, s.Source("prod").Health)
		require.Empty(t, s.Source("m").Err)
		synctest.Wait()
	})
}
