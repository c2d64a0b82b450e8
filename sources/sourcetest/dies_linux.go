package sourcetest

import (
	"os/exec"
	"syscall"
)

// DiesWithTest lets a server end with the test's process, however that ends.
func DiesWithTest(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
