package ui

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/sources/flagd"
	"relctl-tui/sources/journal"
	"relctl-tui/sources/live"
	"relctl-tui/themes"
)

const twoFlags = `{"flags": {
  "checkout-v2": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off",
    "targeting": {"fractional": [["on", 25], ["off", 75]]}},
  "wallet-pay": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off"}
}}
`

// rig is a board on a real flag file, with its messages delivered by hand.
type rig struct {
	t    *testing.T
	m    *Model
	path string
	quit bool
}

// board starts a board. Inside a synctest bubble its time is the bubble's.
func board(t *testing.T, change func(*Options)) *rig {
	t.Helper()
	path := filepath.Join(t.TempDir(), "prod.flagd.json")
	require.NoError(t, os.WriteFile(path, []byte(twoFlags), 0o600))
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	// Reading by polling alone keeps every goroutine inside the bubble.
	store := flagd.New("prod", path)
	lister := struct {
		sources.FlagLister
		sources.FlagGetter
		sources.FlagWriter
		sources.Leaser
		sources.Scheduler
	}{store, store, store, store, store}
	engine := live.New(live.Options{
		Context: "test", Now: time.Now,
		Sources: []live.Source{{Name: "prod", Kind: "flagd", Driver: lister, Every: time.Second, Writable: true}},
	})
	th, err := themes.New(themes.Options{Name: "mono"})
	require.NoError(t, err)
	o := Options{
		Engine: engine, Theme: th, Actor: "ana", Now: time.Now,
		Control: control.New(control.Options{
			Stores:  []control.Store{{Name: "prod", Driver: lister, Journal: journal.Open(filepath.Join(filepath.Dir(path), "j.jsonl"), journal.Options{})}},
			Observe: engine.Observe,
		}),
	}
	if change != nil {
		change(&o)
	}
	done := make(chan struct{})
	go func() { _ = engine.Run(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
	for snap := engine.Snapshot(); snap.Flag(sources.FlagID{Source: "prod", Key: "checkout-v2"}) == nil; {
		snap, err = engine.Next(ctx, snap.Seq) // that one's: the engine may have published another by now
		require.NoError(t, err)
	}
	r := &rig{t: t, path: path, m: New(ctx, o, 100, 30)}
	// The cursor stands where the operator put it, long enough ago.
	r.m.flags.Select(sources.FlagID{Source: "prod", Key: "checkout-v2"})
	r.m.selectionMoved()
	pass(time.Second)
	return r
}

func pass(d time.Duration) { <-time.After(d) }

// deliver gives the model a message and works off what it asks for, except to
// wait for the next snapshot or tick.
func (r *rig) deliver(msg tea.Msg) {
	r.t.Helper()
	_, cmd := r.m.Update(msg)
	r.work(cmd)
}

func (r *rig) work(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	switch msg := cmd().(type) {
	case nil:
	case tea.QuitMsg:
		r.quit = true
	case tea.BatchMsg:
		for _, c := range msg {
			r.work(c)
		}
	default:
		r.deliver(msg)
	}
}

func (r *rig) press(keys ...string) {
	r.t.Helper()
	for _, k := range keys {
		pass(50 * time.Millisecond)
		msg := tea.KeyPressMsg{Code: []rune(k)[0], Text: k}
		if k == "esc" {
			msg = tea.KeyPressMsg{Code: tea.KeyEscape}
		}
		if k == "enter" {
			msg = tea.KeyPressMsg{Code: tea.KeyEnter}
		}
		r.deliver(msg)
	}
}

// look takes the engine's present snapshot in and is what a person then sees.
func (r *rig) look() string {
	r.m.now = r.m.opts.Now()
	r.m.setSnapshot(r.m.engine.Snapshot())
	r.m.frame = ""
	return ansi.Strip(r.m.View().Content)
}

func (r *rig) file() string {
	r.t.Helper()
	b, err := os.ReadFile(r.path)
	require.NoError(r.t, err)
	return string(b)
}

func (r *rig) sees(parts ...string) {
	r.t.Helper()
	screen := r.look()
	for _, p := range parts {
		require.Contains(r.t, screen, p)
	}
}

func TestAKeyActsOnTheFlagUnderTheCursorAndUndoTakesItBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, nil)
		r.press("K")
		require.Contains(t, r.file(), "DISABLED")
		r.sees("25% ➔ killed confirmed in")
		pass(time.Second)
		r.press("u")
		require.Equal(t, twoFlags, r.file())
		r.sees("undone: checkout-v2 killed ➔ 25%")
	})
}

func TestAHoldOfAnotherKeyDoesNotStartTheAction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, nil)
		_, cmd := r.m.Update(tea.KeyPressMsg{Code: 'K', Text: "K"})
		intent := cmd()
		_, hold := r.m.Update(intent)
		require.NotNil(t, hold)
		r.deliver(HoldElapsedMsg{Seq: r.m.seq - 1})
		require.Equal(t, twoFlags, r.file())
		r.work(hold)
		require.Contains(t, r.file(), "DISABLED")
	})
}

func TestABurstAfterTheKeyVoidsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, nil)
		_, cmd := r.m.Update(tea.KeyPressMsg{Code: 'K', Text: "K"})
		_, hold := r.m.Update(cmd())
		for range 3 {
			r.m.Update(tea.KeyPressMsg{Code: 'j', Text: "j"})
		}
		r.work(hold)
		require.Equal(t, twoFlags, r.file())
		r.sees("look like a paste: nothing was done")
	})
}

func TestAStoreThatMovedOnSinceTheKeyIsAConflictAndNothingIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, nil)
		moved := strings.Replace(twoFlags, `["on", 25], ["off", 75]`, `["on", 50], ["off", 50]`, 1)
		require.NoError(t, os.WriteFile(r.path, []byte(moved), 0o600))
		r.press("+")
		require.Equal(t, moved, r.file())
		r.sees("nothing changed", "50%")
	})
}

func TestAKillIgnoresThatTheStoreMovedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, nil)
		require.NoError(t, os.WriteFile(r.path, []byte(strings.Replace(twoFlags, "25], [\"off\", 75", "50], [\"off\", 50", 1)), 0o600))
		r.press("K")
		require.Contains(t, r.file(), "DISABLED")
	})
}

func TestKeysWaitAfterTheFlagUnderTheCursorWasChangedBySomebodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, nil)
		require.NoError(t, os.WriteFile(r.path, []byte(strings.Replace(twoFlags, "25], [\"off\", 75", "50], [\"off\", 50", 1)), 0o600))
		pass(3 * time.Second)
		r.sees("50%")
		r.press("+")
		r.sees("has just changed by itself")
		require.NotContains(t, r.file(), "100")
		pass(time.Second)
		r.press("+")
		require.Contains(t, r.file(), `["on", 100], ["off", 0]`)
	})
}

func TestAPercentageIsHeldAgainstWhatWasSeenWhenTypingBegan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, nil)
		r.press("=", "4")
		moved := strings.Replace(twoFlags, `["on", 25], ["off", 75]`, `["on", 50], ["off", 50]`, 1)
		require.NoError(t, os.WriteFile(r.path, []byte(moved), 0o600))
		pass(3 * time.Second)
		r.look()
		r.press("0", "enter")
		require.Equal(t, moved, r.file())
		r.sees("nothing changed")
	})
}

func TestConfirmAsksBeforeUndoToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, func(o *Options) { o.Confirm = true })
		r.press("+")
		require.Equal(t, twoFlags, r.file())
		r.sees("25% ➔ 50%?")
		r.press("y")
		require.Contains(t, r.file(), `["on", 50]`)
		pass(time.Second)
		r.press("u")
		r.sees("Undo checkout-v2 25% ➔ 50%, made ")
		r.press("n")
		r.sees("nothing was done")
		require.Contains(t, r.file(), `["on", 50]`)
		pass(time.Second)
		r.press("u", "y")
		require.Equal(t, twoFlags, r.file())
	})
}

func TestTheFrameFillsEveryScreenExactly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, nil)
		for _, key := range []string{"", "enter", "z", "\x1b", "?"} {
			if key != "" {
				r.press(key)
			}
			for _, s := range []size{{60, 15}, {80, 24}, {120, 40}, {149, 33}, {150, 50}, {300, 100}} {
				r.deliver(tea.WindowSizeMsg{Width: s.w, Height: s.h})
				lines := strings.Split(r.m.View().Content, "\n")
				require.Len(t, lines, s.h, "%dx%d after %q", s.w, s.h, key)
				for i, l := range lines {
					require.Equal(t, s.w, ansi.StringWidth(l), "line %d of %dx%d after %q: %q", i, s.w, s.h, key, ansi.Strip(l))
				}
			}
		}
	})
}

func TestAFailureIsReadToItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, nil)
		r.deliver(tea.WindowSizeMsg{Width: 80, Height: 15})
		require.NoError(t, os.WriteFile(r.path, []byte("{nope"), 0o600))
		r.press("K")
		words := strings.Join(strings.Fields(r.look()), "")
		require.Contains(t, words, strings.Join(strings.Fields(r.m.footer.Status()), ""))
		require.Contains(t, r.m.footer.Status(), "nothing changed")
		require.Len(t, strings.Split(r.m.View().Content, "\n"), 15)
		r.press("j")
		require.Equal(t, 1, r.m.layout.footer.h, "the line goes back to the panes")
	})
}

func TestAKeyThatFindsNoFlagUnderTheFilterSaysHowToLeaveIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, nil)
		r.press("/", "z", "z", "z", "enter")
		r.sees("no flag matches /zzz (esc shows all 2)")
		r.press("K")
		r.sees("nothing is selected: esc shows all flags")
		require.Equal(t, twoFlags, r.file())
	})
}

