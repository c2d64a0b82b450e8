//go:build unix

package journal

import (
	"errors"
	"os"
	"syscall"
)

// openExisting opens a journal for appending. os.OpenFile would ask the poller
// about it, which takes four more calls of the system, and every kill waits for
// them; O_NONBLOCK would spare them too, but turns a lease on the file, which is
// waited for, into an error.
func openExisting(path string) (*os.File, error) {
	for {
		fd, err := syscall.Open(path, syscall.O_RDWR|syscall.O_APPEND|syscall.O_CLOEXEC, 0)
		switch {
		case err == nil:
			return os.NewFile(uintptr(fd), path), nil
		case !errors.Is(err, syscall.EINTR):
			return nil, &os.PathError{Op: "open", Path: path, Err: err}
		}
	}
}
