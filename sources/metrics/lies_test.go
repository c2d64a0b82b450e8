package metrics_test

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
)

// states reads the breakers of a plan again and again, as a board does.
func states(t *testing.T, w *world) func(series ...metrics.Series) map[string]sources.Breaker {
	t.Helper()
	p, err := metrics.Config{}.Compile()
	require.NoError(t, err)
	return func(series ...metrics.Series) map[string]sources.Breaker {
		w.series = map[string][]metrics.Series{"circuit_breaker_state": series}
		rows, _, err := p.Breakers(t.Context(), "prod", w)
		require.NoError(t, err)
		out := map[string]sources.Breaker{}
		for _, r := range rows {
			out[r.Name] = r
		}
		require.Len(t, out, len(rows))
		return out
	}
}

func TestABreakerKeepsItsNameWhateverItsState(t *testing.T) {
	t.Parallel()
	read := states(t, &world{})
	first, other := at(1, "name", "a\x07", "state", "closed"), at(1, "name", "a\x1b", "state", "closed")
	read(first, other)
	require.Equal(t, sources.BreakerOpen, read(first, at(1, "name", "a\x1b", "state", "open"))[sources.Clean("a\x1b", 9)+" (2)"].State)
	require.Equal(t, sources.BreakerOpen, read(at(1, "name", "a\x07", "state", "open"), other)[sources.Clean("a\x07", 9)].State)
}

func TestABreakerKeepsItsServicesNameWhenTheOtherServiceGoesDown(t *testing.T) {
	t.Parallel()
	read := states(t, &world{})
	mine, other := at(1, "name", "pay", "job", "checkout", "state", "open"), at(1, "name", "pay", "job", "refunds", "state", "open")
	require.Contains(t, read(mine, other), "checkout/pay")
	require.Contains(t, read(mine), "checkout/pay", "while refunds restarts, nothing is renamed")
}

func TestAStateThatIsNoNumberIsUnknownAndDoesNotDisappear(t *testing.T) {
	t.Parallel()
	read := states(t, &world{})
	got := read(at(math.NaN(), "name", "pay", "state", "open"))
	require.Equal(t, sources.BreakerUnknown, got["pay"].State)
	require.Equal(t, "no state is active", got["pay"].Note)

	w := &world{series: map[string][]metrics.Series{"cb_state": {at(math.NaN(), "name", "pay")}}}
	rows, _ := readBreakers(t, w, metrics.BreakerRule{Preset: "gobreaker", Metric: "cb_state"})
	require.Len(t, rows, 1)
	require.Equal(t, "unmapped (NaN?)", rows[0].Note)
}

func TestCallsThatTheBreakerIgnoresAreCallsAndNoSuccesses(t *testing.T) {
	t.Parallel()
	const m = "resilience4j_circuitbreaker_"
	rows, _ := readBreakers(t, &world{series: map[string][]metrics.Series{
		m + "state": {at(1, "name", "a", "state", "closed")},
		m + "calls_seconds_count": {
			at(1, "name", "a", "kind", "failed"), at(1, "name", "a", "kind", "successful"), at(8, "name", "a", "kind", "ignored"),
		},
	}})
	require.Equal(t, sources.Some(10.0), rows[0].Rate)
	require.Equal(t, sources.Some(0.5), rows[0].ErrorRatio)
}

