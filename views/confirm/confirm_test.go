package confirm_test

import (
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
	"relctl-tui/views/confirm"
	"relctl-tui/views/viewtest"
)

func checkout() sources.Flag {
	return *viewtest.Snapshot(viewtest.OK).Flag(sources.FlagID{Source: viewtest.Store, Key: "checkout-v2"})
}

func ramp() sources.Intent {
	f := checkout()
	return sources.Intent{Kind: sources.Ramp, Flag: f.ID, Seen: f.Revision, To: sources.Pct(50)}
}

func ask(th *themes.Theme) confirm.Model {
	m := confirm.New(th, views.DefaultKeyMap())
	m.SetSize(80, 3)
	m.Ask(ramp(), checkout(), "")
	return m
}

func build(th *themes.Theme) viewtest.Pane {
	m := ask(th)
	return &m
}

func TestGoldens(t *testing.T) {
	t.Parallel()
	viewtest.Goldens(t, 3, build)
}

func TestEveryLineKeepsItsWidth(t *testing.T) {
	t.Parallel()
	viewtest.Sizes(t, build)
}

func TestTheQuestionNamesTheFlagAndBothValues(t *testing.T) {
	t.Parallel()
	f := checkout()
	for kind, want := range map[sources.ChangeKind]string{
		sources.Ramp: "Ramp checkout-v2 25% ➔ 50%?",
		sources.Back: "Step back checkout-v2 25% ➔ 50%?",
		sources.Set:  "Set checkout-v2 25% ➔ 50%?",
		sources.Kill: "Kill checkout-v2 25% ➔ killed?",
		sources.Undo: "Undo the last change of checkout-v2?",
	} {
		in := ramp()
		in.Kind = kind
		require.Equal(t, want, confirm.Question(viewtest.Theme(t, "ansi", false), &in, &f))
	}
	require.Equal(t, "Undo your last change?", confirm.Question(viewtest.Theme(t, "ansi", false),
		&sources.Intent{Kind: sources.Undo}, &sources.Flag{}), "the board does not know which flag that was")
}

func TestYesAndEnterAcceptTheIntentAsItWasAsked(t *testing.T) {
	t.Parallel()
	for _, msg := range []tea.KeyPressMsg{{Code: 'y', Text: "y"}, {Code: tea.KeyEnter}} {
		m, cmd := ask(viewtest.Theme(t, "ansi", false)).Update(msg)
		require.Equal(t, confirm.AcceptedMsg{Intent: ramp()}, cmd())
		require.False(t, m.Opened())
	}
}

func TestNoAndEscapeRejectIt(t *testing.T) {
	t.Parallel()
	for _, msg := range []tea.KeyPressMsg{{Code: 'n', Text: "n"}, {Code: tea.KeyEscape}} {
		m, cmd := ask(viewtest.Theme(t, "ansi", false)).Update(msg)
		require.Equal(t, confirm.RejectedMsg{Intent: ramp()}, cmd())
		require.False(t, m.Opened())
	}
}

func TestEveryOtherKeyIsSwallowed(t *testing.T) {
	t.Parallel()
	m := ask(viewtest.Theme(t, "ansi", false))
	for _, k := range "+-Kux1 Y" {
		var cmd tea.Cmd
		m, cmd = m.Update(tea.KeyPressMsg{Code: k, Text: string(k)})
		require.Nil(t, cmd)
		require.True(t, m.Opened())
	}
}

func TestOneLineStillShowsQuestionAndAnswers(t *testing.T) {
	t.Parallel()
	m := ask(viewtest.Theme(t, "ansi", false))
	m.SetSize(60, 1)
	screen := ansi.Strip(m.View())
	require.Contains(t, screen, "25% ➔ 50%?")
	require.Contains(t, screen, "y/enter yes")
	require.Contains(t, screen, "n/esc no")
}

func TestWhatSpeaksAgainstAYesIsReadWholeWhateverTheNameAndTheWidth(t *testing.T) {
	t.Parallel()
	const doubt = "zoe made it killed 12 s ago, which was expected to be 25%; look before you say yes"
	for _, name := range []string{"checkout-v2", "payments-checkout-express-new-flow-eu-west-1", strings.Repeat("a-very-long-flag-name-", 6) + "end"} {
		for _, width := range []int{60, 80, 120} {
			m := confirm.New(viewtest.Theme(t, "ansi", false), views.DefaultKeyMap())
			in, f := ramp(), checkout()
			in.Kind, in.ToAs, f.Name = sources.Restore, "0%", name
			m.Ask(in, f, doubt)
			m.SetSize(width, m.Lines(width))
			viewtest.RequireFrame(t, m.View(), width, m.Lines(width))
			said := strings.Join(strings.Fields(ansi.Strip(m.View())), " ")
			require.Contains(t, said, doubt+"?")
			require.Contains(t, said, "25% ➔ 0%, though")
			require.Contains(t, said, name[len(name)-6:], "how a name ends tells it from others")
			require.Contains(t, said, "y/enter yes")
			require.LessOrEqual(t, m.Lines(width), 5)
		}
	}
}

func TestAClosedQuestionIsBlankAndTakesNoKeys(t *testing.T) {
	t.Parallel()
	m := confirm.New(viewtest.Theme(t, "ansi", false), views.DefaultKeyMap())
	m.SetSize(80, 1)
	m, cmd := m.Update(tea.KeyPressMsg{Code: 'y', Text: "y"})
	require.Nil(t, cmd)
	require.Empty(t, strings.TrimSpace(m.View()))
}
