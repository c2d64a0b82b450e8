package detail_test

import (
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
	"relctl-tui/views/detail"
	"relctl-tui/views/viewtest"
)

func id(key string) sources.FlagID { return sources.FlagID{Source: viewtest.Store, Key: key} }

func build(th *themes.Theme) viewtest.Pane {
	m := detail.New(th, views.DefaultKeyMap())
	m.SetFlag(id("checkout-v2"))
	return &m
}

func TestGoldens(t *testing.T) {
	t.Parallel()
	viewtest.Goldens(t, 20, build)
}

func TestEveryLineKeepsItsWidth(t *testing.T) {
	t.Parallel()
	viewtest.Sizes(t, build)
}

func open(t *testing.T, key string) detail.Model {
	t.Helper()
	m := detail.New(viewtest.Theme(t, "ansi", false), views.DefaultKeyMap())
	m.SetSize(100, 24)
	m.SetSnapshot(viewtest.Snapshot(viewtest.OK), viewtest.Now())
	m.SetFlag(id(key))
	return m
}

func TestDetailMarksTheStepInForceAndSaysWhatTheKeysWouldDo(t *testing.T) {
	t.Parallel()
	m := open(t, "checkout-v2")
	screen := ansi.Strip(m.View())
	require.Contains(t, screen, "10 ╌ [25] ╌ 50")
	require.Contains(t, screen, "+ to 50%   - to 10%   K kill")
	require.Contains(t, screen, "database 800ms 25%")
}

func TestDetailOfAKilledFlagSaysWhatIsKept(t *testing.T) {
	t.Parallel()
	m := open(t, "legacy-export")
	screen := ansi.Strip(m.View())
	require.Contains(t, screen, "✗ killed")
	require.Contains(t, screen, "10% is kept")
	require.Contains(t, screen, "K nothing")
}

func TestDetailActsOnItsOwnFlagWithTheRevisionOnTheScreen(t *testing.T) {
	t.Parallel()
	m := open(t, "checkout-v2")
	_, cmd := m.Update(tea.KeyPressMsg{Code: 'K', Text: "K"})
	require.Equal(t, views.IntentMsg{Intent: sources.Intent{
		Kind: sources.Kill, Flag: id("checkout-v2"), Seen: "rev-checkout-v2", SeenAs: "25%",
	}}, cmd())
}

func TestDetailKeepsAFlagThatWentAwayOnTheScreenButActsNoMore(t *testing.T) {
	t.Parallel()
	m := open(t, "checkout-v2")
	gone := viewtest.Snapshot(viewtest.OK)
	gone.Flags = nil
	m.SetSnapshot(gone, viewtest.Now())
	require.Contains(t, ansi.Strip(m.View()), "no longer in "+viewtest.Store)
	_, cmd := m.Update(tea.KeyPressMsg{Code: '+', Text: "+"})
	require.IsType(t, views.RefusedMsg{}, cmd())
}

func TestDetailShowsTheBreakersOfTheLinkedLatencyAndNoOthers(t *testing.T) {
	t.Parallel()
	s := viewtest.Snapshot(viewtest.OK)
	s.Breakers = nil
	for _, name := range []string{"payment-api", "payment database", "database", "inventory database", "search"} {
		s.Breakers = append(s.Breakers, sources.Breaker{Source: viewtest.Metrics, Name: name, State: sources.BreakerOpen})
	}
	m := open(t, "checkout-v2")
	m.SetSnapshot(s, viewtest.Now())
	screen := ansi.Strip(m.View())
	for _, name := range []string{"payment-api", "payment database", "open database"} {
		require.Contains(t, screen, name)
	}
	require.NotContains(t, screen, "inventory database")
	require.NotContains(t, screen, "open search")
}

func TestDetailClosesOnEscape(t *testing.T) {
	t.Parallel()
	m := open(t, "checkout-v2")
	_, cmd := m.Update(tea.KeyPressMsg{Code: tea.KeyEscape})
	require.Equal(t, detail.ClosedMsg{}, cmd())
}

func TestDetailShowsAPendingChangeBesideTheValueInForce(t *testing.T) {
	t.Parallel()
	m := open(t, "checkout-v2")
	m.SetPending("25% ➔ 50%")
	screen := ansi.Strip(m.View())
	require.Contains(t, screen, "pending   25% ➔ 50%")
	require.Contains(t, screen, "25% get on")
}
