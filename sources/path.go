package sources

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"
)

// PathReader reads which service calls which, and how long that takes. It is asked for
// the service that somebody looks at, and never at each refresh.
type PathReader interface {
	// Calls reads the calls that a service is part of, now and some time ago.
	// ErrNotFound means that nothing tells of calls of a service of that name.
	Calls(ctx context.Context, q CallsQuery) (Calls, error)
}

// CallsQuery names a service, as a latency is named or as the service graph has it, and
// how long before now its calls are compared with. It can be compared with ==.
type CallsQuery struct {
	Service string
	Ago     time.Duration // whole seconds
}

// The bounds of CallsQuery.Ago.
const (
	MinCallsAgo = 5 * time.Second
	MaxCallsAgo = 7 * 24 * time.Hour
)

// Check is ErrInvalid where q is outside of the bounds or names nothing.
func (q CallsQuery) Check() error {
	switch {
	case q.Service == "":
		return fmt.Errorf("a call path is of one service: %w", ErrInvalid)
	case q.Ago < MinCallsAgo || q.Ago > MaxCallsAgo || q.Ago%time.Second != 0:
		return fmt.Errorf("a call path is compared with %s to %s ago, in whole seconds: %w", MinCallsAgo, MaxCallsAgo, ErrInvalid)
	}
	return nil
}

// CallEdge is how one service calls another. Calls and time are per second, so that
// edges can be added up.
type CallEdge struct {
	From, To string  // cleaned; From is "" where nobody knows who calls
	Rate     float64 // calls per second
	Busy     float64 // seconds that those calls take, per second: Busy / Rate is the mean
	Failed   Value   // calls per second that failed; absent where that is not exported
}

// Calls is a graph of calls at two moments.
type Calls struct {
	Source  string
	Service string // the service that was asked for, as the edges name it
	From    string // what the edges were read from, in words
	Now     []CallEdge
	Then    []CallEdge    // nil where nothing is known of that moment
	At      time.Time     // the moment of Then
	Over    time.Duration // the span that rates are taken over, which ends at each moment

	Warnings []string
	ReadAt   time.Time
}

// The bounds of a CallPath.
const (
	MaxHops     = 60 // in all
	MaxHopDepth = 7  // below the service that was asked for
	MaxHopCalls = 8  // of one hop; the rest stands in one line
)

// Hop is a call in a path. All times are means: only means can be added up and taken
// from each other, and quantiles cannot.
type Hop struct {
	Name  string // "" where it stands for Rest calls that are not listed
	Depth int    // 0 for the service that was asked for
	Rest  int
	Again bool // it calls what called it: not followed again
	Cut   bool // it calls others, which are too deep or too many to be listed

	Rate   Value // calls per second of this one caller
	Errors Value // 0..1
	Took   Value // seconds a call, as the called service measures it
	Own    Value // seconds of Took in none of what it calls, the way there and back included; never below 0
	Beside bool  // what it calls takes longer than itself: calls run side by side
	Shared bool  // others call it too: what it calls in turn is averaged over all its callers
	Share  Value // Took of all its calls, as a part of its caller's Took; above 1 where calls run side by side

	// Moved is how much of what one call of the service at the top takes was gained here
	// since the other moment, in seconds: own time times calls. Absent where nothing is
	// known of that moment.
	Moved Value
}

// CallPath is the tree of calls below a service, each before what it calls, and those of
// one hop by the time they take, longest first.
type CallPath struct {
	Hops []Hop
	Most int // the hop that moved most; -1 where none moved by a twentieth of the whole
}

// Path lists what the service calls. It is bounded, whatever the graph is; what is left
// out is said where it is left out.
func (c *Calls) Path() CallPath {
	w := &pathWalk{now: graphOf(c.Now), then: graphOf(c.Then), known: len(c.Then) > 0, on: map[string]bool{}, left: MaxHops - 1}
	top := w.now.in[c.Service]
	was := w.then.in[c.Service]
	w.known = w.known && was.Rate > 0
	w.hop(Hop{Name: c.Service}, &top, &was, 1, 1)
	p := CallPath{Hops: w.hops, Most: -1}
	most := (was.mean().Or(0) + top.mean().Or(0)) / 2 / 20
	for i := range p.Hops {
		if m := p.Hops[i].Moved; m.OK && math.Abs(m.V) > most {
			p.Most, most = i, math.Abs(m.V)
		}
	}
	return p
}

func (e *CallEdge) mean() Value {
	if e.Rate > 0 {
		return Measured(e.Busy / e.Rate)
	}
	return Value{}
}

