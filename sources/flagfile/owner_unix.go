//go:build unix

package flagfile

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// keepOwner gives the new file its predecessor's owner and group as far as
// this user may.
func keepOwner(f *os.File, old fs.FileInfo) (warning string, mode fs.FileMode) {
	mode = old.Mode().Perm()
	was, ok := old.Sys().(*syscall.Stat_t)
	mine, err := f.Stat()
	if !ok || err != nil {
		return "", mode
	}
	is, ok := mine.Sys().(*syscall.Stat_t)
	if !ok || (is.Uid == was.Uid && is.Gid == was.Gid) {
		return "", mode
	}
	if f.Chown(int(was.Uid), int(was.Gid)) == nil {
		return "", mode
	}
	if is.Gid == was.Gid || f.Chown(-1, int(was.Gid)) == nil {
		return fmt.Sprintf("the file's owner is now user %d, it was %d", is.Uid, was.Uid), mode
	}
	// Another group than before must not gain the right to write.
	return fmt.Sprintf("the file's owner is now user %d of group %d, it was %d of %d", is.Uid, is.Gid, was.Uid, was.Gid), mode &^ 0o020
}
