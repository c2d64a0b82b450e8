package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources/sourcetest"
)

// page serves one breaker's state and counts how often it is asked.
func page(t *testing.T, asked *atomic.Int32) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = w.Write([]byte("# TYPE resilience4j_circuitbreaker_state gauge\n" +
			`resilience4j_circuitbreaker_state{name="db",state="open"} 1` + "\n"))
	}))
	t.Cleanup(s.Close)
	return "scrape+" + s.URL + "/metrics"
}

// refusing is an address at which nobody listens.
func refusing(t *testing.T) string {
	t.Helper()
	return "http://" + sourcetest.FreeAddress(t)
}

func TestAVerbFallsBackToScrapedPagesWhenPrometheusIsDownAndSaysSo(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	down := refusing(t)
	r := newBench(t).run("breakers", "-o", "json", "--metrics", page(t, &asked), "--metrics", down)
	require.Zero(t, r.code, r.stderr)
	require.Contains(t, r.stderr, "refuses connections")
	var got struct{ Breakers []breakerJSON }
	require.NoError(t, json.Unmarshal([]byte(r.stdout), &got))
	require.Len(t, got.Breakers, 1)
	require.Positive(t, asked.Load())
}

func TestWhatStandsByIsNotAskedAndGroupsSpeakSideBySide(t *testing.T) {
	t.Parallel()
	var watched, second, other atomic.Int32
	prom := startPrometheus(t, strings.TrimPrefix(page(t, &watched), "scrape+"))
	config := filepath.Join(t.TempDir(), "c.yaml")
	require.NoError(t, os.WriteFile(config, []byte(`
contexts:
  prod:
    metrics:
      - {dsn: "`+prom+`"}
      - {dsn: "`+page(t, &second)+`"}
      - {dsn: "`+page(t, &other)+`", group: west}
`), 0o600))
	r := newBench(t).run("breakers", "--config", config)
	require.Zero(t, r.code, r.stderr)
	require.Zero(t, second.Load(), "it stands by")
	require.Positive(t, other.Load(), "another group speaks for itself")
}
