//go:build unix

package sourcetest

import (
	"os/exec"
	"syscall"
)

// runAs lets a program run as somebody else, unless that is nil, and on demand as the
// head of a group of processes.
func runAs(cmd *exec.Cmd, as *account, group bool) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: group}
	if as != nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(as.uid), Gid: uint32(as.gid)}
	}
}

// killGroup ends what runAs made the head of a group, with all of the group.
func killGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
