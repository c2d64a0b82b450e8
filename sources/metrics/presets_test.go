package metrics_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
)

func one(t *testing.T, w *world, rules ...metrics.BreakerRule) sources.Breaker {
	t.Helper()
	rows, _ := readBreakers(t, w, rules...)
	require.Len(t, rows, 1)
	return rows[0]
}

func TestHystrixIsOpenOrNotAndCountsWhatItShortCircuits(t *testing.T) {
	t.Parallel()
	b := one(t, &world{series: map[string][]metrics.Series{
		"hystrix_circuit_breaker_open": {at(1, "group", "shop", "key", "pay")},
		"hystrix_execution_total": {
			at(6, "group", "shop", "key", "pay", "event", "success"), at(2, "group", "shop", "key", "pay", "event", "timeout"),
			at(1, "group", "shop", "key", "pay", "event", "bad_request"), at(5, "group", "shop", "key", "pay", "event", "short_circuited"),
		},
	}})
	require.Equal(t, "shop/pay", b.Name)
	require.Equal(t, sources.BreakerOpen, b.State)
	require.InDelta(t, 0.25, b.ErrorRatio.V, 1e-9)
	require.Equal(t, sources.Some(5.0), b.RejectRate)
	require.Equal(t, "hystrix", b.Preset)
	require.False(t, b.Inferred)
}

func TestTheOldResilience4jModuleIsReadToo(t *testing.T) {
	t.Parallel()
	b := one(t, &world{series: map[string][]metrics.Series{"circuit_breaker_states": {
		at(0, "name", "pay", "state", "closed"), at(1, "name", "pay", "state", "forced_open"),
	}}})
	require.Equal(t, sources.BreakerForcedOpen, b.State)
}

func TestEnvoysLimitsAreLimitsAndEachOfThemIsARow(t *testing.T) {
	t.Parallel()
	w := &world{series: map[string][]metrics.Series{
		"envoy_cluster_circuit_breakers_default_rq_open": {at(1, "envoy_cluster_name", "pay"), at(0, "envoy_cluster_name", "ledger")},
		"envoy_cluster_circuit_breakers_high_cx_open":    {at(0, "envoy_cluster_name", "pay")},
	}}
	rows, _ := readBreakers(t, w)
	var got []string
	for _, b := range rows {
		require.True(t, b.Limit)
		got = append(got, b.Name+" "+b.State.String())
	}
	require.Equal(t, []string{"pay requests open", "ledger requests closed", "pay connections, high closed"}, got)
	require.Len(t, w.asked, 1, "however many limits there are, it is one question")
}

func TestEnvoysOutlierDetectionShowsHowManyHostsAreOut(t *testing.T) {
	t.Parallel()
	w := &world{series: map[string][]metrics.Series{
		"envoy_cluster_outlier_detection_ejections_active": {
			at(3, "envoy_cluster_name", "pay", "instance", "a"), at(1, "envoy_cluster_name", "pay", "instance", "b"),
			at(0, "envoy_cluster_name", "ledger", "instance", "a"),
		},
		"envoy_cluster_membership_total": {
			at(12, "envoy_cluster_name", "pay", "instance", "a"), at(12, "envoy_cluster_name", "pay", "instance", "b"),
			at(4, "envoy_cluster_name", "ledger", "instance", "a"),
		},
	}}
	rows, _ := readBreakers(t, w)
	require.Equal(t, sources.BreakerOpen, rows[0].State)
	require.Equal(t, 3, rows[0].OpenInstances)
	require.Equal(t, 12, rows[0].Instances)
	require.Equal(t, sources.BreakerClosed, rows[1].State)
	require.Equal(t, 4, rows[1].Instances)
}

func TestIstiosPoolIsALimitThatIsOpenWhileItRefuses(t *testing.T) {
	t.Parallel()
	flows := func(refused float64) *world {
		l := []string{"reporter", "source", "destination_workload_namespace", "shop", "destination_workload", "pay"}
		return &world{series: map[string][]metrics.Series{"istio_requests_total": {
			at(20, append(l, "response_flags", "-")...), at(refused, append(l, "response_flags", "UO")...),
			at(99, "reporter", "destination", "destination_workload_namespace", "shop", "destination_workload", "pay", "response_flags", "UO"),
		}}}
	}
	b := one(t, flows(4))
	require.Equal(t, "shop/pay", b.Name)
	require.Equal(t, sources.BreakerOpen, b.State)
	require.Equal(t, sources.Some(4.0), b.RejectRate)
	require.True(t, b.Inferred && b.Limit)
	require.Equal(t, sources.BreakerClosed, one(t, flows(0)).State)
}

