package goff

import (
	"slices"
	"time"

	"relctl-tui/sources"
)

// events are the moments after now at which time alone makes another flag of it:
// scheduled steps, the ends of a progressive rollout and of an experiment. Of a
// flag with a longer plan the next ones are returned, in order and each once.
func (e *entry) events(now time.Time) (all []time.Time) {
	d := &e.def
	if d.Scheduled == nil && d.Experimentation == nil && (d.DefaultRule == nil || d.DefaultRule.Progressive == nil) {
		return nil
	}
	add := func(t *time.Time) {
		if t != nil && t.After(now) {
			all = append(all, *t)
		}
	}
	plan := func(r *rule, x *window) {
		if r != nil && r.Progressive != nil {
			for _, b := range []*bound{r.Progressive.Initial, r.Progressive.End} {
				if b != nil {
					add(b.Date)
				}
			}
		}
		if x != nil {
			add(x.Start)
			if x.End != nil && x.End.Before(latest) {
				over := x.End.Add(1) // it runs up to and including its end
				add(&over)
			}
		}
	}
	plan(d.DefaultRule, d.Experimentation)
	for i := range d.steps() {
		s := &d.steps()[i]
		add(s.Date)
		plan(s.DefaultRule, s.Experimentation)
	}
	slices.SortFunc(all, time.Time.Compare)
	return slices.CompactFunc(all, time.Time.Equal)
}

// latest keeps an addition from leaving the range of time.
var latest = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// staysKilled is a step that leaves a killed flag as it is.
const staysKilled = "stays killed"

// maxEvents bounds how far ahead a plan is worked out.
const maxEvents = 4 * sources.MaxUpcoming

// upcoming is what will become of a flag that is f now.
func (e *entry) upcoming(source string, now time.Time, f *sources.Flag) []sources.Upcoming {
	events := e.events(now)
	if len(events) == 0 {
		return nil
	}
	dated := map[int64]bool{}
	for i := range e.def.steps() {
		if at := e.def.steps()[i].Date; at != nil {
			dated[at.UnixNano()] = true
		}
	}
	var list []sources.Upcoming
	last := f
	for _, at := range events[:min(len(events), maxEvents)] {
		then := e.bare(source, at)
		what := then.Brief()
		switch {
		case then.Killed && last.Killed:
			if what = staysKilled; !dated[at.UnixNano()] {
				continue
			}
		case then.Brief() != last.Brief():
		case dated[at.UnixNano()] && then.Rollout == last.Rollout && then.Note == last.Note:
			what = "stays " + what
		case then.Note == last.Note:
			continue
		}
		if !then.Killed && then.Note != "" && then.Note != last.Note {
			what += " (" + then.Note + ")"
		}
		list = append(list, sources.Upcoming{At: at, What: sources.Clean(what, 120)})
		if last = &then; len(list) == sources.MaxUpcoming {
			break
		}
	}
	return list
}

// moves is when the flag next reads otherwise, zero for never.
func (e *entry) moves(now time.Time) time.Time {
	var next time.Time
	if events := e.events(now); len(events) > 0 {
		next = events[0]
	}
	if e.wrong != "" || e.same > 0 || e.def.DefaultRule == nil {
		return next
	}
	if r := e.read(now); r.form == formProgressive {
		next = earlier(next, r.eff.progressive.moves(now))
	}
	return next
}
