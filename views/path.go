package views

import (
	"math"
	"strings"

	"relctl-tui/sources"
)

// Mean is a mean time in words, Absent without one.
func Mean(v sources.Value) string {
	if !v.OK {
		return Absent
	}
	return ShortSeconds(sources.Quantile{Seconds: v.V, OK: true})
}

// Moved is by how much a time grew, with its sign; Absent where that is not known. What
// is too little to be seen is "0".
func Moved(v sources.Value) string {
	switch {
	case !v.OK:
		return Absent
	case math.Abs(v.V) < 5e-5:
		return "0"
	case v.V < 0:
		return "-" + ShortSeconds(sources.Quantile{Seconds: -v.V, OK: true})
	default:
		return "+" + ShortSeconds(sources.Quantile{Seconds: v.V, OK: true})
	}
}

// HopNote is what a call's numbers do not say, in words: cycle (it calls what called it),
// cut (its calls are not listed), parallel (they take longer than it does), shared (others
// call it too, and its own calls are averaged over all its callers).
func HopNote(h *sources.Hop) string {
	var words []string
	if h.Again {
		words = append(words, "cycle")
	}
	if h.Cut {
		words = append(words, "cut")
	}
	if h.Beside {
		words = append(words, "parallel")
	}
	if h.Shared {
		words = append(words, "shared")
	}
	return strings.Join(words, ", ")
}
