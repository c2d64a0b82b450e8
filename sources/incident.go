package sources

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"
)

// Incident is what is known of a stretch of time: how numbers went, what happened, and
// which change may have set off what broke. It is a value that nobody writes to once it
// is made, and may be shared. Strings are cleaned, but for FlagID.Key.
type Incident struct {
	From, At time.Time    // what was looked at, up to now
	Metrics  []PastMetric // those that breach now first
	Events   []Event      // oldest first, bounded
	Breaches []Breach     // when numbers left their level, the earliest first
	Suspects []Suspect    // the most likely first; none is an answer
	Changes  int          // how many changes were weighed
	Missing  []string     // what could not be looked at, in sentences
}

// PastMetric is how one number went, in equal steps. Larger is worse.
type PastMetric struct {
	Name    string // as people call it: "payment API p99"
	Service string // whose it is
	Unit    string // "s" for seconds, "" for a ratio of 0..1
	Start   time.Time
	Step    time.Duration
	Points  []float64 // NaN is a gap
	Limit   float64   // above it the metric breaches; 0 for none
}

// At is the moment of a point.
func (m *PastMetric) At(i int) time.Time { return m.Start.Add(time.Duration(i) * m.Step) }

// Last is the newest point that is known; absent when none is.
func (m *PastMetric) Last() Value {
	for i := len(m.Points) - 1; i >= 0; i-- {
		if !math.IsNaN(m.Points[i]) {
			return Some(m.Points[i])
		}
	}
	return Value{}
}

// Breach is when a metric left its level.
type Breach struct {
	Metric        string
	Service       string
	Unit          string
	At            time.Time // when it began to rise
	Until         time.Time // when it was back; zero while it is not
	Before, After float64   // the levels, in the metric's unit
}

// Suspect is a change that may have been the cause. It is never acted on by itself.
type Suspect struct {
	Lane    Lane   // LaneFlags, LaneDeploys or LaneBreakers: what was changed
	Flag    FlagID // the flag, or the breaker that somebody switched; zero for a deploy
	Change  string // ID of the change; "" when it was only observed
	Subject string // for display: the flag's name, the service, the breaker
	What    string // "10% to 50%"
	Actor   string // "" when unknown
	At      time.Time
	Word    string  // how strong the case is: possible, likely, strong
	Score   float64 // decibans: 10 is ten to one for it, 20 a hundred to one
	Lag     time.Duration
	Metric  string // the name of the metric that speaks most for it
	Service string // whose that metric is
	Metrics int    // how many of the breaching metrics it explains
	Undone  bool   // it was taken back since
	Healed  bool   // and the metric recovered when it was
	Why     string // in one sentence, with its numbers
}

// Lane is what an event is about: on a timeline each has a line of its own.
type Lane int

// The lanes, in their order on the screen.
const (
	LaneFlags Lane = iota
	LaneDeploys
	LaneBreakers
	LaneAlerts
	LaneSLOs
	LaneGuards
	LaneCount
)

// String is the lane's word, at most seven letters.
func (l Lane) String() string {
	words := [LaneCount]string{"flags", "deploys", "breaker", "alerts", "SLO", "guards"}
	if l < 0 || l >= LaneCount {
		return ""
	}
	return words[l]
}

// Event is one thing that happened, at a moment or for a while.
type Event struct {
	Lane    Lane
	At      time.Time
	Until   time.Time // when it was over; zero for what has no length, or goes on
	Lasting bool      // it goes on
	Bad     bool
	Name    string // flag, service, breaker or alert
	Service string // what it is about, where that is known
	Flag    FlagID // zero for what is no flag's
	Text    string // what happened, in few words: "25% to 50%, ana: canary is clean"
}

// PastReader reads what a source has on record of alerts and breakers, over a span that
// ends now. It is asked when somebody looks, and then seldom. Events are bounded by
// MaxPastEvents, the newest are kept. ErrUnsupported means that it keeps no such past.
type PastReader interface {
	Past(ctx context.Context, span time.Duration) ([]Event, error)
}

// MaxPastEvents bounds the events of an Incident, and those of one PastReader.
const MaxPastEvents = 2000

// BreakerEvent is a breaker's turn as an event. How long the state lasted is for the
// caller to say.
func BreakerEvent(name string, t BreakerTurn) Event {
	return Event{
		Lane: LaneBreakers, At: t.At, Name: name, Bad: t.Is == BreakerOpen || t.Is == BreakerForcedOpen,
		Text: t.Was.String() + " to " + t.Is.String(),
	}
}

// Answer is what an incident comes to, in one sentence: the first suspect, or why there
// is none, with what was looked at.
func (in *Incident) Answer() string {
	switch {
	case len(in.Suspects) > 0:
		s := &in.Suspects[0]
		return s.Word + " suspect: " + s.Why
	case len(in.Metrics) == 0:
		return "no suspect, for nothing could be looked at: no metric has a past"
	case len(in.Breaches) == 0:
		return "no suspect: nothing left its level, of " + in.Looked()
	default:
		b := &in.Breaches[0]
		return fmt.Sprintf("no suspect: %s rose at %s from %s to %s, and no change before it explains that, of %s",
			b.Metric, b.At.In(in.At.Location()).Format("15:04:05"), Amount(b.Before, b.Unit), Amount(b.After, b.Unit), in.Looked())
	}
}

// Looked is how much was looked at, in few words.
func (in *Incident) Looked() string {
	return fmt.Sprintf("%s and %s in the last %s", count(len(in.Metrics), "metric"), count(in.Changes, "change"), Span(in.At.Sub(in.From)))
}

func count(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return strconv.Itoa(n) + " " + of + "s"
}

// Span is a length of time in its largest unit that says it exactly enough: "40 s",
// "15 min", "6 h".
func Span(d time.Duration) string {
	switch d = d.Round(time.Second); {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()+0.5))
	default:
		return fmt.Sprintf("%d h", int(d.Hours()+0.5))
	}
}

// Amount is a metric's value in its unit, in three figures: "820 ms", "3.2 s", "12%", and
// for a breaker its state.
func Amount(v float64, unit string) string {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "?"
	case unit == "breaker" && v >= 0.5:
		return "open"
	case unit == "breaker":
		return "closed"
	case unit == "s" && v < 0.9995:
		return fmt.Sprintf("%.3g ms", max(v, 0)*1000)
	case unit == "s" && v < 10:
		return fmt.Sprintf("%.2g s", v)
	case unit == "s":
		return fmt.Sprintf("%.0f s", v)
	case v < 1e-6: // what a sum of many shares leaves where there is nothing
		return "0%"
	case v < 0.0995:
		return fmt.Sprintf("%.2g%%", v*100)
	default:
		return fmt.Sprintf("%.0f%%", v*100)
	}
}
