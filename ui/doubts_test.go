package ui

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/journal"
)

// forged is an intent without a result, as a process leaves it that died between
// the two. then is the revision that the store has now: the change's old one, its
// new one, or another.
func (r *rig) forged(id string, age time.Duration, then string) {
	r.t.Helper()
	f := r.m.snapshot.Flag(sources.FlagID{Source: "prod", Key: "checkout-v2"})
	require.NotNil(r.t, f)
	e := journal.Entry{
		ID: id, At: time.Now().Add(-age), Kind: sources.Ramp, Flag: f.ID, Actor: "ben", Old: "10%", New: "25%",
		OldRevision: "old-" + sources.Revision(id), NewRevision: "new-" + sources.Revision(id),
	}
	switch then {
	case "in force":
		e.NewRevision = f.Revision
	case "not done":
		e.OldRevision = f.Revision
	}
	require.NoError(r.t, r.journal().Intent(e))
}

func (r *rig) journal() *journal.Journal {
	return journal.Open(filepath.Join(filepath.Dir(r.path), "j.jsonl"), journal.Options{})
}

// start is what the board does first, but for waiting for snapshots and the clock.
func (r *rig) start() {
	r.t.Helper()
	r.work(checkDoubts(r.m.ctx, r.m.control, r.m.engine, r.m.opts.Now, 0, nil))
}

// outcome is what the journal says of a change by now.
func (r *rig) outcome(id string) sources.Outcome {
	r.t.Helper()
	entries, _, err := r.journal().Read(0)
	require.NoError(r.t, err)
	for i := range entries {
		if entries[i].ID == id {
			return entries[i].Outcome
		}
	}
	r.t.Fatalf("no entry %s", id)
	return ""
}

func TestTheWorstOfSeveralChangesInDoubtIsSaidFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, func(o *Options) { o.Banner = "welcome" })
		r.sees("welcome")
		r.forged("1", 4*time.Hour, "not done")
		r.forged("2", 3*time.Hour, "lost")
		r.forged("3", 2*time.Hour, "in force")
		r.start()
		status := r.m.footer.Status()
		at := time.Now().Add(-3 * time.Hour).Format("15:04")
		if time.Now().Add(-3*time.Hour).YearDay() != time.Now().YearDay() {
			at = time.Now().Add(-3 * time.Hour).Format("02 Jan")
		}
		require.Contains(t, status, "3 changes were in doubt, the worst: checkout-v2 10% ➔ 25% by ben at "+at+": no result was recorded")
		require.Contains(t, status, "see Activity")
		require.NotContains(t, r.look(), "welcome", "the greeting gives way")
		require.Equal(t, twoFlags, r.file(), "nothing is done about them")
		require.Equal(t, sources.Confirmed, r.outcome("3"))
		r.press("j")
		require.Empty(t, r.m.footer.Status())
	})
}

func TestAChangeInForceIsWorseThanOneThatWasNotDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, nil)
		r.forged("1", 3*time.Hour, "in force")
		r.forged("2", 2*time.Hour, "not done")
		r.start()
		require.Contains(t, r.m.footer.Status(), "2 changes were in doubt")
		require.Contains(t, r.m.footer.Status(), "but a later change was made on top of it")
	})
}

func TestAnotherProcessAtWorkIsNotInDoubtUnlessItStaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, nil)
		r.forged("dead", 10*time.Second, "in force")
		r.forged("busy", 5*time.Second, "not done")
		first := make(chan DoubtsCheckedMsg, 1)
		go func() {
			msg, _ := checkDoubts(r.m.ctx, r.m.control, r.m.engine, r.m.opts.Now, 0, nil)().(DoubtsCheckedMsg)
			first <- msg
		}()
		msg := <-first
		require.Empty(t, msg.Doubts)
		require.Len(t, msg.Young, 2)
		_, again := r.m.Update(msg)
		require.Empty(t, r.m.footer.Status())
		require.NoError(t, r.journal().Result("busy", sources.Confirmed, "", time.Now())) // it was at work
		begun := time.Now()
		r.work(again)
		require.Greater(t, time.Since(begun), 50*time.Second)
		require.Contains(t, r.m.footer.Status(), "1 change was in doubt: checkout-v2")
		require.Equal(t, sources.Confirmed, r.outcome("dead"), "told once, not at every start")
	})
}

func TestWhatWasInDoubtWaitsForTheAnswerToAKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, nil)
		r.forged("1", time.Hour, "lost")
		r.press("+")
		r.sees("confirmed in")
		r.start()
		r.sees("confirmed in")
		require.NotContains(t, r.look(), "in doubt")
		r.press("j")
		r.sees("1 change was in doubt")
		r.press("j")
		require.Empty(t, r.m.footer.Status())
	})
}

func TestABoardWithoutDoubtsKeepsItsGreeting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, func(o *Options) { o.Banner = "welcome" })
		r.press("+") // a change with a result
		r.m.footer.SetStatus("welcome", 0)
		r.start()
		r.sees("welcome")
	})
}

func TestALineOfTheJournalThatCannotBeReadIsSaidBesideTheDoubts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, nil)
		r.forged("1", time.Hour, "in force")
		f, err := os.OpenFile(filepath.Join(filepath.Dir(r.path), "j.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
		require.NoError(t, err)
		_, err = f.WriteString(`{"v":1,"ty`)
		require.NoError(t, err)
		require.NoError(t, f.Close())
		r.start()
		require.Contains(t, r.m.footer.Status(), "1 change was in doubt")
		require.Contains(t, r.m.footer.Status(), "is incomplete and was skipped")
	})
}

func TestAnUnconfirmedChangeIsLookedAtAgainOnceItsStoreHasBeenRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, nil)
		r.forged("1", 0, "in force")
		require.NoError(t, r.journal().Result("1", sources.Unconfirmed, "no answer in time", time.Now()))
		begun := time.Now()
		s := *r.m.snapshot
		s.Activity = []sources.Activity{{ID: "1", At: begun, Kind: string(sources.Ramp), Flag: s.Flags[0].ID, Name: "checkout-v2", Outcome: sources.Unconfirmed}}
		publish := func(health sources.Health, lastOK time.Time) {
			next := s
			next.Sources = slices.Clone(s.Sources)
			next.Sources[0].Health, next.Sources[0].LastOK = health, lastOK
			next.Sources[0].Parts[sources.PartFlags] = sources.PartStatus{Has: true, Health: health, LastOK: lastOK}
			r.m.setSnapshot(&next)
			if again := r.m.recheck(); again != nil {
				r.work(again)
			}
		}
		pass(time.Minute)
		publish(sources.Stale, begun)
		require.Equal(t, sources.Unconfirmed, r.outcome("1"), "the store is still away")
		require.Empty(t, r.m.footer.Status())
		pass(30 * time.Second)
		publish(sources.Fresh, time.Now())
		require.Equal(t, sources.Confirmed, r.outcome("1"))
		require.Contains(t, r.m.footer.Status(), "1 change was in doubt: checkout-v2")
	})
}
