package scrape

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"relctl-tui/sources"
)

var _ sources.SeriesReader = (*Source)(nil)

// What is remembered for charts: an hour at a scrape each five seconds, of so many
// latencies, and of so many flags and variants together; 14 MB at most.
const (
	pastPoints = 720
	pastNames  = 300
)

// moment is what one scrape gave, of a latency all five numbers, of a variant its share.
// A number that was not there is NaN, a quantile above the last bucket is negative.
type moment struct {
	at                                 int64 // nanoseconds since 1970
	p50, p95, p99, rate, errors, share float32
}

// past is what earlier scrapes gave, by latency or by flag and variant, oldest first. The
// caller of its methods holds Source.mu.
type past map[string][]moment

func (p past) add(name string, m moment) {
	list, known := p[name]
	if !known && len(p) >= pastNames {
		return
	}
	switch n := len(list); {
	case n > 0 && m.at == list[n-1].at:
		return // the same scrape again
	case n > 0 && m.at < list[n-1].at:
		list = nil // the clock went back
	case n >= pastPoints:
		list = slices.Delete(list, 0, 1)
	}
	p[name] = append(list, m)
}

func (s *Source) rememberLatencies(at time.Time, rows []sources.Latency) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range rows {
		r := &rows[i]
		s.latencies.add(r.Name, moment{
			at: at.UnixNano(), p50: packed(r.P50), p95: packed(r.P95), p99: packed(r.P99), rate: float32(r.Rate.Or(math.NaN())),
			errors: float32(r.ErrorRatio.Or(math.NaN())),
		})
	}
}

func (s *Source) rememberExposures(at time.Time, by map[string]map[string]float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for flag, shares := range by {
		s.shares.add(flag, moment{at: at.UnixNano()}) // it was evaluated: a variant that is not there had none of it
		for variant, share := range shares {
			s.shares.add(shareOf(flag, variant), moment{at: at.UnixNano(), share: float32(share)})
		}
	}
}

// Series implements sources.SeriesReader over what was scraped since this source was
// made: nobody else remembers. Where scrapes are further apart than the points that are
// asked for, points are as far apart as two scrapes, so that none of them is taken for a
// gap.
func (s *Source) Series(ctx context.Context, q sources.SeriesQuery) (sources.Series, error) {
	if err := q.Check(); err != nil {
		return sources.Series{}, fmt.Errorf("%s: %w", s.name, err)
	}
	f, err := s.refresh(ctx)
	if err != nil {
		return sources.Series{}, err
	}
	now := f.at.Round(0)
	s.mu.Lock()
	list := slices.Clone(s.latencies[q.Latency])
	if q.Flag != "" {
		list = s.sharesOf(q.Flag, q.Variant)
	}
	s.mu.Unlock()
	if len(list) == 0 {
		return sources.Series{}, fmt.Errorf("%s has seen nothing of it yet: %w", s.name, sources.ErrNotFound)
	}
	step := max(q.Step(), 2*apart(list).Round(time.Second))
	n := max(2, min(q.Points, int(q.Span/step)+1))
	out := sources.Series{
		Source: s.name, Step: step, From: now.Add(-time.Duration(n-1) * step), Over: s.plan.Window(),
		ReadAt: now, Since: time.Unix(0, list[0].at),
	}
	if q.Flag != "" {
		out.Share = make([]sources.Value, n)
	} else {
		out.P50, out.P95 = make([]sources.Quantile, n), make([]sources.Quantile, n)
		out.P99, out.Rate, out.Errors = make([]sources.Quantile, n), make([]sources.Value, n), make([]sources.Value, n)
	}
	for _, m := range list {
		// A point stands for the step that ends with it: for the worst in it, so that
		// nothing that was slow falls between two points, and the last of what has no worst.
		i := int(math.Ceil(float64(m.at-out.From.UnixNano()) / float64(step)))
		if i < 0 || i >= n {
			continue
		}
		if q.Flag != "" {
			out.Share[i] = sources.Some(float64(m.share))
			continue
		}
		out.P50[i], out.P95[i], out.P99[i] = slower(out.P50[i], m.p50), slower(out.P95[i], m.p95), slower(out.P99[i], m.p99)
		if e := sources.Measured(float64(m.errors)); e.OK && e.V >= out.Errors[i].Or(0) {
			out.Errors[i] = e
		}
		if rate := sources.Measured(float64(m.rate)); rate.OK {
			out.Rate[i] = rate
		}
	}
	return out, nil
}

// apart is how far apart two scrapes are as a rule.
func apart(list []moment) time.Duration {
	gaps := make([]time.Duration, 0, len(list))
	for i := 1; i < len(list); i++ {
		gaps = append(gaps, time.Duration(list[i].at-list[i-1].at))
	}
	if len(gaps) == 0 {
		return 0
	}
	slices.Sort(gaps)
	return gaps[len(gaps)/2]
}

func packed(q sources.Quantile) float32 {
	switch {
	case !q.OK || q.Seconds < 0:
		return float32(math.NaN())
	case q.Over:
		return -float32(q.Seconds)
	default:
		return float32(q.Seconds)
	}
}

func unpacked(v float32) sources.Quantile {
	if v != v {
		return sources.Quantile{}
	}
	return sources.Quantile{Seconds: math.Abs(float64(v)), OK: true, Over: math.Signbit(float64(v))}
}

// slower is the worse of two quantiles, of which any may be absent.
func slower(a sources.Quantile, packed float32) sources.Quantile {
	b := unpacked(packed)
	if !a.OK || b.OK && (b.Seconds > a.Seconds || b.Seconds == a.Seconds && b.Over) {
		return b
	}
	return a
}

func shareOf(flag, variant string) string { return flag + "\x00" + variant }

// sharesOf is a variant's share at each scrape that saw the flag evaluated.
func (s *Source) sharesOf(flag, variant string) []moment {
	list, seen := slices.Clone(s.shares[flag]), s.shares[shareOf(flag, variant)]
	for i := range list {
		for len(seen) > 0 && seen[0].at < list[i].at {
			seen = seen[1:]
		}
		if len(seen) > 0 && seen[0].at == list[i].at {
			list[i].share = seen[0].share
		}
	}
	return list
}
