package footer_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"relctl-tui/themes"
	"relctl-tui/views"
	"relctl-tui/views/footer"
	"relctl-tui/views/viewtest"
)

func build(th *themes.Theme) viewtest.Pane {
	m := footer.New(th, views.DefaultKeyMap())
	m.SetStatus("checkout-v2 25% to 50%: confirmed, u undoes it", footer.Done)
	return &m
}

func TestGoldens(t *testing.T) {
	t.Parallel()
	viewtest.Goldens(t, 2, build)
}

func TestEveryLineKeepsItsWidth(t *testing.T) {
	t.Parallel()
	viewtest.Sizes(t, build)
}

func open(t *testing.T, w, h int) footer.Model {
	t.Helper()
	m := footer.New(viewtest.Theme(t, "ansi", false), views.DefaultKeyMap())
	m.SetSize(w, h)
	return m
}

func TestEightyColumnsHoldTheActingKeysAndTheWayOut(t *testing.T) {
	t.Parallel()
	screen := ansi.Strip(open(t, 80, 1).View())
	for _, want := range []string{"+ ramp", "- back", "K kill", "u undo", "= set", "/ filter", ": palette", "? help", "q quit"} {
		require.Contains(t, screen, want)
	}
}

func TestANarrowFooterStillOffersHelp(t *testing.T) {
	t.Parallel()
	for w := 9; w < 80; w++ {
		require.Contains(t, ansi.Strip(open(t, w, 1).View()), "? help", "%d columns", w)
	}
}

func TestAStatusTakesTheOnlyLine(t *testing.T) {
	t.Parallel()
	m := open(t, 80, 1)
	m.SetStatus("prod.flagd.json: permission denied", footer.Failure)
	require.Contains(t, ansi.Strip(m.View()), "✗ prod.flagd.json: permission denied")
	require.NotContains(t, ansi.Strip(m.View()), "kill")
	m.SetStatus("", footer.Info)
	require.Contains(t, ansi.Strip(m.View()), "kill")
}

func TestTwoLinesShowStatusAndKeys(t *testing.T) {
	t.Parallel()
	m := open(t, 80, 2)
	m.SetStatus("nothing changed", footer.Warning)
	lines := strings.Split(ansi.Strip(m.View()), "\n")
	require.Contains(t, lines[0], "! nothing changed")
	require.Contains(t, lines[1], "K kill")
}

func TestALongStatusIsWrappedToItsEndAndNeverCut(t *testing.T) {
	t.Parallel()
	const long = "nothing changed: /srv/flags/prod.flagd.json: not JSON: line 1, column 14: 'n' where a string is expected; mend the file"
	for w := 60; w <= 140; w++ {
		m := open(t, w, 1)
		require.Equal(t, 1, m.Lines(w), "no status is one line")
		m.SetStatus(long, footer.Failure)
		m.SetSize(w, m.Lines(w)+1)
		viewtest.RequireFrame(t, m.View(), w, m.Lines(w)+1)
		words := strings.Join(strings.Fields(ansi.Strip(m.View())), " ")
		require.Contains(t, words, "✗ "+long, "%d columns", w)
		require.Contains(t, words, "? help", "the keys stand below")
	}
	m := open(t, 60, 1)
	m.SetStatus(strings.Repeat("word ", 100), footer.Failure)
	require.Equal(t, 3, m.Lines(60), "the panes keep their place")
}

func TestAReadOnlyFooterOffersNoChange(t *testing.T) {
	t.Parallel()
	m := open(t, 80, 1)
	m.SetHelp(views.DefaultKeyMap().ReadOnly().ShortHelp())
	require.NotContains(t, ansi.Strip(m.View()), "kill")
	require.Contains(t, ansi.Strip(m.View()), "filter")
}

func TestAStatusCannotSendEscapeSequences(t *testing.T) {
	t.Parallel()
	m := open(t, 80, 1)
	m.SetStatus("\x1b]0;owned\x07\x1b[2J", footer.Failure)
	viewtest.RequireFrame(t, m.View(), 80, 1)
}

func TestALongNameDoesNotHideWhatHappenedToIt(t *testing.T) {
	t.Parallel()
	name := "payments-" + strings.Repeat("with-a-name-that-goes-on-", 4) + "eu"
	for _, w := range []int{60, 80, 120} {
		m := open(t, w, 1)
		m.SetStatus(name+" killed ➔ 1%: WRITTEN, NOT CONFIRMED: "+name+" may have been changed and cannot be read back", footer.Failure)
		m.SetOffer("suspect: " + name + " 25% to 50%, 4 s before payment API broke (S)")
		m.SetSize(w, m.Lines(w))
		screen := ansi.Strip(m.View())
		said := strings.Join(strings.Fields(screen), " ")
		require.Contains(t, said, "NOT CONFIRMED", "%d columns", w)
		require.Contains(t, said, "cannot be read back", "%d columns", w)
		require.True(t, w < 80 || strings.Contains(screen, "(S)"), "%d columns", w)
		require.Contains(t, screen, "payments-with", "how it begins")
		require.Contains(t, screen, "on-eu", "and how it ends")
	}
	m := open(t, 80, 1)
	m.SetStatus(strings.Repeat("x", 300)+" 0% ➔ 1% confirmed in 5 ms (u undoes it)", footer.Done)
	m.SetSize(80, m.Lines(80))
	require.Contains(t, ansi.Strip(m.View()), "0% ➔ 1% confirmed")
}

func TestANameGivesUpItsMiddleWhereTheStatusIsOneLineThen(t *testing.T) {
	t.Parallel()
	const name, did = "payments-checkout-express-new-flow-eu-west-1", " 25% ➔ 50% confirmed in 10 ms (u undoes it)"
	shown := func(w int, name, text string) string {
		m := open(t, w, 1)
		m.SetStatus(text, footer.Done, name)
		m.SetSize(w, m.Lines(w)+1)
		viewtest.RequireFrame(t, m.View(), w, m.Lines(w)+1)
		require.Equal(t, text, m.Status(), "what was said is kept")
		lines := strings.Split(ansi.Strip(m.View()), "\n")
		for i := range lines {
			lines[i] = strings.TrimSpace(lines[i])
		}
		return strings.Join(lines[:len(lines)-1], "\n")
	}
	for _, w := range []int{66, 80, 90} {
		require.Regexp(t, `^✓  ?payments.*⋯.*west-1`+regexp.QuoteMeta(did)+`$`, shown(w, name, name+did))
	}
	require.Equal(t, "✓ "+name+did, shown(120, name, name+did), "there is room for all of it")
	require.Equal(t, "✓ "+name+did, strings.Join(strings.Fields(shown(60, name, name+did)), " "), "two lines it takes here, whatever the name")
	require.NotContains(t, shown(80, name, name+" and "+name+" again"), "\n", "both of them")
	wide := strings.Repeat("長い名前", 12)
	require.NotContains(t, shown(80, wide, wide+did), "\n")
	require.NotContains(t, shown(81, wide, wide+did), "\n")
}
