package main

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// unread is how many bytes that were sent to a terminal its program has not read yet; 0
// where nobody can tell.
func unread(tty *os.File) (n int) {
	conn, err := tty.SyscallConn()
	if err != nil {
		return 0
	}
	number := -1
	if err := conn.Control(func(fd uintptr) { number, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN) }); err != nil || number < 0 {
		return 0
	}
	fd, err := unix.Open(fmt.Sprintf("/dev/pts/%d", number), unix.O_RDONLY|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return 0
	}
	defer func() { _ = unix.Close(fd) }()
	n, err = unix.IoctlGetInt(fd, unix.TIOCINQ)
	if err != nil {
		return 0
	}
	return n
}

// setBaud makes a terminal say that its line has that speed.
func setBaud(tb testing.TB, tty *os.File, baud int) {
	tb.Helper()
	modes, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
	require.NoError(tb, err)
	modes.Cflag = modes.Cflag&^unix.CBAUD | map[int]uint32{9600: unix.B9600, 38400: unix.B38400}[baud]
	require.NoError(tb, unix.IoctlSetTermios(int(tty.Fd()), unix.TCSETS, modes))
}
