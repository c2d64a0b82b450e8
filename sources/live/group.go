package live

import (
	"context"
	"strings"
	"time"

	"relctl-tui/sources"
)

// group is sources that stand in for each other, in tiers: those of one tier
// speak together, and a later tier only when those before it cannot.
type group struct {
	name   string
	tiers  [][]*sourceState // in order, none empty
	speaks int              // index of the tier whose data is shown
}

// groupsOf gathers the sources by Group and Tier. A group of one tier is none.
func groupsOf(list []*sourceState) (groups []*group) {
	tiers := sources.Tiers(list, func(st **sourceState) (string, int) { return (*st).cfg.Group, (*st).cfg.Tier })
	for _, indexes := range tiers {
		if len(indexes) < 2 {
			continue
		}
		g := &group{name: list[indexes[0][0]].cfg.Group}
		for _, tier := range indexes {
			members := make([]*sourceState, len(tier))
			for n, i := range tier {
				members[n] = list[i]
			}
			g.tiers = append(g.tiers, members)
		}
		g.cast(0)
		groups = append(groups, g)
	}
	return groups
}

// choose lets the first tier speak that can. One whose reads begin to fail still
// speaks, but the next is called on at once, so that its numbers are there when
// they are needed. Where none can, the last one to speak stays, with its age.
func (s *state) choose(g *group, now time.Time) {
	speaks, called := -1, 0
	for n, tier := range g.tiers {
		if speaks < 0 && works(tier) && (hasData(tier) || n == 0 && !failing(tier)) {
			speaks = n
		}
		if called == n && n+1 < len(g.tiers) && failing(tier) {
			called = n + 1
		}
	}
	if speaks < 0 {
		speaks = g.speaks
	}
	was := g.speaks
	if was == speaks && !g.miscast(max(called, speaks)) {
		return
	}
	g.speaks = speaks
	g.cast(max(called, speaks))
	s.dirty = true
	if was != speaks {
		s.metricsDirty, s.trendsDirty = true, true
		l := s.transition(sources.KindSource, g.name, g.name, names(g.tiers[was]), names(g.tiers[speaks]), now)
		if why := reason(g.tiers[was]); speaks > was && why != "" {
			l.Reason = why
		}
	}
}

// miscast tells whether the roles are not those of tiers up to called being read.
func (g *group) miscast(called int) bool {
	for n, tier := range g.tiers {
		for _, st := range tier {
			if (st.call == nil) != (n <= called) {
				return true
			}
		}
	}
	return false
}

// cast gives every source its role, and calls on those that are to be read.
func (g *group) cast(called int) {
	for n, tier := range g.tiers {
		for _, st := range tier {
			switch {
			case n == g.speaks:
				st.role = sources.Speaks
			case n < g.speaks:
				st.role = sources.Replaced
			default:
				st.role = sources.StandsBy
			}
			switch {
			case n <= called && st.call != nil:
				close(st.call)
				st.call = nil
			case n > called && st.call == nil:
				st.call = make(chan struct{})
			}
		}
	}
}

// works tells whether any source of a tier can be trusted to answer.
func works(tier []*sourceState) bool {
	for _, st := range tier {
		if !st.down() {
			return true
		}
	}
	return false
}

// down is a source that is not read because it fails, or whose failure has lasted
// long enough for its data to be old.
func (st *sourceState) down() bool {
	if st.own.State != sources.BreakerClosed {
		return true
	}
	for c := range st.caps {
		if cp := &st.caps[c]; st.counts(c) && cp.err != "" && cp.health != sources.Fresh {
			return true
		}
	}
	return false
}

// counts tells whether a part decides if the source can speak: alerts do not where
// there is more to tell, for another Prometheus would have none of these alerts either,
// and neither do budgets, whose questions over weeks may be too much for a server that
// is well.
func (st *sourceState) counts(part int) bool {
	if p := sources.Part(part); p != sources.PartAlerts && p != sources.PartBudgets && p != sources.PartDeploys {
		return st.caps[part].has
	}
	for c := range st.caps {
		if c != part && st.caps[c].has {
			return false
		}
	}
	return st.caps[part].has
}

// failing tells whether every source of a tier has failed in its last reads.
func failing(tier []*sourceState) bool {
	for _, st := range tier {
		if st.reason() == "" && st.own.State == sources.BreakerClosed {
			return false
		}
	}
	return true
}

func hasData(tier []*sourceState) bool {
	for _, st := range tier {
		for c := range st.caps {
			if !st.caps[c].lastOK.IsZero() {
				return true
			}
		}
	}
	return false
}

func (st *sourceState) reason() string {
	for c := range st.caps {
		if cp := &st.caps[c]; st.counts(c) && cp.err != "" {
			return cp.err
		}
	}
	return ""
}

func reason(tier []*sourceState) string {
	for _, st := range tier {
		if why := st.reason(); why != "" {
			return why
		}
	}
	return ""
}

func names(tier []*sourceState) string {
	list := make([]string, len(tier))
	for i, st := range tier {
		list[i] = st.cfg.Name
	}
	return strings.Join(list, ", ")
}

// silent is a source whose data is not shown because another speaks.
func (st *sourceState) silent() bool {
	return st.role == sources.Replaced || st.role == sources.StandsBy
}

// called waits while the i-th source only stands by; false when ctx ends.
func (e *Engine) called(ctx context.Context, i int) bool {
	for {
		e.mu.Lock()
		call := e.state.sources[i].call
		e.mu.Unlock()
		if call == nil {
			return ctx.Err() == nil
		}
		select {
		case <-ctx.Done():
			return false
		case <-call:
		}
	}
}
