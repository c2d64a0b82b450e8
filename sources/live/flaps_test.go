package live_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/live"
)

func (m *metrics) turn(states map[string]sources.BreakerState) {
	m.set(func(m *metrics) {
		m.breakers = nil
		for _, name := range []string{"db", "mail"} {
			if s, ok := states[name]; ok {
				m.breakers = append(m.breakers, sources.Breaker{Source: "m", Name: name, State: s})
			}
		}
	})
}

func TestAFlappingBreakerIsOneLineSoThatTheChangeBelowItStaysInSight(t *testing.T) {
	t.Parallel()
	m := healthy()
	run(t, live.Options{Sources: []live.Source{src("m", m)}}, func(t *testing.T, e *live.Engine) {
		e.Observe(ramp("01", "ana", "r1", sources.Confirmed))
		began := time.Now()
		for i := range 14 { // a transition each 5 s, for more than a minute
			state := sources.BreakerOpen
			if i%2 == 1 {
				state = sources.BreakerHalfOpen
			}
			m.turn(map[string]sources.BreakerState{"db": state})
			pass(5 * time.Second)
		}
		s := e.Snapshot()
		require.Len(t, s.Activity, 2)
		a := s.Activity[0]
		require.Equal(t, []string{"breaker", "db", "closed", "half-open", "14 changes in 1m"}, []string{a.Kind, a.Name, a.Old, a.New, a.Reason})
		require.WithinDuration(t, began.Add(70*time.Second), a.At, 5*time.Second)
		require.Equal(t, a.At, s.Breakers[0].Since)
		require.Equal(t, "ana", s.Activity[1].Actor)
	})
}

func TestAfterAMinuteOfCalmABreakerStartsANewLine(t *testing.T) {
	t.Parallel()
	m := healthy()
	run(t, live.Options{Sources: []live.Source{src("m", m)}}, func(t *testing.T, e *live.Engine) {
		m.turn(map[string]sources.BreakerState{"db": sources.BreakerOpen})
		pass(5 * time.Second)
		require.Empty(t, e.Snapshot().Activity[0].Reason, "one transition is no flapping")
		pass(55 * time.Second)
		m.turn(map[string]sources.BreakerState{"db": sources.BreakerHalfOpen})
		pass(5 * time.Second)
		s := e.Snapshot()
		require.Len(t, s.Activity, 1, "still within a minute")
		require.Equal(t, "closed", s.Activity[0].Old)
		pass(61 * time.Second)
		m.turn(map[string]sources.BreakerState{"db": sources.BreakerClosed})
		pass(5 * time.Second)
		s = e.Snapshot()
		require.Len(t, s.Activity, 2)
		require.Equal(t, []string{"half-open", "closed", ""}, []string{s.Activity[0].Old, s.Activity[0].New, s.Activity[0].Reason})
		require.Equal(t, "half-open", s.Activity[1].New)
	})
}

func TestABreakerThatIsBackWhereItWasIsNotSaidToHaveTurnedIntoWhatItWas(t *testing.T) {
	t.Parallel()
	m := healthy()
	run(t, live.Options{Sources: []live.Source{src("m", m)}}, func(t *testing.T, e *live.Engine) {
		for _, state := range []sources.BreakerState{sources.BreakerOpen, sources.BreakerHalfOpen, sources.BreakerClosed} {
			m.turn(map[string]sources.BreakerState{"db": state})
			pass(5 * time.Second)
		}
		a := e.Snapshot().Activity[0]
		require.Equal(t, []string{"half-open", "closed"}, []string{a.Old, a.New})
		require.Contains(t, a.Reason, "3 changes in")
		m.turn(map[string]sources.BreakerState{"db": sources.BreakerOpen})
		pass(5 * time.Second)
		a = e.Snapshot().Activity[0]
		require.Equal(t, []string{"closed", "open"}, []string{a.Old, a.New}, "from where it began again")
	})
}

