package control_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"relctl-tui/sources"
)

// lease makes everybody else's open of a file wait, as a dead network file system
// does, until the lease is given back.
func lease(t *testing.T, path string) (giveBack func()) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	if _, err := unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_WRLCK); err != nil {
		_ = f.Close()
		t.Skipf("this file system has no leases: %v", err)
	}
	return func() { require.NoError(t, f.Close()) }
}

func TestARampWhoseJournalHangsGivesTheStoresLockBackForAKill(t *testing.T) {
	t.Parallel()
	d := sit(t)
	_, err := d.set(search, 50, "ana")
	require.NoError(t, err)
	before := d.bytes()
	giveBack := lease(t, d.j.Path())
	_, err = d.set(checkout, 50, "ana")
	require.ErrorIs(t, err, sources.ErrUnavailable)
	require.ErrorContains(t, err, "nothing was changed")
	require.ErrorContains(t, err, "did not answer")
	require.Equal(t, before, d.bytes())
	giveBack()
}
