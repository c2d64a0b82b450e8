package sources

import (
	"context"
	"time"
)

// BreakerInspector reads one breaker in depth. It is asked for the breaker that
// somebody looks at, and never for a whole list: it may cost far more than listing.
type BreakerInspector interface {
	// InspectBreaker is everything known of a breaker of the lister's name. What of it
	// cannot be read is a warning; ErrNotFound means that there is no such breaker, an
	// error that nothing of it could be read.
	InspectBreaker(ctx context.Context, name string) (BreakerDetail, error)
}

// BreakerDetail is one breaker in depth at one moment. Strings are cleaned.
type BreakerDetail struct {
	Source    string
	Name      string
	Instances []BreakerInstance // by name; none where the source does not tell them apart
	Turns     []BreakerTurn     // newest first, bounded by MaxTurns
	Since     time.Time         // from when on Turns are known; zero where the source keeps no past

	P50, P90, P99 Quantile
	Quantiles     string // what they are of; "" where there are none

	Facts    []Fact   // what else the source says, such as its thresholds, in the order to be read
	Warnings []string // what could not be read, in sentences
	ReadAt   time.Time
}

// BreakerTurn is a change of a breaker's state.
type BreakerTurn struct {
	At       time.Time
	Was, Is  BreakerState
	Instance string // "" for the breaker as a whole
}

// MaxTurns bounds the turns of a breaker that are kept.
const MaxTurns = 50

// Fact is one thing that a source says of its subject, in words.
type Fact struct{ Name, Text string }
