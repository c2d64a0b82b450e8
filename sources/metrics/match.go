package metrics

import (
	"cmp"
	"context"
	"slices"

	"relctl-tui/sources"
)

// Match is one preset held against what is exported.
type Match struct {
	Kind   string // "breakers", "latency", "calls" or "exposure"
	Preset string
	About  string
	Metric string // the series by which it was recognised; "" when it was not
}

// Matches says of every preset whether the plan would read it from a, in the order of
// kinds and presets. It asks Exists once.
func (p *Plan) Matches(ctx context.Context, a Asker) ([]Match, error) {
	ask := p.Probe()
	for i := range p.latencies {
		ask = append(ask, Summaries(p.latencies[i].Metric))
	}
	found, err := a.Exists(ctx, ask)
	if err != nil {
		return nil, err
	}
	first := func(names ...string) string {
		if i := slices.IndexFunc(names, func(n string) bool { return found[n] }); i >= 0 {
			return names[i]
		}
		return ""
	}
	var all []Match
	for i := range p.breakers {
		b := &p.breakers[i].preset
		all = append(all, Match{Kind: "breakers", Preset: b.Name, About: b.About, Metric: first(b.metrics()...)})
	}
	for i := range p.latencies {
		l := &p.latencies[i]
		m := Match{Kind: "latency", Preset: l.Name, About: sources.JoinClauses(l.About, l.form())}
		if _, ok := l.exists(found); ok {
			m.Metric = cmp.Or(first(l.Metric+"_count"), l.Metric)
		}
		all = append(all, m)
	}
	for i := range callPresets() {
		c := &callPresets()[i]
		all = append(all, Match{Kind: "calls", Preset: c.Name, About: c.About, Metric: first(c.Metric+"_count", c.Metric)})
	}
	for i := range exposurePresets {
		e := &exposurePresets[i]
		all = append(all, Match{Kind: "exposure", Preset: e.Metric, Metric: first(e.Metric)})
	}
	return all, nil
}
