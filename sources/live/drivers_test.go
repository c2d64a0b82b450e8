package live_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/live"
)

// exposures says what it is told to, or that the system has none.
type exposures struct {
	set sources.ExposureSet
	err error
}

func (x exposures) Exposures(context.Context) (sources.ExposureSet, error) { return x.set, x.err }

// brief hands out a watch that closes after its first set, which no watch should.
type brief struct{ watches atomic.Int32 }

func (b *brief) Watch(context.Context, sources.Revision) (<-chan sources.FlagEvent, error) {
	n := b.watches.Add(1)
	ch := make(chan sources.FlagEvent, 1)
	ch <- sources.FlagEvent{Set: &sources.FlagSet{Flags: []sources.Flag{flag("a", int(n), fmt.Sprint(n))}}}
	close(ch)
	return ch, nil
}

// lister is a store that can only be polled.
type lister struct{ pct atomic.Int32 }

func (l *lister) Flags(context.Context) (sources.FlagSet, error) {
	n := int(l.pct.Load())
	rev := fmt.Sprint(n)
	return sources.FlagSet{Revision: sources.Revision(rev), Flags: []sources.Flag{flag("a", n, rev)}}, nil
}

func TestAWatchThatBreaksOffIsStartedAgain(t *testing.T) {
	t.Parallel()
	b := &brief{}
	run(t, live.Options{Sources: []live.Source{src("prod", b)}}, func(t *testing.T, e *live.Engine) {
		require.Contains(t, e.Snapshot().Source("prod").Err, "broke off")
		pass(time.Minute)
		require.Greater(t, b.watches.Load(), int32(5))
		require.Len(t, e.Snapshot().Flags, 1)
	})
}

// moody is a watched store whose extra reads fail when told to.
type moody struct {
	*flags
	bad     atomic.Bool
	watches atomic.Int32
}

func (m *moody) Watch(ctx context.Context, from sources.Revision) (<-chan sources.FlagEvent, error) {
	m.watches.Add(1)
	return m.flags.Watch(ctx, from)
}

func (m *moody) Flags(context.Context) (sources.FlagSet, error) {
	if m.bad.Load() {
		return sources.FlagSet{}, fmt.Errorf("too slow: %w", sources.ErrUnavailable)
	}
	return sources.FlagSet{Flags: m.set}, nil
}

func TestAReadBesideTheWatchThatFailsOnceDoesNotMakeTheWatchedStoreStaleForGood(t *testing.T) {
	t.Parallel()
	m := &moody{flags: newFlags("a")}
	run(t, live.Options{Sources: []live.Source{src("prod", m)}}, func(t *testing.T, e *live.Engine) {
		m.bad.Store(true)
		e.Nudge("prod")
		pass(time.Second)
		require.Contains(t, e.Snapshot().Source("prod").Err, "too slow")
		m.bad.Store(false)
		pass(time.Hour) // nothing changes, so a quiet watch says nothing
		s := e.Snapshot().Source("prod")
		require.Equal(t, sources.Fresh, s.Health)
		require.Empty(t, s.Err)
		require.Equal(t, int32(2), m.watches.Load())
	})
}

func TestAReadBesideAWatchThatFailedIsNoReasonToTrustTheWatch(t *testing.T) {
	t.Parallel()
	m := &moody{flags: newFlags("a")}
	run(t, live.Options{Sources: []live.Source{src("prod", m)}}, func(t *testing.T, e *live.Engine) {
		m.ch <- sources.FlagEvent{Err: fmt.Errorf("gone: %w", sources.ErrNotFound)}
		synctest.Wait()
		e.Nudge("prod") // the file was there again for a moment
		pass(time.Second)
		require.Empty(t, e.Snapshot().Source("prod").Err)
		pass(time.Minute)
		require.Equal(t, sources.Stale, e.Snapshot().Source("prod").Health)
		m.put()
		pass(time.Hour)
		require.Equal(t, sources.Fresh, e.Snapshot().Source("prod").Health)
	})
}

func TestAPolledStoreIsReadAtOnceAfterOurOwnChange(t *testing.T) {
	t.Parallel()
	l := &lister{}
	run(t, live.Options{Sources: []live.Source{src("prod", l)}}, func(t *testing.T, e *live.Engine) {
		l.pct.Store(25)
		e.Observe(ramp("01", "ana", "25", sources.Confirmed))
		pass(100 * time.Millisecond)
		s := e.Snapshot()
		require.Equal(t, "25%", s.Flags[0].Brief())
		require.Equal(t, "ana", s.Flags[0].ChangedBy)
		require.Len(t, s.Activity, 1)
	})
}

