//go:build unix

package main

import (
	"os"

	"github.com/charmbracelet/x/termios"
	"golang.org/x/sys/unix"
)

// flowControl tells whether a terminal stops its output at ctrl+s.
func flowControl(tty *os.File) bool {
	t, err := termios.GetTermios(int(tty.Fd()))
	return err == nil && t.Iflag&unix.IXON != 0
}
