package goff

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"
)

// base is the layer of what stands in the flag itself; the others are the indexes
// of its scheduled steps.
const base = -1

// weighted is one entry of a percentage, and the layer that it comes from.
type weighted struct {
	value float64
	layer int
}

// effective is a flag after the steps of its schedule that have been taken.
type effective struct {
	disabled   bool
	disabledBy int // layer that decides; meaningless while nothing says disable
	variations map[string]*any
	rules      []string // the targeting rules that apply, by name
	window     window

	variation   *string
	variationBy int
	percentage  map[string]weighted
	progressive *progressive
	progressBy  []int // layers that a progressive rollout is made of
}

// at applies the steps that have been taken as GO Feature Flag does: in the order
// of the list, whatever their dates are. The default rule, the variations and the
// window accumulate, while targeting is merged into the flag's own each time, so
// that of rules with other names only the last step's remain.
func (d *definition) at(now time.Time) effective {
	e := effective{disabled: of(d.Disable), disabledBy: base, variations: d.variations(), window: of(d.Experimentation)}
	rules := d.rules()
	e.merge(d.DefaultRule, base)
	for i := range d.steps() {
		s := &d.steps()[i]
		if !s.passed(now) {
			continue
		}
		rules = mergeRules(d.rules(), s.rules())
		if s.Disable != nil {
			e.disabled, e.disabledBy = *s.Disable, i
		}
		if s.DefaultRule != nil {
			e.merge(s.DefaultRule, i)
		}
		if s.Variations != nil {
			e.variations = maps.Clone(e.variations)
			maps.Copy(e.variations, s.variations())
		}
		if x := s.Experimentation; x != nil {
			e.window.Start = cmp.Or(x.Start, e.window.Start)
			e.window.End = cmp.Or(x.End, e.window.End)
		}
	}
	for i := range rules {
		if !of(rules[i].Disable) {
			e.rules = append(e.rules, rules[i].called(i))
		}
	}
	return e
}

// merge brings a default rule over the one before.
func (e *effective) merge(r *rule, layer int) {
	if r == nil {
		return
	}
	if r.Variation != nil {
		e.variation, e.variationBy = r.Variation, layer
	}
	if p := r.Progressive; p != nil {
		was := e.progressive
		if was == nil {
			was = &progressive{Initial: &bound{}, End: &bound{}}
		}
		e.progressive = &progressive{Initial: was.Initial.over(p.Initial), End: was.End.over(p.End)}
		e.progressBy = append(e.progressBy, layer)
	}
	if r.Percentage == nil {
		return
	}
	merged := maps.Clone(e.percentage)
	if merged == nil {
		merged = map[string]weighted{}
	}
	for name, v := range *r.Percentage {
		if v < 0 && layer != base {
			delete(merged, name)
			continue
		}
		merged[name] = weighted{v, layer}
	}
	e.percentage = merged
}

func (b *bound) over(with *bound) *bound {
	if with == nil {
		return b
	}
	return &bound{
		Variation:  cmp.Or(with.Variation, b.Variation),
		Percentage: cmp.Or(with.Percentage, b.Percentage),
		Date:       cmp.Or(with.Date, b.Date),
	}
}

func mergeRules(own, updates []rule) []rule {
	all := slices.Clone(own)
	for _, u := range updates {
		if u.Name == nil || !slices.ContainsFunc(own, func(r rule) bool { return of(r.Name) == *u.Name }) {
			all = append(all, u)
		}
	}
	return all
}

// outside says why an experiment keeps the flag from being served, "" for not.
func (e *effective) outside(now time.Time) string {
	switch {
	case e.window.Start != nil && now.Before(*e.window.Start):
		return "the experiment starts " + clock(*e.window.Start)
	case e.window.End != nil && now.After(*e.window.End):
		return "the experiment ended " + clock(*e.window.End)
	default:
		return ""
	}
}

