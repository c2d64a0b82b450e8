package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// newcomer opens a board for somebody whose state is in dir.
func newcomer(t *testing.T, dir string, args ...string) *screen {
	t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Env = append(terminalEnv(t), "XDG_STATE_HOME="+dir)
	s := openCommand(t, 80, 24, cmd)
	s.awaitLine("checkout-v2")
	return s
}

// look goes to the help and back: whoever is to be told of a tip has been by then.
func (s *screen) look() {
	s.t.Helper()
	s.press("?")
	s.awaitText("ramp to the next step")
	s.press("\x1b")
	s.awaitLine("checkout-v2")
}

func TestTheTourIsShownOnceToWhoeverCanBeRemembered(t *testing.T) {
	t.Parallel()
	flags, dir := "flagd:"+flagFile(t, fleetFile), t.TempDir()
	s := newcomer(t, dir, "--flags", flags)
	s.awaitText("tip: ? shows every key (esc: no more tips)")
	s.press("\x1b")
	s.await("no tip", func(text string) bool { return !strings.Contains(text, "tip:") })
	require.Zero(t, s.quit())

	again := newcomer(t, dir, "--flags", flags)
	again.look()
	require.Zero(t, again.quit())
	require.NotContains(t, string(again.output(0)), "tip:")

	locked := filepath.Join(t.TempDir(), "state")
	require.NoError(t, os.WriteFile(locked, nil, 0o600)) // a file where the folder would be, which stops root as well
	nowhere := newcomer(t, locked, "--flags", flags)
	nowhere.look()
	require.Zero(t, nowhere.quit())
	require.NotContains(t, string(nowhere.output(0)), "tip:", "who cannot be remembered would be told each time")
}

func TestTheTourIsOffWhereTheConfigSaysSo(t *testing.T) {
	t.Parallel()
	config, dir := filepath.Join(t.TempDir(), "config.yaml"), t.TempDir()
	require.NoError(t, os.WriteFile(config, []byte("contexts: {prod: {tour: false, flags: [{dsn: 'flagd:"+flagFile(t, fleetFile)+"'}]}}\n"), 0o600))
	s := newcomer(t, dir, "--config", config)
	s.look()
	require.Zero(t, s.quit())
	require.NotContains(t, string(s.output(0)), "tip:")
	require.NoFileExists(t, filepath.Join(dir, "relctl-tui", "toured"), "nor is it seen")
}
