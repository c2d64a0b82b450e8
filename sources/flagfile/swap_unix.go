//go:build unix

package flagfile

import "os"

// openDir opens a directory, to be synced; nil where it may not be opened. It may be
// entered but not listed: then the rename stands.
func openDir(path string) *os.File {
	dir, err := os.OpenFile(path, os.O_RDONLY|plain, 0)
	if err != nil {
		return nil
	}
	return dir
}

// rename puts a file into another's place.
func rename(from, to string) error { return os.Rename(from, to) }
