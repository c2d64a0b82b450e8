package flagd_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/flagd"
)

func TestAChangeLeavesNoFileOpenWhetherItIsMadeOrNot(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "f.json")
	require.NoError(t, os.WriteFile(path, []byte(`{"flags":{"a":{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"on"}}}`), 0o600))
	s := flagd.New("prod", path)
	id := sources.FlagID{Source: "prod", Key: "a"}
	full := errors.New("the journal is full")

	refused := sources.Change{ID: "1", Flag: id, Kind: sources.Kill, Commit: func(sources.Planned) error { return full }}
	_, err := s.Apply(t.Context(), refused)
	require.ErrorIs(t, err, full)
	r, err := s.Apply(t.Context(), sources.Change{ID: "2", Flag: id, Kind: sources.Kill})
	require.NoError(t, err)
	_, err = s.Apply(t.Context(), sources.Change{ID: "3", Flag: id, Kind: sources.Undo, Seen: r.New.Revision, Restore: r.Restore})
	require.NoError(t, err)

	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	for _, e := range entries {
		leads, _ := os.Readlink(filepath.Join("/proc/self/fd", e.Name()))
		require.False(t, strings.HasPrefix(leads, dir), leads)
	}
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.False(t, slices.ContainsFunc(left, func(e os.DirEntry) bool { return strings.HasSuffix(e.Name(), ".tmp") }))
}
