package metrics

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"relctl-tui/sources"
)

// DefaultWindow is the span over which rates and quantiles are taken.
const DefaultWindow = time.Minute

// Config is what a source's metrics mean. The zero Config works everything out:
// one latency per service, every breaker whose states are named in words.
type Config struct {
	Latency       []LatencyRule   // empty: one row per service, see Plan.Latencies
	Breakers      []BreakerRule   // empty: every one-hot preset that exists; auto leaves out what another rule reads
	Window        time.Duration   // 0 means DefaultWindow; otherwise 2 s to 1 h
	Ratios        []RatioRule     // ratios whose past is wanted
	Interpolation Interpolation   // for native histograms
	Presets       []BreakerPreset // of the operator's own: added to the program's, or in the place of one of that name
	Latencies     []LatencyPreset // likewise
	Versions      []VersionRule   // further metrics that say which version runs, besides those that end in build_info
}

// VersionRule is a metric with one series for each instance, one of whose labels is the
// version that it runs.
type VersionRule struct {
	Metric  string
	Version string // the label; "" for version. Of an image its tag is the version
	Service string // the label that names the service; "" for those that are known
	Match   string // as in LatencyRule
}

// LatencyRule is one row of the latency pane.
type LatencyRule struct {
	Name   string        // unique; required
	Preset string        // "" or "auto" for the first that matches
	Match  string        // `job="payment",service=~"a|b"`; "" for every series
	SLO    time.Duration // 0 for none
	Calls  []string      // names of the latencies this one calls

	Objective float64       // share of calls that must be good within Window, 0..1; 0 for none
	Window    time.Duration // 0 means DefaultObjectiveWindow
	Errors    bool          // a call is bad when it fails, however fast it is; else when it takes longer than SLO
}

// DefaultObjectiveWindow is the window of an objective that names none.
const DefaultObjectiveWindow = 30 * 24 * time.Hour

// BreakerRule is where breakers are to be found.
type BreakerRule struct {
	Preset    string            // "auto" (or "" without Metric), or a preset's name
	Metric    string            // the state gauge, for presets that have none of their own
	Match     string            // as in LatencyRule
	Values    map[string]string // for a numeric gauge: value to state, {"0": "closed", "1": "open"}
	NameLabel string            // the label that names the breaker; "" for the preset's
}

// The most rules of a kind: each row costs the server something.
const maxRules = 200

// Plan is a checked Config. It is immutable but for what it remembers of names,
// and safe for concurrent use.
type Plan struct {
	shared    sharedNames
	whose     spots
	window    time.Duration
	interp    Interpolation
	latencies []LatencyPreset // in the order of preference
	latency   []latencyRule
	breakers  []breakerRule
	events    transitions
	spent     spent
	ratios    []Ratio
	versions  []versionRule

	latencyAsks []latencyRead // of the presets that the latencies can be in
	askNames    []string
}

type latencyRule struct {
	LatencyRule
	preset *LatencyPreset // nil for auto
	match  []Matcher
}

type breakerRule struct {
	preset BreakerPreset
	match  []Matcher
	auto   bool
}

// Validate says everything that is wrong with the config, each in a sentence,
// wrapping ErrInvalid; nil when it is right.
func (c Config) Validate() error {
	_, err := c.Compile()
	return err
}

// Compile checks the config and readies it for use.
func (c Config) Compile() (*Plan, error) {
	p := &Plan{window: c.Window, interp: c.Interpolation, latencies: withLatencies(c.Latencies)}
	var errs []error
	if c.Window == 0 {
		p.window = DefaultWindow
	} else if c.Window < 2*time.Second || c.Window > time.Hour {
		errs = append(errs, fmt.Errorf("window %s is outside 2s..1h: %w", c.Window, sources.ErrInvalid))
	}
	if len(c.Latency) > maxRules || len(c.Breakers) > maxRules || len(c.Ratios) > maxRules {
		errs = append(errs, fmt.Errorf("more than %d latency, breaker or mismatch rules: %w", maxRules, sources.ErrInvalid))
		return nil, errors.Join(errs...)
	}
	seen := map[string]bool{}
	for i, r := range c.Latency {
		cr, err := p.compileLatency(r, i)
		if err == nil && seen[r.Name] {
			err = fmt.Errorf("latency name %q is given twice: %w", sources.Clean(r.Name, 60), sources.ErrInvalid)
		}
		seen[r.Name] = true
		p.latency, errs = append(p.latency, cr), appendErr(errs, err)
	}
	rules := c.Breakers
	if len(rules) == 0 {
		rules = []BreakerRule{{Preset: "auto"}}
	}
	presets := withPresets(c.Presets)
	for _, r := range rules {
		crs, err := compileBreaker(r, presets)
		p.breakers, errs = append(p.breakers, crs...), appendErr(errs, err)
	}
	var bad []error
	p.ratios, bad = compileRatios(c.Ratios)
	errs = append(errs, bad...)
	p.versions, bad = compileVersions(c.Versions)
	if errs = append(errs, bad...); len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	p.leaveToRules()
	p.wantLatencies()
	return p, nil
}

