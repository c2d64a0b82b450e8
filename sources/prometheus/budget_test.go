package prometheus_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
	"relctl-tui/sources/prometheus"
)

// counted passes requests on and counts them. Queries are asked for one moment.
type counted struct {
	n    atomic.Int32
	next pinned
}

func (c *counted) RoundTrip(req *http.Request) (*http.Response, error) {
	c.n.Add(1)
	if req.Body == nil {
		return http.DefaultTransport.RoundTrip(req)
	}
	return c.next.RoundTrip(req)
}

// crowd is 50 services and 500 breakers, spread over every preset that finds its
// breakers and its services by itself.
func crowd() *recording {
	r := newRecording()
	for i := range 10 {
		for _, name := range []string{"http_server_request_duration_seconds", "http_server_requests_seconds", "http_request_duration_seconds"} {
			service := fmt.Sprintf(`service="%s-%d"`, name, i)
			r.histogram(name, service+`,status="200",code="200"`, []float64{.01, .1, 1}, .05, 20, fate{})
			r.histogram(name, service+`,status="500",code="500"`, []float64{.01, .1, 1}, .05, 2, fate{})
		}
		for _, service := range []string{fmt.Sprintf(`service="grpc-%d"`, i), fmt.Sprintf(`service="other-%d"`, i)} {
			r.histogram("grpc_server_handling_seconds", service, []float64{.01, .1, 1}, .05, 20, fate{})
			r.counter("grpc_server_handled_total", service+`,grpc_code="OK"`, 20, fate{})
		}
	}
	for i := range 50 {
		name := func(label string) string { return fmt.Sprintf(`%s="cb-%d"`, label, i) }
		for _, kind := range []string{"failed", "successful"} {
			r.counter("resilience4j_circuitbreaker_calls_seconds_count", name("name")+`,kind="`+kind+`"`, 9, fate{})
		}
		r.counter("resilience4j_circuitbreaker_not_permitted_calls_total", name("name"), 9, fate{})
		r.gauge("resilience4j_circuitbreaker_failure_rate", name("name"), 4, fate{})
		for _, state := range []string{"open", "closed"} {
			v := map[string]float64{"open": 1}[state]
			r.gauge("resilience4j_circuitbreaker_state", name("name")+`,state="`+state+`"`, v, fate{})
			r.gauge("circuit_breaker_states", name("name")+`,state="`+state+`"`, v, fate{})
			r.gauge("circuit_breaker_state", name("name")+`,state="`+state+`"`, v, fate{})
			r.gauge("dapr_resiliency_cb_state", name("name")+`,status="`+state+`"`, v, fate{})
			r.counter("ft_circuitbreaker_state_total", name("method")+`,state="`+state+`"`, 9*v, fate{})
		}
		r.counter("circuit_breaker_requests_total", name("name")+`,result="success"`, 9, fate{})
		r.counter("ft_circuitbreaker_calls_total", name("method")+`,circuitBreakerResult="success"`, 9, fate{})
		r.gauge("hystrix_circuit_breaker_open", name("key"), 1, fate{})
		r.counter("hystrix_execution_total", name("key")+`,event="success"`, 9, fate{})
		r.gauge("circuit", name("name")+`,event="open"`, 1, fate{})
		r.gauge("circuit_breaker_counter", name("name")+`,event="open"`, 1, fate{})
		r.gauge("envoy_cluster_outlier_detection_ejections_active", name("envoy_cluster_name"), 1, fate{})
		r.gauge("envoy_cluster_membership_total", name("envoy_cluster_name"), 9, fate{})
		r.gauge("envoy_cluster_circuit_breakers_default_cx_open", name("envoy_cluster_name"), 1, fate{})
		r.counter("feature_flag_evaluations_total", name("feature_flag_key")+`,feature_flag_result_variant="on"`, 9, fate{})
	}
	return r
}

func twelveAlerts() string {
	var b strings.Builder
	b.WriteString("groups:\n- name: all\n  rules:\n")
	for i := range 12 {
		fmt.Fprintf(&b, "  - {alert: alert-%d, expr: vector(1), labels: {severity: page}}\n", i)
	}
	return b.String()
}

