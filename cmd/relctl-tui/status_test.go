package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStatusCountsOpenBreakersAsOpenAndPutsTheUnhealthyFirst(t *testing.T) {
	t.Parallel()
	exporter := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		for name, state := range map[string]string{"ledger": "open", "mail": "half_open", "search": "closed"} {
			fmt.Fprintf(w, "circuit_breaker_state{name=%q,state=%q} 1\n", name, state)
		}
	}))
	t.Cleanup(exporter.Close)
	args := []string{"status", "--flags", "flagd:" + flagFile(t, fleetFile), "--metrics", "scrape+" + exporter.URL + "/metrics"}
	out, code := run(t, nil, append(args, "-o", "json")...)
	require.Zero(t, code, out)
	var got struct {
		Open     *int `json:"breakers_open"`
		Breakers []struct{ Name, State string }
	}
	require.NoError(t, json.Unmarshal([]byte(out[strings.Index(out, "{"):]), &got))
	require.Equal(t, 1, *got.Open, "half-open is not open")
	require.Len(t, got.Breakers, 2, "all that are not closed are listed")

	text, code := run(t, nil, args...)
	require.Zero(t, code)
	require.Less(t, strings.Index(text, "ledger"), strings.Index(text, "checkout-v2"), text)
}

func TestStatusSaysWhatFiresAsTheBoardDoes(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	dir := t.TempDir()
	metrics, alerts := page(t, &asked), alerting(t)
	file := flagFile(t, fleetFile)
	config := func(token string) string {
		secret, path := filepath.Join(dir, token), filepath.Join(dir, token+".yaml")
		require.NoError(t, os.WriteFile(secret, []byte(token), 0o600))
		require.NoError(t, os.WriteFile(path, []byte("contexts:\n  prod:\n    flags: [{dsn: \"flagd:"+file+"\"}]\n    metrics:\n"+
			"      - {dsn: \""+metrics+"\"}\n      - {dsn: \""+alerts+"\", token_file: \""+secret+"\"}\n"), 0o600))
		return path
	}
	good := config("hunter2")
	r := newBench(t).run("status", "--config", good)
	require.Zero(t, r.code, r.stderr)
	require.Contains(t, r.stdout, "alertmanager  fresh", "it is one of the sources")
	require.Contains(t, r.stdout, "2 alerts, 1 firing")
	require.Less(t, strings.Index(r.stdout, "1 firing"), strings.Index(r.stdout, "not closed"), "what fires is unhealthy")

	r = newBench(t).run("status", "--config", good, "-o", "json")
	var got struct {
		Firing *int `json:"alerts_firing"`
		Alerts []struct{ Name string }
	}
	require.NoError(t, json.Unmarshal([]byte(r.stdout), &got))
	require.Equal(t, 1, *got.Firing)
	require.Len(t, got.Alerts, 1, "of the silenced one nobody is told")

	bad := config("hunter3")
	r = newBench(t).run("status", "--config", bad)
	require.Zero(t, r.code, "the rest is known")
	require.Contains(t, r.stdout, "alertmanager  failed")
	require.Contains(t, r.stdout, "alerts unknown")
	require.Contains(t, r.stdout, "not closed", "an Alertmanager that fails takes no breakers with it")
	require.Contains(t, r.stderr, "check the credentials")
	r = newBench(t).run("status", "--config", bad, "-o", "json")
	require.Contains(t, r.stdout, `"alerts_firing": null`)
}

func TestStatusWithoutMetricsSpeaksOfNone(t *testing.T) {
	t.Parallel()
	r := newBench(t).run("status", "--flags", "flagd:"+flagFile(t, fleetFile))
	require.Zero(t, r.code, r.stderr)
	require.NotContains(t, r.stdout, "unknown")
	require.NotContains(t, r.stdout, "alert")
}
