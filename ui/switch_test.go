package ui

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
)

// fuse is one breaker of one instance that can be switched.
type fuse struct {
	setting string
	during  func() // while it is being switched
}

func (f *fuse) BreakerInstances(context.Context, string) ([]sources.BreakerInstance, error) {
	in := sources.BreakerInstance{Name: "a", State: sources.BreakerClosed, Setting: f.setting, Returns: f.setting, Opens: "out", Closes: "in"}
	if f.setting == "out" {
		in.State = sources.BreakerForcedOpen
	}
	return []sources.BreakerInstance{in}, nil
}

func (f *fuse) SwitchBreaker(_ context.Context, _ string, to map[string]string) map[string]error {
	if f.during != nil {
		f.during()
	}
	f.setting = to["a"]
	return map[string]error{"a": nil}
}

// fused is a board whose breakers have the keys, with the cursor on one that can be
// switched.
func fused(t *testing.T, f *fuse, change func(*Options)) *rig {
	t.Helper()
	r := board(t, func(o *Options) {
		o.Control = control.New(control.Options{Stores: []control.Store{{Name: "lb", Driver: f}}})
		if change != nil {
			change(o)
		}
	})
	r.standing(sources.BreakerClosed)
	r.deliver(tea.KeyPressMsg{Code: tea.KeyTab})
	pass(time.Second)
	return r
}

// standing shows the breaker in a state that was read just now.
func (r *rig) standing(state sources.BreakerState) {
	r.t.Helper()
	s := *r.m.engine.Snapshot()
	st := sources.SourceStatus{Name: "lb", Metrics: true, Switches: true, Health: sources.Fresh, LastOK: time.Now()}
	st.Parts[sources.PartBreakers] = sources.PartStatus{Has: true, Health: sources.Fresh, LastOK: time.Now()}
	s.Sources = append(s.Sources[:len(s.Sources):len(s.Sources)], st)
	s.Breakers = []sources.Breaker{{Source: "lb", Name: "api/s1", State: state, Instances: 1}}
	r.m.now = time.Now()
	r.m.setSnapshot(&s)
	r.m.relayout()
	r.m.frame = ""
}

func TestASwitchedBreakerIsPendingUntilItWasReadAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fuse{setting: "in"}
		r := fused(t, f, nil)
		during := ""
		f.during = func() { during = r.screen() }
		r.m.frame = ""
		r.press("o")
		require.Equal(t, "out", f.setting)
		require.Regexp(t, `pending +api/s1`, during)
		require.Contains(t, during, "api/s1 closed ➔ forced-open: pending")
		require.Contains(t, r.screen(), "api/s1 closed ➔ forced-open confirmed in")

		id := sources.FlagID{Source: "lb", Key: "api/s1"}
		was, is := sources.Flag{ID: id, Name: "api/s1", Breaker: "closed", Revision: "1"}, sources.Flag{ID: id, Name: "api/s1", Breaker: "forced-open", Revision: "2"}
		_, _ = r.m.Update(ActionFinishedMsg{
			Intent: sources.Intent{Kind: sources.ForceOpen, Flag: id}, Receipt: sources.Receipt{Old: was, New: is}, Start: time.Now(), Took: time.Millisecond,
		})
		require.Regexp(t, `pending +api/s1`, r.screen(), "what the row says is from before the switch")
		pass(10 * time.Millisecond)
		r.standing(sources.BreakerForcedOpen)
		require.Regexp(t, `forced-open +api/s1`, r.screen())
	})
}

func TestABreakerThatTurnsUnderTheCursorIsNotSwitchedInTheSameMoment(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fuse{setting: "in"}
		r := fused(t, f, nil)
		r.standing(sources.BreakerOpen)
		r.press("o")
		require.Equal(t, "in", f.setting)
		require.Contains(t, r.screen(), "has just changed by itself")
		pass(time.Second)
		r.press("o")
		require.Equal(t, "out", f.setting)
	})
}

func TestWhereEveryChangeIsAskedAboutASwitchIsToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fuse{setting: "in"}
		r := fused(t, f, func(o *Options) { o.Confirm = true })
		r.press("o")
		require.Equal(t, "in", f.setting)
		require.Contains(t, r.screen(), "Force open api/s1 closed ➔ forced-open?")
		r.press("y")
		require.Equal(t, "out", f.setting)
	})
}

func TestAHeldKeySwitchesOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fuse{setting: "in"}
		r := fused(t, f, nil)
		n := 0
		f.during = func() { n++ }
		r.press("o")
		for range 5 {
			pass(30 * time.Millisecond)
			r.deliver(tea.KeyPressMsg{Code: 'o', Text: "o", IsRepeat: true})
		}
		require.Equal(t, 1, n)
	})
}
