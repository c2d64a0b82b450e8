package metrics

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"relctl-tui/sources"
)

// spot is where a breaker's series are: the rule that reads them and the labels that
// are the breaker's alone.
type spot struct {
	rule   *breakerRule
	labels Labels
	key    [2]string
}

// spots remembers where the breakers of the last read are. The zero value knows none.
type spots struct {
	mu sync.Mutex
	by map[string]spot
}

func (p *spots) learn(rows []sources.Breaker, at []spot) {
	by := make(map[string]spot, len(rows))
	for i := range rows {
		by[rows[i].Name] = at[i]
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.by = by
}

func (p *spots) of(name string) (spot, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at, ok := p.by[name]
	return at, ok
}

// narrowed is the rule for this one breaker.
func (p *spot) narrowed() *breakerRule {
	r := *p.rule
	r.match = slices.Clone(r.match)
	for _, l := range slices.Sorted(maps.Keys(p.labels)) {
		r.match = append(r.match, Matcher{Label: l, Op: Equal, Value: p.labels[l]})
	}
	return &r
}

// find is where a breaker is, which a list before has to have told.
func (p *Plan) find(ctx context.Context, name string, a Asker) (spot, map[string]bool, error) {
	at, ok := p.whose.of(name)
	if !ok {
		if _, _, err := p.Breakers(ctx, "", a); err != nil {
			return spot{}, nil, err
		}
		if at, ok = p.whose.of(name); !ok {
			return spot{}, nil, fmt.Errorf("no breaker %s is exported: %w", sources.Clean(name, sources.MaxName), sources.ErrNotFound)
		}
	}
	b := &at.rule.preset
	ask := union(b.metrics(), extras(b), b.Window.Metric)
	for _, m := range b.Took.Metric {
		ask = append(ask, m, m+"_count")
	}
	found, err := a.Exists(ctx, ask)
	return at, found, err
}

// InspectBreaker reads one breaker of the last list in depth, in at most six queries:
// each instance's state and numbers, and how long calls took. An asker that has the
// past is for BreakerAt.
func (p *Plan) InspectBreaker(ctx context.Context, name string, a Asker) (d sources.BreakerDetail, err error) {
	at, found, err := p.find(ctx, name, a)
	if err != nil {
		return d, err
	}
	d.Name = sources.Clean(name, sources.MaxName)
	read, ok := newBreakerRead(at.narrowed(), found)
	if !ok {
		return d, fmt.Errorf("%s is not exported any more: %w", d.Name, sources.ErrNotFound)
	}
	for i := range read.queries {
		read.queries[i].By = union(read.queries[i].By, []string{"instance"})
	}
	b := read.preset
	window, took := read.window(found), read.took(found)
	queries := slices.Concat(read.queries, window, took)
	answers, err := a.Ask(ctx, queries)
	if err != nil {
		return d, err
	}
	n := len(read.queries)
	read.answers = answers[:n]
	var w warnings
	if err := read.failures(&w); err != nil {
		return d, err
	}
	for i := n; i < len(answers); i++ {
		if answers[i].Err != nil {
			w.add(queries[i].Metric + " cannot be read: " + sources.Sentence(answers[i].Err))
		}
	}
	g := read.groups()[at.key]
	if g == nil || len(g.instances) == 0 {
		return d, fmt.Errorf("%s is not exported any more: %w", d.Name, sources.ErrNotFound)
	}
	read.infer(p, at.key, g)
	d.Instances = read.each(g)
	if len(window) > 0 {
		counted(d.Instances, &b.Window, answers[n].Series)
		d.Facts = holds(&b.Window, answers[n].Series)
	}
	if len(took) > 0 {
		p.quantiles(&d, b, &answers[len(answers)-1], took[0].Metric)
	}
	d.Warnings = w.list
	return d, nil
}

func (r *breakerRead) sets() [][]Matcher { return r.queries[0].Any }

// window is the question for the calls that the breaker decides by, if they are exported.
func (r *breakerRead) window(found map[string]bool) []Query {
	w := &r.preset.Window
	at := slices.IndexFunc(w.Metric, func(m string) bool { return found[m] })
	if at < 0 {
		return nil
	}
	return []Query{{Kind: Gauge, Metric: w.Metric[at], By: union([]string{"instance", w.Label}, r.identity()), Any: r.sets(), Optional: true}}
}

// took is the question for how long calls took, if that is exported.
func (r *breakerRead) took(found map[string]bool) []Query {
	t := &r.preset.Took
	for _, m := range t.Metric {
		q := Query{Metric: m, By: union(r.identity()), Any: r.sets(), Optional: true}
		forms := Forms{Classic: found[m+"_count"], Native: found[m] && !t.Summary}
		switch {
		case !forms.Classic && !forms.Native:
			continue
		case t.Summary:
			q.Kind, q.By = Gauge, union(q.By, []string{"instance", "quantile"})
		default:
			q.Kind, q.Found = Buckets, forms
		}
		return []Query{q}
	}
	return nil
}

// identity is the labels that the matchers look at: an asker may match what it grouped.
func (r *breakerRead) identity() []string {
	var out []string
	for _, set := range r.sets() {
		out = append(out, matchLabels(set)...)
	}
	return out
}

// each is every instance with what it says of itself.
func (r *breakerRead) each(g *breakerGroup) []sources.BreakerInstance {
	var out []sources.BreakerInstance
	for _, id := range slices.Sorted(maps.Keys(g.instances)) {
		inst := g.instances[id]
		in := sources.BreakerInstance{
			Name: sources.Clean(cmp.Or(id, "all"), sources.MaxName), State: inst.state, Note: sources.Clean(inst.note, sources.MaxName),
		}
		var of breakerGroup
		for i, role := range r.roles {
			for _, s := range r.answers[i].Series {
				if s.Labels["instance"] != id || math.IsNaN(s.Value) || math.IsInf(s.Value, 0) {
					continue
				}
				switch role {
				case calls:
					of.count(&r.preset.Calls, s.Labels[r.preset.Calls.Label], s.Value)
				case percent:
					if s.Value >= 0 {
						of.percent = sources.Some(min(s.Value, 100))
					}
				}
			}
		}
		switch judged := of.ok.V + of.failed.V; {
		case of.percent.OK:
			in.ErrorRatio = sources.Some(of.percent.V / 100)
		case judged > 0:
			in.ErrorRatio = sources.Some(of.failed.V / judged)
		}
		out = append(out, in)
	}
	return out
}

// counted adds the calls that each instance decides by.
func counted(list []sources.BreakerInstance, w *Calls, series []Series) {
	for _, s := range series {
		i := slices.IndexFunc(list, func(in sources.BreakerInstance) bool { return in.Name == cmp.Or(s.Labels["instance"], "all") })
		if i < 0 || !(s.Value >= 0) || math.IsInf(s.Value, 0) {
			continue
		}
		word := s.Labels[w.Label]
		if failed := slices.Contains(w.Failed, word); failed {
			list[i].Failed = plus(list[i].Failed, s.Value)
		} else if !slices.Contains(w.Succeeded, word) {
			continue
		}
		list[i].Buffered = plus(list[i].Buffered, s.Value)
	}
}

// holds is of how many calls at most the instances decide, where that is exported; they
// can differ while a new version is rolled out.
func holds(w *Calls, series []Series) []sources.Fact {
	least, most := math.Inf(1), math.Inf(-1)
	for _, s := range series {
		if slices.Contains(w.Most, s.Labels[w.Label]) && s.Value > 0 && !math.IsInf(s.Value, 0) {
			least, most = min(least, s.Value), max(most, s.Value)
		}
	}
	switch {
	case most < least:
		return nil
	case least == most:
		return []sources.Fact{{Name: "decides by", Text: fmt.Sprintf("its last %.0f calls", most)}}
	default:
		return []sources.Fact{{Name: "decides by", Text: fmt.Sprintf("its last %.0f to %.0f calls", least, most)}}
	}
}

// quantiles is how long calls took. Quantiles of summaries cannot be put together: the
// greatest is shown, and said to be that.
func (p *Plan) quantiles(d *sources.BreakerDetail, b *BreakerPreset, a *Answer, metric string) {
	scale, _ := b.Took.scale()
	if !b.Took.Summary {
		h := merge(a.Hists)
		at := func(q float64) sources.Quantile {
			v := h.Quantile(q, p.interp)
			v.Seconds *= scale
			return v
		}
		d.P50, d.P90, d.P99 = at(0.5), at(0.9), at(0.99)
		d.Quantiles = metric + " over " + p.window.String()
		if len(a.Hists) == 0 && a.Err == nil {
			d.Quantiles = metric + " has no buckets, so there are no quantiles"
		}
		return
	}
	of := map[string]bool{}
	for _, s := range a.Series {
		q, err := strconv.ParseFloat(s.Labels["quantile"], 64)
		if err != nil || !(s.Value >= 0) || math.IsInf(s.Value, 0) {
			continue
		}
		of[s.Labels["instance"]] = true
		for at, to := range map[float64]*sources.Quantile{0.5: &d.P50, 0.9: &d.P90, 0.99: &d.P99} {
			if v := s.Value * scale; q == at && (!to.OK || v > to.Seconds) {
				*to = sources.Quantile{Seconds: v, OK: true}
			}
		}
	}
	d.Quantiles = strings.TrimSpace(fmt.Sprintf("%s, the greatest of %d", metric, len(of)))
}

// BreakerAt is the state of a breaker of the last list over its instances, as an asker
// of one moment has it; false where nothing is known of that moment, or where the state
// does not follow from one moment alone.
func (p *Plan) BreakerAt(ctx context.Context, name string, a Asker) (sources.BreakerState, bool, error) {
	at, found, err := p.find(ctx, name, a)
	if err != nil || at.rule.preset.How == ByEvents {
		return sources.BreakerUnknown, false, err
	}
	read, ok := newBreakerRead(at.narrowed(), found)
	if !ok {
		return sources.BreakerUnknown, false, nil
	}
	read.queries, read.roles = read.queries[:1], read.roles[:1]
	if read.answers, err = a.Ask(ctx, read.queries); err != nil {
		return sources.BreakerUnknown, false, err
	}
	g := read.groups()[at.key]
	if g == nil || len(g.instances) == 0 {
		return sources.BreakerUnknown, false, nil
	}
	read.infer(p, at.key, g)
	return g.breaker("", read.preset).State, true, nil
}
