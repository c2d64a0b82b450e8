package suspect

import (
	"math"
	"slices"
)

// segment is a stretch of points about one level.
type segment struct {
	from, to int     // points [from, to)
	mean     float64 // of the scaled logarithms
}

// leastRun is the shortest stretch, in points, that counts as a level: a single
// outlier is none.
const leastRun = 3

// segments cuts a series into levels. xs has no NaN. The penalty for a cut is
// Yao's, twice the logarithm of the length, times how much the points of a metric
// that is read in overlapping windows repeat each other.
func segments(xs []float64, redundancy float64) []segment {
	n := len(xs)
	if n < 2*leastRun {
		return nil
	}
	sum, square := make([]float64, n+1), make([]float64, n+1)
	for i, x := range xs {
		sum[i+1], square[i+1] = sum[i]+x, square[i]+x*x
	}
	penalty := 2 * math.Log(float64(n)) * max(redundancy, 1) * 1.5
	best, last := make([]float64, n+1), make([]int, n+1)
	best[0] = -penalty
	for i := 1; i < leastRun; i++ {
		best[i] = math.Inf(1)
	}
	inverse := make([]float64, n+1)
	for i := 1; i <= n; i++ {
		inverse[i] = 1 / float64(i)
	}
	open, costs := make([]int, 1, n), make([]float64, n) // where the last stretch may begin, and at what cost
	for end := leastRun; end <= n; end++ {
		least, from := math.Inf(1), 0
		for i, at := range open {
			d := sum[end] - sum[at] // the cost of a stretch is its variance about its mean
			c := best[at] + square[end] - square[at] - d*d*inverse[end-at]
			costs[i] = c
			if c < least {
				least, from = c, at
			}
		}
		best[end], last[end] = least+penalty, from
		kept := open[:0]
		for i, at := range open { // PELT's pruning: what is dearer now stays dearer
			if costs[i] <= best[end] {
				kept = append(kept, at)
			}
		}
		if open = kept; end-leastRun+1 >= leastRun {
			open = append(open, end-leastRun+1)
		}
	}
	var out []segment
	for end := n; end > 0; end = last[end] {
		from := last[end]
		out = append(out, segment{from: from, to: end, mean: (sum[end] - sum[from]) / float64(end-from)})
	}
	slices.Reverse(out)
	return out
}

// tame puts single outliers, points far from both of their neighbours, between these.
func tame(xs []float64, sigma float64) {
	const far = 6
	for i := 1; i+1 < len(xs); i++ {
		a, b, c := xs[i-1], xs[i], xs[i+1]
		if middle := max(min(a, b), min(max(a, b), c)); math.Abs(b-middle) > far*sigma {
			xs[i] = middle
		}
	}
}

// noise is the standard deviation of what moves from point to point, by the median
// of absolute differences, which a few shifts do not disturb; never 0. The second
// result is how many points in a row repeat each other, at least 1, by the lag at
// which the differences are as large as they get.
func noise(xs []float64) (sigma, redundancy float64) {
	spread := func(lag int) float64 {
		if len(xs) <= lag {
			return 0
		}
		diffs := make([]float64, 0, len(xs)-lag)
		for i := lag; i < len(xs); i++ {
			diffs = append(diffs, math.Abs(xs[i]-xs[i-lag]))
		}
		return median(diffs) / (0.6745 * math.Sqrt2)
	}
	const least = 0.01 // a logarithm that moves by less is 1 %: no metric is that still
	near := spread(1)
	sigma, redundancy = max(near, least), 1
	for lag := 2; lag <= 16; lag *= 2 {
		s := spread(lag)
		if s <= sigma*1.15 {
			break
		}
		sigma, redundancy = s, float64(lag)
	}
	return sigma, redundancy
}

// median of the values, which it sorts; 0 for none.
func median(xs []float64) float64 {
	if len(xs) == 0 {
		return 0
	}
	slices.Sort(xs)
	return (xs[(len(xs)-1)/2] + xs[len(xs)/2]) / 2
}
