package metrics_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
)

// spring is two instances of one application and one of another, as Micrometer exports
// resilience4j.
func spring() *world {
	const app, a, b = "orders", "10.0.0.1:8080", "10.0.0.2:8080"
	state := func(v float64, app, instance, name, word string) metrics.Series {
		return at(v, "application", app, "instance", instance, "name", name, "state", word)
	}
	calls := func(v float64, instance, kind string) metrics.Series {
		return at(v, "application", app, "instance", instance, "name", "payments", "kind", kind)
	}
	return &world{
		series: map[string][]metrics.Series{
			"resilience4j_circuitbreaker_state": {
				state(1, app, a, "payments", "open"), state(0, app, a, "payments", "closed"),
				state(1, app, b, "payments", "closed"), state(0, app, b, "payments", "open"),
				state(1, app, a, "search", "closed"), state(1, "billing", "10.0.0.9:8080", "ledger", "closed"),
			},
			"resilience4j_circuitbreaker_calls_seconds_count":       {calls(8, a, "failed"), calls(2, a, "successful"), calls(10, b, "successful")},
			"resilience4j_circuitbreaker_not_permitted_calls_total": {calls(5, a, "not_permitted")},
			"resilience4j_circuitbreaker_buffered_calls":            {calls(60, a, "failed"), calls(40, a, "successful"), calls(7, b, "successful")},
		},
		hists: map[string][]metrics.Hist{"resilience4j_circuitbreaker_calls_seconds": {{
			Labels:  pairs([]string{"application", app, "name", "payments"}),
			Classic: []metrics.Bucket{{Upper: 0.1, Count: 5}, {Upper: 0.2, Count: 10}, {Upper: math.Inf(1), Count: 10}},
		}}},
	}
}

func plan(t *testing.T) *metrics.Plan {
	t.Helper()
	p, err := metrics.Config{}.Compile()
	require.NoError(t, err)
	return p
}

func TestABreakerInDepthIsEachInstanceWithItsOwnNumbers(t *testing.T) {
	t.Parallel()
	w, p := spring(), plan(t)
	_, _, err := p.Breakers(t.Context(), "prom", w)
	require.NoError(t, err)
	w.asked = nil
	d, err := p.InspectBreaker(t.Context(), "payments", w)
	require.NoError(t, err)
	require.LessOrEqual(t, len(w.asked), 6, "a detail is a few questions")
	require.Len(t, d.Instances, 2)
	a, b := d.Instances[0], d.Instances[1]
	require.Equal(t, "10.0.0.1:8080", a.Name)
	require.Equal(t, sources.BreakerOpen, a.State)
	require.InDelta(t, 0.8, a.ErrorRatio.V, 1e-12)
	require.Equal(t, sources.Some(100.0), a.Buffered)
	require.Equal(t, sources.Some(60.0), a.Failed)
	require.Equal(t, sources.BreakerClosed, b.State)
	require.Equal(t, sources.Some(7.0), b.Buffered)
	require.False(t, b.Failed.OK, "what is not exported is absent, not 0")
	require.Equal(t, sources.Quantile{Seconds: 0.1, OK: true}, d.P50)
	require.InDelta(t, 0.198, d.P99.Seconds, 1e-12)
	require.Contains(t, d.Quantiles, "over 1m0s")
}

func TestABreakerInDepthIsFoundWithoutAListBefore(t *testing.T) {
	t.Parallel()
	d, err := plan(t).InspectBreaker(t.Context(), "search", spring())
	require.NoError(t, err)
	require.Len(t, d.Instances, 1)
	require.False(t, d.Instances[0].Buffered.OK)
	require.False(t, d.P50.OK)
	_, err = plan(t).InspectBreaker(t.Context(), "nosuch", spring())
	require.ErrorIs(t, err, sources.ErrNotFound)
}

