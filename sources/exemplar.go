package sources

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// ExemplarReader reads single calls that were kept as examples of a latency. It is asked
// for the latency that somebody looks at, and never at each refresh.
type ExemplarReader interface {
	// Exemplars reads the slowest calls of which a trace is named. ErrNotFound means that
	// the source measures no such latency; that none was kept is no error.
	Exemplars(ctx context.Context, q ExemplarQuery) (ExemplarSet, error)
}

// ExemplarQuery names a latency and a span that ends now. It can be compared with ==.
type ExemplarQuery struct {
	Latency string
	Span    time.Duration
}

// Check is ErrInvalid where q is outside of the bounds or names nothing.
func (q ExemplarQuery) Check() error {
	if q.Latency == "" || q.Span < MinSeriesSpan || q.Span > MaxSeriesSpan {
		return fmt.Errorf("exemplars are of one latency over %s to %s: %w", MinSeriesSpan, MaxSeriesSpan, ErrInvalid)
	}
	return nil
}

// MaxExemplars bounds the exemplars that are kept.
const MaxExemplars = 5

// Exemplar is one call that was measured.
type Exemplar struct {
	TraceID string // cleaned, never ""
	Seconds float64
	At      time.Time // when it was measured; zero where that is not said
}

// ExemplarSet is what a source says of exemplars: the slowest first, each trace once.
type ExemplarSet struct {
	Source    string
	Exemplars []Exemplar
	Note      string // why there are none, or what they lack; "" where nothing is to be said
	ReadAt    time.Time
}

// traceLabels are the labels that can hold the ID of a trace.
var traceLabels = []string{"trace_id", "traceID", "traceId", "TraceID", "traceid"}

// TraceOf is the cleaned ID of a trace among an exemplar's labels; "" where there is none.
func TraceOf(label func(name string) string) string {
	for _, name := range traceLabels {
		if id := label(name); id != "" {
			return Clean(id, MaxName)
		}
	}
	return ""
}

// Slowest is the slowest of exemplars, each trace once, at most MaxExemplars of them.
func Slowest(all []Exemplar) []Exemplar {
	slices.SortFunc(all, func(a, b Exemplar) int {
		return cmp.Or(cmp.Compare(b.Seconds, a.Seconds), b.At.Compare(a.At), cmp.Compare(a.TraceID, b.TraceID))
	})
	out := make([]Exemplar, 0, MaxExemplars)
	for _, e := range all {
		known := slices.ContainsFunc(out, func(o Exemplar) bool { return o.TraceID == e.TraceID })
		if !known && e.TraceID != "" && len(out) < MaxExemplars {
			out = append(out, e)
		}
	}
	return out
}
