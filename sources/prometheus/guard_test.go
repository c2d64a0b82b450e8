package prometheus_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/prometheus"
)

// askedOf counts the requests of a source.
type askedOf struct{ n atomic.Int64 }

func (c *askedOf) RoundTrip(req *http.Request) (*http.Response, error) {
	c.n.Add(1)
	return http.DefaultTransport.RoundTrip(req)
}

func TestAGuardIsMeasuredByOneQueryOfARealServer(t *testing.T) {
	t.Parallel()
	exp := exporter(t)
	url, _, good := startServer(t, exp.URL)
	var asked askedOf
	s, err := prometheus.New("prom", url, prometheus.Options{Transport: &asked})
	require.NoError(t, err)
	measure := func(m sources.Measurement) (sources.GuardSample, error) {
		before := asked.n.Load()
		got, err := s.Measure(t.Context(), m)
		require.EqualValues(t, 1, asked.n.Load()-before, "one query")
		return got, err
	}
	const failed = `sum(rate(circuit_breaker_requests_total{result="failure"}[10s])) / sum(rate(circuit_breaker_requests_total{result=~"success|failure"}[10s]))`
	const calls = `sum(increase(circuit_breaker_requests_total[10s]))`

	got, err := measure(sources.Measurement{Value: failed + " # a comment", Count: calls})
	require.NoError(t, err)
	require.InDelta(t, 0.4, got.Value.V, 1e-6)
	require.Greater(t, got.Count.V, 100.0)
	require.False(t, got.Base.OK)

	got, err = measure(sources.Measurement{Value: `sum(circuit_breaker_requests_total)`, Before: good.at})
	require.NoError(t, err)
	require.True(t, got.Base.OK)
	require.Greater(t, got.Value.V, got.Base.V-1, "a counter does not fall")
	got, err = measure(sources.Measurement{Value: `sum(circuit_breaker_requests_total)`, Before: good.at.Add(-time.Hour)})
	require.NoError(t, err)
	require.False(t, got.Base.OK, "an hour ago nobody measured")

	byVariant := sources.Measurement{
		Value: `sum by (feature_flag_result_variant) (rate(feature_flag_evaluations_total{feature_flag_key="checkout-v2"}[10s]))`,
		Count: `sum by (feature_flag_result_variant) (increase(feature_flag_evaluations_total{feature_flag_key="checkout-v2"}[10s]))`,
		Label: "feature_flag_result_variant", Variant: "on", Baseline: "off",
	}
	got, err = measure(byVariant)
	require.NoError(t, err)
	require.InDelta(t, 3.0/7, got.Value.V/got.Base.V, 1e-6)
	require.InDelta(t, 3.0/7, got.Count.V/got.BaseCount.V, 1e-6)
	byVariant.Variant = "beta"
	got, err = measure(byVariant)
	require.NoError(t, err)
	require.False(t, got.Value.OK, "a cohort that is not there is absent")
	require.True(t, got.Base.OK)

	got, err = measure(sources.Measurement{Value: `sum(rate(no_such_metric[1m]))`, Count: `sum(increase(no_such_metric[1m]))`})
	require.NoError(t, err)
	require.False(t, got.Value.OK)
	require.False(t, got.Count.OK)
	got, err = measure(sources.Measurement{Value: `sum(rate(circuit_breaker_requests_total[10s])) * 0 / 0`})
	require.NoError(t, err)
	require.False(t, got.Value.OK, "what is no number is absent")

	for query, want := range map[string]string{
		`sum(rate(x[1m])`:                "refuses a query",
		`circuit_breaker_requests_total`: "3 series where one is wanted, sum them up",
		`1`:                              "refuses a query",
	} {
		_, err = measure(sources.Measurement{Value: query})
		require.ErrorIs(t, err, sources.ErrInvalid, query)
		require.ErrorContains(t, err, want, query)
	}
}
