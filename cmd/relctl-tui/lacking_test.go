package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// configOf writes a config whose context has the bench's flags and more.
func configOf(t *testing.T, b *bench, more string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	text := fmt.Sprintf("contexts:\n  prod:\n    flags: [{dsn: \"flagd:%s\", name: flags}]\n    %s\n", b.path, more)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestAKillGoesThroughWhateverMetricsAndOutletsLack(t *testing.T) {
	t.Parallel()
	for more, lacks := range map[string]string{
		`metrics: [{dsn: "http://127.0.0.1:1", token: "${NOBODY_HAS_SET_THIS}"}]`:                              "NOBODY_HAS_SET_THIS is not set",
		`metrics: [{dsn: "http://127.0.0.1:1", username: "${NOBODY_HAS_SET_THIS}", password: "${PATH}"}]`:      "NOBODY_HAS_SET_THIS is not set",
		`metrics: [{dsn: "alertmanager+http://127.0.0.1:1", silences: true, token: "${NOBODY_HAS_SET_THIS}"}]`: "NOBODY_HAS_SET_THIS is not set",
		`outlets: [{type: slack, url: "${NOBODY_HAS_SET_THIS}"}]`:                                              `slack was not told of change \S+ \(checkout-v2\): \S+ "url": environment variable NOBODY_HAS_SET_THIS is not set; the change itself stands`,
		`outlets: [{type: slack, url_file: /nowhere/at/all}]`:                                                  "slack was not told of change",
		`outlets: [{type: pagerduty, key: "${NOBODY_HAS_SET_THIS}"}]`:                                          "pagerduty was not told of change",
		`outlets: [{type: grafana, url: "ftp://grafana.example", token: "${PATH}"}]`:                           `grafana was not told of change \S+ \(checkout-v2\): the address wants`,
		`outlets: [{type: grafana, url: "http://127.0.0.1:1", token: "${PATH}", ca_file: /nowhere/at/all}]`:    "grafana was not told of change",
	} {
		b := newBench(t)
		config := configOf(t, b, more)
		r := runIn(t, b.env, "--config", config, "kill", "checkout-v2")
		require.Zero(t, r.code, "%s: %s", more, r.stderr)
		require.Contains(t, r.stdout, "killed confirmed", more)
		require.Regexp(t, lacks, r.stderr, more)

		r = runIn(t, b.env, "--config", config, "doctor")
		require.Equal(t, exitFailed, r.code, "%s: %s", more, r.stdout)
		require.Contains(t, r.stdout, "DOES NOT WORK", more)
	}
}

func TestAKillGoesThroughWhereAnotherStoreLacksItsTokenButNotWhereNoStoreIsLeft(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	path := filepath.Join(t.TempDir(), "config.yaml")
	lacks := "{dsn: \"unleash+http://127.0.0.1:1?project=p&environment=e\", name: other, token: \"${NOBODY_HAS_SET_THIS}\"}"
	write := func(stores string) {
		require.NoError(t, os.WriteFile(path, []byte("contexts:\n  prod:\n    flags: ["+stores+"]\n"), 0o600))
	}
	write(fmt.Sprintf("{dsn: \"flagd:%s\", name: mine}, %s", b.path, lacks))
	r := runIn(t, b.env, "--config", path, "kill", "checkout-v2")
	require.Zero(t, r.code, r.stderr)
	require.Contains(t, r.stdout, "killed confirmed")
	require.Contains(t, r.stderr, "NOBODY_HAS_SET_THIS is not set")
	r = runIn(t, b.env, "--config", path, "status")
	require.Contains(t, r.stdout, "other")
	require.Contains(t, r.stdout, "checkout-v2")
	r = runIn(t, b.env, "--config", path, "kill", "somewhere-else")
	require.Equal(t, exitUsage, r.code, r.stderr)
	require.Contains(t, r.stderr, "NOBODY_HAS_SET_THIS is not set", "it may be in there")

	write(lacks)
	r = runIn(t, b.env, "--config", path, "kill", "checkout-v2")
	require.Equal(t, exitUsage, r.code, r.stderr)
	require.Contains(t, r.stderr, "NOBODY_HAS_SET_THIS is not set")
}

func TestWhatVerifyLacksKeepsNobodyFromAChangeWhichSaysWhyItIsNotProven(t *testing.T) {
	t.Parallel()
	for _, verify := range []string{
		`{dsn: "ofrep+http://127.0.0.1:1", token: "${NOBODY_HAS_SET_THIS}"}`,
		`{dsn: "ofrep+http://127.0.0.1:1", username: ana, password: "${NOBODY_HAS_SET_THIS}"}`,
		`{dsn: "ofrep+http://${NOBODY_HAS_SET_THIS}"}`,
		`{dsn: "scrape+http://127.0.0.1:1", headers: {X-Scope: "${NOBODY_HAS_SET_THIS}"}}`,
	} {
		b := newBench(t)
		config := filepath.Join(t.TempDir(), "config.yaml")
		require.NoError(t, os.WriteFile(config, fmt.Appendf(nil,
			"contexts:\n  prod:\n    flags: [{dsn: \"flagd:%s\", name: shop, verify: [%s]}]\n    rules: {checkout-v2: {drill: true}}\n", b.path, verify), 0o600))
		use := func(args ...string) result { return runIn(t, b.env, append(args, "--config", config)...) }

		r := use("drill", "checkout-v2")
		require.Equal(t, exitUsage, r.code, "a drill that proves nothing kills nothing: %s", r.stderr)
		require.Contains(t, r.stderr, "a drill would prove nothing; nothing was changed")

		r = use("kill", "checkout-v2")
		require.Zero(t, r.code, "%s: %s", verify, r.stderr)
		require.Contains(t, r.stdout, "killed confirmed", verify)
		require.Regexp(t, `whether checkout-v2 is effective cannot be told: .*NOBODY_HAS_SET_THIS is not set`, r.stdout)
		require.Contains(t, r.stderr, "NOBODY_HAS_SET_THIS is not set")

		r = use("undo", "-o", "json")
		require.Zero(t, r.code, r.stderr)
		require.NotContains(t, r.stdout, "effective_at")
		require.Regexp(t, `whether checkout-v2 is effective cannot be told: .*NOBODY_HAS_SET_THIS is not set`, r.stderr)

		r = use("doctor")
		require.Equal(t, exitFailed, r.code, r.stdout)
		require.Regexp(t, `(?m)^verify   .*: DOES NOT WORK, so changes are confirmed, but not proven: .*NOBODY_HAS_SET_THIS is not set`, r.stdout)
		r = use("doctor", "-o", "json")
		require.Regexp(t, `"proven": false,\s+"unproven": ".*NOBODY_HAS_SET_THIS is not set"`, r.stdout)
	}
}

func TestASecretFileOfVerifyThatCannotBeReadIsLikeAVariableThatIsMissing(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	for verify, lacks := range map[string]string{
		`{dsn: "ofrep+http://127.0.0.1:1", token_file: /nowhere/at/all}`:                   "secret file /nowhere/at/all: ",
		`{dsn: "ofrep+http://127.0.0.1:1", username: ana, password_file: /nowhere/at/all}`: "secret file /nowhere/at/all: ",
		`{dsn: "ofrep+http://127.0.0.1:1", token_file: ` + empty + `}`:                     "secret file .*: wants one line",
		`{dsn: "scrape+http://127.0.0.1:1", token_file: /nowhere/at/all}`:                  "secret file /nowhere/at/all",
		`{dsn: "http://127.0.0.1:1", token_file: /nowhere/at/all}`:                         "secret file /nowhere/at/all",
		`{dsn: "ofrep+https://127.0.0.1:1", ca_file: /nowhere/at/all}`:                     "ca_file /nowhere/at/all: ",
	} {
		b := newBench(t)
		config := filepath.Join(t.TempDir(), "config.yaml")
		require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, "contexts:\n  prod:\n    effective_within: 10m\n"+
			"    flags: [{dsn: \"flagd:%s\", name: shop, verify: [%s]}]\n    rules: {checkout-v2: {drill: true}}\n", b.path, verify), 0o600))
		use := func(args ...string) result { return runIn(t, b.env, append(args, "--config", config)...) }

		r := use("drill", "checkout-v2")
		require.Equal(t, exitUsage, r.code, "a drill that proves nothing kills nothing: %s", r.stderr)
		require.Regexp(t, `a drill would prove nothing; nothing was changed: .*`+lacks, r.stderr)

		r = use("kill", "checkout-v2")
		require.Zero(t, r.code, "%s: %s", verify, r.stderr)
		require.Contains(t, r.stdout, "killed confirmed", verify)
		require.Regexp(t, `whether checkout-v2 is effective cannot be told: .*`+lacks, r.stdout)
		require.Regexp(t, `config.yaml:4:\d+: .*`+lacks, r.stderr)

		r = use("doctor")
		require.Equal(t, exitFailed, r.code, r.stdout)
		require.Regexp(t, `DOES NOT WORK, so changes are confirmed, but not proven: .*`+lacks, r.stdout)
	}
}

