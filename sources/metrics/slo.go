package metrics

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"relctl-tui/sources"
)

// objective checks what a rule asks to be kept.
func (r *latencyRule) objective() error {
	name := sources.Clean(r.Name, 60)
	switch {
	case r.Objective == 0 && (r.Window != 0 || r.Errors):
		return fmt.Errorf("latency %s: a window and an sli belong to an objective, which is not given: %w", name, sources.ErrInvalid)
	case r.Objective == 0:
		return nil
	case !(r.Objective > 0 && r.Objective < 1):
		return fmt.Errorf("latency %s: the objective is a share above 0 and below 1: %w", name, sources.ErrInvalid)
	case !r.Errors && r.SLO <= 0:
		return fmt.Errorf("latency %s: the objective needs an slo that says how fast is fast enough, or sli: errors: %w", name, sources.ErrInvalid)
	case r.Window != 0 && (r.Window < time.Hour || r.Window > 366*24*time.Hour):
		return fmt.Errorf("latency %s: the objective's window is outside 1h..366d: %w", name, sources.ErrInvalid)
	}
	if r.Window == 0 {
		r.Window = DefaultObjectiveWindow
	}
	return nil
}

// readEach is how old a span's numbers may become before they are read again: a
// fraction of the span, for a long one moves slowly and costs the server much.
func readEach(span time.Duration) time.Duration {
	return min(max(span/20, 15*time.Second), 15*time.Minute)
}

// The most spans that one call of Budgets reads.
const spansAtOnce = 2

// spent remembers what was counted over each span.
type spent struct {
	mu   sync.Mutex
	rows map[string]map[time.Duration]tally // by rule
	read map[time.Duration]time.Time
	note map[string]string // by rule

	boundsMu sync.Mutex
	bounds   map[string][]float64 // of buckets, by preset
}

// tally is the calls per second of one rule over one span; all is NaN where
// nothing was measured.
type tally struct{ bad, all float64 }

// spans is every span that the plan's objectives need.
func (p *Plan) spans() []time.Duration {
	var out []time.Duration
	for i := range p.latency {
		if r := &p.latency[i]; r.Objective > 0 {
			out = append(out, r.Window)
		}
	}
	if len(out) == 0 {
		return nil
	}
	out = append(out, sources.BurnSpans()...)
	slices.Sort(out)
	return slices.Compact(out)
}

// due is the spans to be read now, the most overdue first and a few at most, and
// whether more are waiting. A span that is awaited is read as often as the one that it is
// awaited for: an alarm must not be as late as a calm hour may be.
func (s *spent) due(spans []time.Duration, awaited map[time.Duration]time.Duration, now time.Time) (out []time.Duration, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	late := func(span time.Duration) float64 {
		at, ok := s.read[span]
		if age := now.Sub(at); ok && age >= 0 {
			return float64(age) / float64(readEach(cmp.Or(awaited[span], span)))
		}
		return math.Inf(1)
	}
	for _, span := range spans {
		if late(span) >= 1 {
			out = append(out, span)
		}
	}
	slices.SortStableFunc(out, func(a, b time.Duration) int {
		switch x, y := late(a), late(b); {
		case x > y:
			return -1
		case x < y:
			return 1
		default:
			return 0
		}
	})
	if len(out) > spansAtOnce {
		return out[:spansAtOnce], true
	}
	return out, false
}

// Budgets reads the spans that are due, a few at a time, and is what is known of all
// objectives. Without any it is ErrUnsupported. However many rows there are, a span
// costs two queries for each preset that they are read from.
func (p *Plan) Budgets(ctx context.Context, a Asker, now time.Time) (sources.BudgetSet, error) {
	spans := p.spans()
	if spans == nil {
		return sources.BudgetSet{}, fmt.Errorf("no latency has an objective: %w", sources.ErrUnsupported)
	}
	more, err := p.readDue(ctx, a, spans, now)
	if err != nil {
		return sources.BudgetSet{}, err
	}
	set := sources.BudgetSet{Budgets: map[string]sources.Budget{}, ReadAt: now, More: more}
	for i := range p.latency {
		if r := &p.latency[i]; r.Objective > 0 {
			set.Budgets[sources.Clean(r.Name, sources.MaxName)] = p.spent.budget(r)
		}
	}
	return set, nil
}

