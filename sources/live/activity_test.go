package live_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/live"
)

func ramp(id, actor, rev string, o sources.Outcome) sources.Activity {
	return sources.Activity{
		ID: id, At: time.Now(), Kind: "ramp", Flag: sources.FlagID{Source: "prod", Key: "a"}, Name: "a",
		Actor: actor, Old: "10%", New: "25%", Outcome: o, Revision: sources.Revision(rev),
	}
}

func TestAChangeByNobodyWeKnowIsSeen(t *testing.T) {
	t.Parallel()
	f := newFlags("a", "b")
	run(t, live.Options{Sources: []live.Source{src("prod", f)}}, func(t *testing.T, e *live.Engine) {
		require.Empty(t, e.Snapshot().Activity, "the first look is no change")
		pass(time.Minute)
		f.put(flag("b", 50, "r1"))
		synctest.Wait()
		s := e.Snapshot()
		require.Len(t, s.Activity, 1)
		a := s.Activity[0]
		require.Equal(t, sources.Activity{
			At: a.At, Kind: "edited", Flag: sources.FlagID{Source: "prod", Key: "b"}, Name: "b",
			Old: "10%", New: "50%", Outcome: sources.Seen, Revision: "r1",
		}, a)
		require.Equal(t, a.At, s.Flags[1].ChangedAt)
		require.Empty(t, s.Flags[1].ChangedBy)
		require.Zero(t, s.Flags[0].ChangedAt)
	})
}

func TestOurOwnChangeIsOneLineWhicheverComesFirst(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]string{"the record": "record", "the store": "store"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFlags("a")
			run(t, live.Options{Sources: []live.Source{src("prod", f)}}, func(t *testing.T, e *live.Engine) {
				pass(time.Second)
				show := func() { f.put(flag("a", 25, "r1")); synctest.Wait() }
				record := func() {
					e.Observe(ramp("01", "ana", "r1", sources.Pending))
					pass(100 * time.Millisecond)
				}
				if first == "record" {
					record()
					require.Equal(t, sources.Pending, e.Snapshot().Activity[0].Outcome)
					show()
				} else {
					show()
					record()
				}
				e.Observe(ramp("01", "ana", "r1", sources.Confirmed))
				pass(100 * time.Millisecond)
				s := e.Snapshot()
				require.Len(t, s.Activity, 1)
				require.Equal(t, "ana", s.Activity[0].Actor)
				require.Equal(t, sources.Confirmed, s.Activity[0].Outcome)
				require.Equal(t, "ana", s.Flags[0].ChangedBy)
			})
		})
	}
}

func TestAnEditBackToAnEarlierValueIsNotTakenForTheOldChange(t *testing.T) {
	t.Parallel()
	f := newFlags("a")
	run(t, live.Options{Sources: []live.Source{src("prod", f)}}, func(t *testing.T, e *live.Engine) {
		e.Observe(ramp("01", "ana", "r1", sources.Confirmed))
		f.put(flag("a", 25, "r1"))
		pass(time.Second)
		f.put(flag("a", 10, "r0-a"))
		pass(time.Second)
		f.put(flag("a", 25, "r1"))
		pass(time.Second)
		s := e.Snapshot()
		require.Len(t, s.Activity, 3)
		require.Equal(t, sources.Seen, s.Activity[0].Outcome)
		require.Equal(t, sources.Seen, s.Activity[1].Outcome)
		require.Empty(t, s.Flags[0].ChangedBy)
	})
}

func TestAnotherOperatorsJournalledChangeGetsItsName(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var book []sources.Activity
	write := func(a ...sources.Activity) {
		mu.Lock()
		defer mu.Unlock()
		book = a
	}
	f := newFlags("a")
	opts := live.Options{Sources: []live.Source{src("prod", f)}, History: func() []sources.Activity {
		mu.Lock()
		defer mu.Unlock()
		return book
	}}
	run(t, opts, func(t *testing.T, e *live.Engine) {
		pass(time.Minute)
		write(ramp("01", "ben", "r1", sources.Pending)) // the intent is on disk first
		f.put(flag("a", 25, "r1"))
		pass(100 * time.Millisecond)
		s := e.Snapshot()
		require.Len(t, s.Activity, 1)
		require.Equal(t, "ben", s.Activity[0].Actor)
		confirmed := s.Activity[0]
		confirmed.Outcome = sources.Confirmed
		write(confirmed)
		pass(2 * time.Second)
		s = e.Snapshot()
		require.Len(t, s.Activity, 1)
		require.Equal(t, sources.Confirmed, s.Activity[0].Outcome)
		require.Equal(t, "ben", s.Flags[0].ChangedBy)
	})
}

func TestWhatTheJournalKnowsAtTheStartIsShown(t *testing.T) {
	t.Parallel()
	old := ramp("01", "ana", "r0-a", sources.Confirmed)
	old.At = time.Date(1999, 12, 31, 0, 0, 0, 0, time.UTC)
	opts := live.Options{Sources: []live.Source{src("prod", newFlags("a"))}, History: func() []sources.Activity { return []sources.Activity{old} }}
	run(t, opts, func(t *testing.T, e *live.Engine) {
		pass(time.Second)
		s := e.Snapshot()
		require.Equal(t, []sources.Activity{old}, s.Activity)
		require.Equal(t, "ana", s.Flags[0].ChangedBy)
		require.Equal(t, old.At, s.Flags[0].ChangedAt)
	})
}

func TestActivityIsBoundedAndNewestFirst(t *testing.T) {
	t.Parallel()
	run(t, live.Options{MaxActivity: 3}, func(t *testing.T, e *live.Engine) {
		for _, id := range []string{"01", "02", "03", "04", "05"} {
			e.Observe(ramp(id, "ana", id, sources.Confirmed))
			pass(time.Second)
		}
		var got []string
		for _, a := range e.Snapshot().Activity {
			got = append(got, a.ID)
		}
		require.Equal(t, []string{"05", "04", "03"}, got)
	})
}
