package metrics

import (
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"relctl-tui/sources"
)

// LatencyData is the latency presets that come with the program, as their YAML.
//
//go:embed latencies.yaml
var LatencyData []byte

// LatencyPreset says how one library or proxy exports latencies. latencies.yaml says
// what each field means.
type LatencyPreset struct {
	Name     string   `yaml:"name"`
	About    string   `yaml:"about"`
	Metric   string   `yaml:"metric"`
	Unit     Unit     `yaml:"unit"`
	Kind     string   `yaml:"kind"` // "", histogram or summary
	Identity []string `yaml:"service"`
	Where    string   `yaml:"where"`
	Code     []string `yaml:"outcome"`
	Failed   string   `yaml:"failed"`
	CodeOf   string   `yaml:"counter"` // "" for the histogram's own count
	Auto     Auto     `yaml:"when"`

	where  []Matcher
	failed *regexp.Regexp
}

// Auto is whether a preset takes part when nothing is configured.
type Auto string

// The ranks of a preset when nothing is configured.
const (
	Service  Auto = "always" // the service's own view, preferred
	Fallback Auto = "else"   // a proxy's view, used where no service exports its own
	Never    Auto = "asked"  // only when a rule names it: it measures the caller's side
)

const summary = "summary"

// Unit is how long 1.0 of a metric is.
type Unit time.Duration

// unitName is a unit with its words, as a preset writes it and as people read it.
type unitName struct {
	unit Unit
	word string
}

// units is a function, because presets are read while the package is initialised.
func units() map[string]unitName {
	return map[string]unitName{
		"s": {Unit(time.Second), "seconds"}, "ms": {Unit(time.Millisecond), "milliseconds"},
		"us": {Unit(time.Microsecond), "microseconds"}, "ns": {Unit(time.Nanosecond), "nanoseconds"},
	}
}

// UnmarshalYAML implements yaml.BytesUnmarshaler.
func (u *Unit) UnmarshalYAML(b []byte) error {
	word := strings.Trim(strings.TrimSpace(string(b)), `"'`)
	known, ok := units()[word]
	if !ok {
		return fmt.Errorf("%q is no unit, use s, ms, us or ns: %w", sources.Clean(word, 40), sources.ErrInvalid)
	}
	*u = known.unit
	return nil
}

// Seconds is how many seconds 1.0 is.
func (u Unit) Seconds() float64 { return time.Duration(u).Seconds() }

func (u Unit) String() string {
	for _, known := range units() {
		if known.unit == u {
			return known.word
		}
	}
	return "no unit"
}

// of says what the metric is, for people.
func (p *LatencyPreset) form() string {
	if p.Kind == summary {
		return "a summary in " + p.Unit.String()
	}
	return "a histogram in " + p.Unit.String()
}

// ParseLatencyPresets reads presets as latencies.yaml has them. It is strict: an
// unknown key or a preset that could not be read wraps ErrInvalid and says where.
func ParseLatencyPresets(b []byte) ([]LatencyPreset, error) {
	return parsePresets(b, func(p *LatencyPreset) (string, error) { return p.Name, p.check() })
}

func (p *LatencyPreset) check() (err error) {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), sources.ErrInvalid)
	}
	if p.Name == "" || p.Name == "auto" || sources.Clean(p.Name, 40) != p.Name {
		return bad("it needs a name of at most 40 printable characters that is not auto")
	}
	for _, m := range labelsOf(p.Metric, p.CodeOf) {
		if !isMetric(m) {
			return bad("%q is no metric name", sources.Clean(m, 60))
		}
	}
	for _, l := range slices.Concat(p.Identity, p.Code) {
		if !isLabel(l) {
			return bad("%q is no label name", sources.Clean(l, 40))
		}
	}
	if p.where, err = ParseMatch(p.Where); err != nil {
		return err
	}
	if p.failed, err = regexp.Compile("^(?:" + p.Failed + ")$"); err != nil || len(p.Failed) > 500 {
		return bad("failed is no regular expression: %q", sources.Clean(p.Failed, 60))
	}
	switch {
	case p.Metric == "":
		return bad("it has no metric")
	case p.Unit <= 0:
		return bad("it has no unit: write s, ms, us or ns")
	case len(p.Identity) == 0:
		return bad("it has no label that names the service")
	case p.Kind != "" && p.Kind != "histogram" && p.Kind != summary:
		return bad("kind is histogram or summary")
	case p.Auto != Service && p.Auto != Fallback && p.Auto != Never:
		return bad("when is always, else or asked")
	}
	return nil
}

// exists is under which name Exists tells of the preset's series.
func (p *LatencyPreset) exists(found map[string]bool) (Forms, bool) {
	if p.Kind == summary {
		is := found[Summaries(p.Metric)]
		return Forms{Classic: found[p.Metric+"_count"]}, is
	}
	f := Forms{Classic: found[p.Metric+"_count"], Native: found[p.Metric]}
	return f, f.Classic || f.Native
}

// latencyPresets are those that come with the program; a test holds them to be
// readable.
var latencyPresets = sync.OnceValue(func() []LatencyPreset {
	list, err := ParseLatencyPresets(LatencyData)
	if err != nil {
		panic("latencies.yaml: " + err.Error())
	}
	return list
})

// withLatencies is the program's presets, with more's before them or in their place.
func withLatencies(more []LatencyPreset) []LatencyPreset {
	all := slices.Clone(latencyPresets())
	var first []LatencyPreset
	for _, p := range more {
		if i := slices.IndexFunc(all, func(q LatencyPreset) bool { return q.Name == p.Name }); i >= 0 {
			all[i] = p
			continue
		}
		first = append(first, p)
	}
	return append(first, all...)
}

// LatencyPresets is the names a latency rule may use, sorted, without "auto"; more
// are those of a file of the operator's own.
func LatencyPresets(more []LatencyPreset) []string {
	return names(withLatencies(more), func(p LatencyPreset) string { return p.Name })
}
