package suspect

import (
	"math"
	"slices"
	"time"
)

// Series is one metric over the time that is looked at. Points are equally spaced;
// NaN is a gap. Larger is worse.
type Series struct {
	Name    string // as people call it: "payment API p99"
	Service string // whose it is
	Unit    string // as sources.Amount has it: "s" for seconds, "" for a ratio, "breaker" for a state
	Start   time.Time
	Step    time.Duration
	Points  []float64
	Limit   float64  // above it the metric breaches; 0 for none
	Rate    float64  // requests per second of the service; 0 when unknown
	Calls   []string // services that this one calls
}

// At is the moment of a point.
func (s *Series) At(i int) time.Time { return s.Start.Add(time.Duration(i) * s.Step) }

// Onset is when a breaching metric left its level.
type Onset struct {
	Series        int       // index of the series
	At            time.Time // when it began to rise
	Until         time.Time // when it was back; zero while it is not
	Before, After float64   // the levels, in the metric's unit
	rises         []rise
	falls         []time.Time
}

// rise is one step of a metric on its way up, with its share of the whole way.
type rise struct {
	at    time.Time
	share float64
}

// The bounds of what counts as a breach for a metric without a limit: its level has
// at least to double, and by more than its noise could explain.
const (
	doubled   = 0.69 // of the logarithm
	noiseless = 6    // standard deviations
)

// least is added to ratios and to times, in their unit, before the logarithm is
// taken: below it a metric is as good as 0, and no multiple of it means anything.
const least = 1e-3

// onset finds the last breach of a series; false when there is none.
func onset(index int, s *Series) (Onset, bool) {
	xs, where := logs(s)
	if len(xs) < 4*leastRun {
		return Onset{}, false
	}
	sigma, redundancy := noise(xs)
	tame(xs, sigma)
	scaled := make([]float64, len(xs))
	for i, x := range xs {
		scaled[i] = x / sigma
	}
	segs := segments(scaled, redundancy)
	usual := level(segs)
	bad := func(g *segment) bool { return breaches(s, g.mean*sigma, usual*sigma, sigma) }
	last := len(segs) - 1
	for last >= 0 && !bad(&segs[last]) {
		last--
	}
	if last < 0 {
		return Onset{}, false
	}
	first := last
	for first > 0 && bad(&segs[first-1]) {
		first--
	}
	// A slow rise is a staircase, of which only the upper steps breach.
	for first > 1 && segs[first-1].mean > segs[first-2].mean+1 && segs[first-1].mean > usual+noiseless/2 {
		first--
	}
	if first == 0 {
		return Onset{}, false // it was so from the beginning: nothing here began it
	}
	began := climb(scaled, &segs[first-1], segs[first].from)
	o := Onset{Series: index, At: s.At(where[began]), Before: math.Exp(segs[first-1].mean*sigma) - least}
	top := first
	for i := first; i <= last; i++ {
		if segs[i].mean > segs[top].mean {
			top = i
		}
	}
	o.After = math.Exp(segs[top].mean*sigma) - least
	whole := segs[top].mean - segs[first-1].mean
	for i := first; i <= last; i++ {
		if up := segs[i].mean - segs[i-1].mean; up > 0 {
			at := segs[i].from
			if i == first {
				at = began
			}
			o.rises = append(o.rises, rise{at: s.At(where[at]), share: up / whole})
		} else if -up > whole/3 {
			o.falls = append(o.falls, s.At(where[segs[i].from]))
		}
	}
	if last+1 < len(segs) {
		o.Until = s.At(where[segs[last+1].from])
		o.falls = append(o.falls, o.Until)
	}
	return o, true
}

// climb is the first point of a rise whose level begins at point top: what a window
// smears, and the foot of a slow rise, belong to it and not to the level before.
func climb(xs []float64, before *segment, top int) int {
	for top-1 > before.from && xs[top-1] > before.mean+1 {
		top--
	}
	return top
}

// logs is the logarithm of what is there of a series, and which points those are.
func logs(s *Series) (xs []float64, where []int) {
	xs, where = make([]float64, 0, len(s.Points)), make([]int, 0, len(s.Points))
	for i, v := range s.Points {
		if v >= 0 && !math.IsInf(v, 0) {
			xs, where = append(xs, math.Log(v+least)), append(where, i)
		}
	}
	return xs, where
}

// level is where a series usually is: the level that it is at or below for a third of the time,
// so that an incident of half an hour is not taken for the rule.
func level(segs []segment) float64 {
	sorted := slices.Clone(segs)
	slices.SortFunc(sorted, func(a, b segment) int {
		switch {
		case a.mean < b.mean:
			return -1
		case a.mean > b.mean:
			return 1
		default:
			return 0
		}
	})
	all := 0
	for _, g := range sorted {
		all += g.to - g.from
	}
	seen := 0
	for _, g := range sorted {
		if seen += g.to - g.from; 3*seen >= all {
			return g.mean
		}
	}
	return 0
}

// breaches tells whether a level is bad, given what is usual; all three are
// logarithms.
func breaches(s *Series, mean, usual, sigma float64) bool {
	if s.Limit > 0 {
		return mean > math.Log(s.Limit+least)
	}
	return mean-usual > doubled && mean-usual > noiseless*sigma
}
