package ui

import (
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"relctl-tui/sources"
)

func TestEveryScreenFromTheSmallestUpIsFilledExactly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(minWidth, 300).Draw(t, "w"), rapid.IntRange(minHeight, 100).Draw(t, "h")
		many := rapid.SampledFrom([]int{0, 1, 3, 24, 10_000})
		want := wants{many.Draw(t, "flags"), rapid.IntRange(-1, 40).Draw(t, "alerts"), many.Draw(t, "breakers"), many.Draw(t, "latency"), many.Draw(t, "activity"), rapid.IntRange(0, 3).Draw(t, "status"), splits{0, many.Draw(t, "alerts by hand"), many.Draw(t, "breakers by hand"), many.Draw(t, "latency by hand"), many.Draw(t, "activity by hand"), many.Draw(t, "detail by hand")}, rapid.Bool().Draw(t, "tips"), [paneCount]int{rapid.IntRange(0, 3).Draw(t, "trouble"), 1, 2, 3, 0}}
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

func TestWhereThereIsRoomBreakersAndLatencyStayInSightBesideADetail(t *testing.T) {
	t.Parallel()
	want := wants{flags: 25, alerts: -1, breakers: 4, latency: 6}
	for _, s := range []size{{200, 60}, {120, 60}} {
		l := arrange(s.w, s.h, want, true, false, paneFlags)
		require.Positive(t, l.panes[paneBreakers].h, s)
		require.Positive(t, l.panes[paneLatency].h, s)
		require.GreaterOrEqual(t, l.detail.h, detailRoom, s)
		require.Positive(t, l.panes[paneFlags].h, s)
		require.Zero(t, l.panes[paneActivity].h, s)
	}
	few := arrange(80, 24, want, true, false, paneFlags)
	require.Zero(t, few.panes[paneBreakers].h+few.panes[paneLatency].h, "here the detail needs all there is")
	own := arrange(200, 60, want, true, false, paneBreakers)
	require.Equal(t, 200, own.panes[paneBreakers].w, "what the detail is of has the width")
	require.Zero(t, own.panes[paneLatency].h)
}

func TestNoPaneHasBlankLinesWhileAnotherCutsItsRows(t *testing.T) {
	t.Parallel()
	l := arrange(80, 24, wants{flags: 25, alerts: -1, breakers: 4, latency: 6}, false, false, paneFlags)
	require.Equal(t, 5, l.panes[paneBreakers].h, "all four, for that nothing has happened takes one line")
	require.Equal(t, 2, l.panes[paneActivity].h)
	few := arrange(120, 40, wants{flags: 3, alerts: 9, breakers: 8, latency: 7, activity: 2}, false, false, paneFlags)
	require.Equal(t, 10, few.panes[paneAlerts].h, "the table has three flags: what fires has the room")
	require.Equal(t, 9, few.panes[paneBreakers].h)
	require.Equal(t, 8, few.panes[paneLatency].h)
	wide := arrange(200, 50, wants{flags: 3, alerts: 2, breakers: 4, latency: 14, activity: 2}, false, false, paneFlags)
	require.Equal(t, 15, wide.panes[paneLatency].h)
	require.Equal(t, 15, wide.panes[paneBreakers].h, "they stand side by side")
	rapid.Check(t, func(t *rapid.T) {
		want := wants{rapid.IntRange(0, 60).Draw(t, "flags"), rapid.IntRange(-1, 40).Draw(t, "alerts"), rapid.IntRange(1, 40).Draw(t, "breakers"), rapid.IntRange(1, 40).Draw(t, "latency"), rapid.IntRange(0, 40).Draw(t, "activity"), 1, splits{}, false, [paneCount]int{}}
		l := arrange(rapid.IntRange(wordy, 300).Draw(t, "w"), rapid.IntRange(20, 100).Draw(t, "h"), want, false, false, paneFlags)
		if l.panes[paneFlags].h <= 1+max(want.flags, 3) && l.panes[paneActivity].h <= 1+max(want.activity, 2) {
			return // no line is spare
		}
		for _, p := range []pane{paneAlerts, paneBreakers, paneLatency} {
			require.GreaterOrEqual(t, l.panes[p].h, 1+want.of(p), "pane %d of %+v", p, l)
		}
	})
}

func TestTheLinesThatSayWhatCannotBeReadComeOutOfWhatIsSpare(t *testing.T) {
	t.Parallel()
	want := wants{flags: 3, alerts: -1, breakers: 2, latency: 2, activity: 2}
	well := arrange(80, 24, want, false, false, paneFlags)
	want.trouble = [paneCount]int{3, 0, 2, 1, 0}
	l := arrange(80, 24, want, false, false, paneFlags)
	require.Equal(t, well.panes[paneFlags].h+3, l.panes[paneFlags].h)
	require.Equal(t, well.panes[paneBreakers].h+2, l.panes[paneBreakers].h)
	require.Equal(t, 4, l.panes[paneLatency].h)
	require.GreaterOrEqual(t, l.panes[paneActivity].h, 1+want.activity)
	want.flags = 40
	well = arrange(80, 24, wants{flags: 40, alerts: -1, breakers: 2, latency: 2, activity: 2}, false, false, paneFlags)
	require.Equal(t, well, arrange(80, 24, want, false, false, paneFlags), "no row makes room for them")
	want.flags = 3
	require.Equal(t, 7, arrange(80, 24, want, true, false, paneFlags).panes[paneFlags].h, "above a detail too")
}

func TestAChangeOfAFlagWithALongNameIsToldInOneLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const key = "payments-checkout-express-new-flow-eu-west-1"
		r := board(t, nil)
		require.NoError(t, os.WriteFile(r.path, []byte(strings.ReplaceAll(twoFlags, "checkout-v2", key)), 0o600))
		pass(2 * time.Second)
		r.look()
		r.deliver(tea.WindowSizeMsg{Width: 80, Height: 24})
		require.True(t, r.m.flags.Select(sources.FlagID{Source: "prod", Key: key}))
		r.m.selectionMoved()
		pass(time.Second)
		r.press("K")
		screen := strings.Split(r.look(), "\n")
		require.Regexp(t, `payments-.+-west-1 25% ➔ killed confirmed in \d+ ms \(u undoes it\)`, screen[len(screen)-1])
		require.Equal(t, 1, r.m.footer.Lines(80))
		r.deliver(tea.WindowSizeMsg{Width: 100, Height: 30})
		require.Contains(t, r.look(), key+" 25% ➔ killed confirmed", "whole where there is room")
	})
}
