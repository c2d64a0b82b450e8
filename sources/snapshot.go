package sources

import "time"

// Health is how far a source's data can be trusted.
type Health int

// The health of a source. The zero value is Unknown.
const (
	Unknown Health = iota // never read, or too old to mean anything
	Fresh
	Stale // the last good data, older than it should be
)

// String is the health's word.
func (h Health) String() string {
	switch h {
	case Fresh:
		return "fresh"
	case Stale:
		return "stale"
	default:
		return "unknown"
	}
}

// SourceStatus is one source's standing. Strings are cleaned.
type SourceStatus struct {
	Name     string
	Kind     string // the driver: "flagd", "prometheus", ...
	Health   Health
	LastOK   time.Time // when data last arrived; zero for never
	Since    time.Time // when Health last changed
	Err      string    // what the last attempt said; "" when it worked
	Warnings []string
	Flags    bool // serves flags
	Metrics  bool // serves breakers, latencies or exposures
	Writable bool // flags can be changed through it
}

// TrendLen is how many points a Trend holds.
const TrendLen = 60

// Trend is a ring of the last values of one number, oldest overwritten in place.
// NaN is a gap. It is immutable: Add returns another.
type Trend struct {
	Points [TrendLen]float32
	Head   int // where the next point goes
	Len    int // how many points were ever written, at most TrendLen
}

// Add is the trend with one more point.
func (t Trend) Add(v float64) Trend {
	t.Points[t.Head] = float32(v)
	t.Head = (t.Head + 1) % TrendLen
	t.Len = min(t.Len+1, TrendLen)
	return t
}

// Snapshot is everything the board shows at one moment. It is immutable and
// shared: whoever holds one may read it from any goroutine, and nobody writes.
type Snapshot struct {
	Seq       uint64 // grows by one with each snapshot
	FlagsSeq  uint64 // grows when Flags changed
	At        time.Time
	Context   string
	Accent    string
	Sources   []SourceStatus
	Flags     []Flag           // by source, then key
	Exposures *ExposureSet     // nil when no source has them
	Breakers  []Breaker        // worst first
	Latencies []Latency        // worst first
	Trends    map[string]Trend // p99 in seconds, by Latency.Name
	Activity  []Activity       // newest first, bounded
}

// Source is the status of the named source, or a zero status of that name.
func (s *Snapshot) Source(name string) SourceStatus {
	if s != nil {
		for i := range s.Sources {
			if s.Sources[i].Name == name {
				return s.Sources[i]
			}
		}
	}
	return SourceStatus{Name: name}
}

// Flag finds a flag by identity; nil when it is not there.
func (s *Snapshot) Flag(id FlagID) *Flag {
	if s == nil {
		return nil
	}
	for i := range s.Flags {
		if s.Flags[i].ID == id {
			return &s.Flags[i]
		}
	}
	return nil
}

// Latency finds a latency by name; nil when it is not there.
func (s *Snapshot) Latency(name string) *Latency {
	if s == nil {
		return nil
	}
	for i := range s.Latencies {
		if s.Latencies[i].Name == name {
			return &s.Latencies[i]
		}
	}
	return nil
}
