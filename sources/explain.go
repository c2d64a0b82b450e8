package sources

import (
	"strconv"
	"strings"
	"time"
)

// Explain is what a flag's change to a percentage means in traffic, in few words: how
// many requests more or less get the variant, what is left of the p99's budget, and how
// the breakers stand. What is not known is called unknown. It is pure.
func (s *Snapshot) Explain(f *Flag, to Percent, now time.Time) string {
	if f.Metric == "" {
		return "what it moves is unknown: no latency is named for it"
	}
	l := s.Latency(f.Metric)
	if l == nil {
		return "traffic unknown: " + f.Metric + " is not measured"
	}
	source := s.Source(l.Source)
	if why := source.old(PartLatencies, now); why != "" {
		return "traffic on " + l.Name + " unknown: " + why
	}
	parts := []string{"traffic on " + l.Name + " unknown"}
	if l.Rate.OK && f.Rollout.OK {
		parts[0] = "about " + signed(l.Rate.V*(to-f.Rollout.V).Float()/100) + " req/s on " + l.Name
	}
	parts = append(parts, budget(l))
	n := len(parts)
	for i := range s.Breakers {
		b := &s.Breakers[i]
		if !Protects(b.Name, l) {
			continue
		}
		word := b.State.String()
		if at := s.Source(b.Source); at.old(PartBreakers, now) != "" {
			word = "unknown"
		}
		parts = append(parts, "breaker "+b.Name+" "+word)
	}
	if len(parts) == n {
		parts = append(parts, "no breaker is known before it")
	}
	return Clean(strings.Join(parts, "; "), maxSentence)
}

// budget is what is left of a latency's SLO.
func budget(l *Latency) string {
	switch {
	case l.SLO <= 0:
		return "no SLO is set"
	case !l.P99.OK || l.P99.Over && l.P99.Seconds < l.SLO.Seconds():
		return "p99 budget unknown"
	}
	left := l.SLO.Seconds() - l.P99.Seconds
	ms := strconv.FormatFloat(max(left, -left)*1000, 'f', 0, 64) + " ms"
	if max(left, -left) >= 1 {
		ms = trimmed(max(left, -left), 1) + " s"
	}
	if left < 0 {
		return "p99 over its budget by " + ms
	}
	return "p99 budget left " + ms
}

// signed is a rate with its sign, to two or three figures.
func signed(v float64) string {
	sign := "+"
	if v < 0 {
		sign, v = "-", -v
	}
	switch {
	case v >= 1000:
		return sign + trimmed(v/1000, 1) + "k"
	case v >= 10 || v == 0:
		return sign + trimmed(v, 0)
	default:
		return sign + trimmed(v, 2)
	}
}
