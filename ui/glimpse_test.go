package ui

import (
	"testing"
	"testing/synctest"

	tea "charm.land/bubbletea/v2"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestALargeScreenShowsWhatTheKeysWouldDoToTheSelectedFlagUnaskedAndReadsNothingForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pastKeeper{}
		r := plotBoard(t, p)
		require.NotContains(t, r.screen(), "p99 within 500ms", "80x24 has no line to spare")

		r.deliver(tea.WindowSizeMsg{Width: 200, Height: 60})
		r.second()
		r.shows("p99 within 500ms", "Activity", "Breakers", "Flags")
		for r.m.focus != paneFlags {
			r.deliver(tea.KeyPressMsg{Code: tea.KeyTab})
		}
		r.press("/", "c", "h", "e", "c", "k")
		r.deliver(tea.KeyPressMsg{Code: tea.KeyEnter})
		r.second()
		r.shows("keys      + to 50%", "ladder")
		r.deliver(tea.KeyPressMsg{Code: 'w', Text: "w"})
		require.Empty(t, p.asked, "the chart is read when somebody opens it")
	})
}

func TestAGlimpseDoesNotMoveAsTheLogOfChangesFills(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(minWidth, 300).Draw(t, "w"), rapid.IntRange(minHeight, 200).Draw(t, "h")
		rows := rapid.IntRange(0, 40)
		want := wants{flags: rows.Draw(t, "flags"), alerts: -1, breakers: rows.Draw(t, "breakers"), latency: rows.Draw(t, "latency")}
		first := arrange(w, h, want, false, false, paneFlags)
		want.activity = rapid.IntRange(1, 10_000).Draw(t, "activity")
		later := arrange(w, h, want, false, false, paneFlags)
		if first.detail.h == 0 && later.detail.h == 0 {
			return
		}
		require.Equal(t, first, later)
		require.Equal(t, 1+max(want.flags, 3), first.panes[paneFlags].h, "no flag goes for it")
		require.GreaterOrEqual(t, first.panes[paneActivity].h, logRoom)
	})
}