// leaveToRules takes from auto what a rule of its own reads, or each breaker of
// that metric would have two rows.
func (p *Plan) leaveToRules() {
	named := map[string]bool{}
	for i := range p.breakers {
		if r := &p.breakers[i]; !r.auto {
			for _, m := range r.preset.metrics() {
				named[m] = true
			}
		}
	}
	p.breakers = slices.DeleteFunc(p.breakers, func(r breakerRule) bool {
		return r.auto && slices.ContainsFunc(r.preset.metrics(), func(m string) bool { return named[m] })
	})
}

func appendErr(errs []error, err error) []error {
	if err != nil {
		return append(errs, err)
	}
	return errs
}

// Window is the span of the plan's rates.
func (p *Plan) Window() time.Duration { return p.window }

func (p *Plan) compileLatency(r LatencyRule, i int) (latencyRule, error) {
	out := latencyRule{LatencyRule: r}
	if strings.TrimSpace(r.Name) == "" {
		return out, fmt.Errorf("latency rule %d has no name: %w", i+1, sources.ErrInvalid)
	}
	name := sources.Clean(r.Name, 60)
	if r.SLO < 0 {
		return out, fmt.Errorf("latency %s: the SLO %s is below 0: %w", name, r.SLO, sources.ErrInvalid)
	}
	if err := out.objective(); err != nil {
		return out, err
	}
	if r.Preset != "" && r.Preset != "auto" {
		at := slices.IndexFunc(p.latencies, func(p LatencyPreset) bool { return p.Name == r.Preset })
		if at < 0 {
			return out, fmt.Errorf("latency %s: preset %q is not known, use auto or one of %s: %w",
				name, sources.Clean(r.Preset, 40), strings.Join(names(p.latencies, func(p LatencyPreset) string { return p.Name }), ", "), sources.ErrInvalid)
		}
		out.preset = &p.latencies[at]
	}
	match, err := ParseMatch(r.Match)
	if err != nil {
		return out, fmt.Errorf("latency %s: %w", name, err)
	}
	out.match = match
	return out, nil
}

func compileBreaker(r BreakerRule, presets []BreakerPreset) ([]breakerRule, error) {
	match, err := ParseMatch(r.Match)
	if err != nil {
		return nil, fmt.Errorf("breakers: %w", err)
	}
	if r.NameLabel != "" && !isLabel(r.NameLabel) {
		return nil, fmt.Errorf("breakers: %q is no label name: %w", sources.Clean(r.NameLabel, 40), sources.ErrInvalid)
	}
	if r.Preset == "auto" || (r.Preset == "" && r.Metric == "") {
		if r.Metric != "" || len(r.Values) > 0 {
			return nil, fmt.Errorf("breakers: auto takes no metric and no values, leave preset out: %w", sources.ErrInvalid)
		}
		return autoBreakers(match, r.NameLabel, presets), nil
	}
	p := BreakerPreset{Names: nameLabels, How: ByValue}
	if r.Preset != "" {
		at := slices.IndexFunc(presets, func(p BreakerPreset) bool { return p.Name == r.Preset })
		if at < 0 {
			known := names(presets, func(p BreakerPreset) string { return p.Name })
			return nil, fmt.Errorf("breakers: preset %q is not known, use auto or one of %s: %w",
				sources.Clean(r.Preset, 40), strings.Join(known, ", "), sources.ErrInvalid)
		}
		p = presets[at]
	}
	if err := refine(&p, r); err != nil {
		return nil, err
	}
	return []breakerRule{{preset: p, match: match}}, nil
}

