package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// unwritable is a folder with a flag file in which nobody can write, root included.
func unwritable(t *testing.T) (flags string) {
	t.Helper()
	d := newDisk(t, "")
	flags = filepath.Join(d.dir, "prod.flagd.json")
	require.NoError(t, os.WriteFile(flags, []byte(twoFlags), 0o644))
	require.NoError(t, unix.Mount("", d.dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
	return flags
}

func TestTheDoctorSaysThatAFlagFileCannotBeChangedFromHere(t *testing.T) {
	t.Parallel()
	r := runIn(t, cleanEnv(t), "doctor", "--flags", "flagd:"+unwritable(t))
	require.Zero(t, r.code, "looking works: "+r.stderr)
	require.Regexp(t, `4 flags in .*; cannot be changed: .*its directory cannot be written \(read-only file system\)`, r.stdout)

	require.NotContains(t, r.stdout, "the journal", "it would lie in the state directory, whose folders are made when they are needed")

	d := newDisk(t, "")
	flags := filepath.Join(d.dir, "prod.flagd.json")
	require.NoError(t, os.WriteFile(flags, []byte(twoFlags), 0o644))
	d.fill()
	require.Contains(t, runIn(t, cleanEnv(t), "doctor", "--flags", "flagd:"+flags).stdout, "cannot be changed: ")
	d.free()
	require.NotContains(t, runIn(t, cleanEnv(t), "doctor", "--flags", "flagd:"+flags).stdout, "cannot be changed")
	left, err := filepath.Glob(filepath.Join(d.dir, ".*.tmp"))
	require.NoError(t, err)
	require.Empty(t, left, "what was tried is taken back")
}

func TestWhatMayNotBeWrittenIsNotCalledUnreadable(t *testing.T) {
	t.Parallel()
	const nobody = 65534
	if os.Getuid() != 0 {
		t.Skip("only root may run a program as nobody")
	}
	require.NoError(t, os.Chmod(filepath.Dir(binary), 0o711))
	home := filepath.Join(t.TempDir(), "of-root")
	require.NoError(t, os.Mkdir(home, 0o700))
	for _, args := range [][]string{{"config", "init", filepath.Join(home, "c.yaml")}, {"man", filepath.Join(home, "man")}} {
		cmd := exec.Command(binary, args...)
		cmd.Dir, cmd.Env = "/", []string{"HOME=/"}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		said, err := cmd.CombinedOutput()
		require.Error(t, err)
		require.Equal(t, exitFailed, cmd.ProcessState.ExitCode(), string(said))
		require.Contains(t, string(said), "you may not write there")
		require.Contains(t, string(said), home)
	}
}
