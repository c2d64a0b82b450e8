//go:build unix

package ui

import (
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// nobodyResumes tells whether this process group is an orphaned one: no shell of
// the same session watches it, as when a login or a terminal window runs the board
// itself. A stop would be for ever there.
func nobodyResumes() bool {
	group := unix.Getpgrp()
	session, err := unix.Getsid(0)
	if err != nil || group == session {
		return true
	}
	parent := os.Getppid()
	if parent == 0 { // it is out of sight, and 0 would mean ourselves below
		return true
	}
	if g, err := unix.Getpgid(parent); err == nil && g == group {
		return false // a script stands between, and the shell that made the group is behind it
	}
	s, err := unix.Getsid(parent)
	return err != nil || s != session
}

// notifyJobs has the signals of job control sent there.
func notifyJobs(stops, conts chan<- os.Signal) {
	signal.Notify(stops, syscall.SIGTSTP)
	signal.Notify(conts, syscall.SIGCONT)
}

// stopGroup stops this process and those that its shell stops with it. SIGTSTP
// cannot be given its default back once it was asked for.
func stopGroup() error { return unix.Kill(0, unix.SIGSTOP) }
