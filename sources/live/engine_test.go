package live_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"relctl-tui/sources"
	"relctl-tui/sources/live"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// metrics answers with whatever the test set.
type metrics struct {
	mu        sync.Mutex
	breakers  []sources.Breaker
	latencies []sources.Latency
	err       error
	reads     int
}

func (m *metrics) set(f func(*metrics)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f(m)
}

func (m *metrics) Breakers(context.Context) (sources.BreakerSet, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reads++
	return sources.BreakerSet{Breakers: m.breakers}, m.err
}

func (m *metrics) Latencies(context.Context) (sources.LatencySet, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return sources.LatencySet{Latencies: m.latencies}, m.err
}

func healthy() *metrics {
	return &metrics{
		breakers:  []sources.Breaker{{Source: "m", Name: "db", State: sources.BreakerClosed, ErrorRatio: sources.Some(0.1)}},
		latencies: []sources.Latency{{Source: "m", Name: "api", P99: sources.Quantile{Seconds: 0.2, OK: true}, Verdict: sources.VerdictOK, Rate: sources.Some(5.0)}},
	}
}

// flags is a store that can be watched; put hands out a new set. Its channel is
// made by Watch, because it has to belong to the simulated time.
type flags struct {
	ch  chan sources.FlagEvent
	set []sources.Flag
	rev int
}

func newFlags(keys ...string) *flags {
	f := &flags{}
	for _, k := range keys {
		f.set = append(f.set, flag(k, 10, "r0-"+k))
	}
	return f
}

func flag(key string, pct int, rev string) sources.Flag {
	return sources.Flag{
		ID: sources.FlagID{Source: "prod", Key: key}, Name: key, State: sources.FlagOn,
		Rollout: sources.Some(sources.Pct(pct)), Revision: sources.Revision(rev),
	}
}

func (f *flags) put(changed ...sources.Flag) {
	f.rev++
	next := append([]sources.Flag(nil), f.set...)
	for _, c := range changed {
		for i := range next {
			if next[i].ID == c.ID {
				next[i] = c
			}
		}
	}
	f.set = next
	f.ch <- sources.FlagEvent{Set: &sources.FlagSet{Source: "prod", Revision: sources.Revision(fmt.Sprint(f.rev)), Flags: next}}
}

