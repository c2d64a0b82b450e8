package control_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/sources/flagfile"
)

// kept are the schedules as the store has them, by the percentage that they lead to.
func (d *desk) kept() map[sources.Percent]sources.Schedule {
	d.t.Helper()
	all, err := d.store.Schedules(context.Background())
	require.NoError(d.t, err)
	out := map[sources.Percent]sources.Schedule{}
	for _, s := range all {
		out[s.To] = s
	}
	return out
}

func (d *desk) later(id sources.FlagID, to int, in time.Duration) (sources.Schedule, error) {
	at := time.Now().Add(in)
	return d.Schedule(context.Background(), sources.Schedule{
		Flag: id, Kind: sources.Set, To: sources.Pct(to), At: at, Expires: at.Add(10 * time.Minute), Zone: "Europe/Berlin", Actor: "ana", Reason: "release",
	})
}

// runs are n runners on one desk's store, until the test ends or they are stopped.
func (d *desk) runs(n int) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			d.RunSchedules(ctx, control.RunnerOptions{Owner: fmt.Sprint("runner ", i), Every: 10 * time.Second})
		})
	}
	stop = func() { cancel(); wg.Wait() }
	d.t.Cleanup(stop)
	return stop
}

func TestAScheduledChangeIsMadeOnceAtItsMomentByWhoeverScheduledIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := sit(t)
		_, err := d.later(checkout, 50, time.Hour)
		require.NoError(t, err)
		stop := d.runs(3)
		<-time.After(59 * time.Minute)
		synctest.Wait()
		require.Equal(t, sources.Pct(25), d.flag(checkout).Rollout.V, "not before")
		<-time.After(2 * time.Minute)
		synctest.Wait()
		require.Equal(t, sources.Pct(50), d.flag(checkout).Rollout.V)
		s := d.kept()[sources.Pct(50)]
		require.Equal(t, sources.ScheduleDone, s.State)
		acts, _ := d.History(0)
		require.Len(t, acts, 1, "one of three made it")
		require.Equal(t, s.Change, acts[0].ID)
		require.Equal(t, "ana", acts[0].Actor)
		require.Contains(t, acts[0].Reason, "schedule "+s.ID+" for 1 Jan 02:00 CET, run by "+s.Owner+": release")
		stop()
		<-time.After(8 * 24 * time.Hour)
		d.runs(1)
		<-time.After(time.Minute)
		synctest.Wait()
		require.Empty(t, d.kept(), "it is not kept for ever")
	})
}

func TestWhatNobodyRanInTimeIsReportedAndNotMadeUpFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := sit(t)
		_, err := d.later(checkout, 50, time.Hour)
		require.NoError(t, err)
		<-time.After(3 * time.Hour)
		before := d.bytes()
		d.runs(2)
		<-time.After(time.Minute)
		synctest.Wait()
		require.Equal(t, before, d.bytes())
		s := d.kept()[sources.Pct(50)]
		require.Equal(t, sources.ScheduleMissed, s.State)
		acts, _ := d.History(0)
		require.Len(t, acts, 1, "it is told once")
		require.Equal(t, sources.Failed, acts[0].Outcome)
		require.Equal(t, "nobody ran it by 01:10 UTC, and it is not made up for", acts[0].Err)
		require.Empty(t, d.InDoubt())
	})
}

func TestAScheduleWhoseRunnerDiedIsInDoubtAndNeverTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := sit(t)
		_, err := d.later(checkout, 50, time.Hour)
		require.NoError(t, err)
		<-time.After(time.Hour)
		claim, err := d.kept()[sources.Pct(50)].Claimed("token", "a runner that dies", time.Now())
		require.NoError(t, err)
		require.NoError(t, d.store.KeepSchedule(t.Context(), claim))
		before := d.bytes()
		d.runs(2)
		<-time.After(5 * time.Minute)
		synctest.Wait()
		require.Equal(t, before, d.bytes())
		s := d.kept()[sources.Pct(50)]
		require.Equal(t, sources.ScheduleInDoubt, s.State)
		require.Equal(t, "a runner that dies claimed it and never said what became of it, so it is not tried again; the flag is 25% now", s.Why)
		acts, _ := d.History(0)
		require.Len(t, acts, 1)
		require.Equal(t, sources.Unconfirmed, acts[0].Outcome)
		<-time.After(time.Hour)
		synctest.Wait()
		require.Equal(t, before, d.bytes())
	})
}

