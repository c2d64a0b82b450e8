package metrics

import (
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"

	"relctl-tui/sources"
)

// BreakerData is the breaker presets that come with the program, as their YAML.
//
//go:embed breakers.yaml
var BreakerData []byte

// BreakerPreset says how one library exports circuit breakers. breakers.yaml says
// what each field means.
type BreakerPreset struct {
	Name    string            `yaml:"name"`
	About   string            `yaml:"about"`
	Metric  []string          `yaml:"metric"`
	Names   []string          `yaml:"names"`
	How     How               `yaml:"how"`
	Label   string            `yaml:"label"`
	States  map[string]state  `yaml:"states"`
	Values  map[float64]state `yaml:"values"`
	Members []string          `yaml:"members"`
	Each    map[string]string `yaml:"each"`
	Limit   bool              `yaml:"limit"`
	Where   string            `yaml:"where"`
	Calls   Calls             `yaml:"calls"`
	Refused []string          `yaml:"refused"`
	Percent []string          `yaml:"percent"`
	Window  Calls             `yaml:"window"`
	Took    Took              `yaml:"took"`

	where []Matcher
}

// Calls is a counter of calls whose label tells how each ended.
type Calls struct {
	Metric    []string `yaml:"metric"`
	Label     string   `yaml:"label"`
	Failed    []string `yaml:"failed"`
	Succeeded []string `yaml:"succeeded"`
	Ignored   []string `yaml:"ignored"` // neither success nor failure
	Refused   []string `yaml:"refused"` // not permitted
	Most      []string `yaml:"most"`    // of a window: no calls, but how many of them it holds at most
}

// Took is how long calls took: a histogram, or a summary, whose quantiles cannot be
// put together over instances.
type Took struct {
	Metric  []string `yaml:"metric"`
	Unit    string   `yaml:"unit"` // s or ms: both are in the wild
	Summary bool     `yaml:"summary"`
}

// scale is the unit in seconds; false for what is no unit.
func (t *Took) scale() (float64, bool) {
	switch t.Unit {
	case "s":
		return 1, true
	case "ms":
		return 1e-3, true
	}
	return 0, false
}

func (t *Took) known() bool {
	_, ok := t.scale()
	return ok
}

// How is how a series tells a breaker's state.
type How string

// The ways to tell a state.
const (
	ByLabel   How = "label"
	ByValue   How = "value"
	ByEvents  How = "events"
	ByTime    How = "time"
	ByMembers How = "members"
	ByRejects How = "rejects"
)

// inferred says that the state is worked out and not exported.
func (h How) inferred() bool { return h == ByEvents || h == ByTime || h == ByRejects }

// state is a breaker's state written as a word.
type state sources.BreakerState

// UnmarshalYAML implements yaml.BytesUnmarshaler.
func (s *state) UnmarshalYAML(b []byte) error {
	word := strings.Trim(strings.TrimSpace(string(b)), `"'`)
	known, ok := stateWords[word]
	if !ok {
		return fmt.Errorf("%q is no state, use %s: %w", sources.Clean(word, 40), stateList, sources.ErrInvalid)
	}
	*s = state(known)
	return nil
}

const stateList = "closed, open, half-open, forced-open, forced-closed, disabled or unknown"

// stateWords are the spellings of states that are in the wild.
var stateWords = map[string]sources.BreakerState{
	"closed": sources.BreakerClosed, "open": sources.BreakerOpen,
	"half_open": sources.BreakerHalfOpen, "half-open": sources.BreakerHalfOpen,
	"halfopen": sources.BreakerHalfOpen, "halfOpen": sources.BreakerHalfOpen,
	"forced_open": sources.BreakerForcedOpen, "forced-open": sources.BreakerForcedOpen,
	"forced_closed": sources.BreakerForcedClosed, "forced-closed": sources.BreakerForcedClosed,
	"disabled": sources.BreakerDisabled,
	// It measures and never opens, so nothing is protected.
	"metrics_only": sources.BreakerDisabled,
	"unknown":      sources.BreakerUnknown,
}

// word is the state that a label's value means.
func (p *BreakerPreset) word(text string) (sources.BreakerState, bool) {
	if len(p.States) > 0 {
		s, ok := p.States[text]
		return sources.BreakerState(s), ok
	}
	s, ok := stateWords[text]
	return s, ok
}

// metrics is every series that can tell the state.
func (p *BreakerPreset) metrics() []string {
	return append(slices.Clone(p.Metric), slices.Sorted(maps.Keys(p.Each))...)
}

// alone says that the preset finds its breakers without a rule that names a metric.
func (p *BreakerPreset) alone() bool { return len(p.Metric)+len(p.Each) > 0 }

const (
	maxPresets    = 200
	maxPresetData = 1 << 20
)

// ParseBreakerPresets reads presets as breakers.yaml has them. It is strict: an
// unknown key or a preset that could not be read wraps ErrInvalid and says where.
func ParseBreakerPresets(b []byte) ([]BreakerPreset, error) {
	return parsePresets(b, func(p *BreakerPreset) (string, error) { return p.Name, p.check() })
}

