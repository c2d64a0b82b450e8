package alertmanager_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"relctl-tui/sources"
	"relctl-tui/sources/alertmanager"
	"relctl-tui/sources/sourcetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const hint = "apt-get install prometheus-alertmanager"

type obj = map[string]any

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// manager is a real Alertmanager.
type manager struct {
	url    string
	client *http.Client
}

// startManager runs an Alertmanager in which a data centre that is down explains
// every warning.
func startManager(t *testing.T, args ...string) *manager {
	t.Helper()
	bin := sourcetest.RealTool(t, "prometheus-alertmanager", hint)
	addr := sourcetest.FreeAddress(t)
	config := write(t, "am.yml", `
route: {receiver: nobody, group_wait: 1s}
receivers: [{name: nobody}]
inhibit_rules: [{source_matchers: ['alertname="DataCentreDown"'], target_matchers: ['severity="warning"']}]
`)
	sourcetest.Run(t, bin, append([]string{
		"--web.listen-address=" + addr, "--cluster.listen-address=", "--storage.path=" + t.TempDir(), "--config.file=" + config, "--log.level=error",
	}, args...)...)
	m := &manager{"http://" + addr, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	require.Eventually(t, func() bool {
		resp, err := m.client.Get(m.url)
		if err == nil {
			_ = resp.Body.Close()
		}
		return err == nil
	}, time.Minute, 50*time.Millisecond)
	return m
}

func (m *manager) do(t *testing.T, method, path string, body, out any) {
	t.Helper()
	b, err := json.Marshal(body)
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), method, m.url+path, bytes.NewReader(b))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := m.client.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode, "%s", text)
	if out != nil {
		require.NoError(t, json.Unmarshal(text, out))
	}
}

// silence silences an alert by its name and returns the silence's id.
func (m *manager) silence(t *testing.T, alertname, by, comment string, until time.Time) string {
	t.Helper()
	var made struct {
		SilenceID string `json:"silenceID"`
	}
	m.do(t, http.MethodPost, "/api/v2/silences", obj{
		"matchers": []obj{{"name": "alertname", "value": alertname, "isRegex": false, "isEqual": true}},
		"startsAt": time.Now().Add(-time.Minute), "endsAt": until, "createdBy": by, "comment": comment,
	}, &made)
	return made.SilenceID
}

func open(t *testing.T, base string, opts alertmanager.Options) *alertmanager.Source {
	t.Helper()
	s, err := alertmanager.New("am", base, opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func second[T any](_ T, err error) error { return err }

// byName is the alerts of one reading.
func byName(t *testing.T, s sources.AlertLister) map[string]sources.Alert {
	t.Helper()
	set, err := s.Alerts(t.Context())
	require.NoError(t, err)
	require.Empty(t, set.Warnings)
	out := map[string]sources.Alert{}
	for _, a := range set.Alerts {
		out[a.Name] = a
	}
	require.Len(t, out, len(set.Alerts))
	return out
}

// factory exports what is broken: a gauge for each of them, 0 or 1.
type factory struct {
	*httptest.Server
	errors, down atomic.Int32
}

func startFactory(t *testing.T) *factory {
	t.Helper()
	f := &factory{}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		fmt.Fprintf(w, "checkout_errors{service=\"checkout\",flag=\"checkout-v2\"} %d\ndata_centre_down %d\n", f.errors.Load(), f.down.Load())
	}))
	t.Cleanup(f.Close)
	return f
}

// startPrometheus runs a Prometheus that watches the factory and tells m.
func startPrometheus(t *testing.T, f *factory, m *manager) string {
	t.Helper()
	bin := sourcetest.RealTool(t, "prometheus", "apt-get install prometheus")
	addr := sourcetest.FreeAddress(t)
	rules := write(t, "rules.yml", `
groups:
- name: release
  rules:
  - {alert: HighErrorRate, expr: checkout_errors > 0, labels: {severity: warning}, annotations: {summary: "checkout fails"}}
  - {alert: DataCentreDown, expr: data_centre_down > 0, labels: {severity: critical}}
  - {alert: SlowLedger, expr: vector(1), for: 1h}
`)
	config := write(t, "prometheus.yml", fmt.Sprintf(`
global: {scrape_interval: 1s, evaluation_interval: 1s, external_labels: {cluster: west, service: everything}}
rule_files: [%q]
scrape_configs: [{job_name: factory, static_configs: [{targets: [%q]}]}]
alerting: {alertmanagers: [{static_configs: [{targets: [%q]}]}]}
`, rules, strings.TrimPrefix(f.URL, "http://"), strings.TrimPrefix(m.url, "http://")))
	sourcetest.Run(t, bin, "--config.file="+config, "--storage.tsdb.path="+t.TempDir(), "--web.listen-address="+addr, "--log.level=error")
	return "http://" + addr
}
