package prompt_test

import (
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
	"relctl-tui/views/prompt"
	"relctl-tui/views/viewtest"
)

func checkout() sources.Flag {
	return *viewtest.Snapshot(viewtest.OK).Flag(sources.FlagID{Source: viewtest.Store, Key: "checkout-v2"})
}

func open(t *testing.T, purpose prompt.Purpose) prompt.Model {
	t.Helper()
	m := prompt.New(viewtest.Theme(t, "ansi", false), views.DefaultKeyMap())
	m.SetSize(80, 1)
	if purpose == prompt.Filter {
		m.OpenFilter("", "#tag "+views.FilterFields)
	} else {
		m.OpenPercent(checkout(), viewtest.Now())
	}
	return m
}

// typed presses keys one by one and is what the last one sent, commands of the
// text field apart.
func typed(m prompt.Model, text string) (prompt.Model, []tea.Msg) {
	var sent []tea.Msg
	for _, r := range text {
		msg := tea.KeyPressMsg{Code: r, Text: string(r)}
		switch r {
		case '\n':
			msg = tea.KeyPressMsg{Code: tea.KeyEnter}
		case '\b':
			msg = tea.KeyPressMsg{Code: tea.KeyBackspace}
		case '\x1b':
			msg = tea.KeyPressMsg{Code: tea.KeyEscape}
		}
		var cmd tea.Cmd
		m, cmd = m.Update(msg)
		sent = flatten(cmd)
	}
	return m, sent
}

func flatten(cmd tea.Cmd) []tea.Msg {
	if cmd == nil {
		return nil
	}
	msg := cmd()
	batch, ok := msg.(tea.BatchMsg)
	if !ok {
		return []tea.Msg{msg}
	}
	var all []tea.Msg
	for _, c := range batch {
		all = append(all, flatten(c)...)
	}
	return all
}

func TestGoldens(t *testing.T) {
	t.Parallel()
	viewtest.Goldens(t, 1, func(th *themes.Theme) viewtest.Pane {
		m := prompt.New(th, views.DefaultKeyMap())
		m.OpenPercent(checkout(), viewtest.Now())
		m, _ = typed(m, "37.5")
		return &m
	})
}

func TestEveryLineKeepsItsWidth(t *testing.T) {
	t.Parallel()
	viewtest.Sizes(t, func(th *themes.Theme) viewtest.Pane {
		m := prompt.New(th, views.DefaultKeyMap())
		m.OpenFilter("日本語 and a text that is longer than its field", "#tag "+views.FilterFields)
		return &m
	})
}

func TestAFilterIsToldAfterEveryKey(t *testing.T) {
	t.Parallel()
	m, sent := typed(open(t, prompt.Filter), "pay")
	require.Equal(t, []tea.Msg{prompt.ChangedMsg{Purpose: prompt.Filter, Text: "pay"}}, sent)
	m, sent = typed(m, "\n")
	require.Equal(t, []tea.Msg{prompt.SubmittedMsg{Purpose: prompt.Filter, Text: "pay"}}, sent)
	require.False(t, m.Opened())
}

func TestAPercentageCarriesTheFlagAndTheRevisionThatWasOnTheScreen(t *testing.T) {
	t.Parallel()
	m, sent := typed(open(t, prompt.Percent), "37.5\n")
	require.Equal(t, []tea.Msg{prompt.SubmittedMsg{
		Purpose: prompt.Percent, Text: "37.5", Flag: checkout().ID, Seen: checkout().Revision, SeenAs: "25%", To: 37_500,
	}}, sent)
	require.False(t, m.Opened())
}

func TestEnterDoesNothingWhileThePercentageIsWrong(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "101", "1.2345", "-5", "ten"} {
		m, sent := typed(open(t, prompt.Percent), text+"\n")
		require.Empty(t, sent, text)
		require.True(t, m.Opened(), text)
	}
}

func TestTheHintSaysWhatEnterWouldDoOrWhyItWouldNot(t *testing.T) {
	t.Parallel()
	m := open(t, prompt.Percent)
	require.Contains(t, ansi.Strip(m.View()), "0 to 100, now 25%")
	m, _ = typed(m, "50")
	require.Contains(t, ansi.Strip(m.View()), "25% ➔ 50%")
	m, _ = typed(m, "0")
	require.Contains(t, ansi.Strip(m.View()), "the most is 100")
}

