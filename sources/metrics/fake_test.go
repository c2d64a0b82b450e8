package metrics_test

import (
	"context"
	"maps"
	"slices"
	"strings"

	"relctl-tui/sources/metrics"
)

// world answers queries from series by name, as a server would: selected,
// grouped, summed (or the greatest, for gauges).
type world struct {
	series map[string][]metrics.Series // rates, gauges; for histograms "x_count"
	hists  map[string][]metrics.Hist   // by histogram name
	asked  []metrics.Query
	err    error
}

func (w *world) Exists(_ context.Context, names []string) (map[string]bool, error) {
	out := map[string]bool{}
	for _, n := range names {
		native := slices.ContainsFunc(w.hists[n], func(h metrics.Hist) bool { return len(h.Native) > 0 })
		out[n] = len(w.series[n]) > 0 || native
	}
	return out, w.err
}

func (w *world) Ask(_ context.Context, queries []metrics.Query) ([]metrics.Answer, error) {
	w.asked = append(w.asked, queries...)
	out := make([]metrics.Answer, len(queries))
	for i, q := range queries {
		if q.Kind == metrics.Buckets {
			for _, h := range w.hists[q.Metric] {
				if metrics.MatchAny(q.Any, h.Labels) {
					h.Labels = keep(h.Labels, q.By)
					out[i].Hists = append(out[i].Hists, h)
				}
			}
			continue
		}
		name := q.Metric
		if q.Kind == metrics.Count {
			name += "_count"
		}
		all := named(name, w.series[name])
		for _, also := range q.Also {
			all = append(all, named(also, w.series[also])...)
		}
		out[i].Series = group(all, &q)
	}
	return out, w.err
}

// named gives series their own name as a label.
func named(name string, series []metrics.Series) []metrics.Series {
	out := make([]metrics.Series, len(series))
	for i, s := range series {
		l := maps.Clone(s.Labels)
		l[metrics.NameLabel] = name
		out[i] = metrics.Series{Labels: l, Value: s.Value}
	}
	return out
}

func group(series []metrics.Series, q *metrics.Query) []metrics.Series {
	groups := map[string]*metrics.Series{}
	for _, s := range series {
		if !metrics.MatchAny(q.Any, s.Labels) {
			continue
		}
		l := keep(s.Labels, q.By)
		var k strings.Builder
		for _, n := range slices.Sorted(maps.Keys(l)) {
			k.WriteString(n + "=" + l[n] + ";")
		}
		g := groups[k.String()]
		switch {
		case g == nil:
			groups[k.String()] = &metrics.Series{Labels: l, Value: s.Value}
		case q.Kind == metrics.Gauge:
			g.Value = max(g.Value, s.Value)
		default:
			g.Value += s.Value
		}
	}
	var out []metrics.Series
	for _, k := range slices.Sorted(maps.Keys(groups)) {
		out = append(out, *groups[k])
	}
	return out
}

func keep(l metrics.Labels, by []string) metrics.Labels {
	out := metrics.Labels{}
	for _, n := range by {
		if v := l[n]; v != "" {
			out[n] = v
		}
	}
	return out
}

// at is one series: a value and its labels, in pairs.
func at(v float64, labels ...string) metrics.Series {
	return metrics.Series{Labels: pairs(labels), Value: v}
}

func pairs(labels []string) metrics.Labels {
	l := metrics.Labels{}
	for i := 0; i+1 < len(labels); i += 2 {
		l[labels[i]] = labels[i+1]
	}
	return l
}
