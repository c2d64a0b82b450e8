package live

import (
	"maps"
	"slices"
	"strings"
	"time"

	"relctl-tui/sources"
)

// setBreakers takes a source's breakers and turns transitions into activity.
func (s *state) setBreakers(i int, set sources.BreakerSet, now time.Time) {
	st := s.sources[i]
	s.warn(st, sources.PartBreakers, set.Warnings)
	if fixed := sources.Clean(set.ReadOnly, maxText); st.fixed != fixed {
		st.fixed, s.dirty = fixed, true
	}
	if st.seenSince.IsZero() {
		st.seenSince = now
	}
	before := make(map[string]*sources.Breaker, len(st.breakers))
	for i := range st.breakers {
		before[st.breakers[i].Name] = &st.breakers[i]
	}
	next := slices.Clone(set.Breakers)
	for i := range next {
		b := &next[i]
		was := before[b.Name]
		if was == nil {
			continue
		}
		if was.State != b.State {
			st.turned(b.Name, sources.BreakerTurn{At: now, Was: was.State, Is: b.State})
			if b.Since.IsZero() {
				b.Since = now
			}
			if s.told(st, b, now) {
				continue
			}
			s.transition(sources.KindBreaker, st.cfg.Name, b.Name, was.State.String(), b.State.String(), now)
		} else if b.Since.IsZero() {
			b.Since = was.Since
		}
	}
	if !slices.Equal(st.breakers, next) {
		s.metricsDirty, s.dirty = true, true
	}
	st.breakers = next
}

// told says that a breaker's turn is known from elsewhere: the operator's own switch has
// a line of its own, and so has a source that asks the very breaker.
func (s *state) told(st *sourceState, b *sources.Breaker, now time.Time) bool {
	for _, l := range s.activity {
		if l.Flag.Key == b.Name && l.ID != "" && near(l.At, now) && !l.Outcome.Void() && strings.HasPrefix(l.New, b.State.String()) &&
			s.source(l.Flag.Source) != nil && s.source(l.Flag.Source).switches() {
			return true
		}
	}
	if st.switches() {
		return false
	}
	for _, other := range s.sources {
		if other.switches() && other.caps[sources.PartBreakers].health == sources.Fresh &&
			slices.ContainsFunc(other.breakers, func(o sources.Breaker) bool { return o.Name == b.Name }) {
			return true
		}
	}
	return false
}

// setLatencies takes a source's latencies and appends one point to each trend.
func (s *state) setLatencies(i int, set sources.LatencySet) {
	st := s.sources[i]
	s.warn(st, sources.PartLatencies, set.Warnings)
	st.trends.add(set.Latencies)
	s.trendsDirty = true
	if !slices.EqualFunc(st.latencies, set.Latencies, sameLatency) {
		s.metricsDirty, s.dirty = true, true
	}
	st.latencies = slices.Clone(set.Latencies)
}

func sameLatency(a, b sources.Latency) bool {
	return a.Source == b.Source && a.Name == b.Name && a.P50 == b.P50 && a.P95 == b.P95 && a.P99 == b.P99 &&
		a.Rate == b.Rate && a.ErrorRatio == b.ErrorRatio && a.SLO == b.SLO && a.Verdict == b.Verdict &&
		a.Note == b.Note && slices.Equal(a.Calls, b.Calls) && a.Budget.Equal(&b.Budget)
}

// setBudgets takes what a source says of its latencies' error budgets.
func (s *state) setBudgets(i int, set sources.BudgetSet) {
	st := s.sources[i]
	s.warn(st, sources.PartBudgets, set.Warnings)
	if !maps.EqualFunc(st.budgets, set.Budgets, func(a, b sources.Budget) bool { return a.Equal(&b) }) {
		s.metricsDirty, s.dirty = true, true
	}
	st.budgets = set.Budgets
}

func (s *state) setExposures(i int, set *sources.ExposureSet) {
	st := s.sources[i]
	s.warn(st, sources.PartExposures, set.Warnings)
	same := st.exposures != nil && maps.EqualFunc(st.exposures.ByKey, set.ByKey, maps.Equal[map[string]float64, map[string]float64])
	if !same {
		s.metricsDirty, s.dirty = true, true
	}
	st.exposures = set
}

// mergeMetrics puts all sources' numbers together, worst first. What is too old
// to mean anything loses its numbers and its colour, never its row.
func (s *state) mergeMetrics() {
	var breakers, own []sources.Breaker
	var latencies []sources.Latency
	var exposures *sources.ExposureSet
	for _, st := range s.sources {
		own = append(own, st.own)
		if st.silent() {
			continue
		}
		for _, b := range st.breakers {
			if st.caps[sources.PartBreakers].health == sources.Unknown {
				b = sources.Breaker{Source: b.Source, Name: b.Name, Inferred: b.Inferred, Limit: b.Limit, Preset: b.Preset, Note: b.Note}
			}
			breakers = append(breakers, b)
		}
		for _, l := range st.latencies {
			if st.caps[sources.PartLatencies].health == sources.Unknown {
				l = sources.Latency{Source: l.Source, Name: l.Name, SLO: l.SLO, Calls: l.Calls, Note: l.Note}
			} else if b, ok := st.budgets[l.Name]; ok && st.caps[sources.PartBudgets].health != sources.Unknown {
				l.Budget, l.Verdict = b, b.Judge(l.Verdict)
			}
			latencies = append(latencies, l)
		}
		if st.exposures != nil && st.caps[sources.PartExposures].health != sources.Unknown {
			seen := *st.exposures
			seen.Stale = st.caps[sources.PartExposures].health == sources.Stale
			exposures = mergeExposures(exposures, &seen)
		}
	}
	breakers = sources.JoinBreakers(breakers, func(name string) bool {
		st := s.source(name) // one that says nothing any more takes no row's place
		return st != nil && st.switches() && st.caps[sources.PartBreakers].health != sources.Unknown
	})
	slices.SortStableFunc(breakers, sources.CompareBreakers)
	slices.SortStableFunc(latencies, sources.CompareLatencies)
	slices.SortStableFunc(own, sources.CompareBreakers)
	s.breakers, s.own, s.latencies, s.exposures = breakers, own, latencies, exposures
	s.alerts, s.deploys = s.mergeAlerts(), s.mergeDeploys()
}

// mergeExposures is both sets together, as old as the older; on the same key the
// first source wins.
func mergeExposures(a, b *sources.ExposureSet) *sources.ExposureSet {
	if a == nil {
		return b
	}
	merged := sources.ExposureSet{ByKey: maps.Clone(b.ByKey), Warnings: slices.Concat(a.Warnings, b.Warnings), ReadAt: b.ReadAt, Stale: a.Stale || b.Stale}
	if merged.ByKey == nil {
		merged.ByKey = map[string]map[string]float64{}
	}
	maps.Copy(merged.ByKey, a.ByKey)
	if a.ReadAt.Before(b.ReadAt) {
		merged.ReadAt = a.ReadAt
	}
	return &merged
}
