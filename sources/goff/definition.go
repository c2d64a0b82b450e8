package goff

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"relctl-tui/sources"
)

// definition is a flag as GO Feature Flag decodes it: the same names and types,
// so that a value which it refuses is refused here.
type definition struct {
	TrackEvents     *bool            `yaml:"trackEvents"`
	Disable         *bool            `yaml:"disable"`
	Version         *string          `yaml:"version"`
	Converter       *string          `yaml:"converter"`
	Variations      *map[string]*any `yaml:"variations"`
	Targeting       *[]rule          `yaml:"targeting"`
	BucketingKey    *string          `yaml:"bucketingKey"`
	DefaultRule     *rule            `yaml:"defaultRule"`
	Scheduled       *[]step          `yaml:"scheduledRollout"`
	Experimentation *window          `yaml:"experimentation"`
	Metadata        *map[string]any  `yaml:"metadata"`
}

type rule struct {
	Name        *string             `yaml:"name"`
	Query       *string             `yaml:"query"`
	Variation   *string             `yaml:"variation"`
	Percentage  *map[string]float64 `yaml:"percentage"`
	Progressive *progressive        `yaml:"progressiveRollout"`
	Disable     *bool               `yaml:"disable"`
}

type progressive struct {
	Initial *bound `yaml:"initial"`
	End     *bound `yaml:"end"`
}

type bound struct {
	Variation  *string    `yaml:"variation"`
	Percentage *float64   `yaml:"percentage"`
	Date       *time.Time `yaml:"date"`
}

type window struct {
	Start *time.Time `yaml:"start"`
	End   *time.Time `yaml:"end"`
}

type step struct {
	definition `yaml:",inline"`
	Date       *time.Time `yaml:"date"`
}

// passed says whether the step has been taken at now.
func (s *step) passed(now time.Time) bool { return s.Date != nil && !s.Date.After(now) }

func (d *definition) steps() []step {
	if d.Scheduled == nil {
		return nil
	}
	return *d.Scheduled
}

func (d *definition) variations() map[string]*any { return of(d.Variations) }
func (d *definition) rules() []rule               { return of(d.Targeting) }

// of is what p points to, or the zero value.
func of[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// invalid says why GO Feature Flag takes the flag out of the file that it loads,
// "" when it does not. Queries are not looked into.
func (d *definition) invalid() string {
	if why := d.badVariations(); why != "" {
		return why
	}
	if d.DefaultRule == nil {
		return "there is no defaultRule"
	}
	if why := d.DefaultRule.invalid(d.variations()); why != "" {
		return "defaultRule: " + why
	}
	names := map[string]bool{}
	for i := range d.rules() {
		r := &d.rules()[i]
		why := ""
		switch {
		case of(r.Disable):
		case r.Query == nil:
			why = "there is no query"
		default:
			why = r.invalid(d.variations())
		}
		if why == "" && r.Name != nil && *r.Name != "" && names[*r.Name] {
			why = "another rule has its name"
		}
		if why != "" {
			return "targeting " + r.called(i) + ": " + why
		}
		names[of(r.Name)] = true
	}
	if d.Scheduled != nil {
		// It copies a flag with a schedule by way of JSON before it evaluates it.
		if _, err := json.Marshal(d); err != nil {
			return "the flag has a schedule and a value that is not for JSON"
		}
	}
	return ""
}

func (d *definition) badVariations() string {
	if len(d.variations()) == 0 {
		return "there are no variations"
	}
	kind := ""
	for _, name := range sorted(d.variations()) {
		v := d.variations()[name]
		if v == nil {
			return "variation " + short(name) + " has no value"
		}
		k := kindOf(*v)
		if kind != "" && k != kind {
			return "the variations are of several types"
		}
		kind = k
	}
	return ""
}

func kindOf(v any) string {
	switch v.(type) {
	case string:
		return "string"
	case float64, int:
		return "number"
	case bool:
		return "boolean"
	case []any:
		return "list"
	case map[string]any:
		return "object"
	default:
		return "other"
	}
}

// called names a rule for a person.
func (r *rule) called(i int) string {
	if name := of(r.Name); name != "" {
		return short(name)
	}
	return fmt.Sprintf("rule %d", i+1)
}

func (r *rule) invalid(variations map[string]*any) string {
	if r.Percentage == nil && r.Progressive == nil && r.Variation == nil {
		return "it names no variation"
	}
	if r.Percentage != nil {
		if why := badPercentage(*r.Percentage, variations); why != "" {
			return why
		}
	}
	if r.Progressive != nil {
		return r.Progressive.invalid(variations)
	}
	if r.Percentage == nil && !has(variations, *r.Variation) {
		return "variation " + short(*r.Variation) + " is none of the variations"
	}
	return ""
}

func badPercentage(p map[string]float64, variations map[string]*any) string {
	sum := 0.0
	for _, name := range sorted(p) {
		sum += p[name]
		if !has(variations, name) {
			return "percentage names " + short(name) + ", which is none of the variations"
		}
	}
	switch {
	case len(p) == 0:
		return "percentage is empty"
	case sum == 0:
		return "the percentages are all 0"
	default:
		return ""
	}
}

func (p *progressive) invalid(variations map[string]*any) string {
	switch {
	case p.Initial == nil || p.End == nil:
		return "progressiveRollout lacks its initial or its end"
	case of(p.End.Percentage) < of(p.Initial.Percentage):
		return "progressiveRollout ends below where it starts"
	}
	for _, b := range []*bound{p.End, p.Initial} {
		if name := of(b.Variation); !has(variations, name) {
			return "progressiveRollout names " + short(name) + ", which is none of the variations"
		}
	}
	return ""
}

func has(variations map[string]*any, name string) bool {
	_, ok := variations[name]
	return ok
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func short(s string) string { return sources.Clean(s, 40) }

func sorted[T any](m map[string]T) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
