package metrics

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"strconv"
	"sync"

	"relctl-tui/sources"
)

// Breakers reads the plan's breakers. A breaker with several instances (label
// instance) has the worst of their states, never an average. A numeric gauge
// whose value no map names is unknown, and its note says which value.
func (p *Plan) Breakers(ctx context.Context, source string, a Asker) (rows []sources.Breaker, warns []string, err error) {
	var ask []string
	for i := range p.breakers {
		b := &p.breakers[i].preset
		ask = append(ask, b.Metric...)
		ask = append(ask, extras(b)...)
	}
	found, err := a.Exists(ctx, union(ask))
	if err != nil {
		return nil, nil, err
	}
	var w warnings
	var reads []breakerRead
	var queries []Query
	for i := range p.breakers {
		r := &p.breakers[i]
		read, ok := newBreakerRead(r, found)
		if !ok {
			if !r.auto {
				w.add(r.preset.Metric[0] + " is not exported, so its breakers are missing")
			}
			continue
		}
		reads, queries = append(reads, read), append(queries, read.queries...)
	}
	if len(queries) > 0 {
		answers, err := a.Ask(ctx, queries)
		if err != nil {
			return nil, nil, err
		}
		for i := range reads {
			n := len(reads[i].queries)
			reads[i].answers, answers = answers[:n], answers[n:]
			if err := reads[i].failures(&w); err != nil {
				return nil, nil, err
			}
			rows = append(rows, reads[i].rows(&p.shared)...)
		}
	}
	taken := map[string]int{}
	for i := range rows { // before sorting: a name must not depend on the state
		rows[i].Source, rows[i].Name = source, unique(taken, rows[i].Name)
	}
	slices.SortFunc(rows, sources.CompareBreakers)
	return rows, w.list, nil
}

func extras(b *BreakerPreset) []string {
	return slices.DeleteFunc([]string{b.Calls, b.RefusedMetric, b.Percent}, func(s string) bool { return s == "" })
}

// breakerRead is one rule being read: the state gauge and what else exists.
type breakerRead struct {
	preset  *BreakerPreset
	queries []Query
	roles   []role
	answers []Answer
}

type role int

const (
	states role = iota
	calls
	refused
	percent
)

func newBreakerRead(r *breakerRule, found map[string]bool) (breakerRead, bool) {
	p := &r.preset
	read := breakerRead{preset: p}
	at := slices.IndexFunc(p.Metric, func(m string) bool { return found[m] })
	if at < 0 {
		return read, false
	}
	var sets [][]Matcher
	if len(r.match) > 0 {
		sets = [][]Matcher{r.match}
	}
	group := union(p.Names, serviceLabels, matchLabels(r.match))
	add := func(role role, kind Kind, metric string, more ...string) {
		if metric == "" || (role != states && !found[metric]) {
			return
		}
		read.roles = append(read.roles, role)
		read.queries = append(read.queries, Query{Kind: kind, Metric: metric, By: union(group, more), Any: sets, Optional: role != states})
	}
	label := p.StateLabel
	if label == "" {
		label = "state" // so that a one-hot gauge under a numeric rule is noticed
	}
	add(states, Gauge, p.Metric[at], label, "instance")
	add(calls, Rate, p.Calls, p.Result)
	add(refused, Rate, p.RefusedMetric)
	add(percent, Gauge, p.Percent)
	return read, true
}

// breakerGroup is one breaker over its instances.
type breakerGroup struct {
	name, owner string
	instances   map[string]*instanceState
	ok, failed  sources.Value
	ignored     sources.Value
	refused     sources.Value
	percent     sources.Value
}

type instanceState struct {
	state sources.BreakerState
	seen  bool // some state is active
	note  string
}

// failures warns of the counts that could not be read, and returns why there are
// no states. A breaker's state must not vanish with its rate.
func (r *breakerRead) failures(w *warnings) error {
	for i, role := range r.roles {
		switch err := r.answers[i].Err; {
		case err == nil:
		case role == states:
			return err
		default:
			w.add(r.queries[i].Metric + " cannot be read: " + sources.Sentence(err))
		}
	}
	return nil
}

// sharedNames remembers which breakers' names more than one service was seen to
// use. The zero value remembers none.
type sharedNames struct {
	mu    sync.Mutex
	names map[string]bool
}

const maxShared = 10_000

// has reports whether a name is shared, now or once: a breaker must not be
// renamed each time that another service restarts.
func (s *sharedNames) has(name string, now bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now && len(s.names) < maxShared {
		if s.names == nil {
			s.names = map[string]bool{}
		}
		s.names[name] = true
	}
	return now || s.names[name]
}

