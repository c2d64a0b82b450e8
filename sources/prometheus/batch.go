package prometheus

import (
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"relctl-tui/sources/metrics"
)

// tagLabel tells apart the answers of queries that were asked together.
const tagLabel = "relctl_query"

// batches puts queries into few requests, however many presets match: what rows are
// made of, and then what counts calls, which may fail or be slow without taking the
// states and the quantiles with it. The first query of a batch bears no number, and
// native histograms must not bear one, because servers of version 2 lose them over
// it: so a second preset of native histograms has a request of its own.
func batches(queries []metrics.Query) [][]int {
	var native, needed, counts []int
	for i := range queries {
		switch q := &queries[i]; {
		case q.Optional || q.Kind == metrics.Count:
			counts = append(counts, i)
		case q.Kind == metrics.Buckets && q.Found.Native:
			native = append(native, i)
		default:
			needed = append(needed, i)
		}
	}
	var out [][]int
	add := func(b []int) {
		if len(b) > 0 {
			out = append(out, b)
		}
	}
	first := min(1, len(native))
	add(append(native[:first:first], needed...))
	for _, i := range native[first:] {
		add([]int{i})
	}
	add(counts)
	return out
}

// renderAll is a batch as one expression.
func renderAll(queries []metrics.Query, batch []int, window time.Duration) string {
	parts := make([]string, len(batch))
	for k, i := range batch {
		parts[k] = render(&queries[i], window)
		if k > 0 {
			parts[k] = "label_replace(" + parts[k] + `,"` + tagLabel + `","` + strconv.Itoa(i) + `","","")`
		}
	}
	return strings.Join(parts, " or ")
}

// deal gives each query of a batch its own series.
func deal[S any](batch []int, series []S, metric func(S) model.Metric) map[int][]S {
	if len(batch) == 1 {
		return map[int][]S{batch[0]: series}
	}
	out := make(map[int][]S, len(batch))
	for _, s := range series {
		m, i := metric(s), batch[0]
		if tag, tagged := m[tagLabel]; tagged {
			n, err := strconv.Atoi(string(tag))
			if err != nil {
				continue
			}
			i = n
			delete(m, tagLabel)
		}
		out[i] = append(out[i], s)
	}
	return out
}

func metricOfSample(s *model.Sample) model.Metric       { return s.Metric }
func metricOfStream(s *model.SampleStream) model.Metric { return s.Metric }

// optional says that nothing of a batch is needed.
func optional(queries []metrics.Query, batch []int) bool {
	for _, i := range batch {
		if !queries[i].Optional {
			return false
		}
	}
	return true
}
