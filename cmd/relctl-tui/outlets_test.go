package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAChangeFromTheCommandLineIsToldToOutletsBeforeTheProgramEnds(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var texts []string
	chat := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var in struct{ Text string }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || r.URL.Path != "/services/hidden" {
			t.Error(err, r.URL)
		}
		mu.Lock()
		defer mu.Unlock()
		texts = append(texts, in.Text)
	}))
	t.Cleanup(chat.Close)
	said := func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(texts)
	}
	gone := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(gone.Close)
	b := newBench(t)
	config := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(config, []byte(fmt.Sprintf(`contexts:
  prod:
    flags: [{dsn: "flagd:%s", name: flags}]
    outlets:
      - {type: slack, name: chat, url: "${CHAT_URL}"}
      - {type: webhook, name: hook, url: "%s", key: "${HOOK_KEY}"}
`, b.path, gone.URL)), 0o600))
	env := append(b.env, "CHAT_URL="+chat.URL+"/services/hidden", "HOOK_KEY=topsecret")

	r := runIn(t, env, "--config", config, "kill", "checkout-v2", "--reason", "payments fail")
	require.Zero(t, r.code, "the change stands, whoever could not be told: "+r.stderr)
	require.Equal(t, []string{"[prod] ana: kill checkout-v2, 25% to killed (payments fail)"}, said())
	require.Regexp(t, `hook was not told of change \S+ \(checkout-v2\): .*404.*; the change itself stands, and the journal says who was not told`, r.stderr)

	r = runIn(t, env, "--config", config, "report")
	require.Zero(t, r.code, r.stderr)
	require.Contains(t, r.stdout, "could not be told to hook")
	r = runIn(t, env, "--config", config, "doctor")
	require.Zero(t, r.code, r.stderr)
	require.Contains(t, r.stdout, "outlet   chat: is configured")
	require.Len(t, said(), 1, "the doctor tells nobody of anything")
	for _, secret := range []string{"hidden", "topsecret"} {
		require.NotContains(t, r.stdout+r.stderr, secret)
	}
}

func TestASecretOfAnOutletIsNeverWrittenIntoTheConfig(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for want, outlet := range map[string]string{
		`"url" as ${VARIABLE} or use "url_file"`:    `{type: slack, url: "https://hooks.example/services/x"}`,
		`write it as ${VARIABLE} or use`:            `{type: webhook, url: "https://hooks.example", key: topsecret}`,
		`wants "key" or "key_file"`:                 `{type: pagerduty}`,
		`wants "url" or "url_file"`:                 `{type: grafana}`,
		`unknown type "slak": did you mean "slack"`: `{type: slak}`,
	} {
		config := filepath.Join(t.TempDir(), "config.yaml")
		require.NoError(t, os.WriteFile(config, []byte("contexts:\n  prod:\n    outlets:\n      - "+outlet+"\n"), 0o600))
		r := runIn(t, b.env, "config", "check", "--config", config)
		require.Equal(t, exitUsage, r.code, outlet)
		require.Contains(t, r.stderr, want)
		require.Contains(t, r.stderr, ":4:")
		require.NotContains(t, r.stderr, "topsecret")
	}
}