func TestHAProxysServersAreBreakersAndWhatIsDrainedIsForced(t *testing.T) {
	t.Parallel()
	status := func(word string) *world {
		var all []metrics.Series
		for _, w := range []string{"UP", "DOWN", "MAINT", "DRAIN", "NOLB"} {
			v := 0.0
			if w == word {
				v = 1
			}
			all = append(all, at(v, "proxy", "api", "server", "s1", "state", w))
		}
		return &world{series: map[string][]metrics.Series{"haproxy_server_status": all}}
	}
	for word, want := range map[string]sources.BreakerState{
		"UP": sources.BreakerClosed, "DOWN": sources.BreakerOpen, "DRAIN": sources.BreakerForcedOpen, "MAINT": sources.BreakerForcedOpen,
	} {
		b := one(t, status(word))
		require.Equal(t, "api/s1", b.Name)
		require.Equal(t, want, b.State, word)
	}
}

func TestMicroProfilesStateIsTheOneWhoseTimeRuns(t *testing.T) {
	t.Parallel()
	b := one(t, &world{series: map[string][]metrics.Series{"ft_circuitbreaker_state_total": {
		at(0.2e9, "method", "pay", "state", "closed"), at(0.8e9, "method", "pay", "state", "open"), at(0, "method", "pay", "state", "halfOpen"),
	}}})
	require.Equal(t, sources.BreakerOpen, b.State)
	require.True(t, b.Inferred)
	b = one(t, &world{series: map[string][]metrics.Series{"ft_circuitbreaker_state_total": {at(0, "method", "pay", "state", "closed")}}})
	require.Equal(t, sources.BreakerUnknown, b.State)
	require.Equal(t, "no time passed in any state", b.Note)
}

// turns are the counters of a breaker's transitions so far.
func turns(opened, half, closed float64) *world {
	var all []metrics.Series
	for event, n := range map[string]float64{"open": opened, "halfOpen": half, "close": closed} {
		if n > 0 {
			all = append(all, at(n, "name", "pay", "event", event))
		}
	}
	return &world{series: map[string][]metrics.Series{"circuit": append(all, at(100, "name", "pay", "event", "success"), at(7, "name", "pay", "event", "reject"))}}
}

func TestAStateThatOnlyTransitionsTellIsInferredFromTheirCounts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		w    *world
		want sources.BreakerState
		note string
	}{
		"it never turned":                         {turns(0, 0, 0), sources.BreakerClosed, ""},
		"it opened":                               {turns(1, 0, 0), sources.BreakerOpen, "or half-open, which was never counted"},
		"it is on trial":                          {turns(1, 1, 0), sources.BreakerHalfOpen, ""},
		"the trial failed":                        {turns(2, 1, 0), sources.BreakerOpen, ""},
		"it closed again":                         {turns(1, 1, 1), sources.BreakerClosed, ""},
		"it may be on trial or be closed":         {turns(3, 3, 1), sources.BreakerUnknown, "its counters do not tell its state until it next turns"},
		"it opened after an uncertain past":       {turns(4, 3, 1), sources.BreakerOpen, ""},
		"it closed, and no trial is ever counted": {turns(2, 0, 2), sources.BreakerClosed, ""},
		"it may have opened anew or be closed":    {turns(3, 0, 1), sources.BreakerUnknown, "its counters do not tell its state until it next turns"},
	} {
		b := one(t, c.w)
		require.Equal(t, c.want, b.State, name)
		require.True(t, b.Inferred)
		require.Equal(t, c.note, b.Note, name)
		require.Equal(t, sources.Some(7.0), b.RejectRate)
	}
}

