package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// fleetFile is small enough to read in a failing test: one flag of each kind.
const fleetFile = `{
  "$schema": "https://flagd.dev/schema/v0/flags.json",
  "flags": {
    "checkout-v2": {
      "state": "ENABLED",
      "variants": {"on": true, "off": false},
      "defaultVariant": "off",
      "targeting": {"fractional": [["on", 25], ["off", 75]]}
    },
    "dark-mode":   { "state": "ENABLED", "variants": { "on": true, "off": false }, "defaultVariant": "off" },
    "pricing": {
      "state": "ENABLED",
      "variants": {"a": "a", "b": "b", "c": "c"},
      "defaultVariant": "a",
      "targeting": {"fractional": [["a", 40], ["b", 30], ["c", 30]]}
    }
  }
}
`

func flagFile(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "prod.flagd.json")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

// pick moves the cursor to a flag by filtering for it.
func pick(s *screen, name string) {
	s.t.Helper()
	s.press("/")
	for _, r := range name {
		s.press(string(r))
		pause(40 * time.Millisecond)
	}
	s.press("\r")
	s.await("only "+name, func(text string) bool {
		return lineWith(text, name) != "" && (name == "pricing" || lineWith(text, "pricing", "custom") == "")
	})
	// Filtering moved the row under the cursor; wait out the grace as a person would.
	pause(450 * time.Millisecond)
}

// onFlag opens a board on a file of its own, with the cursor on a flag.
func onFlag(t *testing.T, w, h int, name string) (s *screen, path string) {
	t.Helper()
	path = flagFile(t, fleetFile)
	s = open(t, w, h, nil, "--flags", "flagd:"+path)
	s.awaitLine("checkout-v2", "25")
	pick(s, name)
	return s, path
}

func has(part string) func(string) bool {
	return func(s string) bool { return strings.Contains(s, part) }
}

func TestOneKeyKillsOneKeyUndoesAndTheFileIsAsItWasByteForByte(t *testing.T) {
	t.Parallel()
	s, path := onFlag(t, 100, 30, "checkout")
	s.press("K")
	s.awaitFile(path, has(`"state": "DISABLED"`))
	s.awaitLine("checkout-v2", "killed")
	s.awaitText("confirmed in")
	pause(750 * time.Millisecond)
	s.press("u")
	s.awaitFile(path, func(text string) bool { return text == fleetFile })
	s.awaitText("undone")
	require.Zero(t, s.quit())
}

func TestPlusClimbsTheLadderAndMinusStepsBack(t *testing.T) {
	t.Parallel()
	s, path := onFlag(t, 80, 24, "checkout")
	s.press("+")
	s.awaitFile(path, has(`[["on", 50], ["off", 50]]`))
	s.awaitLine("checkout-v2", "50")
	pause(450 * time.Millisecond)
	s.press("-")
	s.awaitFile(path, has(`[["on", 25], ["off", 75]]`))
	s.awaitLine("checkout-v2", "25")
}

func TestATypedPercentageIsWrittenExactly(t *testing.T) {
	t.Parallel()
	s, path := onFlag(t, 80, 24, "checkout")
	s.press("=", "1", "2", ".", "5", "\r")
	s.awaitFile(path, has(`[["on", 125], ["off", 875]]`))
	s.awaitLine("checkout-v2", "12.5")
}

func TestAHeldPlusIsOneStep(t *testing.T) {
	t.Parallel()
	s, path := onFlag(t, 80, 24, "checkout")
	for tries := 1; ; tries++ {
		s.send("+")
		pause(400 * time.Millisecond)
		for range 30 { // whether or not the program has read the one before
			s.send("+")
			pause(33 * time.Millisecond)
		}
		s.await("that the rest is refused", func(text string) bool {
			return strings.Contains(text, "a held key is one step") || strings.Contains(text, "look like a paste")
		})
		pause(grace)
		if read(t, path) != fleetFile {
			break
		}
		require.Less(t, tries, 5, "a machine that stands still makes a paste of all of them, but not each time")
	}
	require.Contains(t, read(t, path), `[["on", 50], ["off", 50]]`)
}

func TestAPasteOrABurstNeverActs(t *testing.T) {
	t.Parallel()
	for name, bytes := range map[string]string{
		"bracketed paste":        "\x1b[200~KKKK++++====\x1b[201~",
		"paste without brackets": "KKKK",
		"burst of many keys":     "cat prod.json | grep K+-=uuu",
		"kill inside a burst":    "jjKj",
		"a whole percentage":     "=50\r",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := flagFile(t, fleetFile)
			s := open(t, 80, 24, nil, "--flags", "flagd:"+path)
			s.awaitLine("checkout-v2")
			pause(450 * time.Millisecond)
			s.send(bytes)
			// A key afterwards proves that the burst has been worked off.
			pause(300 * time.Millisecond)
			s.press("\x1b", "?")
			s.awaitText("kill")
			got, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, fleetFile, string(got))
		})
	}
}

func TestReadOnlyRefusesTheKeyAndSaysWhy(t *testing.T) {
	t.Parallel()
	path := flagFile(t, fleetFile)
	s := open(t, 80, 24, nil, "--read-only", "--flags", "flagd:"+path)
	s.awaitLine("checkout-v2")
	s.press("K")
	s.awaitText("read-only")
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, fleetFile, string(got))
}

