package metrics

import (
	"context"
	"strings"
	"time"
)

// Labels are one series' labels, without its name. An absent label and an empty
// one are the same, as they are in Prometheus.
type Labels map[string]string

// Kind is how a metric is to be read.
type Kind int

// The kinds of a query.
const (
	Gauge     Kind = iota // the greatest present value in each group
	Rate                  // a counter's increase per second, summed in each group
	Buckets               // a histogram's buckets per second, summed in each group
	Count                 // a histogram's observations per second, summed in each group
	Instances             // how many series there are in each group
	Sum                   // a histogram's observed values per second, added up in each group
)

// Query asks for one metric, grouped by labels. However many services there
// are, one Query is one question.
type Query struct {
	Kind   Kind
	Metric string      // the series' name; for Buckets, Count and Sum the histogram's, without suffix
	Suffix bool        // Metric is only how the name ends; NameLabel in By tells them apart
	Also   []string    // for Gauge: further series of the same labels; NameLabel in By tells them apart
	By     []string    // the labels that are kept, sorted
	Any    [][]Matcher // a series must pass all matchers of one of these; empty means every series
	// Optional says that a failure goes into Answer.Err and hinders nothing else.
	Optional bool
	Found    Forms         // for Buckets, Count and Sum: which forms of the histogram exist
	Over     time.Duration // the span of the rate; 0 for the plan's window
	Bounds   []float64     // for Buckets: the only bounds wanted of the classic form; nil for all
}

// Summaries is the name under which Exists tells whether a metric has quantiles of
// summaries, which bear the name that a native histogram would have.
func Summaries(metric string) string { return metric + "{" + QuantileLabel + "}" }

// QuantileLabel tells a summary's quantiles apart.
const QuantileLabel = "quantile"

// NameLabel is the label by which a series' own name can be asked for.
const NameLabel = "__name__"

// Forms is in which forms a histogram is exported.
type Forms struct{ Classic, Native bool }

// Series is one group of an answer: a rate per second or a gauge's value. NaN
// means that there are no samples.
type Series struct {
	Labels Labels
	Value  float64
}

// Answer is what a driver found for a Query. Only Hists is filled for Buckets,
// only Series otherwise.
type Answer struct {
	Series  []Series
	Hists   []Hist
	Err     error // why an optional query has no answer
	Pending bool  // series are there, but a rate needs one more sample
}

// Asker answers queries. Answers come in the order of the queries.
type Asker interface {
	// Exists says which of the series names are exported at present.
	Exists(ctx context.Context, names []string) (map[string]bool, error)
	Ask(ctx context.Context, queries []Query) ([]Answer, error)
}

// warnings collects sentences once each, and not without end.
type warnings struct {
	seen map[string]bool
	list []string
}

const maxWarnings = 20

func (w *warnings) add(s string) {
	if w.seen == nil {
		w.seen = map[string]bool{}
	}
	if w.seen[s] || len(w.list) >= maxWarnings {
		return
	}
	w.seen[s] = true
	w.list = append(w.list, s)
}

// first is the value of the first label of names that is not empty.
func (l Labels) first(names []string) string {
	for _, n := range names {
		if v := l[n]; v != "" {
			return v
		}
	}
	return ""
}

// join is the values of names that are not empty, joined by a slash.
func (l Labels) join(names []string) string {
	var parts []string
	for _, n := range names {
		if v := l[n]; v != "" {
			parts = append(parts, v)
		}
	}
	return strings.Join(parts, "/")
}
