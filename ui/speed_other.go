//go:build !linux

package ui

import "os"

// lineSpeed is unknown here.
func lineSpeed(*os.File) (bytes int) { return 0 }

// hasNoRoom is unknown here.
func hasNoRoom(*os.File) (full bool) { return false }
