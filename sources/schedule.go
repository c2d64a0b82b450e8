package sources

import (
	"context"
	"fmt"
	"time"
)

// ScheduleState is how far a schedule has come.
type ScheduleState string

// The states. All after ScheduleRunning are ends.
const (
	ScheduleWaiting ScheduleState = "waiting"
	ScheduleRunning ScheduleState = "running" // one runner has claimed it and writes

	ScheduleDone      ScheduleState = "done"
	ScheduleRefused   ScheduleState = "refused" // by a guard, a freeze, a rule or the store; nothing changed
	ScheduleMissed    ScheduleState = "missed"  // nobody ran it in time; nothing changed
	ScheduleCancelled ScheduleState = "cancelled"
	ScheduleInDoubt   ScheduleState = "in doubt" // its runner ended before it said what became of it
)

// Ended says that nothing more will be done.
func (s ScheduleState) Ended() bool { return s != ScheduleWaiting && s != ScheduleRunning }

// Schedule is one change that is made once, at a moment, by whoever runs schedules of its
// store then. It lies beside the flags. Its strings are cleaned by whoever shows them, but
// for Flag.Key, which is never shown.
type Schedule struct {
	ID      string     `json:"id"` // unique and sortable by time
	Version int        `json:"version"`
	Flag    FlagID     `json:"flag"`
	Kind    ChangeKind `json:"kind"` // Set, Move or Kill
	To      Percent    `json:"to"`   // for Set
	Stage   string     `json:"stage,omitempty"`
	Guarded bool       `json:"guarded,omitempty"` // for Set: a guarded ramp to To begins then
	At      time.Time  `json:"at"`
	Expires time.Time  `json:"expires"` // from then on it is missed
	Zone    string     `json:"zone"`    // whose clocks were meant
	Killed  bool       `json:"killed,omitempty"`
	Actor   string     `json:"actor"`
	Reason  string     `json:"reason,omitempty"`
	Made    time.Time  `json:"made"`

	State  ScheduleState `json:"state"`
	Claim  string        `json:"claim,omitempty"`  // the runner's token; never printed
	Owner  string        `json:"owner,omitempty"`  // who claimed it, and where
	Until  time.Time     `json:"until,omitzero"`   // under the claim nothing is written at or after it
	After  time.Time     `json:"after,omitzero"`   // it is not tried again before
	Ended  time.Time     `json:"ended,omitzero"`   // when its end was found out
	Change string        `json:"change,omitempty"` // the change on record that it became, or that tells its end
	Why    string        `json:"why,omitempty"`
}

// What bounds a schedule.
const (
	ClaimFor     = 30 * time.Second   // in which a runner writes what it has claimed
	claimSlack   = 30 * time.Second   // by which clocks of runners may differ
	ScheduleKeep = 7 * 24 * time.Hour // an ended one is kept that long
	MaxSchedules = 500                // of one store

	// DefaultExpiry is how late a schedule may be run where nothing else was said.
	DefaultExpiry = 30 * time.Minute
	maxExpiry     = 24 * time.Hour
	maxAhead      = 366 * 24 * time.Hour
)

// Scheduler keeps schedules beside the flags.
type Scheduler interface {
	// Schedules are all that are kept, ended ones too, in no order.
	Schedules(ctx context.Context) ([]Schedule, error)
	// KeepSchedule puts s in the place of the version before it; version 1 is a new one.
	// When it returns nil the write is durable. ErrConflict means that another version is
	// there and that nothing was written.
	KeepSchedule(ctx context.Context, s Schedule) error
	// DropSchedule removes exactly this version; another, or none, is left as it is
	// without an error.
	DropSchedule(ctx context.Context, s Schedule) error
}

// Check says why a new schedule makes no sense, or nil.
func (s *Schedule) Check(now time.Time) error {
	switch late := s.Expires.Sub(s.At); {
	case s.Kind != Set && s.Kind != Kill && s.Kind != Move:
		return fmt.Errorf("%q cannot be scheduled, only a percentage, a stage or a kill: %w", Clean(string(s.Kind), 20), ErrInvalid)
	case s.Kind == Set && (s.To < 0 || s.To > Full):
		return fmt.Errorf("%s%% is outside 0..100: %w", s.To, ErrInvalid)
	case s.Guarded && s.Kind != Set:
		return fmt.Errorf("only a percentage is reached under guard: %w", ErrInvalid)
	case !s.At.After(now):
		return fmt.Errorf("%s lies in the past: %w", s.At.Format("2006-01-02 15:04 MST"), ErrInvalid)
	case s.At.Sub(now) > maxAhead:
		return fmt.Errorf("%s is more than a year ahead: %w", s.At.Format("2006-01-02 15:04 MST"), ErrInvalid)
	case late < time.Minute || late > maxExpiry:
		return fmt.Errorf("it may be run from a minute to a day late, not %s: %w", late, ErrInvalid)
	default:
		return nil
	}
}

