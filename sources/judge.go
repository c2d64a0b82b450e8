package sources

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Judge is what the guard says of a flag on what its query was measured to be. An
// err is why it could not be measured.
func (g *Guard) Judge(f *Flag, s GuardSample, err error) GuardResult {
	r := GuardResult{Name: g.Name, Value: s.Value, Count: s.Count, At: s.At}
	say := func(v GuardVerdict, format string, args ...any) GuardResult {
		r.Verdict = v
		r.Text = Clean(g.Name+" "+fmt.Sprintf(format, args...)+g.counted(&r), maxSentence)
		return r
	}
	few := s.Count.OK && (s.Count.V < g.MinCount || s.Count.V <= 0)
	switch {
	case err != nil:
		return say(GuardUnknown, "is unknown: %s", Sentence(err))
	case few:
		return say(GuardInsufficient, "has too few samples to judge (%s wanted)", number(max(g.MinCount, 1)))
	case !s.Count.OK && g.MinCount > 0:
		return say(GuardUnknown, "is unknown: its samples were not counted")
	case !s.Value.OK:
		return say(GuardUnknown, "is unknown: there is no data")
	}
	limit, of := g.Limit, ""
	switch g.Against {
	case AgainstBaseline:
		of = " the other cohort allows"
		if s.BaseCount.OK && s.BaseCount.V < g.MinCount {
			return say(GuardInsufficient, "has too few samples of %s to compare with", cmp.Or(g.Baseline, "the other cohort"))
		}
	case AgainstBefore:
		of = " before the ramp allows"
		if f.Rollout.Or(0) == 0 && !s.Base.OK {
			return say(GuardInsufficient, "has nothing to compare with before the ramp begins")
		}
	}
	if g.Against != AgainstLimit {
		if !s.Base.OK {
			return say(GuardUnknown, "is unknown: there is nothing to compare with")
		}
		limit = s.Base.V*g.Limit + g.Slack
	}
	r.Limit = Some(limit)
	if s.Value.V > limit {
		return say(GuardBreach, "%s, more than the %s%s", g.unit(s.Value.V), g.unit(limit), of)
	}
	return say(GuardPass, "%s, within the %s%s", g.unit(s.Value.V), g.unit(limit), of)
}

func (g *Guard) counted(r *GuardResult) string {
	if !r.Count.OK {
		return ""
	}
	return " (n " + number(r.Count.V) + ")"
}

// unit is a value of the guard for people.
func (g *Guard) unit(v float64) string {
	switch g.Preset {
	case GuardErrors:
		return trimmed(v*100, 2) + "%"
	case GuardP99:
		if v < 1 {
			return trimmed(v*1000, 0) + " ms"
		}
		return trimmed(v, 2) + " s"
	default:
		return number(v)
	}
}

