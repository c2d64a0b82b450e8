package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// provingConfig is a config whose one store is proven by what the fleet counts.
func provingConfig(t *testing.T, flags, page, more string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(path, fmt.Appendf(nil, `contexts:
  prod:
    flags: [{dsn: "flagd:%s", name: shop, verify: [{dsn: "scrape+%s"}]}]
    rules: {checkout-v2: {drill: true}, off-flag: {drill: true}}
%s`, flags, page, more), 0o600))
	return path
}

func TestADrillKillsProvesBringsBackAndProvesThat(t *testing.T) {
	t.Parallel()
	flags, page, _ := headless(t, "--seed", "3")
	config := provingConfig(t, flags, page, "")
	env := append(cleanEnv(t), "RELCTL_ACTOR=ana")
	use := func(args ...string) result { return runIn(t, env, append(args, "--config", config)...) }

	r := use("ramp", "checkout-v2", "50")
	require.Zero(t, r.code, r.stderr)
	require.Regexp(t, `checkout-v2: accepted [0-9.]+ m?s · re-read [0-9.]+ m?s · effective \d`, r.stdout)
	before := read(t, flags)

	r = use("drill", "checkout-v2")
	require.Zero(t, r.code, r.stderr)
	require.Regexp(t, `(?s)^checkout-v2 50% → killed: accepted [0-9.]+ m?s · effective [0-9.]+ m?s \(change \S+\)
checkout-v2 killed → 50%: accepted [0-9.]+ m?s · effective [0-9.]+ m?s \(change \S+\)
the drill of checkout-v2 was in time: both ways within 1m0s
$`, r.stdout)
	require.Equal(t, before, read(t, flags), "it is as it was, byte for byte")

	var doc struct {
		Drill struct {
			Source, Key string
			Budget      float64 `json:"budget_s"`
			Changes     []struct {
				Change, Kind, Error string
				Accepted            float64 `json:"accepted_s"`
				Effective           float64 `json:"effective_s"`
				InTime              bool    `json:"in_time"`
			}
		}
	}
	r = use("drill", "checkout-v2", "-o", "json")
	require.Zero(t, r.code, r.stderr)
	strictly(t, r.stdout, &doc)
	require.Len(t, doc.Drill.Changes, 2)
	for _, c := range doc.Drill.Changes {
		require.True(t, c.InTime)
		require.Greater(t, c.Effective, c.Accepted)
	}
}

func TestADrillBeyondItsBudgetFailsAndStillBringsTheFlagBack(t *testing.T) {
	t.Parallel()
	flags, page, _ := headless(t, "--seed", "3")
	config := provingConfig(t, flags, page, "")
	env := cleanEnv(t)
	require.Zero(t, runIn(t, env, "ramp", "checkout-v2", "50", "--no-wait", "--config", config).code)
	before := read(t, flags)
	late := provingConfig(t, flags, page, "    effective_within: 1ms\n")
	r := runIn(t, env, "drill", "checkout-v2", "--config", late)
	require.Equal(t, exitUnconfirmed, r.code)
	require.Regexp(t, `NOT effective after 1ms|could not be told after 1ms`, r.stderr, "which it is depends on whether the answer was quicker")
	require.Equal(t, before, read(t, flags))
}

func TestADrillThatIsInterruptedBringsTheFlagBack(t *testing.T) {
	t.Parallel()
	flags, _, _ := headless(t, "--seed", "3")
	// Nobody answers there, so the drill waits until it is told to stop.
	config := provingConfig(t, flags, "http://127.0.0.1:1/metrics", "    effective_within: 3s\n")
	env := cleanEnv(t)
	require.Zero(t, runIn(t, env, "ramp", "checkout-v2", "50", "--no-wait", "--config", config).code)
	before := read(t, flags)
	cmd := exec.Command(binary, "drill", "checkout-v2", "--config", config)
	cmd.Env = env
	require.NoError(t, cmd.Start())
	require.Eventually(t, func() bool { return strings.Contains(read(t, flags), "DISABLED") }, patience, time.Millisecond)
	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	_ = cmd.Wait()
	require.NotZero(t, cmd.ProcessState.ExitCode())
	require.Equal(t, before, read(t, flags))
}

func TestADrillIsRefusedWhereItIsNotWantedOrProvesNothing(t *testing.T) {
	t.Parallel()
	flags := flagFile(t, fleetFile)
	config := provingConfig(t, flags, "http://127.0.0.1:1/metrics", "")
	r := runIn(t, cleanEnv(t), "drill", "dark-mode", "--config", config)
	require.Equal(t, exitRefused, r.code)
	require.Contains(t, r.stderr, "dark-mode is not marked for drills, nothing was changed")
	require.Equal(t, fleetFile, read(t, flags))

	off := flagFile(t, strings.ReplaceAll(fleetFile, "dark-mode", "off-flag"))
	r = runIn(t, cleanEnv(t), "drill", "off-flag", "--config", provingConfig(t, off, "http://127.0.0.1:1/metrics", ""))
	require.Equal(t, exitRefused, r.code)
	require.Contains(t, r.stderr, "a kill would prove nothing")

	alone := filepath.Join(t.TempDir(), "c.yaml")
	require.NoError(t, os.WriteFile(alone, fmt.Appendf(nil, "contexts: {a: {flags: [{dsn: \"flagd:%s\"}], rules: {checkout-v2: {drill: true}}}}", flags), 0o600))
	r = runIn(t, cleanEnv(t), "drill", "checkout-v2", "--config", alone)
	require.Equal(t, exitUsage, r.code)
	require.Contains(t, r.stderr, "nobody is named who evaluates flags")
}
