package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources/sourcetest"
)

// manager is a real Alertmanager with an alert of a name that fires twice: once as it
// is, and once with a label more.
func manager(t *testing.T) string {
	t.Helper()
	return manages(t,
		fired{Labels: map[string]string{"alertname": "HighErrorRate", "service": "checkout"}, Annotations: map[string]string{"summary": "checkout fails"}},
		fired{Labels: map[string]string{"alertname": "HighErrorRate", "service": "checkout", "pod": "p1"}})
}

// fired is an alert as its API takes it.
type fired struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

// manages is a real Alertmanager with these alerts.
func manages(t *testing.T, list ...fired) string {
	t.Helper()
	bin := sourcetest.RealTool(t, "prometheus-alertmanager", "apt-get install prometheus-alertmanager")
	addr, config := sourcetest.FreeAddress(t), filepath.Join(t.TempDir(), "am.yml")
	require.NoError(t, os.WriteFile(config, []byte("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"), 0o600))
	sourcetest.Run(t, bin, "--web.listen-address="+addr, "--cluster.listen-address=", "--storage.path="+t.TempDir(), "--config.file="+config, "--log.level=error")
	body, err := json.Marshal(list)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		resp, err := http.Post("http://"+addr+"/api/v2/alerts", "application/json", bytes.NewReader(body))
		if err == nil {
			_ = resp.Body.Close()
		}
		return err == nil && resp.StatusCode == http.StatusOK
	}, time.Minute, 50*time.Millisecond)
	return addr
}

// held is the states of the Alertmanager's alerts as it says itself, by pod.
func held(t *testing.T, addr string) map[string]string {
	t.Helper()
	resp, err := http.Get("http://" + addr + "/api/v2/alerts")
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	var list []struct {
		Labels map[string]string
		Status struct{ State string }
	}
	require.NoError(t, json.Unmarshal(text, &list))
	out := map[string]string{}
	for _, a := range list {
		out[a.Labels["pod"]] = a.Status.State
	}
	return out
}

func TestAnAlertIsSilencedAloneForAWhileIsOnRecordAndFiresAgainAfterUndo(t *testing.T) {
	t.Parallel()
	addr := manager(t)
	config := filepath.Join(t.TempDir(), "c.yaml")
	write := func(more string) {
		require.NoError(t, os.WriteFile(config, []byte("contexts:\n  prod:\n    metrics: [{dsn: \"alertmanager+http://"+addr+"\", name: am"+more+"}]\n"), 0o600))
	}
	env := append(cleanEnv(t), "RELCTL_ACTOR=ana", "XDG_STATE_HOME="+t.TempDir())
	use := func(args ...string) result { return runIn(t, env, append(args, "--config", config)...) }

	write("")
	refused := use("alerts", "silence", "HighErrorRate", "--reason", "known")
	require.Equal(t, exitUsage, refused.code)
	require.Contains(t, refused.stderr, "silences: true")

	write(", silences: true")
	require.Regexp(t, `(?m)^HighErrorRate +firing +checkout`, use("alerts").stdout)
	var doc struct {
		Alerts []struct {
			ID, State, Why string
			Until          *string `json:"silenced_until"`
			Labels         map[string]string
		}
	}
	read := func() map[string]int {
		doc.Alerts = nil // else what is read is put into the maps that are there
		require.NoError(t, json.Unmarshal([]byte(use("alerts", "-o", "json").stdout), &doc))
		at := map[string]int{}
		for i, a := range doc.Alerts {
			at[a.Labels["pod"]] = i
		}
		require.Len(t, at, 2)
		return at
	}
	at := read()
	both := use("alerts", "silence", "HighErrorRate", "--reason", "known")
	require.Equal(t, exitUsage, both.code)
	require.Contains(t, both.stderr, "write the ID of one")
	plain := doc.Alerts[at[""]].ID[:8]
	require.Contains(t, use("alerts", "silence", plain).stderr, "needs a reason")
	require.Contains(t, use("alerts", "silence", plain, "--reason", "x", "--for", "200h").stderr, "lasts from 1m to 168h")
	require.Contains(t, use("alerts", "silence", plain, "--reason", "x", "--read-only").stderr, "read-only")
	require.Equal(t, map[string]string{"": "active", "p1": "active"}, held(t, addr), "what was refused did nothing")

	done := use("alerts", "silence", plain, "--for", "30m", "--reason", "known, fix is out")
	require.Equal(t, exitDone, done.code, done.stderr)
	require.Regexp(t, `HighErrorRate#\w+ firing → silenced until .+ UTC confirmed`, done.stdout)
	require.Equal(t, map[string]string{"": "suppressed", "p1": "active"}, held(t, addr), "the one with a label more is another alert")
	at = read()
	require.Equal(t, "silenced by ana: known, fix is out", doc.Alerts[at[""]].Why)
	until, err := time.Parse(time.RFC3339, *doc.Alerts[at[""]].Until)
	require.NoError(t, err)
	require.WithinDuration(t, time.Now().Add(30*time.Minute), until, time.Minute)

	undone := use("undo")
	require.Equal(t, exitDone, undone.code, undone.stderr)
	require.Regexp(t, `silenced until .+ → firing confirmed`, undone.stdout)
	require.Equal(t, map[string]string{"": "active", "p1": "active"}, held(t, addr))
	require.Regexp(t, `ana +silence +HighErrorRate#\w+ +firing +silenced until .+ +confirmed .*known, fix is out`, use("log").stdout)
}

func TestSilencesAreRefusedForWhatIsNoAlertmanager(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "c.yaml")
	require.NoError(t, os.WriteFile(config, []byte("contexts:\n  prod:\n    metrics: [{dsn: \"http://127.0.0.1:1\", silences: true}]\n"), 0o600))
	r := runIn(t, cleanEnv(t), "alerts", "--config", config)
	require.Equal(t, exitUsage, r.code)
	require.Contains(t, r.stderr, "needs an Alertmanager")
}
