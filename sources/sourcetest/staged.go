package sourcetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
)

// Staged is a flagd definition whose variants are the stages of a migration, with
// cohorts at two of them.
const Staged = `{"state": "ENABLED",
    "variants": {"off": "off", "dualwrite": "dualwrite", "shadow": "shadow", "live": "live", "rampdown": "rampdown", "complete": "complete"},
    "defaultVariant": "off", "targeting": {"fractional": [["shadow", 90], ["live", 10]]}, "metadata": {"owner": "orders"}}`

func (s suite) moves(t *testing.T) {
	f := s.open(t)
	if f.Staged.Key == "" {
		before := list(t, f)
		_, err := writer(f).Apply(t.Context(), sources.Change{ID: "1", Flag: f.Split, Kind: sources.Move, Variant: "on", Commit: never(t)})
		require.ErrorIs(t, err, sources.ErrUnsupported)
		require.Equal(t, before.Revision, list(t, f).Revision, "nothing was written")
		return
	}
	before := flag(t, f, f.Staged)
	require.Equal(t, []sources.Share{{Variant: "shadow", Of: sources.Pct(90)}, {Variant: "live", Of: sources.Pct(10)}}, before.Serves)
	seen := before.Revision
	var first sources.Receipt
	for i, stage := range append(sources.DefaultStages(), "live", "off") {
		got := do(t, f, sources.Change{ID: "m", Flag: f.Staged, Kind: sources.Move, Variant: stage, Seen: seen})
		require.Equal(t, []sources.Share{{Variant: stage, Of: sources.Full}}, got.New.Serves)
		require.False(t, got.New.Killed)
		if seen = got.New.Revision; i == 0 {
			first = got
			undone := do(t, f, sources.Change{ID: "u", Flag: f.Staged, Kind: sources.Undo, Seen: seen, Restore: got.Restore})
			require.Equal(t, before, undone.New)
			seen = undone.New.Revision
		}
	}
	killed := do(t, f, sources.Change{ID: "k", Flag: f.Staged, Kind: sources.Kill})
	require.Equal(t, []sources.Share{{Variant: "off", Of: sources.Full}}, killed.New.Serves, "what is written down")
	revived := do(t, f, sources.Change{ID: "m", Flag: f.Staged, Kind: sources.Move, Variant: "shadow", Seen: killed.New.Revision})
	require.False(t, revived.New.Killed)
	for _, c := range []sources.Change{
		{ID: "x", Variant: "no such stage", Seen: revived.New.Revision},
		{ID: "y", Variant: "", Seen: revived.New.Revision},
	} {
		c.Flag, c.Kind, c.Commit = f.Staged, sources.Move, never(t)
		_, err := writer(f).Apply(t.Context(), c)
		require.ErrorIs(t, err, sources.ErrUnsupported)
	}
	_, err := writer(f).Apply(t.Context(), sources.Change{ID: "z", Flag: f.Staged, Kind: sources.Move, Variant: "live", Seen: first.New.Revision, Commit: never(t)})
	require.ErrorIs(t, err, sources.ErrConflict)
}
