package ui

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/stretchr/testify/require"
)

// The same moves as a vi hand and as a hand on the arrows makes them.
var (
	viHand = []tea.KeyPressMsg{
		letter('j'), letter('j'), letter('k'), letter('G'), letter('k'), letter('g'), letter('l'), letter('l'), letter('h'),
		{Code: 'd', Mod: tea.ModCtrl},
		{Code: 'u', Mod: tea.ModCtrl},
	}
	arrowHand = []tea.KeyPressMsg{
		{Code: tea.KeyDown},
		{Code: tea.KeyDown},
		{Code: tea.KeyUp},
		{Code: tea.KeyEnd},
		{Code: tea.KeyUp},
		{Code: tea.KeyHome},
		{Code: tea.KeyRight},
		{Code: tea.KeyRight},
		{Code: tea.KeyLeft},
		{Code: tea.KeyPgDown},
		{Code: tea.KeyPgUp},
	}
)

func letter(r rune) tea.KeyPressMsg { return tea.KeyPressMsg{Code: r, Text: string(r)} }

// walked is what the screen showed after each move of a hand, in one place of a board.
func walked(t *testing.T, to []tea.KeyPressMsg, hand []tea.KeyPressMsg) (frames []string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r, _ := incidentBoard(t, nil)
		step := func(k tea.KeyPressMsg) {
			pass(50 * time.Millisecond)
			r.deliver(k)
			frames = append(frames, r.screen())
		}
		for _, k := range to {
			step(k)
		}
		frames = frames[max(0, len(frames)-1):]
		for _, k := range hand {
			step(k)
		}
	})
	return frames
}

func TestAViHandAndAHandOnTheArrowsGoTheSameWaysEverywhere(t *testing.T) {
	t.Parallel()
	tab, enter := tea.KeyPressMsg{Code: tea.KeyTab}, tea.KeyPressMsg{Code: tea.KeyEnter}
	for place, to := range map[string][]tea.KeyPressMsg{
		"flags": nil, "the next pane": {tab}, "the one after": {tab, tab}, "the last": {tab, tab, tab},
		"a flag's detail": {enter}, "its chart": {enter, letter('v')}, "a latency's detail": {tab, tab, enter},
		"help": {letter('?')}, "suspects": {letter('S')}, "timeline": {letter('t')}, "history": {letter('U')},
	} {
		t.Run(place, func(t *testing.T) {
			t.Parallel()
			vi := walked(t, to, viHand)
			require.Equal(t, vi, walked(t, to, arrowHand))
			if place == "flags" || place == "timeline" {
				slices.Sort(vi)
				require.Greater(t, len(slices.Compact(vi)), 1, "and there is somewhere to go")
			}
		})
	}
}
