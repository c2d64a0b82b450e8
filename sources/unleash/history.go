package unleash

import (
	"context"
	"time"

	"relctl-tui/sources"
)

// oneChange is how near two events of one person about one flag lie that are one
// change: a ramp of a killed flag is a new percentage and a switch.
const oneChange = 2 * time.Second

// maxHistory bounds how many events one look reads.
const maxHistory = 500

// History is what the event log has on record of this environment's flags. Unleash
// keeps neither an ID of ours nor whole definitions, so ID, Revision and Restore are
// empty: the log says what was done, and undo relies on the journal.
func (s *Store) History(ctx context.Context, limit int) ([]sources.Recorded, error) {
	if err := s.stopped(ctx, "not read"); err != nil {
		return nil, err
	}
	if limit <= 0 {
		return nil, nil
	}
	events, err := s.search(ctx, min(2*limit, maxHistory), 0, nil)
	if err != nil {
		return nil, err
	}
	s.ledger.note(s, events)
	var lines []*line
	newest := map[string]*line{} // of each flag, the one last made: they are made into the past
	for i := range events {
		if !s.concerns(&events[i]) {
			continue
		}
		l := s.line(events, i)
		if l == nil {
			continue
		}
		if n := newest[events[i].Feature]; n != nil && n.absorbs(l) {
			continue
		}
		newest[events[i].Feature] = l
		lines = append(lines, l)
	}
	out := make([]sources.Recorded, min(len(lines), limit))
	for i := range out {
		out[i] = lines[i].Recorded
	}
	return out, nil
}

// line is one change on its way to a Recorded.
type line struct {
	sources.Recorded
	first string // type of the first event in it
}

// line is an event as a change; nil for one that changes nothing that is shown.
func (s *Store) line(events []event, i int) *line {
	e := &events[i]
	l := &line{first: e.Type, Recorded: sources.Recorded{Activity: sources.Activity{
		At: e.At, Kind: string(sources.Edited), Outcome: sources.Confirmed,
		Flag: sources.FlagID{Source: s.name, Key: e.Feature}, Name: sources.Clean(e.Feature, sources.MaxName),
		Actor: sources.Clean(e.By, sources.MaxName),
	}}}
	switch e.Type {
	case switchedOff:
		l.Kind, l.Old, l.New = string(sources.Kill), s.rolloutAt(events, i), "killed"
	case switchedOn:
		l.Kind, l.Old, l.New = string(sources.Ramp), "killed", s.rolloutAt(events, i)
	case strategyUpdated:
		l.updated(e)
	case strategyAdded:
		l.New = "strategy added"
	case strategyRemoved:
		l.New = "strategy removed"
	case "feature-created", "feature-archived", "feature-revived", "feature-deleted":
		l.New = e.Type[len("feature-"):]
	default:
		return nil
	}
	return l
}

// updated words the update of a strategy: as a percentage where it is one.
func (l *line) updated(e *event) {
	was, is, ok := e.rollouts()
	if !ok || was == is {
		l.New = "strategy edited"
		return
	}
	l.Old, l.New, l.Kind = was.String()+"%", is.String()+"%", string(sources.Ramp)
	if is < was {
		l.Kind = string(sources.Back)
	}
}

// rollouts is a gradual rollout's percentage before and after its update.
func (e *event) rollouts() (was, is sources.Percent, ok bool) {
	if e.Type != strategyUpdated || e.Data == nil || e.Before == nil || e.Data.Name != gradual {
		return 0, 0, false
	}
	was, badBefore := e.Before.rollout()
	is, bad := e.Data.rollout()
	return was, is, badBefore == "" && bad == ""
}

// rolloutAt is the percentage that a flag had when its environment was switched by
// the i-th event, as far as updates around it tell, or the last reading.
func (s *Store) rolloutAt(events []event, i int) string {
	same := func(e *event) bool {
		return e.Feature == events[i].Feature && e.Environment == s.opts.Environment
	}
	for j := i + 1; j < len(events); j++ {
		if _, is, ok := events[j].rollouts(); ok && same(&events[j]) {
			return is.String() + "%"
		}
	}
	for j := i - 1; j >= 0; j-- {
		if was, _, ok := events[j].rollouts(); ok && same(&events[j]) {
			return was.String() + "%"
		}
	}
	if p, ok := s.ledger.stored(events[i].Feature); ok {
		return p.String() + "%"
	}
	return "on"
}

// absorbs takes an older line into this one where both are one change.
func (l *line) absorbs(older *line) bool {
	if l.Actor != older.Actor || l.At.Sub(older.At) > oneChange || older.Kind == string(sources.Edited) {
		return false
	}
	switch {
	case l.first == switchedOn && older.first == strategyUpdated: // up from killed
		l.first = ""
		return true
	case l.first == strategyUpdated && older.first == switchedOff && l.Kind != string(sources.Edited): // back to killed
		l.first, l.Kind, l.New = "", string(sources.Kill), "killed"
		return true
	}
	return false
}