// parsePresets reads a list of presets, each of which check holds to be right and
// names.
func parsePresets[T any](b []byte, check func(*T) (string, error)) ([]T, error) {
	if len(b) > maxPresetData {
		return nil, fmt.Errorf("larger than %d bytes: %w", maxPresetData, sources.ErrInvalid)
	}
	if line, err := sources.Bearable(b); err != nil {
		return nil, fmt.Errorf("line %d: %w, is it the right file: %w", line, err, sources.ErrInvalid)
	}
	list, err := decodePresets[T](b)
	if err != nil {
		var ye yaml.Error
		if errors.As(err, &ye) && ye.GetToken() != nil {
			at := ye.GetToken().Position
			return nil, fmt.Errorf("line %d, column %d: %s: %w", at.Line, at.Column, sources.Clean(ye.GetMessage(), 200), sources.ErrInvalid)
		}
		return nil, fmt.Errorf("%s: %w", sources.Clean(err.Error(), 200), sources.ErrInvalid)
	}
	if len(list) > maxPresets {
		return nil, fmt.Errorf("more than %d presets: %w", maxPresets, sources.ErrInvalid)
	}
	seen := map[string]bool{}
	for i := range list {
		name, err := check(&list[i])
		if err != nil {
			return nil, fmt.Errorf("preset %d (%s): %w", i+1, sources.Clean(name, 40), err)
		}
		if seen[name] {
			return nil, fmt.Errorf("preset %s is there twice: %w", name, sources.ErrInvalid)
		}
		seen[name] = true
	}
	return list, nil
}

// decodePresets keeps a panic of the decoder, which a tag in the wrong place causes,
// from being one of the program.
func decodePresets[T any](b []byte) (list []T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("it cannot be read as a list of presets")
		}
	}()
	err = yaml.UnmarshalWithOptions(b, &list, yaml.Strict())
	return list, err
}

func (p *BreakerPreset) check() (err error) {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), sources.ErrInvalid)
	}
	if p.Name == "" || p.Name == "auto" || sources.Clean(p.Name, 40) != p.Name {
		return bad("it needs a name of at most 40 printable characters that is not auto")
	}
	if i := slices.IndexFunc(slices.Concat(p.metrics(), extras(p), deep(p)), func(m string) bool { return !isMetric(m) }); i >= 0 {
		return bad("%q is no metric name", sources.Clean(slices.Concat(p.metrics(), extras(p), deep(p))[i], 60))
	}
	labels := slices.Concat(p.Names, labelsOf(p.Label, p.Calls.Label, p.Window.Label))
	if i := slices.IndexFunc(labels, func(l string) bool { return !isLabel(l) }); i >= 0 {
		return bad("%q is no label name", sources.Clean(labels[i], 40))
	}
	if p.where, err = ParseMatch(p.Where); err != nil {
		return err
	}
	switch {
	case len(p.Window.Metric) > 0 && p.Window.Label == "":
		return bad("window has a metric and no label")
	case len(p.Took.Metric) > 0 && !p.Took.known():
		return bad("took needs a unit, s or ms")
	}
	if why := p.mismatch(); why != "" {
		return bad("%s", why)
	}
	return nil
}

// mismatch is what of a preset does not fit how it tells the state.
func (p *BreakerPreset) mismatch() string {
	switch {
	case len(p.Calls.Metric) > 0 && p.Calls.Label == "":
		return "calls has a metric and no label"
	case len(p.Each) > 0 && (p.How != ByValue || len(p.Metric) > 0):
		return "each goes with how: value and without metric"
	case p.How == ByValue && len(p.Values) == 0:
		return "how: value needs values"
	case p.How == ByMembers && (len(p.Members) == 0 || len(p.Metric) == 0):
		return "how: members needs metric and members"
	case p.How == ByRejects && (len(p.Calls.Refused) == 0 || len(p.Metric) == 0):
		return "how: rejects needs metric and calls.refused"
	case p.How == ByEvents && len(p.States) == 0:
		return "how: events needs states"
	case p.How == ByValue, p.How == ByMembers:
		return ""
	case p.How == ByLabel, p.How == ByEvents, p.How == ByTime, p.How == ByRejects:
		if p.Label == "" {
			return "how: " + string(p.How) + " needs a label"
		}
		return ""
	}
	return "how is one of label, value, events, time, members and rejects"
}

func labelsOf(all ...string) []string {
	return slices.DeleteFunc(all, func(s string) bool { return s == "" })
}

// breakerPresets are those that come with the program; a test holds them to be
// readable. They, and the other presets, are read when they are first wanted: that takes
// 10 ms, a fifth of the time until a board without metrics has its first frame.
var breakerPresets = sync.OnceValue(func() []BreakerPreset {
	list, err := ParseBreakerPresets(BreakerData)
	if err != nil {
		panic("breakers.yaml: " + err.Error())
	}
	return list
})

// withPresets is the program's presets, with more's added or in their place.
func withPresets(more []BreakerPreset) []BreakerPreset {
	all := slices.Clone(breakerPresets())
	for _, p := range more {
		if i := slices.IndexFunc(all, func(q BreakerPreset) bool { return q.Name == p.Name }); i >= 0 {
			all[i] = p
			continue
		}
		all = append(all, p)
	}
	return all
}

// BreakerPresets is the names a breaker rule may use, sorted, without "auto"; more
// are those of a file of the operator's own.
func BreakerPresets(more []BreakerPreset) []string {
	return names(withPresets(more), func(p BreakerPreset) string { return p.Name })
}
