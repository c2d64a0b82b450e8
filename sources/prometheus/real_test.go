package prometheus_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	prom "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
	"relctl-tui/sources/prometheus"
	"relctl-tui/sources/scrape"
	"relctl-tui/sources/sourcetest"
)

// exporter serves two services through client_golang's handler. Each scrape sees
// one more batch of the same calls, so every window holds the same distribution.
func exporter(t *testing.T) *httptest.Server {
	t.Helper()
	reg := prom.NewRegistry()
	classic := prom.NewHistogramVec(prom.HistogramOpts{
		Name: "http_server_request_duration_seconds", Help: "x", Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5},
	}, []string{"service", "http_response_status_code"})
	native := prom.NewHistogramVec(prom.HistogramOpts{
		Name: "http_request_duration_seconds", Help: "x", NativeHistogramBucketFactor: 1.1,
	}, []string{"service", "code"})
	state := prom.NewGaugeVec(prom.GaugeOpts{Name: "circuit_breaker_state", Help: "x"}, []string{"name", "state"})
	calls := prom.NewCounterVec(prom.CounterOpts{Name: "circuit_breaker_requests_total", Help: "x"}, []string{"name", "result"})
	evals := prom.NewCounterVec(prom.CounterOpts{Name: "feature_flag_evaluations_total", Help: "x"},
		[]string{"feature_flag_key", "feature_flag_result_variant"})
	reg.MustRegister(classic, native, state, calls, evals)
	state.WithLabelValues("payment", "open").Set(1)
	state.WithLabelValues("payment", "closed").Set(0)
	h := promhttp.HandlerFor(reg, promhttp.HandlerOpts{})
	var mu sync.Mutex
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		for i := range 200 {
			code := "200"
			if i%20 == 0 {
				code = "503"
			}
			v := 0.002 * float64(i+1) * float64(i%7+1) // up to 2.6 s, so the last bucket is not empty
			classic.WithLabelValues("checkout", code).Observe(v)
			classic.WithLabelValues("inventory", code).Observe(v / 9)
			native.WithLabelValues("ledger", code).Observe(v)
		}
		calls.WithLabelValues("payment", "success").Add(60)
		calls.WithLabelValues("payment", "failure").Add(40)
		calls.WithLabelValues("payment", "rejected").Add(10)
		evals.WithLabelValues("checkout-v2", "on").Add(30)
		evals.WithLabelValues("checkout-v2", "off").Add(70)
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// startServer runs a Prometheus that scrapes target each second until it has
// enough samples, and returns the moment of a scrape that worked. On a busy
// machine a scrape can take longer than its second, and then everything is stale
// until the next: readers that are compared must look at one good moment.
func startServer(t *testing.T, target string) (string, v1.API, pinned) {
	t.Helper()
	bin := sourcetest.RealTool(t, "prometheus", "apt-get install prometheus")
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	require.NoError(t, os.WriteFile(config, []byte(fmt.Sprintf(
		"global: {scrape_interval: 1s}\nscrape_configs: [{job_name: fleet, static_configs: [{targets: [%q]}]}]\n",
		strings.TrimPrefix(target, "http://"))), 0o600))
	addr := sourcetest.FreeAddress(t)
	cmd := exec.Command(bin, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+addr, "--enable-feature=native-histograms", "--log.level=error")
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	c, err := api.NewClient(api.Config{Address: "http://" + addr})
	require.NoError(t, err)
	a := v1.NewAPI(c)
	number := func(query string, at time.Time) float64 {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		v, _, _, err := a.Query(ctx, query, at)
		if vec, ok := v.(model.Vector); err == nil && ok && len(vec) == 1 {
			return float64(vec[0].Value)
		}
		return 0
	}
	var good pinned
	require.Eventually(t, func() bool {
		last := number(`max(timestamp(circuit_breaker_state))`, time.Time{})
		good.at = time.UnixMilli(int64(math.Round(last * 1000)))
		return last > 0 && number(`min(count_over_time(http_request_duration_seconds[10s]))`, good.at) >= 4
	}, 2*time.Minute, 200*time.Millisecond, "no four scrapes within ten seconds")
	return "http://" + addr, a, good
}

// pinned asks every query for one moment, so that two readers can be compared.
type pinned struct{ at time.Time }

func (p pinned) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	form.Set("time", strconv.FormatFloat(float64(p.at.UnixMilli())/1000, 'f', 3, 64))
	text := form.Encode()
	req.Body, req.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
	return http.DefaultTransport.RoundTrip(req)
}

