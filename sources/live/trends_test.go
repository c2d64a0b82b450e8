package live_test

import (
	"context"
	"math"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/live"
)

// remembering is a source of metrics with a past.
type remembering struct {
	*metrics
	calls  atomic.Int32
	points atomic.Int32
	trends func(ctx context.Context, call int) (map[string][]float64, error)
}

func (r *remembering) Trends(ctx context.Context, points int, _ time.Duration) (map[string][]float64, error) {
	r.points.Store(int32(points))
	return r.trends(ctx, int(r.calls.Add(1)))
}

// values are a trend's points, oldest first.
func values(t sources.Trend) []float64 {
	var out []float64
	for n := range t.Len {
		out = append(out, float64(t.Points[(t.Head-t.Len+n+sources.TrendLen)%sources.TrendLen]))
	}
	return out
}

func latency(p99 float64) []sources.Latency {
	return []sources.Latency{{Source: "m", Name: "api", P99: sources.Quantile{Seconds: p99, OK: true}}}
}

// quick is a source that is read each second.
func quick(name string, driver any) live.Source {
	s := src(name, driver)
	s.Every = time.Second
	return s
}

func TestATrendBeginsWithWhatTheSourceRemembers(t *testing.T) {
	t.Parallel()
	r := &remembering{metrics: healthy(), trends: func(ctx context.Context, _ int) (map[string][]float64, error) {
		select { // one more read comes meanwhile
		case <-time.After(1500 * time.Millisecond):
			return map[string][]float64{"api": {0.5, math.NaN(), 0.75}, "gone": {1}}, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}
	run(t, live.Options{Sources: []live.Source{quick("m", r)}}, func(t *testing.T, e *live.Engine) {
		require.Len(t, e.Snapshot().Latencies, 1, "nothing waits for the past")
		require.Equal(t, 1, e.Snapshot().Trends["api"].Len)
		r.set(func(m *metrics) { m.latencies = latency(0.3) })
		pass(1600 * time.Millisecond)
		got := values(e.Snapshot().Trends["api"])
		require.Len(t, got, 4, "the past has the first read too, but not the second")
		require.InDelta(t, 0.5, got[0], 1e-6)
		require.True(t, math.IsNaN(got[1]))
		require.InDelta(t, 0.75, got[2], 1e-6)
		require.InDelta(t, 0.3, got[3], 1e-6)
		require.NotContains(t, e.Snapshot().Trends, "gone", "a latency that nobody measures has no trend")
		pass(10 * time.Minute)
		require.EqualValues(t, 1, r.calls.Load(), "asked once")
		require.EqualValues(t, sources.TrendLen, r.points.Load())
	})
}

func TestALongPastLeavesRoomForWhatWasSeenSince(t *testing.T) {
	t.Parallel()
	long := make([]float64, 500)
	for i := range long {
		long[i] = float64(i)
	}
	r := &remembering{metrics: healthy(), trends: func(context.Context, int) (map[string][]float64, error) {
		return map[string][]float64{"api": long}, nil
	}}
	run(t, live.Options{Sources: []live.Source{quick("m", r)}}, func(t *testing.T, e *live.Engine) {
		r.set(func(m *metrics) { m.latencies = latency(0.3) })
		pass(time.Second)
		got := values(e.Snapshot().Trends["api"])
		require.Len(t, got, sources.TrendLen)
		require.InDelta(t, 499, got[len(got)-2], 1e-6)
		require.InDelta(t, 0.3, got[len(got)-1], 1e-6)
	})
}

func TestASourceThatCannotTellItsPastIsReadAsEver(t *testing.T) {
	t.Parallel()
	for name, trends := range map[string]func(context.Context, int) (map[string][]float64, error){
		"fails":  func(context.Context, int) (map[string][]float64, error) { return nil, sources.ErrUnavailable },
		"panics": func(context.Context, int) (map[string][]float64, error) { panic("driver") },
		"hangs": func(ctx context.Context, _ int) (map[string][]float64, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &remembering{metrics: healthy(), trends: trends}
			run(t, live.Options{Sources: []live.Source{quick("m", r)}}, func(t *testing.T, e *live.Engine) {
				pass(time.Minute)
				require.EqualValues(t, 1, r.calls.Load())
				r.set(func(m *metrics) { m.latencies = latency(0.3) })
				pass(2 * time.Second)
				s := e.Snapshot()
				require.Equal(t, sources.Fresh, s.Source("m").Health)
				require.Empty(t, s.Source("m").Err)
				require.Equal(t, sources.TrendLen, s.Trends["api"].Len)
			})
		})
	}
}

func TestThePastIsAskedForWhenASourceThatWasDownComesBack(t *testing.T) {
	t.Parallel()
	r := &remembering{metrics: healthy(), trends: func(context.Context, int) (map[string][]float64, error) {
		return map[string][]float64{"api": {0.5, 0.6}}, nil
	}}
	r.err = sources.ErrUnavailable
	run(t, live.Options{Sources: []live.Source{quick("m", r)}}, func(t *testing.T, e *live.Engine) {
		pass(time.Minute)
		require.Zero(t, r.calls.Load(), "a source that is down is not asked")
		r.set(func(m *metrics) { m.err = nil })
		pass(time.Minute)
		require.InDelta(t, 0.5, values(e.Snapshot().Trends["api"])[0], 1e-6)
	})
}

func TestTwoSourcesOfOneLatencyNeverMixTheirPoints(t *testing.T) {
	t.Parallel()
	first, second := healthy(), healthy()
	second.set(func(m *metrics) { m.latencies = latency(9) })
	opts := live.Options{Sources: []live.Source{quick("a", first), quick("b", second)}, StaleAfter: 5 * time.Second, UnknownAfter: 10 * time.Second}
	run(t, opts, func(t *testing.T, e *live.Engine) {
		all := func(want float64) {
			t.Helper()
			for _, v := range values(e.Snapshot().Trends["api"]) {
				require.InDelta(t, want, v, 1e-6)
			}
		}
		pass(20 * time.Second)
		all(0.2)
		first.set(func(m *metrics) { m.err = sources.ErrUnavailable })
		pass(20 * time.Second)
		require.GreaterOrEqual(t, e.Snapshot().Trends["api"].Len, 20, "the other one's own past")
		all(9)
		first.set(func(m *metrics) { m.err = nil })
		pass(time.Minute)
		all(0.2)
	})
}

func TestManyEditsAreAFewReadsOfTheJournalAndTheLastStillFindsItsAuthor(t *testing.T) {
	t.Parallel()
	store, reads, known := &lister{}, atomic.Int32{}, atomic.Bool{}
	opts := live.Options{History: func() []sources.Activity {
		reads.Add(1)
		if !known.Load() {
			return nil
		}
		return []sources.Activity{{
			ID: "1", At: time.Now(), Kind: string(sources.Set), Flag: sources.FlagID{Source: "prod", Key: "a"}, Name: "a",
			Actor: "ben", New: "40%", Outcome: sources.Confirmed, Revision: "40",
		}}
	}}
	s := src("prod", store)
	s.Every = 10 * time.Millisecond
	opts.Sources = []live.Source{s}
	run(t, opts, func(t *testing.T, e *live.Engine) {
		pass(10 * time.Second)
		before := reads.Load()
		for n := range 40 {
			store.pct.Store(int32(n + 1))
			pass(25 * time.Millisecond)
		}
		require.LessOrEqual(t, reads.Load()-before, int32(5), "a second of edits")
		known.Store(true)
		pass(10 * time.Second)
		require.Equal(t, "ben", e.Snapshot().Flags[0].ChangedBy)
	})
}
