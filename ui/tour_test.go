package ui

import (
	"strings"
	"testing"
	"testing/synctest"

	tea "charm.land/bubbletea/v2"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/views"
	"relctl-tui/views/footer"
)

// firstBoard is the first board that somebody opens; asked counts who wanted to know.
func firstBoard(t *testing.T, w, h int, change func(*Options)) (r *rig, asked *int) {
	asked = new(int)
	r = board(t, func(o *Options) {
		o.FirstTime = func() bool { *asked++; return *asked == 1 }
		if change != nil {
			change(o)
		}
	})
	r.deliver(tea.WindowSizeMsg{Width: w, Height: h})
	return r, asked
}

// tip is the line of the tour on the screen, "" for none.
func (r *rig) tip() string {
	for line := range strings.Lines(r.look()) {
		if _, text, ok := strings.Cut(line, "tip: "); ok {
			return strings.TrimSpace(text)
		}
	}
	return ""
}

func TestATipGoesWithItsKeyAndTheTourWithTheLastTip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, asked := firstBoard(t, 80, 24, nil)
		require.Equal(t, "? shows every key (esc: no more tips)", r.tip())
		rows := r.m.layout.panes[paneFlags].h
		r.press("?")
		require.Empty(t, r.tip(), "none over a screen that escape closes")
		r.press("esc")
		require.Equal(t, "/ finds a flag, : anything (esc: no more tips)", r.tip())
		r.press(":")
		require.Empty(t, r.tip())
		r.press("esc")
		require.Equal(t, "K kills the flag at once, u undoes it (esc: no more tips)", r.tip())
		r.press("K")
		r.sees("killed confirmed")
		r.press("j")
		require.Empty(t, r.tip())
		require.Greater(t, r.m.layout.panes[paneFlags].h+r.m.layout.panes[paneActivity].h, rows, "its line is the table's again")
		require.Equal(t, 1, *asked)
	})
}

func TestEscapeEndsTheTourWhereItEndsNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := firstBoard(t, 80, 24, nil)
		r.press("enter")
		require.Empty(t, r.tip())
		r.press("esc") // the detail's
		require.Equal(t, "? shows every key (esc: no more tips)", r.tip())
		r.m.footer.SetStatus("a warning", footer.Warning)
		require.Empty(t, r.tip(), "never in place of what has to be read")
		r.press("esc") // the sentence's
		require.NotEmpty(t, r.tip())
		r.press("esc")
		require.Empty(t, r.tip())
		r.press("j")
		require.Empty(t, r.tip())
	})
}

func TestTipsNameTheKeysThatThereAreAndNoneThatIsRefused(t *testing.T) {
	tips := func(change func(*Options)) (texts []string) {
		synctest.Test(t, func(t *testing.T) {
			r, _ := firstBoard(t, 60, 15, change)
			for _, tip := range r.m.tour.tips {
				require.True(t, footer.Fits("tip: "+tip.text, 60), tip.text)
				texts = append(texts, tip.text)
			}
		})
		return texts
	}
	bound := func(b views.Bindings) func(*Options) {
		keys, err := views.DefaultKeyMap().Bind(b)
		require.NoError(t, err)
		return func(o *Options) { o.Keys = &keys }
	}
	require.Equal(t, "K kills the flag, and asks first, u undoes it", tips(func(o *Options) { o.Confirm = true })[2])
	require.Equal(t, "enter tells all about a row, esc leads back", tips(func(o *Options) { o.ReadOnly = true })[2])
	require.Equal(t, []string{"f1 shows every key", ": finds anything", "f9 kills the flag at once"},
		tips(bound(views.Bindings{"help": {"f1"}, "filter": {}, "kill": {"f9"}, "undo": {}})))
	require.Equal(t, []string{"? shows every key"}, tips(bound(views.Bindings{"filter": {}, "palette": {}, "kill": {}, "detail": {}})))
}

func TestWhoHasSeenTheTourIsNotAskedForALine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, asked := firstBoard(t, 80, 24, func(o *Options) { o.FirstTime = func() bool { return false } })
		require.Empty(t, r.tip())
		require.Equal(t, 1, r.m.layout.footer.h)
		require.Zero(t, *asked)

		r = board(t, nil)
		r.deliver(tea.WindowSizeMsg{Width: 80, Height: 24})
		require.Empty(t, r.tip())
	})
}

func TestAStoreThatNobodyMayChangeHasNoTipThatKills(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, nil)
		s := *r.m.snapshot
		s.Sources = []sources.SourceStatus{{Name: "prod", Flags: true, ReadOnly: "the token is a viewer's"}}
		r.m.snapshot = &s
		require.Equal(t, "enter tells all about a row, esc leads back", r.m.tips()[2].text)
	})
}
