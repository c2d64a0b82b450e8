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

// darkly answers about one flag as the API's description says; what the driver makes of
// the whole API is tested beside the driver.
func darkly(t *testing.T) (dsn string, on *atomic.Bool) {
	t.Helper()
	on = &atomic.Bool{}
	on.Store(true)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		flag := func() string {
			return fmt.Sprintf(`{"key":"checkout","kind":"boolean","variations":[{"_id":"y","value":true},{"_id":"n","value":false}],
				"environments":{"prod":{"on":%t,"offVariation":1,"fallthrough":{"variation":0},"targets":[],"contextTargets":[],"rules":[],"prerequisites":[]}}}`, on.Load())
		}
		switch {
		case r.Header.Get("Authorization") != "api-secret":
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"code":"unauthorized","message":"Invalid access token"}`)
		case r.URL.Path == "/api/v2/flags/shop":
			fmt.Fprint(w, `{"totalCount":1,"_links":{},"items":[`+flag()+`]}`)
		case r.URL.Path == "/api/v2/flags/shop/checkout":
			if r.Method == http.MethodPatch {
				var p struct{ Instructions []struct{ Kind string } }
				_ = json.NewDecoder(r.Body).Decode(&p)
				for _, i := range p.Instructions {
					on.Store(i.Kind == "turnFlagOn")
				}
			}
			fmt.Fprint(w, flag())
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(srv.Close)
	return "launchdarkly+" + srv.URL + "?project=shop&environment=prod", on
}

func TestAFlagOfLaunchDarklyIsListedKilledAndUndone(t *testing.T) {
	t.Parallel()
	dsn, on := darkly(t)
	env := append(cleanEnv(t), "RELCTL_ACTOR=ana")
	token, conf := filepath.Join(t.TempDir(), "token"), filepath.Join(t.TempDir(), "c.yaml")
	require.NoError(t, os.WriteFile(token, []byte("api-secret\n"), 0o600))
	require.NoError(t, os.WriteFile(conf, []byte("contexts:\n  prod:\n    flags: [{dsn: \""+dsn+"\", token_file: "+token+"}]\n"), 0o600))
	relctl := func(args ...string) result { return runIn(t, env, append([]string{"--config", conf}, args...)...) }

	got := relctl("flags", "-o", "json")
	require.Zero(t, got.code, got.stderr)
	require.Contains(t, got.stdout, `"rollout": 100`)
	got = relctl("kill", "checkout")
	require.Zero(t, got.code, got.stderr)
	require.False(t, on.Load())
	got = relctl("undo")
	require.Zero(t, got.code, got.stderr)
	require.True(t, on.Load())

	require.NoError(t, os.WriteFile(token, []byte("api-old\n"), 0o600))
	got = relctl("kill", "checkout")
	require.Equal(t, exitFailed, got.code)
	require.Contains(t, got.stderr, "Invalid access token")
	require.NotContains(t, got.stdout+got.stderr, "api-old")
	require.True(t, on.Load())
}

func TestAnAddressOfLaunchDarklyNamesProjectAndEnvironment(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"":                           `is no`,
		"?project=shop":              `"" is no environment key, write ?project=KEY&environment=KEY`,
		"?project=a/b&environment=e": `"a/b" is no project key`,
		"?project=a&environment=e&x": `"x" stands in the address of LaunchDarkly`,
		"?project=a&project=b":       `"project" stands in the address of LaunchDarkly`,
	} {
		got := runIn(t, cleanEnv(t), "--flags", "launchdarkly+https://app.launchdarkly.com"+query, "flags")
		require.Equal(t, exitUsage, got.code, got.stderr)
		require.Contains(t, strings.Join(strings.Fields(got.stderr), " "), want)
	}
}
