package control_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
)

func killsOf(ids ...sources.FlagID) (ins []sources.Intent) {
	for _, id := range ids {
		ins = append(ins, sources.Intent{Kind: sources.Kill, Flag: id, Actor: "ana"})
	}
	return ins
}

func TestOneUndoReturnsEachFlagOfAGroupToItsOwnFormerValue(t *testing.T) {
	t.Parallel()
	d := sit(t)
	_, err := d.set(checkout, 50, "ana")
	require.NoError(t, err)
	before := d.bytes()
	group, done := d.DoAll(t.Context(), killsOf(checkout, search, vip))
	require.NoError(t, control.Incomplete(done))
	entries, _, err := d.j.Read(3)
	require.NoError(t, err)
	for i, id := range []sources.FlagID{vip, search, checkout} { // newest first
		require.Equal(t, id, entries[i].Flag)
		require.Equal(t, group, entries[i].Group)
		require.True(t, d.flag(id).Killed)
	}
	require.Equal(t, group, d.Last(t.Context(), "ana"))

	ins, err := d.Group(t.Context(), group, "ana")
	require.NoError(t, err)
	require.Len(t, ins, 3)
	again, done := d.DoAll(t.Context(), ins)
	require.NoError(t, control.Incomplete(done))
	require.Equal(t, before, d.bytes())
	_, err = d.Group(t.Context(), group, "ana")
	require.ErrorIs(t, err, sources.ErrNotFound)
	require.Empty(t, d.Last(t.Context(), "ana"), "what is left stands alone")

	ins, err = d.Group(t.Context(), again, "ana") // and that can be taken back as well
	require.NoError(t, err)
	_, done = d.DoAll(t.Context(), ins)
	require.NoError(t, control.Incomplete(done))
	require.True(t, d.flag(checkout).Killed)
}

func TestAFlagThatCannotBeKilledKeepsNoOtherOfItsGroupAlive(t *testing.T) {
	t.Parallel()
	d := sit(t)
	_, done := d.DoAll(t.Context(), killsOf(checkout, sources.FlagID{Source: "prod", Key: "nobody"}, search))
	require.Equal(t, []bool{true, false, true}, []bool{done[0].Wrote(), done[1].Wrote(), done[2].Wrote()})
	require.ErrorIs(t, done[1].Err, sources.ErrNotFound)
	err := control.Incomplete(done)
	require.ErrorIs(t, err, control.ErrPartly)
	require.ErrorIs(t, err, control.ErrUnconfirmed)
	require.True(t, d.flag(search).Killed)

	_, done = d.DoAll(t.Context(), killsOf(sources.FlagID{Source: "prod", Key: "nobody"}, sources.FlagID{Source: "none", Key: "x"}))
	err = control.Incomplete(done)
	require.ErrorIs(t, err, sources.ErrNotFound)
	require.NotErrorIs(t, err, control.ErrUnconfirmed)
}

func TestAFlagOfAGroupThatSomebodyChangedSinceIsAConflictAndTheOthersGoBack(t *testing.T) {
	t.Parallel()
	d := sit(t)
	was := d.flag(checkout).Revision
	group, done := d.DoAll(t.Context(), []sources.Intent{
		{Kind: sources.Set, Flag: checkout, Seen: was, To: sources.Pct(50), Actor: "ana"},
		{Kind: sources.Set, Flag: search, Seen: d.flag(search).Revision, To: sources.Pct(50), Actor: "ana"},
	})
	require.NoError(t, control.Incomplete(done))
	_, err := d.set(search, 10, "ben")
	require.NoError(t, err)
	ins, err := d.Group(t.Context(), group, "ana")
	require.NoError(t, err)
	_, done = d.DoAll(t.Context(), ins)
	require.ErrorIs(t, control.Incomplete(done), control.ErrPartly)
	require.ErrorIs(t, done[0].Err, sources.ErrConflict)
	require.Equal(t, was, d.flag(checkout).Revision)
	now := d.flag(search)
	require.Equal(t, "10%", now.Brief())
}

func TestAnUndoOfOneFlagOfAGroupSaysHowToUndoTheRest(t *testing.T) {
	t.Parallel()
	d := sit(t)
	group, done := d.DoAll(t.Context(), killsOf(checkout, search))
	require.NoError(t, control.Incomplete(done))
	r, err := d.undo("ana", "")
	require.NoError(t, err)
	require.Contains(t, r.Warning, "relctl-tui undo "+group)
	require.True(t, d.flag(checkout).Killed)
}
