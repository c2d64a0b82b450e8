package live

import (
	"fmt"
	"time"

	"relctl-tui/sources"
)

// calm is how long a breaker must keep its state before its next transition
// starts a new line.
const calm = time.Minute

// flaps is what one line of a breaker stands for: a flapping breaker that filled
// the pane would hide the change that set it off.
type flaps struct {
	source, breaker string
	began           time.Time // of the first transition
	first           string    // the state before it
	changes         int
}

// transition turns a change of state of a source's breaker, or of the group that
// the sources are in, into activity: into the line that is there when that has not
// been calm since, into a new one otherwise.
func (s *state) transition(kind, source, name, was, is string, now time.Time) *line {
	l := s.flapping(kind, source, name, now)
	if l == nil {
		l = &line{matched: true, flaps: &flaps{source: source, breaker: name, began: now, first: was}, Activity: sources.Activity{
			Kind: kind, Name: name, Outcome: sources.Seen,
		}}
		s.activity = append(s.activity, l)
	}
	l.flaps.changes++
	l.At, l.Old, l.New = now, l.flaps.first, is
	if is == l.flaps.first {
		l.Old = was // "closed to closed" would say that nothing has happened
	}
	if l.flaps.changes > 1 {
		l.Reason = fmt.Sprintf("%d changes in %s", l.flaps.changes, roughly(now.Sub(l.flaps.began)))
	}
	s.order()
	s.touched(l)
	return l
}

// flapping is the breaker's line that its next transition goes into, or nil.
func (s *state) flapping(kind, source, breaker string, now time.Time) *line {
	for _, l := range s.activity {
		if l.flaps != nil && l.Kind == kind && l.flaps.source == source && l.flaps.breaker == breaker {
			if now.Sub(l.At) <= calm {
				return l
			}
			return nil // the newest one counts
		}
	}
	return nil
}

// roughly is a duration in its largest whole unit.
func roughly(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(max(d, time.Second).Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	default:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
}
