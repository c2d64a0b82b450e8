package sources

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// RatioReader reads the past of a named ratio: how often something went wrong of how
// often it was tried. An unknown name is ErrNotFound.
type RatioReader interface {
	// Ratios is the ratio over at least the last span, as far as it is known, oldest
	// first. Where nothing was measured there is no sample.
	Ratios(ctx context.Context, name string, span time.Duration) ([]RatioSample, error)
}

// RatioSample is a ratio at one moment.
type RatioSample struct {
	At    time.Time
	Ratio Value // 0..1; absent where nothing was tried
	Rate  Value // tries per second; absent when that is not known
}

// ProofVerdict is what the comparisons of a migration prove.
type ProofVerdict int

// The verdicts. The zero value is ProofUnknown.
const (
	ProofUnknown      ProofVerdict = iota // no fresh number
	ProofPass                             // under the limit for the whole window
	ProofBreach                           // over the limit now
	ProofInsufficient                     // under the limit, but not for long enough or too rarely compared
)

// String is the verdict's word.
func (v ProofVerdict) String() string {
	words := [...]string{"unknown", "pass", "breach", "insufficient"}
	if v < 0 || int(v) >= len(words) {
		return words[ProofUnknown]
	}
	return words[v]
}

// Proof is how the comparisons of a migration stand.
type Proof struct {
	Verdict ProofVerdict
	Ratio   Value     // the newest
	At      time.Time // of the newest; zero for none
	Limit   float64
	Window  time.Duration
	Held    time.Duration // for how long it has stayed under the limit without a gap, at most Window
	Count   Value         // comparisons in that time; absent when that is not known
	AtLeast float64
	Why     string // why it is unknown, in a clause; "" otherwise
}

// gap is the longest silence between two samples that still counts as measured.
func (m *Migration) gap() time.Duration { return max(m.Window/5, leastGap) }

// leastGap is longer than sources are asked apart.
const leastGap = 6 * time.Second

// Span is how far back samples must reach to prove anything.
func (m *Migration) Span() time.Duration { return m.Window + m.gap() }

// Prove judges samples, oldest first, at a moment. What was measured before since,
// when the migration came to its stage, proves nothing.
func (m *Migration) Prove(samples []RatioSample, since, now time.Time) Proof {
	p := Proof{Limit: m.Limit, Window: m.Window, AtLeast: m.AtLeast}
	last := len(samples) - 1
	if last < 0 {
		p.Why = "nothing was measured yet"
		return p
	}
	newest := &samples[last]
	p.Ratio, p.At = newest.Ratio, newest.At
	switch {
	case !newest.Ratio.OK:
		p.Why = "nothing is compared at the moment"
		return p
	case now.Sub(newest.At) > m.gap():
		p.Why = "the last number is " + now.Sub(newest.At).Round(time.Second).String() + " old"
		return p
	case newest.Ratio.V > m.Limit:
		p.Verdict = ProofBreach
		return p
	}
	count, counted, from := 0.0, newest.Rate.OK, newest.At
	for i := last; i >= 0; i-- {
		s := &samples[i]
		if s.At.Before(since) || !s.Ratio.OK || s.Ratio.V > m.Limit || from.Sub(s.At) > m.gap() {
			break
		}
		counted = counted && s.Rate.OK
		count += s.Rate.V * from.Sub(s.At).Seconds()
		if from = s.At; newest.At.Sub(from) >= m.Window {
			break
		}
	}
	p.Held = min(newest.At.Sub(from), m.Window)
	if counted {
		p.Count = Some(count)
	}
	p.Verdict = ProofPass
	if p.Held < m.Window || (counted && count < m.AtLeast) {
		p.Verdict = ProofInsufficient
	}
	return p
}

// Standing is how a migration stands at a moment.
type Standing struct {
	Flag   Flag // as its store has it
	Proof  Proof
	Past   Past
	Signed []Signed // newest first
	At     time.Time
}

// SignedOff is who signed an item last; nil for nobody.
func (s *Standing) SignedOff(item string) *Signed {
	for i := range s.Signed {
		if s.Signed[i].Item == item {
			return &s.Signed[i]
		}
	}
	return nil
}

// Left is how long it must still stay under the limit.
func (p *Proof) Left() time.Duration { return p.Window - p.Held }

// Sentence is the proof with its value, its limit and what is still to go.
func (p *Proof) Sentence() string {
	limit := " (limit " + ratioText(p.Limit) + " for " + p.Window.String() + ")"
	switch p.Verdict {
	case ProofPass:
		return "mismatch " + ratioText(p.Ratio.V) + " stayed under the limit for " + p.Window.String() + p.counted()
	case ProofBreach:
		return "mismatch " + ratioText(p.Ratio.V) + " is over the limit" + limit + ": repair the new side, then " + p.Window.String() + " to go"
	case ProofInsufficient:
		text := "mismatch " + ratioText(p.Ratio.V) + " is under the limit" + limit + ", but for " + p.Held.Round(100*time.Millisecond).String() + " only" + p.counted()
		if p.Left() > 0 {
			return text + ", " + p.Left().Round(100*time.Millisecond).String() + " to go"
		}
		return "mismatch " + ratioText(p.Ratio.V) + " is under the limit" + limit + p.counted() + ": too few to prove anything"
	default:
		return "mismatch unknown" + limit + ": " + p.Why
	}
}

func (p *Proof) counted() string {
	if !p.Count.OK {
		return ""
	}
	return fmt.Sprintf(" over %.0f comparisons (at least %.0f)", p.Count.V, p.AtLeast)
}

// ratioText is a ratio in percent, exact enough to tell it from its limit.
func ratioText(v float64) string { return strconv.FormatFloat(v*100, 'g', 3, 64) + "%" }
