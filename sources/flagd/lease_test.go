package flagd_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/flagd"
	"relctl-tui/sources/flagfile"
)

func TestALeaseThatNobodyRenewsIsFreeAgain(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f.json")
	require.NoError(t, os.WriteFile(path, []byte(`{"flags":{}}`), 0o600))
	now := time.Unix(1_800_000_000, 0)
	s := flagd.New("prod", path, flagfile.WithNow(func() time.Time { return now }))
	id := sources.FlagID{Source: "prod", Key: "x"}
	ana := sources.Lease{Flag: id, Token: "ana", Owner: "ana"}
	ben := sources.Lease{Flag: id, Token: "ben", Owner: "ben"}
	require.NoError(t, s.TakeLease(t.Context(), ana, ""))
	now = now.Add(sources.LeaseFor - time.Millisecond)
	require.ErrorIs(t, s.TakeLease(t.Context(), ben, ""), sources.ErrConflict)
	now = now.Add(time.Millisecond)
	all, err := s.Leases(t.Context())
	require.NoError(t, err)
	require.Empty(t, all)
	require.NoError(t, s.TakeLease(t.Context(), ben, ""))
	require.ErrorIs(t, s.TakeLease(t.Context(), ana, ""), sources.ErrConflict)
}

func TestALeaseFileOfGarbageHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "f.json")
	require.NoError(t, os.WriteFile(path, []byte(`{"flags":{}}`), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".f.json.relctl.leases.json"), []byte("\x00garbage"), 0o600))
	s := flagd.New("prod", path)
	all, err := s.Leases(t.Context())
	require.NoError(t, err)
	require.Empty(t, all)
	require.NoError(t, s.TakeLease(t.Context(), sources.Lease{Flag: sources.FlagID{Source: "prod", Key: "x"}, Token: "t"}, ""))
}
