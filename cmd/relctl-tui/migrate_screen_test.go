package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources/sourcetest"
)

// typed sends a text as a person types it: slower than a paste.
func (s *screen) typed(text string) {
	for _, r := range text {
		s.send(string(r))
		pause(40 * time.Millisecond)
	}
}

func TestAMigrationIsWalkedOnTheBoardByKeysAndByItsNameTypedOut(t *testing.T) {
	t.Parallel()
	page := compares(t)
	at := func(stage string) string {
		return strings.Replace(sourcetest.Staged, `"defaultVariant": "off", "targeting": {"fractional": [["shadow", 90], ["live", 10]]}`, `"defaultVariant": "`+stage+`", "targeting": {}`, 1)
	}
	b := migratingBench(t, page.URL, at("shadow"))
	env := append(terminalEnv(t), "RELCTL_ACTOR=ana")
	for _, e := range b.env {
		if strings.HasPrefix(e, "RELCTL_CONFIG=") {
			env = append(env, e)
		}
	}
	s := open(t, 100, 30, env)
	s.awaitLine("orders", "shadow 3/6")
	s.press("\r")
	s.awaitText("[shadow]", "pass: mismatch 0%")
	pause(grace)
	s.press("+")
	s.awaitText("[live]", "pass: mismatch 0%")
	pause(grace)

	s.press("+")
	s.awaitText("point of no return", "name:")
	s.typed("order")
	s.press("\r")
	s.press("\x1b")
	s.awaitText("nothing was done")
	require.Contains(t, b.file(), `"defaultVariant": "live"`)
	pause(grace)
	s.press("+")
	s.awaitText("name:")
	s.typed("orders")
	pause(100 * time.Millisecond)
	s.press("\r")
	s.awaitText("[rampdown]")
	pause(grace)

	s.press("K")
	s.awaitText("orders is not killed: at rampdown the old side is not written any more")
	require.Contains(t, b.file(), `"defaultVariant": "rampdown"`)
	pause(grace)
	s.press("-")
	s.awaitText("new side alone", "name:")
	s.typed("orders")
	pause(100 * time.Millisecond)
	s.press("\r")
	s.awaitText("[live]", "gap")
	require.Equal(t, exitDone, s.quit())
	require.Contains(t, b.file(), `"defaultVariant": "live"`)
}

// grace is a person's pause after the row under the cursor changed, and longer than a
// key is taken for one that is held.
const grace = 1200 * time.Millisecond

func TestTheDemosMigrationStandsOnItsBoardAndIsRefusedWhileTheStoresDiffer(t *testing.T) {
	t.Parallel()
	s := open(t, 80, 24, terminalEnv(t), "demo")
	s.awaitText("checkout-v2")
	s.press("/")
	s.typed("orders-store")
	s.press("\r")
	s.awaitLine("orders-store", "off 1/6")
	pause(grace)
	s.press("k")
	for _, stage := range []string{"dualwrite 2/6", "shadow 3/6"} {
		pause(grace)
		s.press("+")
		s.awaitLine("orders-store", stage)
	}
	s.press("\r")
	s.awaitText("[shadow]", "breach: mismatch", "old side  p50", "new side  p50")
	pause(grace)
	s.press("+")
	s.awaitText("nothing changed: orders-store stays at shadow")
	pause(grace)
	s.press("K")
	s.awaitText("[off]")
	require.Equal(t, exitDone, s.quit())
}
