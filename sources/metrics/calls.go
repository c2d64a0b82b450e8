package metrics

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"relctl-tui/sources"
)

// Graph is who calls whom at one moment, from a service graph and from what the rules
// say. It is immutable.
type Graph struct {
	edges []sources.CallEdge // of the service graph
	how   string             // what that is

	named   []sources.CallEdge          // as the rules have it
	own     map[string]sources.CallEdge // what each latency says of itself, by its name
	aliases map[string][]string         // what the series of a rule's service are labelled
}

// Graph reads who calls whom. However many services there are, it is one question, and
// nothing is asked where nothing tells of calls.
func (p *Plan) Graph(ctx context.Context, a Asker) (*Graph, error) {
	names := slices.Clone(p.askNames)
	for i := range callPresets() {
		c := &callPresets()[i]
		names = append(names, c.Metric, c.Metric+"_count", c.FailedOf)
	}
	found, err := a.Exists(ctx, names)
	if err != nil {
		return nil, err
	}
	reads, err := p.latencyReads(ctx, a)
	if err != nil {
		return nil, err
	}
	reads = slices.DeleteFunc(reads, func(r latencyRead) bool { return r.forms == Forms{} })
	var queries []Query
	var presets []*CallPreset
	for i := range callPresets() {
		if q := callPresets()[i].queries(found); q != nil {
			presets, queries = append(presets, &callPresets()[i]), append(queries, q...)
		}
	}
	for i := range reads {
		queries = append(queries, reads[i].means()...)
	}
	g := &Graph{}
	if len(queries) == 0 {
		return g, nil
	}
	answers, err := a.Ask(ctx, queries)
	if err != nil {
		return nil, err
	}
	for i := range answers {
		if answers[i].Err != nil {
			return nil, answers[i].Err
		}
	}
	for _, c := range presets {
		if edges := c.edges(answers); len(g.edges) == 0 && len(edges) > 0 {
			g.edges, g.how = edges, c.About
		}
		answers = answers[3:]
	}
	for i := range reads {
		reads[i].quants, reads[i].codes, reads[i].hists.Series = answers[0], answers[1], answers[2].Series
		answers = answers[3:]
	}
	p.ownCalls(g, reads)
	p.namedCalls(g)
	return g, nil
}

// queries are the time, the calls and the failures of a service graph; nil where it is
// not exported.
func (p *CallPreset) queries(found map[string]bool) []Query {
	f := Forms{Classic: found[p.Metric+"_count"], Native: found[p.Metric]}
	if !f.Classic && !f.Native {
		return nil
	}
	var sets [][]Matcher
	if len(p.where) > 0 {
		sets = [][]Matcher{p.where}
	}
	by := union(p.Client, p.Server)
	busy := Query{Kind: Sum, Metric: p.Metric, By: by, Any: sets, Found: f, Optional: true}
	calls := busy
	calls.Kind, calls.By = Count, union(by, p.Code)
	failed := calls
	if p.FailedOf != "" && found[p.FailedOf] {
		failed = Query{Kind: Rate, Metric: p.FailedOf, By: by, Any: sets, Optional: true}
	}
	return []Query{busy, calls, failed}
}

// edges are the calls that the answers to the queries tell of.
func (p *CallPreset) edges(answers []Answer) []sources.CallEdge {
	type pair struct{ from, to string }
	all := map[pair]*sources.CallEdge{}
	each := func(a Answer, enter func(e *sources.CallEdge, s *Series)) {
		for i := range a.Series {
			s := &a.Series[i]
			k := pair{sources.Clean(s.Labels.first(p.Client), sources.MaxName), sources.Clean(s.Labels.first(p.Server), sources.MaxName)}
			if k.to == "" || math.IsNaN(s.Value) || math.IsInf(s.Value, 0) {
				continue
			}
			if all[k] == nil {
				all[k] = &sources.CallEdge{From: k.from, To: k.to}
			}
			enter(all[k], s)
		}
	}
	each(answers[0], func(e *sources.CallEdge, s *Series) { e.Busy += s.Value * p.Unit.Seconds() })
	each(answers[1], func(e *sources.CallEdge, s *Series) { e.Rate += s.Value })
	each(answers[2], func(e *sources.CallEdge, s *Series) {
		code := s.Labels.first(p.Code)
		switch {
		case p.FailedOf != "":
			e.Failed = sources.Some(e.Failed.V + s.Value)
		case p.failed.MatchString(code) && code != "":
			e.Failed = sources.Some(e.Failed.V + s.Value)
		case code != "":
			e.Failed = sources.Some(e.Failed.V)
		}
	})
	var out []sources.CallEdge
	for _, e := range all {
		if e.Rate > 0 {
			out = append(out, *e)
		}
	}
	slices.SortFunc(out, func(a, b sources.CallEdge) int {
		return strings.Compare(a.From+"\xff"+a.To, b.From+"\xff"+b.To)
	})
	return out
}

// means are the time, the calls and their outcomes of one preset of latencies.
func (r *latencyRead) means() []Query {
	busy := Query{Kind: Sum, Metric: r.preset.Metric, By: r.by, Any: r.any, Found: r.forms, Optional: true}
	calls := busy
	calls.Kind, calls.By = Count, union(r.by, r.preset.Code)
	codes := calls
	if r.codeOf {
		codes.Kind, codes.Metric = Rate, r.preset.CodeOf
	}
	return []Query{busy, calls, codes}
}