func TestExposuresOfSeveralSourcesAreOneSetWithoutTheUnknownOnes(t *testing.T) {
	t.Parallel()
	old, young := time.Unix(100, 0), time.Unix(200, 0)
	a := exposures{set: sources.ExposureSet{ReadAt: young, ByKey: map[string]map[string]float64{"a": {"on": 0.25}, "both": {"on": 1}}}}
	b := exposures{set: sources.ExposureSet{ReadAt: old, ByKey: map[string]map[string]float64{"b": {"on": 0.5}, "both": {"on": 0}}}}
	none := exposures{err: fmt.Errorf("no such metric: %w", sources.ErrUnsupported)}
	run(t, live.Options{Sources: []live.Source{src("x", a), src("y", b), src("z", none)}}, func(t *testing.T, e *live.Engine) {
		s := e.Snapshot()
		require.Equal(t, sources.Some(0.25), s.Exposures.Exposure("a", "on"))
		require.Equal(t, sources.Some(0.5), s.Exposures.Exposure("b", "on"))
		require.Equal(t, sources.Some(1.0), s.Exposures.Exposure("both", "on"), "the first source wins")
		require.Equal(t, old, s.Exposures.ReadAt, "as old as the older")
		require.Empty(t, s.Source("z").Err, "not to have a thing is no failure")
		require.False(t, s.Source("z").Metrics)
	})
}

func TestAHistoryThatPanicsNamesNobodyAndStopsNothing(t *testing.T) {
	t.Parallel()
	f := newFlags("a")
	opts := live.Options{Sources: []live.Source{src("prod", f)}, History: func() []sources.Activity { panic("disk") }}
	run(t, opts, func(t *testing.T, e *live.Engine) {
		f.put(flag("a", 50, "r1"))
		pass(10 * time.Second)
		require.Len(t, e.Snapshot().Activity, 1)
	})
}

func TestAFlagThatComesOrGoesIsActivity(t *testing.T) {
	t.Parallel()
	f := newFlags("b", "c")
	run(t, live.Options{Sources: []live.Source{src("prod", f)}}, func(t *testing.T, e *live.Engine) {
		f.set = []sources.Flag{flag("a", 5, "r1"), f.set[0]}
		f.put()
		synctest.Wait()
		pass(100 * time.Millisecond)
		s := e.Snapshot()
		require.Len(t, s.Flags, 2)
		got := map[string]string{}
		for _, a := range s.Activity {
			got[a.Name] = a.Old + " > " + a.New
		}
		require.Equal(t, map[string]string{"a": " > 5%", "c": "10% > removed"}, got)
	})
}

func TestEveryReaderOfNextGetsEverySnapshotItIsQuickEnoughFor(t *testing.T) {
	t.Parallel()
	run(t, live.Options{}, func(t *testing.T, e *live.Engine) {
		ctx, cancel := context.WithCancel(t.Context())
		got := make(chan uint64, 100)
		for range 3 {
			go func() {
				for seq := uint64(0); ; {
					s, err := e.Next(ctx, seq)
					if err != nil {
						return
					}
					seq = s.Seq
					got <- seq
				}
			}()
		}
		synctest.Wait()
		for i := range 4 {
			e.Observe(ramp(fmt.Sprint(i), "ana", "", sources.Failed))
			pass(time.Second)
		}
		cancel()
		synctest.Wait()
		require.Len(t, got, 3*5)
	})
}

// BenchmarkMetricsTick is one changed metric beside 10,000 flags: reported are
// the bytes allocated, which must not grow with the flags.
func BenchmarkMetricsTick(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		b.Run(fmt.Sprintf("flags=%d", n), func(b *testing.B) {
			var keys []string
			for i := range n {
				keys = append(keys, fmt.Sprintf("flag-%05d", i))
			}
			m := healthy()
			now := time.Now()
			e := live.New(live.Options{
				Sources: []live.Source{src("prod", newFlags(keys...)), src("m", m)},
				Now:     func() time.Time { now = now.Add(time.Second); return now }, // no gathering
			})
			ctx, cancel := context.WithCancel(b.Context())
			done := make(chan error, 1)
			go func() { done <- e.Run(ctx) }()
			s := e.Snapshot()
			for len(s.Flags) < n || len(s.Breakers) == 0 {
				s, _ = e.Next(ctx, s.Seq)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				m.set(func(m *metrics) {
					m.breakers = []sources.Breaker{{Source: "m", Name: "db", State: sources.BreakerClosed, Rate: sources.Some(float64(i))}}
				})
				e.Nudge("m")
				s, _ = e.Next(ctx, s.Seq)
			}
			cancel()
			require.NoError(b, <-done)
		})
	}
}