func autoBreakers(match []Matcher, nameLabel string, presets []BreakerPreset) []breakerRule {
	var out []breakerRule
	for _, p := range presets {
		if !p.alone() {
			continue
		}
		if nameLabel != "" {
			p.Names = []string{nameLabel}
		}
		out = append(out, breakerRule{preset: p, match: match, auto: true})
	}
	return out
}

// refine applies what a rule adds to its preset.
func refine(p *BreakerPreset, r BreakerRule) error {
	own := p.alone() && p.Name != "generic"
	switch {
	case r.Metric == "" && !p.alone():
		return fmt.Errorf("breakers: preset %s exports nothing of its own, name the metric: %w", p.Name, sources.ErrInvalid)
	case r.Metric != "" && own:
		return fmt.Errorf("breakers: preset %s has a metric of its own, leave metric out: %w", p.Name, sources.ErrInvalid)
	case r.Metric != "" && !isMetric(r.Metric):
		return fmt.Errorf("breakers: %q is no metric name: %w", sources.Clean(r.Metric, 60), sources.ErrInvalid)
	case len(r.Values) > 0 && p.How != ByValue:
		return fmt.Errorf("breakers: preset %s names its states in a label, leave values out: %w", p.Name, sources.ErrInvalid)
	}
	if r.Metric != "" && (len(p.Metric) == 0 || r.Metric != p.Metric[0]) {
		p.Metric = []string{r.Metric}
		p.Calls = Calls{} // belongs to the preset's own metric
	}
	if r.NameLabel != "" {
		p.Names = []string{r.NameLabel}
	}
	if len(r.Values) == 0 {
		return nil
	}
	p.Values = map[float64]state{}
	for _, k := range slices.Sorted(maps.Keys(r.Values)) {
		v, err := strconv.ParseFloat(k, 64)
		if err != nil {
			return fmt.Errorf("breakers: %q in values is no number: %w", sources.Clean(k, 40), sources.ErrInvalid)
		}
		known, ok := stateWords[r.Values[k]]
		if !ok {
			return fmt.Errorf("breakers: %q in values is no state, use %s: %w", sources.Clean(r.Values[k], 40), stateList, sources.ErrInvalid)
		}
		p.Values[v] = state(known)
	}
	return nil
}

// Names is every series name the plan can ask for: what a scraper must keep.
// Other series need not even be parsed.
func (p *Plan) Names() map[string]bool {
	out := map[string]bool{}
	add := func(names ...string) {
		for _, n := range names {
			if n != "" {
				out[n] = true
			}
		}
	}
	for i := range p.latencies {
		l := &p.latencies[i]
		add(l.Metric+"_count", l.Metric+"_sum", l.CodeOf)
		if l.Kind == summary {
			add(l.Metric)
		} else {
			add(l.Metric + "_bucket")
		}
	}
	for i := range p.breakers {
		b := &p.breakers[i].preset
		add(b.metrics()...)
		add(extras(b)...)
		add(b.Window.Metric...)
		for _, m := range b.Took.Metric {
			if add(m+"_count", m+"_bucket"); b.Took.Summary {
				add(m)
			}
		}
	}
	for i := range exposurePresets {
		add(exposurePresets[i].Metric)
	}
	for i := range callPresets() {
		c := &callPresets()[i]
		add(c.Metric+"_count", c.Metric+"_sum", c.FailedOf)
	}
	add(rolloutMetrics()...)
	for i := range p.ratios {
		add(p.ratios[i].Metric)
	}
	for i := range p.versions {
		add(p.versions[i].Metric)
	}
	return out
}

// Probe is every series name that the plan may ask Exists for, sorted.
func (p *Plan) Probe() []string {
	var out []string
	for n := range p.Names() {
		if !strings.HasSuffix(n, "_bucket") && !strings.HasSuffix(n, "_sum") {
			out = append(out, n)
		}
	}
	for i := range p.latencies {
		out = append(out, p.latencies[i].Metric)
	}
	for i := range callPresets() {
		out = append(out, callPresets()[i].Metric)
	}
	return union(out)
}
