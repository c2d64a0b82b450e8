package flagfile

import (
	"os"

	"golang.org/x/sys/unix"
)

// keptOpen says whether the file that is about to be replaced stays open until that is
// durable: freeing its blocks costs as much as a commit, and would be a part of the rename
// otherwise. A network file system renames what is open out of the way first, and for that
// moment nobody would find the flags; so it is for the local ones that are known.
func keptOpen(f *os.File) bool {
	var fs unix.Statfs_t
	if err := unix.Fstatfs(int(f.Fd()), &fs); err != nil {
		return false
	}
	switch fs.Type {
	case unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC:
		return true
	default:
		return false
	}
}
