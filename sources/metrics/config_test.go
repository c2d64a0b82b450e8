package metrics_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
)

func TestEachMistakeInTheConfigIsOneSentence(t *testing.T) {
	t.Parallel()
	lat := func(r metrics.LatencyRule) metrics.Config {
		return metrics.Config{Latency: []metrics.LatencyRule{r}}
	}
	brk := func(r metrics.BreakerRule) metrics.Config {
		return metrics.Config{Breakers: []metrics.BreakerRule{r}}
	}
	for says, c := range map[string]metrics.Config{
		"latency rule 1 has no name": lat(metrics.LatencyRule{}),
		`preset "htp" is not known, use auto or one of envoy, grpc_server, http_client, http_request, http_request_summary, http_server, istio, rpc_server, rpc_server_call, spring, traefik, traefik_entrypoint, unleash`: lat(metrics.LatencyRule{Name: "x", Preset: "htp"}),
		"the SLO -1s is below 0":      lat(metrics.LatencyRule{Name: "x", SLO: -time.Second}),
		"the value must be in quotes": lat(metrics.LatencyRule{Name: "x", Match: "job=payment"}),
		"is given twice":              {Latency: []metrics.LatencyRule{{Name: "x"}, {Name: "x"}}},
		"window 1s is outside 2s..1h": {Window: time.Second},
		"more than 200":               {Latency: make([]metrics.LatencyRule, 201)},
		"use auto or one of dapr, envoy_limit, envoy_outlier, failsafe, generic, gobreaker, haproxy, hystrix, istio, microprofile, opossum, opossum_counter, polly, resilience4j, resilience4j_simpleclient": brk(metrics.BreakerRule{Preset: "hysterix"}),
		"preset gobreaker exports nothing of its own":    brk(metrics.BreakerRule{Preset: "gobreaker"}),
		"preset dapr has a metric of its own":            brk(metrics.BreakerRule{Preset: "dapr", Metric: "x"}),
		`"a-b" is no metric name`:                        brk(metrics.BreakerRule{Metric: "a-b"}),
		`"a-b" is no label name`:                         brk(metrics.BreakerRule{NameLabel: "a-b"}),
		"names its states in a label":                    brk(metrics.BreakerRule{Preset: "generic", Values: map[string]string{"1": "open"}}),
		"auto takes no metric and no values":             brk(metrics.BreakerRule{Values: map[string]string{"1": "open"}}),
		`"one" in values is no number`:                   brk(metrics.BreakerRule{Metric: "x", Values: map[string]string{"one": "open"}}),
		`"ajar" in values is no state, use closed, open`: brk(metrics.BreakerRule{Metric: "x", Values: map[string]string{"1": "ajar"}}),
		"breakers: match":                                brk(metrics.BreakerRule{Match: "{"}),
	} {
		err := c.Validate()
		require.ErrorIs(t, err, sources.ErrInvalid, says)
		require.ErrorContains(t, err, says)
	}
	require.NoError(t, metrics.Config{}.Validate())
}

func TestAllMistakesAreSaidAtOnce(t *testing.T) {
	t.Parallel()
	err := metrics.Config{
		Latency:  []metrics.LatencyRule{{Name: "a", Preset: "x"}, {Name: "b", Match: "!"}},
		Breakers: []metrics.BreakerRule{{Preset: "y"}},
	}.Validate()
	for _, says := range []string{"latency a:", "latency b:", "breakers:"} {
		require.ErrorContains(t, err, says)
	}
}

func TestEveryPresetIsComplete(t *testing.T) {
	t.Parallel()
	for _, p := range metrics.LatencyPresets(nil) {
		require.NoError(t, metrics.Config{Latency: []metrics.LatencyRule{{Name: "x", Preset: p}}}.Validate(), p)
	}
	for _, p := range metrics.BreakerPresets(nil) {
		plan, err := metrics.Config{Breakers: []metrics.BreakerRule{{Preset: p}}}.Compile()
		if err != nil {
			plan, err = metrics.Config{Breakers: []metrics.BreakerRule{{Preset: p, Metric: "x"}}}.Compile()
		}
		require.NoError(t, err, p)
		require.NotEmpty(t, plan.Probe())
	}
}

func TestMatchReadsWhatPrometheusWrites(t *testing.T) {
	t.Parallel()
	yes, no := metrics.Labels{"job": "payment", "service": "b"}, metrics.Labels{"job": "payments"}
	for _, s := range []string{
		`job="payment"`, `{job="payment"}`, ` job = 'payment' , `, "job=`payment`", `job=~"pay.*t"`, `job!="payments"`,
		`job="payment",service=~"a|b"`, `service!~"a|c",service!=""`, `job="p\x61yment"`, `absent="",service="b"`,
	} {
		ms, err := metrics.ParseMatch(s)
		require.NoError(t, err, s)
		require.True(t, metrics.MatchAll(ms, yes), s)
		require.False(t, metrics.MatchAll(ms, no), s)
	}
	for _, s := range []string{
		`job`, `job=`, `job=payment`, `job="x`, `="x"`, `job="a" service="b"`, `{job="a"`, `job=~"("`, `le="1"`, `__name__="x"`,
		`9job="a"`, `job=="a"`, `job="a",,`, "job=\"\xff\"",
	} {
		_, err := metrics.ParseMatch(s)
		require.ErrorIs(t, err, sources.ErrInvalid, s)
	}
}

// FuzzMatch: whatever is typed either is refused or means the same after it was
// written out again.
func FuzzMatch(f *testing.F) {
	for _, s := range []string{`job="payment"`, `{a=~"b|c",d!~'e'}`, "a=`\\`", `a="\u00e9\n"`, `a="`, `{}`, `,`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ms, err := metrics.ParseMatch(s)
		if err != nil {
			require.ErrorIs(t, err, sources.ErrInvalid)
			return
		}
		require.LessOrEqual(t, len(ms), metrics.MaxMatchers)
		again, err := metrics.ParseMatch(metrics.Render(ms))
		if len(metrics.Render(ms)) > metrics.MaxMatch {
			return
		}
		require.NoError(t, err)
		require.Equal(t, len(ms), len(again))
		for i := range ms {
			require.Equal(t, ms[i].Label, again[i].Label)
			require.Equal(t, ms[i].Op, again[i].Op)
			require.Equal(t, ms[i].Value, again[i].Value)
		}
	})
}