func TestAFrontendTokensFileThatCannotBeReadIsToldWhenTheStoreIsOpened(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(config, []byte("contexts:\n  prod:\n    flags: [{dsn: \"unleash+http://127.0.0.1:1?project=p&environment=e\", token: t, frontend_token_file: /nowhere/at/all}]\n"), 0o600))
	r := runIn(t, cleanEnv(t), "doctor", "-o", "json", "--config", config)
	require.Regexp(t, `config.yaml:3:\d+: "frontend_token_file": secret file /nowhere/at/all: `, r.stderr)
	require.Regexp(t, `"proven": false,\s+"unproven": ".*secret file /nowhere/at/all: `, r.stdout)
}

// oldEvaluations is a server that lets one token in and gives everybody what was before a kill, until
// it is told of it.
func oldEvaluations(t *testing.T, token func() string) (address string, told *atomic.Bool) {
	told = &atomic.Bool{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case r.Header.Get("Authorization") != "Bearer "+token():
			w.WriteHeader(http.StatusUnauthorized)
		case told.Load():
			_, _ = io.WriteString(w, `{"key":"checkout-v2","reason":"DISABLED"}`)
		default:
			_, _ = io.WriteString(w, `{"key":"checkout-v2","reason":"SPLIT","variant":"on","value":true}`)
		}
	}))
	t.Cleanup(s.Close)
	return "ofrep+" + s.URL, told
}

