package metrics_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
)

func readBreakers(t *testing.T, w *world, rules ...metrics.BreakerRule) ([]sources.Breaker, []string) {
	t.Helper()
	p, err := metrics.Config{Breakers: rules}.Compile()
	require.NoError(t, err)
	rows, warns, err := p.Breakers(t.Context(), "prod", w)
	require.NoError(t, err)
	return rows, warns
}

func TestResilience4jReadsEachStateAndItsFailureRate(t *testing.T) {
	t.Parallel()
	const m = "resilience4j_circuitbreaker_"
	w := &world{series: map[string][]metrics.Series{
		m + "state": {
			at(1, "name", "a", "state", "closed"), at(0, "name", "a", "state", "open"),
			at(1, "name", "b", "state", "half_open"), at(0, "name", "b", "state", "closed"),
			at(1, "name", "c", "state", "forced_open"), at(1, "name", "d", "state", "metrics_only"),
			at(1, "name", "e", "state", "sideways"), at(0, "name", "f", "state", "open"),
		},
		m + "failure_rate":              {at(-1, "name", "a"), at(42, "name", "b"), at(math.NaN(), "name", "c")},
		m + "calls_seconds_count":       {at(9, "name", "a", "kind", "successful"), at(1, "name", "a", "kind", "failed"), at(0, "name", "c", "kind", "failed")},
		m + "not_permitted_calls_total": {at(7, "name", "c", "kind", "not_permitted")},
	}}
	rows, _ := readBreakers(t, w)
	got := map[string]sources.Breaker{}
	for _, r := range rows {
		got[r.Name] = r
	}
	require.Equal(t, sources.BreakerClosed, got["a"].State)
	require.InDelta(t, 0.1, got["a"].ErrorRatio.V, 1e-9, "below the minimum of calls, the counters still know")
	require.Equal(t, sources.BreakerHalfOpen, got["b"].State)
	require.InDelta(t, 0.42, got["b"].ErrorRatio.V, 1e-9)
	require.False(t, got["b"].Rate.OK)
	require.Equal(t, sources.BreakerForcedOpen, got["c"].State)
	require.Equal(t, 1, got["c"].OpenInstances)
	require.Equal(t, sources.Some(7.0), got["c"].RejectRate)
	require.False(t, got["c"].ErrorRatio.OK, "no calls is no ratio, not 0 %")
	require.Equal(t, sources.BreakerDisabled, got["d"].State)
	require.Equal(t, sources.BreakerUnknown, got["e"].State)
	require.Equal(t, "unmapped (sideways?)", got["e"].Note)
	require.Equal(t, "no state is active", got["f"].Note)
	require.Equal(t, "c", rows[0].Name, "worst first")
}

func TestTheTwoConventionsForNumbersAreOppositeAndNeitherIsGuessed(t *testing.T) {
	t.Parallel()
	w := &world{series: map[string][]metrics.Series{"cb_state": {at(1, "name", "payment")}}}
	for preset, want := range map[string]sources.BreakerState{
		"gobreaker": sources.BreakerHalfOpen, "failsafe": sources.BreakerOpen,
	} {
		rows, _ := readBreakers(t, w, metrics.BreakerRule{Preset: preset, Metric: "cb_state"})
		require.Equal(t, want, rows[0].State, preset)
		require.Empty(t, rows[0].Note)
	}
	rows, _ := readBreakers(t, w, metrics.BreakerRule{Metric: "cb_state"})
	require.Equal(t, sources.BreakerUnknown, rows[0].State)
	require.Equal(t, "unmapped (1?)", rows[0].Note)

	rows, _ = readBreakers(t, w, metrics.BreakerRule{Metric: "cb_state", Values: map[string]string{"0": "closed", "1": "forced-open"}})
	require.Equal(t, sources.BreakerForcedOpen, rows[0].State)

	w.series = map[string][]metrics.Series{"circuit_breaker_state": {at(2, "name", "payment")}}
	rows, _ = readBreakers(t, w)
	require.Equal(t, "unmapped (2?)", rows[0].Note, "a number under a one-hot preset is no state either")
}