func TestWithoutBucketsItIsSaidThatThereAreNoQuantiles(t *testing.T) {
	t.Parallel()
	w := spring()
	w.hists = nil
	d, err := plan(t).InspectBreaker(t.Context(), "payments", w)
	require.NoError(t, err)
	require.Contains(t, d.Quantiles, "has no buckets, so there are no quantiles")
}

func TestTheGreatestQuantileOfSummariesIsShownAndSaidToBeThat(t *testing.T) {
	t.Parallel()
	circuit := func(v float64, event string) metrics.Series {
		return at(v, "job", "shop", "name", "pay", "instance", "a", "event", event)
	}
	perf := func(v float64, instance, q string) metrics.Series {
		return at(v, "job", "shop", "name", "pay", "instance", instance, "event", "success", "quantile", q)
	}
	w := &world{series: map[string][]metrics.Series{
		"circuit":            {circuit(3, "open"), circuit(3, "close"), circuit(9, "success")},
		"circuit_perf":       {perf(20, "a", "0.5"), perf(30, "b", "0.5"), perf(900, "a", "0.99"), perf(math.NaN(), "b", "0.99")},
		"circuit_perf_count": {at(10, "job", "shop", "name", "pay", "instance", "a")},
	}}
	d, err := plan(t).InspectBreaker(t.Context(), "pay", w)
	require.NoError(t, err)
	require.Equal(t, sources.Quantile{Seconds: 0.03, OK: true}, d.P50)
	require.Equal(t, sources.Quantile{Seconds: 0.9, OK: true}, d.P99)
	require.False(t, d.P90.OK)
	require.Equal(t, "circuit_perf, the greatest of 2", d.Quantiles)
}

func TestTheStateAtAMomentIsTheWorstOverTheInstances(t *testing.T) {
	t.Parallel()
	w, p := spring(), plan(t)
	_, _, err := p.Breakers(t.Context(), "prom", w)
	require.NoError(t, err)
	state, known, err := p.BreakerAt(t.Context(), "payments", w)
	require.NoError(t, err)
	require.True(t, known)
	require.Equal(t, sources.BreakerOpen, state)
	gone := spring()
	gone.series["resilience4j_circuitbreaker_state"] = gone.series["resilience4j_circuitbreaker_state"][4:]
	_, known, err = p.BreakerAt(t.Context(), "payments", gone)
	require.NoError(t, err)
	require.False(t, known, "a moment without samples tells nothing")
}

func TestTheOldResilience4jModuleExportsByHowManyCallsItDecides(t *testing.T) {
	t.Parallel()
	calls := func(v float64, instance, result string) metrics.Series {
		return at(v, "name", "pay", "instance", instance, "call_result", result)
	}
	w := &world{series: map[string][]metrics.Series{
		"circuit_breaker_states": {at(1, "name", "pay", "instance", "a", "state", "closed"), at(1, "name", "pay", "instance", "b", "state", "closed")},
		"circuit_breaker_calls": {
			calls(90, "a", "successful"), calls(10, "a", "failed"), calls(100, "a", "buffered"), calls(100, "a", "buffered_max"),
			calls(4, "b", "not_permitted"), calls(100, "b", "buffered_max"),
		},
	}}
	d, err := plan(t).InspectBreaker(t.Context(), "pay", w)
	require.NoError(t, err)
	require.Equal(t, []sources.Fact{{Name: "decides by", Text: "its last 100 calls"}}, d.Facts)
	require.Equal(t, sources.Some(100.0), d.Instances[0].Buffered)
	require.Equal(t, sources.Some(10.0), d.Instances[0].Failed)
	require.False(t, d.Instances[1].Buffered.OK, "what holds calls is no call")
	w.series["circuit_breaker_calls"][5] = calls(50, "b", "buffered_max")
	d, err = plan(t).InspectBreaker(t.Context(), "pay", w)
	require.NoError(t, err)
	require.Equal(t, "its last 50 to 100 calls", d.Facts[0].Text)
}