func TestQuantilesAreThoseOfTheServer(t *testing.T) {
	t.Parallel()
	page := exporter(t)
	server, a, good := startServer(t, page.URL)
	s, err := prometheus.New("prod", "prometheus+"+server, prometheus.Options{
		// A server of version 2 places quantiles on a straight line.
		Metrics:   metrics.Config{Window: 10 * time.Second, Interpolation: metrics.Linear},
		Transport: good,
	})
	require.NoError(t, err)
	set, err := s.Latencies(t.Context())
	require.NoError(t, err)
	require.Empty(t, set.Warnings)
	require.Len(t, set.Latencies, 3)
	for _, row := range set.Latencies {
		metric := `sum by (le) (rate(http_server_request_duration_seconds_bucket{service="` + row.Name + `"}[10s]))`
		if row.Name == "ledger" {
			metric = `sum(rate(http_request_duration_seconds[10s]))`
		}
		for q, got := range map[string]sources.Quantile{"0.5": row.P50, "0.95": row.P95, "0.99": row.P99} {
			v, _, _, err := a.Query(t.Context(), "histogram_quantile("+q+", "+metric+")", good.at)
			require.NoError(t, err)
			vec, ok := v.(model.Vector)
			require.True(t, ok)
			require.Len(t, vec, 1)
			want := float64(vec[0].Value)
			require.True(t, got.OK)
			require.InEpsilon(t, want, got.Seconds, 1e-9, "%s at %s", row.Name, q)
		}
		require.InDelta(t, 0.05, row.ErrorRatio.V, 1e-6)
		require.Greater(t, row.Rate.V, 0.0)
	}

	breakers, err := s.Breakers(t.Context())
	require.NoError(t, err)
	require.Len(t, breakers.Breakers, 1)
	b := breakers.Breakers[0]
	require.Equal(t, "payment", b.Name)
	require.Equal(t, sources.BreakerOpen, b.State)
	require.Equal(t, 1, b.Instances)
	require.InDelta(t, 0.4, b.ErrorRatio.V, 1e-6)
	require.InDelta(t, 0.1, b.RejectRate.V/b.Rate.V, 1e-6)

	exposed, err := s.Exposures(t.Context())
	require.NoError(t, err)
	require.InDelta(t, 0.3, exposed.Exposure("checkout-v2", "on").V, 1e-6)
}

func TestScrapeAndPrometheusAgreeOverOneExporter(t *testing.T) {
	t.Parallel()
	page := exporter(t)
	server, _, good := startServer(t, page.URL)
	rules := metrics.Config{Window: 10 * time.Second, Latency: []metrics.LatencyRule{
		{Name: "checkout", Preset: "http_server", Match: `service="checkout"`, SLO: time.Second},
		{Name: "both", Match: `service=~"checkout|inventory"`},
	}}
	viaServer, err := prometheus.New("prod", server, prometheus.Options{Metrics: rules, Transport: good})
	require.NoError(t, err)
	now := time.Now()
	direct, err := scrape.New("direct", []string{page.URL}, scrape.Options{
		Metrics: rules, Now: func() time.Time { now = now.Add(time.Second); return now },
	})
	require.NoError(t, err)
	var d sources.LatencySet
	for range 3 {
		d, err = direct.Latencies(t.Context())
		require.NoError(t, err)
	}
	p, err := viaServer.Latencies(t.Context())
	require.NoError(t, err)
	require.Len(t, p.Latencies, 2)
	for i := range p.Latencies {
		a, b := p.Latencies[i], d.Latencies[i]
		require.Equal(t, a.Name, b.Name)
		require.Equal(t, a.Verdict, b.Verdict)
		require.InEpsilon(t, a.P50.Seconds, b.P50.Seconds, 1e-6)
		require.InEpsilon(t, a.P99.Seconds, b.P99.Seconds, 1e-6)
		require.Equal(t, a.P99.Over, b.P99.Over)
		require.InDelta(t, a.ErrorRatio.V, b.ErrorRatio.V, 1e-6)
	}

	ps, err := viaServer.Breakers(t.Context())
	require.NoError(t, err)
	ds, err := direct.Breakers(t.Context())
	require.NoError(t, err)
	require.Len(t, ds.Breakers, 1)
	require.Equal(t, ps.Breakers[0].State, ds.Breakers[0].State)
	require.InDelta(t, ps.Breakers[0].ErrorRatio.V, ds.Breakers[0].ErrorRatio.V, 1e-6)
}

func TestTrendsBeginWithWhatTheServerRemembers(t *testing.T) {
	t.Parallel()
	page := exporter(t)
	server, _, good := startServer(t, page.URL)
	s, err := prometheus.New("prod", server, prometheus.Options{
		Metrics: metrics.Config{Window: 10 * time.Second}, Transport: good,
		Now: func() time.Time { return time.Now().Add(-time.Hour) }, // a clock that is off
	})
	require.NoError(t, err)
	trends, err := s.Trends(t.Context(), 300, time.Second)
	require.NoError(t, err)
	require.Len(t, trends, 3)
	set, err := s.Latencies(t.Context())
	require.NoError(t, err)
	for _, row := range set.Latencies {
		points := trends[row.Name]
		require.Len(t, points, 300)
		require.True(t, math.IsNaN(points[0]), "there was no server five minutes ago")
		require.InEpsilon(t, row.P99.Seconds, points[299], 1e-6)
	}
	for _, bad := range []struct {
		points int
		step   time.Duration
	}{{0, time.Second}, {501, time.Second}, {60, time.Millisecond}} {
		_, err = s.Trends(t.Context(), bad.points, bad.step)
		require.ErrorIs(t, err, sources.ErrInvalid)
	}
}