func TestWhatMattersOfTheHintFitsBesideALongName(t *testing.T) {
	t.Parallel()
	flag := checkout()
	flag.Name = "payments-new-authorisation-path"
	for _, c := range []struct {
		cells int
		text  string
		hint  string
	}{
		{120, "", "0 to 100, now 25%; later: 25 @ Fri 10:00"},
		{80, "", "0 to 100, now 25%; later: 25 @ Fri 10:00"},
		{60, "", "0-100 or 25 @ Fri 10:00"},
		{40, "", "0-100, now 25%"},
		{120, "1000", `"1000" is no percentage: write a number from 0 to 100`},
		{80, "1000", "write a number from 0 to 100"},
		{60, "1000", "write a number from 0 to 100"},
		{80, "50 @ noon", `write "10:00", "Fri 10:00", "2`},
		{80, "50 @ Fri 10:00", "25% ➔ 50% Fri 10:00 UTC, in "},
		{60, "50 @ Fri 10:00", "Fri 10:00 UTC, in "},
	} {
		m := prompt.New(viewtest.Theme(t, "ansi", false), views.DefaultKeyMap())
		m.SetSize(c.cells, 1)
		m.OpenPercent(flag, viewtest.Now())
		m, _ = typed(m, c.text)
		view := ansi.Strip(m.View())
		require.Contains(t, view, c.hint, "%q in %d cells", c.text, c.cells)
		viewtest.RequireFrame(t, m.View(), c.cells, 1)
		if !strings.Contains(c.hint, "write") {
			require.NotContains(t, strings.SplitN(view, "=", 2)[1], "⋯", "%q in %d cells", c.text, c.cells)
		}
	}
}

func TestEscapeAndInterruptCancel(t *testing.T) {
	t.Parallel()
	m, sent := typed(open(t, prompt.Percent), "50\x1b")
	require.Equal(t, []tea.Msg{prompt.CancelledMsg{Purpose: prompt.Percent}}, sent)
	require.False(t, m.Opened())

	m, cmd := open(t, prompt.Filter).Update(tea.KeyPressMsg{Code: 'c', Mod: tea.ModCtrl})
	require.Equal(t, prompt.CancelledMsg{Purpose: prompt.Filter}, cmd())
	require.False(t, m.Opened())
}

func TestAClosedPromptTakesNoKeys(t *testing.T) {
	t.Parallel()
	m := prompt.New(viewtest.Theme(t, "ansi", false), views.DefaultKeyMap())
	m.SetSize(80, 1)
	m, sent := typed(m, "50\n")
	require.Empty(t, sent)
	require.Empty(t, strings.TrimSpace(m.View()))
}

func TestAPasteIsTextAndNeverALine(t *testing.T) {
	t.Parallel()
	m, _ := open(t, prompt.Filter).Update(tea.PasteMsg{Content: "pay\nK\x1b[31m"})
	require.True(t, m.Opened())
	viewtest.RequireFrame(t, m.View(), 80, 1)
}

