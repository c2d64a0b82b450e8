package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// alerting is an Alertmanager with one alert that fires and one that is inhibited,
// for whoever has the token.
func alerting(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer hunter2" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`[{"labels":{"alertname":"A"},"status":{"state":"active"}},` +
			`{"labels":{"alertname":"B"},"status":{"state":"suppressed","inhibitedBy":["x"]}}]`))
	}))
	t.Cleanup(s.Close)
	return "alertmanager+" + s.URL
}

func TestTheDoctorCountsAlertsAndAWrongTokenDoesNotWork(t *testing.T) {
	t.Parallel()
	dsn, dir := alerting(t), t.TempDir()
	for token, want := range map[string]int{"hunter2": 0, "hunter3": exitFailed} {
		file := filepath.Join(dir, token)
		require.NoError(t, os.WriteFile(file, []byte(token), 0o600))
		config := filepath.Join(dir, token+".yaml")
		require.NoError(t, os.WriteFile(config, []byte("contexts:\n  prod:\n    metrics: [{dsn: \""+dsn+"\", token_file: \""+file+"\"}]\n"), 0o600))
		r := runIn(t, cleanEnv(t), "doctor", "--config", config)
		require.Equal(t, want, r.code, r.stderr)
		require.NotContains(t, r.stdout+r.stderr, token+" ")
		if want == 0 {
			require.Contains(t, r.stdout, "(alertmanager): answers in ")
			require.Contains(t, r.stdout, "alerts   1 firing, 0 pending, 1 silenced")
		} else {
			require.Contains(t, r.stdout, "DOES NOT WORK")
			require.Contains(t, r.stdout, "check the credentials")
		}
	}
}

func TestAnAlertmanagerNeitherStandsInForMetricsNorLetsThemStandBy(t *testing.T) {
	t.Parallel()
	for _, group := range []string{"", ", group: west"} {
		var asked atomic.Int32
		config := filepath.Join(t.TempDir(), "c.yaml")
		require.NoError(t, os.WriteFile(config, []byte("contexts:\n  prod:\n    metrics:\n"+
			"      - {dsn: \""+alerting(t)+"\""+group+"}\n"+
			"      - {dsn: \""+page(t, &asked)+"\""+group+"}\n"), 0o600))
		r := newBench(t).run("breakers", "--config", config)
		require.Zero(t, r.code, r.stderr)
		require.Contains(t, r.stdout, "db")
		require.Positive(t, asked.Load())
		require.Empty(t, strings.TrimSpace(r.stderr), "breakers are not looked for in an Alertmanager")
	}
}

func TestAnAlertmanagerCountsNoEvaluationsAndHasNoBreakers(t *testing.T) {
	t.Parallel()
	r := newBench(t).run("breakers", "--breakers", alerting(t))
	require.Equal(t, exitUsage, r.code)
	require.Contains(t, r.stderr, "has alerts and no breakers: name it with --metrics")
	_, err := parseDSN("alertmanager+http://h", "evaluations")
	require.ErrorContains(t, err, "does not serve evaluations")
}