func TestASchedulesRaiseIsHeldAgainstGuardsFreezesAndKills(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &meter{value: steady(0.5, 500)}
		now := time.Now().UTC()
		z, err := sources.NewFreeze(now.Add(2*time.Hour).Format("2006-01-02 15:04"), now.Add(3*time.Hour).Format("2006-01-02 15:04"), time.UTC)
		require.NoError(t, err)
		z.Reason = "peak"
		d := sit(t, guardedBy(m), func(o *control.Options) { o.Calendar = sources.Calendar{z} })
		_, err = d.later(search, 30, 150*time.Minute)
		require.ErrorIs(t, err, sources.ErrRefused, "it is known beforehand")
		require.ErrorContains(t, err, "search would not be raised then, freeze until 03:00: peak")
		_, err = d.later(search, 1, 150*time.Minute)
		require.NoError(t, err, "what lowers is not frozen")
		_, err = d.later(checkout, 50, 10*time.Minute)
		require.NoError(t, err)
		_, err = d.later(search, 40, 20*time.Minute)
		require.NoError(t, err)
		_, err = d.Do(t.Context(), sources.Intent{Kind: sources.Kill, Flag: search, Actor: "ben"})
		require.NoError(t, err)
		d.runs(1)
		<-time.After(40 * time.Minute)
		synctest.Wait()
		require.Equal(t, sources.ScheduleRefused, d.kept()[sources.Pct(50)].State)
		require.Contains(t, d.kept()[sources.Pct(50)].Why, "checkout stays at 25%: errors 0.5, more than the 0.02")
		require.Contains(t, d.kept()[sources.Pct(40)].Why, "search was killed after this was scheduled, so it stays so")
		require.Equal(t, sources.Pct(25), d.flag(checkout).Rollout.V)
		require.True(t, d.flag(search).Killed)
	})
}

func TestAScheduleUnderGuardBeginsAGuardedRamp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := sit(t, guardedBy(&meter{value: steady(0.01, 500)}))
		at := time.Now().Add(time.Hour)
		_, err := d.Schedule(t.Context(), sources.Schedule{Flag: search, Kind: sources.Set, To: sources.Pct(50), Guarded: true, At: at, Actor: "ana"})
		require.ErrorIs(t, err, sources.ErrInvalid, "no guard holds for it")
		_, err = d.Schedule(t.Context(), sources.Schedule{Flag: checkout, Kind: sources.Set, To: sources.Full, Guarded: true, At: at, Actor: "ana"})
		require.NoError(t, err)
		d.runs(2)
		<-time.After(61 * time.Minute)
		synctest.Wait()
		require.Equal(t, sources.Pct(50), d.flag(checkout).Rollout.V, "its first step")
		<-time.After(20 * time.Minute)
		synctest.Wait()
		require.Equal(t, sources.Full, d.flag(checkout).Rollout.V)
		require.Equal(t, sources.ScheduleDone, d.kept()[sources.Full].State)
	})
}

// moody is a store that does not answer for a while.
type moody struct {
	*flagfile.Store
	down atomic.Bool
}

func (m *moody) Flag(ctx context.Context, id sources.FlagID) (sources.Flag, error) {
	if m.down.Load() {
		return sources.Flag{}, fmt.Errorf("prod does not answer: %w", sources.ErrUnavailable)
	}
	return m.Store.Flag(ctx, id)
}

