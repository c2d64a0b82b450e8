package prometheus

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"relctl-tui/sources"
)

var _ sources.GuardReader = (*Source)(nil)

const (
	guardLabel  = "relctl_part" // tells the parts of one answer apart
	maxGuard    = 100           // series in one answer
	maxQuery    = 4000          // characters of one query
	valuePart   = "value"
	countPart   = "count"
	beforePart  = "before"
	beforeWidth = "[1s:1s]" // a subquery that is evaluated once, at its end
)

// Measure asks for a guard's value, its samples and its past in one query. Parts are
// told apart by a label that is put on them, which is why each has to be an instant
// vector.
func (s *Source) Measure(ctx context.Context, m sources.Measurement) (sources.GuardSample, error) {
	query := guardQuery(&m)
	if len(query) > maxQuery {
		return sources.GuardSample{}, fmt.Errorf("%s: a guard's query of more than %d characters: %w", s.who, maxQuery, sources.ErrInvalid)
	}
	at := s.opts.Now()
	vec, err := (&call{s: s}).vector(ctx, query)
	if err != nil {
		return sources.GuardSample{}, err
	}
	if len(vec) > maxGuard {
		return sources.GuardSample{}, fmt.Errorf("%s answered %d series to a guard, at most %d make sense, sum them up: %w", s.who, len(vec), maxGuard, sources.ErrInvalid)
	}
	out := sources.GuardSample{At: at}
	out.Value, err = pick(vec, valuePart, m.Label, m.Variant)
	if err != nil {
		return out, fmt.Errorf("%s: %w", s.who, err)
	}
	if m.Count != "" {
		if out.Count, err = pick(vec, countPart, m.Label, m.Variant); err != nil {
			return out, fmt.Errorf("%s: the count: %w", s.who, err)
		}
	}
	switch {
	case m.Label != "":
		if out.Base, err = pick(vec, valuePart, m.Label, m.Baseline); err == nil && m.Count != "" {
			out.BaseCount, err = pick(vec, countPart, m.Label, m.Baseline)
		}
	case !m.Before.IsZero():
		out.Base, err = pick(vec, beforePart, "", "")
	}
	if err != nil {
		return out, fmt.Errorf("%s: what it is compared with: %w", s.who, err)
	}
	return out, nil
}

// guardQuery is all that a guard asks, in one query.
func guardQuery(m *sources.Measurement) string {
	part := func(name, query string) string {
		return fmt.Sprintf("label_replace((%s\n), %q, %q, \"\", \"\")", query, guardLabel, name)
	}
	parts := []string{part(valuePart, m.Value)}
	if m.Count != "" {
		parts = append(parts, part(countPart, m.Count))
	}
	if m.Label == "" && !m.Before.IsZero() {
		parts = append(parts, part(beforePart, fmt.Sprintf("last_over_time((%s\n)%s @ %d)", m.Value, beforeWidth, m.Before.Truncate(time.Second).Unix())))
	}
	return strings.Join(parts, " or ")
}

// pick is the one sample of a part, of the cohort where one is named. None, and what
// is no number, is absent; several are ErrInvalid, for then the query does not say
// which one is meant.
func pick(vec model.Vector, part, label, cohort string) (sources.Value, error) {
	var out sources.Value
	n := 0
	for _, s := range vec {
		if string(s.Metric[guardLabel]) != part || s.Histogram != nil {
			continue
		}
		if label != "" && string(s.Metric[model.LabelName(label)]) != cohort {
			continue
		}
		n++
		if v := float64(s.Value); !math.IsNaN(v) {
			out = sources.Some(v)
		}
	}
	if n > 1 {
		return sources.Value{}, fmt.Errorf("the query gives %d series where one is wanted, sum them up: %w", n, sources.ErrInvalid)
	}
	return out, nil
}
