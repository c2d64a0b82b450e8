package control_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/flagfile"
	"relctl-tui/sources/journal"
)

func TestUndoPressedAgainWalksFurtherBackByteForByte(t *testing.T) {
	t.Parallel()
	d := sit(t)
	files := []string{d.bytes()}
	steps := []struct {
		id sources.FlagID
		to int
	}{{checkout, 50}, {search, 10}, {checkout, 100}}
	for _, s := range steps {
		_, err := d.set(s.id, s.to, "ana")
		require.NoError(t, err)
		files = append(files, d.bytes())
	}
	for i := len(steps) - 1; i >= 0; i-- {
		r, err := d.undo("ana", "")
		require.NoError(t, err)
		require.Equal(t, sources.Undo, r.Kind)
		require.Equal(t, files[i], d.bytes())
	}
	_, err := d.undo("ana", "")
	require.ErrorIs(t, err, sources.ErrNotFound)
	require.ErrorContains(t, err, "nothing left to undo")
}

func TestAnUndoCanBeUndoneByItsIDAndThenCountsAgain(t *testing.T) {
	t.Parallel()
	d := sit(t)
	_, err := d.set(checkout, 50, "ana")
	require.NoError(t, err)
	changed := d.bytes()
	u, err := d.undo("ana", "")
	require.NoError(t, err)
	_, err = d.undo("ana", u.Change)
	require.NoError(t, err)
	require.Equal(t, changed, d.bytes())
	_, err = d.undo("ana", "")
	require.NoError(t, err)
	require.Equal(t, shop, d.bytes())
}

func TestUndoIsTheActorsOwnUnlessAChangeIsNamed(t *testing.T) {
	t.Parallel()
	d := sit(t)
	_, err := d.set(checkout, 50, "ana")
	require.NoError(t, err)
	bens, err := d.set(search, 50, "ben")
	require.NoError(t, err)
	r, err := d.undo("ana", "")
	require.NoError(t, err)
	require.Equal(t, checkout, r.New.ID)
	r, err = d.undo("ana", bens.Change)
	require.NoError(t, err)
	require.Equal(t, search, r.New.ID)
	require.Equal(t, shop, d.bytes())
}

func TestAnUndoOfWhatWasChangedSinceIsAConflictNamingBothValues(t *testing.T) {
	t.Parallel()
	d := sit(t)
	_, err := d.set(checkout, 50, "ana")
	require.NoError(t, err)
	_, err = d.set(checkout, 10, "ben")
	require.NoError(t, err)
	before := d.bytes()
	_, err = d.undo("ana", "")
	require.ErrorIs(t, err, sources.ErrConflict)
	require.ErrorContains(t, err, "10%")
	require.ErrorContains(t, err, "50%")
	require.Equal(t, before, d.bytes())
}

// broken stands between the controller and a real store.
func TestACrashBetweenIntentAndResultIsReportedOnceWithWhatTheStoreSays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		write bool // the crash came after the write
		then  int  // somebody else's later percentage
		want  sources.Outcome
	}{
		"before the write":                     {false, 0, sources.Failed},
		"after the write":                      {true, 0, sources.Confirmed},
		"after the write, then somebody else":  {true, 75, sources.Unconfirmed},
		"before the write, then somebody else": {false, 75, sources.Unconfirmed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := sit(t)
			crash := errors.New("crash")
			now := time.Now().Add(-time.Hour)
			var planned sources.Planned
			_, err := d.store.Apply(t.Context(), sources.Change{ID: "c1", Kind: sources.Set, Flag: checkout, To: sources.Pct(50), Commit: func(p sources.Planned) error {
				planned = p
				err := d.j.Intent(journal.Entry{
					ID: "c1", At: now, Kind: sources.Set, Flag: checkout, Old: p.Old.Brief(), New: p.New.Brief(),
					OldRevision: p.Old.Revision, NewRevision: p.New.Revision, Restore: p.Restore,
				})
				if c.write {
					return err
				}
				return errors.Join(err, crash)
			}})
			require.Equal(t, c.write, err == nil)
			require.NotEmpty(t, planned.Restore)
			if c.then > 0 {
				_, err := d.store.Apply(t.Context(), sources.Change{ID: "c2", Kind: sources.Set, Flag: checkout, To: sources.Pct(c.then)})
				require.NoError(t, err)
			}
			doubts := d.InDoubt()
			require.Len(t, doubts, 1)
			require.Equal(t, "c1", doubts[0].ID)
			require.Equal(t, c.want, doubts[0].Outcome)
			require.NotEmpty(t, doubts[0].Err)
			require.Empty(t, d.InDoubt(), "reported once")
			acts, _ := d.History(0)
			require.Equal(t, c.want, acts[0].Outcome)
		})
	}
}

func TestAnUndoAfterALostResultStillFindsTheChange(t *testing.T) {
	t.Parallel()
	d := sit(t)
	_, err := d.set(checkout, 50, "ana")
	require.NoError(t, err)
	raw, err := os.ReadFile(d.j.Path())
	require.NoError(t, err)
	intent, _, _ := strings.Cut(string(raw), "\n")
	require.NoError(t, os.WriteFile(d.j.Path(), []byte(intent+"\n"), 0o600)) // the power went before the result was on disk
	_, err = d.undo("ana", "")
	require.NoError(t, err)
	require.Equal(t, shop, d.bytes())
}

func TestAnUndoWaitsForTheActorsOwnChangeThatIsStillBeingWritten(t *testing.T) {
	t.Parallel()
	writing, release := make(chan struct{}), make(chan struct{})
	slow := false
	d := sit(t, wrap(func(s *flagfile.Store) any {
		return broken{Store: s, apply: func(ctx context.Context, c sources.Change) (sources.Receipt, error) {
			if slow && c.Kind == sources.Set {
				close(writing)
				<-release
			}
			return s.Apply(ctx, c)
		}}
	}))
	_, err := d.set(search, 50, "ana")
	require.NoError(t, err)
	afterFirst := d.bytes()
	slow = true
	seen := d.flag(checkout).Revision
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := d.Do(t.Context(), sources.Intent{Kind: sources.Set, Flag: checkout, Seen: seen, To: sources.Pct(50), Actor: "ana"}); err != nil {
			t.Error(err)
		}
	})
	<-writing
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = d.Do(ctx, sources.Intent{Kind: sources.Undo, Actor: "ana"})
	require.ErrorContains(t, err, "still being written")
	close(release)
	r, err := d.undo("ana", "")
	require.NoError(t, err)
	require.Equal(t, checkout, r.New.ID)
	require.Equal(t, afterFirst, d.bytes())
	wg.Wait()
}
