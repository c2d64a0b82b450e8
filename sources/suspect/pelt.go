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

// start is where the last stretch may begin: at a point, with what all before it costs.
// Of two starts the earlier one can still win only for a level at which the points
// between cost less than the later start did; lo to hi is where that holds against every
// later start so far. It is the functional pruning of R. Maidstone, T. Hocking, G.
// Rigaill and P. Fearnhead ("On optimal multiple changepoint algorithms for large data",
// Statistics and Computing 27, 2017), kept as one interval: on a quiet series PELT alone
// keeps every start.
type start struct {
	at     int
	sum    float64 // of the points before
	base   float64 // least cost of what is before, less the sum of its squares
	cost   float64 // of what is before and the stretch up to the present end
	lo, hi float64
}

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
	open := make([]start, 1, 64)
	open[0] = start{base: best[0], lo: math.Inf(-1), hi: math.Inf(1)}
	for end := leastRun; end <= n; end++ {
		least, from := math.Inf(1), 0
		for i := range open {
			s := &open[i]
			d := sum[end] - s.sum // the cost of a stretch is its variance about its mean
			s.cost = s.base + square[end] - d*d*inverse[end-s.at]
			if s.cost < least {
				least, from = s.cost, s.at
			}
		}
		best[end], last[end] = least+penalty, from
		next := end - leastRun + 1
		kept := 0
		for i := range open { // PELT's pruning: what is dearer now stays dearer
			s := &open[i]
			if s.cost > best[end] || next >= leastRun && !s.against(sum[next], square[next], best[next], inverse[next-s.at]) {
				continue
			}
			if kept < i {
				open[kept] = *s
			}
			kept++
		}
		if open = open[:kept]; next >= leastRun {
			open = append(open, start{at: next, sum: sum[next], base: best[next] - square[next], lo: math.Inf(-1), hi: math.Inf(1)})
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

// against narrows the levels at which a start can still win by a later one, given the
// sums up to that, its least cost, and one over how many points lie between; false where
// no level is left.
func (s *start) against(sum, square, best, inverse float64) bool {
	mean := (sum - s.sum) * inverse
	reach := (best-s.base-square)*inverse + mean*mean // squared: a root is only worth it where it narrows
	if reach < 0 {
		return false
	}
	if d := mean - s.lo; d > 0 && reach < d*d {
		s.lo = mean - math.Sqrt(reach)
	}
	if d := s.hi - mean; d > 0 && reach < d*d {
		s.hi = mean + math.Sqrt(reach)
	}
	return s.lo <= s.hi
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
