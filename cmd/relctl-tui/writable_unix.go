//go:build unix

package main

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// writable tells whether a file could be written, or made with the folders that it
// lacks, without trying it: a trial file beside the flags would wake everybody who
// watches them.
func writable(path string) bool {
	err := unix.Access(path, unix.W_OK)
	for dir := path; errors.Is(err, unix.ENOENT) && dir != filepath.Dir(dir); {
		dir = filepath.Dir(dir)
		err = unix.Access(dir, unix.W_OK|unix.X_OK)
	}
	return err == nil
}

// othersMayRead tells whether a file's mode lets anybody but its owner read it.
func othersMayRead(info os.FileInfo) bool { return info.Mode().Perm()&0o044 != 0 }
