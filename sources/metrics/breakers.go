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
// whose value no map names is unknown, and its note says which value. A state that
// nothing exports is worked out where that can be done, and is marked as inferred.
func (p *Plan) Breakers(ctx context.Context, source string, a Asker) (rows []sources.Breaker, warns []string, err error) {
	var ask []string
	for i := range p.breakers {
		b := &p.breakers[i].preset
		ask = append(ask, b.metrics()...)
		ask = append(ask, extras(b)...)
	}
	found, err := a.Exists(ctx, union(ask))
	if err != nil {
		return nil, nil, err
	}
	var w warnings
	var spots []spot
	var reads []breakerRead
	var queries []Query
	for i := range p.breakers {
		r := &p.breakers[i]
		read, ok := newBreakerRead(r, found)
		if !ok {
			if !r.auto {
				w.add(r.preset.metrics()[0] + " is not exported, so its breakers are missing")
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
			of, at := reads[i].rows(p)
			rows, spots = append(rows, of...), append(spots, at...)
		}
	}
	taken := map[string]int{}
	for i := range rows { // before sorting: a name must not depend on the state
		rows[i].Source, rows[i].Name = source, unique(taken, rows[i].Name)
	}
	p.whose.learn(rows, spots)
	slices.SortFunc(rows, sources.CompareBreakers)
	return rows, w.list, nil
}

func extras(b *BreakerPreset) []string {
	return slices.Concat(b.Members, b.Calls.Metric, b.Refused, b.Percent)
}

// deep is what is asked for when one breaker is looked at, and only then.
func deep(b *BreakerPreset) []string { return slices.Concat(b.Window.Metric, b.Took.Metric) }

// breakerRead is one rule being read: what tells the state, and what else exists.
type breakerRead struct {
	rule    *breakerRule
	preset  *BreakerPreset
	metric  string // what tells the state
	queries []Query
	roles   []role
	answers []Answer
}

type role int

const (
	states role = iota
	members
	calls
	refused
	percent
)

func newBreakerRead(r *breakerRule, found map[string]bool) (breakerRead, bool) {
	p := &r.preset
	read := breakerRead{rule: r, preset: p}
	there := slices.DeleteFunc(p.metrics(), func(m string) bool { return !found[m] })
	if len(there) == 0 {
		return read, false
	}
	read.metric = there[0]
	match := append(slices.Clone(r.match), p.where...)
	var sets [][]Matcher
	if len(match) > 0 {
		sets = [][]Matcher{match}
	}
	group := union(p.Names, serviceLabels, matchLabels(match))
	add := func(role role, kind Kind, spellings []string, more ...string) {
		at := slices.IndexFunc(spellings, func(m string) bool { return found[m] })
		if at < 0 {
			return
		}
		read.roles = append(read.roles, role)
		read.queries = append(read.queries, Query{Kind: kind, Metric: spellings[at], By: union(group, labelsOf(more...)), Any: sets, Optional: role > members})
	}
	label := p.Label
	if label == "" {
		label = "state" // so that a one-hot gauge under a numeric rule is noticed
	}
	switch {
	case len(p.Each) > 0:
		add(states, Gauge, there, NameLabel, "instance")
		read.queries[0].Also = there[1:]
	case p.How == ByTime, p.How == ByRejects:
		add(states, Rate, p.Metric, label, "instance")
	default:
		add(states, Gauge, p.Metric, label, "instance")
	}
	if p.How == ByMembers {
		add(members, Gauge, p.Members, "instance")
	}
	add(calls, Rate, p.Calls.Metric, p.Calls.Label)
	add(refused, Rate, p.Refused)
	add(percent, Gauge, p.Percent)
	return read, true
}

// breakerGroup is one breaker over its instances.
type breakerGroup struct {
	name, owner string
	labels      Labels // those of its name and its owner
	instances   map[string]*instanceState
	ok, failed  sources.Value
	ignored     sources.Value
	refused     sources.Value
	percent     sources.Value
}

// instanceState is what one instance says of a breaker.
type instanceState struct {
	state sources.BreakerState
	seen  bool // some state is active
	note  string
	tells map[sources.BreakerState]float64 // inferred states: what each is told by
	out   float64                          // of members: how many are out
	of    float64                          // how many there are
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

func (r *breakerRead) groups() map[[2]string]*breakerGroup {
	groups := map[[2]string]*breakerGroup{}
	for i, role := range r.roles {
		for _, s := range r.answers[i].Series {
			if role == states && r.preset.How.inferred() && (math.IsNaN(s.Value) || math.IsInf(s.Value, 0)) {
				continue
			}
			r.take(groups, role, s)
		}
	}
	return groups
}

// rows are the breakers, and where each was found.
func (r *breakerRead) rows(plan *Plan) (out []sources.Breaker, spots []spot) {
	groups := r.groups()
	owners := map[string]int{}
	for _, g := range groups {
		if len(g.instances) > 0 {
			owners[g.name]++
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(groups), func(a, b [2]string) int {
		return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1]))
	}) {
		g := groups[k]
		if len(g.instances) == 0 {
			continue // calls of a breaker that says no state
		}
		name := g.name
		if plan.shared.has(name, owners[name] > 1) && g.owner != "" {
			name = g.owner + "/" + name
		}
		r.infer(plan, k, g)
		out, spots = append(out, g.breaker(name, r.preset)), append(spots, spot{r.rule, g.labels, k})
	}
	return out, spots
}