func TestInstancesThatDisagreeShowTheWorstNeverAnAverage(t *testing.T) {
	t.Parallel()
	w := &world{series: map[string][]metrics.Series{"circuit_breaker_state": {
		at(1, "name", "payment", "state", "closed", "job", "checkout", "instance", "a"),
		at(1, "name", "payment", "state", "half-open", "job", "checkout", "instance", "b"),
		at(1, "name", "payment", "state", "open", "job", "checkout", "instance", "c"),
		at(0, "name", "payment", "state", "closed", "job", "checkout", "instance", "c"),
	}}}
	rows, _ := readBreakers(t, w)
	require.Len(t, rows, 1)
	require.Equal(t, sources.BreakerOpen, rows[0].State)
	require.Equal(t, 3, rows[0].Instances)
	require.Equal(t, 1, rows[0].OpenInstances)

	w.series["circuit_breaker_state"] = append(w.series["circuit_breaker_state"],
		at(1, "name", "payment", "state", "closed", "job", "refunds", "instance", "d"))
	rows, _ = readBreakers(t, w)
	require.Equal(t, []string{"checkout/payment", "refunds/payment"}, []string{rows[0].Name, rows[1].Name})
}

func TestDaprIsReadUnderEitherPrefix(t *testing.T) {
	t.Parallel()
	for _, metric := range []string{"dapr_resiliency_cb_state", "resiliency_cb_state"} {
		w := &world{series: map[string][]metrics.Series{metric: {
			at(1, "app_id", "shop", "name", "cb", "target", "pay", "status", "half-open"),
			at(0, "app_id", "shop", "name", "cb", "target", "pay", "status", "unknown"),
		}}}
		rows, _ := readBreakers(t, w)
		require.Equal(t, "shop/cb/pay", rows[0].Name)
		require.Equal(t, sources.BreakerHalfOpen, rows[0].State)
	}
}

func TestHostileNamesAreCleanedAndStayApart(t *testing.T) {
	t.Parallel()
	w := &world{series: map[string][]metrics.Series{"circuit_breaker_state": {
		at(1, "name", "a\x1b[2J", "state", "closed"), at(1, "name", "a\x07[2J", "state", "closed"),
	}}}
	rows, _ := readBreakers(t, w)
	require.ElementsMatch(t, []string{"a∙[2J", "a∙[2J (2)"}, []string{rows[0].Name, rows[1].Name})
}

func TestABreakerRuleSelectsAndNames(t *testing.T) {
	t.Parallel()
	w := &world{series: map[string][]metrics.Series{"circuit_breaker_state": {
		at(1, "name", "x", "peer", "bank", "state", "open", "env", "prod"),
		at(1, "name", "x", "peer", "post", "state", "open", "env", "test"),
	}}}
	rows, _ := readBreakers(t, w, metrics.BreakerRule{Preset: "generic", Match: `env="prod"`, NameLabel: "peer"})
	require.Len(t, rows, 1)
	require.Equal(t, "bank", rows[0].Name)

	_, warns := readBreakers(t, w, metrics.BreakerRule{Preset: "failsafe", Metric: "nowhere"})
	require.Equal(t, []string{"nowhere is not exported, so its breakers are missing"}, warns)
}

func TestExposureTakesThePreferredCounterAndSkipsFlagsWithoutTraffic(t *testing.T) {
	t.Parallel()
	w := &world{series: map[string][]metrics.Series{
		"feature_flag_evaluations_total": {
			at(1, "feature_flag_key", "a", "feature_flag_result_variant", "on"),
			at(3, "feature_flag_key", "a", "feature_flag_result_variant", "off"),
			at(0, "feature_flag_key", "quiet", "feature_flag_result_variant", "on"),
			at(math.Inf(1), "feature_flag_key", "odd", "feature_flag_result_variant", "on"),
		},
		"feature_flag_flagd_impression_total": {
			at(9, "feature_flag_key", "a", "feature_flag_variant", "on"),
			at(5, "feature_flag_key", "b", "feature_flag_variant", "on"),
		},
	}}
	p, err := metrics.Config{}.Compile()
	require.NoError(t, err)
	by, warns, err := p.Exposures(t.Context(), w)
	require.NoError(t, err)
	require.Empty(t, warns)
	require.Equal(t, map[string]map[string]float64{"a": {"on": 0.25, "off": 0.75}, "b": {"on": 1}}, by)
}
