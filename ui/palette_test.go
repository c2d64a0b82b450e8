package ui

import (
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/stretchr/testify/require"

	"relctl-tui/themes"
	"relctl-tui/views"
)

// say types a line into the palette, and enter.
func (r *rig) say(line string) {
	r.t.Helper()
	r.press(":")
	r.press(strings.Split(line, "")...)
	r.press("enter")
}

func TestAFlagThatIsNamedInThePaletteIsChangedWhereverTheCursorIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, nil)
		r.say("ramp wallet-pay 40")
		require.Contains(t, r.file(), `["on", 40]`)
		require.Contains(t, r.file(), `["on", 25]`, "the flag under the cursor is as it was")
		r.sees("wallet-pay 0% ➔ 40% confirmed")
		pass(time.Second)
		r.say("undo")
		require.Equal(t, twoFlags, r.file())
		pass(time.Second)
		r.say("kill")
		require.Contains(t, r.file(), "DISABLED", "alone it acts on the flag under the cursor")
		r.sees("checkout-v2 25% ➔ killed confirmed")
	})
}

func TestThePaletteAsksRefusesAndComparesAsTheKeysDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, func(o *Options) { o.Confirm = true })
		r.say("kill wallet-pay")
		require.Equal(t, twoFlags, r.file())
		r.sees("wallet-pay", "0% ➔ killed?")
		r.press("y")
		require.Contains(t, r.file(), "DISABLED")

		r = board(t, func(o *Options) { o.ReadOnly = true })
		r.say("kill wallet-pay")
		require.Equal(t, twoFlags, r.file())
		r.sees("read-only: this board was started without the right to change anything")

		r = board(t, nil)
		r.press(":")
		moved := strings.Replace(twoFlags, `["on", 25], ["off", 75]`, `["on", 50], ["off", 50]`, 1)
		require.NoError(t, os.WriteFile(r.path, []byte(moved), 0o600))
		pass(3 * time.Second)
		r.look()
		r.press(strings.Split("ramp checkout-v2", "")...)
		r.press("enter")
		require.Equal(t, moved, r.file(), "what the palette showed is not there any more")
		r.sees("nothing changed", "50%")
	})
}

func TestAPasteIntoThePaletteDoesNothingByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, nil)
		r.press(":")
		r.deliver(tea.PasteMsg{Content: "kill checkout-v2\n"})
		pass(time.Second)
		require.Equal(t, twoFlags, r.file())
		require.True(t, r.m.palette.Opened())
		r.press("esc")
		for _, text := range []string{":kill checkout-v2\r", ":u\r", "\r:q\r"} { // as a terminal without bracketed paste sends it
			for _, c := range text {
				msg := tea.KeyPressMsg{Code: c, Text: string(c)}
				if c == '\r' {
					msg = tea.KeyPressMsg{Code: tea.KeyEnter}
				}
				r.deliver(msg)
			}
			pass(time.Second)
			require.Equal(t, twoFlags, r.file(), text)
			require.False(t, r.quit, text)
			r.press("esc", "esc")
		}
	})
}

func TestThePaletteGoesToEveryPaneScreenThemeAndContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		named := func(name string) *themes.Theme {
			th, err := themes.New(themes.Options{Name: name})
			require.NoError(t, err)
			return th
		}
		r := board(t, func(o *Options) {
			o.Theme, o.Themes, o.Wear = named("mono"), themes.Names(), named
			o.Contexts, o.Next = []string{"prod", "staging", "test"}, "prod"
		})
		r.say("latency")
		require.Equal(t, paneLatency, r.m.focus)
		r.say("timeline")
		r.sees("Timeline")
		r.say("history wallet-pay")
		r.sees("History wallet-pay")
		r.say("help")
		r.sees("Keys", "esc closes")
		r.say("wallet-pay")
		require.Equal(t, "wallet-pay", r.m.selected.Key)
		require.Equal(t, paneFlags, r.m.focus)
		r.say("detail checkout-v2")
		require.True(t, r.m.detailed)
		require.Equal(t, "checkout-v2", r.m.selected.Key)
		r.say("zoom")
		require.True(t, r.m.zoomed)
		r.say("theme dark")
		r.sees("theme dark")
		r.say("filter wallet !check")
		r.sees("1 of 2", "/wallet !check")
		r.say("sort by key")
		r.sees("by key")
		r.press("esc")
		r.say("context test")
		r.sees("this is test already")
		r.press("esc")
		r.say("context staging")
		require.True(t, r.quit)
		require.Equal(t, "staging", r.m.leaving)
	})
}

func TestAFilterThatHasANameIsSetByIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, func(o *Options) { o.Filters = map[string]string{"wallets": "wallet", "ramping": "rollout>10"} })
		r.say("show wallets")
		r.sees("/wallet", "wallet-pay")
		require.NotContains(t, r.screen(), "checkout-v2")
		r.say("show ramping")
		r.sees("checkout-v2")
		require.NotContains(t, r.screen(), "wallet-pay")
		r.press("[")
		r.sees("wallet-pay")
		require.Equal(t, twoFlags, r.file())
	})
}

func TestACommandWhoseKeyIsAnotherOneDoesWhatItSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys, err := views.DefaultKeyMap().Bind(views.Bindings{"sort": {"f5"}})
		require.NoError(t, err)
		r := board(t, func(o *Options) { o.Keys = &keys })
		before := r.screen()
		r.say("sort")
		require.NotEqual(t, before, r.screen(), "the flags stand in another order, and the title says so")
		require.NotContains(t, r.screen(), "no key is bound to that")
	})
}

func TestAClickBesideTheOpenPaletteMovesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, func(o *Options) { o.Mouse = true })
		at, on := r.rowOf("wallet-pay"), r.m.selected
		r.press(":")
		r.deliver(tea.MouseClickMsg{X: 5, Y: at, Button: tea.MouseLeft})
		require.Equal(t, on, r.m.selected, "what a command acts on stays what it was")
	})
}
