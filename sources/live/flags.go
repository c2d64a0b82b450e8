package live

import (
	"slices"
	"strings"
	"time"

	"relctl-tui/sources"
)

// setFlags takes a store's new set, turns what differs into activity, and marks
// the flags for the next snapshot when anything does.
func (s *state) setFlags(i int, set *sources.FlagSet, now time.Time) {
	st := s.sources[i]
	s.warn(st, sources.PartFlags, set.Warnings)
	old := st.flags
	st.flags = set
	if old == nil {
		s.flagsDirty, s.dirty = true, true
		return
	}
	s.dirty = s.dirty || old.ReadOnly != set.ReadOnly
	changed, room := old.Revision != set.Revision, s.opts.MaxActivity // time alone may have moved a flag
	if old.Revision != "" && !changed && len(old.Flags) == len(set.Flags) {
		s.learnt(old.Flags, set.Flags)
		return
	}
	diff(old.Flags, set.Flags, func(was, is *sources.Flag) {
		changed = true
		if room > 0 {
			room--
			s.changed(was, is, now)
		}
	})
	if changed {
		s.flagsDirty, s.dirty = true, true
	}
}

// learnt takes note of what was found out about flags that have not changed: who
// changed them last, which a store's record may say later than the flags say it.
func (s *state) learnt(old, now []sources.Flag) {
	for i := range now {
		if old[i].ChangedBy != now[i].ChangedBy || !old[i].ChangedAt.Equal(now[i].ChangedAt) {
			s.flagsDirty, s.dirty = true, true
			return
		}
	}
}

// diff walks two sets sorted by key and calls f for each flag that came, went or
// changed; was or is is nil for the first two.
func diff(old, now []sources.Flag, f func(was, is *sources.Flag)) {
	for len(old) > 0 || len(now) > 0 {
		switch {
		case len(now) == 0 || (len(old) > 0 && old[0].ID.Key < now[0].ID.Key):
			f(&old[0], nil)
			old = old[1:]
		case len(old) == 0 || now[0].ID.Key < old[0].ID.Key:
			f(nil, &now[0])
			now = now[1:]
		default:
			if old[0].Revision != now[0].Revision || old[0].Revision == "" && old[0].Brief() != now[0].Brief() {
				f(&old[0], &now[0])
			}
			old, now = old[1:], now[1:]
		}
	}
}

// mergeFlags makes one slice of all stores' flags, by source and key, with the
// context's rules and the last change written in.
func (s *state) mergeFlags() {
	n := 0
	for _, st := range s.sources {
		if st.flags != nil {
			n += len(st.flags.Flags)
		}
	}
	last := s.lastChanges()
	flags := make([]sources.Flag, 0, n)
	for _, st := range s.sources {
		if st.flags == nil {
			continue
		}
		for _, f := range st.flags.Flags {
			if rule, ok := s.opts.Rules[f.ID.Key]; ok {
				if rule.Ladder != nil {
					f.Ladder = rule.Ladder
				}
				if rule.Metric != "" {
					f.Metric = rule.Metric
				}
				f.Migration = rule.Migration
			}
			if f.Ladder == nil {
				f.Ladder = s.opts.Ladder
			}
			if l := last[f.ID]; l != nil && (l.Revision == f.Revision || l.Revision == "" && f.ChangedAt.Before(l.At)) {
				f.ChangedAt, f.ChangedBy = l.At, l.Actor
			}
			s.withSchedules(&f)
			flags = append(flags, f)
		}
	}
	if !slices.IsSortedFunc(flags, byID) {
		slices.SortStableFunc(flags, byID)
	}
	s.flags = flags
	s.upcoming = upcoming(flags)
	s.flagsSeq++
}

const maxUpcoming = 50

// upcoming is what the stores will do to flags by themselves, the next first.
func upcoming(flags []sources.Flag) (all []sources.Activity) {
	for i := range flags {
		f := &flags[i]
		for _, u := range f.Upcoming {
			all = append(all, sources.Activity{
				At: u.At, Kind: sources.KindUpcoming, Flag: f.ID, Name: f.Name, New: u.What, Outcome: sources.Scheduled, Actor: u.By, Reason: u.Why,
			})
		}
	}
	slices.SortStableFunc(all, func(a, b sources.Activity) int { return a.At.Compare(b.At) })
	return all[:min(len(all), maxUpcoming)]
}

func byID(a, b sources.Flag) int {
	if c := strings.Compare(a.ID.Source, b.ID.Source); c != 0 {
		return c
	}
	return strings.Compare(a.ID.Key, b.ID.Key)
}

// lastChanges is the newest change of each flag that took effect.
func (s *state) lastChanges() map[sources.FlagID]*line {
	last := map[sources.FlagID]*line{}
	for _, l := range s.activity {
		if l.Flag.Key != "" && l.Kind != sources.KindSigned && l.tookEffect() && last[l.Flag] == nil {
			last[l.Flag] = l
		}
	}
	return last
}
