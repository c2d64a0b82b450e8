package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
)

// header is the first line of the screen.
func (s *screen) header() string {
	first, _, _ := strings.Cut(s.text(), "\n")
	return first
}

func (s *screen) awaitHeader(says string) {
	s.t.Helper()
	s.await("header "+says, func(string) bool { return strings.Contains(s.header(), says) })
}

func TestTwoBoardsOnOneFileSeeEachOtherAndWhatTheOtherDoes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	at := []string{"--flags", "flagd:" + b.path, "--actor"}
	ana := open(t, 100, 24, nil, append(at, "ana")...)
	ben := open(t, 100, 24, nil, append(at, "b\x1b[31men", "--read-only")...)
	ana.awaitHeader("with b∙[31men (watching)")
	ben.awaitHeader("with ana")
	require.NotContains(t, ana.header(), "with ana")

	status := b.run("status", "-o", "json")
	require.Contains(t, status.stdout, `"watching": true`)
	require.Contains(t, b.run("status").stdout, "at their boards: ana, b∙[31men (watching)")

	ana.awaitLine("checkout-v2")
	ana.press("K")
	ben.awaitText("ana killed checkout-v2 at ")
	ana.awaitText("confirmed")
	require.NotContains(t, ana.text(), "ana killed", "who did it is told by the result")

	_ = ben.cmd.Process.Kill() // without a word
	<-ben.gone
	here := filepath.Join(filepath.Dir(b.path), "."+filepath.Base(b.path)+".relctl.here")
	cards, err := os.ReadDir(here)
	require.NoError(t, err)
	require.Len(t, cards, 2)
	for _, c := range cards { // its beats are some time ago
		raw, err := os.ReadFile(filepath.Join(here, c.Name()))
		require.NoError(t, err)
		if strings.Contains(string(raw), "watching") {
			past := time.Now().Add(-sources.PresentFor - time.Second)
			require.NoError(t, os.Chtimes(filepath.Join(here, c.Name()), past, past))
		}
	}
	ana.await("ben to be gone", func(string) bool { return !strings.Contains(ana.header(), "with") })
	ana.press("q")
	require.Zero(t, ana.awaitExit())
	require.Contains(t, b.run("status", "-o", "json").stdout, `"here": []`)
}

func TestABoardWithoutPresenceIsNotSeenAndLeavesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	config := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(config, []byte("contexts:\n  prod:\n    presence: false\n    flags: [{dsn: \"flagd:"+b.path+"\"}]\n"), 0o600))
	quiet := open(t, 100, 24, nil, "--config", config, "--actor", "ben")
	quiet.awaitLine("checkout-v2")
	ana := open(t, 100, 24, nil, "--flags", "flagd:"+b.path, "--actor", "ana")
	ana.awaitLine("checkout-v2")
	require.Eventually(t, func() bool {
		return strings.Contains(b.run("status", "-o", "json").stdout, `"name": "ana"`)
	}, patience, 50*time.Millisecond)
	require.NotContains(t, b.run("status").stdout, "ben")
	require.Contains(t, runIn(t, b.env, "--config", config, "status", "-o", "json").stdout, `"here": null`)
}

func TestDoctorSaysWhyOthersDoNotSeeThisBoard(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	here := filepath.Join(filepath.Dir(b.path), "."+filepath.Base(b.path)+".relctl.here")
	require.Contains(t, b.run("doctor", "-o", "json").stdout, `"unseen": ""`)
	require.NoDirExists(t, here, "the try leaves nothing")
	require.NoError(t, os.WriteFile(here, nil, 0o600))
	r := b.run("doctor")
	require.Zero(t, r.code, "flags are not concerned")
	require.Contains(t, r.stdout, "other boards do not see who looks here: ")
}

func TestTwoBoardsOnARealEtcdSeeEachOtherAndWhatTheOtherDoes(t *testing.T) {
	t.Parallel()
	b := newEtcdBench(t)
	_, err := b.cli.Put(t.Context(), "team/prod/flags/checkout-v2", `{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"off"}`)
	require.NoError(t, err)
	ana := open(t, 100, 24, nil, "--flags", b.dsn, "--actor", "ana")
	ben := open(t, 100, 24, nil, "--flags", b.dsn, "--actor", "ben")
	ana.awaitHeader("with ben")
	ben.awaitHeader("with ana")
	ben.awaitLine("checkout-v2")
	ben.press("K")
	ana.awaitText("ben killed checkout-v2 at ")
	require.Contains(t, b.run("status").stdout, "at their boards: ana, ben")
	ben.press("q")
	require.Zero(t, ben.awaitExit())
	ana.await("ben to be gone", func(string) bool { return !strings.Contains(ana.header(), "with") })
}
