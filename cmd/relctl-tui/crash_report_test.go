package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func reportsIn(t *testing.T, dir, ending string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*"+ending))
	require.NoError(t, err)
	return paths
}

func TestTheNewestTenReportsAreKept(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 15, 3, 12, 0, 0, time.UTC)
	c := &crashes{dir: filepath.Join(t.TempDir(), "crash"), now: func() time.Time { now = now.Add(time.Minute); return now }}
	for i := range 25 {
		require.ErrorContains(t, c.keep(fmt.Sprint("fault ", i), nil), c.dir)
	}
	kept := reportsIn(t, c.dir, ".txt")
	require.Len(t, kept, 10)
	for i, path := range kept { // the names are sorted by time
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Contains(t, string(text), fmt.Sprint("panic: fault ", 15+i, "\n"))
	}
}

func TestALoopThatPanicsAgainAndAgainLeavesOneReport(t *testing.T) {
	t.Parallel()
	c := &crashes{dir: filepath.Join(t.TempDir(), "crash"), now: time.Now}
	report := c.survivor()
	for range 50 {
		report(errors.New("index out of range"), nil)
	}
	report("another", nil)
	require.Len(t, reportsIn(t, c.dir, ".txt"), 2)
}

func TestAReportHoldsNoSecretWhateverThePanicSays(t *testing.T) {
	t.Parallel()
	for _, value := range []any{
		"GET https://ana:s3cret@prom.example/api?x=1: refused",
		"https://hooks.example/trigger/s3cret",
		errors.New(`Authorization: Bearer s3cret`),
		`header "Authorization": "Basic s3cret=="`,
		"token=s3cret", "api_key: s3cret", `{"password":"s3cret"}`, "X-Auth-Token: s3cret", "Cookie: sid=s3cret",
		struct{ Token string }{"s3cret"},
		map[string]string{"a": "s3cret"},
		[]byte("s3cret"),
		"\x1b]0;s\x07 PASSWORD = s3cret",
	} {
		c := &crashes{dir: filepath.Join(t.TempDir(), "crash"), now: time.Now}
		err := c.keep(value, []byte("goroutine 1 [running]:\n\tmain.go:1 token=s3cret\n"))
		require.Error(t, err)
		reports := reportsIn(t, c.dir, ".txt")
		require.Len(t, reports, 1)
		text, ferr := os.ReadFile(reports[0])
		require.NoError(t, ferr)
		require.NotContains(t, string(text)+err.Error(), "s3cret", "%v", value)
		require.NotContains(t, string(text), "\x1b")
		require.Contains(t, string(text), "goroutine 1 [running]:\n\tmain.go:1")
	}
}

func TestAFatalErrorLeavesLastWordsThatTheNextStartMakesAReportOf(t *testing.T) {
	t.Parallel()
	flags := "flagd:" + flagFile(t, fleetFile)
	state := "XDG_STATE_HOME=" + t.TempDir()
	dir := filepath.Join(strings.TrimPrefix(state, "XDG_STATE_HOME="), "relctl-tui", "crash")

	other := open(t, 120, 24, []string{state}, "--flags", flags)
	other.awaitLine("checkout-v2")
	s := open(t, 120, 24, []string{state}, "--flags", flags)
	s.awaitLine("checkout-v2")
	require.Len(t, reportsIn(t, dir, ".fatal"), 2, "one for each board that runs")
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGQUIT)) // which the runtime dies of by itself
	s.awaitExit()

	s = open(t, 120, 24, []string{state}, "--flags", flags)
	s.awaitText("the last run ended in a fatal error, the report is in")
	reports := reportsIn(t, dir, ".txt")
	require.Len(t, reports, 1)
	info, err := os.Stat(reports[0])
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	text, err := os.ReadFile(reports[0])
	require.NoError(t, err)
	require.Contains(t, string(text), "SIGQUIT")
	require.Contains(t, string(text), "relctl-tui/ui.Run")
	s.press("j")
	s.await("the sentence gone", func(text string) bool { return !strings.Contains(text, "fatal error") })
	require.Zero(t, s.quit())
	require.Zero(t, other.quit())
	require.Empty(t, reportsIn(t, dir, ".fatal"), "a clean end leaves none")

	s = open(t, 120, 24, []string{state}, "--flags", flags)
	s.awaitLine("checkout-v2")
	pause(100 * time.Millisecond)
	require.NotContains(t, s.text(), "fatal error", "said once")
	require.Zero(t, s.quit())
}
