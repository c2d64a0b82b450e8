package sources

import (
	"slices"
	"time"
)

// Budget is how a latency stands against its objective: the share of calls that may
// be bad within a window is its error budget.
type Budget struct {
	Objective float64       // share of calls that must be good, 0..1; 0 for none
	Window    time.Duration // over which it must be kept
	Left      Value         // share of the budget that is left, at most 1, below 0 when overspent
	Burns     []Burn        // how fast it is being spent, the shortest span first; what is not known is not there
	Note      string        // how good is counted, where that is not exactly as asked for; cleaned
}

// Burn is how many times faster than the window allows a budget is spent: at 1 it
// lasts exactly the window.
type Burn struct {
	Over time.Duration
	Rate float64
}

// BudgetSet is what one source says of budgets at one moment.
type BudgetSet struct {
	Budgets  map[string]Budget // by Latency.Name
	Warnings []string
	ReadAt   time.Time
	More     bool // spans are still to be read: asking again soon brings them
}

// alerts are the pairs of spans over which a budget must burn to be called burning,
// with the least rate: those of the Google SRE workbook, chapter 5, where the first
// two page somebody and the others open a ticket. The short span ends the alarm soon
// after the burning has ended.
var alerts = [...]struct {
	short, long time.Duration
	rate        float64
}{
	{5 * time.Minute, time.Hour, 14.4},
	{30 * time.Minute, 6 * time.Hour, 6},
	{2 * time.Hour, 24 * time.Hour, 3},
	{6 * time.Hour, 72 * time.Hour, 1},
}

// BurnSpans is every span over which a burn rate is wanted, the shortest first.
func BurnSpans() []time.Duration {
	var out []time.Duration
	for _, a := range alerts {
		out = append(out, a.short, a.long)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Set tells whether there is an objective.
func (b *Budget) Set() bool { return b.Objective > 0 }

// Burn is the rate over a span; absent when it is not known.
func (b *Budget) Burn(over time.Duration) Value {
	for _, r := range b.Burns {
		if r.Over == over {
			return Some(r.Rate)
		}
	}
	return Value{}
}

// Burning is the rate over the long span of the fastest alarm that is on; the zero
// Burn when none is.
func (b *Budget) Burning() Burn {
	for _, a := range alerts {
		short, long := b.Burn(a.short), b.Burn(a.long)
		if short.OK && long.OK && short.V > a.rate && long.V > a.rate {
			return Burn{Over: a.long, Rate: long.V}
		}
	}
	return Burn{}
}

// Awaited is the long spans that alone keep an alarm off, by the short span of each: that
// one burns already. What is known of a long span is older, and may only not know yet.
func (b *Budget) Awaited() map[time.Duration]time.Duration {
	var out map[time.Duration]time.Duration
	for _, a := range alerts {
		short, long := b.Burn(a.short), b.Burn(a.long)
		if short.OK && short.V > a.rate && (!long.OK || long.V <= a.rate) {
			if out == nil {
				out = make(map[time.Duration]time.Duration, len(alerts))
			}
			out[a.long] = a.short
		}
	}
	return out
}

// Judge is the verdict of a latency that has an objective: its budget decides, and
// the p99 of the moment only until the budget is known.
func (b *Budget) Judge(now Verdict) Verdict {
	switch {
	case !b.Set():
		return now
	case b.Left.OK && b.Left.V <= 0:
		return VerdictBreached
	case b.Burning().Rate > 0:
		return VerdictBurning
	case b.Left.OK && (now == VerdictBreached || now == VerdictNone):
		return VerdictOK
	default:
		return now
	}
}

// Equal tells whether two budgets are the same.
func (b *Budget) Equal(o *Budget) bool {
	return b.Objective == o.Objective && b.Window == o.Window && b.Left == o.Left && b.Note == o.Note && slices.Equal(b.Burns, o.Burns)
}
