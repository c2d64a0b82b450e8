package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources/sourcetest"
)

// binary is the program under test, built once.
var binary string

func TestMain(m *testing.M) {
	// A fuzz target never runs the program, and each worker of it comes through here:
	// building it would take all of a short fuzzing's time.
	if slices.ContainsFunc(os.Args, func(a string) bool { return strings.HasPrefix(a, "-test.fuzz=") }) {
		os.Exit(m.Run())
	}
	dir, err := os.MkdirTemp("", "relctl-tui-test-")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "relctl-tui")
	build := exec.Command("go", "build", "-o", binary, ".")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	sourcetest.StopUnleash()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// cleanEnv is an environment with homes of the test's own: nothing of whoever
// runs the tests is read or written.
func cleanEnv(t testing.TB) []string {
	t.Helper()
	home := t.TempDir()
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home,
		"XDG_CONFIG_HOME=" + filepath.Join(home, "config"),
		"XDG_STATE_HOME=" + filepath.Join(home, "state"),
	}
	toured(t, env)
	return env
}

// toured is an environment's person who has seen the board's tour: its tips are no part of
// the screens that the tests are about.
func toured(t testing.TB, env []string) {
	t.Helper()
	dir := filepath.Join(lookIn(env)("XDG_STATE_HOME"), "relctl-tui")
	require.NoError(t, os.MkdirAll(dir, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "toured"), nil, 0o600))
}

// result is one finished run of the program.
type result struct {
	stdout, stderr string
	code           int
}

// runIn runs the program without a terminal, in an environment that the caller made.
func runIn(t testing.TB, env []string, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(binary, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = env, &stdout, &stderr
	cmd.WaitDelay = 30 * time.Second
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	r := result{stdout: stdout.String(), stderr: stderr.String(), code: cmd.ProcessState.ExitCode()}
	for _, bad := range []string{"\x1b", "\u009b", "\u202e"} {
		require.NotContains(t, r.stdout+r.stderr, bad, "no escape sequence ever reaches a pipe")
	}
	return r
}

// run is runIn with a clean environment and both outputs together.
func run(t testing.TB, env []string, args ...string) (string, int) {
	t.Helper()
	r := runIn(t, append(cleanEnv(t), env...), args...)
	return r.stdout + r.stderr, r.code
}

// lines is text's lines without the last, empty one.
func lines(text string) []string { return strings.Split(strings.TrimSuffix(text, "\n"), "\n") }
