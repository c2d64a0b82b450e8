package metrics_test

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
)

var inf = math.Inf(1)

func TestClassicQuantiles(t *testing.T) {
	t.Parallel()
	b := func(pairs ...float64) (out []metrics.Bucket) {
		for i := 0; i < len(pairs); i += 2 {
			out = append(out, metrics.Bucket{Upper: pairs[i], Count: pairs[i+1]})
		}
		return out
	}
	absent := sources.Quantile{}
	for name, c := range map[string]struct {
		buckets []metrics.Bucket
		q       float64
		want    sources.Quantile
	}{
		"the first bucket begins at 0":      {b(1, 10, inf, 10), 0.5, sources.Quantile{Seconds: 0.5, OK: true}},
		"linear within a bucket":            {b(1, 50, 2, 100, inf, 100), 0.75, sources.Quantile{Seconds: 1.5, OK: true}},
		"above the last bound is over":      {b(1, 50, inf, 100), 0.99, sources.Quantile{Seconds: 1, OK: true, Over: true}},
		"a bound below 0 is taken as it is": {b(-1, 10, 1, 10, inf, 10), 0.5, sources.Quantile{Seconds: -1, OK: true}},
		"no observations":                   {b(1, 0, inf, 0), 0.5, absent},
		"NaN":                               {b(1, math.NaN(), inf, math.NaN()), 0.5, absent},
		"NaN in one bucket":                 {b(1, 5, 2, math.NaN(), inf, 10), 0.5, absent},
		"no infinite bucket":                {b(1, 1, 2, 2), 0.5, absent},
		"only the infinite bucket":          {b(inf, 5), 0.5, absent},
		"nothing":                           {nil, 0.5, absent},
		"a dip is levelled":                 {b(1, 50, 2, 40, 3, 100, inf, 100), 0.75, sources.Quantile{Seconds: 2.5, OK: true}},
		"the smallest":                      {b(1, 0, 2, 10, inf, 10), 0, sources.Quantile{Seconds: 0, OK: true}},
		"rounding stays in its bucket":      {b(0.1, 0, 0.5, 3, inf, 3), 1, sources.Quantile{Seconds: 0.5, OK: true}},
		"infinite counts":                   {b(1, inf, inf, inf), 0.5, absent},
	} {
		h := metrics.Hist{Classic: c.buckets}
		require.Equal(t, c.want, h.Quantile(c.q, metrics.Exponential), name)
	}
}

func TestNativeQuantiles(t *testing.T) {
	t.Parallel()
	h := metrics.Hist{Native: []metrics.Span{{Lower: -0.001, Upper: 0.001, Count: 10}, {Lower: 1, Upper: 4, Count: 80}, {Lower: 4, Upper: inf, Count: 10}}}
	require.InDelta(t, 2, h.Quantile(0.5, metrics.Exponential).Seconds, 1e-12)
	require.InDelta(t, 2.5, h.Quantile(0.5, metrics.Linear).Seconds, 1e-12)
	require.InDelta(t, 0.0005, h.Quantile(0.05, metrics.Exponential).Seconds, 1e-12)
	require.Equal(t, sources.Quantile{Seconds: 4, OK: true, Over: true}, h.Quantile(0.99, metrics.Linear))
	require.InDelta(t, 100, h.Total(), 1e-12)

	empty := metrics.Hist{Native: []metrics.Span{{Lower: 1, Upper: 2}}}
	require.Equal(t, sources.Quantile{}, empty.Quantile(0.5, metrics.Linear))
}

// The same values, put into buckets, give quantiles that never fall as q rises
// and lie in the bucket of the true quantile.
func TestQuantilesLieInTheBucketOfTheTruth(t *testing.T) {
	t.Parallel()
	bounds := []float64{0.01, 0.1, 0.5, 1, 5}
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(0, 4.99), 1, 200).Draw(t, "values")
		slices.Sort(values)
		var h metrics.Hist
		for _, up := range append(slices.Clone(bounds), inf) {
			n := 0
			for _, v := range values {
				if v <= up {
					n++
				}
			}
			h.Classic = append(h.Classic, metrics.Bucket{Upper: up, Count: float64(n)})
		}
		last := 0.0
		for _, q := range []float64{0.1, 0.5, 0.9, 0.95, 0.99, 1} {
			got := h.Quantile(q, metrics.Linear)
			require.True(t, got.OK)
			require.GreaterOrEqual(t, got.Seconds, last)
			last = got.Seconds
			truth := values[int(math.Ceil(q*float64(len(values))))-1]
			i, _ := slices.BinarySearch(bounds, truth)
			require.LessOrEqual(t, got.Seconds, bounds[i])
			if i > 0 {
				require.GreaterOrEqual(t, got.Seconds, bounds[i-1])
			}
		}
	})
}

func BenchmarkQuantilesOf50Services(b *testing.B) {
	h := metrics.Hist{}
	for i := range 14 {
		h.Classic = append(h.Classic, metrics.Bucket{Upper: float64(i + 1), Count: float64(10 * i)})
	}
	h.Classic = append(h.Classic, metrics.Bucket{Upper: inf, Count: 150})
	b.ReportAllocs()
	for b.Loop() {
		for range 50 {
			_ = h.Quantile(0.5, metrics.Linear)
			_ = h.Quantile(0.95, metrics.Linear)
			_ = h.Quantile(0.99, metrics.Linear)
		}
	}
}
