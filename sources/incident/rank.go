package incident

import (
	"math"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/suspect"
)

// errorLimit is the share of calls that may fail before it counts as a breach, where no
// guard says otherwise.
const errorLimit = 0.01

// rank fills in the metrics, what left its level, and the suspects.
func rank(in *sources.Incident, q *Question, changes []change, latencies []sources.Latency, lines []line) {
	var series []suspect.Series
	for i := range latencies {
		if lines[i].err == nil {
			series = append(series, linesOf(q.Snapshot, &latencies[i], &lines[i].series)...)
		}
	}
	for i := range series {
		s := &series[i]
		in.Metrics = append(in.Metrics, sources.PastMetric{
			Name: s.Name, Service: s.Service, Unit: s.Unit, Start: s.Start, Step: s.Step, Points: s.Points, Limit: s.Limit,
		})
	}
	series = append(series, breakersOf(in, q.Snapshot)...)
	weighed := make([]suspect.Change, len(changes))
	for i := range changes {
		weighed[i] = changeOf(&changes[i], q.Snapshot)
	}
	in.Changes = len(weighed)
	r := suspect.Rank(series, weighed)
	for _, o := range r.Onsets {
		s := &series[o.Series]
		in.Breaches = append(in.Breaches, sources.Breach{
			Metric: s.Name, Service: s.Service, Unit: s.Unit, At: o.At, Until: o.Until, Before: o.Before, After: o.After,
		})
	}
	for i := range r.Suspects {
		s := &r.Suspects[i]
		c, m := &changes[s.Change], &series[s.Series]
		in.Suspects = append(in.Suspects, sources.Suspect{
			Lane: c.lane, Flag: c.Flag, Change: c.ID, Subject: c.Name, What: what(&c.Activity), Actor: c.Actor, At: c.At,
			Word: s.Word(), Score: s.Score, Lag: s.Lag, Metric: m.Name, Service: m.Service, Metrics: s.Metrics,
			Undone: !s.Undone.IsZero(), Healed: s.Healed, Why: s.Why,
		})
	}
}

// linesOf is what of a latency can break: its p99 and its errors.
func linesOf(snap *sources.Snapshot, l *sources.Latency, s *sources.Series) []suspect.Series {
	one := suspect.Series{
		Name: l.Name + " p99", Service: l.Name, Unit: "s", Start: s.From, Step: s.Step, Points: seconds(s.P99),
		Limit: l.SLO.Seconds(), Rate: l.Rate.Or(0), Calls: l.Calls,
	}
	out := []suspect.Series{one}
	if len(s.Errors) > 0 {
		one.Name, one.Unit, one.Points, one.Limit = l.Name+" errors", "", ratios(s.Errors), mayFail(snap, l.Name)
		out = append(out, one)
	}
	return out
}

// mayFail is the share of a latency's calls that may fail: the least that a guard
// allows, or errorLimit.
func mayFail(s *sources.Snapshot, latency string) float64 {
	limit := math.Inf(1)
	for i := range s.Guards {
		if g := &s.Guards[i]; g.Preset == sources.GuardErrors && g.Of == latency && g.Against == sources.AgainstLimit && g.Limit > 0 {
			limit = min(limit, g.Limit)
		}
	}
	if math.IsInf(limit, 1) {
		return errorLimit
	}
	return limit
}

// breakerStep is how far apart the points of a breaker's state are.
const breakerStep = 5 * time.Second

// breakersOf is the state of each breaker that opened, as a series of 0 and 1: one that
// tries whether calls work again is not closed yet.
func breakersOf(in *sources.Incident, snap *sources.Snapshot) (out []suspect.Series) {
	at := map[string]int{}
	n := int(in.At.Sub(in.From)/breakerStep) + 1
	if n > sources.MaxSeriesPoints*4 {
		return nil // over days the points would be too far apart to tell anything
	}
	for i := range in.Events {
		e := &in.Events[i]
		if e.Lane != sources.LaneBreakers || e.Until.IsZero() && !e.Lasting {
			continue
		}
		k, known := at[e.Name]
		if !known {
			if len(out) == mostMetrics {
				continue
			}
			k = len(out)
			at[e.Name] = k
			s := suspect.Series{
				Name: e.Name + " breaker", Unit: "breaker", Start: in.From, Step: breakerStep, Points: make([]float64, n), Limit: 0.5,
			}
			if l := snap.Latency(e.Name); l != nil {
				s.Service, s.Rate, s.Calls = l.Name, l.Rate.Or(0), l.Calls
			}
			out = append(out, s)
		}
		until := in.At
		if !e.Lasting {
			until = e.Until
		}
		for p := max(0, int(math.Ceil(e.At.Sub(in.From).Seconds()/breakerStep.Seconds()))); p < n && !out[k].At(p).After(until); p++ {
			out[k].Points[p] = 1
		}
	}
	return out
}

// changeOf is a change as it is weighed.
func changeOf(a *change, snap *sources.Snapshot) suspect.Change {
	c := suspect.Change{ID: a.ID, Subject: a.Name, What: what(&a.Activity), At: a.At, Services: a.services}
	switch a.lane {
	case sources.LaneFlags:
		from, knownFrom := share(a.Old)
		to, knownTo := share(a.New)
		if knownFrom && knownTo {
			c.From, c.To = from, to
		}
	case sources.LaneDeploys:
		c.To, c.Was, c.Is = 1, a.Old, a.New
	default:
		c.To = 1
	}
	for _, name := range c.Services {
		if l := snap.Latency(name); l != nil {
			c.Rate += l.Rate.Or(0)
		}
	}
	return c
}