func TestATokenFileThatVanishesUnderABoardEndsTheWaitAndOneThatComesBackIsReadAgain(t *testing.T) {
	t.Parallel()
	var token atomic.Value
	token.Store("first")
	address, told := oldEvaluations(t, func() string { return token.Load().(string) })
	secret := filepath.Join(t.TempDir(), "ofrep")
	require.NoError(t, os.WriteFile(secret, []byte("first\n"), 0o600))
	b := newBench(t)
	config := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, "contexts:\n  prod:\n    effective_within: 1h\n"+
		"    flags: [{dsn: \"flagd:%s\", name: shop, verify: [{dsn: %q, token_file: %s}]}]\n", b.path, address, secret), 0o600))
	s := open(t, 160, 24, nil, "--config", config)
	pick(s, "checkout-v2")
	s.press("K")
	s.awaitText("effect pending")
	require.NoError(t, os.Remove(secret))
	s.awaitText("whether checkout-v2 is effective cannot be told", "secret file")

	s.press("u")
	s.awaitText("undone:", "cannot be told")
	require.Equal(t, twoFlags, b.file())
	token.Store("second")
	told.Store(true)
	require.NoError(t, os.WriteFile(secret, []byte("second\n"), 0o600))
	s.press("K")
	s.awaitText("killed", "effective", "u undoes it")
}