func (r *breakerRead) take(groups map[[2]string]*breakerGroup, role role, s Series) {
	owner := s.Labels.first(serviceLabels)
	name := s.Labels.join(r.preset.Names)
	if name == "" {
		name = cmp.Or(owner, r.metric)
	}
	if word := r.preset.Each[s.Labels[NameLabel]]; word != "" {
		name += " " + word
	}
	k := [2]string{name, owner}
	g := groups[k]
	if g == nil {
		g = &breakerGroup{name: name, owner: owner, instances: map[string]*instanceState{}, labels: Labels{}}
		for _, l := range r.preset.Names {
			g.labels[l] = s.Labels[l]
		}
		if i := slices.IndexFunc(serviceLabels, func(l string) bool { return s.Labels[l] != "" }); i >= 0 {
			g.labels[serviceLabels[i]] = owner
		}
		groups[k] = g
	}
	switch role {
	case states:
		r.takeState(g, s)
	case members:
		if inst := g.instances[s.Labels["instance"]]; inst != nil {
			inst.of = max(inst.of, s.Value)
		}
	case calls:
		g.count(&r.preset.Calls, s.Labels[r.preset.Calls.Label], s.Value)
	case refused:
		g.refused = plus(g.refused, s.Value)
	case percent:
		if s.Value >= 0 { // below 0 means that there were too few calls
			g.percent = sources.Some(max(g.percent.V, min(s.Value, 100)))
		}
	}
}

// count adds calls that ended so.
func (g *breakerGroup) count(c *Calls, result string, v float64) {
	switch {
	case slices.Contains(c.Failed, result):
		g.failed = plus(g.failed, v)
	case slices.Contains(c.Succeeded, result):
		g.ok = plus(g.ok, v)
	case slices.Contains(c.Ignored, result):
		g.ignored = plus(g.ignored, v)
	case slices.Contains(c.Refused, result):
		g.refused = plus(g.refused, v)
	}
}

// countable is a count, or absent where something in it was no number: what is left
// of the sum would be a count of something else.
func countable(v sources.Value) sources.Value {
	if math.IsNaN(v.V) || math.IsInf(v.V, 0) {
		return sources.Value{}
	}
	return v
}

func plus(v sources.Value, more float64) sources.Value { return sources.Some(v.V + more) }

func (r *breakerRead) takeState(g *breakerGroup, s Series) {
	id := s.Labels["instance"]
	if r.preset.How == ByRejects {
		id = "" // whoever refuses is not an instance of what is refused
	}
	inst := g.instances[id]
	if inst == nil {
		inst = &instanceState{tells: map[sources.BreakerState]float64{}}
		g.instances[id] = inst
	}
	word := s.Labels[cmp.Or(r.preset.Label, "state")]
	switch how := r.preset.How; {
	case how == ByEvents, how == ByTime:
		if state, known := r.preset.word(word); known {
			inst.tells[state] += s.Value
		}
	case how == ByMembers:
		inst.out = max(inst.out, s.Value)
	case how == ByRejects:
		state := sources.BreakerClosed
		if slices.Contains(r.preset.Calls.Refused, word) {
			g.refused = plus(g.refused, s.Value)
			state = sources.BreakerOpen
		}
		inst.tells[state] += s.Value
	case how == ByLabel && word != "":
		if !(s.Value >= 0.5) { // NaN too
			return
		}
		state, known := r.preset.word(word)
		if !known {
			inst.note = "unmapped (" + sources.Clean(word, 40) + "?)"
		}
		inst.worst(state)
	case how == ByValue && word != "" && len(r.preset.Each) == 0:
		inst.note = "states are named in the label state, leave values out"
		inst.worst(sources.BreakerUnknown)
	default:
		known, ok := r.preset.Values[s.Value]
		if !ok {
			inst.note = "unmapped (" + strconv.FormatFloat(s.Value, 'g', 6, 64) + "?)"
		}
		inst.worst(sources.BreakerState(known))
	}
}

func (i *instanceState) worst(s sources.BreakerState) {
	if !i.seen || s.Severity() > i.state.Severity() {
		i.state = s
	}
	i.seen = true
}

func (g *breakerGroup) breaker(name string, p *BreakerPreset) sources.Breaker {
	b := sources.Breaker{
		Name: sources.Clean(name, sources.MaxName), Instances: len(g.instances), RejectRate: countable(g.refused),
		Inferred: p.How.inferred(), Limit: p.Limit, Preset: p.Name,
	}
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
	if p.How == ByMembers {
		g.members(&b)
	}
	if g.ok.OK || g.failed.OK || g.ignored.OK {
		judged := countable(sources.Some(g.ok.V + g.failed.V))
		b.Rate = countable(sources.Some(g.ok.V + g.failed.V + g.ignored.V))
		if judged.V > 0 {
			b.ErrorRatio = sources.Some(g.failed.V / judged.V)
		}
	}
	// What the breaker itself decides by goes before what we count.
	if g.percent.OK {
		b.ErrorRatio = sources.Some(g.percent.V / 100)
	}
	return b
}
