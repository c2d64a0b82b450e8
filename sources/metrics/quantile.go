package metrics

import (
	"cmp"
	"math"
	"slices"

	"relctl-tui/sources"
)

// Bucket is one bucket of a classic histogram: how many observations a second
// were at most Upper (cumulative). Upper is +Inf for the last.
type Bucket struct{ Upper, Count float64 }

// Span is one bucket of a native histogram: how many observations a second lie
// between Lower and Upper (not cumulative).
type Span struct{ Lower, Upper, Count float64 }

// Hist is one group of histograms, summed. It has the one form or the other.
type Hist struct {
	Labels  Labels
	Classic []Bucket // ascending by Upper
	Native  []Span   // ascending by Lower
}

// Interpolation is how a quantile is placed within a native bucket.
type Interpolation int

// The interpolations. Prometheus 3 and later place a quantile on the bucket's
// logarithmic scale, Prometheus 2 on a straight line; at the usual resolution
// the two are less than half a percent apart.
const (
	Exponential Interpolation = iota
	Linear
)

// Total is the observations per second.
func (h *Hist) Total() float64 {
	if len(h.Native) > 0 {
		sum := 0.0
		for _, s := range h.Native {
			sum += s.Count
		}
		return sum
	}
	if n := len(h.Classic); n > 0 {
		return h.Classic[n-1].Count
	}
	return 0
}

// add merges another histogram of the same metric. Classic bounds that only one
// side has are summed as Prometheus does: each bound on its own.
func (h *Hist) add(o *Hist) {
	h.Classic = mergeSorted(h.Classic, o.Classic, func(b Bucket) float64 { return b.Upper },
		func(a, b Bucket) Bucket { return Bucket{a.Upper, a.Count + b.Count} })
	h.Native = mergeSorted(h.Native, o.Native, func(s Span) float64 { return s.Lower },
		func(a, b Span) Span { return Span{a.Lower, max(a.Upper, b.Upper), a.Count + b.Count} })
}

func mergeSorted[T any](a, b []T, key func(T) float64, sum func(T, T) T) []T {
	if len(b) == 0 {
		return a
	}
	out := make([]T, 0, max(len(a), len(b)))
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		switch cmp.Compare(key(a[i]), key(b[j])) {
		case -1:
			out = append(out, a[i])
			i++
		case 1:
			out = append(out, b[j])
			j++
		default:
			out = append(out, sum(a[i], b[j]))
			i, j = i+1, j+1
		}
	}
	return append(append(out, a[i:]...), b[j:]...)
}

// Quantile is the q-quantile (0..1) in the histogram's own unit: absent without
// observations, Over when it lies above the last finite bound. A native
// histogram is preferred where both forms were filled.
func (h *Hist) Quantile(q float64, in Interpolation) sources.Quantile {
	if len(h.Native) > 0 {
		return nativeQuantile(q, h.Native, in)
	}
	return classicQuantile(q, h.Classic)
}

// classicQuantile follows Prometheus's histogram_quantile: linear within a
// bucket, the lowest bucket starting at 0 when its bound is positive.
func classicQuantile(q float64, buckets []Bucket) sources.Quantile {
	n := len(buckets)
	if n < 2 || !math.IsInf(buckets[n-1].Upper, 1) || math.IsNaN(q) ||
		slices.ContainsFunc(buckets, func(b Bucket) bool { return math.IsNaN(b.Count) }) {
		return sources.Quantile{} // Prometheus would name some bound
	}
	b := monotonic(buckets)
	total := b[n-1].Count
	if !(total > 0) || math.IsInf(total, 0) {
		return sources.Quantile{}
	}
	rank := min(max(q, 0), 1) * total
	i, _ := slices.BinarySearchFunc(b[:n-1], rank, func(b Bucket, r float64) int {
		if b.Count >= r {
			return 1
		}
		return -1
	})
	switch {
	case i == n-1:
		return sources.Quantile{Seconds: b[n-2].Upper, OK: true, Over: true}
	case i == 0 && b[0].Upper <= 0:
		return sources.Quantile{Seconds: b[0].Upper, OK: true}
	}
	start, below := 0.0, 0.0
	if i > 0 {
		start, below = b[i-1].Upper, b[i-1].Count
	}
	in := b[i].Count - below
	if in <= 0 { // only rank 0 of an empty bucket gets here
		return sources.Quantile{Seconds: start, OK: true}
	}
	// Rounding must not push it over the bound, which may be the SLO.
	return sources.Quantile{Seconds: min(b[i].Upper, start+(b[i].Upper-start)*(rank-below)/in), OK: true}
}

// monotonic repairs what a scrape in the middle of an update, or summing
// histograms of different bounds, leaves behind.
func monotonic(in []Bucket) []Bucket {
	out := slices.Clone(in)
	high := 0.0
	for i := range out {
		if out[i].Count > high {
			high = out[i].Count
		}
		out[i].Count = high
	}
	return out
}

func nativeQuantile(q float64, spans []Span, in Interpolation) sources.Quantile {
	total := 0.0
	for _, s := range spans {
		if s.Count > 0 {
			total += s.Count
		}
	}
	if !(total > 0) || math.IsInf(total, 0) || math.IsNaN(q) {
		return sources.Quantile{}
	}
	rank, seen := min(max(q, 0), 1)*total, 0.0
	var last Span
	for _, s := range spans {
		if !(s.Count > 0) {
			continue
		}
		last = s
		if seen+s.Count >= rank {
			break
		}
		seen += s.Count
	}
	fraction := min(1, max(0, (rank-seen)/last.Count))
	return place(last, fraction, in)
}

// place is the value at a fraction of a native bucket. Latencies are never
// negative, so a zero bucket that reaches below 0 starts at 0.
func place(s Span, fraction float64, in Interpolation) sources.Quantile {
	if math.IsInf(s.Upper, 1) {
		return sources.Quantile{Seconds: max(0, s.Lower), OK: true, Over: true}
	}
	lower := s.Lower
	if lower < 0 && s.Upper > 0 {
		lower = 0
	}
	if in == Exponential && lower > 0 {
		lo, hi := math.Log2(lower), math.Log2(s.Upper)
		return sources.Quantile{Seconds: min(s.Upper, math.Exp2(lo+(hi-lo)*fraction)), OK: true}
	}
	return sources.Quantile{Seconds: min(s.Upper, lower+(s.Upper-lower)*fraction), OK: true}
}

// Normalise sorts the buckets and sums bounds that are there twice ("1" and
// "1.0"). Quantile needs it once after buckets were appended in any order.
func (h *Hist) Normalise() {
	slices.SortFunc(h.Native, func(a, b Span) int { return cmp.Compare(a.Lower, b.Lower) })
	slices.SortFunc(h.Classic, func(a, b Bucket) int { return cmp.Compare(a.Upper, b.Upper) })
	out := h.Classic[:0]
	for _, b := range h.Classic {
		if n := len(out); n > 0 && out[n-1].Upper == b.Upper {
			out[n-1].Count += b.Count
			continue
		}
		out = append(out, b)
	}
	h.Classic = out
}
