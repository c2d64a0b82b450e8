package palette_test

import (
	"fmt"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views/palette"
	"relctl-tui/views/viewtest"
)

func entries() []palette.Entry {
	percent := func(text string) (string, bool) {
		p, err := sources.ParsePercent(text)
		if err != nil {
			return "write a number from 0 to 100", false
		}
		return p.String() + "%", true
	}
	return []palette.Entry{
		{Text: "kill", Kind: "action", Does: "kill", Key: "K", Acts: true, Flag: true, On: "checkout-v2, 25%"},
		{Text: "ramp", Kind: "action", Does: "ramp to the next step, or to a percentage", Key: "+", Acts: true, Flag: true, Rest: percent},
		{Text: "open", Kind: "action", Does: "open by force", Key: "o", Acts: true, Why: "no source of this board switches breakers"},
		{Text: "filter", Kind: "look", Does: "narrow the pane", Key: "/", Rest: func(s string) (string, bool) { return s, true }},
		{Text: "filter ramping", Kind: "filter", Does: "state:ramping"},
		{Text: "theme dark", Kind: "theme", Does: "for dark backgrounds"},
		{Text: "theme light", Kind: "theme", Does: "for light backgrounds"},
		{Text: "quit", Also: []string{"q"}, Kind: "program", Does: "quit", Key: "q"},
	}
}

func open(t testing.TB, s *sources.Snapshot, recent ...string) palette.Model {
	t.Helper()
	m := palette.New(viewtest.Theme(t, "ansi", false))
	m.SetSize(100, 12)
	m.Open(s, entries(), recent)
	return m
}

// say types into the palette and is what it then sent; nil for nothing.
func say(m palette.Model, keys ...string) (palette.Model, *palette.ChosenMsg) {
	var chosen *palette.ChosenMsg
	press := func(msg tea.KeyPressMsg) {
		var cmd tea.Cmd
		if m, cmd = m.Update(msg); cmd != nil {
			if c, ok := cmd().(palette.ChosenMsg); ok {
				chosen = &c
			}
		}
	}
	named := map[string]rune{"enter": tea.KeyEnter, "tab": tea.KeyTab, "right": tea.KeyRight, "up": tea.KeyUp, "down": tea.KeyDown, "esc": tea.KeyEscape}
	for _, k := range keys {
		if code, ok := named[k]; ok {
			press(tea.KeyPressMsg{Code: code})
			continue
		}
		for _, r := range k {
			press(tea.KeyPressMsg{Code: r, Text: string(r)})
		}
	}
	return m, chosen
}

func see(m palette.Model) string { return ansi.Strip(m.View()) }

func ok() *sources.Snapshot { return viewtest.Snapshot(viewtest.OK) }

func TestWhatIsWrittenOutActsOnTheFlagThatItNames(t *testing.T) {
	t.Parallel()
	m, chosen := say(open(t, ok()), "kil", "tab", "checkout-v2", "enter")
	require.NotNil(t, chosen)
	require.False(t, m.Opened())
	require.Equal(t, "kill", chosen.Text)
	require.Equal(t, "checkout-v2", chosen.Flag.ID.Key)
	require.Equal(t, ok().Flag(chosen.Flag.ID).Revision, chosen.Flag.Revision, "with what was seen of it")
}

func TestWhatOnlyResemblesAFlagIsWrittenOutBeforeEnterActs(t *testing.T) {
	t.Parallel()
	m, chosen := say(open(t, ok()), "kill chckv2", "enter")
	require.Nil(t, chosen)
	require.Equal(t, "kill checkout-v2", m.Value())
	require.Contains(t, see(m), "enter: kill checkout-v2, ")
	_, chosen = say(m, "enter")
	require.Equal(t, "checkout-v2", chosen.Flag.ID.Key)

	m, chosen = say(open(t, ok()), "kil", "enter")
	require.Nil(t, chosen, "nor does half a word")
	require.Contains(t, see(m), "enter: kill checkout-v2, 25%")
	_, chosen = say(m, "enter")
	require.Nil(t, chosen.Flag, "alone it acts on the selected flag, as its key does")
}

func TestAPercentageMayFollowAFlagOrStandAlone(t *testing.T) {
	t.Parallel()
	_, chosen := say(open(t, ok()), "ramp checkout-v2 25", "enter")
	require.Equal(t, "25", chosen.Rest)
	require.Equal(t, "checkout-v2", chosen.Flag.Name)
	_, chosen = say(open(t, ok()), "ramp 12.5", "enter")
	require.Equal(t, "12.5", chosen.Rest)
	require.Nil(t, chosen.Flag)
	m, chosen := say(open(t, ok()), "ramp checkout-v2 200", "enter")
	require.Nil(t, chosen)
	require.Contains(t, see(m), "write a number from 0 to 100")
}