// waitForTwelve waits until the server's rules have found their alerts.
func waitForTwelve(t *testing.T, s *prometheus.Source) {
	t.Helper()
	require.Eventually(t, func() bool {
		set, err := s.Alerts(t.Context())
		return err == nil && len(set.Alerts) == 12
	}, time.Minute, 50*time.Millisecond)
}

// refresh reads everything once.
func refresh(t *testing.T, s *prometheus.Source) (services, breakers, alerts int) {
	t.Helper()
	b, err := s.Breakers(t.Context())
	require.NoError(t, err)
	require.Empty(t, b.Warnings)
	l, err := s.Latencies(t.Context())
	require.NoError(t, err)
	require.Empty(t, l.Warnings)
	x, err := s.Exposures(t.Context())
	require.NoError(t, err)
	require.Len(t, x.ByKey, 50)
	a, err := s.Alerts(t.Context())
	require.NoError(t, err)
	for _, row := range b.Breakers {
		require.Equal(t, sources.BreakerOpen, row.State, row.Name)
	}
	for _, row := range l.Latencies {
		require.True(t, row.P99.OK && row.Rate.OK && row.ErrorRatio.OK, row.Name)
	}
	return len(l.Latencies), len(b.Breakers), len(a.Alerts)
}

// A refresh may cost 12 queries, two of which are left to what changes rarely.
func TestARefreshOf50Services500BreakersAnd12AlertsCostsSevenQueriesAndThenSix(t *testing.T) {
	t.Parallel()
	url, _ := backfilled(t, crowd(), twelveAlerts())
	wire := &counted{next: pinned{at: stepTime(steps - 1)}}
	now := time.Now()
	s, err := prometheus.New("prod", url, prometheus.Options{
		Transport: wire, Metrics: metrics.Config{}, Now: func() time.Time { return now },
	})
	require.NoError(t, err)
	waitForTwelve(t, s)

	wire.n.Store(0)
	services, breakers, alerts := refresh(t, s)
	require.Equal(t, []int{50, 500, 12}, []int{services, breakers, alerts})
	require.EqualValues(t, 7, wire.n.Load(), "what exists; states, calls; buckets, outcomes; evaluations; alerts")
	wire.n.Store(0)
	refresh(t, s)
	require.EqualValues(t, 6, wire.n.Load(), "what exists is remembered")
}

// Long spans are read rarely and few at a time, so that no refresh costs more than 12.
func TestWith50ObjectivesNoRefreshCostsMoreThan12Queries(t *testing.T) {
	t.Parallel()
	url, _ := backfilled(t, crowd(), twelveAlerts())
	wire := &counted{next: pinned{at: stepTime(steps - 1)}}
	now := time.Now()
	var rules []metrics.LatencyRule
	for i := range 10 {
		for _, name := range []string{"http_server_request_duration_seconds", "http_server_requests_seconds", "http_request_duration_seconds", "grpc", "other"} {
			service := fmt.Sprintf("%s-%d", name, i)
			rules = append(rules, metrics.LatencyRule{
				Name: service, Match: fmt.Sprintf("service=%q", service), SLO: 100 * time.Millisecond, Objective: 0.99,
			})
		}
	}
	s, err := prometheus.New("prod", url, prometheus.Options{
		Transport: wire, Metrics: metrics.Config{Latency: rules}, Now: func() time.Time { return now },
	})
	require.NoError(t, err)
	waitForTwelve(t, open(t, url, prometheus.Options{})) // another source: this one is to see them in its first refresh
	for range 12 {
		wire.n.Store(0)
		services, breakers, _ := refresh(t, s)
		set, err := s.Budgets(t.Context())
		require.NoError(t, err)
		require.Equal(t, []int{50, 500}, []int{services, breakers})
		require.Len(t, set.Budgets, 50)
		require.LessOrEqual(t, wire.n.Load(), int32(12))
		now = now.Add(5 * time.Second)
	}
	set, err := s.Budgets(t.Context())
	require.NoError(t, err)
	for name, b := range set.Budgets {
		require.True(t, b.Left.OK, name)
		require.Len(t, b.Burns, len(sources.BurnSpans()), name)
	}
}
