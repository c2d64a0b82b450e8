package metrics

import (
	"context"
	"math"
)

// The most flags whose exposure is kept, and the longest key or variant.
const (
	maxExposed = 20_000
	maxKey     = 1024
)

// Exposures reads which share of each flag's evaluations got which variant over
// the window. Keys are exactly as exported. A flag that was not evaluated is not
// there; where two counters know a flag, the preferred preset's is taken alone,
// so that an evaluation seen twice does not count twice.
func (p *Plan) Exposures(ctx context.Context, a Asker) (map[string]map[string]float64, []string, error) {
	presets, queries, err := exposureQueries(ctx, a, nil)
	if err != nil {
		return nil, nil, err
	}
	out := map[string]map[string]float64{}
	if len(queries) == 0 {
		return out, nil, nil
	}
	answers, err := a.Ask(ctx, queries)
	if err != nil {
		return nil, nil, err
	}
	var w warnings
	for i, e := range presets {
		for k, shares := range e.shares(answers[i].Series) {
			if _, known := out[k]; known {
				continue
			}
			if len(out) >= maxExposed {
				w.add("more flags have exposures than can be kept, the rest is left out")
				break
			}
			out[k] = shares
		}
	}
	return out, w.list, nil
}

// exposureQueries is a query for each counter of evaluations that exists; narrow, when
// not nil, says which of its series are wanted.
func exposureQueries(ctx context.Context, a Asker, narrow func(*ExposurePreset) ([][]Matcher, error)) (presets []*ExposurePreset, queries []Query, err error) {
	var ask []string
	for i := range exposurePresets {
		ask = append(ask, exposurePresets[i].Metric)
	}
	found, err := a.Exists(ctx, ask)
	if err != nil {
		return nil, nil, err
	}
	for i := range exposurePresets {
		e := &exposurePresets[i]
		if !found[e.Metric] {
			continue
		}
		q := Query{Kind: Rate, Metric: e.Metric, By: union(e.Key, e.Variant)}
		if narrow != nil {
			if q.Any, err = narrow(e); err != nil {
				return nil, nil, err
			}
		}
		presets, queries = append(presets, e), append(queries, q)
	}
	return presets, queries, nil
}

func (e *ExposurePreset) shares(series []Series) map[string]map[string]float64 {
	rates := map[string]map[string]float64{}
	total := map[string]float64{}
	for _, s := range series {
		k, v := s.Labels.first(e.Key), s.Labels.first(e.Variant)
		if !(s.Value > 0) || math.IsInf(s.Value, 0) || k == "" || len(k) > maxKey || len(v) > maxKey {
			continue
		}
		if rates[k] == nil {
			rates[k] = map[string]float64{}
		}
		rates[k][v] += s.Value
		total[k] += s.Value
	}
	for k, variants := range rates {
		for v := range variants {
			variants[v] /= total[k]
		}
	}
	return rates
}
