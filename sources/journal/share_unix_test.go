//go:build unix

package journal_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources/journal"
)

func TestAJournalInAFolderOfAGroupIsTheGroupsToo(t *testing.T) {
	t.Parallel()
	for mode, want := range map[os.FileMode]os.FileMode{
		0o700: 0o600, 0o755: 0o600, 0o770: 0o660, 0o775: 0o660, 0o777 | os.ModeSticky: 0o600,
	} {
		dir := t.TempDir()
		require.NoError(t, os.Chmod(dir, mode))
		path := filepath.Join(dir, "flags.jsonl")
		require.NoError(t, journal.Open(path, journal.Options{}).Intent(entry("01")))
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, want, info.Mode().Perm(), mode.String())
	}
}

func TestTwoUsersOfOneGroupShareAJournal(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root may act as two users")
	}
	const team, nobody = 4242, 65534
	dir, err := os.MkdirTemp("", "team")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chown(dir, 0, team))
	require.NoError(t, os.Chmod(dir, 0o770))
	exe := filepath.Join(dir, "writer.test")
	raw, err := os.ReadFile(os.Args[0])
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(exe, raw, 0o755))
	path := filepath.Join(dir, "flags.jsonl")
	writeMany(t, path, "p0", 100)
	cmd := exec.Command(exe, "-test.run=TestWriterProcess")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "JOURNAL_TEST_PATH="+path, fmt.Sprintf("JOURNAL_TEST_NAME=p%d", 1))
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: team}}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	requireAll(t, path, 2, 100, "p")
}
