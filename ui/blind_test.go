package ui

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
)

// blind gives the board a source of metrics in the given health.
func (r *rig) blind(h sources.Health, age time.Duration) {
	s := *r.m.engine.Snapshot()
	s.Sources = append(slices.Clone(s.Sources), sources.SourceStatus{
		Name: "prom", Metrics: true, Health: h, LastOK: time.Now().Add(-age),
	})
	r.m.setSnapshot(&s)
}

func TestARampOnStaleNumbersAsksOnceMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, nil)
		r.blind(sources.Stale, 34*time.Second)
		r.press("+")
		require.Equal(t, twoFlags, r.file(), "nothing is written before the answer")
		require.Contains(t, ansi.Strip(r.m.View().Content), "Ramp checkout-v2 25% ➔ 50%, though prom is 34s old?")
		r.press("n")
		require.Equal(t, twoFlags, r.file())
		pass(time.Second)
		r.blind(sources.Stale, 40*time.Second)
		r.press("+")
		pass(time.Second)
		r.press("y")
		require.Contains(t, r.file(), `["on", 50], ["off", 50]`)
	})
}

func TestATypedRaiseOnStaleNumbersAsksTooAndALoweringDoesNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, nil)
		r.blind(sources.Unknown, 10*time.Minute)
		r.press("=", "6", "0", "enter")
		require.Equal(t, twoFlags, r.file())
		require.Contains(t, ansi.Strip(r.m.View().Content), "though prom is 10m0s old?")
		r.press("n")
		pass(time.Second)
		r.press("=", "5", "enter")
		require.Contains(t, r.file(), `["on", 5], ["off", 95]`)
	})
}

func TestNothingThatLowersAFlagIsHeldUpByStaleNumbers(t *testing.T) {
	for key, want := range map[string]string{"K": "DISABLED", "-": `["on", 10], ["off", 90]`} {
		t.Run(key, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := board(t, nil)
				r.blind(sources.Unknown, 10*time.Minute)
				r.press(key)
				require.Contains(t, r.file(), want)
				pass(time.Second)
				r.blind(sources.Unknown, 10*time.Minute)
				r.press("u")
				require.Equal(t, twoFlags, r.file())
			})
		})
	}
}

func TestARampOnFreshNumbersAsksNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, nil)
		r.blind(sources.Fresh, 0)
		r.press("+")
		require.Contains(t, r.file(), `["on", 50], ["off", 50]`)
	})
}