func TestACountThatIsNoNumberLeavesTheRatioAndTheRateAbsent(t *testing.T) {
	t.Parallel()
	for _, bad := range []float64{math.Inf(1), math.NaN()} {
		for _, result := range []string{"failure", "success"} {
			rows, _ := readBreakers(t, &world{series: map[string][]metrics.Series{
				"circuit_breaker_state": {at(1, "name", "a", "state", "closed")},
				"circuit_breaker_requests_total": {
					at(bad, "name", "a", "result", result),
					at(1, "name", "a", "result", map[string]string{"failure": "success", "success": "failure"}[result]),
				},
			}})
			require.Equal(t, sources.Value{}, rows[0].ErrorRatio, "0 % or 100 % of what is left would be a lie")
			require.Equal(t, sources.Value{}, rows[0].Rate)

			code := map[string]string{"failure": "500", "success": "200"}
			latencies, _, err := mustPlan(t).Latencies(t.Context(), "prod", &world{series: map[string][]metrics.Series{
				"http_request_duration_seconds_count": {at(bad, "job", "a", "code", code[result]), at(1, "job", "a", "code", "404")},
			}})
			require.NoError(t, err)
			require.Equal(t, sources.Value{}, latencies[0].ErrorRatio)
			require.Equal(t, sources.Value{}, latencies[0].Rate)
		}
	}
}

func mustPlan(t *testing.T) *metrics.Plan {
	t.Helper()
	p, err := metrics.Config{}.Compile()
	require.NoError(t, err)
	return p
}

func TestBreakersNamedByAnotherLabelAreNotMergedIntoOne(t *testing.T) {
	t.Parallel()
	read := states(t, &world{})
	got := read(at(1, "breaker", "bank", "job", "x", "state", "open"), at(1, "breaker", "post", "job", "x", "state", "closed"))
	require.Equal(t, sources.BreakerOpen, got["bank"].State)
	require.Equal(t, sources.BreakerClosed, got["post"].State)
}

// failing is a world in which one metric's query fails, as one that times out does.
type failing struct {
	world
	metric string
}

func (f *failing) Ask(ctx context.Context, queries []metrics.Query) ([]metrics.Answer, error) {
	out, err := f.world.Ask(ctx, queries)
	for i := range queries {
		if queries[i].Metric != f.metric {
			continue
		}
		if !queries[i].Optional {
			return nil, sources.ErrUnavailable
		}
		out[i] = metrics.Answer{Err: sources.ErrUnavailable}
	}
	return out, err
}

func TestStatesAreShownWhenTheCountsOfCallsCannotBeRead(t *testing.T) {
	t.Parallel()
	f := &failing{metric: "circuit_breaker_requests_total", world: world{series: map[string][]metrics.Series{
		"circuit_breaker_state":          {at(1, "name", "pay", "state", "open")},
		"circuit_breaker_requests_total": {at(1, "name", "pay", "result", "failure")},
	}}}
	p, err := metrics.Config{}.Compile()
	require.NoError(t, err)
	rows, warns, err := p.Breakers(t.Context(), "prod", f)
	require.NoError(t, err)
	require.Equal(t, sources.BreakerOpen, rows[0].State)
	require.False(t, rows[0].Rate.OK || rows[0].ErrorRatio.OK, "absent, not 0")
	require.Equal(t, []string{"circuit_breaker_requests_total cannot be read: unavailable"}, warns)

	f.metric = "circuit_breaker_state"
	_, _, err = p.Breakers(t.Context(), "prod", f)
	require.ErrorIs(t, err, sources.ErrUnavailable)
}

func TestARegularExpressionMustBeOneByItself(t *testing.T) {
	t.Parallel()
	_, err := metrics.ParseMatch(`job=~"a)|(b"`)
	require.ErrorIs(t, err, sources.ErrInvalid)
}

func TestAutoLeavesAloneWhatAnotherRuleReads(t *testing.T) {
	t.Parallel()
	w := &world{series: map[string][]metrics.Series{
		"circuit_breaker_state":             {at(1, "name", "pay")},
		"resilience4j_circuitbreaker_state": {at(1, "name", "ledger", "state", "closed")},
	}}
	rows, _ := readBreakers(t, w,
		metrics.BreakerRule{Preset: "auto"}, metrics.BreakerRule{Preset: "failsafe", Metric: "circuit_breaker_state"})
	require.Len(t, rows, 2, "one row a breaker, however many rules would find it")
	require.Equal(t, "pay", rows[0].Name)
	require.Equal(t, sources.BreakerOpen, rows[0].State)
	require.Equal(t, "ledger", rows[1].Name)
}
