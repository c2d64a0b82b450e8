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

// Part is one thing that a source is read for.
type Part int

// The parts of a source.
const (
	PartFlags Part = iota
	PartBreakers
	PartLatencies
	PartExposures
	PartAlerts
	PartBudgets
	PartDeploys
	PartCount
)

// PartStatus is how one part of a source is doing.
type PartStatus struct {
	Has    bool // the source serves it
	Health Health
	LastOK time.Time // when it last arrived; zero for never
	Err    string    // what the last attempt said; "" when it worked
}

// Role is what a source is to the group of sources that stand in for each other.
type Role int

// The roles. The zero value is Alone.
const (
	Alone    Role = iota // in no group: its data is always shown
	Speaks               // its data is shown
	Replaced             // it should speak, but cannot: another one does
	StandsBy             // not asked while one before it speaks
)

// SourceStatus is one source's standing. Strings are cleaned.
type SourceStatus struct {
	Name     string
	Kind     string // the driver: "flagd", "prometheus", ...
	Role     Role
	Health   Health    // of its worst part
	LastOK   time.Time // when all its parts were last known to be good; zero for never
	Since    time.Time // when Health last changed
	Err      string    // what the last attempt said; "" when it worked
	Warnings []string
	Flags    bool   // serves flags
	Metrics  bool   // serves breakers, latencies or exposures
	Alerts   bool   // serves alerts
	Writable bool   // flags can be changed through it
	ReadOnly string // why not, where the store itself says so; "" otherwise
	Parts    [PartCount]PartStatus

	Switches bool   // its driver can force breakers open and let them go
	Silences bool   // its driver can silence single alerts
	Fixed    string // why neither must be done all the same, in a cleaned clause; "" when it may
}

// Shown tells whether the snapshot holds the source's data, not another's for it.
func (s *SourceStatus) Shown() bool { return s.Role == Alone || s.Role == Speaks }

// Part is how one part of the source is doing; as the source as a whole where the
// part is not known by itself.
func (s *SourceStatus) Part(p Part) PartStatus {
	if s.Parts[p].Has {
		return s.Parts[p]
	}
	return PartStatus{Health: s.Health, LastOK: s.LastOK, Err: s.Err}
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
	Own       []Breaker        // this board's own, one around each source, worst first
	Latencies []Latency        // worst first
	Alerts    []Alert          // worst first, each once
	Deploys   []Deploy         // those under way first, then by service
	Trends    map[string]Trend // p99 in seconds, by Latency.Name
	Activity  []Activity       // newest first, bounded
	Guards    []Guard          // on which flags may be raised
	Calendar  Calendar         // when no flag is raised
	Ramps     []RampStatus     // guarded ramps, this board's and others', by flag
	Upcoming  []Activity       // what stores will do to flags by themselves, the next first, bounded
	Here      []Person         // who else looks at the same stores, by name; with a shared engine all who do
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

// Ramp is the guarded ramp of a flag; nil when there is none.
func (s *Snapshot) Ramp(id FlagID) *RampStatus {
	if s == nil {
		return nil
	}
	for i := range s.Ramps {
		if s.Ramps[i].Flag == id {
			return &s.Ramps[i]
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

// Breaker finds a breaker of the system or of this board by its source and name;
// nil when it is not there.
func (s *Snapshot) Breaker(source, name string) *Breaker {
	if s == nil {
		return nil
	}
	for _, list := range [2][]Breaker{s.Breakers, s.Own} {
		for i := range list {
			if list[i].Source == source && list[i].Name == name {
				return &list[i]
			}
		}
	}
	return nil
}

// LatencyOf finds a latency by its source and name; nil when it is not there.
func (s *Snapshot) LatencyOf(source, name string) *Latency {
	if s == nil {
		return nil
	}
	for i := range s.Latencies {
		if s.Latencies[i].Source == source && s.Latencies[i].Name == name {
			return &s.Latencies[i]
		}
	}
	return nil
}

// Alert finds an alert by its source and ID; nil when it is not there.
func (s *Snapshot) Alert(source, id string) *Alert {
	if s == nil {
		return nil
	}
	for i := range s.Alerts {
		if s.Alerts[i].Source == source && s.Alerts[i].ID == id {
			return &s.Alerts[i]
		}
	}
	return nil
}

// Blind is why the numbers behind raising a flag cannot be relied on at the moment:
// its store's, or those of the latency it is expected to move, or, where none is
// named, of every source that measures. "" where they can, and where nothing
// measures at all. It is never a reason not to lower a flag.
func (s *Snapshot) Blind(f *Flag, now time.Time) string {
	store := s.Source(f.ID.Source)
	if why := store.old(PartFlags, now); why != "" {
		return why
	}
	if f.Metric != "" {
		l := s.Latency(f.Metric)
		if l == nil {
			return f.Metric + " is not measured"
		}
		st := s.Source(l.Source)
		return st.old(PartLatencies, now)
	}
	why := ""
	for i := range s.Sources {
		st := &s.Sources[i]
		if !st.Metrics || st.Switches || !st.Shown() { // what switches has breakers alone
			continue
		}
		if why = st.old(PartLatencies, now); why == "" {
			return ""
		}
	}
	return why
}

// old says how old a part's data is, unless it is fresh.
func (s *SourceStatus) old(p Part, now time.Time) string {
	part := s.Part(p)
	switch {
	case part.Health == Fresh:
		return ""
	case part.LastOK.IsZero():
		return s.Name + " was never read"
	default:
		return s.Name + " is " + now.Sub(part.LastOK).Round(time.Second).String() + " old"
	}
}
