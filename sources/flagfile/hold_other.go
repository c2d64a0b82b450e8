//go:build !linux

package flagfile

import "os"

// keptOpen is false: that a rename is cheaper while the old file is open is known of
// Linux alone, and Windows replaces nothing that is open.
func keptOpen(*os.File) bool { return false }