func (r *breakerRead) rows(shared *sharedNames) []sources.Breaker {
	groups := map[[2]string]*breakerGroup{}
	for i, role := range r.roles {
		for _, s := range r.answers[i].Series {
			if role != states && (math.IsNaN(s.Value) || math.IsInf(s.Value, 0)) {
				continue
			}
			r.take(groups, role, s)
		}
	}
	owners := map[string]int{}
	for _, g := range groups {
		if len(g.instances) > 0 {
			owners[g.name]++
		}
	}
	var out []sources.Breaker
	for _, k := range slices.SortedFunc(maps.Keys(groups), func(a, b [2]string) int {
		return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1]))
	}) {
		g := groups[k]
		if len(g.instances) == 0 {
			continue // calls of a breaker that says no state
		}
		name := g.name
		if shared.has(name, owners[name] > 1) && g.owner != "" {
			name = g.owner + "/" + name
		}
		out = append(out, g.breaker(name))
	}
	return out
}

func (r *breakerRead) take(groups map[[2]string]*breakerGroup, role role, s Series) {
	owner := s.Labels.first(serviceLabels)
	name := s.Labels.join(r.preset.Names)
	if name == "" {
		name = cmp.Or(owner, r.preset.Metric[0])
	}
	k := [2]string{name, owner}
	g := groups[k]
	if g == nil {
		g = &breakerGroup{name: name, owner: owner, instances: map[string]*instanceState{}}
		groups[k] = g
	}
	switch role {
	case states:
		r.takeState(g, s)
	case calls:
		switch result := s.Labels[r.preset.Result]; {
		case slices.Contains(r.preset.Failed, result):
			g.failed = plus(g.failed, s.Value)
		case slices.Contains(r.preset.Succeeded, result):
			g.ok = plus(g.ok, s.Value)
		case slices.Contains(r.preset.Ignored, result):
			g.ignored = plus(g.ignored, s.Value)
		case slices.Contains(r.preset.Refused, result):
			g.refused = plus(g.refused, s.Value)
		}
	case refused:
		g.refused = plus(g.refused, s.Value)
	case percent:
		if s.Value >= 0 { // below 0 means that there were too few calls
			g.percent = sources.Some(max(g.percent.V, min(s.Value, 100)))
		}
	}
}

func plus(v sources.Value, more float64) sources.Value { return sources.Some(v.V + more) }

func (r *breakerRead) takeState(g *breakerGroup, s Series) {
	inst := g.instances[s.Labels["instance"]]
	if inst == nil {
		inst = &instanceState{}
		g.instances[s.Labels["instance"]] = inst
	}
	label := cmp.Or(r.preset.StateLabel, "state")
	word := s.Labels[label]
	oneHot := r.preset.StateLabel != ""
	switch {
	case oneHot && word != "":
		if !(s.Value >= 0.5) { // NaN too
			return
		}
		state, known := r.preset.States[word]
		if !known {
			inst.note = "unmapped (" + sources.Clean(word, 40) + "?)"
		}
		inst.worst(state)
	case !oneHot && word != "":
		inst.note = "states are named in the label state, leave values out"
		inst.worst(sources.BreakerUnknown)
	default:
		state, known := r.preset.Values[s.Value]
		if !known {
			inst.note = "unmapped (" + strconv.FormatFloat(s.Value, 'g', 6, 64) + "?)"
		}
		inst.worst(state)
	}
}

func (i *instanceState) worst(s sources.BreakerState) {
	if !i.seen || s.Severity() > i.state.Severity() {
		i.state = s
	}
	i.seen = true
}

func (g *breakerGroup) breaker(name string) sources.Breaker {
	b := sources.Breaker{Name: sources.Clean(name, sources.MaxName), Instances: len(g.instances), RejectRate: g.refused}
	first := true
	for _, id := range slices.Sorted(maps.Keys(g.instances)) {
		inst := g.instances[id]
		if !inst.seen && inst.note == "" {
			inst.note = "no state is active"
		}
		b.Note = cmp.Or(b.Note, inst.note)
		if inst.state == sources.BreakerOpen || inst.state == sources.BreakerForcedOpen {
			b.OpenInstances++
		}
		if first || inst.state.Severity() > b.State.Severity() {
			b.State = inst.state
		}
		first = false
	}
	if g.ok.OK || g.failed.OK || g.ignored.OK {
		judged := g.ok.V + g.failed.V
		b.Rate = sources.Some(judged + g.ignored.V)
		if judged > 0 {
			b.ErrorRatio = sources.Some(g.failed.V / judged)
		}
	}
	// What the breaker itself decides by goes before what we count.
	if g.percent.OK {
		b.ErrorRatio = sources.Some(g.percent.V / 100)
	}
	return b
}
