package main

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources/sourcetest"
)

const sdkHint = "npm install --no-package-lock --prefix .ci/sdk"

// application is a program with OpenFeature's SDK that evaluates one flag.
type application struct {
	t     *testing.T
	lines chan string
	got   map[string]evaluated
}

// evaluated is what twenty users of one provider get.
type evaluated struct {
	Who         string
	On          []string // with false as the default in the code
	OnOrDefault int      // with true as the default in the code
	Reason      string
}

func startApplication(t *testing.T, flagsURL, ofrepURL, flag string) *application {
	t.Helper()
	node := sourcetest.RealTool(t, "node", "apt-get install nodejs")
	modules, err := filepath.Abs(filepath.Join("..", "..", ".ci", "sdk", "node_modules"))
	require.NoError(t, err)
	if _, err := os.Stat(filepath.Join(modules, "@openfeature", "server-sdk")); err != nil {
		sourcetest.RequireReal(t, "npm package @openfeature/server-sdk", sdkHint)
	}
	cmd := exec.Command(node, filepath.Join("testdata", "sdk.cjs"), flagsURL, ofrepURL, filepath.Join(t.TempDir(), "synced.json"), flag)
	cmd.Env = append(os.Environ(), "NODE_PATH="+modules)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	a := &application{t: t, lines: make(chan string, 100), got: map[string]evaluated{}}
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer close(a.lines)
		for sc := bufio.NewScanner(out); sc.Scan(); {
			a.lines <- sc.Text()
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		for range a.lines { // drained until it is closed
		}
		<-read
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(stderr.String())
		}
	})
	return a
}

// providers are who evaluates: the SDK with the OFREP provider, the present OFREP
// client, the SDK with the flagd provider on what the sync source gives, and flagd's
// own evaluation on the same.
var providers = []string{"ofrep", "ofrep_now", "flagd", "core"}

// until waits until all providers see what they should, and says when each did.
func (a *application) until(what string, since time.Time, good func(evaluated) bool) {
	a.t.Helper()
	at := map[string]time.Duration{}
	timeout := time.After(60 * time.Second)
	for len(at) < len(providers) {
		for _, p := range providers {
			if _, seen := at[p]; !seen && good(a.got[p]) {
				at[p] = time.Since(since).Round(time.Millisecond)
			}
		}
		if len(at) == len(providers) {
			break
		}
		select {
		case line, ok := <-a.lines:
			require.True(a.t, ok, "%s: the application ended", what)
			var e evaluated
			require.NoError(a.t, json.Unmarshal([]byte(line), &e), line)
			a.got[e.Who] = e
		case <-timeout:
			require.Fail(a.t, "they do not all see it", "%s: %v, last %v", what, at, a.got)
		}
	}
	a.t.Logf("%s is seen after %v", what, at)
}

// storyOf runs the verbs under an application's eyes.
func storyOf(t *testing.T, env []string, store, flag string) {
	t.Helper()
	verb := func(args ...string) time.Time {
		r := runIn(t, env, append([]string{"--flags", store}, args...)...)
		require.Zero(t, r.code, r.stderr)
		return time.Now()
	}
	verb("ramp", flag, "50")
	flagsURL, ofrepURL, stop := publishing(t, env, "--flags", store)
	a := startApplication(t, flagsURL, ofrepURL, flag)
	half := func(e evaluated) bool {
		return len(e.On) > 3 && len(e.On) < 17 && e.OnOrDefault == len(e.On) && e.Reason == "TARGETING_MATCH"
	}
	a.until("50%", time.Now(), half)
	who := a.got["core"].On
	for _, p := range providers {
		require.Equal(t, who, a.got[p].On, "%s gives it to the same users", p)
	}
	a.until("kill", verb("kill", flag), func(e evaluated) bool { return len(e.On) == 0 && e.OnOrDefault == 20 })
	for _, p := range providers[1:] { // an older OFREP client calls an answer without a value an error
		require.Equal(t, "DISABLED", a.got[p].Reason, p)
	}
	a.until("undo", verb("undo"), func(e evaluated) bool { return half(e) && strings.Join(e.On, " ") == strings.Join(who, " ") })
	a.until("100%", verb("ramp", flag, "100"), func(e evaluated) bool { return len(e.On) == 20 })
	require.Zero(t, stop())
}

func TestApplicationsSeeAKillAndItsUndoOfAFlagFileThroughServe(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	storyOf(t, b.env, "flagd:"+b.path, "checkout-v2")
}

func TestApplicationsSeeAKillAndItsUndoOfEtcdThroughServe(t *testing.T) {
	t.Parallel()
	b := newEtcdBench(t)
	r := b.run("flags", "import", b.path)
	require.Zero(t, r.code, r.stderr)
	storyOf(t, b.env, b.dsn, "checkout-v2")
}