func TestConfirmAsksFirstAndActsOnYes(t *testing.T) {
	t.Parallel()
	path := flagFile(t, fleetFile)
	config := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(config, []byte(fmt.Sprintf(
		"default: prod\ncontexts:\n  prod:\n    confirm: true\n    flags: [{dsn: %q}]\n", "flagd:"+path)), 0o600))
	s := open(t, 100, 30, nil, "--config", config)
	s.awaitLine("checkout-v2")
	pick(s, "checkout")
	s.press("K")
	s.awaitText("killed?")
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, fleetFile, string(got), "nothing is written before the answer")
	pause(450 * time.Millisecond)
	s.press("y")
	s.awaitFile(path, has("DISABLED"))
}

func TestACustomFlagOffersKillOnly(t *testing.T) {
	t.Parallel()
	s, path := onFlag(t, 100, 30, "pricing")
	s.press("+")
	s.awaitText("only kill is offered")
	pause(100 * time.Millisecond)
	s.press("K")
	s.awaitFile(path, has("DISABLED"))
}

func TestAnotherOperatorsKillIsSeenWithTheName(t *testing.T) {
	t.Parallel()
	path := flagFile(t, fleetFile)
	s := open(t, 120, 40, nil, "--flags", "flagd:"+path)
	s.awaitLine("checkout-v2", "25")
	out, code := run(t, nil, "kill", "checkout-v2", "--flags", "flagd:"+path, "--actor", "ben", "--reason", "errors")
	require.Zero(t, code, out)
	s.awaitLine("checkout-v2", "killed")
	s.awaitLine("ben", "checkout-v2", "killed")
}

func TestTheScreenSurvivesAStormOfResizes(t *testing.T) {
	t.Parallel()
	s := open(t, 80, 24, nil, "--flags", "flagd:"+flagFile(t, fleetFile))
	s.awaitLine("checkout-v2")
	rng := rand.New(rand.NewPCG(1, 2))
	for range 150 {
		s.resize(1+rng.IntN(300), 1+rng.IntN(100))
		pause(5 * time.Millisecond)
	}
	s.resize(50, 10)
	s.awaitText("too small", "60x15")
	s.resize(1, 1)
	pause(50 * time.Millisecond)
	s.resize(120, 40)
	s.awaitLine("checkout-v2", "25")
	s.awaitText("Breakers", "Latency", "Activity")
	require.Zero(t, s.quit())
}

func TestAnIdleBoardWritesNothing(t *testing.T) {
	t.Parallel()
	path := flagFile(t, fleetFile)
	s := open(t, 120, 40, nil, "--flags", "flagd:"+path)
	s.awaitLine("checkout-v2")
	// The one thing that may change is a label that turns over a whole minute;
	// two windows in a row cannot both hold one.
	quiet := false
	for range 3 {
		pause(500 * time.Millisecond)
		before := s.written()
		pause(3 * time.Second)
		if s.written() == before {
			quiet = true
			break
		}
	}
	require.True(t, quiet, "wrote %q", s.output(max(0, s.written()-400)))
}

func TestNoEscapeSequenceFromANameReachesTheTerminal(t *testing.T) {
	t.Parallel()
	hostile := `{"flags": {
  "\u001b]0;owned\u0007\u001b[31mred": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on"},
  "c1\u009b31mcsi": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on"},
  "rtl\u202egnp.exe": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on"},
  "幅の広い名前": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on"},
  "` + strings.Repeat("long", 2500) + `": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on"}
}}`
	s := open(t, 80, 24, nil, "--flags", "flagd:"+flagFile(t, hostile))
	text := s.awaitText("幅の広い名前", "longlong")
	out := string(s.output(0))
	for _, bad := range []string{"\x1b]0;owned", "\x1b[31mred", "\u009b", "\u202e"} {
		require.NotContains(t, out, bad)
	}
	require.Contains(t, text, "[31mred")
}

func TestQuitGivesTheTerminalBack(t *testing.T) {
	t.Parallel()
	s := open(t, 80, 24, nil, "--flags", "flagd:"+flagFile(t, fleetFile))
	s.awaitLine("checkout-v2")
	require.Zero(t, s.quit())
	out := string(s.output(0))
	require.Greater(t, strings.LastIndex(out, "\x1b[?1049l"), strings.LastIndex(out, "\x1b[?1049h"), "alternate screen left")
	require.Greater(t, strings.LastIndex(out, "\x1b[?25h"), strings.LastIndex(out, "\x1b[?25l"), "cursor shown")
	require.Greater(t, strings.LastIndex(out, "\x1b[?2004l"), strings.LastIndex(out, "\x1b[?2004h"), "bracketed paste off")
}

func TestWithNothingConfiguredTheBoardOpensOnAnExampleAndSaysHowToGoOn(t *testing.T) {
	t.Parallel()
	s := open(t, 120, 40, nil)
	s.awaitText("relctl-tui demo", "--flags")
	require.Zero(t, s.quit())
}

func TestADeadPrometheusDoesNotStopAKill(t *testing.T) {
	t.Parallel()
	path := flagFile(t, fleetFile)
	s := open(t, 120, 40, nil, "--flags", "flagd:"+path, "--metrics", "http://127.0.0.1:1")
	s.awaitLine("checkout-v2", "25")
	s.awaitText("refuses connections")
	pick(s, "checkout")
	s.press("K")
	s.awaitFile(path, has("DISABLED"))
	s.awaitLine("checkout-v2", "killed")
}

func TestWithoutATerminalItSaysSoAndPrintsStatus(t *testing.T) {
	t.Parallel()
	path := flagFile(t, fleetFile)
	out, code := run(t, nil, "--flags", "flagd:"+path)
	require.Zero(t, code)
	require.Contains(t, out, "checkout-v2")
	require.Contains(t, out, "not a terminal")
	require.NotContains(t, out, "\x1b")
}
