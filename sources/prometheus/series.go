package prometheus

import (
	"context"
	"fmt"
	"time"

	"relctl-tui/sources"
)

var _ sources.SeriesReader = (*Source)(nil)

// Series implements sources.SeriesReader in four queries at most, of which two are over
// the span: the server's time, what exists where that is not remembered, what is
// measured, and how often. A server whose services use native histograms of several
// presets is asked once more for each. Rates are taken over the step where that is
// longer than the window, so that nothing falls between two points.
func (s *Source) Series(ctx context.Context, q sources.SeriesQuery) (sources.Series, error) {
	if err := q.Check(); err != nil {
		return sources.Series{}, fmt.Errorf("%s: %w", s.name, err)
	}
	h := &history{call: call{s: s}, steps: q.Points, over: max(s.plan.Window(), q.Step())}
	end, err := h.serverTime(ctx)
	if err != nil {
		return sources.Series{}, err
	}
	h.span = stretch{start: end.Add(-time.Duration(h.steps-1) * q.Step()), end: end, step: q.Step()}
	at := s.opts.Now()
	out := sources.Series{
		Source: s.name, Step: q.Step(), Over: h.over, ReadAt: at,
		From: at.Add(-time.Duration(h.steps-1) * q.Step()), // by our clock, as all ages are
	}
	if q.Latency != "" {
		err = s.latencySeries(ctx, h, q.Latency, &out)
	} else {
		err = s.shareSeries(ctx, h, &q, &out)
	}
	out.Warnings = h.with(out.Warnings)
	return out, err
}

func (s *Source) latencySeries(ctx context.Context, h *history, name string, out *sources.Series) error {
	out.P50, out.P95 = make([]sources.Quantile, h.steps), make([]sources.Quantile, h.steps)
	out.P99, out.Rate, out.Errors = make([]sources.Quantile, h.steps), make([]sources.Value, h.steps), make([]sources.Value, h.steps)
	plan := s.plan.OnlyLatency(name)
	known, note := false, ""
	for h.at = range h.steps {
		rows, _, err := plan.Latencies(ctx, s.name, h)
		if err != nil {
			return err
		}
		for i := range rows {
			if r := &rows[i]; r.Name == name {
				known, note = true, r.Note
				out.P50[h.at], out.P95[h.at], out.P99[h.at], out.Rate[h.at], out.Errors[h.at] = r.P50, r.P95, r.P99, r.Rate, r.ErrorRatio
			}
		}
	}
	if !known {
		return fmt.Errorf("%s measured no latency of that name in the last %s: %w", s.who, h.span.end.Sub(h.span.start), sources.ErrNotFound)
	}
	if note != "" {
		out.Warnings = append(out.Warnings, note)
	}
	return nil
}

func (s *Source) shareSeries(ctx context.Context, h *history, q *sources.SeriesQuery, out *sources.Series) error {
	out.Share = make([]sources.Value, h.steps)
	for h.at = range h.steps {
		shares, err := s.plan.ExposureOf(ctx, h, q.Flag)
		if err != nil {
			return fmt.Errorf("%s: %w", s.who, err)
		}
		if shares != nil {
			out.Share[h.at] = sources.Some(shares[q.Variant])
		}
	}
	return nil
}
