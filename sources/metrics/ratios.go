package metrics

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"relctl-tui/sources"
)

// RatioRule is a ratio whose past is wanted: how often something went wrong of how
// often it was tried. Either Metric or Query says where it is.
type RatioRule struct {
	Name   string        // unique; required
	Metric string        // a counter of tries
	Match  string        // which of its series count, as in LatencyRule
	Bad    string        // which of those went wrong; required with Metric
	Query  string        // PromQL whose value is the ratio, 0..1; only a server can answer it
	Span   time.Duration // how far back it is wanted, at most a day
}

// Ratio is a checked RatioRule.
type Ratio struct {
	RatioRule
	match, bad []Matcher
}

// Ratio is the rule of that name; ErrNotFound when there is none.
func (p *Plan) Ratio(name string) (*Ratio, error) {
	for i := range p.ratios {
		if p.ratios[i].Name == name {
			return &p.ratios[i], nil
		}
	}
	return nil, fmt.Errorf("no ratio is called %q: %w", sources.Clean(name, 60), sources.ErrNotFound)
}

// Ratios is every rule, in order.
func (p *Plan) Ratios() []Ratio { return p.ratios }

func compileRatios(rules []RatioRule) (out []Ratio, errs []error) {
	for _, r := range rules {
		one, err := compileRatio(r)
		if err == nil && slices.ContainsFunc(out, func(o Ratio) bool { return o.Name == r.Name }) {
			err = fmt.Errorf("mismatch of %s is given twice: %w", sources.Clean(r.Name, 60), sources.ErrInvalid)
		}
		out, errs = append(out, one), appendErr(errs, err)
	}
	return out, errs
}

func compileRatio(r RatioRule) (Ratio, error) {
	out, name := Ratio{RatioRule: r}, "mismatch of "+sources.Clean(r.Name, 60)
	switch {
	case (r.Metric == "") == (strings.TrimSpace(r.Query) == ""):
		return out, fmt.Errorf("%s: give one of metric and query: %w", name, sources.ErrInvalid)
	case r.Query != "" && r.Match+r.Bad != "":
		return out, fmt.Errorf("%s: match and bad belong to metric, a query says itself what it selects: %w", name, sources.ErrInvalid)
	case r.Query == "" && !isMetric(r.Metric):
		return out, fmt.Errorf("%s: %q is no metric name: %w", name, sources.Clean(r.Metric, 60), sources.ErrInvalid)
	case r.Query == "" && r.Bad == "":
		return out, fmt.Errorf(`%s: bad says which of the tries went wrong, such as result="mismatch": %w`, name, sources.ErrInvalid)
	}
	var err error
	if out.match, err = ParseMatch(r.Match); err == nil {
		out.bad, err = ParseMatch(r.Bad)
	}
	if err != nil {
		return out, fmt.Errorf("%s: %w", name, err)
	}
	return out, nil
}

// Tries asks for the tries of a rule with a Metric, apart by what tells good from bad.
func (r *Ratio) Tries() Query {
	q := Query{Kind: Rate, Metric: r.Metric, By: union(matchLabels(r.bad))}
	if len(r.match) > 0 {
		q.Any = [][]Matcher{r.match}
	}
	return q
}

// Of is the ratio that an answer to Tries holds, and the tries per second. Without
// a try there is no ratio: 0 of nothing is not 0 %.
func (r *Ratio) Of(series []Series) (ratio, rate sources.Value) {
	total, bad, seen := 0.0, 0.0, false
	for _, s := range series {
		if math.IsNaN(s.Value) || math.IsInf(s.Value, 0) {
			continue
		}
		seen = true
		total += s.Value
		if MatchAll(r.bad, s.Labels) {
			bad += s.Value
		}
	}
	if !seen {
		return ratio, rate
	}
	if total > 0 {
		ratio = sources.Some(bad / total)
	}
	return ratio, sources.Some(total)
}
