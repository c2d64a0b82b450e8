//go:build !linux

package flagfile

import "os"

// keepACL does nothing: access lists are kept on Linux alone.
func keepACL(*os.File, string) (warning string) { return "" }
