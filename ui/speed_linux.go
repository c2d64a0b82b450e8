package ui

import (
	"os"

	"golang.org/x/sys/unix"
)

// lineSpeed is how many bytes a second a terminal says that its line takes; 0 where it
// says nothing, as with unsaid. SSH hands on what the terminal at its other end says.
func lineSpeed(f *os.File) (bytes int) {
	raw, err := f.SyscallConn()
	if err != nil {
		return 0
	}
	_ = raw.Control(func(fd uintptr) {
		if t, err := unix.IoctlGetTermios(int(fd), unix.TCGETS); err == nil {
			bytes = map[uint32]int{
				unix.B300: 30, unix.B600: 60, unix.B1200: 120, unix.B2400: 240, unix.B4800: 480, unix.B9600: 960, unix.B19200: 1920,
			}[t.Cflag&unix.CBAUD]
		}
	})
	return bytes
}

// hasNoRoom tells whether a write to a terminal would have to wait for its line.
func hasNoRoom(f *os.File) (full bool) {
	raw, err := f.SyscallConn()
	if err != nil {
		return false
	}
	_ = raw.Control(func(fd uintptr) {
		p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
		n, err := unix.Poll(p, 0)
		full = err == nil && n == 0
	})
	return full
}
