package prometheus_test

import (
	"slices"
	"testing"
	"time"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
	"relctl-tui/sources/prometheus"
)

const exact = 1e-9

// sameNumber holds one cell against PromQL's answer. What is absent there must be
// absent here.
func sameNumber(t *testing.T, a v1.API, at time.Time, query string, got sources.Value, cell string) {
	t.Helper()
	want, there := 0.0, false
	if query != "" {
		want, there = oracle(t, a, at, query)
	}
	require.Equal(t, there, got.OK, "%s: %v, PromQL says %v to %s", cell, got, want, query)
	require.InDelta(t, want, got.V, exact*max(1, want), "%s: %s", cell, query)
}

// moments are when the board looks: at the newest samples, between two, and at what
// was then the past.
var moments = []time.Time{stepTime(steps - 1), stepTime(steps - 1).Add(7300 * time.Millisecond), stepTime(30)}

func TestEveryCellOfTheBreakersIsPromQLsOwnAnswer(t *testing.T) {
	t.Parallel()
	r := newRecording()
	all, rules := r.breakers()
	url, a := backfilled(t, r, "")
	known := map[string]bool{}
	for _, at := range moments {
		s := open(t, url, prometheus.Options{Metrics: metrics.Config{Breakers: rules}, Transport: pinned{at: at}})
		set, err := s.Breakers(t.Context())
		require.NoError(t, err)
		require.Empty(t, set.Warnings)
		rows := map[string]sources.Breaker{}
		for _, b := range set.Breakers {
			rows[b.Name] = b
		}
		require.Len(t, rows, len(set.Breakers))
		for i := range all {
			c := &all[i]
			known[c.preset] = true
			row, shown := rows[c.name]
			delete(rows, c.name)
			n, exported := oracle(t, a, at, c.instances)
			require.Equal(t, exported, shown, "%s at %s", c.name, at)
			if !shown {
				continue
			}
			sameBreaker(t, a, at, c, row, int(n))
		}
		require.Empty(t, rows, "rows that nobody recorded")
	}
	for _, preset := range metrics.BreakerPresets(nil) {
		require.True(t, known[preset], "preset %s is held against nothing", preset)
	}
}

func sameBreaker(t *testing.T, a v1.API, at time.Time, c *cells, row sources.Breaker, instances int) {
	t.Helper()
	require.Equal(t, c.preset, row.Preset, c.name)
	require.Equal(t, instances, row.Instances, c.name)
	open, _ := oracle(t, a, at, c.open)
	require.Equal(t, int(open), row.OpenInstances, c.name) // no answer counts none
	state := ""
	for _, w := range c.states {
		if n, ok := oracle(t, a, at, w.query); ok && n > 0 {
			state = w.word
			break
		}
	}
	require.Equal(t, state, row.State.String(), c.name)
	sameNumber(t, a, at, c.rate, row.Rate, c.name+": rate")
	sameNumber(t, a, at, c.failed, row.ErrorRatio, c.name+": errors")
	sameNumber(t, a, at, c.rejected, row.RejectRate, c.name+": rejected")
}

func TestEveryCellOfTheLatenciesIsPromQLsOwnAnswer(t *testing.T) {
	t.Parallel()
	r := newRecording()
	services := r.latencies()
	url, a := backfilled(t, r, "")
	auto := slices.DeleteFunc(slices.Clone(services), func(c latencyCells) bool { return !c.measured.auto })
	rules, rows := latencyRules()
	for _, at := range moments {
		sameLatencies(t, url, a, at, metrics.Config{Interpolation: metrics.Linear}, auto)
		sameLatencies(t, url, a, at, metrics.Config{Interpolation: metrics.Linear, Latency: rules}, rows)
		sameExposures(t, url, a, at)
	}
	sameTrends(t, url, a, auto)
	for _, preset := range metrics.LatencyPresets(nil) {
		require.True(t, slices.ContainsFunc(everyPreset, func(m measured) bool { return m.preset == preset }), "preset %s is held against nothing", preset)
	}
}

func sameLatencies(t *testing.T, url string, a v1.API, at time.Time, cfg metrics.Config, want []latencyCells) {
	t.Helper()
	s := open(t, url, prometheus.Options{Metrics: cfg, Transport: pinned{at: at}})
	set, err := s.Latencies(t.Context())
	require.NoError(t, err)
	require.Empty(t, set.Warnings)
	rows := map[string]sources.Latency{}
	for _, l := range set.Latencies {
		rows[l.Name] = l
	}
	require.Len(t, rows, len(set.Latencies))
	for i := range want {
		c := &want[i]
		row, shown := rows[c.name]
		delete(rows, c.name)
		_, exported := oracle(t, a, at, c.there)
		require.Equal(t, exported || len(cfg.Latency) > 0, shown, "%s at %s", c.name, at)
		if shown {
			sameLatency(t, a, at, c, &row)
		}
	}
	require.Empty(t, rows, "rows that nobody recorded")
}

func sameLatency(t *testing.T, a v1.API, at time.Time, c *latencyCells, row *sources.Latency) {
	t.Helper()
	sameNumber(t, a, at, c.rate, row.Rate, c.name+": rate")
	sameNumber(t, a, at, c.failed, row.ErrorRatio, c.name+": errors")
	if _, broken := oracle(t, a, at, c.noNumber); broken {
		// PromQL names one bound or another here; we say nothing.
		require.False(t, row.P50.OK || row.P95.OK || row.P99.OK, c.name)
		return
	}
	for q, cell := range map[string]struct {
		query string
		got   sources.Quantile
	}{"0.5": {c.p50, row.P50}, "0.95": {c.p95, row.P95}, "0.99": {c.p99, row.P99}} {
		sameNumber(t, a, at, cell.query, sources.Value{V: cell.got.Seconds, OK: cell.got.OK}, c.name+": "+q)
		over := false
		if cell.got.OK && !c.measured.summary {
			_, over = oracle(t, a, at, c.over(q))
		}
		require.Equal(t, over, cell.got.Over, "%s: %s", c.name, q)
	}
}

func sameExposures(t *testing.T, url string, a v1.API, at time.Time) {
	t.Helper()
	set, err := open(t, url, prometheus.Options{Transport: pinned{at: at}}).Exposures(t.Context())
	require.NoError(t, err)
	const all = `feature_flag_evaluations_total{feature_flag_key="flag-0"`
	for _, variant := range []string{"on", "off", "beta"} {
		sameNumber(t, a, at, share(perSecond(all+`,feature_flag_result_variant="`+variant+`"}`), perSecond(all+"}")),
			set.Exposure("flag-0", variant), variant)
	}
	require.False(t, set.Exposure("flag-1", "on").OK, "nobody evaluated it")
}

func sameTrends(t *testing.T, url string, a v1.API, services []latencyCells) {
	t.Helper()
	const points = 20
	at := moments[1]
	s := open(t, url, prometheus.Options{Metrics: metrics.Config{Interpolation: metrics.Linear}, Transport: pinned{at: at}})
	trends, err := s.Trends(t.Context(), points, stepSpan)
	require.NoError(t, err)
	require.Len(t, trends, len(services), "those that stopped were there once")
	for i := range services {
		c := &services[i]
		for k, p99 := range trends[c.name] {
			then := at.Add(-time.Duration(points-1-k) * stepSpan)
			if _, broken := oracle(t, a, then, c.noNumber); !broken {
				sameNumber(t, a, then, c.p99, sources.Measured(p99), c.name+": trend")
			}
		}
	}
}
