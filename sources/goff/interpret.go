package goff

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"relctl-tui/sources"
)

// form is how a flag's default rule says who gets what.
type form int

const (
	formNone        form = iota // broken, or not one percentage
	formVariation               // everybody gets one variation
	formPercentage              // a percentage for each of two variations, or for one
	formProgressive             // from one variation to another as time goes by
)

// reading is a flag understood, as it is at one moment.
type reading struct {
	eff     effective
	form    form
	broken  bool
	refused bool // GO Feature Flag refuses the whole file over it
	note    string
	fixed   string // why the percentage can be read but not set, "" when it can
	outside string // why an experiment keeps the flag from being served

	on, off string // names of variations; off is "" where there is none
	n       uint32 // buckets of on, of whole
	whole   uint32
}

// refusal ends the note of a flag that the rest of the file suffers from.
const refusal = "; GO Feature Flag refuses the whole file"

func (e *entry) read(now time.Time) reading {
	if e.same > 0 {
		return reading{broken: true, refused: true, note: fmt.Sprintf("this key stands in the file %d times", e.same+1) + refusal}
	}
	if e.wrong != "" {
		r := reading{broken: true, refused: true, note: e.wrong + refusal}
		r.eff.disabled = of(e.def.Disable)
		return r
	}
	r := reading{eff: effective{disabled: of(e.def.Disable), disabledBy: base}}
	if e.invalid != "" {
		r.broken, r.note = true, e.invalid+", so GO Feature Flag leaves the flag out"
		return r
	}
	r.eff = e.def.at(now)
	r.outside = r.eff.outside(now)
	r.rule(now)
	if r.form != formNone {
		r.fixed = e.unsettable(&r)
	}
	return r
}

func (r *reading) custom(note string) { r.form, r.note = formNone, note }
func (r *reading) fail(note string)   { r.broken, r.form, r.note = true, formNone, note }

// rule understands what everybody gets whom no targeting rule takes.
func (r *reading) rule(now time.Time) {
	switch e := &r.eff; {
	case len(e.rules) > 0:
		r.custom(targeting(e.rules))
	case e.progressive != nil:
		r.progress(now)
	case len(e.percentage) > 0:
		r.split()
	case e.variation != nil:
		r.single(*e.variation)
	default:
		r.fail("no step of the schedule leaves a variation to serve")
	}
}

func targeting(names []string) string {
	const most = 3
	shown := strings.Join(names[:min(len(names), most)], ", ")
	if more := len(names) - most; more > 0 {
		shown += fmt.Sprintf(" and %d more", more)
	}
	return "targeting: " + sources.Clean(shown, 150)
}

// single is a flag of which everybody gets one variation.
func (r *reading) single(name string) {
	if !has(r.eff.variations, name) {
		r.fail("the schedule leads to variation " + short(name) + ", which is none of the variations")
		return
	}
	names := sorted(r.eff.variations)
	var ok bool
	if r.on, r.off, ok = r.pick(names); !ok {
		r.custom("everybody gets " + short(name) + " of " + fmt.Sprint(len(names)) + " variations")
		return
	}
	r.form, r.whole = formVariation, full
	if name == r.on {
		r.n = full
	}
}

// pick says which of two variations a percentage counts: the one that is true,
// and of two that are no booleans the one whose name comes last in the alphabet,
// as in control and treatment, A and B, v1 and v2. That is also the one to which GO
// Feature Flag gives the first buckets.
func (r *reading) pick(names []string) (on, off string, ok bool) {
	if len(names) != 2 {
		return "", "", false
	}
	if r.is(names[0], true) && r.is(names[1], false) {
		return names[0], names[1], true
	}
	return names[1], names[0], true
}

func (r *reading) is(name string, want bool) bool {
	v := r.eff.variations[name]
	if v == nil {
		return false
	}
	got, ok := (*v).(bool)
	return ok && got == want
}

// split is a flag with percentages.
func (r *reading) split() {
	list, whole, ok := shares(r.eff.percentage)
	switch {
	case !ok:
		r.fail("the percentages make no sense")
		return
	case whole == 0:
		r.fail("the percentages are too small to reach anybody")
		return
	case len(list) > 2:
		r.custom(fmt.Sprintf("%d-way split", len(list)))
		return
	}
	for _, s := range list {
		if !has(r.eff.variations, s.name) {
			r.fail("the schedule leads to variation " + short(s.name) + ", which is none of the variations")
			return
		}
	}
	names := sorted(r.eff.percentage)
	if len(names) == 1 {
		names = sorted(r.eff.variations)
	}
	if r.on, r.off, ok = r.pick(names); !ok {
		r.custom("everybody gets " + short(list[0].name) + " of " + fmt.Sprint(len(names)) + " variations")
		return
	}
	r.form, r.whole = formPercentage, whole
	if i := slices.IndexFunc(list, func(s share) bool { return s.name == r.on }); i >= 0 {
		r.n = min(list[i].n, whole)
	}
	if off := math.Abs(float64(whole) - full); off > 1 {
		r.note = fmt.Sprintf("the percentages sum to %s, not 100, and count as shares of that", number(float64(whole)/multiplier))
	}
}

