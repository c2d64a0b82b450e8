package control_test

import (
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
)

// frozenDesk is a desk whose calendar is closed at weekends; its clock is the test's.
func frozenDesk(t *testing.T, override bool) (d *desk, clock *atomic.Int64) {
	t.Helper()
	z, err := sources.NewFreeze("Fri 18:00", "Mon 06:00", time.UTC)
	require.NoError(t, err)
	z.Reason, z.Override = "peak weekend", override
	clock = &atomic.Int64{}
	clock.Store(time.Date(2026, 12, 4, 17, 0, 0, 0, time.UTC).Unix()) // Friday, an hour before
	return sit(t, func(o *control.Options) {
		o.Calendar = sources.Calendar{z}
		o.Now = func() time.Time { return time.Unix(clock.Load(), 0).UTC() }
	}), clock
}

func TestAFreezeRefusesWhatRaisesAndNothingThatLowers(t *testing.T) {
	t.Parallel()
	d, clock := frozenDesk(t, false)
	_, err := d.set(search, 10, "ana")
	require.NoError(t, err, "before it begins")
	clock.Add(3600)
	refused := func(err error, why string) {
		t.Helper()
		require.ErrorIs(t, err, sources.ErrRefused)
		require.Equal(t, why, sources.Sentence(err))
	}
	before := d.bytes()
	_, err = d.Do(t.Context(), sources.Intent{Kind: sources.Ramp, Flag: checkout, Seen: d.flag(checkout).Revision, To: sources.Pct(50)})
	refused(err, "checkout stays at 25%, freeze until Mon 06:00: peak weekend; kill and back go through")
	_, err = d.Do(t.Context(), sources.Intent{Kind: sources.Set, Flag: checkout, Seen: d.flag(checkout).Revision, To: sources.Pct(26), Override: true, Reason: "must"})
	refused(err, "checkout stays at 25%, freeze until Mon 06:00: peak weekend; kill and back go through")
	require.Equal(t, before, d.bytes())

	_, err = d.set(checkout, 10, "ana")
	require.NoError(t, err, "a typed percentage that lowers")
	_, err = d.Do(t.Context(), sources.Intent{Kind: sources.Kill, Flag: checkout, Actor: "ana"})
	require.NoError(t, err)
	_, err = d.undo("ana", "")
	require.NoError(t, err, "a kill by mistake, in the freeze itself, is taken back")
	require.Equal(t, sources.Pct(10), d.flag(checkout).Rollout.V)
	clock.Add(-3600)
	_, err = d.Do(t.Context(), sources.Intent{Kind: sources.Kill, Flag: search, Actor: "bob"})
	require.NoError(t, err)
	clock.Add(3601)
	_, err = d.undo("bob", "")
	refused(err, "search stays at killed, freeze until Mon 06:00: peak weekend; kill and back go through")
	clock.Store(time.Date(2026, 12, 7, 6, 0, 0, 0, time.UTC).Unix())
	_, err = d.undo("bob", "")
	require.NoError(t, err, "when it is over")
}

func TestAFreezeThatAllowsItIsOverriddenWithAReasonAndOnRecord(t *testing.T) {
	t.Parallel()
	d, clock := frozenDesk(t, true)
	clock.Add(3600)
	in := sources.Intent{Kind: sources.Ramp, Flag: checkout, Seen: d.flag(checkout).Revision, To: sources.Pct(50), Actor: "ana"}
	_, err := d.Do(t.Context(), in)
	require.ErrorIs(t, err, control.ErrGuarded, "which the key's second press overrides")
	in.Override = true
	_, err = d.Do(t.Context(), in)
	require.ErrorIs(t, err, sources.ErrInvalid, "not without a reason")
	in.Reason = "legal asks for it"
	_, err = d.Do(t.Context(), in)
	require.NoError(t, err)
	acts, _ := d.History(1)
	require.Equal(t, "OVERRIDE (freeze until Mon 06:00: peak weekend): legal asks for it", acts[0].Reason)
}