func TestANameIsAcceptedOnlyWhenItIsTypedOutWhole(t *testing.T) {
	t.Parallel()
	m := prompt.New(viewtest.Theme(t, "ansi", false), views.DefaultKeyMap())
	f := sources.Flag{ID: sources.FlagID{Source: "prod", Key: "orders"}, Name: "orders"}
	m.OpenName(f, sources.Intent{Kind: sources.Move, Flag: f.ID, Stage: "rampdown"}, "this is the point of no return")
	require.Equal(t, 2, m.Lines(80))
	m.SetSize(80, 2)
	require.Contains(t, ansi.Strip(m.View()), "this is the point of no return")
	require.Contains(t, ansi.Strip(m.View()), "type orders to go on")
	enter := tea.KeyPressMsg{Code: tea.KeyEnter}
	for _, typed := range []string{"", "order", "orders "} {
		m.OpenName(f, sources.Intent{Kind: sources.Move, Flag: f.ID, Stage: "rampdown"}, "lost")
		for _, r := range typed {
			m, _ = m.Update(tea.KeyPressMsg{Code: r, Text: string(r)})
		}
		var cmd tea.Cmd
		m, cmd = m.Update(enter)
		require.Nil(t, cmd, "%q", typed)
		require.True(t, m.Opened())
	}
	m.OpenName(f, sources.Intent{Kind: sources.Move, Flag: f.ID, Stage: "rampdown"}, "lost")
	for _, r := range "orders" {
		m, _ = m.Update(tea.KeyPressMsg{Code: r, Text: string(r)})
	}
	m, cmd := m.Update(enter)
	require.False(t, m.Opened())
	said, ok := cmd().(prompt.SubmittedMsg)
	require.True(t, ok)
	require.Equal(t, prompt.Name, said.Purpose)
	require.Equal(t, sources.Intent{Kind: sources.Move, Flag: f.ID, Stage: "rampdown", Confirm: "orders"}, said.Intent)
}

func TestASilenceHasATimeAndAReasonAndAnHourWhereNoTimeIsTyped(t *testing.T) {
	t.Parallel()
	in := sources.Intent{Kind: sources.SilenceAlert, Flag: sources.FlagID{Source: "am", Key: "DiskFull#1"}}
	start := func() prompt.Model {
		m := prompt.New(viewtest.Theme(t, "ansi", false), views.DefaultKeyMap())
		m.SetSize(80, 1)
		m.OpenSilence(sources.Flag{ID: in.Flag, Name: "DiskFull db", Breaker: "firing"}, in)
		return m
	}
	empty := strings.Repeat("\b", 10)
	for text, want := range map[string]struct {
		lasts time.Duration
		why   string
		hint  string
	}{
		"known":                  {time.Hour, "known", "enter silences it for 1h"},
		empty + "1h30m new disk": {90 * time.Minute, "new disk", "enter silences it for 1h30m"},
		empty + "a new disk":     {time.Hour, "a new disk", "enter silences it for 1h"},
		empty + "30s x":          {hint: "from 1m to 168h"},
		empty + "200h x":         {hint: "from 1m to 168h"},
		empty + "5 x":            {hint: "first a time, such as 30m"},
		empty + "2h":             {hint: "now why"},
		empty:                    {hint: "now why"},
	} {
		m, _ := typed(start(), text)
		require.Contains(t, ansi.Strip(m.View()), "DiskFull db quiet:")
		require.Contains(t, ansi.Strip(m.View()), want.hint, "%q", text)
		_, sent := typed(m, "\n")
		if want.why == "" {
			require.Empty(t, sent, "%q", text)
			continue
		}
		require.Len(t, sent, 1)
		got := sent[0].(prompt.SubmittedMsg)
		require.Equal(t, want.lasts, got.Intent.For)
		require.Equal(t, want.why, got.Intent.Reason)
		require.Equal(t, in.Flag, got.Intent.Flag)
	}
}

func TestAMomentBehindAPercentageIsReadByTheClocksOfTheBoardsZone(t *testing.T) {
	t.Parallel()
	m, _ := typed(open(t, prompt.Percent), "50 @ Mon 10:00") // it is Saturday
	require.Contains(t, ansi.Strip(m.View()), "50 @ Mon 10:00")
	require.Contains(t, ansi.Strip(m.View()), "50% Mon 10:00 UTC, in 43h")
	_, sent := typed(m, "\n")
	require.Len(t, sent, 1)
	got, ok := sent[0].(prompt.SubmittedMsg)
	require.True(t, ok)
	require.Equal(t, sources.Pct(50), got.To)
	require.Equal(t, time.Date(2026, 3, 16, 10, 0, 0, 0, time.UTC), got.At.UTC())
	for text, why := range map[string]string{"50 @": `write "10:00"`, "50 @ soon": `write "10:00"`, "500 @ 10:00": "500", "50 @ 2026-03-01 10:00": "lies in the past"} {
		m, sent := typed(open(t, prompt.Percent), text+"\n")
		require.Empty(t, sent, text)
		require.Contains(t, ansi.Strip(m.View()), why, text)
	}
}
