package metrics_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
)

func readLatencies(t *testing.T, w *world, rules ...metrics.LatencyRule) map[string]sources.Latency {
	t.Helper()
	p, err := metrics.Config{Latency: rules}.Compile()
	require.NoError(t, err)
	rows, _, err := p.Latencies(t.Context(), "prod", w)
	require.NoError(t, err)
	out := map[string]sources.Latency{}
	for _, r := range rows {
		out[r.Name] = r
	}
	require.Len(t, out, len(rows), "names are unique")
	return out
}

// classic is a histogram with 90 below 1, 9 below 10 and one above.
func classic(labels ...string) metrics.Hist {
	return metrics.Hist{Labels: pairs(labels), Classic: []metrics.Bucket{{Upper: 1, Count: 90}, {Upper: 10, Count: 99}, {Upper: math.Inf(1), Count: 100}}}
}

func TestUnitsAreThoseOfThePreset(t *testing.T) {
	t.Parallel()
	w := &world{
		series: map[string][]metrics.Series{
			"istio_request_duration_milliseconds_count": {
				at(99, "destination_workload", "pay", "reporter", "destination", "response_code", "200"),
				at(1, "destination_workload", "pay", "reporter", "destination", "response_code", "503"),
				at(500, "destination_workload", "pay", "reporter", "source", "response_code", "503"),
			},
			"envoy_cluster_upstream_rq_time_count": {at(100, "envoy_cluster_name", "edge")},
			"envoy_cluster_upstream_rq_xx": {
				at(75, "envoy_cluster_name", "edge", "envoy_response_code_class", "2"),
				at(25, "envoy_cluster_name", "edge", "envoy_response_code_class", "5"),
			},
		},
		hists: map[string][]metrics.Hist{
			"istio_request_duration_milliseconds": {classic("destination_workload", "pay", "reporter", "destination")},
			"envoy_cluster_upstream_rq_time":      {classic("envoy_cluster_name", "edge")},
		},
	}
	rows := readLatencies(t, w)
	require.InDelta(t, 0.010, rows["pay"].P99.Seconds, 1e-9)
	require.InDelta(t, 0.01, rows["pay"].ErrorRatio.V, 1e-9)
	require.InDelta(t, 100, rows["pay"].Rate.V, 1e-9)
	require.InDelta(t, 0.010, rows["edge"].P99.Seconds, 1e-9)
	require.InDelta(t, 0.25, rows["edge"].ErrorRatio.V, 1e-9)
}

func TestAServiceIsMeasuredOnceByItsFirstPreset(t *testing.T) {
	t.Parallel()
	w := &world{
		series: map[string][]metrics.Series{
			"http_server_request_duration_seconds_count": {at(1, "service", "checkout", "job", "x", "code", "200")},
			"http_server_requests_seconds_count":         {at(2, "job", "ledger", "status", "500"), at(9, "service", "checkout")},
			"grpc_server_handling_seconds_count":         {at(4, "job", "rpc")},
			"grpc_server_handled_total":                  {at(3, "job", "rpc", "grpc_code", "OK"), at(1, "job", "rpc", "grpc_code", "Internal"), at(1, "job", "rpc", "grpc_code", "NotFound")},
			"http_client_request_duration_seconds_count": {at(7, "job", "caller")},
			"envoy_cluster_upstream_rq_time_count":       {at(8, "envoy_cluster_name", "edge")},
		},
		hists: map[string][]metrics.Hist{"http_server_request_duration_seconds": {classic("service", "checkout")}},
	}
	rows := readLatencies(t, w)
	require.Len(t, rows, 3)
	require.InDelta(t, 1, rows["checkout"].Rate.V, 1e-9)
	require.InDelta(t, 1, rows["ledger"].ErrorRatio.V, 1e-9)
	require.InDelta(t, 0.2, rows["rpc"].ErrorRatio.V, 1e-9)
}

func TestCallsWithoutBucketsAreUnknownNotNoTraffic(t *testing.T) {
	t.Parallel()
	w := &world{series: map[string][]metrics.Series{"http_request_duration_seconds_count": {at(5, "job", "a")}}}
	row := readLatencies(t, w)["a"]
	require.Equal(t, sources.VerdictUnknown, row.Verdict)
	require.Contains(t, row.Note, "no buckets")
	require.False(t, row.P99.OK)
	require.False(t, row.ErrorRatio.OK, "without an outcome label there is no ratio")
}

func TestAGroupInBothFormsCountsOnceAndNatively(t *testing.T) {
	t.Parallel()
	native := metrics.Hist{Labels: pairs([]string{"job", "a"}), Native: []metrics.Span{{Lower: 1, Upper: 2, Count: 100}}}
	w := &world{
		series: map[string][]metrics.Series{"http_request_duration_seconds_count": {at(100, "job", "a", "code", "200")}},
		hists:  map[string][]metrics.Hist{"http_request_duration_seconds": {classic("job", "a"), native}},
	}
	row := readLatencies(t, w)["a"]
	require.InDelta(t, math.Sqrt2, row.P50.Seconds, 1e-9)
	require.InDelta(t, 100, row.Rate.V, 1e-9)
	require.Equal(t, metrics.Forms{Classic: true, Native: true}, w.asked[0].Found)
}

func TestARuleSumsWhatItMatchesAndIsHeldAgainstItsSLO(t *testing.T) {
	t.Parallel()
	w := &world{
		series: map[string][]metrics.Series{"http_server_request_duration_seconds_count": {
			at(100, "job", "a", "code", "200"), at(100, "job", "b", "code", "500"), at(50, "job", "c", "code", "200"),
		}},
		hists: map[string][]metrics.Hist{"http_server_request_duration_seconds": {classic("job", "a"), classic("job", "b"), classic("job", "c")}},
	}
	rows := readLatencies(t, w,
		metrics.LatencyRule{Name: "a and b", Match: `job=~"a|b"`, SLO: 20 * time.Second},
		metrics.LatencyRule{Name: "all but c", Preset: "http_server", Match: `job!="c"`, SLO: 5 * time.Second},
		metrics.LatencyRule{Name: "everything", SLO: 0},
	)
	require.InDelta(t, 200, rows["a and b"].Rate.V, 1e-9)
	require.InDelta(t, 0.5, rows["a and b"].ErrorRatio.V, 1e-9)
	require.InDelta(t, 10, rows["a and b"].P99.Seconds, 1e-9)
	require.Equal(t, sources.VerdictOK, rows["a and b"].Verdict)
	require.Equal(t, sources.VerdictBreached, rows["all but c"].Verdict)
	require.InDelta(t, 250, rows["everything"].Rate.V, 1e-9)
	require.Equal(t, sources.VerdictNone, rows["everything"].Verdict)
	require.Len(t, w.asked, 2)
}

func TestAFailureOfTheReaderIsPassedOn(t *testing.T) {
	t.Parallel()
	p, err := metrics.Config{}.Compile()
	require.NoError(t, err)
	w := &world{err: sources.ErrUnavailable}
	_, _, err = p.Latencies(t.Context(), "prod", w)
	require.ErrorIs(t, err, sources.ErrUnavailable)
	_, _, err = p.Breakers(t.Context(), "prod", w)
	require.ErrorIs(t, err, sources.ErrUnavailable)
	_, _, err = p.Exposures(t.Context(), w)
	require.ErrorIs(t, err, sources.ErrUnavailable)
}