// clock is a time for a person.
func clock(t time.Time) string {
	t = t.UTC()
	if t.Second() == 0 {
		return t.Format("2006-01-02 15:04 UTC")
	}
	return t.Format("2006-01-02 15:04:05 UTC")
}

// multiplier is how many buckets GO Feature Flag has for one percent.
const multiplier = 1000

// share is a variation's part of the buckets.
type share struct {
	name  string
	n     uint32
	value float64
	layer int
}

// shares divides the buckets as GO Feature Flag does: by name from the end of the
// alphabet, in floats that are cut to whole buckets. ok is false where that is
// not certain.
func shares(p map[string]weighted) (list []share, whole uint32, ok bool) {
	sum := 0.0
	for _, name := range slices.Backward(sorted(p)) {
		w := p[name]
		if !finite(w.value) || w.value < 0 {
			return nil, 0, false
		}
		from := sum * multiplier
		if len(list) > 0 { // the ends accumulate, not the percentages
			from = list[len(list)-1].value
		}
		to := from + w.value*multiplier
		if to > math.MaxUint32 {
			return nil, 0, false
		}
		list = append(list, share{name, uint32(to) - uint32(from), to, w.layer})
		sum += w.value
	}
	return list, uint32(sum * multiplier), len(list) > 0
}

// reached is the number of the 100,000 buckets that have the end's variation, and
// why that cannot be said. Before the start that is none, whatever the percentage
// of the start; after the end it goes on growing at the same pace up to all.
func (p *progressive) reached(now time.Time) (uint32, string) {
	if why := p.unusable(); why != "" {
		return 0, why
	}
	if now.Before(*p.Initial.Date) {
		return 0, ""
	}
	return uint32(min(p.line(now.Unix()), full)), ""
}

const full = 100 * multiplier

func (p *progressive) unusable() string {
	switch {
	case p.Initial.Date == nil || p.End.Date == nil || p.Initial.Variation == nil || p.End.Variation == nil:
		return "progressiveRollout lacks a date or a variation"
	case !p.End.Date.After(*p.Initial.Date):
		return "progressiveRollout ends before it starts"
	case p.End.Date.Unix() == p.Initial.Date.Unix():
		return "progressiveRollout ends in the second in which it starts"
	case !finite(of(p.Initial.Percentage)) || !finite(p.goal()) || of(p.Initial.Percentage) < 0 || p.goal() < of(p.Initial.Percentage):
		return "progressiveRollout has percentages that make no sense"
	default:
		return ""
	}
}

// goal is the percentage at the end: all, unless something sensible is said.
func (p *progressive) goal() float64 {
	if v := of(p.End.Percentage); v != 0 && v <= 100 {
		return v
	}
	return 100
}

// pace is how many buckets are added in a second.
func (p *progressive) pace() float64 {
	span := p.End.Date.Unix() - p.Initial.Date.Unix()
	return (p.goal()*multiplier - of(p.Initial.Percentage)*multiplier) / float64(span)
}

// line is the number of buckets at a second, unbounded and with its fraction.
func (p *progressive) line(second int64) float64 {
	return float64(second-p.Initial.Date.Unix())*p.pace() + of(p.Initial.Percentage)*multiplier
}

// moves is when the reached percentage is next another one, zero for never.
func (p *progressive) moves(now time.Time) time.Time {
	if p.unusable() != "" || now.Before(*p.Initial.Date) {
		return time.Time{} // the start is an event of its own
	}
	cut := func(second int64) float64 { return math.Floor(min(p.line(second), full)) }
	from, at := p.Initial.Date.Unix(), now.Unix()
	have, pace := cut(at), p.pace()
	if have >= full || pace <= 0 {
		return time.Time{}
	}
	left := (have + 1 - p.line(from)) / pace
	if left > 1<<40 {
		return time.Time{}
	}
	next := max(from+int64(left)-1, at+1)
	for cut(next) == have {
		next++
	}
	return time.Unix(next, 0)
}
