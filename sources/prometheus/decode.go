package prometheus

import (
	"math"
	"strconv"

	"github.com/prometheus/common/model"

	"relctl-tui/sources/metrics"
)

// answer sorts a vector into groups.
func answer(q *metrics.Query, v model.Vector) metrics.Answer {
	var out metrics.Answer
	if q.Kind != metrics.Buckets {
		for _, s := range v {
			if s.Histogram == nil {
				out.Series = append(out.Series, metrics.Series{Labels: labels(s.Metric), Value: float64(s.Value)})
			}
		}
		return out
	}
	classic := map[model.Fingerprint]int{}
	for _, s := range v {
		if s.Histogram != nil {
			out.Hists = append(out.Hists, metrics.Hist{Labels: labels(s.Metric), Native: spans(s.Histogram)})
			continue
		}
		le, ok := bound(s.Metric)
		if !ok {
			continue
		}
		group := s.Metric.Clone()
		delete(group, model.BucketLabel)
		at, known := classic[group.Fingerprint()]
		if !known {
			at = len(out.Hists)
			classic[group.Fingerprint()] = at
			out.Hists = append(out.Hists, metrics.Hist{Labels: labels(group)})
		}
		out.Hists[at].Classic = append(out.Hists[at].Classic, metrics.Bucket{Upper: le, Count: float64(s.Value)})
	}
	for i := range out.Hists {
		out.Hists[i].Normalise()
	}
	return out
}

func bound(m model.Metric) (float64, bool) {
	text, ok := m[model.BucketLabel]
	if !ok {
		return 0, false
	}
	le, err := strconv.ParseFloat(string(text), 64)
	return le, err == nil && !math.IsNaN(le)
}

func labels(m model.Metric) metrics.Labels {
	out := make(metrics.Labels, len(m))
	for k, v := range m {
		out[string(k)] = string(v)
	}
	return out
}

func spans(h *model.SampleHistogram) []metrics.Span {
	out := make([]metrics.Span, 0, len(h.Buckets))
	for _, b := range h.Buckets {
		out = append(out, metrics.Span{Lower: float64(b.Lower), Upper: float64(b.Upper), Count: float64(b.Count)})
	}
	return out
}
