package prometheus

import (
	"context"
	"fmt"
	"math"
	"time"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
)

// The most steps of a history.
const maxSteps = 500

// Trends implements sources.TrendReader, for at most 500 points. It costs two
// queries more than Latencies at most, and it goes by the server's clock, not
// by ours.
func (s *Source) Trends(ctx context.Context, points int, step time.Duration) (map[string][]float64, error) {
	if step < time.Second || points < 1 || points > maxSteps {
		return nil, fmt.Errorf("%s: a trend needs a step of at least 1s and 1 to %d points: %w", s.name, maxSteps, sources.ErrInvalid)
	}
	h := &history{call: call{s: s}, steps: points}
	end, err := h.serverTime(ctx)
	if err != nil {
		return nil, err
	}
	h.span = v1.Range{Start: end.Add(-time.Duration(points-1) * step), End: end, Step: step}
	out := map[string][]float64{}
	for h.at = range points {
		rows, _, err := s.plan.Latencies(ctx, s.name, h)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			line := out[rows[i].Name]
			if line == nil {
				line = make([]float64, points)
				for k := range line {
					line[k] = math.NaN()
				}
				out[rows[i].Name] = line
			}
			if rows[i].P99.OK {
				line[h.at] = rows[i].P99.Seconds
			}
		}
	}
	return out, nil
}

// history answers the same queries for one step after another; only the first
// time does it ask the server, for all steps at once.
type history struct {
	call
	span   v1.Range
	steps  int
	at     int
	found  map[string]bool
	frames [][]model.Vector // by query, by step
}

// serverTime is the server's present: a clock of ours that is ahead of it would
// leave the newest points empty, and one behind it would hide them.
func (h *history) serverTime(ctx context.Context) (time.Time, error) {
	v, err := h.vector(ctx, "vector(time())")
	if err != nil {
		return time.Time{}, err
	}
	if len(v) != 1 || math.IsNaN(float64(v[0].Value)) {
		return time.Time{}, fmt.Errorf("%s does not tell its time: %w", h.s.who, sources.ErrInvalid)
	}
	return time.UnixMilli(int64(float64(v[0].Value) * 1000)), nil
}

// Exists implements metrics.Asker.
func (h *history) Exists(ctx context.Context, names []string) (map[string]bool, error) {
	if h.found != nil {
		return h.found, nil
	}
	found, err := h.call.Exists(ctx, names)
	h.found = found
	return found, err
}

// Ask implements metrics.Asker.
func (h *history) Ask(ctx context.Context, queries []metrics.Query) ([]metrics.Answer, error) {
	if h.frames == nil {
		frames := make([][]model.Vector, len(queries))
		for _, batch := range batches(queries) {
			m, err := h.matrix(ctx, renderAll(queries, batch, h.s.plan.Window()))
			if err != nil {
				return nil, err
			}
			parts := deal(batch, m, metricOfStream)
			for _, i := range batch {
				frames[i] = h.split(parts[i])
			}
		}
		h.frames = frames
	}
	out := make([]metrics.Answer, len(queries))
	for i := range queries {
		out[i] = answer(&queries[i], h.frames[i][h.at])
	}
	return out, nil
}

func (h *history) matrix(ctx context.Context, query string) (model.Matrix, error) {
	ctx, cancel := context.WithTimeout(ctx, h.s.opts.Timeout)
	defer cancel()
	v, _, _, err := h.s.api.QueryRange(ctx, query, h.span, v1.WithTimeout(h.s.opts.Timeout))
	if err != nil {
		return nil, h.s.fault(err)
	}
	m, ok := v.(model.Matrix)
	if !ok {
		return nil, fmt.Errorf("%s answered %s where a matrix was asked for: %w", h.s.who, kindOf(v), sources.ErrInvalid)
	}
	return m, h.s.bounded(len(m))
}

// split is a matrix as one vector a step.
func (h *history) split(m model.Matrix) []model.Vector {
	out := make([]model.Vector, h.steps)
	put := func(t model.Time, s *model.Sample) {
		if k := int(math.Round(float64(t.Time().Sub(h.span.Start)) / float64(h.span.Step))); k >= 0 && k < h.steps {
			out[k] = append(out[k], s)
		}
	}
	for _, series := range m {
		for _, p := range series.Values {
			put(p.Timestamp, &model.Sample{Metric: series.Metric, Value: p.Value, Timestamp: p.Timestamp})
		}
		for _, p := range series.Histograms {
			put(p.Timestamp, &model.Sample{Metric: series.Metric, Histogram: p.Histogram, Timestamp: p.Timestamp})
		}
	}
	return out
}