func TestAGuardedRampWaitsOutAFreezeAndIsNotBegunInOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		now := time.Now() // of the bubble: a Saturday, 1 January 2000
		z, err := sources.NewFreeze(now.Add(90*time.Second).UTC().Format("2006-01-02 15:04"), now.Add(10*time.Minute).UTC().Format("2006-01-02 15:04"), time.UTC)
		require.NoError(t, err)
		z.Reason = "peak"
		m := &meter{value: steady(0.01, 500)}
		d := sit(t, guardedBy(m), func(o *control.Options) { o.Calendar = sources.Calendar{z} })
		r, err := d.StartRamp(t.Context(), control.RampOptions{Flag: checkout, Hold: 2 * time.Minute, Actor: "ana"})
		require.NoError(t, err)
		ended := make(chan sources.RampStatus, 1)
		go func() { ended <- r.Run(t.Context()) }()
		<-time.After(5 * time.Minute)
		synctest.Wait()
		require.Equal(t, sources.Pct(50), r.Status().At, "the step before the freeze")
		require.Equal(t, sources.RampHolding, r.Status().Phase)
		require.Contains(t, r.Status().Why, "it stays, freeze until 00:10: peak")
		_, err = d.StartRamp(t.Context(), control.RampOptions{Flag: checkout, Actor: "ana"})
		require.ErrorIs(t, err, sources.ErrRefused)
		require.Equal(t, sources.RampArrived, (<-ended).Phase, "after it")
	})
}

func TestAFreezeHoldsAReturnToAnEarlierStateThatRaises(t *testing.T) {
	t.Parallel()
	d, clock := frozenDesk(t, true)
	first, err := d.set(search, 40, "ana")
	require.NoError(t, err)
	_, err = d.set(search, 10, "ana")
	require.NoError(t, err)
	clock.Add(3600)
	back := sources.Intent{Kind: sources.Restore, Flag: search, Seen: d.flag(search).Revision, Change: first.Change, Actor: "ana"}
	_, err = d.Do(t.Context(), back)
	require.ErrorIs(t, err, sources.ErrRefused, "to 40%")
	require.ErrorContains(t, err, "freeze until Mon 06:00: peak weekend")
	seen := d.flag(search)
	back.ToAs = "40%"
	require.EqualError(t, d.Barred(&back, &seen), err.Error(), "so that nobody is asked")
	back.Before, back.ToAs = true, "5%"
	require.NoError(t, d.Barred(&back, &seen))
	_, err = d.Do(t.Context(), back)
	require.NoError(t, err, "to 5%, which lowers")
	require.Equal(t, sources.Pct(5), d.flag(search).Rollout.V)
}

func TestAFreezeHoldsAMigrationsStepForwardAndNotItsStepBack(t *testing.T) {
	t.Parallel()
	rule, err := sources.NewMigration(sources.Migration{Window: time.Minute}, "", "")
	require.NoError(t, err)
	z, err := sources.NewFreeze("2020-01-01 00:00", "2099-01-01 00:00", time.UTC)
	require.NoError(t, err)
	d := sit(t, func(o *control.Options) {
		o.Migrations, o.Calendar = map[string]*sources.Migration{"orders": rule}, sources.Calendar{z}
	})
	at := func(stage string) {
		require.NoError(t, os.WriteFile(d.path, []byte(strings.Replace(ordersAtOff, `"defaultVariant": "off"`, `"defaultVariant": "`+stage+`"`, 1)), 0o600))
	}
	move := func(stage string) error {
		_, err := d.Do(t.Context(), sources.Intent{Kind: sources.Move, Flag: orders, Seen: d.flag(orders).Revision, Stage: stage, Actor: "ana"})
		return err
	}
	at("off")
	require.ErrorIs(t, move("dualwrite"), sources.ErrRefused)
	require.ErrorContains(t, move("dualwrite"), "orders stays at off, freeze until 1 Jan 2099 00:00")
	barred := func(stage string) error {
		seen := d.flag(orders)
		seen.Migration = rule // as a snapshot has it
		return d.Barred(&sources.Intent{Kind: sources.Move, Flag: orders, Stage: stage}, &seen)
	}
	require.EqualError(t, barred("dualwrite"), move("dualwrite").Error(), "so that nobody is asked")
	for from, to := range map[string]string{"shadow": "live", "live": "rampdown"} { // before proof or a name is asked for
		at(from)
		require.ErrorContains(t, move(to), "orders stays at "+from+", freeze until 1 Jan 2099 00:00")
	}
	at("dualwrite")
	require.NoError(t, barred("off"))
	require.NoError(t, move("off"))
}
