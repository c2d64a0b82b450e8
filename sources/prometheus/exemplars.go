package prometheus

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/common/model"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
)

var _ sources.ExemplarReader = (*Source)(nil)

// Exemplars implements sources.ExemplarReader in three queries at most: the server's
// time, what exists where that is not remembered, and the exemplars. A server that keeps
// none answers with none.
func (s *Source) Exemplars(ctx context.Context, q sources.ExemplarQuery) (sources.ExemplarSet, error) {
	if err := q.Check(); err != nil {
		return sources.ExemplarSet{}, fmt.Errorf("%s: %w", s.name, err)
	}
	h := &history{call: call{s: s}}
	where, err := s.plan.Examples(ctx, h, q.Latency)
	if err != nil {
		return sources.ExemplarSet{}, err
	}
	end, err := h.serverTime(ctx)
	if err != nil {
		return sources.ExemplarSet{}, err
	}
	at := s.opts.Now()
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	found, err := s.api.exemplars(ctx, where.Selectors(), end.Add(-q.Span), end)
	if err != nil {
		return sources.ExemplarSet{}, s.fault(err)
	}
	out := sources.ExemplarSet{Source: s.name, ReadAt: at, Exemplars: sources.Slowest(exemplars(where, found, at.Sub(end), s.opts.MaxSeries))}
	if len(out.Exemplars) == 0 {
		out.Note = "no exemplars: the service attaches none, or Prometheus runs without exemplar-storage"
	}
	return out, nil
}

// exemplars are those that belong to the latency and name a trace, by our clock, of at
// most so many that are looked at.
func exemplars(where metrics.Examples, found []exemplarSeries, ahead time.Duration, most int) (out []sources.Exemplar) {
	for i := range found {
		l := labels(model.Metric(found[i].Labels))
		unit, ours := where.Unit(string(found[i].Labels[model.MetricNameLabel]), l)
		for k := range found[i].Exemplars {
			e := &found[i].Exemplars[k]
			if most--; !ours || most < 0 {
				break
			}
			v := float64(e.Value) * unit
			if id := sources.TraceOf(func(n string) string { return string(e.Labels[model.LabelName(n)]) }); id != "" && v >= 0 && v < maxSeconds {
				out = append(out, sources.Exemplar{TraceID: id, Seconds: v, At: e.Timestamp.Time().Add(ahead)})
			}
		}
	}
	return out
}

// maxSeconds is more than any call takes: what is above it is no time.
const maxSeconds = 1e7
