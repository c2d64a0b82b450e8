package sourcetest

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Lease keeps everybody else from opening a file until it is given back, as a file
// server does for a client of its own, or one that is dead. Where a file system has
// no leases the test is skipped.
func Lease(t testing.TB, path string) (giveBack func()) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	if _, err := unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_WRLCK); err != nil {
		_ = f.Close()
		t.Skipf("this file system has no leases: %v", err)
	}
	return func() { require.NoError(t, f.Close()) }
}
