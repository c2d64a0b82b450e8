package live

import (
	"slices"
	"time"

	"relctl-tui/sources"
)

// endedFor is how long the end of a schedule that is no change is told to boards that
// come later.
const endedFor = 24 * time.Hour

// ObserveSchedules shows a store's schedules in the place of those shown before: what
// waits as upcoming, what came to a bad end as activity. When they could not be read the
// old ones stay, and err is a warning of the store.
func (e *Engine) ObserveSchedules(source string, all []sources.Schedule, err error) {
	now := e.opts.Now()
	e.update(func(s *state) {
		text := sources.Clean(sources.Sentence(err), maxText)
		if s.scheduleErrs[source] != text {
			s.scheduleErrs[source], s.dirty = text, true
		}
		if err != nil {
			return
		}
		var waiting []sources.Schedule
		for i := range all {
			sch := &all[i]
			switch {
			case !sch.State.Ended():
				waiting = append(waiting, *sch)
			case sch.State != sources.ScheduleDone && sch.State != sources.ScheduleCancelled && sch.Change != "" && now.Sub(sch.Ended) < endedFor:
				s.recallEnd(sch, now)
			}
		}
		slices.SortFunc(waiting, func(a, b sources.Schedule) int { return a.At.Compare(b.At) })
		if !slices.EqualFunc(waiting, s.schedules[source], sameSchedule) {
			s.schedules[source] = waiting
			s.flagsDirty, s.dirty = true, true
		}
	})
}

func sameSchedule(a, b sources.Schedule) bool { return a.ID == b.ID && a.Version == b.Version }

// recallEnd is a line for an end that the flag itself does not show.
func (s *state) recallEnd(sch *sources.Schedule, now time.Time) {
	o := sources.Failed
	if sch.State == sources.ScheduleInDoubt {
		o = sources.Unconfirmed
	}
	if slices.ContainsFunc(s.activity, func(l *line) bool { return l.ID == sch.Change }) {
		return
	}
	s.recall(sources.Activity{
		ID: sources.Clean(sch.Change, 64), At: sch.Ended, Kind: sources.Clean(string(sch.Kind), 20), Flag: sch.Flag,
		Name: sources.Clean(sch.Flag.Key, sources.MaxName), Actor: sources.Clean(sch.Actor, sources.MaxName),
		Reason: sources.Clean(sch.Reason, maxText), New: sch.What(), Outcome: o, Err: sources.Clean(sch.Why, maxText),
	}, now)
}

// withSchedules adds what is scheduled for a flag here to what its store does by itself, and
// says whether that is anything.
func (s *state) withSchedules(f *sources.Flag) bool {
	var own []sources.Upcoming
	for i := range s.schedules[f.ID.Source] {
		if sch := &s.schedules[f.ID.Source][i]; sch.Flag == f.ID {
			own = append(own, sources.Upcoming{ID: sources.Clean(sch.ID, 64), At: sch.At, What: sch.What(), By: sources.Clean(sch.Actor, sources.MaxName), Why: sources.Clean(sch.Why, maxText)})
		}
	}
	if len(own) == 0 {
		return false
	}
	all := append(slices.Clone(f.Upcoming), own...)
	slices.SortStableFunc(all, func(a, b sources.Upcoming) int { return a.At.Compare(b.At) })
	f.Upcoming = all[:min(len(all), sources.MaxUpcoming)]
	return true
}
