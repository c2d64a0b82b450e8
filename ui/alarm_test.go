package ui

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/live"
	"relctl-tui/views/viewtest"
)

// read is a snapshot whose sources have been read, with these breakers open.
func read(open ...string) *sources.Snapshot {
	s := &sources.Snapshot{Context: "prod", Sources: []sources.SourceStatus{{Name: "prom", Metrics: true, Health: sources.Fresh, LastOK: t0}}}
	s.Sources[0].Parts[sources.PartBreakers] = sources.PartStatus{Has: true, Health: sources.Fresh, LastOK: t0}
	for _, name := range open {
		s.Breakers = append(s.Breakers, sources.Breaker{Source: "prom", Name: name, State: sources.BreakerOpen})
	}
	return s
}

func after(d time.Duration) time.Time { return t0.Add(d) }

func TestABreachCallsOnceAndWhatWasBrokenBeforeAnybodyReadItNever(t *testing.T) {
	t.Parallel()
	var a alarms
	unread := read()
	unread.Sources[0].Parts[sources.PartBreakers].LastOK = time.Time{}
	require.Empty(t, a.newly(nil, unread, after(0)))
	require.Empty(t, a.newly(unread, read("ledger"), after(time.Second)), "it was open already")
	require.Equal(t, "breaker payments is open", a.newly(read("ledger"), read("ledger", "payments"), after(2*time.Second)))
	require.Empty(t, a.newly(read("ledger", "payments"), read("ledger", "payments"), after(30*time.Second)))
	require.Empty(t, a.newly(read(), read("payments"), after(60*time.Second)), "it is still the same one")
}

func TestWhatFlapsCallsNoMoreThanEach5MinutesAndAStormCallsOnce(t *testing.T) {
	t.Parallel()
	var a alarms
	calls := 0
	before := read()
	a.newly(nil, before, t0)
	for i := 1; i <= 3600; i++ {
		now := read()
		if i%2 == 0 {
			now = read("payments")
		}
		if a.newly(before, now, after(time.Duration(i)*time.Second)) != "" {
			calls++
		}
		before = now
	}
	require.LessOrEqual(t, calls, 12)
	require.GreaterOrEqual(t, calls, 10)

	var storm alarms
	storm.newly(nil, read(), t0)
	require.Equal(t, "breaker a is open, and 2 more", storm.newly(read(), read("a", "b", "c"), after(time.Second)))
	require.Empty(t, storm.newly(read("a", "b", "c"), read("a", "b", "c", "d"), after(3*time.Second)), "whoever looks sees it")
}

func TestOnABoardThatIsStillNumbersWaitAndStatesDoNot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		engine := live.New(live.Options{Now: time.Now, Replay: true})
		base := viewtest.Snapshot(viewtest.OK)
		show := func(change func(*sources.Snapshot)) {
			s := *base
			s.Latencies, s.Breakers = slices.Clone(s.Latencies), slices.Clone(s.Breakers)
			change(&s)
			engine.Show(&s)
		}
		show(func(*sources.Snapshot) {})
		shown := engine.Snapshot()
		next := func() (at time.Duration, got *sources.Snapshot) {
			began := time.Now()
			done := make(chan tea.Msg, 1)
			cmd := awaitOther(t.Context(), engine, shown, nil)
			go func() { done <- cmd() }()
			for i := range 3 { // three new numbers a second
				<-time.After(300 * time.Millisecond)
				show(func(s *sources.Snapshot) { s.Latencies[0].P99.Seconds += float64(i) })
			}
			msg := (<-done).(SnapshotPublishedMsg)
			return time.Since(began), msg.Snapshot
		}
		at, got := next()
		require.Equal(t, stillFor, at)
		require.InDelta(t, 5.2, got.Latencies[0].P99.Seconds, 0.001, "and then the newest")

		shown = got
		began := time.Now()
		time.AfterFunc(time.Second, func() {
			show(func(s *sources.Snapshot) { s.Breakers[0].State = sources.BreakerClosed })
		})
		msg := awaitOther(t.Context(), engine, shown, nil)().(SnapshotPublishedMsg)
		require.Equal(t, time.Second, time.Since(began))
		require.Equal(t, sources.BreakerClosed, msg.Snapshot.Breakers[0].State)
	})
}

func TestAnotherOrderOfRowsIsNoOtherState(t *testing.T) {
	t.Parallel()
	a, b := viewtest.Snapshot(viewtest.OK), viewtest.Snapshot(viewtest.OK)
	b.Breakers[0], b.Breakers[1] = b.Breakers[1], b.Breakers[0]
	b.Latencies[0], b.Latencies[2] = b.Latencies[2], b.Latencies[0]
	require.False(t, otherState(a, b))
	for what, change := range map[string]func(*sources.Snapshot){
		"a flag": func(s *sources.Snapshot) { s.FlagsSeq++ }, "a verdict": func(s *sources.Snapshot) { s.Latencies[3].Verdict = sources.VerdictBreached },
		"a source": func(s *sources.Snapshot) { s.Sources[1].Health = sources.Stale }, "an alert": func(s *sources.Snapshot) { s.Alerts = []sources.Alert{{ID: "a"}} },
		"an activity": func(s *sources.Snapshot) { s.Activity[0].Outcome = sources.Failed }, "a ramp": func(s *sources.Snapshot) { s.Ramps = []sources.RampStatus{{}} },
	} {
		c := viewtest.Snapshot(viewtest.OK)
		change(c)
		require.True(t, otherState(a, c), what)
	}
}

func TestTheTitleSaysTheContextAndTheWorst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := board(t, func(o *Options) { o.Title = true })
		require.Equal(t, "relctl-tui test: ok", r.m.View().WindowTitle)
		r.m.opts.Engine = nil
		r.m.setSnapshot(read("payments", "ledger"))
		require.Equal(t, "relctl-tui prod: 2 breakers open", r.m.View().WindowTitle)
	})
}

func TestThereIsNoTitleWhereNoneIsWanted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		require.Empty(t, board(t, func(*Options) {}).m.View().WindowTitle)
	})
}
