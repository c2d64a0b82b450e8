package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"relctl-tui/sources"
)

// timeline puts everything that happened in the span in its order.
func (b *builder) timeline() {
	var out []Event
	add := func(at time.Time, what, format string, args ...any) {
		if b.within(at) {
			out = append(out, Event{at.UTC(), what, fmt.Sprintf(format, args...)})
		}
	}
	for i := range b.doc.Actions {
		a := &b.doc.Actions[i]
		add(a.At, "change", "%d. %s: %s (%s)", a.Number, or(a.Who, "somebody"), verbed(a.What), a.Result)
	}
	for i := range b.Incident.Events {
		e := &b.Incident.Events[i]
		if e.Lane == sources.LaneFlags || b.ours(e) {
			continue
		}
		add(e.At, e.Lane.String(), "%s: %s", e.Name, e.Text)
		if !e.Until.IsZero() && e.Lane != sources.LaneBreakers { // whose next turn is an event
			add(e.Until, e.Lane.String(), "%s: over after %s", e.Name, span(e.Until.Sub(e.At)))
		}
	}
	for i := range b.Incident.Breaches {
		o := &b.Incident.Breaches[i]
		add(o.At, "onset", "%s left its level: %s to %s", o.Metric, sources.Amount(o.Before, o.Unit), sources.Amount(o.After, o.Unit))
		if !o.Until.IsZero() {
			add(o.Until, "onset", "%s was back at its level after %s", o.Metric, span(o.Until.Sub(o.At)))
		}
	}
	slices.SortStableFunc(out, func(x, y Event) int { return x.At.Compare(y.At) })
	if n := len(out) - maxEvents; n > 0 {
		b.Gaps = append(b.Gaps, plural(n, "earlier event")+" left out of the timeline")
		out = out[n:]
	}
	b.doc.Timeline = out
}

// ours says that an event is one of the actions: a breaker that somebody switched.
func (b *builder) ours(e *sources.Event) bool {
	return e.Lane == sources.LaneBreakers && slices.ContainsFunc(b.changes, func(a sources.Activity) bool {
		return a.Name == e.Name && a.At.Equal(e.At)
	})
}

// verbed is what an action did, as a clause.
func verbed(what string) string { return strings.Replace(what, ": ", ", ", 1) }

// questions are what the document cannot answer.
func (b *builder) questions() {
	ask := func(format string, args ...any) {
		if len(b.doc.Questions) < maxAsked {
			b.doc.Questions = append(b.doc.Questions, fmt.Sprintf(format, args...))
		}
	}
	if len(b.doc.Charts) == 0 {
		ask("No source of metrics keeps a past, so it is not known what users felt.")
	}
	for i := range b.doc.Actions {
		a := &b.doc.Actions[i]
		outcome := b.changes[i].Outcome
		switch {
		case outcome == sources.Pending, outcome == sources.Unconfirmed:
			ask("Change %d (%s) is %s: is it in force?", a.Number, a.What, outcome)
		case b.changes[i].Untold != "":
			ask("Change %d (%s) could not be told to %s: do those who watch there know?", a.Number, a.What, b.changes[i].Untold)
		case a.Why == "" && !outcome.Void():
			ask("Change %d (%s) by %s has no reason on record.", a.Number, a.What, or(a.Who, "somebody unknown"))
		}
	}
	if len(b.doc.Suspects) == 0 {
		for i := range b.Incident.Breaches {
			o := &b.Incident.Breaches[i]
			ask("%s left its level at %s UTC, and nothing on record explains it.", o.Metric, b.doc.clock(o.At))
		}
	}
	b.askOfMetrics(ask)
	for i := range b.Alerts {
		if a := &b.Alerts[i]; a.State == sources.AlertFiring {
			ask("Alert %s still fires.", a.Name)
		}
	}
	for i := range b.Breakers {
		if br := &b.Breakers[i]; br.State != sources.BreakerClosed && br.State != sources.BreakerUnknown {
			ask("Breaker %s is still %s.", br.Name, br.State)
		}
	}
	for _, g := range slices.Concat(b.Incident.Missing, b.Gaps) {
		ask("%s.", strings.TrimSuffix(g, "."))
	}
}

// askOfMetrics asks about what is not known of metrics, once for all that lack the same.
func (b *builder) askOfMetrics(ask func(string, ...any)) {
	if len(b.unmeasured) > 0 {
		ask("No samples in this span: %s.", several(b.unmeasured))
	}
	var known time.Time
	var gaps []Gap
	lacking := map[Gap][]string{}
	for i := range b.doc.Charts {
		c := &b.doc.Charts[i]
		if known.IsZero() || c.Known.Before(known) {
			known = c.Known
		}
		for _, g := range c.Missing {
			if lacking[g] == nil {
				gaps = append(gaps, g)
			}
			lacking[g] = append(lacking[g], c.Name)
		}
		if all := c.breaches(); len(all) > 0 && all[len(all)-1].To.IsZero() {
			ask("%s is still above %s.", c.Name, sources.Amount(c.Limit, c.Unit))
		}
	}
	if known.Sub(b.doc.From) > b.doc.To.Sub(b.doc.From)/20 {
		ask("Nothing was measured before %s UTC.", b.doc.clock(known))
	}
	for _, g := range gaps {
		ask("No samples from %s to %s UTC (%s): %s.", b.doc.clock(g.From), b.doc.clock(g.To), span(g.To.Sub(g.From)), several(lacking[g]))
	}
}

// summary is the span in a few sentences.
func (b *builder) summary() {
	d := b.doc
	say := func(format string, args ...any) { d.Summary = append(d.Summary, fmt.Sprintf(format, args...)) }
	who := map[string]bool{}
	for i := range b.changes {
		who[b.changes[i].Actor] = true
	}
	changes := plural(len(b.changes), "change")
	if len(who) > 0 {
		changes += " by " + people(len(who))
	}
	say("%s, %s in all.", changes, plural(len(d.Timeline), "event"))
	calm := true
	for i := range d.Charts {
		if c := &d.Charts[i]; c.Above > 0 {
			calm = false
			say("%s was above %s for %s; at its worst it was %s at %s UTC.", c.Name,
				sources.Amount(c.Limit, c.Unit), span(c.Above), amount(c.Worst, c.Unit), d.clock(c.WorstAt))
		}
	}
	if calm && len(d.Charts) > 0 {
		say("No metric was above its limit.")
	}
	if len(d.Suspects) > 0 {
		s := &d.Suspects[0]
		say("First suspect (%s): %s.", s.Word, strings.TrimSuffix(s.Why, "."))
	}
	for i := range d.Actions {
		if a := &d.Actions[i]; a.Recovered >= 0 {
			say("%s: %s; %s was within its limit %s later.", or(a.Who, "Somebody"), verbed(a.What), a.Metric, span(a.Recovered))
		}
	}
}

func people(n int) string {
	if n == 1 {
		return "1 person"
	}
	return fmt.Sprintf("%d people", n)
}
