package ui

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
)

func (r *rig) escape() {
	pass(50 * time.Millisecond)
	r.deliver(tea.KeyPressMsg{Code: tea.KeyEscape})
}

func (r *rig) space() {
	pass(50 * time.Millisecond)
	r.deliver(tea.KeyPressMsg{Code: tea.KeySpace, Text: " "})
}

func (r *rig) settled() {
	pass(2 * time.Second)
	r.look()
	pass(time.Second)
}

func TestWhatIsMarkedIsKilledAsOneAndOneUndoReturnsEachToItsOwnValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, nil)
		r.space()
		r.sees("1 marked", "* checkout-v2", "kill\u00a01\u00a0marked")
		r.press("/", "w", "a", "l", "enter", "M")
		r.sees("2 marked, 1 hidden", "* wallet-pay")
		r.escape()
		r.sees("2 marked")
		require.NotContains(t, r.look(), "hidden")
		r.press("s", "s", "s")
		r.press("K")
		require.Equal(t, 2, strings.Count(r.file(), "DISABLED"))
		r.sees("2 flags killed, confirmed in", "(u undoes them all)", "2 marked")
		r.settled()
		r.press("u")
		require.Equal(t, twoFlags, r.file())
		r.sees("2 flags undone, confirmed in")
		r.escape()
		require.NotContains(t, r.look(), "marked")
		r.settled()
		r.press("K")
		require.Equal(t, 1, strings.Count(r.file(), "DISABLED"), "without marks a key acts on the flag under the cursor again")
	})
}

func TestAStepOfAllThatIsMarkedListsWhichFlagIsWhereAndWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, nil)
		r.space()
		r.press("/", "w", "a", "l", "enter", "M")
		r.escape()
		r.press("-")
		require.Contains(t, r.file(), `["on", 10]`)
		r.sees("DONE IN PART: 1 of 2 flags stepped back, not wallet-pay", "What became of 2 flags", "refused", "stays at 0%", "wallet-pay is at 0% already", "done", "25% ➔ 10%")
		r.escape()
		r.settled()
		r.press("=")
		r.sees("2 flags", "now each its own")
		r.press("4", "0", "enter")
		require.Equal(t, 2, strings.Count(r.file(), `["on", 40]`))
		r.settled()
		r.ben(sources.Set, 60)
		r.settled()
		r.press("u")
		r.sees("DONE IN PART: 1 of 2 flags undone, not checkout-v2", "conflict", "checkout-v2 is 60% now")
		require.NotContains(t, r.file(), `["on", 40]`)
		require.Contains(t, r.file(), `["on", 60]`, "what somebody did since stays")
	})
}

func TestAGroupIsAskedAboutOnlyWhereTheContextAsksAndAPasteNeverStartsOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, func(o *Options) { o.Confirm = true })
		r.space()
		r.press("/", "w", "a", "l", "enter", "M")
		r.escape()
		r.press("K")
		r.sees("Kill 2 flags?")
		r.press("n")
		require.Equal(t, twoFlags, r.file())
		pass(time.Second)
		_, cmd := r.m.Update(tea.KeyPressMsg{Code: 'K', Text: "K"})
		for range 3 {
			r.m.Update(tea.KeyPressMsg{Code: 'j', Text: "j"})
		}
		r.work(cmd)
		require.False(t, r.m.confirm.Opened())
		pass(time.Second)
		r.press("K", "y")
		require.Equal(t, 2, strings.Count(r.file(), "DISABLED"))

		pass(time.Second)
		r.press("u")
		r.sees("Undo 2 changes made as one")
		r.press("y")
		require.Equal(t, twoFlags, r.file())
		pass(time.Second)
		r.press("u")
		r.sees("there is nothing left to undo")
	})
}
