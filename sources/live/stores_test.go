package live_test

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
	"weak"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/live"
)

// written is a store that is polled, and that can be written where it is allowed.
type written struct {
	set atomic.Pointer[sources.FlagSet]
}

func (w *written) Flags(context.Context) (sources.FlagSet, error) { return *w.set.Load(), nil }

func (w *written) Apply(context.Context, sources.Change) (sources.Receipt, error) {
	return sources.Receipt{}, errors.New("not asked for")
}

func TestAStoreThatCannotBeWrittenWithThisAccessSaysWhy(t *testing.T) {
	t.Parallel()
	w := &written{}
	w.set.Store(&sources.FlagSet{Revision: "1", Flags: []sources.Flag{flag("a", 25, "1")}, ReadOnly: "the token is a Viewer's"})
	s := src("prod", w)
	s.Writable = true
	run(t, live.Options{Sources: []live.Source{s}}, func(t *testing.T, e *live.Engine) {
		st := e.Snapshot().Source("prod")
		require.False(t, st.Writable)
		require.Equal(t, "the token is a Viewer's", st.ReadOnly)
		w.set.Store(&sources.FlagSet{Revision: "1", Flags: []sources.Flag{flag("a", 25, "1")}})
		pass(time.Minute)
		st = e.Snapshot().Source("prod")
		require.True(t, st.Writable, "another token came, though no flag changed")
		require.Empty(t, st.ReadOnly)
	})
}

func TestAFlagThatTimeAloneMovesIsShownAndIsNobodysChange(t *testing.T) {
	t.Parallel()
	w := &written{}
	w.set.Store(&sources.FlagSet{Revision: "1@a", Flags: []sources.Flag{flag("a", 25, "1")}})
	run(t, live.Options{Sources: []live.Source{src("prod", w)}}, func(t *testing.T, e *live.Engine) {
		w.set.Store(&sources.FlagSet{Revision: "1@b", Flags: []sources.Flag{flag("a", 26, "1")}})
		pass(time.Minute)
		require.Equal(t, "26%", e.Snapshot().Flags[0].Brief())
		require.Empty(t, e.Snapshot().Activity)
	})
}

func TestStepsToComeAreUpcomingTheNextFirst(t *testing.T) {
	t.Parallel()
	w := &written{}
	a, b := flag("a", 25, "1"), flag("b", 5, "1")
	now := time.Now()
	a.Upcoming = []sources.Upcoming{{At: now.Add(2 * time.Hour), What: "50%"}, {At: now.Add(9 * time.Hour), What: "100%"}}
	b.Upcoming = []sources.Upcoming{{At: now.Add(5 * time.Hour), What: "off"}}
	w.set.Store(&sources.FlagSet{Revision: "1", Flags: []sources.Flag{a, b}})
	run(t, live.Options{Sources: []live.Source{src("prod", w)}}, func(t *testing.T, e *live.Engine) {
		var got []string
		for _, u := range e.Snapshot().Upcoming {
			require.Equal(t, sources.KindUpcoming, u.Kind)
			require.Equal(t, sources.Scheduled, u.Outcome)
			got = append(got, u.Name+" "+u.New)
		}
		require.Equal(t, []string{"a 50%", "b off", "a 100%"}, got)
		require.Empty(t, e.Snapshot().Activity, "nothing of it has happened")
	})
}

func TestWhoChangedAFlagIsShownWhenTheStoreLearnsItLaterThanTheChange(t *testing.T) {
	t.Parallel()
	w := &written{}
	w.set.Store(&sources.FlagSet{Revision: "1", Flags: []sources.Flag{flag("a", 25, "1")}})
	run(t, live.Options{Sources: []live.Source{src("prod", w)}}, func(t *testing.T, e *live.Engine) {
		f := flag("a", 25, "1")
		f.ChangedBy = "ana"
		w.set.Store(&sources.FlagSet{Revision: "1", Flags: []sources.Flag{f}})
		pass(time.Minute)
		require.Equal(t, "ana", e.Snapshot().Flags[0].ChangedBy)
		require.Empty(t, e.Snapshot().Activity, "nothing was changed")
	})
}

// once is a store that holds nothing of what it gives.
type once struct {
	given []weak.Pointer[sources.Flag]
}

func (o *once) Flags(context.Context) (sources.FlagSet, error) {
	flags := []sources.Flag{flag("a", 25, "1"), flag("b", 5, "1")}
	o.given = append(o.given, weak.Make(&flags[0]))
	return sources.FlagSet{Revision: "1", Flags: flags}, nil
}

func TestFlagsAreHeldOnceHoweverOftenTheyAreRead(t *testing.T) {
	t.Parallel()
	o := &once{}
	changed := ramp("01", "ana", "1", sources.Confirmed)
	opts := live.Options{Sources: []live.Source{src("prod", o)}, History: func() []sources.Activity { return []sources.Activity{changed} }}
	run(t, opts, func(t *testing.T, e *live.Engine) {
		first := e.Snapshot()
		require.Equal(t, "ana", first.Flags[0].ChangedBy)
		pass(time.Minute)
		require.Greater(t, len(o.given), 1)
		require.Same(t, first, e.Snapshot(), "what the store says again is no news")
		runtime.GC()
		for _, read := range o.given {
			require.Nil(t, read.Value(), "the snapshot has them")
		}
	})
}
