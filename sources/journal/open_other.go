//go:build !unix

package journal

import "os"

// openExisting opens a journal for appending.
func openExisting(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0)
}
