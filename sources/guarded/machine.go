// Package guarded is the rule by which a ramp climbs a ladder under guards: a state
// machine without clock, store or network. Whoever runs it hands in what happened
// and does what it says.
package guarded

import (
	"fmt"
	"slices"
	"time"

	"relctl-tui/sources"
)

// Plan is a guarded ramp before it begins.
type Plan struct {
	Steps    []sources.Percent // ascending; the last is the goal
	Hold     time.Duration     // how long the flag stays at each step before the next, and at the last before it counts as arrived
	OnBreach sources.OnBreach  // "" for AskOnBreach
}

// NewPlan is the steps of a flag's ladder from where it is up to to, which is the
// last whatever the ladder has. It fails with ErrInvalid where there is no way up.
func NewPlan(f *sources.Flag, to sources.Percent, hold time.Duration, on sources.OnBreach) (Plan, error) {
	if err := f.CanRamp(); err != nil {
		return Plan{}, err
	}
	if f.Migration != nil {
		return Plan{}, fmt.Errorf("%s is a migration, which goes stage by stage with its own proof: %w", f.Name, sources.ErrUnsupported)
	}
	if to <= f.Rollout.V || to > sources.Full {
		return Plan{}, fmt.Errorf("%s is at %s, a guarded ramp to %s%% has no step to take: %w", f.Name, f.Brief(), to, sources.ErrInvalid)
	}
	p := Plan{Hold: hold, OnBreach: on}
	for at := f.Rollout.V; at < to; {
		next, ok := f.Ladder.Next(at)
		if !ok || next > to {
			next = to
		}
		p.Steps, at = append(p.Steps, next), next
	}
	return p, nil
}

// maxFailures is how often in a row a step up may fail before the ramp pauses.
const maxFailures = 5

// Doing is what a State wants done.
type Doing int

// What can be wanted. The zero value is nothing.
const (
	Nothing Doing = iota
	Raise         // to the percentage that comes with it
	Lower         // likewise
	Kill
)

// Sight is the flag as the store has it.
type Sight struct {
	Revision sources.Revision
	At       sources.Percent
}

// State is a ramp under way. Make it with Begin; it is a value, Next gives another.
type State struct {
	Plan  Plan
	Phase sources.Phase
	At    sources.Percent // what the flag is at
	Seen  sources.Revision
	Start sources.Percent // what it was at when the ramp began
	Since time.Time       // when it came to At, less what pauses took
	Why   string

	left     time.Duration // of the hold, while paused or asking
	climbed  bool          // a step was taken: what it does can be measured
	muted    bool          // the breach was seen and somebody went on: not asked about again until it passed
	lower    Doing         // what Backing does
	target   sources.Percent
	failures int
}

// Begin is a ramp whose first step is due.
func Begin(p Plan, f Sight, now time.Time) State {
	return State{Plan: p, Phase: sources.RampHolding, At: f.At, Seen: f.Revision, Start: f.At, Since: now.Add(-p.Hold)}
}

// Event is something that happened. Exactly one field besides Now is set; none is
// nothing.
type Event struct {
	Now   time.Time
	Look  *Look
	Wrote *Wrote
	Say   Say
	Lost  string // why this runner has the flag no more
}

// Look is one tick: the flag in the store, and what the guards say.
type Look struct {
	Flag    *Sight // nil when it could not be read
	Verdict sources.GuardVerdict
	Why     string // the words behind a verdict that does not pass
}

// Wrote is what became of what was wanted.
type Wrote struct {
	Flag     Sight
	Err      string // "" for written and read back
	Overtook bool   // with Err: somebody else changed the flag, nothing was written
	Unknown  bool   // with Err: it may have been written
}

// Say is what somebody tells a ramp.
type Say int

// What can be told.
const (
	SayNothing Say = iota
	SayPause
	SayResume // or, when it asks, stay at this step
	SayBack
	SayKill
)

// Next is the state after an event, and what it wants done now. After something was
// wanted the next event is Wrote: whoever runs the ramp does one thing at a time.
func (s State) Next(e Event) (State, Doing, sources.Percent) {
	switch {
	case s.Phase.Ended():
		return s, Nothing, 0
	case e.Lost != "":
		return s.end(sources.RampLost, e.Lost), Nothing, 0
	case e.Wrote != nil:
		return s.wrote(e.Wrote, e.Now), Nothing, 0
	case e.Say != SayNothing:
		return s.said(e.Say, e.Now)
	case e.Look != nil:
		return s.look(e.Look, e.Now)
	default:
		return s, Nothing, 0
	}
}

func (s State) end(p sources.Phase, why string) State {
	s.Phase, s.Why = p, why
	return s
}