func TestAScheduleIsTriedAgainUntilItExpiresWhileTheStoreDoesNotAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var store *moody
		d := sit(t, wrap(func(s *flagfile.Store) any { store = &moody{Store: s}; return store }))
		_, err := d.later(checkout, 50, time.Hour)
		require.NoError(t, err)
		_, err = d.later(search, 40, 2*time.Hour)
		require.NoError(t, err)
		d.runs(1)
		store.down.Store(true)
		<-time.After(65 * time.Minute)
		store.down.Store(false)
		<-time.After(time.Minute)
		synctest.Wait()
		require.Equal(t, sources.Pct(50), d.flag(checkout).Rollout.V, "late, but in time")
		store.down.Store(true)
		<-time.After(2 * time.Hour)
		synctest.Wait()
		require.Equal(t, "not done by 02:10 UTC: prod does not answer", d.kept()[sources.Pct(40)].Why)
	})
}

func TestACancelledScheduleIsNotRunAndAnEndedOneCannotBeCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := sit(t)
		s, err := d.later(checkout, 50, time.Hour)
		require.NoError(t, err)
		_, err = d.CancelSchedule(t.Context(), s.ID, "ben")
		require.NoError(t, err)
		_, err = d.CancelSchedule(t.Context(), s.ID, "ben")
		require.ErrorIs(t, err, sources.ErrConflict)
		_, err = d.CancelSchedule(t.Context(), "nonsense", "ben")
		require.ErrorIs(t, err, sources.ErrNotFound)
		before := d.bytes()
		d.runs(1)
		<-time.After(2 * time.Hour)
		synctest.Wait()
		require.Equal(t, before, d.bytes())
		all, _ := d.Schedules(t.Context())
		require.Equal(t, "by ben", all[0].Why)
	})
}

func TestAFileOfSchedulesThatMakesNoSenseIsToldAndLeftAsItIs(t *testing.T) {
	t.Parallel()
	d := sit(t)
	_, err := d.later(checkout, 50, time.Hour)
	require.NoError(t, err)
	path := filepath.Join(filepath.Dir(d.path), ".prod.flagd.json.relctl.schedules.json")
	require.NoError(t, os.WriteFile(path, []byte(`[{"id": "1", `), 0o600))
	_, err = d.later(checkout, 60, time.Hour)
	require.ErrorIs(t, err, sources.ErrInvalid)
	require.ErrorContains(t, err, "make no sense, so none is run")
	_, warnings := d.Schedules(t.Context())
	require.Len(t, warnings, 1)
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, `[{"id": "1", `, string(raw))
}

func TestAMigrationsStageAndAKillCanBeScheduled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rule, err := sources.NewMigration(sources.Migration{Window: time.Minute}, "", "")
		require.NoError(t, err)
		d := sit(t, func(o *control.Options) { o.Migrations = map[string]*sources.Migration{"orders": rule} })
		require.NoError(t, os.WriteFile(d.path, []byte(strings.Replace(ordersAtOff, `{"flags": {`, strings.TrimSuffix(strings.TrimSpace(shop), "\n}}")+", ", 1)), 0o600))
		at := time.Now().Add(time.Hour)
		stage := sources.Schedule{Flag: orders, Kind: sources.Move, Stage: "dualwrite", At: at, Actor: "ana"}
		_, err = d.Schedule(t.Context(), stage)
		require.NoError(t, err)
		stage.Stage = "nowhere"
		_, err = d.Schedule(t.Context(), stage)
		require.ErrorIs(t, err, sources.ErrInvalid)
		_, err = d.Schedule(t.Context(), sources.Schedule{Flag: checkout, Kind: sources.Kill, At: at, Actor: "ana"})
		require.NoError(t, err)
		d.runs(2)
		<-time.After(61 * time.Minute)
		synctest.Wait()
		f := d.flag(orders)
		f.Migration = rule
		require.Equal(t, "dualwrite", f.Stage())
		require.True(t, d.flag(checkout).Killed)
	})
}