// readDue reads the spans that are due, a few of them, and says whether more are.
func (p *Plan) readDue(ctx context.Context, a Asker, spans []time.Duration, now time.Time) (more bool, err error) {
	due, more := p.spent.due(spans, p.awaited(), now)
	if len(due) == 0 {
		return more, nil
	}
	reads, err := p.latencyReads(ctx, a)
	if err != nil {
		return false, err
	}
	reads = slices.DeleteFunc(reads, func(r latencyRead) bool { return !r.exists() || r.preset.Kind == summary })
	learned, err := p.learnBounds(ctx, a, reads)
	if err != nil {
		return false, err
	}
	if learned && len(due) > 1 { // that was this call's share of questions
		due, more = due[:1], true
	}
	for _, span := range due {
		if err := p.count(ctx, a, reads, span, now); err != nil {
			return false, err
		}
	}
	if !more { // what was read just now may be what another span is awaited for
		next, _ := p.spent.due(spans, p.awaited(), now)
		more = len(next) > 0
	}
	return more, nil
}

// awaited is the long spans that keep an alarm of any objective off, by the short one.
func (p *Plan) awaited() map[time.Duration]time.Duration {
	out := map[time.Duration]time.Duration{}
	for i := range p.latency {
		if r := &p.latency[i]; r.Objective > 0 {
			b := p.spent.budget(r)
			maps.Copy(out, b.Awaited())
		}
	}
	return out
}

// learnBounds asks which buckets there are, of presets of which that is not known,
// and says whether it had to ask.
func (p *Plan) learnBounds(ctx context.Context, a Asker, reads []latencyRead) (bool, error) {
	var ask []Query
	var of []*latencyRead
	for i := range reads {
		if r := &reads[i]; r.forms.Classic && p.bounds(r.preset) == nil {
			ask, of = append(ask, r.queries()[0]), append(of, r)
		}
	}
	if len(ask) == 0 {
		return false, nil
	}
	answers, err := a.Ask(ctx, ask)
	if err != nil {
		return false, err
	}
	for i, r := range of {
		p.keepBounds(r.preset, answers[i].Hists)
	}
	return true, nil
}

// bounds is the finite bounds of a preset's buckets, ascending; nil when not known.
func (p *Plan) bounds(preset *LatencyPreset) []float64 {
	p.spent.boundsMu.Lock()
	defer p.spent.boundsMu.Unlock()
	return p.spent.bounds[preset.Name]
}

func (p *Plan) keepBounds(preset *LatencyPreset, hists []Hist) {
	var all []float64
	for i := range hists {
		for _, b := range hists[i].Classic {
			if !math.IsInf(b.Upper, 0) {
				all = append(all, b.Upper)
			}
		}
	}
	slices.Sort(all)
	p.spent.boundsMu.Lock()
	defer p.spent.boundsMu.Unlock()
	if p.spent.bounds == nil {
		p.spent.bounds = map[string][]float64{}
	}
	p.spent.bounds[preset.Name] = slices.Compact(all)
}

// bound is the highest bucket bound that is no higher than a rule's SLO, in the
// preset's unit; false where even the lowest is higher.
func (p *Plan) bound(r *latencyRule, preset *LatencyPreset) (float64, bool) {
	slo := r.SLO.Seconds() / preset.Unit.Seconds()
	best, ok := 0.0, false
	for _, b := range p.bounds(preset) {
		if b <= slo*(1+1e-9) {
			best, ok = b, true
		}
	}
	return best, ok
}

// count reads one span for every rule that has an objective.
func (p *Plan) count(ctx context.Context, a Asker, reads []latencyRead, span time.Duration, now time.Time) error {
	var ask []Query
	for i := range reads {
		q := reads[i].queries()
		q[0].Bounds = p.wanted(&reads[i])
		for _, one := range q {
			one.Over = span
			ask = append(ask, one)
		}
	}
	if len(ask) == 0 {
		return nil
	}
	answers, err := a.Ask(ctx, ask)
	if err != nil {
		return err
	}
	for i := range reads {
		reads[i].take(answers[2*i], answers[2*i+1])
	}
	p.spent.mu.Lock()
	defer p.spent.mu.Unlock()
	if p.spent.rows == nil {
		p.spent.rows, p.spent.read, p.spent.note = map[string]map[time.Duration]tally{}, map[time.Duration]time.Time{}, map[string]string{}
	}
	for i := range p.latency {
		if r := &p.latency[i]; r.Objective > 0 {
			if p.spent.rows[r.Name] == nil {
				p.spent.rows[r.Name] = map[time.Duration]tally{}
			}
			p.spent.rows[r.Name][span], p.spent.note[r.Name] = p.countRule(r, reads)
		}
	}
	p.spent.read[span] = now
	return nil
}

