package metrics_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
)

func TestThePresetsOfLatenciesThatComeWithTheProgramAreReadableAndCanBePrintedAndReadAgain(t *testing.T) {
	t.Parallel()
	list, err := metrics.ParseLatencyPresets(metrics.LatencyData)
	require.NoError(t, err)
	for _, p := range list {
		require.Positive(t, p.Unit.Seconds(), p.Name)
		require.NotEmpty(t, p.About, p.Name)
		require.NotEmpty(t, p.Code, p.Name)
	}
}

func TestEachMistakeInALatencyPresetIsOneSentence(t *testing.T) {
	t.Parallel()
	whole := "- {name: x, metric: m_seconds, unit: s, service: [job], when: always}"
	for change, says := range map[[2]string]string{
		{"unit: s, ", ""}:                     "it has no unit: write s, ms, us or ns",
		{"unit: s", "unit: sec"}:              `"sec" is no unit`,
		{"metric: m_seconds", "metric: a-b"}:  `"a-b" is no metric name`,
		{"metric: m_seconds, ", ""}:           "it has no metric",
		{"service: [job]", "service: []"}:     "no label that names the service",
		{"service: [job]", "service: [a-b]"}:  `"a-b" is no label name`,
		{"when: always", "when: sometimes"}:   "when is always, else or asked",
		{"name: x", "name: auto"}:             "it needs a name",
		{"when", "failed: '(', when"}:         "no regular expression",
		{"when", "kind: gauge, when"}:         "kind is histogram or summary",
		{"when", "where: 'job=', when"}:       "match",
		{"name: x", "title: x"}:               "unknown field",
		{whole, whole + "\n" + whole}:         "is there twice",
		{whole, strings.Repeat(" ", 1<<20+1)}: "larger than",
	} {
		_, err := metrics.ParseLatencyPresets([]byte(strings.Replace(whole, change[0], change[1], 1)))
		require.ErrorIs(t, err, sources.ErrInvalid, says)
		require.ErrorContains(t, err, says)
	}
	_, err := metrics.ParseLatencyPresets([]byte(whole))
	require.NoError(t, err)
}

func TestAPresetOfOnesOwnIsReadFirstOrInThePlaceOfItsNamesake(t *testing.T) {
	t.Parallel()
	own, err := metrics.ParseLatencyPresets([]byte(`
- {name: mine, metric: my_latency, unit: us, service: [app], outcome: [ok], failed: "no", when: always}
- {name: spring, metric: springs, unit: ms, service: [app], when: always}
`))
	require.NoError(t, err)
	plan, err := metrics.Config{Latencies: own}.Compile()
	require.NoError(t, err)
	names := plan.Names()
	require.True(t, names["my_latency_bucket"])
	require.True(t, names["springs_bucket"])
	require.False(t, names["http_server_requests_seconds_bucket"])

	w := &world{
		series: map[string][]metrics.Series{"my_latency_count": {at(3, "app", "pay", "ok", "yes"), at(1, "app", "pay", "ok", "no")}},
		hists: map[string][]metrics.Hist{"my_latency": {{
			Labels:  metrics.Labels{"app": "pay"},
			Classic: []metrics.Bucket{{Upper: 1000, Count: 4}, {Upper: math.Inf(1), Count: 4}},
		}}},
	}
	rows, _, err := plan.Latencies(t.Context(), "prom", w)
	require.NoError(t, err)
	require.Len(t, rows, 1)
	require.InDelta(t, 0.00099, rows[0].P99.Seconds, 1e-9, "microseconds")
	require.InDelta(t, 0.25, rows[0].ErrorRatio.V, 1e-9)

	_, err = metrics.Config{Latencies: own, Latency: []metrics.LatencyRule{{Name: "a", Preset: "mine"}}}.Compile()
	require.NoError(t, err)
}

func TestOpenTelemetrysRPCStatusNumbersThatMeanAServerErrorAreErrors(t *testing.T) {
	t.Parallel()
	w := &world{series: map[string][]metrics.Series{"rpc_server_duration_milliseconds_count": {
		at(6, "job", "pay", "rpc_grpc_status_code", "0"), at(2, "job", "pay", "rpc_grpc_status_code", "5"), at(2, "job", "pay", "rpc_grpc_status_code", "14"),
	}}}
	plan, err := metrics.Config{}.Compile()
	require.NoError(t, err)
	rows, _, err := plan.Latencies(t.Context(), "prom", w)
	require.NoError(t, err)
	require.InDelta(t, 0.2, rows[0].ErrorRatio.V, 1e-9, "not found is the caller's error")
}
