package sources

import (
	"context"
	"fmt"
)

// BreakerInstance is one breaker in one process, as its system has it. Strings but
// the settings are cleaned. Absent numbers are absent, never 0.
type BreakerInstance struct {
	Name  string       // of the process; unique within the breaker
	State BreakerState // BreakerUnknown where it could not be read
	Err   string       // why it could not be read; "" where it was
	Note  string       // what the state alone does not say; "" for nothing

	// Settings are what somebody can set, each in the system's own word and opaque.
	// Only a BreakerSwitcher fills them in.
	Setting string // what is set now; "" where it could not be read
	Opens   string // what forces it open; "" where nothing can
	Closes  string // what lets it go again; "" where nothing can
	Returns string // what comes nearest to Setting when it is set again, most often Setting itself

	ErrorRatio Value // 0..1, as the breaker itself counts
	SlowRatio  Value // 0..1
	Buffered   Value // calls that the breaker decides by
	Failed     Value // of those
	Slow       Value // of those
	Rejected   Value // calls not permitted so far
}

// BreakerSwitcher sets breakers on all their instances. It is used by control alone,
// which compares, records, reads back and undoes.
type BreakerSwitcher interface {
	// BreakerInstances reads a breaker afresh on every instance, sorted by name. One
	// that cannot be read is among them, with its Err. ErrNotFound means that every
	// instance was read and none has such a breaker; another error that none could be
	// read.
	BreakerInstances(ctx context.Context, name string) ([]BreakerInstance, error)

	// SwitchBreaker brings the named instances to a setting each, all at the same
	// time, and says what became of each; nil means that it took it. Instances that
	// are not named are left alone, and no breaker is made that is not there.
	SwitchBreaker(ctx context.Context, name string, to map[string]string) map[string]error
}

// Forcing is who decides the state of a breaker.
type Forcing int

// Who decides. The zero value is nobody known.
const (
	ForcedUnknown Forcing = iota
	ForcedNot             // the breaker itself
	ForcedOpen            // somebody: no call goes through
	ForcedShut            // somebody: it does not protect
)

// Forcing is who decides a breaker's state: what turns by itself while an operator
// looks is no conflict, what somebody else has forced is one.
func (s BreakerState) Forcing() Forcing {
	switch s {
	case BreakerClosed, BreakerHalfOpen, BreakerOpen:
		return ForcedNot
	case BreakerForcedOpen:
		return ForcedOpen
	case BreakerForcedClosed, BreakerDisabled:
		return ForcedShut
	default:
		return ForcedUnknown
	}
}

// BreakerStateOf is the state of that word; BreakerUnknown for any other.
func BreakerStateOf(word string) BreakerState {
	for s, w := range breakerWords {
		if w == word {
			return BreakerState(s)
		}
	}
	return BreakerUnknown
}

// GatherBreaker is a breaker over its instances: the worst of their states, of those
// that are as bad the one that most have, and a forced one before another. Instances that could not be read count, and
// decide only where none could. The error ratio is the one of the worst instance.
func GatherBreaker(list []BreakerInstance) Breaker {
	b := Breaker{Instances: len(list)}
	count := map[BreakerState]int{}
	for i := range list {
		in := &list[i]
		if in.Err != "" {
			continue
		}
		count[in.State]++
		if in.State == BreakerOpen || in.State == BreakerForcedOpen {
			b.OpenInstances++
		}
		if in.ErrorRatio.OK && in.ErrorRatio.V >= b.ErrorRatio.V {
			b.ErrorRatio = in.ErrorRatio
		}
		if b.Note == "" {
			b.Note = in.Note
		}
	}
	first := true
	for s := BreakerUnknown; int(s) < len(breakerWords); s++ {
		n := count[s]
		if n == 0 {
			continue
		}
		if worse := s.Severity() - b.State.Severity(); first || worse > 0 || worse == 0 && n >= count[b.State] {
			b.State, first = s, false
		}
	}
	return b
}

// BriefInstances is a breaker in few words: "forced-open", or "open 3/12" where the
// instances differ, or some could not be read.
func BriefInstances(list []BreakerInstance) string {
	b := GatherBreaker(list)
	same, unread := 0, 0
	for i := range list {
		switch {
		case list[i].Err != "":
			unread++
		case list[i].State == b.State:
			same++
		}
	}
	text := b.State.String()
	if same < len(list) {
		text += fmt.Sprintf(" %d/%d", same, len(list))
	}
	if unread > 0 {
		text += fmt.Sprintf(", %d not read", unread)
	}
	return text
}

// JoinBreakers makes one row of a breaker that a source of metrics and one that
// switches know by the very same name. The one that switches tells the state, since it
// asks the breaker itself, and takes from the other the numbers that it lacks. A name
// that is there more than once on either side stays apart: nobody could say which of
// them belong together. list is not written to.
func JoinBreakers(list []Breaker, switches func(source string) bool) []Breaker {
	type pair struct{ asked, measured []int }
	named := map[string]*pair{}
	for i := range list {
		p := named[list[i].Name]
		if p == nil {
			p = &pair{}
			named[list[i].Name] = p
		}
		if switches(list[i].Source) {
			p.asked = append(p.asked, i)
		} else {
			p.measured = append(p.measured, i)
		}
	}
	out := make([]Breaker, 0, len(list))
	for i := range list {
		b := list[i]
		p := named[b.Name]
		if len(p.asked) == 1 && len(p.measured) == 1 {
			if i == p.measured[0] {
				continue
			}
			m := &list[p.measured[0]]
			b.Also = m.Source
			b.Rate, b.RejectRate = b.Rate.either(m.Rate), b.RejectRate.either(m.RejectRate)
			b.ErrorRatio = b.ErrorRatio.either(m.ErrorRatio)
		}
		out = append(out, b)
	}
	return out
}
