package prometheus_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
	"relctl-tui/sources/prometheus"
)

// growing is a server whose metrics appear while it is asked, and a clock.
type growing struct {
	*serverFake
	now   atomic.Int64
	mu    sync.Mutex
	names []string
}

func grow(t *testing.T, names ...string) *growing {
	t.Helper()
	g := &growing{names: names}
	g.serverFake = fake(t, func(q string) any {
		if !strings.HasPrefix(q, "count by") {
			return vector()
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		var out []obj
		for _, n := range g.names {
			out = append(out, one("1", "__name__", n))
		}
		return vector(out...)
	})
	return g
}

func (g *growing) appear(names ...string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.names = append(g.names, names...)
}

func (g *growing) options(cfg metrics.Config) prometheus.Options {
	return prometheus.Options{Metrics: cfg, Now: func() time.Time { return time.Unix(1_800_000_000+g.now.Load(), 0) }}
}

// probes is how often it was asked what exists, after reading everything at a second.
func (g *growing) probes(t *testing.T, s *prometheus.Source, at int64) (n int) {
	t.Helper()
	g.now.Store(at)
	require.NoError(t, second(s.Latencies(t.Context())))
	require.NoError(t, second(s.Breakers(t.Context())))
	require.NoError(t, second(s.Exposures(t.Context())))
	for _, q := range g.asked() {
		if strings.HasPrefix(q, "count by") {
			n++
		}
	}
	return n
}

var all = []string{hist + "_count", "circuit_breaker_state", "circuit_breaker_requests_total", "feature_flag_evaluations_total"}

func TestWhatExistsIsRememberedForAMinuteWhenNothingIsMissing(t *testing.T) {
	t.Parallel()
	g := grow(t, all...)
	s := open(t, g.URL, g.options(metrics.Config{}))
	require.Equal(t, 1, g.probes(t, s, 0))
	require.Equal(t, 1, g.probes(t, s, 59))
	require.Equal(t, 2, g.probes(t, s, 60))
	require.Equal(t, 3, g.probes(t, s, -3600), "a clock that went back is not waited for")
	require.Equal(t, 3, g.probes(t, s, -3541))
}

func TestAMetricThatIsMissingIsLookedForEveryTenSecondsAndNoMoreOnceItIsThere(t *testing.T) {
	t.Parallel()
	for missing, cfg := range map[string]metrics.Config{
		hist + "_count":                  {Latency: []metrics.LatencyRule{{Name: "a", Preset: "http_server"}}},
		"circuit_breaker_state":          {},
		"circuit_breaker_requests_total": {}, // a counter is born with its first call
		"feature_flag_evaluations_total": {},
		"cb_state":                       {Breakers: []metrics.BreakerRule{{Preset: "auto"}, {Preset: "gobreaker", Metric: "cb_state"}}},
		"http_request_duration_seconds":  {Latency: []metrics.LatencyRule{{Name: "a"}, {Name: "b", Preset: "http_request"}}},
	} {
		var there []string
		for _, n := range all {
			if n != missing {
				there = append(there, n)
			}
		}
		g := grow(t, there...)
		s := open(t, g.URL, g.options(cfg))
		require.Equal(t, 1, g.probes(t, s, 0), missing)
		require.Equal(t, 1, g.probes(t, s, 9), missing)
		require.Equal(t, 2, g.probes(t, s, 10), missing)
		require.Equal(t, 2, g.probes(t, s, 19), missing)
		g.appear(missing)
		require.Equal(t, 3, g.probes(t, s, 20), missing)
		require.Equal(t, 3, g.probes(t, s, 79), missing)
		require.Equal(t, 4, g.probes(t, s, 80), missing)
	}
}

func TestASummaryIsNeverTakenForANativeHistogramAndItsLargestQuantileIsShown(t *testing.T) {
	t.Parallel()
	f := fake(t, func(q string) any {
		switch {
		case strings.HasPrefix(q, "count by"):
			return vector(one("6", "__name__", "http_request_duration_seconds", "quantile", "0.99"), one("6", "__name__", "http_request_duration_seconds", "quantile", "0.5"),
				one("2", "__name__", "http_request_duration_seconds_count"))
		case strings.HasPrefix(q, "max by"):
			return vector(one("0.2", "job", "pay", "instance", "a", "quantile", "0.99"), one("0.9", "job", "pay", "instance", "b", "quantile", "0.99"),
				one("NaN", "job", "pay", "instance", "c", "quantile", "0.99"), one("0.1", "job", "pay", "instance", "a", "quantile", "0.5"))
		case strings.Contains(q, "_count"):
			return vector(one("9", "job", "pay", "code", "200"), one("1", "job", "pay", "code", "503"))
		default:
			return vector()
		}
	})
	s := open(t, f.URL, prometheus.Options{})
	set, err := s.Latencies(t.Context())
	require.NoError(t, err)
	require.Len(t, set.Latencies, 1)
	l := set.Latencies[0]
	require.Equal(t, sources.Quantile{Seconds: 0.9, OK: true}, l.P99)
	require.Equal(t, sources.Quantile{Seconds: 0.1, OK: true}, l.P50)
	require.False(t, l.P95.OK, "nobody exports it")
	require.Contains(t, l.Note, "max of 3")
	require.InDelta(t, 10, l.Rate.V, 1e-9)
	require.InDelta(t, 0.1, l.ErrorRatio.V, 1e-9)
	for _, q := range f.asked() {
		require.NotContains(t, q, "histogram_count", "a server without native histograms would refuse it")
	}
}

func TestBreakersAreShownWhenTheirRatesAreTooMuchForTheServer(t *testing.T) {
	t.Parallel()
	f := fake(t, func(q string) any {
		switch {
		case strings.HasPrefix(q, "count by"):
			return vector(one("1", "__name__", "circuit_breaker_state"), one("1", "__name__", "circuit_breaker_requests_total"))
		case strings.Contains(q, "circuit_breaker_state"):
			return vector(one("1", "name", "payment", "state", "open"))
		default:
			return obj{"status": "error", "errorType": "timeout", "error": "query timed out"}
		}
	})
	set, err := open(t, f.URL, prometheus.Options{}).Breakers(t.Context())
	require.NoError(t, err)
	require.Equal(t, sources.BreakerOpen, set.Breakers[0].State)
	require.False(t, set.Breakers[0].Rate.OK)
	require.Len(t, set.Warnings, 1)
	require.Contains(t, set.Warnings[0], "circuit_breaker_requests_total cannot be read: prod: 127.0.0.1:")
	require.Contains(t, set.Warnings[0], "gave up on a query (query timed out)")
}

func TestAServerThatAsksForRestSaysForHowLongAndWhy(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Retry-After", "20")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = w.Write([]byte(`{"status":"error","errorType":"too_many_requests","error":"rate limit"}`))
	}))
	defer srv.Close()
	_, err := open(t, srv.URL, prometheus.Options{}).Breakers(t.Context())
	after, _ := sources.RetryAfter(err)
	require.Equal(t, 20*time.Second, after)
	require.True(t, strings.HasSuffix(sources.Sentence(err), "answered 429 Too Many Requests (rate limit), not to be asked again for 20s"), err)
}
