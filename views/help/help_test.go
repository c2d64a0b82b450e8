package help_test

import (
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"relctl-tui/themes"
	"relctl-tui/views"
	"relctl-tui/views/help"
	"relctl-tui/views/viewtest"
)

func build(th *themes.Theme) viewtest.Pane {
	m := help.New(th, views.DefaultKeyMap())
	return &m
}

func TestGoldens(t *testing.T) {
	t.Parallel()
	viewtest.Goldens(t, 30, build)
}

func TestEveryLineKeepsItsWidth(t *testing.T) {
	t.Parallel()
	viewtest.Sizes(t, build)
}

func TestHelpNamesEveryKeyOfTheMap(t *testing.T) {
	t.Parallel()
	p := build(viewtest.Theme(t, "ansi", false))
	p.SetSize(120, 40)
	screen := ansi.Strip(p.View())
	for _, g := range views.DefaultKeyMap().Groups() {
		require.Contains(t, screen, g.Title)
		for _, b := range g.Keys {
			require.Contains(t, screen, b.Help().Key)
			require.Contains(t, screen, b.Help().Desc)
		}
	}
}

func TestEightyByTwentyFourShowsEveryKey(t *testing.T) {
	t.Parallel()
	p := build(viewtest.Theme(t, "ansi", false))
	p.SetSize(80, 22)
	screen := ansi.Strip(p.View())
	for _, g := range views.DefaultKeyMap().Groups() {
		for _, b := range g.Keys {
			require.Contains(t, screen, b.Help().Desc)
		}
	}
	require.NotContains(t, screen, "scroll")
}

func TestHelpThatDoesNotFitSaysSoAndScrolls(t *testing.T) {
	t.Parallel()
	m := help.New(viewtest.Theme(t, "ansi", false), views.DefaultKeyMap())
	m.SetSize(60, 13)
	require.Contains(t, ansi.Strip(m.View()), "lines 1 to 12 of")
	require.NotContains(t, ansi.Strip(m.View()), "quit")
	m, _ = m.Update(tea.KeyPressMsg{Code: 'G', Text: "G"})
	require.Contains(t, ansi.Strip(m.View()), "quit")
}

func TestHelpOfAReadOnlyBoardLeavesTheChangingKeysOut(t *testing.T) {
	t.Parallel()
	m := help.New(viewtest.Theme(t, "ansi", false), views.DefaultKeyMap())
	m.SetKeys(views.DefaultKeyMap().ReadOnly())
	m.SetSize(120, 40)
	screen := ansi.Strip(m.View())
	require.NotContains(t, screen, "kill")
	require.NotContains(t, screen, "ramp")
	require.Contains(t, screen, "filter")
}
