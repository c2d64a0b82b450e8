package incident

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"relctl-tui/sources"
)

// events is everything that happened in the time of a question, oldest first.
func events(q *Question, past []sources.Event, changes []change, latencies []sources.Latency, lines []line) []sources.Event {
	from := q.Now.Add(-q.Span)
	out := slices.Clone(past)
	for i := range changes {
		out = append(out, changed(&changes[i]))
	}
	out = append(out, alertsOf(q.Snapshot, past)...)
	out = append(out, verdicts(q)...)
	for i := range latencies {
		if lines[i].err == nil {
			out = append(out, breaches(&latencies[i], &lines[i].series)...)
		}
	}
	out = slices.DeleteFunc(out, func(e sources.Event) bool { return !e.Lasting && e.At.Before(from) && !e.Until.After(from) })
	slices.SortStableFunc(out, func(a, b sources.Event) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Lane, b.Lane), cmp.Compare(a.Name, b.Name))
	})
	return out[max(0, len(out)-sources.MaxPastEvents):]
}

// changed is a change as an event.
func changed(a *change) sources.Event {
	e := sources.Event{Lane: a.lane, At: a.At, Name: a.Name, Text: what(&a.Activity)}
	if e.Lane == sources.LaneFlags {
		e.Flag = a.Flag
	}
	if len(a.services) > 0 {
		e.Service = a.services[0]
	}
	if a.Actor != "" {
		e.Text += ", " + a.Actor
	}
	if a.Reason != "" {
		e.Text += ": " + a.Reason
	}
	return e
}

// alertsOf is the alerts that are known now and those that were seen to end, but for
// what a source has on record already.
func alertsOf(s *sources.Snapshot, past []sources.Event) (out []sources.Event) {
	recorded := func(name string, at time.Time) bool {
		return slices.ContainsFunc(past, func(e sources.Event) bool {
			return e.Lane == sources.LaneAlerts && (e.Name == name || strings.HasPrefix(name, e.Name+" ")) &&
				(e.Lasting || e.At.Sub(at).Abs() < 2*time.Minute || e.Until.Sub(at).Abs() < 2*time.Minute)
		})
	}
	for i := range s.Alerts {
		a := &s.Alerts[i]
		if a.State != sources.AlertPending && !a.Since.IsZero() && !recorded(a.Name, s.At) {
			out = append(out, sources.Event{
				Lane: sources.LaneAlerts, At: a.Since, Lasting: true, Bad: a.State == sources.AlertFiring, Name: a.Name,
				Service: a.Service, Flag: sources.FlagID{}, Text: sources.JoinClauses(a.State.String(), a.Severity, a.Summary),
			})
		}
	}
	for i := range s.Activity {
		a := &s.Activity[i]
		if a.Kind == sources.KindAlert && a.New != sources.AlertFiring.String() && !recorded(a.Name, a.At) {
			out = append(out, sources.Event{Lane: sources.LaneAlerts, At: a.At, Name: a.Name, Text: a.Old + " to " + a.New})
		}
	}
	return out
}

// verdicts is what guards refused, and what guarded ramps wait for now.
func verdicts(q *Question) (out []sources.Event) {
	known := map[string]bool{}
	for _, list := range [][]sources.Activity{q.Snapshot.Activity, q.History} {
		for i := range list {
			a := &list[i]
			ramp := strings.HasPrefix(a.Reason, "guarded ramp") && a.Kind == string(sources.Back)
			refused := a.Outcome == sources.Refused
			if !ramp && !refused && !strings.HasPrefix(a.Reason, "OVERRIDE") || a.ID != "" && known[a.ID] {
				continue
			}
			known[a.ID] = true
			text := a.Reason
			if refused {
				text = "refused " + a.Old + " to " + a.New + ": " + a.Err
			}
			out = append(out, sources.Event{Lane: sources.LaneGuards, At: a.At, Bad: true, Name: a.Name, Flag: a.Flag, Text: text})
		}
	}
	for i := range q.Snapshot.Ramps {
		r := &q.Snapshot.Ramps[i]
		for k := range r.Guards {
			g := &r.Guards[k]
			if g.Verdict != sources.GuardPass && !g.At.IsZero() {
				out = append(out, sources.Event{
					Lane: sources.LaneGuards, At: g.At, Bad: g.Verdict == sources.GuardBreach, Name: r.Name, Flag: r.Flag,
					Text: g.Verdict.String() + ": " + g.Text,
				})
			}
		}
	}
	return out
}

// breaches is when a latency was above its SLO. Up to two points below it, or unknown,
// in between are taken for the same breach.
func breaches(l *sources.Latency, s *sources.Series) (out []sources.Event) {
	if l.SLO <= 0 {
		return nil
	}
	const apart = 2
	open, last, worst := -1, -1, 0.0
	flush := func() {
		if open < 0 {
			return
		}
		e := sources.Event{
			Lane: sources.LaneSLOs, At: s.At(open), Bad: true, Name: l.Name, Service: l.Name,
			Text: "p99 to " + sources.Amount(worst, "s") + ", SLO " + sources.Amount(l.SLO.Seconds(), "s"),
		}
		if e.Lasting = last+apart >= s.Len()-1; !e.Lasting {
			e.Until = s.At(last + 1)
		}
		out = append(out, e)
		open = -1
	}
	for i, p := range s.P99 {
		switch above := p.OK && sources.Judge(p, sources.Value{}, l.SLO) == sources.VerdictBreached; {
		case above && open < 0:
			open, last, worst = i, i, p.Seconds
		case above:
			last, worst = i, max(worst, p.Seconds)
		case open >= 0 && i > last+apart:
			flush()
		}
	}
	flush()
	return out
}