// ownCalls is what each latency says of itself, whoever calls.
func (p *Plan) ownCalls(g *Graph, reads []latencyRead) {
	g.own, g.aliases = map[string]sources.CallEdge{}, map[string][]string{}
	take := func(name string, read *latencyRead, in func(Labels) bool) {
		if _, known := g.own[name]; known || name == "" {
			return
		}
		if e, ok := read.mean(in); ok {
			e.To = name
			g.own[name] = e
		}
	}
	for i := range reads {
		read := &reads[i]
		for k := range p.latency {
			r := &p.latency[k]
			if r.preset == read.preset || r.preset == nil && read.preset.Auto != Never {
				take(sources.Clean(r.Name, sources.MaxName), read, func(l Labels) bool { return MatchAll(r.match, l) })
			}
		}
		if len(p.latency) > 0 {
			continue
		}
		service := func(l Labels) string { return sources.Clean(l.first(read.preset.Identity), sources.MaxName) }
		for _, s := range read.codes.Series {
			name := service(s.Labels)
			take(name, read, func(l Labels) bool { return service(l) == name })
		}
	}
	for i := range p.latency {
		r := &p.latency[i]
		name := sources.Clean(r.Name, sources.MaxName)
		for _, m := range r.match {
			if m.Op == Equal {
				g.aliases[name] = append(g.aliases[name], sources.Clean(m.Value, sources.MaxName))
			}
		}
	}
}

// mean is the calls and the time of the series that are in; false without calls.
func (r *latencyRead) mean(in func(Labels) bool) (e sources.CallEdge, ok bool) {
	of := func(list []Series) (out []Series) {
		for _, s := range list {
			if in(s.Labels) {
				out = append(out, s)
			}
		}
		return out
	}
	for _, s := range of(r.quants.Series) {
		e.Busy += s.Value * r.preset.Unit.Seconds()
	}
	for _, s := range of(r.codes.Series) {
		e.Rate += s.Value
	}
	if _, ratio := outcome(r.preset, of(r.hists.Series)); ratio.OK {
		e.Failed = sources.Some(ratio.V * e.Rate)
	}
	return e, e.Rate > 0 && !math.IsNaN(e.Busy) && !math.IsInf(e.Busy, 0)
}

// namedCalls are the calls that the rules name. How many calls of a service come from
// which of its callers nobody measures there: they are dealt by how often each of those
// is called itself, as if every call of any of them made equally many.
func (p *Plan) namedCalls(g *Graph) {
	callers, rates := map[string][]string{}, map[string]float64{}
	for i := range p.latency {
		from := sources.Clean(p.latency[i].Name, sources.MaxName)
		for _, to := range p.latency[i].Calls {
			to = sources.Clean(to, sources.MaxName)
			if slices.Contains(callers[to], from) {
				continue
			}
			callers[to] = append(callers[to], from)
			rates[to] += g.own[from].Rate
		}
	}
	for _, to := range slices.Sorted(maps.Keys(callers)) {
		for _, from := range callers[to] {
			part := 1 / float64(len(callers[to]))
			if rates[to] > 0 {
				part = g.own[from].Rate / rates[to]
			}
			e := g.own[to]
			e.From, e.To, e.Rate, e.Busy, e.Failed.V = from, to, e.Rate*part, e.Busy*part, e.Failed.V*part
			g.named = append(g.named, e)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(g.own)) {
		if callers[name] == nil {
			g.named = append(g.named, g.own[name])
		}
	}
}

// Of is the calls that a service is part of: those of the service graph where it has the
// service, else those that the rules name. root is the service as the edges have it, and
// from is what they were read from. ErrNotFound means that nothing tells of it.
func (g *Graph) Of(service string) (root string, edges []sources.CallEdge, from string, err error) {
	if root = g.find(service); root != "" {
		edges = g.edges
		if !slices.ContainsFunc(edges, func(e sources.CallEdge) bool { return e.To == root }) {
			if own, ok := g.own[service]; ok { // the graph begins with it
				own.To = root
				edges = append(slices.Clone(edges), own)
			}
		}
		return root, edges, g.how, nil
	}
	if slices.ContainsFunc(g.named, func(e sources.CallEdge) bool { return e.Rate > 0 && (e.From == service || e.To == service) }) {
		return service, g.named, "calls named in the config, dealt among several callers by their rates", nil
	}
	if len(g.edges) == 0 {
		return "", nil, "", fmt.Errorf("nothing tells what %s calls: no service graph is exported, and no latency of that name is measured: %w",
			sources.Clean(service, sources.MaxName), sources.ErrNotFound)
	}
	return "", nil, "", fmt.Errorf("the service graph has no %s, it has %s: %w", sources.Clean(service, sources.MaxName), g.some(), sources.ErrNotFound)
}

// find is the service graph's name of a service: the same, or the one that its latency's
// series bear, or one that differs only as naming habits do.
func (g *Graph) find(service string) string {
	for _, same := range []func(node string) bool{
		func(node string) bool { return node == service },
		func(node string) bool { return slices.Contains(g.aliases[service], node) },
		func(node string) bool { return plain(node) == plain(service) },
	} {
		for _, node := range g.services() {
			if same(node) {
				return node
			}
		}
	}
	return ""
}

// plain is a name without what naming habits differ in.
func plain(s string) string {
	return strings.NewReplacer(" ", "", "-", "", "_", "", ".", "").Replace(strings.ToLower(s))
}

func (g *Graph) services() []string {
	var out []string
	for i := range g.edges {
		out = append(out, g.edges[i].To)
		if g.edges[i].From != "" {
			out = append(out, g.edges[i].From)
		}
	}
	return union(out)
}

// some is a few of the services, for a sentence.
func (g *Graph) some() string {
	const few = 6
	all := g.services()
	if more := len(all) - few; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(all[:few], ", "), more)
	}
	return strings.Join(all, ", ")
}

// Len is how many calls the graph holds.
func (g *Graph) Len() int { return len(g.edges) + len(g.named) }
