package control_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/sources/flagfile"
)

func (d *desk) restore(actor, change string, before bool) (sources.Receipt, error) {
	f := d.flag(checkout)
	return d.Do(d.t.Context(), sources.Intent{
		Kind: sources.Restore, Flag: checkout, Seen: f.Revision, SeenAs: f.Brief(), Change: change, Before: before, Actor: actor,
	})
}

func (d *desk) past(id sources.FlagID) []sources.PastChange {
	h, err := d.FlagHistory(d.t.Context(), id)
	require.NoError(d.t, err)
	require.Empty(d.t, h.Warnings)
	return h.Past
}

// short is lines of history as a person reads them.
func short(lines []sources.PastChange) (out []string) {
	for _, l := range lines {
		s := l.Kind + " " + l.Old + ">" + l.New
		if l.InForce {
			s += " now"
		}
		if l.UndoneBy != "" {
			s += " undone by " + l.UndoneBy
		}
		if l.Cannot != "" {
			s += ": " + l.Cannot
		}
		out = append(out, s)
	}
	return out
}

func TestAFlagReturnsDirectlyToAnyEarlierStateByteForByteAndThatIsUndoneAsAnyChange(t *testing.T) {
	t.Parallel()
	d := sit(t)
	var ids, files []string
	for _, to := range []int{50, 100, 10} {
		r, err := d.set(checkout, to, "ana")
		require.NoError(t, err)
		ids, files = append(ids, r.Change), append(files, d.bytes())
	}
	r, err := d.restore("ben", ids[0], false)
	require.NoError(t, err)
	require.Equal(t, sources.Restore, r.Kind)
	require.Equal(t, files[0], d.bytes())
	require.Equal(t, []string{"restore 10%>50% now", "set 100%>10%", "set 50%>100%", "set 25%>50%", "edited >25%"}, short(d.past(checkout)))
	r, err = d.restore("ben", ids[0], true)
	require.NoError(t, err)
	require.Equal(t, shop, d.bytes(), "and to what was before all that is on record")
	_, err = d.undo("ben", "")
	require.NoError(t, err)
	require.Equal(t, files[0], d.bytes())
	require.Equal(t, "restore 50%>25% undone by ben", short(d.past(checkout))[1])
	again, err := d.restore("ben", ids[0], false)
	require.NoError(t, err)
	require.Contains(t, again.Warning, "50% already", "nothing is written for a state that is in force")
	_, err = d.restore("ben", "nobody's", false)
	require.ErrorIs(t, err, sources.ErrNotFound)
}

func TestWhatWasDonePastEveryRecordIsALineOfTheHistoryAndAStateToReturnTo(t *testing.T) {
	t.Parallel()
	d := sit(t)
	_, err := d.set(checkout, 50, "ana")
	require.NoError(t, err)
	edited := strings.Replace(d.bytes(), `["on", 50], ["off", 50]`, `["on", 30],  ["off", 70]`, 1)
	d.write(edited)
	require.Equal(t, []string{"edited 50%>30% now", "set 25%>50%", "edited >25%"}, short(d.past(checkout)))
	r, err := d.set(checkout, 60, "ben")
	require.NoError(t, err)
	require.Equal(t, []string{"set 30%>60% now", "edited 50%>30%", "set 25%>50%", "edited >25%"}, short(d.past(checkout)))
	_, err = d.restore("ana", r.Change, true)
	require.NoError(t, err)
	require.Equal(t, edited, d.bytes())
}

func TestAReturnThatRaisesIsHeldAgainstTheGuardsAndOneThatLowersIsNot(t *testing.T) {
	t.Parallel()
	m := &meter{value: steady(0.01, 500)}
	d := sit(t, guardedBy(m))
	up, err := d.set(checkout, 50, "ana")
	require.NoError(t, err)
	down, err := d.set(checkout, 10, "ana")
	require.NoError(t, err)
	m.value, m.asks = steady(0.5, 500), 0
	_, err = d.restore("ana", up.Change, false)
	require.ErrorIs(t, err, control.ErrGuarded)
	require.Equal(t, 1, m.asks)
	_, err = d.Do(t.Context(), sources.Intent{Kind: sources.Kill, Flag: checkout, Actor: "ana"})
	require.NoError(t, err)
	_, err = d.restore("ana", down.Change, false)
	require.ErrorIs(t, err, control.ErrGuarded, "a killed flag that is returned is raised")
	in := sources.Intent{Kind: sources.Restore, Flag: checkout, Change: up.Change, Actor: "ana", Reason: "vip asked", Override: true}
	_, err = d.Do(t.Context(), in)
	require.NoError(t, err)
	asks := m.asks
	_, err = d.restore("ana", down.Change, false)
	require.NoError(t, err, "from 50 to 10")
	require.Equal(t, asks, m.asks)
}

