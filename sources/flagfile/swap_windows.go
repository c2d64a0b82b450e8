package flagfile

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// openDir is nil: a directory cannot be synced here, and NTFS journals a rename by
// itself.
func openDir(string) *os.File { return nil }

// How long a rename waits: a file that somebody reads cannot be replaced here, and
// reading one takes milliseconds.
const (
	renameTries = 50
	renamePause = 20 * time.Millisecond
)

// What a rename answers while somebody has the file open.
const (
	errAccessDenied     = syscall.Errno(5)
	errSharingViolation = syscall.Errno(32)
)

// rename puts a file into another's place, as soon as nobody has that open.
func rename(from, to string) (err error) {
	for range renameTries {
		err = os.Rename(from, to)
		if !errors.Is(err, errAccessDenied) && !errors.Is(err, errSharingViolation) {
			return err
		}
		<-time.After(renamePause)
	}
	return err
}