func TestWhatChangesNothingIsDoneAsSoonAsItIsTheBest(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{"q": "quit", "theme d": "theme dark", "thlig": "theme light", "filter ram": "filter", "filter ramping": "filter ramping"} {
		_, chosen := say(open(t, ok()), typed, "enter")
		require.NotNil(t, chosen, typed)
		require.Equal(t, want, chosen.Text, typed)
	}
	_, chosen := say(open(t, ok()), "gift", "enter")
	require.Empty(t, chosen.Text)
	require.Equal(t, "gift-cards", chosen.Flag.Name, "a flag alone is gone to")
}

func TestWhatCannotBeDoneSaysWhy(t *testing.T) {
	t.Parallel()
	m, chosen := say(open(t, ok()), "open", "enter", "enter")
	require.Nil(t, chosen)
	require.Contains(t, see(m), "no source of this board switches breakers")
	m, _ = say(open(t, ok()), "klil")
	require.Contains(t, see(m), "nothing is called klil: did you mean kill?")
}

func TestWhatWasSaidOfLateComesFirst(t *testing.T) {
	t.Parallel()
	m := open(t, ok(), "kill gift-cards", "theme light", "kill gone-for-good")
	lines := strings.Split(see(m), "\n")
	require.Contains(t, lines[1], "kill gift-cards")
	require.Contains(t, lines[2], "theme light")
	require.NotContains(t, see(m), "gone-for-good")
	m, chosen := say(m, "enter")
	require.Nil(t, chosen, "but it stands in the line before it is done again")
	require.Equal(t, "kill gift-cards", m.Value())
}

func TestAPasteIsTypedAndNeverActs(t *testing.T) {
	t.Parallel()
	m := open(t, ok())
	m, cmd := m.Update(tea.PasteMsg{Content: "kill checkout-v2\n\x1b[2J\u202e"})
	require.True(t, m.Opened())
	if cmd != nil {
		_, acted := cmd().(palette.ChosenMsg)
		require.False(t, acted)
	}
	require.True(t, strings.HasPrefix(m.Value(), "kill checkout-v2 "))
	viewtest.RequireFrame(t, m.View(), 100, 12)
}

func TestOfTwoFlagsThatAreWrittenAlikeOneHasToBeChosen(t *testing.T) {
	t.Parallel()
	s := *ok()
	twin := *s.Flag(sources.FlagID{Source: viewtest.Store, Key: "checkout-v2"})
	twin.ID.Key += "\x01"
	s.Flags = append(append([]sources.Flag{}, s.Flags...), twin)
	m, chosen := say(open(t, &s), "kill checkout-v2", "enter")
	require.Nil(t, chosen)
	require.Contains(t, see(m), "several flags are written like that")
	_, chosen = say(m, "down", "enter")
	require.Equal(t, twin.ID, chosen.Flag.ID)
}

func TestGoldens(t *testing.T) {
	t.Parallel()
	viewtest.Goldens(t, 10, func(th *themes.Theme) viewtest.Pane {
		m := palette.New(th)
		m.SetSize(80, 10)
		m.Open(ok(), entries(), []string{"kill gift-cards"})
		m, _ = say(m, "down", "down", "down")
		return &m
	})
}

func TestEveryLineKeepsItsWidth(t *testing.T) {
	t.Parallel()
	viewtest.Sizes(t, func(th *themes.Theme) viewtest.Pane {
		m := palette.New(th)
		m.Open(viewtest.Hostile(), entries(), nil)
		m, _ = say(m, "日本 e")
		return &m
	})
}

// Ten thousand flags: a key in the palette, from typing to the drawn list.
func BenchmarkTyping(b *testing.B) {
	s := *ok()
	s.Flags = nil
	for i := range 10_000 {
		name := fmt.Sprintf("team-%d.service-%d.checkout-v%d", i%17, i%211, i)
		s.Flags = append(s.Flags, sources.Flag{ID: sources.FlagID{Source: viewtest.Store, Key: name}, Name: name})
	}
	for _, text := range []string{"e", "kill chk", "kill zzz"} {
		b.Run(text, func(b *testing.B) {
			m := palette.New(viewtest.Theme(b, "ansi", false))
			m.SetSize(120, 14)
			m.Open(&s, entries(), nil)
			m, _ = say(m, text[:len(text)-1])
			last := text[len(text)-1:]
			for b.Loop() {
				next, _ := say(m, last)
				_ = next.View()
			}
		})
	}
}
