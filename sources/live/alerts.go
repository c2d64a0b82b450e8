package live

import (
	"maps"
	"slices"
	"time"

	"relctl-tui/sources"
)

// setAlerts takes a source's alerts. What fires since the last reading, and what
// fires no more, is activity; what fired before the board was opened is not.
func (s *state) setAlerts(i int, set sources.AlertSet, now time.Time) {
	st := s.sources[i]
	s.warn(st, sources.PartAlerts, set.Warnings)
	if st.alerted && slices.EqualFunc(st.alerts, set.Alerts, sameAlert) {
		return
	}
	if st.alerted && !st.silent() {
		s.alertsTurned(st, set.Alerts, now)
	}
	st.alerts, st.alerted = slices.Clone(set.Alerts), true
	s.metricsDirty, s.dirty = true, true
}

func sameAlert(a, b sources.Alert) bool {
	same := a.ID == b.ID && a.State == b.State && a.Severity == b.Severity && a.Summary == b.Summary &&
		a.Since.Equal(b.Since) && a.Until.Equal(b.Until) && a.Why == b.Why &&
		a.Description == b.Description && a.Runbook == b.Runbook && a.Value == b.Value
	return same && maps.Equal(a.Labels, b.Labels)
}

// firing is the alerts that somebody is told of, by what they are.
func firing(list []sources.Alert) map[string]*sources.Alert {
	out := map[string]*sources.Alert{}
	for i := range list {
		if a := &list[i]; a.State == sources.AlertFiring {
			out[a.ID] = a
		}
	}
	return out
}

// alertsTurned notes what began and what ceased to fire, unless another source has
// said so already.
func (s *state) alertsTurned(st *sourceState, next []sources.Alert, now time.Time) {
	elsewhere := map[string]bool{}
	for _, other := range s.sources {
		if other != st && !other.silent() {
			for id := range firing(other.alerts) {
				elsewhere[id] = true
			}
		}
	}
	was, is := firing(st.alerts), firing(next)
	for _, id := range slices.Sorted(maps.Keys(is)) {
		if was[id] == nil && !elsewhere[id] {
			s.transition(sources.KindAlert, st.cfg.Name, alertName(is[id]), "", "firing", now)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(was)) {
		if is[id] == nil && !elsewhere[id] {
			word := "resolved"
			if i := slices.IndexFunc(next, func(a sources.Alert) bool { return a.ID == id }); i >= 0 {
				word = next[i].State.String()
			}
			s.transition(sources.KindAlert, st.cfg.Name, alertName(was[id]), "firing", word, now)
		}
	}
}

// alertName tells alerts of one rule apart by the service that they are about.
func alertName(a *sources.Alert) string {
	if a.Service == "" {
		return a.Name
	}
	return a.Name + " " + a.Service
}

// mergeAlerts puts all sources' alerts together, each once. A source that is not fresh
// is no better a witness for what it knows of silences.
func (s *state) mergeAlerts() []sources.Alert {
	var sets [][]sources.Alert
	for _, st := range s.sources {
		if !st.silent() {
			sets = append(sets, st.alerts)
		}
	}
	return sources.JoinAlerts(sets, func(name string) bool {
		st := s.source(name)
		return st != nil && st.caps[sources.PartAlerts].health == sources.Fresh && st.silences()
	})
}
