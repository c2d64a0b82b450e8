//go:build unix

package journal

import (
	"os"
	"path/filepath"
	"syscall"
)

// share opens a new journal to the group that shares its folder: whoever may
// replace the flags there has to be able to record it. In a sticky folder nobody
// replaces another's files, so there is nothing to share.
func share(f *os.File) {
	dir, err := os.Stat(filepath.Dir(f.Name()))
	if err != nil || dir.Mode().Perm()&0o020 == 0 || dir.Mode()&os.ModeSticky != 0 {
		return
	}
	group, ok := dir.Sys().(*syscall.Stat_t)
	if !ok || f.Chown(-1, int(group.Gid)) != nil {
		return // it stays private rather than open to another group
	}
	_ = f.Chmod(0o660) // whatever the umask says
}
