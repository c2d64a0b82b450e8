package main

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"
)

// headless starts the fleet and reads the two lines that tell where it is.
func headless(t *testing.T, args ...string) (flags, metrics string, stop func() int) {
	t.Helper()
	cmd := exec.Command(binary, append([]string{"demo", "--headless"}, args...)...)
	cmd.Env = cleanEnv(t)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	sc := bufio.NewScanner(out)
	require.True(t, sc.Scan())
	flags, ok := strings.CutPrefix(sc.Text(), "flags: ")
	require.True(t, ok, sc.Text())
	require.True(t, sc.Scan())
	metrics, ok = strings.CutPrefix(sc.Text(), "metrics: ")
	require.True(t, ok, sc.Text())
	return flags, metrics, func() int {
		require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()
		return cmd.ProcessState.ExitCode()
	}
}

func TestTheHeadlessFleetIsReadAndSteeredByTheVerbs(t *testing.T) {
	t.Parallel()
	flags, metrics, stop := headless(t, "--seed", "3")
	env := append(cleanEnv(t), "RELCTL_ACTOR=ana")
	use := func(args ...string) result {
		return runIn(t, env, append([]string{"--flags", "flagd:" + flags, "--metrics", "scrape+" + metrics}, args...)...)
	}
	var list flagsDoc
	strictly(t, use("flags", "-o", "json").stdout, &list)
	require.Len(t, list.Flags, 25)

	var lat struct{ Latencies []map[string]any }
	strictly(t, use("latency", "-o", "json").stdout, &lat)
	require.Len(t, lat.Latencies, 6)
	for _, l := range lat.Latencies {
		for _, key := range []string{"source", "name", "p50_s", "p95_s", "p99_s", "rate", "error_ratio", "slo_s", "verdict", "stale"} {
			require.Contains(t, l, key)
		}
		require.NotNil(t, l["rate"], "two scrapes make a rate")
	}
	var brk struct{ Breakers []map[string]any }
	strictly(t, use("breakers", "-o", "json").stdout, &brk)
	require.NotEmpty(t, brk.Breakers)
	for _, b := range brk.Breakers {
		for _, key := range []string{"source", "name", "state", "instances", "open_instances", "error_ratio", "rate", "inferred", "stale"} {
			require.Contains(t, b, key)
		}
	}
	r := use("status")
	require.Zero(t, r.code, r.stderr)
	require.Contains(t, r.stdout, "payment API")
	require.Contains(t, use("ramp", "checkout-v2", "10").stdout, "0% → 10% confirmed")
	require.Zero(t, use("kill", "checkout-v2").code)

	require.Zero(t, stop())
	_, err := os.Stat(filepath.Dir(flags))
	require.ErrorIs(t, err, os.ErrNotExist, "the temporary flags are gone")
}

func TestTheFleetKeepsAFlagsFileThatWasNamed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "mine.flagd.json")
	flags, _, stop := headless(t, "--flags-file", path, "--listen", "127.0.0.1:0")
	require.Equal(t, path, flags)
	require.Zero(t, stop())
	require.FileExists(t, path)
}

// inPTY runs the program in a terminal that answers nothing, and returns what it
// wrote.
func inPTY(t *testing.T, env []string, args ...string) (string, int) {
	t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Env = append(cleanEnv(t), env...)
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: 100, Rows: 30})
	require.NoError(t, err)
	defer tty.Close()
	var out bytes.Buffer
	_, _ = io.Copy(&out, tty) // ends with an error of its own when the program ends
	_ = cmd.Wait()
	return out.String(), cmd.ProcessState.ExitCode()
}

func TestNeitherHelpNorAnErrorAsksTheTerminalAnything(t *testing.T) {
	t.Parallel()
	for args, code := range map[string]int{"--help": 0, "kil": exitUsage, "--version": 0} {
		out, got := inPTY(t, []string{"TERM=xterm-256color"}, args)
		require.Equal(t, code, got)
		require.NotEmpty(t, out)
		require.NotContains(t, out, "\x1b]", "no query of colours")
		require.NotContains(t, out, "\x1b[c", "no query of attributes")
		require.NotContains(t, out, "\x1b[6n", "no query of the cursor")
	}
}
