package sources

import (
	"context"
	"fmt"
	"time"
)

// Lease says who runs a flag's guarded ramp, and for how long nobody else may. It
// is in the store, so that every board sees it. Strings but Token and Flag.Key are
// cleaned by whoever shows them.
type Lease struct {
	Flag  FlagID
	Token string // unguessable by chance, one for each runner; never printed
	Owner string // who runs it, and where
	Until time.Time
	Ramp  *RampStatus // how far it is, as its runner last said
}

// LeaseFor is how long a lease holds after it was last renewed: a runner that dies
// keeps a flag that long from the next one.
const LeaseFor = 15 * time.Second

// leaseSkew is how far clocks that are right enough may lie apart.
const leaseSkew = time.Minute

// Leaser keeps leases beside the flags.
type Leaser interface {
	// Leases are those in force.
	Leases(ctx context.Context) ([]Lease, error)
	// TakeLease takes or renews a lease for LeaseFor. It succeeds when nobody has it,
	// when its token is l's, or when its token is over: that one is then taken over.
	// Otherwise nothing is changed and the error wraps ErrConflict.
	TakeLease(ctx context.Context, l Lease, over string) error
	// DropLease ends a lease; one that is not held any more is no error.
	DropLease(ctx context.Context, id FlagID, token string) error
}

// Open says why l may not be taken while held is what the store has (nil for
// nothing), or nil. It is the one rule of every Leaser.
func (l *Lease) Open(held *Lease, over string, now time.Time) error {
	switch {
	case held == nil, held.Token == l.Token, over != "" && held.Token == over, !held.Until.After(now):
		return nil
	case held.Astray(now):
		return fmt.Errorf("%s is run by %s until %s, though no lease lasts longer than %s: the clock of whoever took it, or the one here, was wrong; set it right, and take the ramp over where nobody runs it any more: %w",
			Clean(l.Flag.Key, MaxName), Clean(held.Owner, MaxName), held.ends(), LeaseFor, ErrConflict)
	default:
		return fmt.Errorf("%s is run by %s: %w", Clean(l.Flag.Key, MaxName), Clean(held.Owner, MaxName), ErrConflict)
	}
}

// Astray says that a lease ends later than anybody can have taken it for. It is in force
// all the same: whose clock was wrong cannot be told from here.
func (l *Lease) Astray(now time.Time) bool { return l.Until.Sub(now) > LeaseFor+leaseSkew }

func (l *Lease) ends() string { return l.Until.UTC().Format("2006-01-02 15:04 UTC") }

// Wrong says of a lease that is astray that it is, in a sentence.
func (l *Lease) Wrong() string {
	return "its lease would end " + l.ends() + ", so a clock was wrong, there or here"
}

// Phase is where a guarded ramp is.
type Phase string

// The phases. All after Backing are ends.
const (
	RampHolding  Phase = "holding"  // at a step, until its time is over and the guards pass
	RampStepping Phase = "stepping" // the next step is being written
	RampPaused   Phase = "paused"
	RampAsking   Phase = "asking"  // a guard is breached, and somebody has to say what now
	RampBacking  Phase = "backing" // going back a step, or killing, until it is written

	RampArrived   Phase = "arrived"
	RampBack      Phase = "rolled back"
	RampKilled    Phase = "killed"
	RampOvertaken Phase = "overtaken" // somebody changed the flag
	RampLost      Phase = "lost"      // another runner took it over
	RampFailed    Phase = "failed"    // what the flag is at is not known
	RampStopped   Phase = "stopped"   // its board or process ended
)

// Ended says that no runner works on it any more.
func (p Phase) Ended() bool {
	switch p {
	case RampHolding, RampStepping, RampPaused, RampAsking, RampBacking:
		return false
	default:
		return true
	}
}

// RampStatus is a guarded ramp as boards show it.
type RampStatus struct {
	Flag    FlagID
	Name    string // of the flag, cleaned
	Owner   string // cleaned
	Steps   []Percent
	At      Percent
	Phase   Phase
	Due     time.Time     // when the time at this step is over; zero when that is not running
	Left    time.Duration // what is left of it while paused
	Verdict GuardVerdict
	Guards  []GuardResult
	Why     string // what it waits for, or why it ended; cleaned
	Own     bool   `json:"-"` // this process runs it
	Token   string `json:"-"` // of the lease, for taking it over; "" for an own one
	Astray  bool   `json:"-"` // the lease ends later than a clock that is right can have said
}

// OnBreach is what a guarded ramp does when a guard is breached.
type OnBreach string

// What can be done.
const (
	AskOnBreach  OnBreach = "ask"
	BackOnBreach OnBreach = "back"
	KillOnBreach OnBreach = "kill"
)
