//go:build !unix

package sourcetest

import "os/exec"

// runAs does nothing: the servers of tests are started on Unix alone.
func runAs(*exec.Cmd, *account, bool) {}

// killGroup ends the program alone.
func killGroup(cmd *exec.Cmd) { _ = cmd.Process.Kill() }
