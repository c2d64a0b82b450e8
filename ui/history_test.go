package ui

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/sources/flagd"
	"relctl-tui/sources/journal"
)

// other is somebody else's controller over the same file and journal.
func (r *rig) other() *control.Controller {
	store := r.m.control.Stores()[0]
	return control.New(control.Options{Stores: []control.Store{{
		Name: "prod", Driver: flagd.New("prod", r.path), Journal: journal.Open(store.Journal.Path(), journal.Options{}),
	}}})
}

func (r *rig) ben(kind sources.ChangeKind, to int) {
	r.t.Helper()
	id := sources.FlagID{Source: "prod", Key: "checkout-v2"}
	f, err := flagd.New("prod", r.path).Flag(r.t.Context(), id)
	require.NoError(r.t, err)
	_, err = r.other().Do(r.t.Context(), sources.Intent{Kind: kind, Flag: id, Seen: f.Revision, To: sources.Pct(to), Actor: "ben", Reason: "ben's reason"})
	require.NoError(r.t, err)
}

func TestTheHistoryOfAFlagShowsWhoDidWhatAndReturnsItDirectly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, nil)
		r.press("+")
		fifty := r.file()
		pass(2 * time.Second)
		r.ben(sources.Set, 80)
		pass(3 * time.Second)
		r.look()
		pass(time.Second) // the grace after what ben did
		r.press("K")
		pass(2 * time.Second)
		r.look()
		r.press("U")
		r.sees("History checkout-v2", "now killed", "ana", "kill", "80% ➔ killed", "current", "ben", "50% ➔ 80%", "ben's reason", "25% ➔ 50%", "at first", "is killed already")
		r.press("j", "j")
		r.sees("r returns checkout-v2 killed ➔ 50%")
		r.press("r")
		require.Equal(t, fifty, r.file(), "directly, and not by way of 80%")
		r.sees("killed ➔ 50% confirmed")
		pass(2 * time.Second)
		r.look()
		r.work(r.m.askHistory())
		r.sees("now 50%", "restore")
		r.press("u")
		require.Contains(t, r.file(), "DISABLED")
		r.press("\x1b")
	})
}

func TestAReturnPastWhatSomebodyDidSinceShowsBothAndAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, nil)
		r.press("+")
		pass(2 * time.Second)
		r.look()
		r.press("U")
		r.press("j")
		r.sees("returns checkout-v2 50% ➔ 25%")
		r.ben(sources.Set, 10)
		bens := r.file()
		r.press("r")
		require.Equal(t, bens, r.file())
		r.sees("Return checkout-v2 10% ➔ 25%, though ben made it 10% since and it was 50%?")
		r.press("n")
		require.Equal(t, bens, r.file())
		pass(time.Second)
		r.press("u") // an undo meets it as well
		r.sees("Return checkout-v2 10% ➔ 25%, though ben made it 10% since and it was 50%?")
		r.press("y")
		require.Equal(t, twoFlags, r.file())
	})
}

func TestAReadOnlyBoardShowsAHistoryAndReturnsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, func(o *Options) { o.ReadOnly = true })
		r.ben(sources.Set, 80)
		pass(3 * time.Second)
		r.look()
		r.press("U", "j")
		r.sees("25% ➔ 80%", "this board is read-only")
		before := r.file()
		r.press("r")
		require.Equal(t, before, r.file())
		r.sees("read-only")
	})
}