func (e *CallEdge) add(o *CallEdge) {
	e.Rate, e.Busy = e.Rate+o.Rate, e.Busy+o.Busy
	if o.Failed.OK {
		e.Failed = Some(e.Failed.V + o.Failed.V)
	}
}

// callGraph is edges by what they lead to and from.
type callGraph struct {
	in      map[string]CallEdge // all calls of a service
	out     map[string]map[string]CallEdge
	callers map[string]int
}

func graphOf(edges []CallEdge) callGraph {
	g := callGraph{in: map[string]CallEdge{}, out: map[string]map[string]CallEdge{}, callers: map[string]int{}}
	for i := range edges {
		e := &edges[i]
		in := g.in[e.To]
		in.add(e)
		g.in[e.To] = in
		if g.out[e.From] == nil {
			g.out[e.From] = map[string]CallEdge{}
		}
		one, twice := g.out[e.From][e.To]
		if !twice {
			g.callers[e.To]++
		}
		one.add(e)
		g.out[e.From][e.To] = one
	}
	return g
}

// own is what of took one call of a service spends in none of those that it calls.
func (g *callGraph) own(name string, took Value) Value {
	in := g.in[name]
	if !took.OK || in.Rate <= 0 {
		return Value{}
	}
	calls := 0.0
	for _, e := range g.out[name] {
		calls += e.Busy
	}
	return Measured(took.V - calls/in.Rate)
}

type pathWalk struct {
	now, then callGraph
	known     bool
	on        map[string]bool // services between the top and here
	hops      []Hop
	left      int // hops that may still be listed
}

// hop lists a call and what it calls. times and before are how many of these calls one
// call at the top makes, now and then.
func (w *pathWalk) hop(h Hop, e, was *CallEdge, times, before float64) {
	h.Took, h.Errors = e.mean(), share(e.Failed, e.Rate)
	if e.Rate > 0 {
		h.Rate = Some(e.Rate)
	}
	h.Again = w.on[h.Name]
	h.Shared = w.now.callers[h.Name] > 1 && h.Depth > 0
	own, old := w.now.own(h.Name, h.Took), w.then.own(h.Name, was.mean())
	if h.Again {
		own, old = Value{}, Value{} // counted where it was listed first
	}
	if w.known && !h.Again && (own.OK || e.Rate <= 0) && (old.OK || was.Rate <= 0) {
		h.Moved = Measured(own.V*times - old.V*before)
	}
	if h.Own = own; own.OK && own.V < 0 {
		h.Own, h.Beside = Some(0.0), true
	}
	at := len(w.hops)
	w.hops = append(w.hops, h)
	names := w.calledBy(h.Name)
	if h.Again || len(names) == 0 {
		return
	}
	if h.Depth >= MaxHopDepth || min(len(names), MaxHopCalls) > w.left {
		w.hops[at].Cut = true
		return
	}
	w.left -= min(len(names), MaxHopCalls)
	w.on[h.Name] = true
	defer delete(w.on, h.Name)
	in, then := w.now.in[h.Name], w.then.in[h.Name]
	rest := Hop{Depth: h.Depth + 1}
	var left CallEdge
	for i, name := range names {
		one, before1 := w.now.out[h.Name][name], w.then.out[h.Name][name]
		if i >= MaxHopCalls-1 && len(names) > MaxHopCalls {
			rest.Rest++
			left.add(&one)
			continue
		}
		next := Hop{Name: name, Depth: h.Depth + 1, Share: share(Some(one.Busy), in.Busy)}
		w.hop(next, &one, &before1, times*per(one.Rate, in.Rate), before*per(before1.Rate, then.Rate))
	}
	if rest.Rest > 0 {
		rest.Rate, rest.Took, rest.Errors = Some(left.Rate), left.mean(), share(left.Failed, left.Rate)
		rest.Share = share(Some(left.Busy), in.Busy)
		w.hops = append(w.hops, rest)
	}
}

// calledBy is whom a service calls, or called then: by the time that takes.
func (w *pathWalk) calledBy(name string) []string {
	now, then := w.now.out[name], w.then.out[name]
	out := make([]string, 0, len(now)+len(then))
	for to := range now {
		out = append(out, to)
	}
	for to := range then {
		if _, both := now[to]; !both && w.known {
			out = append(out, to)
		}
	}
	slices.SortFunc(out, func(a, b string) int {
		return cmp.Or(cmp.Compare(now[b].Busy, now[a].Busy), cmp.Compare(then[b].Busy, then[a].Busy), cmp.Compare(a, b))
	})
	return out
}

func share(part Value, of float64) Value {
	if !part.OK || of <= 0 {
		return Value{}
	}
	return Measured(part.V / of)
}

func per(a, b float64) float64 {
	if b <= 0 {
		return 0
	}
	return a / b
}
