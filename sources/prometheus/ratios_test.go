package prometheus_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
	"relctl-tui/sources/prometheus"
)

func TestThePastOfARatioIsOnOurClockWhateverTheServersSays(t *testing.T) {
	t.Parallel()
	page := exporter(t)
	server, _, _ := startServer(t, page.URL)
	off := func() time.Time { return time.Now().Add(-time.Hour) }
	s, err := prometheus.New("prod", server, prometheus.Options{Now: off, Metrics: metrics.Config{
		Window: 10 * time.Second,
		Ratios: []metrics.RatioRule{
			{Name: "counted", Metric: "circuit_breaker_requests_total", Match: `name="payment"`, Bad: `result="failure"`},
			{Name: "asked", Query: `sum(rate(circuit_breaker_requests_total{result="failure"}[10s])) / sum(rate(circuit_breaker_requests_total[10s]))`},
			{Name: "several", Query: `circuit_breaker_requests_total`},
			{Name: "nothing", Metric: "no_such_total", Bad: `a="b"`},
			{Name: "wrong", Query: `sum(`},
		},
	}})
	require.NoError(t, err)
	for _, name := range []string{"counted", "asked"} {
		samples, err := s.Ratios(t.Context(), name, 30*time.Second)
		require.NoError(t, err, name)
		require.NotEmpty(t, samples, name)
		newest := samples[len(samples)-1]
		require.True(t, newest.Ratio.OK)
		require.InDelta(t, 40.0/110, newest.Ratio.V, 1e-6, name)
		require.Equal(t, name == "counted", newest.Rate.OK)
		require.WithinDuration(t, off(), newest.At, 10*time.Second, name)
		require.Less(t, len(samples), 32, "there was no server 30 s ago, and no step is shorter than a second")
		for i := 1; i < len(samples); i++ {
			require.True(t, samples[i].At.After(samples[i-1].At))
		}
	}
	none, err := s.Ratios(t.Context(), "nothing", time.Minute)
	require.NoError(t, err)
	require.Empty(t, none, "what is not exported is no ratio of 0")
	_, err = s.Ratios(t.Context(), "several", time.Minute)
	require.ErrorIs(t, err, sources.ErrInvalid)
	require.ErrorContains(t, err, "where one is needed")
	_, err = s.Ratios(t.Context(), "wrong", time.Minute)
	require.ErrorIs(t, err, sources.ErrInvalid)
	_, err = s.Ratios(t.Context(), "no such rule", time.Minute)
	require.ErrorIs(t, err, sources.ErrNotFound)
}
