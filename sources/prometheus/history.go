package prometheus

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"time"

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
	h.span = stretch{start: end.Add(-time.Duration(points-1) * step), end: end, step: step}
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
	span   stretch
	steps  int
	over   time.Duration // the span of rates; 0 for the plan's window
	at     int
	found  map[string]bool
	frames [][]metrics.Answer // by query, by step
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
		frames := make([][]metrics.Answer, len(queries))
		for _, batch := range batches(queries) {
			m, err := h.matrix(ctx, renderAll(queries, batch, cmp.Or(h.over, h.s.plan.Window())))
			if err != nil {
				return nil, err
			}
			parts := deal(batch, m, metricOfStream)
			for _, i := range batch {
				frames[i] = h.answers(&queries[i], parts[i])
			}
		}
		h.frames = frames
	}
	out := make([]metrics.Answer, len(queries))
	for i := range queries {
		out[i] = h.frames[i][h.at]
	}
	return out, nil
}

func (h *history) matrix(ctx context.Context, query string) (model.Matrix, error) {
	ctx, cancel := context.WithTimeout(ctx, h.s.opts.Timeout)
	defer cancel()
	v, _, err := h.s.api.queryRange(ctx, query, h.span, h.s.opts.Timeout)
	if err != nil {
		return nil, h.s.fault(err)
	}
	m, ok := v.(model.Matrix)
	if !ok {
		return nil, fmt.Errorf("%s answered %s where a matrix was asked for: %w", h.s.who, kindOf(v), sources.ErrInvalid)
	}
	return m, h.s.bounded(len(m))
}

// answers is one answer a step. What of a series is the same at each step is worked
// out once: a past has hundreds of them.
func (h *history) answers(q *metrics.Query, streams []*model.SampleStream) []metrics.Answer {
	out := make([]metrics.Answer, h.steps)
	if q.Kind == metrics.Buckets {
		h.buckets(out, streams)
		return out
	}
	for _, s := range streams {
		l := labels(s.Metric)
		for _, p := range s.Values {
			if k, ok := h.step(p.Timestamp); ok {
				if out[k].Series == nil {
					out[k].Series = make([]metrics.Series, 0, len(streams))
				}
				out[k].Series = append(out[k].Series, metrics.Series{Labels: l, Value: float64(p.Value)})
			}
		}
	}
	return out
}

// buckets enters histograms, step by step.
func (h *history) buckets(out []metrics.Answer, streams []*model.SampleStream) {
	type group struct {
		labels metrics.Labels
		bounds int   // how many there are
		at     []int // by step, its place among the answer's histograms, from 1
	}
	groups := map[model.Fingerprint]*group{}
	groupOf := make([]*group, len(streams))
	for i, s := range streams {
		m := s.Metric.Clone()
		delete(m, model.BucketLabel)
		g := groups[m.Fingerprint()]
		if g == nil {
			g = &group{labels: labels(m), at: make([]int, h.steps)}
			groups[m.Fingerprint()] = g
		}
		g.bounds++
		groupOf[i] = g
	}
	for i, s := range streams {
		g := groupOf[i]
		for _, p := range s.Histograms {
			if k, ok := h.step(p.Timestamp); ok {
				out[k].Hists = append(out[k].Hists, metrics.Hist{Labels: g.labels, Native: spans(p.Histogram)})
			}
		}
		le, ok := bound(s.Metric)
		if !ok {
			continue
		}
		for _, p := range s.Values {
			k, ok := h.step(p.Timestamp)
			if !ok {
				continue
			}
			if g.at[k] == 0 {
				out[k].Hists = append(out[k].Hists, metrics.Hist{Labels: g.labels, Classic: make([]metrics.Bucket, 0, g.bounds)})
				g.at[k] = len(out[k].Hists)
			}
			one := &out[k].Hists[g.at[k]-1]
			one.Classic = append(one.Classic, metrics.Bucket{Upper: le, Count: float64(p.Value)})
		}
	}
	for k := range out {
		for i := range out[k].Hists {
			out[k].Hists[i].Normalise()
		}
	}
}

// step is which step a sample is of.
func (h *history) step(t model.Time) (int, bool) {
	k := int(math.Round(float64(t.Time().Sub(h.span.start)) / float64(h.span.step)))
	return k, k >= 0 && k < h.steps
}
