package live

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"relctl-tui/sources"
)

// state is everything that was read, guarded by Engine.mu. Slices and maps that
// went into a snapshot are never written again.
type state struct {
	opts    Options
	sources []*sourceState
	groups  []*group

	dirty         bool // something visible changed since the last snapshot
	flagsDirty    bool
	metricsDirty  bool
	trendsDirty   bool
	unattributed  bool // a change appeared whose author is not known
	seq, flagsSeq uint64
	flags         []sources.Flag
	upcoming      []sources.Activity
	breakers, own []sources.Breaker
	latencies     []sources.Latency
	alerts        []sources.Alert
	deploys       []sources.Deploy
	exposures     *sources.ExposureSet
	shownTrends   map[string]sources.Trend
	activity      []*line // newest first
	shownActivity []sources.Activity
	ramps         []sources.RampStatus          // by flag; replaced, never written to
	attending     map[string][]sources.Person   // by source
	here          []sources.Person              // all of them; replaced, never written to
	schedules     map[string][]sources.Schedule // that wait, by store, the next first; replaced, never written to
	scheduleErrs  map[string]string             // why those of a store cannot be read
	activityDirty bool
}

// sourceState is one source's last data.
type sourceState struct {
	cfg       Source
	watched   bool
	caps      [sources.PartCount]capState
	flags     *sources.FlagSet // without its flags; nil until they were read
	read      readFlags
	breakers  []sources.Breaker
	fixed     string                           // why its breakers cannot be switched, as it says itself
	turns     map[string][]sources.BreakerTurn // by breaker, newest first, as seen from here
	seenSince time.Time                        // when its breakers were first read
	latencies []sources.Latency
	budgets   map[string]sources.Budget // by latency
	deploys   []sources.Deploy
	exposures *sources.ExposureSet
	alerts    []sources.Alert
	alerted   bool // alerts were read before
	trends    trends
	own       sources.Breaker // the board's own, around this source
	role      sources.Role
	call      chan struct{} // closed when the source is called on; nil while it is
	health    sources.Health
	since     time.Time
}

// capState is how one capability of a source is doing.
type capState struct {
	has      bool // the driver has it, and did not say that the system has not
	live     bool // a watch that is in order: its data does not age
	lastOK   time.Time
	err      string
	warnings []string
	health   sources.Health
}

func newState(opts Options) *state {
	s := &state{schedules: map[string][]sources.Schedule{}, scheduleErrs: map[string]string{}, opts: opts, flagsDirty: true, metricsDirty: true, trendsDirty: true, activityDirty: true}
	for _, cfg := range opts.Sources {
		st := &sourceState{cfg: cfg, since: opts.Now(), trends: trends{}, own: sources.Breaker{
			Source: cfg.Name, Name: ownName(cfg.Name), State: sources.BreakerClosed, Instances: 1, Own: true,
		}}
		_, lists := cfg.Driver.(sources.FlagLister)
		_, st.watched = cfg.Driver.(sources.FlagWatcher)
		st.caps[sources.PartFlags].has = lists || st.watched
		_, st.caps[sources.PartBreakers].has = cfg.Driver.(sources.BreakerLister)
		_, st.caps[sources.PartLatencies].has = cfg.Driver.(sources.LatencyReader)
		_, st.caps[sources.PartDeploys].has = cfg.Driver.(sources.DeployLister)
		_, st.caps[sources.PartBudgets].has = cfg.Driver.(sources.BudgetReader)
		_, st.caps[sources.PartExposures].has = cfg.Driver.(sources.ExposureReader)
		_, st.caps[sources.PartAlerts].has = cfg.Driver.(sources.AlertLister)
		s.sources = append(s.sources, st)
	}
	s.groups = groupsOf(s.sources)
	return s
}

func (s *state) writable(st *sourceState) bool {
	_, writes := st.cfg.Driver.(sources.FlagWriter)
	return st.cfg.Writable && writes && (st.flags == nil || st.flags.ReadOnly == "")
}

// switches says that the source's driver can switch breakers.
func (st *sourceState) switches() bool {
	_, can := st.cfg.Driver.(sources.BreakerSwitcher)
	return can
}

// silences tells whether single alerts can be silenced through it, whoever may.
func (st *sourceState) silences() bool {
	_, can := st.cfg.Driver.(sources.AlertSilencer)
	return can
}

func (s *state) source(name string) *sourceState {
	for _, st := range s.sources {
		if st.cfg.Name == name {
			return st
		}
	}
	return nil
}

func (s *state) succeed(i int, c sources.Part, now time.Time) {
	st := &s.sources[i].caps[c]
	if st.err != "" {
		s.dirty = true
	}
	st.has, st.err, st.lastOK = true, "", now
}

func (s *state) fail(i int, c sources.Part, err error, now time.Time) {
	st := &s.sources[i].caps[c]
	if errors.Is(err, sources.ErrUnsupported) && st.lastOK.IsZero() {
		if st.has {
			s.dirty = true
		}
		st.has = false
		return
	}
	text := "failed without saying why"
	if err != nil {
		text = cmp.Or(sources.Sentence(err), text)
	}
	if st.live { // good until now
		st.live, st.lastOK = false, now
	}
	if st.err != text {
		st.err, s.dirty = text, true
	}
}