func trimmed(v float64, digits int) string {
	s := strconv.FormatFloat(v, 'f', digits, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// burnSpan is over what a guard looks at a budget where it does not say.
const burnSpan = 5 * time.Minute

// number is a value without a unit, to three figures, or whole.
func number(v float64) string {
	if math.Abs(v) >= 100 || v == math.Trunc(v) {
		return trimmed(v, 0)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// Preset is what a guard with a preset says of a flag on a snapshot. before is the
// value before the ramp, absent where nothing remembers it. It is pure.
func (s *Snapshot) Preset(g *Guard, f *Flag, before Value, now time.Time) GuardResult {
	of := cmp.Or(g.Of, f.Metric)
	if g.Preset == GuardBreaker {
		return s.breakerGuard(g, of, now)
	}
	l := s.Latency(of)
	switch {
	case of == "":
		return g.Judge(f, GuardSample{}, fmt.Errorf("no latency is named for %s", f.Name))
	case l == nil:
		return g.Judge(f, GuardSample{}, fmt.Errorf("%s is not measured", of))
	}
	source := s.Source(l.Source)
	if why := source.old(PartLatencies, now); why != "" {
		return g.Judge(f, GuardSample{}, fmt.Errorf("%s", why))
	}
	sample := GuardSample{Base: before, At: source.Part(PartLatencies).LastOK}
	if l.Rate.OK {
		sample.Count = Some(l.Rate.V * g.window().Seconds())
	}
	switch {
	case g.Preset == GuardErrors:
		sample.Value = l.ErrorRatio
	case g.Preset == GuardBurn:
		if l.Budget.Objective <= 0 {
			return g.Judge(f, GuardSample{At: sample.At}, fmt.Errorf("no objective is set for %s", of))
		}
		if why := source.old(PartBudgets, now); why != "" {
			return g.Judge(f, GuardSample{}, fmt.Errorf("%s", why))
		}
		sample.Value = l.Budget.Burn(cmp.Or(g.Window, burnSpan))
	case l.P99.Over && g.Against == AgainstLimit && l.P99.Seconds < g.Limit:
		return g.Judge(f, GuardSample{At: sample.At}, fmt.Errorf("p99 is above the last bucket, %s", g.unit(l.P99.Seconds)))
	case l.P99.OK:
		sample.Value = Some(l.P99.Seconds)
		if l.P99.Over { // at least that
			sample.Value.V = math.Nextafter(l.P99.Seconds, math.Inf(1))
		}
	}
	return g.Judge(f, sample, nil)
}

// breakerGuard holds when no breaker of that name, or before what that latency
// measures, is open. Its value is how many are.
func (s *Snapshot) breakerGuard(g *Guard, of string, now time.Time) GuardResult {
	r := GuardResult{Name: g.Name, Limit: Some(0.0)}
	l := s.Latency(of)
	var open, unknown, all []string
	for i := range s.Breakers {
		b := &s.Breakers[i]
		if b.Name != of && (l == nil || !Protects(b.Name, l)) {
			continue
		}
		source := s.Source(b.Source)
		all = append(all, b.Name)
		if at := source.Part(PartBreakers).LastOK; r.At.IsZero() || at.Before(r.At) {
			r.At = at
		}
		switch why := source.old(PartBreakers, now); {
		case why != "":
			unknown = append(unknown, b.Name+" ("+why+")")
		case b.State == BreakerOpen || b.State == BreakerForcedOpen || b.State == BreakerHalfOpen || b.OpenInstances > 0:
			word := b.State.String()
			if b.OpenInstances > 0 && b.State == BreakerClosed {
				word = strconv.Itoa(b.OpenInstances) + " open"
			}
			open = append(open, b.Name+" is "+word)
		case b.State == BreakerUnknown:
			unknown = append(unknown, b.Name+" (its state is not known)")
		}
	}
	r.Count = Some(float64(len(all)))
	switch {
	case of == "":
		r.Text = g.Name + " is unknown: no breaker or latency is named"
	case len(all) == 0:
		r.Count = Value{}
		r.Text = g.Name + " is unknown: no breaker belongs to " + of
	case len(open) > 0:
		r.Verdict, r.Value, r.Text = GuardBreach, Some(float64(len(open))), g.Name+": "+strings.Join(open, ", ")
	case len(unknown) > 0:
		r.Text = g.Name + " is unknown: " + strings.Join(unknown, ", ")
	default:
		r.Verdict, r.Value, r.Text = GuardPass, Some(0.0), g.Name+": "+strings.Join(all, ", ")+" closed"
	}
	r.Text = Clean(r.Text, maxSentence)
	return r
}

// Protects tells whether a breaker protects what a latency measures, by name: the
// same name, a longer one ("payment-api-client"), or that of a call, with the
// caller's first word in it where it says more than the call ("payment database").
func Protects(breaker string, l *Latency) bool {
	b, own := plain(breaker), plain(l.Name)
	if b == "" || own == "" {
		return false
	}
	if strings.Contains(b, own) || strings.Contains(own, b) {
		return true
	}
	first, _, _ := strings.Cut(strings.NewReplacer("-", " ", "_", " ", ".", " ").Replace(l.Name), " ")
	for _, name := range l.Calls {
		call := plain(name)
		if call != "" && (b == call || (strings.Contains(b, call) && strings.Contains(b, plain(first)))) {
			return true
		}
	}
	return false
}

// plain is a name without what naming habits differ in.
func plain(s string) string {
	return strings.NewReplacer(" ", "", "-", "", "_", "", ".", "").Replace(strings.ToLower(s))
}
