package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
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
	require.Contains(t, r.stderr, "1 of 2 sources does not work")
	r = runIn(t, cleanEnv(t), "doctor", "--metrics", "http://127.0.0.1:1", "--metrics", "http://127.0.0.1:2")
	require.Contains(t, r.stderr, "2 of 2 sources do not work")
	r = runIn(t, cleanEnv(t), "doctor", "--metrics", "http://127.0.0.1:1")
	require.Contains(t, r.stderr, "the only source does not work")
}

// verifiedBy is a config whose one store is proven so.
func verifiedBy(t *testing.T, store string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(path, fmt.Appendf(nil, "contexts:\n  prod:\n    flags: [{%s, name: shop}]\n", store), 0o600))
	return path
}

func TestTheDoctorAsksEachWhoProvesChanges(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch r.Header.Get("X-Case") {
		case "unknown flag":
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"key":"x","errorCode":"FLAG_NOT_FOUND"}`)
		case "no token":
			w.WriteHeader(http.StatusUnauthorized)
		case "not for you":
			w.WriteHeader(http.StatusForbidden)
		case "hangs":
			select {
			case <-release:
			case <-r.Context().Done():
			}
		case "page":
			w.Header().Set("Content-Type", "text/plain")
			_, _ = io.WriteString(w, "# TYPE up gauge\nup 1\n")
		default:
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, "<html>no such page</html>")
		}
	}))
	defer s.Close()
	defer close(release)
	of := func(scheme, what string) string {
		return fmt.Sprintf("{dsn: %q, headers: {X-Case: %q}}", scheme+s.URL, what)
	}
	for _, c := range []struct{ verify, says string }{
		{of("ofrep+", "unknown flag"), `\(ofrep\): answers in [0-9.]+ m?s`},
		{of("scrape+", "page"), `\(scrape\): answers in [0-9.]+ m?s`},
		{of("ofrep+", "no token"), `\(ofrep\): DOES NOT WORK, so changes are confirmed, but not proven: .* answered 401 Unauthorized, check the credentials`},
		{of("ofrep+", "not for you"), `\(ofrep\): DOES NOT WORK, .* answered 403 Forbidden, check the credentials`},
		{of("ofrep+", "no such page"), `\(ofrep\): DOES NOT WORK, .* answered 404 Not Found, check the path`},
		{of("ofrep+", "hangs"), `\(ofrep\): DOES NOT WORK, .* did not answer within 5s`},
		{of("scrape+", "no such page"), `\(scrape\): DOES NOT WORK, .*404 Not Found.*`},
		{of("", "no such page"), `\(prometheus\): DOES NOT WORK, .*404 Not Found.*`},
		{`{dsn: "ofrep+http://127.0.0.1:2"}`, `\(ofrep\): DOES NOT WORK, .*: 127.0.0.1:2 refuses connections, check the address and that it runs`},
	} {
		b := newBench(t)
		config := verifiedBy(t, fmt.Sprintf("dsn: \"flagd:%s\", verify: [%s]", b.path, c.verify))
		r := runIn(t, b.env, "doctor", "--config", config)
		require.Regexp(t, `(?m)^verify   127.0.0.1:\d+ `+c.says+`$`, r.stdout)
		var doc struct{ Doctor diagnosis }
		strictly(t, runIn(t, b.env, "doctor", "-o", "json", "--config", config).stdout, &doc)
		store := doc.Doctor.Stores[0]
		require.Len(t, store.Verify, 1)
		works := store.Verify[0].Error == ""
		require.Equal(t, works, store.Proven, c.verify)
		require.Equal(t, works, store.Unproven == "", c.verify)
		if works {
			require.Zero(t, r.code, r.stderr)
			continue
		}
		require.Equal(t, exitFailed, r.code, c.verify)
		require.Contains(t, r.stderr, "verify of shop does not work")
	}
}

func TestTheDoctorAsksTheEvaluatingSideOfAStore(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer s.Close()
	config := verifiedBy(t, fmt.Sprintf("dsn: %q, token: admin, frontend_token: front", "unleash+"+s.URL+"?project=p&environment=e"))
	r := runIn(t, cleanEnv(t), "doctor", "--config", config)
	require.Equal(t, exitFailed, r.code, r.stdout)
	require.Regexp(t, `(?m)^verify   shop \(unleash\): DOES NOT WORK, .*Unleash does not accept the frontend token`, r.stdout)
}
