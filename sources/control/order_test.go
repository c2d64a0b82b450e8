package control_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/sources/flagd"
	"relctl-tui/sources/journal"
)

func TestUndoTakesTheLastChangeThoughTheClockWasSetBack(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	d := sit(t, func(o *control.Options) { o.Now = func() time.Time { return now } })
	_, err := d.set(checkout, 50, "ana")
	require.NoError(t, err)
	afterFirst := d.bytes()
	now = now.Add(-time.Hour)
	_, err = d.set(search, 50, "ana")
	require.NoError(t, err)
	acts, _ := d.History(0)
	require.Equal(t, search, acts[0].Flag)
	r, err := d.undo("ana", "")
	require.NoError(t, err)
	require.Equal(t, search, r.New.ID)
	require.Equal(t, afterFirst, d.bytes())
	_, err = d.undo("ana", "")
	require.NoError(t, err)
	require.Equal(t, shop, d.bytes())
}

func TestUndoLeavesAValueAloneThatSomebodyElseBroughtBack(t *testing.T) {
	t.Parallel()
	d := sit(t)
	mine, err := d.set(checkout, 50, "ana")
	require.NoError(t, err)
	for _, to := range []int{25, 50} { // ben changes his mind, and means 50 now
		_, err = d.set(checkout, to, "ben")
		require.NoError(t, err)
	}
	before := d.bytes()
	for _, change := range []string{"", mine.Change} {
		_, err = d.undo("ana", change)
		require.ErrorIs(t, err, sources.ErrConflict)
		require.ErrorContains(t, err, "checkout is 50% again because ben made it so")
		require.Equal(t, before, d.bytes())
	}
	_, err = d.undo("ben", "")
	require.NoError(t, err)
	_, err = d.undo("ben", "")
	require.NoError(t, err)
	_, err = d.undo("ana", "")
	require.NoError(t, err, "ben's changes are undone, so it is ana's again")
	require.Equal(t, shop, d.bytes())
}

func TestUndoLeavesAValueAloneThatSomebodyElseMayHaveBroughtBack(t *testing.T) {
	t.Parallel()
	d := sit(t)
	_, err := d.set(checkout, 50, "ana")
	require.NoError(t, err)
	for _, to := range []int{25, 50} {
		_, err = d.set(checkout, to, "ben")
		require.NoError(t, err)
		raw, err := os.ReadFile(d.j.Path())
		require.NoError(t, err)
		lines := strings.SplitAfter(strings.TrimSuffix(string(raw), "\n"), "\n")
		require.Contains(t, lines[len(lines)-1], "result")
		require.NoError(t, os.WriteFile(d.j.Path(), []byte(strings.Join(lines[:len(lines)-1], "")), 0o600)) // his process died
	}
	before := d.bytes()
	_, err = d.undo("ana", "")
	require.ErrorIs(t, err, sources.ErrConflict)
	require.Equal(t, before, d.bytes())
}

func TestUndoAfterTheResultOfAnUndoWasLostWalksFurtherBack(t *testing.T) {
	t.Parallel()
	d := sit(t)
	_, err := d.set(checkout, 50, "ana")
	require.NoError(t, err)
	_, err = d.set(search, 50, "ana")
	require.NoError(t, err)
	_, err = d.undo("ana", "")
	require.NoError(t, err)
	raw, err := os.ReadFile(d.j.Path())
	require.NoError(t, err)
	lines := strings.SplitAfter(strings.TrimSuffix(string(raw), "\n"), "\n")
	require.Contains(t, lines[len(lines)-1], "result")
	require.NoError(t, os.WriteFile(d.j.Path(), []byte(strings.Join(lines[:len(lines)-1], "")), 0o600))
	r, err := d.undo("ana", "")
	require.NoError(t, err)
	require.Equal(t, checkout, r.New.ID)
	require.Equal(t, shop, d.bytes())
}

func TestAnOddActorFindsTheirChangeAgain(t *testing.T) {
	t.Parallel()
	d := sit(t)
	actor := "an\xff\x1b[31ma" + strings.Repeat("a", 300)
	_, err := d.set(checkout, 50, actor)
	require.NoError(t, err)
	_, err = d.undo(actor, "")
	require.NoError(t, err)
	require.Equal(t, shop, d.bytes())
}

func TestAFilesOwnJournalSpeaksForItUnderWhateverNameItWasOpened(t *testing.T) {
	t.Parallel()
	d := sit(t)
	open := func(name string) *control.Controller {
		store := flagd.New(name, d.path)
		j := journal.Open(store.JournalPath(), journal.Options{})
		return control.New(control.Options{Stores: []control.Store{{Name: name, Driver: store, Journal: j}}})
	}
	kill := sources.Intent{Kind: sources.Kill, Flag: checkout, Actor: "ana"}
	_, err := open("prod").Do(t.Context(), kill)
	require.NoError(t, err)
	other := open("prod.flagd.json") // the same file without a config
	acts, _ := other.History(0)
	require.Len(t, acts, 1)
	require.Equal(t, sources.FlagID{Source: "prod.flagd.json", Key: "checkout"}, acts[0].Flag)
	_, err = other.Do(t.Context(), sources.Intent{Kind: sources.Undo, Actor: "ana"})
	require.NoError(t, err)
	require.Equal(t, shop, d.bytes())
}

func TestAJournalThatStoresShareSpeaksForEachUnderItsName(t *testing.T) {
	t.Parallel()
	d := sit(t)
	_, err := d.set(checkout, 50, "ana")
	require.NoError(t, err)
	after := d.bytes()
	staging := control.New(control.Options{Stores: []control.Store{{Name: "staging", Driver: flagd.New("staging", d.path), Journal: d.j}}})
	_, err = staging.Do(t.Context(), sources.Intent{Kind: sources.Undo, Actor: "ana"})
	require.ErrorIs(t, err, sources.ErrNotFound)
	require.Equal(t, after, d.bytes())
}

func TestALostChangeIsNotTakenForDoneBecauseItWasMadeAgain(t *testing.T) {
	t.Parallel()
	d := sit(t)
	old := d.flag(checkout)
	again, err := d.set(checkout, 50, "ana")
	require.NoError(t, err)
	made, err := os.ReadFile(d.j.Path())
	require.NoError(t, err)
	require.NoError(t, os.Remove(d.j.Path()))
	require.NoError(t, d.j.Intent(journal.Entry{ // what came before it died before the write
		ID: "c1", At: time.Now().Add(-time.Hour), Kind: sources.Set, Flag: checkout, Actor: "ana",
		OldRevision: old.Revision, NewRevision: again.New.Revision, Restore: again.Restore,
	}))
	lost, err := os.ReadFile(d.j.Path())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(d.j.Path(), append(lost, made...), 0o600))
	doubts := d.InDoubt()
	require.Len(t, doubts, 1)
	require.Equal(t, sources.Failed, doubts[0].Outcome)
	_, err = d.undo("ana", "")
	require.NoError(t, err)
	_, err = d.undo("ana", "")
	require.ErrorIs(t, err, sources.ErrNotFound, "there was one change only")
	require.Equal(t, shop, d.bytes())
}
