package sources

import (
	"cmp"
	"time"
)

// Quantile is one latency quantile in seconds. The zero Quantile is absent: no
// traffic, or no such metric.
type Quantile struct {
	Seconds float64
	OK      bool
	Over    bool // above the last finite bucket: "> Seconds", never "= Seconds"
}

// Verdict is how a latency stands against its SLO.
type Verdict int

// The verdicts. The zero value is VerdictUnknown.
const (
	VerdictUnknown   Verdict = iota // the metric is missing or stale
	VerdictNone                     // no SLO is set
	VerdictOK                       // p99 within the SLO
	VerdictBreached                 // p99 above the SLO, or the error budget is used up
	VerdictNoTraffic                // no samples in the window
	VerdictBurning                  // the error budget is being used up too fast
)

// String is the verdict's word.
func (v Verdict) String() string {
	words := [...]string{"unknown", "none", "ok", "breached", "no traffic", "burning"}
	if v < 0 || int(v) >= len(words) {
		return words[VerdictUnknown]
	}
	return words[v]
}

func (v Verdict) severity() int {
	switch v {
	case VerdictBreached:
		return 5
	case VerdictBurning:
		return 4
	case VerdictUnknown:
		return 3
	case VerdictOK, VerdictNone:
		return 2
	default:
		return 1
	}
}

// Latency is one service's latency, rate and errors. Strings are cleaned.
type Latency struct {
	Source        string
	Name          string // unique within the source
	P50, P95, P99 Quantile
	Rate          Value         // requests per second
	ErrorRatio    Value         // 0..1
	SLO           time.Duration // 0 for none; p99 is held against it
	Verdict       Verdict
	Calls         []string // names of the latencies this one calls
	Budget        Budget   // the zero Budget without an objective
	Note          string
}

// LatencySet is what one source says of latencies at one moment.
type LatencySet struct {
	Latencies []Latency
	Warnings  []string
	ReadAt    time.Time
}

// Judge is the verdict of a p99 against an SLO. Without a p99 a rate of 0 means
// no traffic; traffic whose p99 nobody knows is never called that.
func Judge(p99 Quantile, rate Value, slo time.Duration) Verdict {
	switch {
	case !p99.OK && rate.OK && rate.V <= 0:
		return VerdictNoTraffic
	case !p99.OK:
		return VerdictUnknown
	case slo <= 0:
		return VerdictNone
	case p99.Seconds > slo.Seconds() || (p99.Over && p99.Seconds >= slo.Seconds()):
		return VerdictBreached
	case p99.Over:
		return VerdictUnknown // somewhere above the last bucket, which is below the SLO
	default:
		return VerdictOK
	}
}

// CompareLatencies orders worst first: verdict, then p99, then name.
func CompareLatencies(a, b Latency) int {
	p99 := func(q Quantile) float64 {
		if q.OK {
			return q.Seconds
		}
		return -1
	}
	return cmp.Or(
		cmp.Compare(b.Verdict.severity(), a.Verdict.severity()),
		cmp.Compare(p99(b.P99), p99(a.P99)),
		cmp.Compare(a.Name, b.Name),
		cmp.Compare(a.Source, b.Source),
	)
}

// ExposureSet is the observed share of evaluations that got a variant, by flag
// key and variant, each 0..1. A key or variant that is not there was not seen.
type ExposureSet struct {
	ByKey    map[string]map[string]float64
	Warnings []string
	ReadAt   time.Time
	Stale    bool // some of it is older than it should be; set by the live engine
}

// Exposure is the observed share for a flag's variant, 0..1; absent when the
// flag was not evaluated at all, or has no one variant to count.
func (s *ExposureSet) Exposure(key, variant string) Value {
	if s == nil || variant == "" {
		return Value{}
	}
	m, ok := s.ByKey[key]
	if !ok {
		return Value{}
	}
	return Some(m[variant])
}
