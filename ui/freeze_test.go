package ui

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
)

// inFreeze is a board that asks before each change, with a window that is closed from
// one moment of the bubble's first day to another; for all flags where none is named.
func inFreeze(t *testing.T, from, to string, override bool, flags ...string) *rig {
	t.Helper()
	z, err := sources.NewFreeze("2000-01-01 "+from, "2000-01-01 "+to, time.UTC)
	require.NoError(t, err)
	z.Reason, z.Override, z.Flags = "peak", override, flags
	return board(t, func(o *Options) {
		o.Confirm = true
		o.Control = control.New(control.Options{Stores: o.Control.Stores(), Observe: o.Engine.Observe, Calendar: sources.Calendar{z}})
	})
}

func TestNobodyIsAskedAboutWhatAFreezeRefusesAnyhow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := inFreeze(t, "00:00", "12:00", false)
		const why = "checkout-v2 stays at 25%, freeze until 12:00: peak"
		for _, keys := range [][]string{{"+"}, {"=", "5", "0", "enter"}, {"R"}} {
			r.press(keys...)
			require.False(t, r.m.confirm.Opened(), keys)
			r.sees(why)
			require.Equal(t, twoFlags, r.file())
			pass(time.Second)
		}
		r.space()
		r.press("+")
		require.False(t, r.m.confirm.Opened(), "of the marked flags none may be raised")
		r.sees("none of the marked can be changed so: " + why)
		r.escape()
		pass(time.Second)

		r.press("=", "1", "0", "enter")
		r.sees("25% ➔ 10%?")
		r.press("n")
		pass(time.Second)
		r.press("-")
		r.sees("25% ➔ 10%?")
		r.press("n")
		pass(time.Second)
		r.press("K", "y")
		require.Contains(t, r.file(), "DISABLED", "a kill goes through")
		pass(time.Second)
		r.press("u", "y")
		require.Equal(t, twoFlags, r.file(), "and so does its undo")
	})
}

func TestAFreezeThatBeginsWhileSomebodyThinksRefusesAfterTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := inFreeze(t, "00:05", "12:00", false)
		r.press("+")
		r.sees("25% ➔ 50%?")
		pass(6 * time.Minute)
		r.press("y")
		r.sees("checkout-v2 stays at 25%, freeze until 12:00: peak")
		require.Equal(t, twoFlags, r.file())
	})
}

func TestAFreezeThatMayBeOverriddenOffersThatBeforeItAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := inFreeze(t, "00:00", "12:00", true)
		r.press("+")
		require.False(t, r.m.confirm.Opened())
		r.sees("freeze until 12:00: peak", "(+ again within 5s, with a")
		pass(time.Second)
		r.press("+")
		r.sees("checkout-v2 why:")
		r.press("l", "a", "w", "enter")
		r.sees("25% ➔ 50%?")
		r.press("y")
		require.Contains(t, r.file(), `["on", 50]`)
	})
}

func TestOfAGroupOnlyThoseAreAskedAboutThatNoFreezeHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := inFreeze(t, "00:00", "12:00", false, "checkout-v2")
		r.space()
		r.press("/", "w", "a", "l", "enter", "M")
		r.escape()
		r.press("=", "4", "0", "enter")
		r.sees("Set to 40% 1 of 2 flags?")
		pass(time.Second)
		r.press("y")
		r.sees("1 of 2 flags", "checkout-v2 stays at 25%, freeze until 12:00: peak")
		require.Equal(t, 1, strings.Count(r.file(), `["on", 40]`))
		require.Contains(t, r.file(), `["on", 25]`, "which stays")
	})
}