func TestTheTransitionThatIsSeenIsTheStateUntilTheNextOne(t *testing.T) {
	t.Parallel()
	p, err := metrics.Config{}.Compile()
	require.NoError(t, err)
	state := func(opened, half, closed float64) sources.BreakerState {
		rows, _, err := p.Breakers(t.Context(), "prod", turns(opened, half, closed))
		require.NoError(t, err)
		return rows[0].State
	}
	require.Equal(t, sources.BreakerUnknown, state(3, 3, 1))
	require.Equal(t, sources.BreakerClosed, state(3, 3, 2), "its closing was seen")
	require.Equal(t, sources.BreakerClosed, state(3, 3, 2), "and nothing since")
	require.Equal(t, sources.BreakerOpen, state(4, 3, 2))
	require.Equal(t, sources.BreakerHalfOpen, state(4, 4, 2))
	require.Equal(t, sources.BreakerUnknown, state(6, 6, 3), "it turned more than once between two looks")
	require.Equal(t, sources.BreakerOpen, state(1, 0, 0), "the process began anew")
}

func TestPresetsOfTheOperatorsOwnAddToTheProgramsAndReplaceThoseOfTheirName(t *testing.T) {
	t.Parallel()
	more, err := metrics.ParseBreakerPresets([]byte(`
- {name: ours, metric: [acme_breaker], names: [peer], how: value, values: {0: closed, 1: open, 7: forced-open}}
- {name: hystrix, metric: [hystrix_circuit_breaker_open], names: [key], how: value, values: {0: open, 1: closed}}
`))
	require.NoError(t, err)
	p, err := metrics.Config{Presets: more}.Compile()
	require.NoError(t, err)
	rows, _, err := p.Breakers(t.Context(), "prod", &world{series: map[string][]metrics.Series{
		"acme_breaker": {at(7, "peer", "bank")}, "hystrix_circuit_breaker_open": {at(1, "group", "g", "key", "k")},
	}})
	require.NoError(t, err)
	require.Equal(t, "bank forced-open", rows[0].Name+" "+rows[0].State.String())
	require.Equal(t, "k closed", rows[1].Name+" "+rows[1].State.String())
	require.Contains(t, metrics.BreakerPresets(more), "ours")
}

func TestAPresetFileWithAFaultIsRefusedWithItsPlace(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		"- {name: x, how: label, label: state, metrik: [a]}":                   "line 1, column 39",
		"- {name: x, how: guess, metric: [a]}":                                 "how is one of label, value, events, time, members and rejects",
		"- {name: x, how: value, metric: [a]}":                                 "how: value needs values",
		"- {name: x, how: value, metric: [a], values: {1: ajar}}":              `"ajar" is no state`,
		"- {name: x, how: label, metric: [a]}":                                 "how: label needs a label",
		"- {name: x, how: label, label: s, metric: [a-b]}":                     `"a-b" is no metric name`,
		"- {name: x, how: label, label: s-t, metric: [a]}":                     `"s-t" is no label name`,
		"- {name: auto, how: label, label: s}":                                 "that is not auto",
		"- {name: x, how: members, metric: [a]}":                               "how: members needs",
		"- {name: x, how: events, label: e, metric: [a]}":                      "how: events needs states",
		"- {name: x, how: label, label: s}\n- {name: x, how: label, label: s}": "preset x is there twice",
		"name: x": "line 1",
	} {
		_, err := metrics.ParseBreakerPresets([]byte(text))
		require.ErrorIs(t, err, sources.ErrInvalid, text)
		require.ErrorContains(t, err, says, text)
	}
}

// FuzzBreakerPresets: a file of presets is refused, or every preset in it can be used.
func FuzzBreakerPresets(f *testing.F) {
	f.Add("- {name: x, how: value, metric: [a], values: {0: closed}}")
	f.Add("- &a {name: x}\n- *a")
	f.Fuzz(func(t *testing.T, s string) {
		list, err := metrics.ParseBreakerPresets([]byte(s))
		if err != nil {
			require.ErrorIs(t, err, sources.ErrInvalid)
			require.NotContains(t, err.Error(), "\n")
			return
		}
		p, err := metrics.Config{Presets: list}.Compile()
		require.NoError(t, err)
		for name := range p.Names() {
			require.False(t, strings.ContainsAny(name, "{}\"' \n"))
		}
	})
}