// wanted is the bounds that the rules which a preset may measure are counted at.
func (p *Plan) wanted(read *latencyRead) []float64 {
	out := []float64{}
	for i := range p.latency {
		r := &p.latency[i]
		if r.Objective == 0 || r.Errors || r.preset != read.preset && (r.preset != nil || read.preset.Auto == Never) {
			continue
		}
		if b, ok := p.bound(r, read.preset); ok {
			out = append(out, b)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// countRule counts one rule's calls, by the first preset that measures it.
func (p *Plan) countRule(r *latencyRule, reads []latencyRead) (tally, string) {
	none := tally{bad: math.NaN(), all: math.NaN()}
	for i := range reads {
		read := &reads[i]
		if r.preset != read.preset && (r.preset != nil || read.preset.Auto == Never) {
			continue
		}
		got := pick(read, func(l Labels) bool { return MatchAll(r.match, l) })
		if got.empty() {
			continue
		}
		all, ratio := outcome(read.preset, got.codes)
		if !all.OK {
			return none, ""
		}
		if r.Errors {
			if !ratio.OK {
				return none, "nothing says which calls fail"
			}
			return tally{bad: all.V * ratio.V, all: all.V}, ""
		}
		return p.slow(r, read, &got, all.V)
	}
	return none, ""
}

// slow counts the calls that took longer than a rule's SLO.
func (p *Plan) slow(r *latencyRule, read *latencyRead, got *portion, all float64) (tally, string) {
	h := merge(got.hists)
	if len(h.Native) > 0 {
		good := within(h.Native, r.SLO.Seconds()/read.preset.Unit.Seconds(), p.interp)
		return tally{bad: max(0, h.Total()-good), all: h.Total()}, ""
	}
	b, ok := p.bound(r, read.preset)
	if !ok {
		return tally{bad: math.NaN(), all: math.NaN()}, "no bucket ends at or below the SLO, so nothing can be counted"
	}
	note := ""
	if at := time.Duration(b * float64(read.preset.Unit)); at < r.SLO-time.Microsecond {
		note = "counted as slow above " + at.Round(time.Microsecond).String() + ", where a bucket ends"
	}
	for _, bucket := range h.Classic {
		if bucket.Upper == b {
			return tally{bad: max(0, all-bucket.Count), all: all}, note
		}
	}
	return tally{bad: math.NaN(), all: math.NaN()}, note
}

// within is how much of a native histogram lies at or below a value.
func within(spans []Span, limit float64, in Interpolation) float64 {
	good := 0.0
	for _, s := range spans {
		switch {
		case s.Count <= 0:
		case s.Upper <= limit:
			good += s.Count
		case s.Lower < limit:
			lower := max(s.Lower, 0)
			if in == Exponential && lower > 0 {
				good += s.Count * (math.Log2(limit) - math.Log2(lower)) / (math.Log2(s.Upper) - math.Log2(lower))
			} else {
				good += s.Count * (limit - lower) / (s.Upper - lower)
			}
		}
	}
	return good
}

// budget is what is known of one rule's.
func (s *spent) budget(r *latencyRule) sources.Budget {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := sources.Budget{Objective: r.Objective, Window: r.Window, Note: s.note[r.Name]}
	rate := func(span time.Duration) sources.Value {
		c, ok := s.rows[r.Name][span]
		if !ok || !(c.all > 0) || math.IsInf(c.all, 0) {
			return sources.Value{}
		}
		return sources.Measured(c.bad / c.all / (1 - r.Objective))
	}
	if v := rate(r.Window); v.OK {
		b.Left = sources.Some(1 - v.V)
	}
	for _, span := range sources.BurnSpans() {
		if v := rate(span); v.OK {
			b.Burns = append(b.Burns, sources.Burn{Over: span, Rate: v.V})
		}
	}
	return b
}
