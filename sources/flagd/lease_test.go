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

func TestALeaseThatNoClockThatIsRightCanHaveGivenSaysSo(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f.json")
	require.NoError(t, os.WriteFile(path, []byte(`{"flags":{}}`), 0o600))
	now := time.Unix(1_800_000_000, 0)
	ahead := time.Duration(0)
	theirs := flagd.New("prod", path, flagfile.WithNow(func() time.Time { return now.Add(ahead) }))
	ours := flagd.New("prod", path, flagfile.WithNow(func() time.Time { return now }))
	id := sources.FlagID{Source: "prod", Key: "x"}
	ana := sources.Lease{Flag: id, Token: "ana", Owner: "ana on web-1"}
	ben := sources.Lease{Flag: id, Token: "ben", Owner: "ben"}

	ahead = 50 * time.Second
	require.NoError(t, theirs.TakeLease(t.Context(), ana, ""))
	err := ours.TakeLease(t.Context(), ben, "")
	require.ErrorIs(t, err, sources.ErrConflict)
	require.NotContains(t, err.Error(), "clock", "clocks differ a little")

	ahead = 365 * 24 * time.Hour
	require.NoError(t, theirs.TakeLease(t.Context(), ana, ""))
	err = ours.TakeLease(t.Context(), ben, "")
	require.ErrorIs(t, err, sources.ErrConflict)
	require.ErrorContains(t, err, "x is run by ana on web-1 until 2028-01-15 08:00 UTC, though no lease lasts longer than 15s: the clock of whoever took it, or the one here, was wrong")
	require.ErrorContains(t, err, "take the ramp over where nobody runs it any more")
	require.NoError(t, ours.TakeLease(t.Context(), ben, "ana"), "which is how it ends")
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
