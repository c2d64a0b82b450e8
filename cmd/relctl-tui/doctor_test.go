package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheDoctorSaysWhatWorksAndWhichPresetsMatch(t *testing.T) {
	t.Parallel()
	flags, page, _ := headless(t)
	r := runIn(t, cleanEnv(t), "doctor", "--flags", "flagd:"+flags, "--metrics", "scrape+"+page)
	require.Zero(t, r.code, r.stderr)
	require.Regexp(t, `(?m)^flags    demo\.flagd\.json \(flagd\): 25 flags in [0-9.]+ m?s$`, r.stdout)
	require.Contains(t, r.stdout, "         keeps schedules, and who runs a guarded ramp\n")
	require.Contains(t, r.stdout, "nobody is named who evaluates the flags")
	require.Contains(t, r.stdout, "breakers generic by circuit_breaker_state")
	require.Contains(t, r.stdout, "latency  http_server by http_server_request_duration_seconds")
	require.Contains(t, r.stdout, "calls    service_graph by traces_service_graph_request_server_seconds_count")
	require.Contains(t, r.stdout, "exposure feature_flag_evaluations_total\n")
	require.Contains(t, r.stdout, "breakers: 12 other presets are not exported")

	var doc struct{ Doctor diagnosis }
	strictly(t, runIn(t, cleanEnv(t), "doctor", "--read-only", "--flags", "flagd:"+flags, "--metrics", "scrape+"+page, "-o", "json").stdout, &doc)
	require.Equal(t, 25, doc.Doctor.Stores[0].Flags)
	require.Contains(t, doc.Doctor.Stores[0].Changes, "--read-only")
	require.True(t, doc.Doctor.Stores[0].Schedules)
	require.True(t, doc.Doctor.Stores[0].Leases)
	matched := 0
	for _, p := range doc.Doctor.Metrics[0].Presets {
		if p.Metric != "" {
			matched++
		}
	}
	require.Equal(t, 4, matched)
}

func TestTheDoctorFailsWhenSomethingConfiguredDoesNotWorkAndSaysWhatToDo(t *testing.T) {
	t.Parallel()
	r := runIn(t, cleanEnv(t), "doctor", "--flags", "flagd:"+flagFile(t, fleetFile), "--metrics", "http://127.0.0.1:1")
	require.Equal(t, exitFailed, r.code)
	require.Contains(t, r.stdout, "3 flags in")
	require.Contains(t, r.stdout, "DOES NOT WORK: 127.0.0.1:1 refuses connections, check the address and that it runs")
	require.Contains(t, r.stderr, "1 of 2 sources do not work")
}