func TestTheBoardSaysWhyWhatIsChangedIsNotProven(t *testing.T) {
	t.Parallel()
	config, _, staging := twoContexts(t, `, name: shop, verify: [{dsn: "ofrep+http://127.0.0.1:1", token: "${NOBODY_HAS_SET_THIS}"}]`)
	s := open(t, 160, 24, nil, "--config", config, "--context", "staging")
	s.awaitText("changes of shop are confirmed, but not proven", "NOBODY_HAS_SET_THIS is not set")
	pick(s, "checkout-v2")
	s.press("K")
	s.awaitText("is effective cannot be told", "NOBODY_HAS_SET_THIS is not set")
	require.Contains(t, read(t, staging), "DISABLED")
}

func TestConfigCheckReadsTheAddressesOfOutlets(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	config := configOf(t, b, `outlets: [{type: slack, url: "${CHAT}"}]`)
	r := runIn(t, append(b.env, "CHAT=notaurl"), "config", "check", config)
	require.Equal(t, exitUsage, r.code, r.stdout)
	require.Contains(t, r.stderr, "config.yaml:4:34: slack: the address wants http://HOST or https://HOST")
	require.NotContains(t, r.stderr, "notaurl", "it may be a secret")

	r = runIn(t, b.env, "config", "check", config)
	require.Zero(t, r.code, r.stderr)
	require.Contains(t, r.stderr, "CHAT is not set", "elsewhere it may be")
}

func TestWithoutAHomeNoConfigComesOutOfAFolderThatEverybodyMayWrite(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	tmp := t.TempDir()
	planted := filepath.Join(tmp, ".config", "relctl-tui", "config.yaml")
	require.NoError(t, os.MkdirAll(filepath.Dir(planted), 0o755))
	require.NoError(t, os.WriteFile(planted, []byte(fmt.Sprintf("contexts: {planted: {flags: [{dsn: \"flagd:%s\"}]}}\n", b.path)), 0o600))
	env := []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + tmp, "XDG_STATE_HOME=" + t.TempDir()}
	r := runIn(t, env, "config", "check")
	require.NotContains(t, r.stdout+r.stderr, tmp)
	require.NotContains(t, runIn(t, env, "status").stdout, filepath.Base(b.path))
}

func TestAVerbForShellsRefusesWhatIsNoShell(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"completion"}, {"completion", "tcsh"}} {
		r := runIn(t, cleanEnv(t), args...)
		require.Equal(t, exitUsage, r.code, args)
		require.Empty(t, r.stdout, "it goes into a file that a shell reads")
		require.Contains(t, r.stderr, "bash")
	}
	require.Contains(t, runIn(t, cleanEnv(t), "completion", "bash").stdout, "__start_relctl-tui")
}

func TestOptionsThatCannotBeTakenSayWhatTheyWantInPlainWords(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, c := range []struct{ args, says string }{
		{"log -n abc", `log: --limit: "abc" is no whole number that it can take`},
		{"ramp checkout-v2 --guarded --hold 5", `--hold: "5" is no duration: write a number and a unit`},
		{"replay x --speed fast", `--speed: "fast" is no number`},
		{"demo --read-only=perhaps", `--read-only: "perhaps" is no choice: write true or false`},
		{"demo --headless --listen foo", `--listen: "foo" is no address: write HOST:PORT`},
		{"serve http --listen 127.0.0.1:nowhere --flags flagd:" + b.path, `--listen: "127.0.0.1:nowhere" is no address`},
		{"flags --flags flagdd:x", `did you mean "flagd:"?`},
	} {
		r := runIn(t, b.env, strings.Fields(c.args)...)
		require.Equal(t, exitUsage, r.code, "%s: %s", c.args, r.stderr)
		require.Contains(t, r.stderr, c.says)
	}
}
