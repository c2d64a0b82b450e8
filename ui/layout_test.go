package ui

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestEveryScreenFromTheSmallestUpIsFilledExactly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(minWidth, 300).Draw(t, "w"), rapid.IntRange(minHeight, 100).Draw(t, "h")
		many := rapid.SampledFrom([]int{0, 1, 3, 24, 10_000})
		want := wants{many.Draw(t, "flags"), rapid.IntRange(-1, 40).Draw(t, "alerts"), many.Draw(t, "breakers"), many.Draw(t, "latency"), many.Draw(t, "activity"), rapid.IntRange(0, 3).Draw(t, "status")}
		detail, zoom := rapid.Bool().Draw(t, "detail"), rapid.Bool().Draw(t, "zoom")
		focus := pane(rapid.IntRange(0, int(paneCount)-1).Draw(t, "focus"))
		l := arrange(w, h, want, detail, zoom, focus)
		require.False(t, l.tooSmall)
		rows := l.header.h + l.footer.h + l.detail.h
		for p, s := range l.panes {
			if s.h == 0 {
				continue
			}
			if pane(p) != paneAlerts || want.alerts > 0 {
				require.GreaterOrEqual(t, s.h, 2, "a title and a row")
			}
			if l.beside && pane(p) == paneLatency {
				require.Equal(t, l.panes[paneBreakers].h, s.h)
				require.Equal(t, w, s.w+l.panes[paneBreakers].w)
				continue
			}
			rows += s.h
		}
		require.Equal(t, h, rows)
		require.GreaterOrEqual(t, l.footer.h, want.status)
		if !detail && !zoom {
			for p, s := range l.panes {
				require.Equal(t, pane(p) != paneAlerts || want.alerts >= 0, s.h > 0, "every pane is there, that of alerts where there can be any")
			}
			require.Equal(t, w, l.panes[paneFlags].w, "the table has the full width")
		}
	})
}

func TestBelowTheSmallestScreenOneLineSaysWhatIsNeeded(t *testing.T) {
	t.Parallel()
	require.True(t, arrange(minWidth-1, 50, wants{}, false, false, paneFlags).tooSmall)
	require.True(t, arrange(100, minHeight-1, wants{}, false, false, paneFlags).tooSmall)
	require.Contains(t, tooSmall(59, 14), "needs 60x15")
	require.Contains(t, tooSmall(25, 5), "needs 60x15", "what is needed is the last to be cut")
	for w := range 60 {
		require.LessOrEqual(t, len(tooSmall(w, 1)), w)
	}
}
