//go:build !unix

package flagfile

import (
	"io/fs"
	"os"
)

// keepOwner keeps the mode alone: ownership here is inherited from the directory.
func keepOwner(_ *os.File, old fs.FileInfo) (warning string, mode fs.FileMode) {
	return "", old.Mode().Perm()
}
