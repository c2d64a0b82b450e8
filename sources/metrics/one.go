package metrics

import (
	"context"
	"fmt"
	"slices"

	"relctl-tui/sources"
)

// OnlyLatency is a plan that reads one latency of this one as this one does, and asks
// for no other where rules tell what it is made of. Without rules any service's latency
// may bear the name, so all are read.
func (p *Plan) OnlyLatency(name string) *Plan {
	i := slices.IndexFunc(p.latency, func(r latencyRule) bool { return sources.Clean(r.Name, sources.MaxName) == name })
	if i < 0 {
		return p
	}
	one := &Plan{window: p.window, interp: p.interp, latencies: p.latencies, latency: p.latency[i : i+1]}
	one.wantLatencies()
	return one
}

// ExposureOf is Exposures for one flag: the share of each variant, none where it was
// not evaluated. It reads the series of no other flag. ErrNotFound means that no
// exposures are exported at all.
func (p *Plan) ExposureOf(ctx context.Context, a Asker, flag string) (map[string]float64, error) {
	presets, queries, err := exposureQueries(ctx, a, func(e *ExposurePreset) (sets [][]Matcher, err error) {
		for _, label := range e.Key {
			m, err := NewMatcher(label, Equal, flag)
			if err != nil {
				return nil, err
			}
			sets = append(sets, []Matcher{m})
		}
		return sets, nil
	})
	if err != nil {
		return nil, err
	}
	if len(queries) == 0 {
		return nil, fmt.Errorf("no flag evaluations are exported: %w", sources.ErrNotFound)
	}
	answers, err := a.Ask(ctx, queries)
	if err != nil {
		return nil, err
	}
	for i, e := range presets {
		if shares := e.shares(answers[i].Series)[flag]; shares != nil {
			return shares, nil
		}
	}
	return nil, nil
}

// OnlyBreakers is a plan of the breakers of this one that remembers nothing of it: what
// it learns from a past is not taken for the present.
func (p *Plan) OnlyBreakers() *Plan {
	return &Plan{window: p.window, interp: p.interp, breakers: p.breakers}
}

// States is the state of each breaker by its name in Breakers, in one query for each
// metric that tells states. What cannot be read of them is an error.
func (p *Plan) States(ctx context.Context, a Asker) (map[string]sources.BreakerState, error) {
	var ask []string
	for i := range p.breakers {
		b := &p.breakers[i].preset
		ask = append(ask, b.metrics()...)
		ask = append(ask, extras(b)...) // the list that Breakers asks for, so that it is asked once
	}
	found, err := a.Exists(ctx, union(ask))
	if err != nil {
		return nil, err
	}
	var reads []breakerRead
	var queries []Query
	for i := range p.breakers {
		if read, ok := newBreakerRead(&p.breakers[i], found); ok {
			read.queries, read.roles = read.queries[:1], read.roles[:1]
			reads, queries = append(reads, read), append(queries, read.queries...)
		}
	}
	out := map[string]sources.BreakerState{}
	if len(queries) == 0 {
		return out, nil
	}
	answers, err := a.Ask(ctx, queries)
	if err != nil {
		return nil, err
	}
	taken := map[string]int{}
	for i := range reads {
		if err := answers[i].Err; err != nil {
			return nil, err
		}
		reads[i].answers = answers[i : i+1]
		rows, _ := reads[i].rows(p)
		for k := range rows {
			out[unique(taken, rows[k].Name)] = rows[k].State
		}
	}
	return out, nil
}
