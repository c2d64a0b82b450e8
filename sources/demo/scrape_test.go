package demo_test

import (
	"math"
	"net/http"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources/demo"
)

// sample is one scrape, or the difference between two.
type sample struct {
	buckets  map[string]map[float64]float64 // by service: cumulative count by upper bound
	routes   map[string]float64             // requests by route
	breakers map[string]string              // state by name
	flags    map[[2]string]float64          // evaluations by key and variant
	compared map[string]float64             // orders read from both stores, by result
	series   int
}

func scrape(t require.TestingT, f *demo.Fleet) sample {
	if h, ok := t.(interface{ Helper() }); ok {
		h.Helper()
	}
	resp, err := http.Get(f.MetricsURL())
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	require.Equal(t, http.StatusOK, resp.StatusCode)
	p := expfmt.NewTextParser(model.UTF8Validation)
	families, err := p.TextToMetricFamilies(resp.Body)
	require.NoError(t, err)
	s := sample{
		buckets: map[string]map[float64]float64{}, routes: map[string]float64{},
		breakers: map[string]string{}, flags: map[[2]string]float64{}, compared: map[string]float64{},
	}
	for name, family := range families {
		for _, m := range family.GetMetric() {
			s.series++
			s.add(name, labels(m), m)
		}
	}
	return s
}

func labels(m *dto.Metric) map[string]string {
	l := map[string]string{}
	for _, p := range m.GetLabel() {
		l[p.GetName()] = p.GetValue()
	}
	return l
}

func (s *sample) add(name string, l map[string]string, m *dto.Metric) {
	switch name {
	case "http_server_request_duration_seconds":
		h := s.buckets[l["service"]]
		if h == nil {
			h = map[float64]float64{}
			s.buckets[l["service"]] = h
		}
		for _, b := range m.GetHistogram().GetBucket() {
			h[b.GetUpperBound()] += float64(b.GetCumulativeCount())
		}
		s.routes[l["http_route"]] += float64(m.GetHistogram().GetSampleCount())
	case "circuit_breaker_state":
		if m.GetGauge().GetValue() == 1 {
			s.breakers[l["name"]] += l["state"] // two at once would show
		}
	case "feature_flag_evaluations_total":
		s.flags[[2]string{l["feature_flag_key"], l["feature_flag_result_variant"]}] = m.GetCounter().GetValue()
	case "orders_comparisons_total":
		if v := m.GetCounter().GetValue(); v > 0 {
			s.compared[l["result"]] = v
		}
	}
}

// since is what happened after an earlier scrape; breakers are as they are now.
func (s sample) since(earlier sample) sample {
	d := sample{buckets: map[string]map[float64]float64{}, routes: map[string]float64{}, breakers: s.breakers, flags: map[[2]string]float64{}, compared: map[string]float64{}}
	for service, h := range s.buckets {
		d.buckets[service] = map[float64]float64{}
		for le, n := range h {
			d.buckets[service][le] = n - earlier.buckets[service][le]
		}
	}
	for r, n := range s.routes {
		d.routes[r] = n - earlier.routes[r]
	}
	for k, n := range s.flags {
		d.flags[k] = n - earlier.flags[k]
	}
	for k, n := range s.compared {
		d.compared[k] = n - earlier.compared[k]
	}
	return d
}

// quantile is how many requests a service had, and the upper bound in seconds
// of the bucket that the quantile falls into.
func (s sample) quantile(service string, q float64) (n, seconds float64) {
	h := s.buckets[service]
	n = h[math.Inf(1)]
	seconds = math.Inf(1)
	for le, c := range h {
		if c >= q*n && le < seconds {
			seconds = le
		}
	}
	return n, seconds
}
