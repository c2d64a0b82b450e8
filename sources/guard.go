package sources

import (
	"context"
	"strconv"
	"strings"
	"time"
)

// GuardVerdict is what a guard says about raising a flag.
type GuardVerdict int

// The verdicts. The zero value is GuardUnknown: what nobody measured never passes.
const (
	GuardUnknown      GuardVerdict = iota // the data is absent or stale
	GuardInsufficient                     // it is measured, but on too few samples to say anything
	GuardPass
	GuardBreach
)

// String is the verdict's word.
func (v GuardVerdict) String() string {
	switch v {
	case GuardInsufficient:
		return "insufficient"
	case GuardPass:
		return "pass"
	case GuardBreach:
		return "breach"
	default:
		return "unknown"
	}
}

// Refuses says that a flag is not raised on this verdict.
func (v GuardVerdict) Refuses() bool { return v != GuardPass && v != GuardInsufficient }

// GuardPreset is what a guard measures where it has no query of its own.
type GuardPreset string

// The presets. They are judged on what the board reads anyway.
const (
	GuardErrors  GuardPreset = "error_ratio" // share of failed requests of a latency, 0..1
	GuardP99     GuardPreset = "p99"         // of a latency, in seconds
	GuardBurn    GuardPreset = "slo_burn"    // how many times too fast a latency's error budget is spent, over Window or else 5 minutes
	GuardBreaker GuardPreset = "breaker"     // no breaker by that name, or before what a latency measures, is open
)

// GuardPresets are all of them.
func GuardPresets() []GuardPreset {
	return []GuardPreset{GuardErrors, GuardP99, GuardBurn, GuardBreaker}
}

// Against is what a guard's value is compared with.
type Against string

// What a value can be compared with. The zero value is AgainstLimit.
const (
	AgainstLimit    Against = ""         // Limit itself
	AgainstBaseline Against = "baseline" // the cohort that has the other variant, at the same time
	AgainstBefore   Against = "before"   // the same number before the ramp began
)

// Guard is one condition on which a flag may be raised.
type Guard struct {
	Name string

	// Flags and Tags choose the flags that it holds for: any of the keys, or any of
	// the tags; every flag where both are empty.
	Flags, Tags []string

	Preset GuardPreset // "" for Query
	Of     string      // for a preset: the latency's or breaker's name; "" for the flag's own metric
	Query  string      // PromQL for an instant vector; see Expand
	Count  string      // PromQL for the number of samples behind it; "" for none

	Against  Against
	Limit    float64 // for AgainstLimit: the most that passes; else how many times the reference passes
	Slack    float64 // added to a reference: the difference that never matters
	Label    string  // for AgainstBaseline: the label that names the variant
	Baseline string  // for AgainstBaseline: that label's value for the other cohort
	Window   time.Duration
	MinCount float64 // samples below which nothing is said; 0 for none
}

// For says whether the guard holds for a flag.
func (g *Guard) For(f *Flag) bool {
	if len(g.Flags) == 0 && len(g.Tags) == 0 {
		return true
	}
	for _, key := range g.Flags {
		if key == f.ID.Key {
			return true
		}
	}
	for _, tag := range g.Tags {
		for _, has := range f.Tags {
			if tag == has {
				return true
			}
		}
	}
	return false
}

// Expand puts a flag into a query: $flag and $variant, escaped for a PromQL string,
// and $window.
func (g *Guard) Expand(query string, f *Flag) string {
	quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
	return strings.NewReplacer(
		"$flag", quoted.Replace(f.ID.Key), "$variant", quoted.Replace(f.Variant), "$window", promSpan(g.window()),
	).Replace(query)
}

// GuardWindow is the window of a guard that names none.
const GuardWindow = time.Minute

func (g *Guard) window() time.Duration {
	if g.Window <= 0 {
		return GuardWindow
	}
	return g.Window
}

// promSpan is a duration as PromQL has it, whole milliseconds.
func promSpan(d time.Duration) string {
	var b strings.Builder
	for _, u := range []struct {
		of   time.Duration
		name string
	}{{time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}, {time.Millisecond, "ms"}} {
		if n := d / u.of; n > 0 {
			b.WriteString(strconv.FormatInt(int64(n), 10) + u.name)
			d -= n * u.of
		}
	}
	return b.String()
}

// Measurement is one question of a guard to a GuardReader.
type Measurement struct {
	Value, Count string // PromQL for instant vectors; Count may be ""

	Label, Variant, Baseline string    // of whom: samples by the value of Label; "" for all
	Before                   time.Time // also the value at that moment; zero for no such thing
}

// GuardSample is what a guard was measured to be.
type GuardSample struct {
	Value, Count Value // of the flag's variant, or of all; absent when there is no data
	Base         Value // the reference: the other cohort, or the value before
	BaseCount    Value // samples of the other cohort
	At           time.Time
}

// GuardReader measures guards: one instant query for each call, bounded in size and
// time. Values that are no numbers are absent. Errors wrap ErrUnavailable, or
// ErrInvalid for a query that the server refuses.
type GuardReader interface {
	Measure(ctx context.Context, m Measurement) (GuardSample, error)
}

// GuardResult is what one guard says, always with what it says it on.
type GuardResult struct {
	Name    string
	Verdict GuardVerdict
	Value   Value  // in the unit of the guard
	Limit   Value  // what it was held against; absent when there was no reference
	Count   Value  // samples
	Text    string // "p99 of payment API 812 ms, more than 500 ms (1203 requests)"; cleaned
	At      time.Time
}

// Worst is the verdict of all guards together: a breach before anything unknown,
// that before too few samples. No guard at all passes.
func Worst(results []GuardResult) GuardVerdict {
	rank := [...]int{GuardPass: 0, GuardInsufficient: 1, GuardUnknown: 2, GuardBreach: 3}
	worst := GuardPass
	for i := range results {
		if rank[results[i].Verdict] > rank[worst] {
			worst = results[i].Verdict
		}
	}
	return worst
}

// Objections are the sentences of the guards with that verdict, joined.
func Objections(results []GuardResult, of GuardVerdict) string {
	var all []string
	for i := range results {
		if results[i].Verdict == of {
			all = append(all, results[i].Text)
		}
	}
	return strings.Join(all, "; ")
}
