//go:build unix

package sshserver

import (
	"os"
	"syscall"
)

// ownerOf is a file's owner and number; -1 where that is not known.
func ownerOf(info os.FileInfo) (owner int, ino uint64) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return -1, 0
	}
	return int(st.Uid), st.Ino
}

// permissions are what a file's mode lets whom do.
func permissions(info os.FileInfo) os.FileMode { return info.Mode().Perm() }
