package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources/sourcetest"
)

// unleashed is a real Unleash with that flag at 25 %, the path of a config whose
// context shows it, and that of the token's file. The server is shared by the tests:
// each has a flag of its own.
func unleashed(t *testing.T, key string) (s *sourcetest.Unleash, conf, token string) {
	t.Helper()
	s = sourcetest.StartUnleash(t, 7)
	const flags = "/api/admin/projects/default/features"
	s.Must(t, http.MethodPost, flags, map[string]string{"name": key, "type": "release"}, nil)
	s.Must(t, http.MethodPost, flags+"/"+key+"/environments/production/strategies", map[string]any{
		"name": "flexibleRollout", "parameters": map[string]string{"rollout": "25", "stickiness": "userId", "groupId": key},
	}, nil)
	s.Must(t, http.MethodPost, flags+"/"+key+"/environments/production/on", nil, nil)
	dir := t.TempDir()
	token, conf = filepath.Join(dir, "admin"), filepath.Join(dir, "c.yaml")
	for name, text := range map[string]string{
		"admin": sourcetest.UnleashAdmin, "backend": sourcetest.UnleashBackend, "frontend": sourcetest.UnleashFrontend,
		"c.yaml": "contexts:\n  prod:\n    flags:\n      - dsn: \"unleash+" + s.Base + "?project=default&environment=production\"\n" +
			"        name: shop\n        token_file: admin\n        client_token_file: backend\n        frontend_token_file: frontend\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text+"\n"), 0o600))
	}
	return s, conf, token
}

func TestAFlagOfARealUnleashIsListedRampedKilledAndUndone(t *testing.T) {
	t.Parallel()
	s, conf, token := unleashed(t, "checkout")
	env := append(cleanEnv(t), "RELCTL_ACTOR=ana")
	relctl := func(args ...string) result { return runIn(t, env, append([]string{"--config", conf}, args...)...) }
	shows := func(state string, rollout string) {
		t.Helper()
		got := relctl("flags", "-o", "json")
		require.Zero(t, got.code, got.stderr)
		require.Contains(t, got.stdout, `"state": "`+state+`"`)
		require.Contains(t, got.stdout, `"rollout": `+rollout)
		require.Contains(t, got.stdout, `"changed_by": "`)
	}
	on := func() (bool, string) {
		var got struct {
			Enabled    bool
			Strategies []struct{ Parameters struct{ Rollout string } }
		}
		s.Must(t, http.MethodGet, "/api/admin/projects/default/features/checkout/environments/production", nil, &got)
		require.Len(t, got.Strategies, 1)
		return got.Enabled, got.Strategies[0].Parameters.Rollout
	}
	shows("on", "25")
	for _, step := range []struct {
		args    []string
		enabled bool
		rollout string
	}{
		{[]string{"ramp", "checkout", "50"}, true, "50"},
		{[]string{"kill", "checkout", "--reason", "errors"}, false, "50"},
		{[]string{"undo"}, true, "50"},
		{[]string{"undo"}, true, "25"},
	} {
		got := relctl(append(step.args, "-o", "json")...)
		require.Zero(t, got.code, got.stderr)
		var receipt struct {
			Change struct {
				Effective string `json:"effective_at"`
			} `json:"change"`
		}
		require.NoError(t, json.Unmarshal([]byte(got.stdout), &receipt), got.stdout)
		require.NotEmpty(t, receipt.Change.Effective, "the evaluating side has it: %s", got.stdout)
		enabled, rollout := on()
		require.Equal(t, step.enabled, enabled, step.args)
		require.Equal(t, step.rollout, rollout, step.args)
	}
	got := relctl("ramp", "checkout", "12.5")
	require.Equal(t, exitFailed, got.code)
	require.Contains(t, got.stderr, "whole percentages only")

	got = relctl("log")
	require.Zero(t, got.code, got.stderr)
	require.NotContains(t, got.stdout, "drill", "no reason was given")
	require.Equal(t, 4+2, strings.Count(got.stdout, " checkout "), "the journal's lines and Unleash's are one: %s", got.stdout)

	require.NoError(t, os.WriteFile(token, []byte("user:old-secret\n"), 0o600))
	got = relctl("kill", "checkout")
	require.Equal(t, exitFailed, got.code)
	require.Contains(t, got.stderr, "make a personal access token")
	require.NotContains(t, got.stdout+got.stderr, "old-secret")
	enabled, _ := on()
	require.True(t, enabled)
}

func TestAnAddressOfUnleashNamesProjectAndEnvironmentAndHoldsNoSecret(t *testing.T) {
	t.Parallel()
	for dsn, want := range map[string]string{
		"unleash+https://h?project=p":                       "wants a project and an environment",
		"unleash+https://h?project=p&environment=e":         "name it with token_file",
		"unleash+https://h?project=p&environment=e&token=x": `"token" stands in the address`,
		"unleash+https://ana:pw@h?project=p&environment=e":  "carries a user or password",
		"unleash+https:?project=p&environment=e":            "is no URL",
	} {
		got := runIn(t, cleanEnv(t), "--flags", dsn, "flags")
		require.Equal(t, exitUsage, got.code, got.stderr)
		require.Contains(t, strings.Join(strings.Fields(got.stderr), " "), want)
		require.NotContains(t, got.stderr, "ana:pw")
	}
}
