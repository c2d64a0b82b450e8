package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"relctl-tui/sources/sourcetest"
)

func init() {
	flagFaultsHere = []flagFault{
		{name: "hang (the file system)", says: "its file system does not answer", begin: hangDir},
		{name: "hang (a lease)", says: "it cannot be read (resource temporarily unavailable)", begin: func(c *cell, path string) func() { return sourcetest.Lease(c, path) }},
		{name: "TLS error (not yours to read)", says: "you may not read it; ask its owner", board: boardOfNobody, begin: func(c *cell, path string) func() {
			require.NoError(c, os.Chmod(path, 0))
			return func() {}
		}},
	}
}

// hangDir mounts a file system over the file's folder whose server never answers, as
// a dead network file system does not. It takes the right to mount.
func hangDir(c *cell, path string) func() {
	dir := filepath.Dir(path)
	server, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err == nil {
		err = unix.Mount("hang", dir, "fuse", unix.MS_NOSUID|unix.MS_NODEV, fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0", server))
	}
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENODEV) {
		c.Skipf("a file system that hangs needs /dev/fuse and the right to mount: %v", err)
	}
	require.NoError(c, err)
	return func() {
		require.NoError(c, unix.Unmount(dir, unix.MNT_DETACH))
		require.NoError(c, unix.Close(server)) // whoever waits is let go
	}
}

// boardOfNobody is the program run by somebody without any rights: what root may
// not read there is not.
func boardOfNobody(c *cell, config string) *screen {
	const nobody = 65534
	attr := &syscall.SysProcAttr{Setsid: true, Setctty: true}
	home := c.TempDir()
	if os.Getuid() == 0 {
		attr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
		require.NoError(c, os.Chown(home, nobody, nobody))
		require.NoError(c, os.Chmod(filepath.Dir(binary), 0o711))
		for _, dir := range []string{home, filepath.Dir(config)} {
			require.NoError(c, os.Chmod(filepath.Dir(dir), 0o755)) // of all of the matrix
		}
		require.NoError(c, os.Chmod(config, 0o644))
	}
	return inside(c, faultWidth, faultHeight, func(ctx context.Context, tty *os.File) error {
		cmd := exec.CommandContext(ctx, binary, "--config", config)
		cmd.Env = append(os.Environ(), "HOME="+home, "XDG_STATE_HOME="+home, "XDG_CONFIG_HOME="+home)
		cmd.Stdin, cmd.Stdout, cmd.SysProcAttr = tty, tty, attr
		return cmd.Run()
	})
}
