package ui

import (
	"errors"
	"maps"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// shelf keeps filters in memory; err is what every change then ends with.
type shelf struct {
	all map[string]string
	err error
}

func (s *shelf) All() (map[string]string, error) { return maps.Clone(s.all), nil }

func (s *shelf) Save(name, filter string) (map[string]string, error) {
	if s.err == nil {
		s.all[name] = filter
	}
	return maps.Clone(s.all), s.err
}

func (s *shelf) Forget(name string) (map[string]string, error) {
	if s.err == nil {
		delete(s.all, name)
	}
	return maps.Clone(s.all), s.err
}

func TestAFilterThatIsSavedIsShownByItsNameAndForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		own := &shelf{all: map[string]string{"old": "rollout>10"}}
		r := board(t, func(o *Options) { o.Saved = own })
		r.say("save walls")
		r.sees("the flags have no filter to save: / sets one")
		r.press("esc")
		r.say("filter wallet")
		r.say("save walls")
		r.sees("walls is saved: wallet")
		require.Equal(t, map[string]string{"old": "rollout>10", "walls": "wallet"}, own.all)
		r.press("esc", "esc")
		require.Empty(t, r.m.flags.Filter())
		r.say("show walls")
		require.Equal(t, "wallet", r.m.flags.Filter())
		r.say("forget old")
		r.sees("old is forgotten")
		require.Equal(t, map[string]string{"walls": "wallet"}, own.all)
	})
}

func TestAFilterOfTheConfigGoesBeforeASavedOneOfItsName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		own := &shelf{all: map[string]string{"mine": "checkout"}}
		r := board(t, func(o *Options) { o.Saved, o.Filters = own, map[string]string{"mine": "wallet"} })
		r.say("show mine")
		require.Equal(t, "wallet", r.m.flags.Filter(), "and before the saved ones have been read as well")
		r.press(":")
		r.press("esc") // by now they have
		r.press(":", "s", "h", "o", "w", " ", "m", "i", "n", "e")
		r.sees("wallet, of the config, which goes be")
		r.press("enter")
		require.Equal(t, "wallet", r.m.flags.Filter())
		r.say("save mine")
		r.sees("the config has a filter mine, which goes before yours: save it by another name")
		require.Equal(t, "checkout", own.all["mine"])
	})
}

func TestWhatCannotBeSavedSaysWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		own := &shelf{all: map[string]string{}}
		own.err = errors.New("nothing was saved: the disk is full")
		r := board(t, func(o *Options) { o.Saved = own })
		r.say("filter wallet")
		r.say("save walls")
		r.sees("nothing was saved: the disk is full")
		r.say("save")
		r.sees("say by which name: save NAME")

		r = board(t, nil)
		r.say("filter wallet")
		r.say("save walls")
		r.sees("nothing of yours is kept here")
	})
}

func TestAFilterNarrowsThePaneThatHasTheKeysAndEscapeEndsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := incidentBoard(t, nil)
		r.m.focusOn(paneActivity)
		r.press("/")
		r.shows("words; !not by: state:killed")
		r.press("n", "o", "b", "o", "d", "y", "enter")
		r.shows("0 of 1 ∙ /nobody", "nothing matches /nobody (esc shows all 1)", "checkout-v2", "wallet-pay")
		r.m.focusOn(paneLatency)
		r.say("filter pay")
		r.shows("1 of 1 ∙ /pay", "0 of 1 ∙ /nobody")
		r.press("[")
		require.Empty(t, r.m.latency.Filter(), "the way back leads to what was shown")
		r.press("]")
		require.Equal(t, "pay", r.m.latency.Filter())
		r.press("esc")
		require.Empty(t, r.m.latency.Filter())
		require.Equal(t, "nobody", r.m.activity.Filter(), "that of the pane with the keys first")
		r.m.focusOn(paneFlags)
		r.press("esc")
		require.Empty(t, r.m.filters(), "and then whatever else hides something")
		r.m.focusOn(paneLatency)
		r.say("filter zzz")
		r.say("latency payment")
		require.Empty(t, r.m.latency.Filter(), "who asks for a row by its name sees it")
		require.Equal(t, "payment", r.m.latency.Selected().ID)
	})
}
