package prometheus_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources/metrics"
	"relctl-tui/sources/prometheus"
)

func TestTheQueriesAreTheseAndNoOthers(t *testing.T) {
	t.Parallel()
	f := fake(t, func(q string) any {
		if strings.HasPrefix(q, "count by") {
			return vector(one("1", "__name__", hist+"_count"), one("1", "__name__", hist),
				one("1", "__name__", "cb_state"), one("1", "__name__", "feature_flag_flagd_impression_total"))
		}
		return vector()
	})
	s := open(t, f.URL, prometheus.Options{Metrics: metrics.Config{
		Latency: []metrics.LatencyRule{
			{Name: "a", Preset: "http_server", Match: `job="pay\"ment"`},
			{Name: "b", Preset: "http_server", Match: `service=~"x|y"`},
		},
		Breakers: []metrics.BreakerRule{{Preset: "gobreaker", Metric: "cb_state", Match: `env!=""`, NameLabel: "peer"}},
	}})
	require.NoError(t, second(s.Latencies(t.Context())))
	require.NoError(t, second(s.Breakers(t.Context())))
	require.NoError(t, second(s.Exposures(t.Context())))
	asked := f.asked()
	require.True(t, strings.HasPrefix(asked[0], `count by (__name__,quantile) ({__name__=~"cb_state|envoy_cluster_upstream_rq_time|`), asked[0])
	codes := "code,http_response_status_code,http_status_code,job,service,status,status_code"
	require.ElementsMatch(t, []string{
		`sum by (job,service) (rate(` + hist + `{job="pay\"ment"}[1m])) or ` +
			`sum by (job,service) (rate(` + hist + `{service=~"x|y"}[1m])) or ` +
			`sum by (le,job,service) (rate(` + hist + `_bucket{job="pay\"ment"}[1m])) or ` +
			`sum by (le,job,service) (rate(` + hist + `_bucket{service=~"x|y"}[1m]))`,
		`sum by (` + codes + `) (histogram_count(rate(` + hist + `{job="pay\"ment"}[1m]))) or ` +
			`sum by (` + codes + `) (histogram_count(rate(` + hist + `{service=~"x|y"}[1m]))) or ` +
			`sum by (` + codes + `) (rate(` + hist + `_count{job="pay\"ment"}[1m])) or ` +
			`sum by (` + codes + `) (rate(` + hist + `_count{service=~"x|y"}[1m]))`,
		`max by (app,application,env,instance,job,peer,service,service_name,state) (cb_state{env!=""})`,
		`sum by (feature_flag_key,feature_flag_result_variant,feature_flag_variant,flag_key,key,variant) (rate(feature_flag_flagd_impression_total[1m]))`,
	}, asked[1:])
}

// memory answers each query by a function, and from memory the second time.
type memory struct {
	reply func(query string) any
	mu    sync.Mutex
	known map[string][]byte
}

func (m *memory) RoundTrip(r *http.Request) (*http.Response, error) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(b))
	if err != nil {
		return nil, err
	}
	q := form.Get("query")
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known[q] == nil {
		if m.known[q], err = json.Marshal(m.reply(q)); err != nil {
			return nil, err
		}
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader(m.known[q])), Request: r,
	}, nil
}

func BenchmarkLatenciesOf50Services(b *testing.B) {
	s, err := prometheus.New("prod", "http://h", prometheus.Options{
		Transport: &memory{reply: fleet(50), known: map[string][]byte{}},
	})
	require.NoError(b, err)
	require.NoError(b, second(s.Latencies(b.Context())))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Latencies(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