func TestBreakersFlapEachInALineOfItsOwn(t *testing.T) {
	t.Parallel()
	m, other := healthy(), healthy()
	opts := live.Options{Sources: []live.Source{src("m", m), src("other", other)}}
	run(t, opts, func(t *testing.T, e *live.Engine) {
		m.turn(map[string]sources.BreakerState{"db": sources.BreakerClosed, "mail": sources.BreakerClosed})
		pass(5 * time.Second)
		for _, state := range []sources.BreakerState{sources.BreakerOpen, sources.BreakerHalfOpen} {
			m.turn(map[string]sources.BreakerState{"db": state, "mail": state})
			other.turn(map[string]sources.BreakerState{"db": state})
			pass(5 * time.Second)
		}
		s := e.Snapshot()
		require.Len(t, s.Activity, 3)
		for i, a := range s.Activity {
			require.Equal(t, "2 changes in 5s", a.Reason)
			if i > 0 {
				require.False(t, a.At.After(s.Activity[i-1].At), "newest first")
			}
		}
	})
}

func TestAnEditAfterAnUndoThatNeverShowedIsNotTakenForWhatWasUndone(t *testing.T) {
	t.Parallel()
	f := newFlags("a")
	run(t, live.Options{Sources: []live.Source{src("prod", f)}}, func(t *testing.T, e *live.Engine) {
		pass(time.Second)
		e.Observe(ramp("01", "ana", "r1", sources.Confirmed))
		e.Observe(ramp("02", "ana", "r0-a", sources.Confirmed)) // undone before the watch looked
		pass(30 * time.Second)
		f.put(flag("a", 25, "r1")) // by hand, to the same value
		pass(time.Second)
		s := e.Snapshot()
		require.Len(t, s.Activity, 3)
		require.Equal(t, sources.Seen, s.Activity[0].Outcome)
		require.Empty(t, s.Flags[0].ChangedBy)
	})
}

func TestChangesThatShowedOnlyTogetherExplainNoLaterEdit(t *testing.T) {
	t.Parallel()
	f := newFlags("a")
	run(t, live.Options{Sources: []live.Source{src("prod", f)}}, func(t *testing.T, e *live.Engine) {
		pass(time.Second)
		e.Observe(ramp("01", "ana", "r1", sources.Confirmed))
		e.Observe(ramp("02", "ana", "r2", sources.Confirmed))
		f.put(flag("a", 50, "r2")) // one look at the file saw both
		pass(time.Second)
		require.Len(t, e.Snapshot().Activity, 2)
		f.put(flag("a", 25, "r1")) // by hand
		pass(time.Second)
		s := e.Snapshot()
		require.Len(t, s.Activity, 3)
		require.Equal(t, sources.Seen, s.Activity[0].Outcome)
	})
}

func TestAJournalThatHangsDoesNotKeepTheEngineFromEnding(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		release := make(chan struct{})
		e := live.New(live.Options{History: func() []sources.Activity { <-release; return nil }})
		done := make(chan error, 1)
		go func() { done <- e.Run(ctx) }()
		synctest.Wait()
		cancel()
		synctest.Wait()
		select {
		case err := <-done:
			require.NoError(t, err)
		default:
			t.Error("Run waits for the journal")
		}
		close(release)
		synctest.Wait()
	})
}

func TestAChangeTakenForFailedThatShowsAfterAllIsOneLine(t *testing.T) {
	t.Parallel()
	f := newFlags("a")
	confirmed := make(chan sources.Activity, 1)
	opts := live.Options{Sources: []live.Source{src("prod", f)}, History: func() []sources.Activity {
		select {
		case a := <-confirmed:
			return []sources.Activity{a}
		default:
			return nil
		}
	}}
	run(t, opts, func(t *testing.T, e *live.Engine) {
		pass(10 * time.Second)
		a := ramp("01", "ben", "r1", sources.Failed)
		e.Observe(a) // another process was still at work when we asked
		a.Outcome = sources.Confirmed
		confirmed <- a
		f.put(flag("a", 25, "r1"))
		pass(time.Second)
		s := e.Snapshot()
		require.Len(t, s.Activity, 1)
		require.Equal(t, sources.Confirmed, s.Activity[0].Outcome)
		require.Equal(t, "ben", s.Flags[0].ChangedBy)
	})
}
