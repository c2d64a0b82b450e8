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
	old, was := st.flags, st.read
	head := *set // the driver's may be shared
	head.Flags = nil
	st.flags, st.read = &head, readFlags{flags: set.Flags}
	if old == nil {
		s.flagsDirty, s.dirty = true, true
		return
	}
	s.dirty = s.dirty || old.ReadOnly != set.ReadOnly
	changed, room := old.Revision != set.Revision, s.opts.MaxActivity // time alone may have moved a flag
	if old.Revision != "" && !changed && len(was.flags) == len(set.Flags) {
		if !s.learnt(was, set.Flags) {
			st.read = was
		}
		return
	}
	diff(was, set.Flags, func(was, is *sources.Flag) {
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

// readFlags are the flags of a store as it has them. Once they are merged most of them
// are those of the snapshot, so that ten thousand flags are not held twice.
type readFlags struct {
	flags    []sources.Flag
	original map[int]*sources.Flag // by index, of those into which the merge wrote more than the context's ladder
}

func (r readFlags) at(i int) *sources.Flag {
	if f := r.original[i]; f != nil {
		return f
	}
	return &r.flags[i]
}

// learnt takes note of what was found out about flags that have not changed: who
// changed them last, which a store's record may say later than the flags say it. It
// tells whether there was anything.
func (s *state) learnt(old readFlags, now []sources.Flag) bool {
	for i := range now {
		if was := old.at(i); was.ChangedBy != now[i].ChangedBy || !was.ChangedAt.Equal(now[i].ChangedAt) {
			s.flagsDirty, s.dirty = true, true
			return true
		}
	}
	return false
}

// diff walks two sets sorted by key and calls f for each flag that came, went or
// changed; was or is is nil for the first two.
func diff(old readFlags, now []sources.Flag, f func(was, is *sources.Flag)) {
	for i, j := 0, 0; i < len(old.flags) || j < len(now); {
		switch {
		case j == len(now) || i < len(old.flags) && old.flags[i].ID.Key < now[j].ID.Key:
			f(old.at(i), nil)
			i++
		case i == len(old.flags) || now[j].ID.Key < old.flags[i].ID.Key:
			f(nil, &now[j])
			j++
		default:
			if was, is := old.at(i), &now[j]; was.Revision != is.Revision || was.Revision == "" && was.Brief() != is.Brief() {
				f(was, is)
			}
			i, j = i+1, j+1
		}
	}
}

// mergeFlags makes one slice of all stores' flags, by source and key, with the
// context's rules and the last change written in.
func (s *state) mergeFlags() {
	n := 0
	for _, st := range s.sources {
		n += len(st.read.flags)
	}
	last := s.lastChanges()
	flags := make([]sources.Flag, 0, n)
	stores := slices.Clone(s.sources)
	slices.SortStableFunc(stores, func(a, b *sourceState) int { return strings.Compare(a.cfg.Name, b.cfg.Name) })
	merged := make([]readFlags, len(stores))
	for k, st := range stores {
		from := len(flags)
		for i := range st.read.flags {
			was := st.read.at(i)
			flags = append(flags, *was)
			if s.ruled(&flags[len(flags)-1], last) {
				if merged[k].original == nil {
					merged[k].original = map[int]*sources.Flag{}
				}
				original := *was // was may lie among the flags of the last snapshot
				merged[k].original[i] = &original
			}
		}
		merged[k].flags = flags[from:len(flags):len(flags)]
	}
	if slices.IsSortedFunc(flags, byID) {
		for k, st := range stores {
			st.read = merged[k] // what was read can go
		}
	} else { // a store's flags are not in order
		slices.SortStableFunc(flags, byID)
	}
	s.flags = flags
	s.upcoming = upcoming(flags)
	s.flagsSeq++
}

// ruled writes into a flag what its store does not know. It says whether that was more
// than the context's ladder.
func (s *state) ruled(f *sources.Flag, last map[sources.FlagID]*line) (more bool) {
	if rule, ok := s.opts.Rules[f.ID.Key]; ok {
		more = true
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
		f.ChangedAt, f.ChangedBy, more = l.At, l.Actor, true
	}
	return s.withSchedules(f) || more
}

const maxUpcoming = 50

// upcoming is what the stores will do to flags by themselves, the next first.
func upcoming(flags []sources.Flag) (all []sources.Activity) {
	for i := range flags {
		f := &flags[i]
		for _, u := range f.Upcoming {
			all = append(all, sources.Activity{
				ID: u.ID, At: u.At, Kind: sources.KindUpcoming, Flag: f.ID, Name: f.Name, New: u.What, Outcome: sources.Scheduled, Actor: u.By, Reason: u.Why,
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
