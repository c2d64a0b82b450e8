package ui

import (
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
)

func TestEnterOpensTheDetailOfWhateverPaneHasTheKeysAndNoFlagIsChangedBehindIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := board(t, nil)
		s := *r.m.snapshot
		s.Latencies = []sources.Latency{{Source: "prod", Name: "payment API", SLO: 500 * time.Millisecond}}
		s.Breakers = []sources.Breaker{{Source: "prod", Name: "ledger", State: sources.BreakerOpen, Instances: 12, OpenInstances: 3}}
		r.m.setSnapshot(&s)

		r.deliver(tea.KeyPressMsg{Code: tea.KeyTab})
		r.deliver(tea.KeyPressMsg{Code: tea.KeyEnter})
		screen := r.screen()
		require.Contains(t, screen, "3 of 12 instances")
		require.Contains(t, screen, "Breakers", "the list stays above its detail")
		require.NotContains(t, screen, "checkout-v2")

		before := r.file()
		r.deliver(tea.KeyPressMsg{Code: 'K', Text: "K"})
		require.Equal(t, before, r.file(), "a key never acts on a flag that is not on the screen")
		require.Contains(t, r.screen(), "not on the screen")

		r.deliver(tea.KeyPressMsg{Code: tea.KeyEscape})
		r.deliver(tea.KeyPressMsg{Code: tea.KeyTab})
		r.deliver(tea.KeyPressMsg{Code: tea.KeyEnter})
		require.Contains(t, r.screen(), "p99 within 500ms")
	})
}

func TestADetailUsesTheLinesThatAFilterLeavesFree(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := board(t, nil)
		s := *r.m.snapshot
		for range 30 {
			s.Flags = append(s.Flags, sources.Flag{ID: sources.FlagID{Source: "prod", Key: "x"}, Name: "x"})
		}
		r.m.setSnapshot(&s)
		r.press("/", "c", "h", "e", "c", "k")
		r.deliver(tea.KeyPressMsg{Code: tea.KeyEnter})
		r.deliver(tea.KeyPressMsg{Code: tea.KeyEnter})
		require.Equal(t, 4, r.m.layout.panes[paneFlags].h)
	})
}
