package main

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/flagd"
	"relctl-tui/sources/journal"
)

// interrupted leaves the intent of a ramp without a result beside a flag file, as a
// process leaves it that died in between; done tells whether the write was made.
func interrupted(t *testing.T, path string, age time.Duration, done bool) *journal.Journal {
	t.Helper()
	store := flagd.New("prod", path)
	set, err := store.Flags(t.Context())
	require.NoError(t, err)
	var old sources.Flag
	for _, f := range set.Flags {
		if f.ID.Key == "checkout-v2" {
			old = f
		}
	}
	require.NotEmpty(t, old.Revision)
	e := journal.Entry{
		ID: "01interrupted", At: time.Now().Add(-age), Kind: sources.Ramp, Flag: old.ID, Actor: "ben",
		Old: old.Brief(), New: "50%", OldRevision: old.Revision, NewRevision: "never",
	}
	if done {
		_, err := store.Apply(t.Context(), sources.Change{
			ID: e.ID, Flag: old.ID, Kind: sources.Set, To: sources.Pct(50),
			Commit: func(p sources.Planned) error { e.NewRevision, e.Restore = p.New.Revision, p.Restore; return nil },
		})
		require.NoError(t, err)
	}
	j := journal.Open(store.JournalPath(), journal.Options{})
	require.NoError(t, j.Intent(e))
	return j
}

func TestTheNextStartSaysWhatBecameOfAChangeInDoubtAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		done bool
		says string
	}{
		"written":     {true, "but the change is in force"},
		"not written": {false, "the store still has the old value"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := flagFile(t, fleetFile)
			j := interrupted(t, path, 5*time.Minute, c.done)
			before, err := os.ReadFile(path)
			require.NoError(t, err)
			s := open(t, 140, 30, nil, "--flags", "flagd:"+path)
			s.awaitText("1 change was in doubt: checkout-v2", "by ben at", c.says)
			s.press("j")
			s.await("an empty status", func(text string) bool { return lineWith(text, "was in doubt") == "" })
			require.Zero(t, s.quit())
			after, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, string(before), string(after))
			entries, _, err := j.Read(0)
			require.NoError(t, err)
			require.Len(t, entries, 1)
			require.NotEqual(t, sources.Pending, entries[0].Outcome, "told once, not at every start")
		})
	}
}

func TestATornLineOfTheJournalIsSaidAtTheStart(t *testing.T) {
	t.Parallel()
	path := flagFile(t, fleetFile)
	file := flagd.New("prod", path).JournalPath()
	require.NoError(t, os.WriteFile(file, []byte(`{"v":1,"type":"int`), 0o600))
	s := open(t, 140, 30, nil, "--flags", "flagd:"+path)
	s.awaitText("the last line of journal", "is incomplete")
	require.Zero(t, s.quit())
}