func (s *state) warn(st *sourceState, c sources.Part, warnings []string) {
	if slices.Equal(st.caps[c].warnings, warnings) {
		return
	}
	clean := make([]string, len(warnings))
	for i, w := range warnings {
		clean[i] = sources.Clean(w, maxText)
	}
	st.caps[c].warnings, s.dirty = clean, true
}

// assess works out every health at this moment and says in how long one will
// change by age alone; 0 for never.
func (s *state) assess(now time.Time) (next time.Duration) {
	for _, st := range s.sources {
		worst, read := sources.Fresh, false
		for c := range st.caps {
			cp := &st.caps[c]
			if !cp.has {
				continue
			}
			h, in := s.age(cp, now)
			if in > 0 && (next == 0 || in < next) {
				next = in
			}
			if h != cp.health {
				cp.health, s.dirty = h, true
				if sources.Part(c) != sources.PartFlags {
					s.metricsDirty, s.trendsDirty = true, true
				}
			}
			if !read || worse(h, worst) {
				worst, read = h, true
			}
		}
		if !read {
			worst = sources.Unknown
		}
		if worst != st.health {
			st.health, st.since, s.dirty = worst, now, true
		}
	}
	for _, g := range s.groups {
		s.choose(g, now)
	}
	return next
}

func (s *state) age(c *capState, now time.Time) (h sources.Health, next time.Duration) {
	if c.live {
		return sources.Fresh, 0
	}
	if c.lastOK.IsZero() {
		return sources.Unknown, 0
	}
	age := now.Sub(c.lastOK)
	if age < 0 { // the clock was set back: how old it is counts from here
		c.lastOK, age = now, 0
	}
	switch {
	case age < s.opts.StaleAfter:
		return sources.Fresh, s.opts.StaleAfter - age
	case age < s.opts.UnknownAfter:
		return sources.Stale, s.opts.UnknownAfter - age
	default:
		return sources.Unknown, 0
	}
}

// worse orders health: unknown, stale, fresh.
func worse(a, b sources.Health) bool {
	rank := [...]int{sources.Unknown: 2, sources.Fresh: 0, sources.Stale: 1}
	return rank[a] > rank[b]
}

// status is a source's standing for the snapshot.
func (s *state) status(st *sourceState, now time.Time) sources.SourceStatus {
	out := sources.SourceStatus{
		Name: st.cfg.Name, Kind: st.cfg.Kind, Role: st.role, Health: st.health, Since: st.since, Writable: s.writable(st),
	}
	if st.flags != nil {
		out.ReadOnly = st.flags.ReadOnly
	}
	if out.Switches = st.switches(); out.Switches && !st.cfg.Writable {
		out.Fixed = "the configuration or --read-only forbids it"
	} else if out.Switches {
		out.Fixed = st.fixed
	}
	if out.Silences = st.silences(); out.Silences && !st.cfg.Writable {
		out.Fixed = "that takes silences: true in its configuration, and no --read-only"
	}
	for c := range st.caps {
		cp := &st.caps[c]
		if !cp.has {
			continue
		}
		switch sources.Part(c) {
		case sources.PartFlags:
			out.Flags = true
		case sources.PartAlerts:
			out.Alerts = true
		default:
			out.Metrics = true
		}
		last := cp.lastOK
		if cp.live {
			last = now
		}
		out.Parts[c] = sources.PartStatus{Has: true, Health: cp.health, LastOK: last, Err: cp.err}
		if out.LastOK.IsZero() || (!last.IsZero() && last.Before(out.LastOK)) {
			out.LastOK = last
		}
		out.Err = cmp.Or(out.Err, cp.err)
		out.Warnings = append(out.Warnings, cp.warnings...)
	}
	if why := s.scheduleErrs[st.cfg.Name]; why != "" {
		out.Warnings = append(out.Warnings, why)
	}
	return out
}

// build makes the next snapshot from what changed and what is shared with the
// last one.
func (s *state) build(now time.Time) *sources.Snapshot {
	s.assess(now)
	if s.flagsDirty {
		s.mergeFlags()
	}
	if s.metricsDirty {
		s.mergeMetrics()
	}
	if s.trendsDirty {
		s.mergeTrends()
	}
	if s.activityDirty {
		s.shownActivity = make([]sources.Activity, len(s.activity))
		for i, l := range s.activity {
			s.shownActivity[i] = l.Activity
		}
	}
	status := make([]sources.SourceStatus, len(s.sources))
	for i, st := range s.sources {
		status[i] = s.status(st, now)
	}
	s.dirty, s.flagsDirty, s.metricsDirty, s.trendsDirty, s.activityDirty = false, false, false, false, false
	s.seq++
	return &sources.Snapshot{
		Seq: s.seq, FlagsSeq: s.flagsSeq, At: now, Context: s.opts.Context, Accent: s.opts.Accent,
		Sources: status, Flags: s.flags, Exposures: s.exposures, Breakers: s.breakers, Own: s.own,
		Latencies: s.latencies, Alerts: s.alerts, Deploys: s.deploys, Trends: s.shownTrends, Activity: s.shownActivity, Upcoming: s.upcoming,
		Ramps: s.ramps, Here: s.here, Guards: s.opts.Guards, Calendar: s.opts.Calendar,
	}
}
