package prometheus_test

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	prom "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
	"relctl-tui/sources/prometheus"
	"relctl-tui/sources/sourcetest"
)

func TestARealPrometheusGivesTheTracesOfTheSlowestCalls(t *testing.T) {
	t.Parallel()
	server := sourcetest.RealTool(t, "prometheus", "apt-get install prometheus")
	reg := prom.NewRegistry()
	took := prom.NewHistogramVec(prom.HistogramOpts{Name: "http_server_request_duration_seconds", Help: "x", Buckets: []float64{.1, .5, 1}}, []string{"service", "http_response_status_code"})
	reg.MustRegister(took)
	observe := func(service, trace string, v float64) {
		with, ok := took.WithLabelValues(service, "200").(prom.ExemplarObserver)
		require.True(t, ok)
		with.ObserveWithExemplar(v, prom.Labels{"trace_id": trace})
	}
	page := httptest.NewServer(promhttp.HandlerFor(reg, promhttp.HandlerOpts{EnableOpenMetrics: true}))
	t.Cleanup(page.Close)
	observe("shop", "aaaa", 0.05)
	observe("shop", "4bf92f3577b34da6a3ce929d0e0e4736", 3.25)
	observe("shop", "bbbb", 0.7)
	observe("stock", "cccc", 9)
	dir, addr := t.TempDir(), sourcetest.FreeAddress(t)
	config := fmt.Sprintf("scrape_configs: [{job_name: fleet, scrape_interval: 200ms, scrape_timeout: 200ms, static_configs: [{targets: [%q]}]}]\n", page.Listener.Addr())
	require.NoError(t, os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte(config), 0o600))
	sourcetest.Run(t, server, "--config.file="+filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--enable-feature=exemplar-storage", "--web.listen-address="+addr, "--log.level=error")
	for name, cfg := range map[string]metrics.Config{
		"shop": {}, "the shop": {Latency: []metrics.LatencyRule{{Name: "the shop", Match: `service="shop"`}}},
	} {
		var set sources.ExemplarSet
		require.Eventually(t, func() bool {
			s := open(t, "http://"+addr, prometheus.Options{Metrics: cfg})
			var err error
			set, err = s.Exemplars(t.Context(), sources.ExemplarQuery{Latency: name, Span: 15 * time.Minute})
			return err == nil && len(set.Exemplars) == 3
		}, time.Minute, 100*time.Millisecond, "%v", &set)
		require.Equal(t, "4bf92f3577b34da6a3ce929d0e0e4736", set.Exemplars[0].TraceID)
		require.InDelta(t, 3.25, set.Exemplars[0].Seconds, exact)
		require.WithinDuration(t, time.Now(), set.Exemplars[0].At, 5*time.Minute)
		require.Equal(t, "bbbb", set.Exemplars[1].TraceID)
		require.Equal(t, "aaaa", set.Exemplars[2].TraceID)
	}
	s := open(t, "http://"+addr, prometheus.Options{})
	set, err := s.Exemplars(t.Context(), sources.ExemplarQuery{Latency: "nonesuch", Span: time.Hour})
	require.NoError(t, err)
	require.Contains(t, set.Note, "no exemplars")
}
