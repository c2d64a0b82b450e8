package prometheus

import (
	"context"
	"fmt"
	"math"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
)

var _ sources.RatioReader = (*Source)(nil)

// ratioPoints is how many steps the span of a ratio is read in.
const ratioPoints = 60

// Ratios implements sources.RatioReader in one range query, and one for the
// server's time: its clock may not be ours, and moments are given by ours.
func (s *Source) Ratios(ctx context.Context, name string, span time.Duration) ([]sources.RatioSample, error) {
	r, err := s.plan.Ratio(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	h := &history{call: call{s: s}}
	end, err := h.serverTime(ctx)
	if err != nil {
		return nil, err
	}
	ahead := end.Sub(s.opts.Now())
	step := max(span/ratioPoints, time.Second).Round(time.Second)
	h.steps = int(span/step) + 2 // the first lies at the span's beginning or before
	h.span = stretch{start: end.Add(-time.Duration(h.steps-1) * step), end: end, step: step}
	q, query := metrics.Query{}, r.Query
	if query == "" {
		q = r.Tries()
		query = render(&q, s.plan.Window())
	}
	m, err := h.matrix(ctx, query)
	if err != nil {
		return nil, err
	}
	if r.Query != "" && len(m) > 1 {
		return nil, fmt.Errorf("%s: the query for the mismatch of %s has %d results where one is needed: %w", s.who, sources.Clean(name, 60), len(m), sources.ErrInvalid)
	}
	var out []sources.RatioSample
	for i, frame := range h.answers(&q, m) {
		sample := sources.RatioSample{At: h.span.start.Add(time.Duration(i)*step - ahead)}
		switch {
		case len(frame.Series) == 0:
			continue
		case r.Query != "":
			if v := frame.Series[0].Value; !math.IsNaN(v) && !math.IsInf(v, 0) && v >= 0 {
				sample.Ratio = sources.Some(v)
			}
		default:
			sample.Ratio, sample.Rate = r.Of(frame.Series)
		}
		out = append(out, sample)
	}
	return out, nil
}
