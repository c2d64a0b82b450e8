package ui

import (
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/views"
)

// notHere is what a key says that does nothing where it was pressed.
var notHere = regexp.MustCompile(`press again|nothing to stop|read-only|viewer's|records nothing|is served|no other context|no source|is not recorded|no flag is selected|cannot be changed from here`)

func TestWhatTheHelpOffersHereNeverAnswersThatItIsNotHere(t *testing.T) {
	boards := map[string]func(*Options){
		"alone": nil, "asking": func(o *Options) { o.Confirm = true }, "read-only": func(o *Options) { o.ReadOnly = true },
		"served": func(o *Options) {
			o.Remote = &Remote{Size: func() (int, int) { return 80, 24 }, Denied: "your key is a viewer's"}
			o.ReadOnly = true
		},
	}
	places := map[string]func(*rig){
		"flags": func(*rig) {}, "breakers": func(r *rig) { r.m.focusOn(paneBreakers) }, "latency": func(r *rig) { r.m.focusOn(paneLatency) },
		"activity": func(r *rig) { r.m.focusOn(paneActivity) }, "detail": func(r *rig) { r.press("enter") }, "timeline": func(r *rig) { r.press("t") },
	}
	for name, change := range boards {
		for place, to := range places {
			at := func(do func(*rig)) {
				synctest.Test(t, func(t *testing.T) {
					r, _ := incidentBoard(t, change)
					to(r)
					pass(time.Second)
					do(r)
				})
			}
			var offered []string
			at(func(r *rig) {
				k, here := r.m.offered(), r.m.place()
				for _, g := range k.Groups() {
					for _, b := range g.Keys {
						if b.Enabled() && (g.Place == here || g.Place == views.Anywhere) && (g.Title != views.ActGroup || r.m.screen == noScreen) {
							offered = append(offered, b.Keys()[0])
						}
					}
				}
			})
			require.Greater(t, len(offered), 15)
			for _, key := range offered {
				at(func(r *rig) {
					r.deliver(tea.KeyPressMsg{Text: key})
					require.NotRegexp(t, notHere, r.m.footer.Status(), "%s on a board %s, %s", key, name, place)
				})
			}
		}
	}
}

func TestTheHelpBeginsWithThePlaceAndSaysWhatIsSoOfTheFlag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, func(o *Options) { o.Confirm = true })
		r.press("?")
		r.sees("each change asks first")
		r.press("?", "tab")
		r.m.focusOn(paneBreakers)
		r.press("?")
		screen := r.screen()
		require.Less(t, regexp.MustCompile("In the breakers").FindStringIndex(screen)[0], regexp.MustCompile("Act on the selected").FindStringIndex(screen)[0])

		r = board(t, func(o *Options) { o.ReadOnly = true })
		r.press("?")
		r.sees("nothing can be changed from here")
		require.NotContains(t, r.screen(), "ramp to the next step")

		r = board(t, nil)
		s := *r.m.snapshot
		s.Flags = []sources.Flag{s.Flags[0]}
		s.Flags[0].State, s.Flags[0].Note, s.FlagsSeq = sources.FlagCustom, "two rules", s.FlagsSeq+1
		r.m.setSnapshot(&s)
		r.press("?")
		require.Contains(t, r.screen(), "checkout-v2 takes kill alone")
	})
}

func TestGuardedRampsAreOfferedWhereAStoreKeepsLeases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, nil)
		r.press("?")
		r.sees("ramp under guard")
		none := control.New(control.Options{Stores: []control.Store{{Name: "prod", Driver: struct{}{}}}})
		r = board(t, func(o *Options) { o.Control = none })
		require.NotContains(t, r.screen(), "R ramp")
		r.press("?")
		require.NotContains(t, r.screen(), "under guard")
	})
}

func TestTheTableIsSortedAndMarkedFromWhateverPaneHasTheKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, nil)
		r.m.focusOn(paneBreakers)
		r.press("s")
		require.NotZero(t, r.m.flags.Sort())
		r.deliver(tea.KeyPressMsg{Text: "space"})
		require.Len(t, r.m.flags.Marked(), 1)
		r.press("z")
		r.deliver(tea.KeyPressMsg{Text: "space"})
		require.Len(t, r.m.flags.Marked(), 1, "what is not on the screen is not marked")
		r.shows("not on the screen")
	})
}

func TestWhatIsSaidOfKeysNamesThoseThatSomebodyChose(t *testing.T) {
	t.Parallel()
	keys, err := views.DefaultKeyMap().Bind(views.Bindings{"kill": {"f9"}, "set": {}, "escape": {"f8"}, "guarded": {}, "back": {}})
	require.NoError(t, err)
	synctest.Test(t, func(t *testing.T) {
		r := board(t, func(o *Options) { o.Keys = &keys })
		r.deliver(tea.KeyPressMsg{Text: "space"})
		r.press("?")
		r.shows("1 flag marked: + f9 act on all")
		r.press("?", "space", "p")
		r.shows("no guarded ramp to pause: guarded starts one")
		r.press("enter")
		r.shows("back to 10%   f9 kill")
		r.press("f8", "tab", "z")
		r.deliver(tea.KeyPressMsg{Text: "f9"})
		r.shows("f8 shows it")
	})
}
