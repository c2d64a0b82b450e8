package suspect

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// cheapest is the least cost of cutting a series, by trying every last stretch.
func cheapest(xs []float64, penalty float64) float64 {
	best := make([]float64, len(xs)+1)
	best[0] = -penalty
	for end := 1; end <= len(xs); end++ {
		best[end] = math.Inf(1)
		for at := 0; at+leastRun <= end; at++ {
			best[end] = min(best[end], best[at]+spread(xs[at:end])+penalty)
		}
	}
	return best[len(xs)]
}

// spread is the sum of squares about the mean.
func spread(xs []float64) (sum float64) {
	mean := 0.0
	for _, x := range xs {
		mean += x / float64(len(xs))
	}
	for _, x := range xs {
		sum += (x - mean) * (x - mean)
	}
	return sum
}

func TestWhatIsPrunedIsNeverMissed(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 9))
		xs := make([]float64, 2*leastRun+rng.IntN(120))
		level := 0.0
		for i := range xs {
			if rng.IntN(15) == 0 {
				level = 8 * rng.NormFloat64()
			}
			xs[i] = level + rng.NormFloat64()
		}
		segs := segments(xs, 1)
		penalty := 3 * math.Log(float64(len(xs)))
		cost, at := -penalty, 0
		for _, g := range segs {
			require.Equal(t, at, g.from)
			require.GreaterOrEqual(t, g.to-g.from, leastRun)
			cost, at = cost+spread(xs[g.from:g.to])+penalty, g.to
		}
		require.Equal(t, len(xs), at)
		require.InDelta(t, cheapest(xs, penalty), cost, 1e-6, "seed %d", seed)
	}
}