// What is what becomes of the flag, in few words.
func (s *Schedule) What() string {
	switch {
	case s.Kind == Kill:
		return "killed"
	case s.Kind == Move:
		return Clean(s.Stage, 40)
	case s.Guarded:
		return s.To.String() + "% under guard"
	default:
		return s.To.String() + "%"
	}
}

// Due is what a runner has to do about a schedule.
type Due int

// What there can be to do.
const (
	DueNothing Due = iota
	DueClaim       // claim it, then make the change
	DueMiss        // its time is over
	DueDoubt       // its claim is over, and nobody said what became of it
	DueDrop        // it has been kept long enough
)

// Due is what has to be done now.
func (s *Schedule) Due(now time.Time) Due {
	switch {
	case s.State == ScheduleWaiting && !now.Before(s.Expires):
		return DueMiss
	case s.State == ScheduleWaiting && !now.Before(s.At) && !now.Before(s.After):
		return DueClaim
	case s.State == ScheduleRunning && !now.Before(s.Until.Add(claimSlack)):
		return DueDoubt
	case s.State.Ended() && !now.Before(s.Ended.Add(ScheduleKeep)):
		return DueDrop
	default:
		return DueNothing
	}
}

// next is the version after s in a state, where s was in one of those given.
func (s Schedule) next(to ScheduleState, from ...ScheduleState) (Schedule, error) {
	for _, f := range from {
		if s.State == f {
			s.Version++
			s.State = to
			return s, nil
		}
	}
	return s, fmt.Errorf("schedule %s is %s: %w", Clean(s.ID, 64), Clean(string(s.State), 20), ErrConflict)
}

// Claimed is s claimed by a runner. What is kept first by compare-and-swap is the one
// claim, so two runners never make one change.
func (s Schedule) Claimed(token, owner string, now time.Time) (Schedule, error) {
	if s.Due(now) != DueClaim {
		return s, fmt.Errorf("schedule %s is not due: %w", Clean(s.ID, 64), ErrConflict)
	}
	s, err := s.next(ScheduleRunning, ScheduleWaiting)
	s.Claim, s.Owner, s.Until, s.Why = token, owner, now.Add(ClaimFor), ""
	if s.Until.After(s.Expires) {
		s.Until = s.Expires
	}
	return s, err
}

// Released is s given back by its runner, which knows that nothing was written: it is
// tried again after a while.
func (s Schedule) Released(token, why string, after time.Time) (Schedule, error) {
	if s.Claim != token {
		return s, fmt.Errorf("schedule %s is not this runner's: %w", Clean(s.ID, 64), ErrConflict)
	}
	s, err := s.next(ScheduleWaiting, ScheduleRunning)
	s.Claim, s.Owner, s.Until, s.Why, s.After = "", "", time.Time{}, why, after
	return s, err
}

// Finished is s with the end that its runner knows of, also after others had to doubt it.
func (s Schedule) Finished(token string, end ScheduleState, change, why string, now time.Time) (Schedule, error) {
	if s.Claim != token || !end.Ended() {
		return s, fmt.Errorf("schedule %s is not this runner's: %w", Clean(s.ID, 64), ErrConflict)
	}
	s, err := s.next(end, ScheduleRunning, ScheduleInDoubt)
	s.Change, s.Why, s.Ended = change, why, now
	return s, err
}

// Missed is s whose time is over.
func (s Schedule) Missed(change string, now time.Time) (Schedule, error) {
	if s.Due(now) != DueMiss {
		return s, fmt.Errorf("schedule %s is not missed: %w", Clean(s.ID, 64), ErrConflict)
	}
	why := "nobody ran it by " + s.Expires.UTC().Format("15:04 MST") + ", and it is not made up for"
	if s.Why != "" {
		why = "not done by " + s.Expires.UTC().Format("15:04 MST") + ": " + s.Why
	}
	s, err := s.next(ScheduleMissed, ScheduleWaiting)
	s.Change, s.Why, s.Ended = change, why, now
	return s, err
}

// Doubted is s of whose claim nobody knows the end. It is never tried again.
func (s Schedule) Doubted(change, why string, now time.Time) (Schedule, error) {
	if s.Due(now) != DueDoubt {
		return s, fmt.Errorf("schedule %s is not in doubt: %w", Clean(s.ID, 64), ErrConflict)
	}
	s, err := s.next(ScheduleInDoubt, ScheduleRunning)
	s.Change, s.Why, s.Ended = change, why, now
	return s, err
}

// Cancelled is s called off before it was claimed.
func (s Schedule) Cancelled(actor string, now time.Time) (Schedule, error) {
	s, err := s.next(ScheduleCancelled, ScheduleWaiting)
	s.Why, s.Ended = "by "+actor, now
	return s, err
}
