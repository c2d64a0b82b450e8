package prometheus

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"relctl-tui/sources/metrics"
)

// render is a query in PromQL: one expression, however many alternatives of
// matchers and forms of a histogram it has. Alternatives are joined by "or",
// which never counts a group twice because its labels decide every matcher.
func render(q *metrics.Query, window time.Duration) string {
	by := strings.Join(q.By, ",")
	span := "[" + model.Duration(cmp.Or(q.Over, window)).String() + "]"
	rate := func(sel string) string { return "rate(" + sel + span + ")" }
	sum := func(by, of string) string { return "sum by (" + by + ") (" + of + ")" }
	withLe := strings.Join(append([]string{"le"}, q.By...), ",")

	alternatives := q.Any
	if len(alternatives) == 0 {
		alternatives = [][]metrics.Matcher{nil}
	}
	var parts []string
	for _, ms := range alternatives {
		selector := func(name string) string {
			if len(q.Also) > 0 {
				all := metrics.NameLabel + `=~"` + strings.Join(append([]string{name}, q.Also...), "|") + `"`
				if len(ms) > 0 {
					all += "," + metrics.Render(ms)
				}
				return "{" + all + "}"
			}
			if q.Suffix {
				all := metrics.NameLabel + `=~"(.+_)?` + name + `"`
				if len(ms) > 0 {
					all += "," + metrics.Render(ms)
				}
				return "{" + all + "}"
			}
			if len(ms) == 0 {
				return name
			}
			return name + "{" + metrics.Render(ms) + "}"
		}
		switch q.Kind {
		case metrics.Gauge:
			parts = append(parts, "max by ("+by+") ("+selector(q.Metric)+")")
		case metrics.Instances:
			parts = append(parts, "count by ("+by+") ("+selector(q.Metric)+")")
		case metrics.Rate:
			parts = append(parts, sum(by, rate(selector(q.Metric))))
		case metrics.Buckets:
			if q.Found.Classic {
				parts = append(parts, sum(withLe, rate(ending(selector(q.Metric+"_bucket"), q.Bounds))))
			}
			if q.Found.Native {
				parts = append(parts, sum(by, rate(selector(q.Metric))))
			}
		case metrics.Count:
			parts = append(parts, whole(q, selector, rate, "count", by)...)
		case metrics.Sum:
			parts = append(parts, whole(q, selector, rate, "sum", by)...)
		}
	}
	slices.Sort(parts)
	return strings.Join(slices.Compact(parts), " or ")
}

// whole is a histogram's count or sum, in each of its forms.
func whole(q *metrics.Query, selector, rate func(string) string, of, by string) (parts []string) {
	if q.Found.Native {
		parts = append(parts, "sum by ("+by+") (histogram_"+of+"("+rate(selector(q.Metric))+"))")
	}
	if q.Found.Classic {
		parts = append(parts, "sum by ("+by+") ("+rate(selector(q.Metric+"_"+of))+")")
	}
	return parts
}

// ending narrows a selector of buckets to some bounds, in each spelling that servers
// and libraries have for them. An empty list, unlike none, is no bucket at all.
func ending(selector string, bounds []float64) string {
	if bounds == nil {
		return selector
	}
	spelt := []string{}
	for _, b := range bounds {
		short := strconv.FormatFloat(b, 'g', -1, 64)
		spelt = append(spelt, short, strconv.FormatFloat(b, 'f', -1, 64))
		if !strings.ContainsAny(short, ".e") {
			spelt = append(spelt, short+".0")
		}
	}
	slices.Sort(spelt)
	le := `le=~"` + strings.ReplaceAll(strings.ReplaceAll(strings.Join(slices.Compact(spelt), "|"), ".", `\\.`), "+", `\\+`) + `"`
	if inner, ok := strings.CutSuffix(selector, "}"); ok {
		return inner + "," + le + "}"
	}
	return selector + "{" + le + "}"
}

// probe counts the series of each name that exists. A summary's quantiles bear
// the name that a native histogram would have, so they are counted apart: servers
// that know no native histograms would refuse the queries that follow.
func probe(names []string) string {
	return `count by (__name__,quantile) ({__name__=~"` + strings.Join(names, "|") + `"})`
}