// Left is what is left of the time at this step.
func (s *State) Left(now time.Time) time.Duration {
	if s.Phase == sources.RampPaused || s.Phase == sources.RampAsking {
		return s.left
	}
	return max(0, s.Plan.Hold-now.Sub(s.Since))
}

// Goal is where the ramp ends.
func (s *State) Goal() sources.Percent { return s.Plan.Steps[len(s.Plan.Steps)-1] }

func (s State) said(say Say, now time.Time) (State, Doing, sources.Percent) {
	switch say {
	case SayKill:
		return s.down(Kill, "somebody said so")
	case SayBack:
		if s.Phase != sources.RampBacking {
			return s.down(Lower, "somebody said so")
		}
	case SayPause:
		if s.Phase == sources.RampHolding {
			s.left = s.Left(now)
			return s.end(sources.RampPaused, "somebody said so"), Nothing, 0
		}
	case SayResume:
		if s.Phase == sources.RampPaused || s.Phase == sources.RampAsking {
			s.muted = s.Phase == sources.RampAsking
			s.Since = now.Add(s.left - s.Plan.Hold)
			s.failures = 0
			return s.end(sources.RampHolding, ""), Nothing, 0
		}
	case SayNothing:
	}
	return s, Nothing, 0
}

// down is the way back: to the step before, or to a kill.
func (s State) down(how Doing, why string) (State, Doing, sources.Percent) {
	s.Phase, s.lower, s.target, s.Why = sources.RampBacking, how, s.before(), why
	return s, how, s.target
}

// before is the step before the present one: where the ramp began, at the first.
func (s *State) before() sources.Percent {
	to := s.Start
	for _, p := range s.Plan.Steps {
		if p < s.At {
			to = p
		}
	}
	return min(to, s.At)
}

func (s State) look(l *Look, now time.Time) (State, Doing, sources.Percent) {
	switch {
	case l.Flag == nil:
		s.Why = "the flag cannot be read: " + l.Why
		return s, Nothing, 0
	case l.Flag.Revision != s.Seen:
		return s.end(sources.RampOvertaken, "the flag was changed past the ramp"), Nothing, 0
	case s.Phase == sources.RampBacking: // it failed before
		return s, s.lower, s.target
	case s.Phase != sources.RampHolding:
		return s, Nothing, 0
	case l.Verdict == sources.GuardBreach:
		return s.breached(l.Why, now)
	}
	s.muted = false
	switch {
	case l.Verdict == sources.GuardInsufficient && s.climbed, l.Verdict.Refuses():
		s.Why = l.Why
		return s, Nothing, 0
	case s.Left(now) > 0:
		s.Why = ""
		return s, Nothing, 0
	case s.At >= s.Goal():
		return s.end(sources.RampArrived, ""), Nothing, 0
	}
	i := slices.IndexFunc(s.Plan.Steps, func(p sources.Percent) bool { return p > s.At })
	s.Phase, s.Why = sources.RampStepping, ""
	return s, Raise, s.Plan.Steps[i]
}

func (s State) breached(why string, now time.Time) (State, Doing, sources.Percent) {
	s.Why = why
	switch {
	case s.muted:
		return s, Nothing, 0
	case !s.climbed: // there is nothing of its own to take back
		s.left = s.Left(now)
		return s.end(sources.RampAsking, why), Nothing, 0
	case s.Plan.OnBreach == sources.BackOnBreach:
		return s.down(Lower, why)
	case s.Plan.OnBreach == sources.KillOnBreach:
		return s.down(Kill, why)
	}
	s.left = s.Left(now)
	return s.end(sources.RampAsking, why), Nothing, 0
}

func (s State) wrote(w *Wrote, now time.Time) State {
	back := s.Phase == sources.RampBacking
	switch {
	case w.Overtook && (!back || s.lower != Kill):
		return s.end(sources.RampOvertaken, w.Err)
	case w.Err != "" && back: // the next look tries again, for ever: this is what protects
		s.Why = "going back failed: " + w.Err
		return s
	case w.Unknown:
		return s.end(sources.RampFailed, w.Err)
	case w.Err != "":
		if s.failures++; s.failures >= maxFailures {
			s.left = 0
			return s.end(sources.RampPaused, w.Err)
		}
		return s.end(sources.RampHolding, w.Err)
	}
	s.At, s.Seen, s.Since, s.failures, s.muted = w.Flag.At, w.Flag.Revision, now, 0, false
	switch {
	case back && s.lower == Kill:
		return s.end(sources.RampKilled, s.Why)
	case back:
		return s.end(sources.RampBack, s.Why)
	default:
		s.climbed = true
		return s.end(sources.RampHolding, "")
	}
}
