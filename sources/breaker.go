package sources

import (
	"cmp"
	"time"
)

// BreakerState is a circuit breaker's state.
type BreakerState int

// The breaker states. The zero value is BreakerUnknown.
const (
	BreakerUnknown BreakerState = iota
	BreakerClosed
	BreakerHalfOpen
	BreakerOpen
	BreakerForcedOpen
	BreakerForcedClosed
	BreakerDisabled
)

var breakerWords = [...]string{"unknown", "closed", "half-open", "open", "forced-open", "forced-closed", "disabled"}

// String is the state's word as the vocabulary has it.
func (s BreakerState) String() string {
	if s < 0 || int(s) >= len(breakerWords) {
		return breakerWords[BreakerUnknown]
	}
	return breakerWords[s]
}

// Severity orders states worst first: open and forced open before half-open,
// unknown before the unprotected (disabled, forced closed), closed last. Higher is worse.
func (s BreakerState) Severity() int {
	switch s {
	case BreakerOpen, BreakerForcedOpen:
		return 5
	case BreakerHalfOpen:
		return 4
	case BreakerUnknown:
		return 3
	case BreakerDisabled, BreakerForcedClosed:
		return 2
	default:
		return 1
	}
}

// Breaker is one circuit breaker, over all its instances. Strings are cleaned.
type Breaker struct {
	Source        string
	Name          string // unique within the source
	State         BreakerState
	Instances     int
	OpenInstances int
	ErrorRatio    Value  // 0..1
	Rate          Value  // calls per second
	RejectRate    Value  // calls per second not permitted
	Inferred      bool   // the state is worked out, not exported
	Limit         bool   // a limit of concurrency: no error opens it, and it has no half-open
	Preset        string // which preset found it; "" for none
	Own           bool   // this board's own, around reading Source
	Also          string // another source that knows the same breaker, and gave the numbers that Source has not; "" for none
	Note          string
	Since         time.Time // when this state was first seen; zero when unknown
}

// BreakerSet is what one source says of its breakers at one moment.
type BreakerSet struct {
	Breakers []Breaker
	Warnings []string
	ReadOnly string // why this access cannot switch them, in a cleaned clause; "" when it can, or when that is not known
	ReadAt   time.Time
}

// CompareBreakers orders worst first: state, error ratio, rate, then name.
func CompareBreakers(a, b Breaker) int {
	return cmp.Or(
		cmp.Compare(b.State.Severity(), a.State.Severity()),
		cmp.Compare(b.ErrorRatio.Or(-1), a.ErrorRatio.Or(-1)),
		cmp.Compare(b.Rate.Or(-1), a.Rate.Or(-1)),
		cmp.Compare(a.Name, b.Name),
		cmp.Compare(a.Source, b.Source),
	)
}

// Broken says that calls are not let through, or only some to see whether they work.
func (b *Breaker) Broken() bool {
	return b.State == BreakerOpen || b.State == BreakerHalfOpen || b.State == BreakerForcedOpen
}
