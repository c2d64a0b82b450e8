//go:build !linux

package main

import (
	"os"
	"testing"
)

// unread: only Linux tells how much of its input a terminal's program has not read yet.
func unread(*os.File) int { return 0 }

func setBaud(tb testing.TB, _ *os.File, _ int) {
	tb.Helper()
	tb.Skip("the speed of a pseudo terminal is set on Linux only")
}