func TestAChangeThatCannotBeRecordedSaysSoOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, nil)
		// A directory in the journal's place: no change can be put on record.
		require.NoError(t, os.Mkdir(filepath.Join(filepath.Dir(r.path), "j.jsonl"), 0o700))
		r.press("+")
		require.Equal(t, twoFlags, r.file())
		require.Equal(t, 1, strings.Count(strings.ToLower(r.m.footer.Status()), "nothing"), r.m.footer.Status())
	})
}

func TestNoKeyActsOnAFlagThatIsNotOnTheScreen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, nil)
		r.deliver(tea.KeyPressMsg{Code: tea.KeyTab})
		pass(50 * time.Millisecond)
		r.press("z", "K")
		r.sees("not on the screen")
		r.press("=")
		require.False(t, r.m.prompt.Opened())
		require.Equal(t, twoFlags, r.file())
		pass(time.Second)
		r.press("z", "K")
		require.Contains(t, r.file(), "DISABLED", "with the flags in sight it acts from every pane")
		pass(time.Second)
		r.press("z", "u")
		require.Equal(t, twoFlags, r.file(), "undo names its change itself")
	})
}

// burst delivers keys at one moment, as a paste without brackets arrives, and
// works off what they ask for only then.
func (r *rig) burst(keys ...tea.KeyPressMsg) {
	r.t.Helper()
	var later []tea.Cmd
	for _, k := range keys {
		_, cmd := r.m.Update(k)
		// What a view says at once comes back before the next key or after it; timers do not.
		if cmd != nil && !r.m.waiting() {
			if msg := cmd(); msg != nil {
				_, cmd = r.m.Update(msg)
			} else {
				cmd = nil
			}
		}
		later = append(later, cmd)
	}
	for _, cmd := range later {
		r.work(cmd)
	}
}

func keys(text string) (out []tea.KeyPressMsg) {
	for _, c := range text {
		if c == '\r' {
			out = append(out, tea.KeyPressMsg{Code: tea.KeyEnter})
			continue
		}
		out = append(out, tea.KeyPressMsg{Code: c, Text: string(c)})
	}
	return out
}

func TestAPastedPercentageDoesNotAct(t *testing.T) {
	for _, text := range []string{"=50\r", "=5\rj", "=1\rjj", "x=100\r"} {
		synctest.Test(t, func(t *testing.T) {
			r := board(t, nil)
			r.burst(keys(text)...)
			pass(time.Second)
			require.Equal(t, twoFlags, r.file(), "%q", text)
		})
	}
}

func TestAPasteIntoTheQuestionIsNoAnswer(t *testing.T) {
	for _, text := range []string{"yes please", "\rls\r", "y\r\ry"} {
		synctest.Test(t, func(t *testing.T) {
			r := board(t, func(o *Options) { o.Confirm = true })
			r.press("K")
			r.sees("killed?")
			pass(time.Second)
			r.burst(keys(text)...)
			pass(time.Second)
			require.Equal(t, twoFlags, r.file(), "%q", text)
		})
	}
}

func TestAKillRightAfterARampIsNotTakenForAHeldKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, nil)
		_, ramp := r.m.Update(keys("+")[0])
		_, hold := r.m.Update(ramp()) // the ramp waits out its hold
		r.m.Update(keys("K")[0])      // refused: one change at a time
		r.m.Update(hold())            // the ramp is on its way
		pass(100 * time.Millisecond)
		r.press("K")
		require.Contains(t, r.file(), "DISABLED")
	})
}

func TestAKillIsNotTakenForDoneWhereWhatTheScreenShowsIsOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, nil)
		s := *r.m.snapshot
		s.Flags, s.Sources = slices.Clone(s.Flags), slices.Clone(s.Sources)
		for i := range s.Flags {
			s.Flags[i].Killed = true // it was, and somebody has turned it on again since
		}
		r.m.setSnapshot(&s)
		r.press("K")
		r.sees("is already killed")
		require.Equal(t, twoFlags, r.file())

		s.Sources[0].Health = sources.Stale
		s.Sources[0].Parts[sources.PartFlags] = sources.PartStatus{Has: true, Health: sources.Stale, LastOK: time.Now()}
		r.m.setSnapshot(&s)
		pass(time.Second)
		r.press("K")
		require.Contains(t, r.file(), "DISABLED")
	})
}

func TestAQuestionAboutAnUndoNeverOpensOverWhatIsBeingTyped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, func(o *Options) { o.Confirm = true })
		r.press("+", "y")
		ramped := r.file()
		pass(time.Second)
		_, hold := r.m.Update(keys("u")[0])
		_, find := r.m.Update(hold()) // the journal takes its time
		r.press("/")
		r.m.Update(find())
		require.False(t, r.m.confirm.Opened())
		r.press("y")
		require.Equal(t, ramped, r.file())
	})
}