// progress is a flag with a progressive rollout.
func (r *reading) progress(now time.Time) {
	p := r.eff.progressive
	n, why := p.reached(now)
	if why != "" {
		r.fail(why)
		return
	}
	from, to := *p.Initial.Variation, *p.End.Variation
	if !has(r.eff.variations, from) || !has(r.eff.variations, to) {
		r.fail("the schedule leads a progressive rollout to a variation that is none of the variations")
		return
	}
	if from == to {
		r.custom("progressive rollout from " + short(to) + " to itself")
		return
	}
	r.form, r.whole, r.n, r.on, r.off = formProgressive, full, n, to, from
	if r.is(from, true) && r.is(to, false) {
		r.on, r.off, r.n = from, to, full-n
	}
	r.note = p.told(now, r.on == to)
}

// told says where a progressive rollout stands.
func (p *progressive) told(now time.Time, up bool) string {
	goal := p.goal()
	if !up {
		goal = 100 - goal
	}
	what := "progressive rollout to " + number(goal) + "%"
	switch {
	case now.Before(*p.Initial.Date):
		return what + " starts " + clock(*p.Initial.Date) + " and ends " + clock(*p.End.Date)
	case now.Before(*p.End.Date):
		return what + " ends " + clock(*p.End.Date)
	case p.goal() < 100:
		// Found in its evaluator, against what its documentation says.
		return what + " ended " + clock(*p.End.Date) + ", but GO Feature Flag goes on at the same pace"
	default:
		return what + " ended " + clock(*p.End.Date)
	}
}

// number is a float without trailing zeros, to a thousandth.
func number(v float64) string {
	s := strings.TrimRight(fmt.Sprintf("%.3f", v), "0")
	return strings.TrimSuffix(s, ".")
}

// unsettable says why the percentage of a flag that is one cannot be set.
func (e *entry) unsettable(r *reading) string {
	switch {
	case e.fixed != "":
		return e.fixed
	case e.shared != "":
		return e.shared
	case !e.certain:
		return "its place in the file is not certain"
	case r.outside != "":
		return r.outside
	case r.form == formProgressive && len(r.eff.progressBy) != 1:
		return "the progressive rollout is put together by several steps of the schedule"
	case r.form == formProgressive && len(r.eff.percentage) > 0:
		return "it has a percentage besides the progressive rollout, which wins"
	case r.is(r.on, true) && r.is(r.off, true), r.is(r.on, false) && r.is(r.off, false):
		return "both variations have the same value"
	case r.off == "":
		return "there is no second variation"
	default:
		return ""
	}
}

// flag is the domain's view of an entry at a moment. Strings are cleaned.
func (e *entry) flag(source string, now time.Time) sources.Flag {
	f := e.bare(source, now)
	f.Upcoming = e.upcoming(source, now, &f)
	return f
}

// bare is a flag without what is to come.
func (e *entry) bare(source string, now time.Time) sources.Flag {
	r := e.read(now)
	f := sources.Flag{
		ID:       sources.FlagID{Source: source, Key: e.key},
		Name:     sources.Clean(e.key, sources.MaxName),
		Killed:   r.eff.disabled,
		Variant:  sources.Clean(r.on, sources.MaxName),
		Custom:   r.form == formNone || r.fixed != "",
		Revision: e.revision,
	}
	note := r.note
	if r.fixed != "" && r.fixed != r.outside {
		note = sources.JoinClauses(note, "the percentage cannot be set: "+r.fixed)
	}
	if r.form != formNone {
		f.Stored = sources.Some(r.percent())
	}
	switch {
	case r.eff.disabled && !r.refused:
		f.State, f.Rollout = sources.FlagOff, sources.Some(sources.Percent(0))
	case r.outside != "" && !r.broken:
		f.State, f.Rollout = sources.FlagOff, sources.Some(sources.Percent(0))
		f.Custom = true
	case r.form != formNone:
		f.State, f.Rollout = sources.FlagOn, f.Stored
		if r.n == 0 {
			f.State = sources.FlagOff
		}
	case !r.broken:
		f.State = sources.FlagCustom
	}
	switch {
	case r.outside != "" && r.eff.disabled:
		note = sources.JoinClauses(r.outside, note)
	case r.outside != "":
		note = sources.JoinClauses(r.outside+", so everybody gets the default in code", note)
	}
	f.Note = sources.Clean(note, 300)
	e.metadata(&f)
	return f
}

func (r *reading) percent() sources.Percent {
	p, _ := sources.PercentOf(int64(r.n), int64(r.whole))
	return p
}

// metadata fills what the file says about the flag for people.
func (e *entry) metadata(f *sources.Flag) {
	for key, v := range of(e.def.Metadata) {
		s, isText := v.(string)
		switch key {
		case "description":
			f.Description = sources.Clean(s, 500)
		case "owner":
			f.Owner = sources.Clean(s, sources.MaxName)
		case "relctl.tags":
			f.Tags = sources.ParseTags(s)
		case "relctl.latency":
			f.Metric = sources.Clean(s, sources.MaxName)
		case "relctl.ladder":
			ladder, err := sources.ParseLadder(s)
			if !isText || err != nil {
				f.Note = sources.JoinClauses(f.Note, "relctl.ladder "+short(fmt.Sprint(v))+" is no ladder and is ignored")
				continue
			}
			f.Ladder = ladder
		}
	}
}