func TestAnUndoOfWhatSomebodyChangedSinceNamesBothAndCanBeDoneAllTheSame(t *testing.T) {
	t.Parallel()
	d := sit(t)
	mine, err := d.set(checkout, 50, "ana")
	require.NoError(t, err)
	_, err = d.set(checkout, 10, "ben")
	require.NoError(t, err)
	bens := d.bytes()
	_, err = d.undo("ana", mine.Change)
	require.ErrorIs(t, err, sources.ErrConflict)
	clash, ok := control.ClashOf(err)
	require.True(t, ok)
	require.Equal(t, []string{"10%", "ben", "50%", "25%"}, []string{clash.Flag.Brief(), clash.By, clash.Was, clash.To})
	_, err = d.set(checkout, 20, "eve")
	require.NoError(t, err)
	clash.Instead.Actor = "ana"
	_, err = d.Do(t.Context(), clash.Instead)
	require.ErrorIs(t, err, sources.ErrConflict, "what was agreed to was about ben's value, and eve's is another")
	clash, ok = control.ClashOf(err)
	require.True(t, ok)
	require.Equal(t, []string{"20%", "eve", "10%", "25%"}, []string{clash.Flag.Brief(), clash.By, clash.Was, clash.To})
	_, err = d.Do(t.Context(), clash.Instead)
	require.NoError(t, err)
	require.Equal(t, shop, d.bytes())
	require.NotEqual(t, bens, d.bytes())
}

// wordy is a store that has changes on record in words alone.
type wordy struct {
	*flagfile.Store
	recorded []sources.Recorded
}

func (w wordy) History(context.Context, int) ([]sources.Recorded, error) { return w.recorded, nil }

func TestAStateThatIsOnRecordInWordsAloneIsWrittenAsAValue(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)
	said := func(i int, old, now string) sources.Recorded {
		return sources.Recorded{Activity: sources.Activity{At: at.Add(time.Duration(-i) * time.Minute), Kind: "ramp", Flag: checkout, Actor: "eve", Old: old, New: now, Outcome: sources.Confirmed}}
	}
	d := sit(t, wrap(func(s *flagfile.Store) any {
		return wordy{s, []sources.Recorded{said(0, "5%", "25%"), said(1, "", "strategy edited"), said(2, "killed", "5%")}}
	}))
	past := d.past(checkout)
	require.Equal(t, []string{
		"ramp 5%>25% now", `ramp >strategy edited: nobody has its definition of then on record, and "strategy edited" alone does not say what to write`,
		"ramp killed>5%", "edited >killed",
	}, short(past))
	_, err := d.restore("ana", past[1].ID, false)
	require.ErrorIs(t, err, sources.ErrUnsupported)
	r, err := d.restore("ana", past[2].ID, false)
	require.NoError(t, err)
	require.Equal(t, "5%", r.New.Brief())
	_, err = d.restore("ana", past[3].ID, true)
	require.NoError(t, err)
	require.True(t, d.flag(checkout).Killed)
	_, err = d.undo("ana", "")
	require.NoError(t, err)
	now := d.flag(checkout)
	require.Equal(t, "5%", now.Brief())
}

func TestAMoveForwardIsHeldAgainstTheGuardsAndAStepBackOrAKillNever(t *testing.T) {
	t.Parallel()
	m := &meter{value: steady(0.01, 500)}
	c := cross(t, t.TempDir(), ordersAtOff, func(c *crossing, o *control.Options) {
		o.Guards = control.Guards{
			Rules:   []sources.Guard{{Name: "errors", Flags: []string{"orders"}, Query: "errors", Count: "requests", Limit: 0.02, MinCount: 100}},
			Readers: []sources.GuardReader{m},
			Snapshot: func(ctx context.Context) (*sources.Snapshot, error) {
				f, err := c.store.Flag(ctx, orders)
				return &sources.Snapshot{Flags: []sources.Flag{f}}, err
			},
		}
	})
	c.walk(t, "shadow")
	require.Equal(t, 2, m.asks, "one for each step forward")
	m.value = steady(0.5, 500)
	c.pass(time.Minute)
	before := c.store.bytes()
	_, err := c.step(t, sources.Ramp, "")
	require.ErrorIs(t, err, control.ErrGuarded)
	require.ErrorContains(t, err, "orders stays at shadow: errors 0.5")
	require.Equal(t, before, c.store.bytes())
	asks := m.asks
	_, err = c.step(t, sources.Back, "")
	require.NoError(t, err)
	_, err = c.step(t, sources.Kill, "")
	require.NoError(t, err)
	require.Equal(t, asks, m.asks)
	_, err = c.Do(t.Context(), sources.Intent{
		Kind: sources.Move, Flag: orders, Stage: "dualwrite", Actor: "ann", Reason: "the alert is wrong", Override: true,
	})
	require.NoError(t, err)
	require.Equal(t, "dualwrite", c.stage(t))
	acts, _ := c.History(1)
	require.Contains(t, acts[0].Reason, "OVERRIDE (errors 0.5")
}
