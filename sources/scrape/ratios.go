package scrape

import (
	"context"
	"fmt"
	"slices"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
)

var _ sources.RatioReader = (*Source)(nil)

// Ratios implements sources.RatioReader over what was scraped since this source was
// made: nobody else remembers. A ratio by PromQL is ErrUnsupported.
func (s *Source) Ratios(ctx context.Context, name string, _ time.Duration) ([]sources.RatioSample, error) {
	r, err := s.plan.Ratio(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	if r.Query != "" {
		return nil, fmt.Errorf("%s reads pages, which cannot be asked in PromQL: name the metric instead: %w", s.name, sources.ErrUnsupported)
	}
	if _, err := s.refresh(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.trails[name]), nil
}

// trailPoints is how many samples a span holds: what is denser is thinned, and the
// worse of two is kept.
const trailPoints = 120

// trail notes each ratio after a scrape. The caller holds s.mu.
func (s *Source) trail(at time.Time) {
	rules := s.plan.Ratios()
	for i := range rules {
		r := &rules[i]
		if r.Query != "" {
			continue
		}
		q := r.Tries()
		var next sources.RatioSample
		next.At = at
		next.Ratio, next.Rate = r.Of(answer(&q, s.live()).Series)
		s.trails[r.Name] = lengthen(s.trails[r.Name], next, r)
	}
}

func lengthen(list []sources.RatioSample, next sources.RatioSample, r *metrics.Ratio) []sources.RatioSample {
	n := len(list)
	if n > 0 && !next.At.After(list[n-1].At) {
		return []sources.RatioSample{next} // the clock went back
	}
	if n > 1 && next.At.Sub(list[n-2].At) < r.Span/trailPoints {
		if last := list[n-1]; last.Ratio.OK && next.Ratio.OK && last.Ratio.V > next.Ratio.V {
			next.Ratio = last.Ratio
		}
		list = list[:n-1]
	}
	list = append(list, next)
	drop := 0
	for drop+1 < len(list) && next.At.Sub(list[drop+1].At) > r.Span {
		drop++
	}
	return slices.Delete(list, 0, drop)
}