func (f *flags) Watch(ctx context.Context, _ sources.Revision) (<-chan sources.FlagEvent, error) {
	f.ch = make(chan sources.FlagEvent, 100)
	f.put()
	out := make(chan sources.FlagEvent)
	go func() {
		defer close(out)
		for {
			select {
			case <-ctx.Done():
				return
			case ev := <-f.ch:
				select {
				case out <- ev:
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	return out, nil
}

// run starts an engine inside a bubble of simulated time and ends it afterwards.
func run(t *testing.T, opts live.Options, f func(t *testing.T, e *live.Engine)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		e := live.New(opts)
		done := make(chan error, 1)
		go func() { done <- e.Run(ctx) }()
		pass(time.Second / 10) // the first reads come as one burst
		f(t, e)
		cancel()
		require.NoError(t, <-done)
	})
}

// pass lets simulated time go by and everything settle.
func pass(d time.Duration) {
	<-time.After(d) // inside a synctest bubble this takes no time
	synctest.Wait()
}

func src(name string, driver any) live.Source {
	return live.Source{Name: name, Kind: "test", Driver: driver, Every: 5 * time.Second, Timeout: 2 * time.Second, Writable: true}
}

func TestBeforeAnythingIsReadThereIsASnapshotOfUnknowns(t *testing.T) {
	t.Parallel()
	e := live.New(live.Options{Context: "prod", Accent: "red", Sources: []live.Source{src("m", healthy())}})
	s := e.Snapshot()
	require.Equal(t, "prod", s.Context)
	require.Equal(t, "red", s.Accent)
	require.Equal(t, sources.Unknown, s.Source("m").Health)
	require.True(t, s.Source("m").Metrics)
	require.False(t, s.Source("m").Writable, "its driver cannot write")
	got, err := e.Next(t.Context(), 0)
	require.NoError(t, err)
	require.Same(t, s, got)
}

func TestAHungSourceDelaysNobody(t *testing.T) {
	t.Parallel()
	hung := &hang{}
	run(t, live.Options{Sources: []live.Source{src("hung", hung), src("m", healthy()), src("prod", newFlags("a"))}}, func(t *testing.T, e *live.Engine) {
		s := e.Snapshot()
		require.Equal(t, sources.Fresh, s.Source("m").Health)
		require.Len(t, s.Breakers, 1)
		require.Len(t, s.Flags, 1)
		pass(3 * time.Second)
		s = e.Snapshot()
		require.Equal(t, sources.Unknown, s.Source("hung").Health)
		require.Contains(t, s.Source("hung").Err, "no answer within 2s")
		pass(10 * time.Minute)
		require.Equal(t, sources.Fresh, e.Snapshot().Source("m").Health)
		close(hung.c) // so that the bubble can end
		synctest.Wait()
	})
}

// hang does not even look at its context.
type hang struct{ c chan struct{} }

func (h *hang) Breakers(context.Context) (sources.BreakerSet, error) {
	h.c = make(chan struct{})
	<-h.c
	return sources.BreakerSet{}, nil
}

func TestASourceThatFailsTenTimesAgesAndHealsWithoutAKey(t *testing.T) {
	t.Parallel()
	m := healthy()
	run(t, live.Options{Sources: []live.Source{src("m", m)}}, func(t *testing.T, e *live.Engine) {
		start := e.Snapshot()
		require.Equal(t, sources.Fresh, start.Source("m").Health)
		m.set(func(m *metrics) { m.err, m.reads = errors.New("connection refused\x1b[0m"), 0 })

		pass(16 * time.Second)
		s := e.Snapshot()
		require.Equal(t, sources.Stale, s.Source("m").Health)
		require.Equal(t, "connection refused∙[0m", s.Source("m").Err)
		require.Equal(t, sources.BreakerClosed, s.Breakers[0].State, "a stale source keeps its values")
		require.Equal(t, s.Source("m").LastOK.Add(15*time.Second), s.Source("m").Since)

		pass(2 * time.Minute)
		s = e.Snapshot()
		require.Equal(t, sources.Unknown, s.Source("m").Health)
		require.Equal(t, sources.Breaker{Source: "m", Name: "db"}, s.Breakers[0], "never the last colour")
		require.Equal(t, sources.Latency{Source: "m", Name: "api"}, s.Latencies[0])

		for { // as many failures as it takes
			m.mu.Lock()
			reads := m.reads
			m.mu.Unlock()
			if reads >= 10 {
				break
			}
			pass(time.Second)
		}
		m.set(func(m *metrics) { m.err = nil })
		pass(20 * time.Second)
		s = e.Snapshot()
		require.Equal(t, sources.Fresh, s.Source("m").Health)
		require.Empty(t, s.Source("m").Err)
		require.Equal(t, sources.BreakerClosed, s.Breakers[0].State)
		require.Equal(t, sources.Some(5.0), s.Latencies[0].Rate)
	})
}

func TestHealthIsPublishedByTheClockAlone(t *testing.T) {
	t.Parallel()
	f := newFlags("a")
	run(t, live.Options{Sources: []live.Source{src("prod", f)}}, func(t *testing.T, e *live.Engine) {
		pass(time.Hour)
		s := e.Snapshot()
		require.Equal(t, sources.Fresh, s.Source("prod").Health, "a watch in order does not age")
		f.ch <- sources.FlagEvent{Err: errors.New("file is gone")}
		synctest.Wait()
		s = e.Snapshot()
		require.Equal(t, "file is gone", s.Source("prod").Err)
		require.Equal(t, sources.Fresh, s.Source("prod").Health)
		for _, want := range []sources.Health{sources.Stale, sources.Unknown} {
			next, err := e.Next(t.Context(), s.Seq)
			require.NoError(t, err)
			require.Equal(t, want, next.Source("prod").Health)
			require.Len(t, next.Flags, 1)
			require.Equal(t, s.FlagsSeq, next.FlagsSeq)
			s = next
		}
		f.put()
		pass(time.Second / 10)
		require.Equal(t, sources.Fresh, e.Snapshot().Source("prod").Health)
	})
}

func TestAnIdleBoardGetsNoSnapshot(t *testing.T) {
	t.Parallel()
	m := healthy()
	run(t, live.Options{Sources: []live.Source{src("m", m), src("prod", newFlags("a", "b"))}}, func(t *testing.T, e *live.Engine) {
		pass(time.Second)
		before := e.Snapshot()
		pass(10 * time.Minute)
		require.Same(t, before, e.Snapshot())
		m.set(func(m *metrics) {
			m.breakers = []sources.Breaker{{Source: "m", Name: "db", State: sources.BreakerClosed, ErrorRatio: sources.Some(0.2)}}
		})
		pass(5 * time.Second)
		after := e.Snapshot()
		require.Equal(t, before.Seq+1, after.Seq)
		require.Equal(t, before.FlagsSeq, after.FlagsSeq)
		require.Same(t, &before.Flags[0], &after.Flags[0], "flags are shared, not copied")
		require.Equal(t, sources.TrendLen, after.Trends["api"].Len)
	})
}

func TestABurstIsGatheredAndTheFirstChangeGoesOutAtOnce(t *testing.T) {
	t.Parallel()
	f := newFlags("a")
	run(t, live.Options{Sources: []live.Source{src("prod", f)}}, func(t *testing.T, e *live.Engine) {
		pass(time.Second)
		before := e.Snapshot().Seq
		for i := range 50 {
			f.put(flag("a", i, fmt.Sprint("r", i+1)))
			pass(2 * time.Millisecond)
			if i == 0 {
				require.Equal(t, before+1, e.Snapshot().Seq)
			}
		}
		pass(100 * time.Millisecond)
		require.LessOrEqual(t, e.Snapshot().Seq-before, uint64(4))
		require.Equal(t, "49%", e.Snapshot().Flags[0].Brief())
	})
}

func TestAPanickingDriverIsItsSourcesErrorOnly(t *testing.T) {
	t.Parallel()
	run(t, live.Options{Sources: []live.Source{src("bad", panics{}), src("m", healthy())}}, func(t *testing.T, e *live.Engine) {
		s := e.Snapshot()
		require.Contains(t, s.Source("bad").Err, "driver failed (boom)")
		require.Equal(t, sources.Fresh, s.Source("m").Health)
	})
}

type panics struct{}

func (panics) Exposures(context.Context) (sources.ExposureSet, error) { panic("boom") }

func (panics) Watch(context.Context, sources.Revision) (<-chan sources.FlagEvent, error) {
	panic("boom")
}

func TestATransitionOfABreakerIsActivityAndStartsItsSince(t *testing.T) {
	t.Parallel()
	m := healthy()
	run(t, live.Options{Sources: []live.Source{src("m", m)}}, func(t *testing.T, e *live.Engine) {
		require.Zero(t, e.Snapshot().Breakers[0].Since, "nobody knows since when")
		m.set(func(m *metrics) {
			m.breakers = []sources.Breaker{{Source: "m", Name: "db", State: sources.BreakerOpen}}
		})
		pass(5 * time.Second)
		s := e.Snapshot()
		require.Len(t, s.Activity, 1)
		a := s.Activity[0]
		require.Equal(t, []string{"breaker", "db", "closed", "open"}, []string{a.Kind, a.Name, a.Old, a.New})
		require.Equal(t, a.At, s.Breakers[0].Since)
		pass(5 * time.Minute)
		require.Equal(t, a.At, e.Snapshot().Breakers[0].Since)
	})
}

func TestATrendHasAGapWhereTheLatencyWasAbsent(t *testing.T) {
	t.Parallel()
	m := healthy()
	run(t, live.Options{Sources: []live.Source{src("m", m)}}, func(t *testing.T, e *live.Engine) {
		m.set(func(m *metrics) {
			m.latencies = []sources.Latency{{Source: "m", Name: "api", Verdict: sources.VerdictNoTraffic}}
		})
		pass(5 * time.Second)
		m.set(func(m *metrics) {
			m.latencies = []sources.Latency{{Source: "m", Name: "api", P99: sources.Quantile{Seconds: 10, OK: true, Over: true}}}
		})
		pass(5 * time.Second)
		tr := e.Snapshot().Trends["api"]
		require.Equal(t, 3, tr.Len)
		require.InDelta(t, 0.2, tr.Points[0], 1e-6)
		require.True(t, math.IsNaN(float64(tr.Points[1])))
		require.InDelta(t, 10, tr.Points[2], 1e-6)
	})
}

func TestANudgeReadsNow(t *testing.T) {
	t.Parallel()
	m := healthy()
	run(t, live.Options{Sources: []live.Source{src("m", m)}}, func(t *testing.T, e *live.Engine) {
		m.set(func(m *metrics) { m.breakers = nil })
		e.Nudge("m")
		synctest.Wait()
		require.Empty(t, e.Snapshot().Breakers)
		e.Nudge("nobody")
	})
}

func TestNextEndsWithItsContext(t *testing.T) {
	t.Parallel()
	e := live.New(live.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := e.Next(ctx, e.Snapshot().Seq)
	require.ErrorIs(t, err, context.Canceled)
}

func TestRulesOfTheContextReachTheFlags(t *testing.T) {
	t.Parallel()
	own := sources.Ladder{sources.Pct(2), sources.Full}
	ctxLadder := sources.Ladder{sources.Pct(50)}
	opts := live.Options{
		Sources: []live.Source{src("prod", newFlags("a", "b"))}, Ladder: ctxLadder,
		Rules: map[string]live.FlagRule{"a": {Ladder: own, Metric: "api"}},
	}
	run(t, opts, func(t *testing.T, e *live.Engine) {
		s := e.Snapshot()
		require.Equal(t, own, s.Flags[0].Ladder)
		require.Equal(t, "api", s.Flags[0].Metric)
		require.Equal(t, ctxLadder, s.Flags[1].Ladder)
	})
}

// halting has its breakers at once and its latencies a second later.
type halting struct{ *metrics }

func (h halting) Latencies(ctx context.Context) (sources.LatencySet, error) {
	select {
	case <-time.After(time.Second):
		return h.metrics.Latencies(ctx)
	case <-ctx.Done():
		return sources.LatencySet{}, ctx.Err()
	}
}

func TestASourceIsHeardOnceAllItsPartsHaveAnswered(t *testing.T) {
	t.Parallel()
	run(t, live.Options{Sources: []live.Source{src("m", halting{healthy()}), src("prod", newFlags("a"))}}, func(t *testing.T, e *live.Engine) {
		require.Len(t, e.Snapshot().Breakers, 1, "a part of it is there")
		s := e.Heard(t.Context())
		require.Equal(t, sources.Fresh, s.Source("m").Health, "who asks how things stand is not told that it is unknown")
		require.Len(t, s.Latencies, 1)
	})
}
