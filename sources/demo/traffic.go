package demo

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Visit is one thing that one synthetic user does.
type Visit struct {
	User string // the targeting key, "user-00042"
	Buys bool   // checks out; otherwise looks at the cart
}

// DefaultRate is how many visits there are in a second.
const DefaultRate = 80

const (
	population = 20_000
	buyers     = 2.0 / 3 // the share of visits that check out
)

// Traffic is the endless sequence of visits that a seed stands for. It is not
// safe for use from several goroutines at once.
type Traffic struct {
	rnd *rand.Rand
}

// NewTraffic is the traffic of a seed: the same seed gives the same visits.
func NewTraffic(seed int64) *Traffic {
	return &Traffic{rnd: seeded(seed, 1)}
}

// Next is the next visit.
func (t *Traffic) Next() Visit {
	v, _ := t.next(DefaultRate)
	return v
}

// next is the next visit and the time until it, at so many a second: arrivals
// of people who do not know of each other, so bursts happen as they do in life.
func (t *Traffic) next(rate float64) (Visit, time.Duration) {
	v := Visit{User: fmt.Sprintf("user-%05d", t.rnd.IntN(population)), Buys: t.rnd.Float64() < buyers}
	return v, time.Duration(min(t.rnd.ExpFloat64(), 5) / rate * float64(time.Second))
}

// seeded is one of several independent sources of randomness of a seed.
func seeded(seed int64, stream uint64) *rand.Rand {
	return rand.New(rand.NewPCG(uint64(seed), stream)) //nolint:gosec // reproducible on purpose
}
