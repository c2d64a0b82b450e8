package ui

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
)

var t0 = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func ms(n int) time.Time { return t0.Add(time.Duration(n) * time.Millisecond) }

func TestAHeldKeyIsOneStepAtAnyRepeatRate(t *testing.T) {
	t.Parallel()
	for _, every := range []int{10, 33, 100, 200} {
		for _, delay := range []int{200, 500, 660} {
			var g gate
			acted := 0
			for at := 0; at < 5000; {
				if g.admit(sources.Ramp, false, ms(at), time.Time{}) == nil {
					acted++
				}
				if at == 0 {
					at = delay
				} else {
					at += every
				}
			}
			require.Equal(t, 1, acted, "repeat every %d ms after %d ms", every, delay)
		}
	}
}

func TestTwoDeliberatePressesAreTwoSteps(t *testing.T) {
	t.Parallel()
	var g gate
	require.NoError(t, g.admit(sources.Ramp, false, ms(0), time.Time{}))
	require.NoError(t, g.admit(sources.Ramp, false, ms(900), time.Time{}))
}

func TestKillIsNotHeldBackByARampJustBefore(t *testing.T) {
	t.Parallel()
	var g gate
	require.NoError(t, g.admit(sources.Ramp, false, ms(0), time.Time{}))
	require.NoError(t, g.admit(sources.Kill, false, ms(50), time.Time{}))
}

func TestFourKeysInThirtyMillisecondsAreABurst(t *testing.T) {
	t.Parallel()
	var g gate
	require.False(t, g.press(ms(0)))
	require.False(t, g.press(ms(8)))
	require.False(t, g.press(ms(16)))
	require.True(t, g.press(ms(24)))
	require.Error(t, g.admit(sources.Kill, false, ms(24), time.Time{}))
	require.NoError(t, (&gate{}).admit(sources.Kill, false, ms(24), time.Time{}))
}

func TestFastTypingIsNoBurst(t *testing.T) {
	t.Parallel()
	var g gate
	for i := range 20 {
		require.False(t, g.press(ms(i*40)))
	}
}

func TestKeysDoNotActJustAfterTheRowChangedByItself(t *testing.T) {
	t.Parallel()
	var g gate
	require.ErrorContains(t, g.admit(sources.Kill, false, ms(399), ms(0)), "changed by itself")
	require.NoError(t, (&gate{}).admit(sources.Kill, false, ms(400), ms(0)))
}
