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

func TestATrendBeginsWithWhatTheSourceRemembers(t *testing.T) {
	t.Parallel()
	r := &remembering{metrics: healthy(), trends: func(ctx context.Context, _ int) (map[string][]float64, error) {
		select { // it takes longer than the first reads
		case <-time.After(1500 * time.Millisecond):
			return map[string][]float64{"api": {0.5, math.NaN(), 0.75}}, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}
	run(t, live.Options{Sources: []live.Source{src("m", r)}}, func(t *testing.T, e *live.Engine) {
		require.Len(t, e.Snapshot().Latencies, 1, "nothing waits for the past")
		require.Equal(t, 1, e.Snapshot().Trends["api"].Len)
		pass(3 * time.Second)
		got := values(e.Snapshot().Trends["api"])
		require.Len(t, got, 4)
		require.InDelta(t, 0.5, got[0], 1e-6)
		require.True(t, math.IsNaN(got[1]))
		require.InDelta(t, 0.75, got[2], 1e-6)
		require.InDelta(t, 0.2, got[3], 1e-6, "what was seen since comes last")
		pass(10 * time.Minute)
		require.EqualValues(t, 1, r.calls.Load(), "asked once")
		require.EqualValues(t, sources.TrendLen, r.points.Load())
	})
}

func TestASourceThatCannotTellItsPastIsAskedAgainAndHoldsNothingUp(t *testing.T) {
	t.Parallel()
	r := &remembering{metrics: healthy(), trends: func(_ context.Context, call int) (map[string][]float64, error) {
		switch call {
		case 1:
			return nil, sources.ErrUnavailable
		case 2:
			panic("driver")
		default:
			return map[string][]float64{"api": {0.5}}, nil
		}
	}}
	run(t, live.Options{Sources: []live.Source{src("m", r)}}, func(t *testing.T, e *live.Engine) {
		require.Equal(t, sources.Fresh, e.Snapshot().Source("m").Health)
		pass(3 * time.Minute)
		require.EqualValues(t, 3, r.calls.Load())
		require.InDelta(t, 0.5, values(e.Snapshot().Trends["api"])[0], 1e-6)
	})
}

func TestTwoSourcesOfOneLatencyDoNotMixTheirPoints(t *testing.T) {
	t.Parallel()
	first, second := healthy(), healthy()
	second.set(func(m *metrics) {
		m.latencies = []sources.Latency{{Source: "b", Name: "api", P99: sources.Quantile{Seconds: 9, OK: true}}}
	})
	run(t, live.Options{Sources: []live.Source{src("a", first), src("b", second)}}, func(t *testing.T, e *live.Engine) {
		pass(30 * time.Second)
		first.set(func(m *metrics) {
			m.latencies = []sources.Latency{{Source: "a", Name: "api", P99: sources.Quantile{Seconds: 0.3, OK: true}}}
		})
		pass(30 * time.Second)
		got := values(e.Snapshot().Trends["api"])
		for _, v := range got[2:] { // until the first has been read once, the second speaks
			require.Less(t, v, 1.0)
		}
	})
}
