package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTwoOperatorsOnOneFileSeeOneHistoryAndNeitherOverwritesTheOther has a board and a
// colleague with the command line on one flag file.
func TestTwoOperatorsOnOneFileSeeOneHistoryAndNeitherOverwritesTheOther(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := open(t, 100, 30, b.env, "--flags", "flagd:"+b.path)
	s.awaitLine("checkout-v2", "25%")
	s.press("/")
	s.typed("checkout")
	s.press("\r")
	s.awaitText("1 of 4")
	pause(grace)
	s.press("+")
	s.awaitText("25% ➔ 50% confirmed")
	require.Zero(t, b.run("ramp", "checkout-v2", "10", "--actor", "ben", "--reason", "latency").code)
	s.awaitLine("checkout-v2", "10%", "ben")
	pause(grace)

	s.press("U")
	s.awaitLine("ben", "50% ➔ 10%", "current", "latency")
	s.awaitLine("ana", "25% ➔ 50%")
	s.press("j", "j")
	s.awaitText("r returns checkout-v2 10% ➔ 25%")
	pause(grace)
	s.press("r")
	s.awaitText("10% ➔ 25% confirmed")
	require.Equal(t, twoFlags, b.file(), "byte for byte")
	s.awaitLine("ana", "10% ➔ 25%", "current")

	require.Zero(t, b.run("ramp", "checkout-v2", "60", "--actor", "ben").code)
	s.awaitText("now 60%")
	pause(grace)
	s.press("u")
	s.awaitText("Return checkout-v2 60% ➔ 10%, though ben made it 60% since")
	s.press("n")
	s.awaitText("nothing was done")
	require.Contains(t, b.file(), `["on", 60]`)
	s.press("\x1b")
	s.awaitText("Activity")
	require.Equal(t, exitDone, s.quit())
}

func TestMarkedFlagsAreKilledOnTheBoardAsOneAndAColleagueTakesThemBackByTheGroup(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	tagged := strings.ReplaceAll(b.file(), `"defaultVariant": "on"}`, `"defaultVariant": "on", "metadata": {"relctl.tags": "shop"}}`)
	tagged = strings.Replace(tagged, `"defaultVariant": "on" }`, `"defaultVariant": "on", "metadata": {"relctl.tags": "shop"}}`, 1)
	require.NoError(t, os.WriteFile(b.path, []byte(tagged), 0o644))
	s := open(t, 80, 24, b.env, "--flags", "flagd:"+b.path)
	s.awaitLine("steady", "100%")
	s.press("/")
	s.typed("#shop")
	s.press("\r")
	s.awaitText("2 of 4")
	s.press("M")
	s.awaitText("2 marked")
	s.press("\x1b")
	s.awaitLine("* steady", "100%")
	pause(grace)
	s.press("K")
	s.awaitText("2 flags killed", "(u undoes them all)")
	require.Equal(t, 2, strings.Count(b.file(), "DISABLED"))
	pause(grace)
	s.press("u")
	s.awaitText("flag undone")
	require.Equal(t, tagged, b.file())
	require.Equal(t, exitDone, s.quit())
}
