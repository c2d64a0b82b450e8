package ui

import (
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
)

func TestOneWalksBackToWhereOneWasAndOnAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, nil)
		r.press("/", "w", "a", "l", "enter")
		r.say("latency")
		r.press("t")
		r.sees("Timeline")
		r.press("[")
		require.Equal(t, noScreen, r.m.screen)
		require.Equal(t, paneLatency, r.m.focus)
		r.press("[")
		require.Equal(t, paneFlags, r.m.focus)
		require.Equal(t, "wal", r.m.flags.Filter())
		require.Equal(t, "wallet-pay", r.m.selected.Key)
		r.press("[")
		require.Empty(t, r.m.flags.Filter())
		require.Equal(t, "checkout-v2", r.m.selected.Key)
		r.press("[")
		r.sees("this is where you began")
		r.press("]", "]", "]")
		r.sees("Timeline")
		r.press("]")
		r.sees("you have not been further than this")
		require.Equal(t, twoFlags, r.file(), "nothing of it acts")
	})
}

func TestWhoGoesOnFromAnEarlierPlaceForgetsWhatLayAhead(t *testing.T) {
	t.Parallel()
	var tr trail
	for i := range longestTrail + 5 {
		tr.visit(place{focus: pane(i % 2), zoomed: i%4 > 1})
	}
	require.Len(t, tr.been, longestTrail)
	tr.at = 3
	tr.visit(place{screen: suspectsScreen})
	require.Len(t, tr.been, 5)
	require.Equal(t, 4, tr.at)
}

func TestAFlagThatIsGoneIsSaidToBe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, nil)
		r.say("wallet-pay")
		r.say("history checkout-v2")
		r.press("[")
		require.Equal(t, "wallet-pay", r.m.selected.Key)
		r.press("]")
		gone := strings.Replace(twoFlags, `"wallet-pay"`, `"pocket-pay"`, 1)
		require.NoError(t, os.WriteFile(r.path, []byte(gone), 0o600))
		pass(3 * time.Second)
		r.look()
		require.Nil(t, r.m.snapshot.Flag(sources.FlagID{Source: "prod", Key: "wallet-pay"}))
		r.press("[")
		r.sees("what was selected there is not there any more")
	})
}
