package ui

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
)

// saidAs is what the palette calls an action whose own word is another one.
var saidAs = map[string]string{
	"force_open": "open", "close_breaker": "close", "save_recording": "keep", "palette": "",
}

// everything is all of a board that a key could have changed.
func (r *rig) everything() string {
	m := r.m
	status, _, _ := strings.Cut(m.footer.Status(), " confirmed in")
	return fmt.Sprintln(r.file(), m.trail.been[m.trail.at], m.flags.Marked(), m.flags.Sort(), m.split, m.opts.Theme.Name,
		status, m.prompt.Opened(), m.confirm.Opened(), m.leaving, r.quit, strings.Fields(m.timeline.View()), strings.Fields(m.detail.View()))
}

// where is what is looked at for an action to have something to do.
var where = map[string][]string{
	"up": {"j"}, "page_up": {"j"}, "top": {"j"}, "escape": {"z"}, "backward": {"z"}, "forward": {"z", "["}, "undo": {"K"}, "prev_pane": {"s"},
	"earlier": {"t"}, "later": {"t", "h", "h"}, "span": {"t"}, "next_event": {"t", "N"}, "prev_event": {"t"}, "mark_all": {"/", "c", "h", "enter"},
	"return": {"U"}, "chart": {"enter"}, "kill": {"s"},
}

func TestWhateverKeySomebodyTakesAwayWhatItDidCanStillBeSaid(t *testing.T) {
	keys := views.DefaultKeyMap()
	for _, a := range keys.Actions() {
		if a.Scope == views.ReplayOnly || a.Stays || a.Name == "palette" {
			continue
		}
		bare, err := views.DefaultKeyMap().Bind(views.Bindings{a.Name: {}})
		require.NoError(t, err)
		after := func(keys views.KeyMap, do func(*rig)) (before, after string) {
			synctest.Test(t, func(t *testing.T) {
				r, _ := incidentBoard(t, func(o *Options) {
					o.Keys, o.Next, o.Themes, o.Wear = &keys, "staging", []string{"mono", "light"}, worn(t)
					o.SaveRecording = func() (string, time.Time, time.Time, error) { return "tape", time.Now(), time.Now(), nil }
				}, sources.Activity{
					ID: "2", At: time.Now().Add(-100 * time.Second), Kind: string(sources.Kill), Flag: sources.FlagID{Source: "prod", Key: "wallet-pay"},
					Name: "wallet-pay", Actor: "ben", Old: "5%", New: "killed", Outcome: sources.Confirmed,
				})
				r.press(where[a.Name]...)
				pass(time.Second)
				before = r.everything()
				do(r)
				pass(time.Second)
				after = r.everything()
			})
			return before, after
		}
		before, pressed := after(views.DefaultKeyMap(), func(r *rig) {
			pass(50 * time.Millisecond)
			r.deliver(tea.KeyPressMsg{Text: a.Keys[0]})
		})
		require.NotEqual(t, before, pressed, "%s does something, or the test is none", a.Name)
		line := saidAs[a.Name]
		if line == "" {
			line = strings.ReplaceAll(a.Name, "_", " ")
		}
		_, spoken := after(bare, func(r *rig) {
			r.say(line)
			if r.m.palette.Opened() { // it says why not itself
				require.Contains(t, []string{"force_open", "close_breaker", "silence"}, a.Name)
				r.shows("no source of this board")
				r.press("esc")
				pressed = r.everything()
			}
		})
		require.Equal(t, pressed, spoken, a.Name)
	}
}

func worn(t *testing.T) func(string) *themes.Theme {
	return func(name string) *themes.Theme {
		th, err := themes.New(themes.Options{Name: name})
		require.NoError(t, err)
		return th
	}
}

func TestEveryActionIsInTheHelpAndWorded(t *testing.T) {
	t.Parallel()
	keys := views.DefaultKeyMap()
	var helped []string
	for _, g := range append(keys.Groups(), views.Group{Keys: keys.Replaying.All()}) {
		for _, b := range g.Keys {
			helped = append(helped, b.Keys()...)
		}
	}
	names := views.ActionNames()
	for _, a := range keys.Actions() {
		require.NotEmpty(t, a.Keys, a.Name)
		require.Contains(t, helped, a.Keys[0], "%s is in no help", a.Name)
	}
	for _, name := range slices.Concat(worded, moves) {
		require.Contains(t, names, name)
	}
}
