package flagd_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/flagd"
)

// The tests of several processes run this binary again; what it is to do stands
// in the environment.
const roleEnv = "RELCTL_FLAGD_TEST_ROLE"

func TestMain(m *testing.M) {
	role, path, key := os.Getenv(roleEnv), os.Getenv("RELCTL_FLAGD_TEST_FILE"), os.Getenv("RELCTL_FLAGD_TEST_FLAG")
	if role != "" {
		becomeOther()
	}
	var err error
	switch role {
	case "":
		os.Exit(m.Run())
	case "ramp":
		err = rampMany(path, key)
	case "write":
		err = writeForever(path, key)
	case "kill":
		_, err = flagd.New("prod", path).Apply(context.Background(), sources.Change{ID: "1", Flag: id(key), Kind: sources.Kill})
	case "list":
		_, err = flagd.New("prod", path).Flags(context.Background())
	default:
		err = errors.New("no such role: " + role)
	}
	for sentinel, code := range exitCodes() {
		if errors.Is(err, sentinel) {
			fmt.Println(err)
			os.Exit(code)
		}
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(0)
}

// becomeOther gives up root's rights, after the start: the test binary itself
// lies where only root can read it.
func becomeOther() {
	uid, err := strconv.Atoi(os.Getenv("RELCTL_FLAGD_TEST_UID"))
	if err != nil {
		return
	}
	if err := errors.Join(syscall.Setgroups(nil), syscall.Setgid(uid), syscall.Setuid(uid)); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func exitCodes() map[error]int {
	return map[error]int{sources.ErrReadOnly: 21, sources.ErrUnauthorized: 22, sources.ErrConflict: 23}
}

const processRamps = 500

// rampMany makes many changes of one flag, each on the revision of the last.
func rampMany(path, key string) error {
	s := flagd.New("prod", path)
	f, err := s.Flag(context.Background(), id(key))
	if err != nil {
		return err
	}
	for i := range processRamps {
		got, err := s.Apply(context.Background(), sources.Change{
			ID: strconv.Itoa(i), Flag: id(key), Kind: sources.Set, To: sources.Percent(i + 1), Seen: f.Revision,
		})
		if err != nil {
			return err
		}
		f = got.New
	}
	return nil
}

// writeForever writes until it is killed and says so after each write.
func writeForever(path, key string) error {
	s := flagd.New("prod", path)
	for i := 0; ; i = (i + 1) % 100 {
		if _, err := s.Apply(context.Background(), sources.Change{ID: "1", Flag: id(key), Kind: sources.Set, To: sources.Pct(i)}); err != nil {
			return err
		}
		fmt.Println(i)
	}
}

func again(t *testing.T, role, path, key string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), roleEnv+"="+role, "RELCTL_FLAGD_TEST_FILE="+path, "RELCTL_FLAGD_TEST_FLAG="+key)
	return cmd
}

func TestTwoProcessesRampTwoFlagsOfOneFileAndNoEditIsLost(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a thousand synced writes")
	}
	path := file(t, shop)
	outputs := make(chan error, 2)
	for _, key := range []string{"checkout-v2", "dark-mode"} {
		cmd := again(t, "ramp", path, key)
		go func() {
			out, err := cmd.CombinedOutput()
			if err != nil {
				err = fmt.Errorf("%s: %w: %s", key, err, out)
			}
			outputs <- err
		}()
	}
	require.NoError(t, <-outputs)
	require.NoError(t, <-outputs)
	// Had an edit of one been lost to the other, its next compare would have failed.
	for _, f := range list(t, content(t, path)).Flags {
		require.Equal(t, sources.Some(sources.Percent(processRamps)), f.Rollout, f.Name)
	}
}

func TestAWriterKilledAtAnyMomentLeavesAFileThatParses(t *testing.T) {
	t.Parallel()
	kills := 200
	if testing.Short() {
		kills = 12
	}
	const lanes = 4
	for lane := range lanes {
		t.Run(strconv.Itoa(lane), func(t *testing.T) {
			t.Parallel()
			path := file(t, shop)
			for i := range kills / lanes {
				killWriter(t, path)
				set, err := flagd.New("prod", path).Flags(context.Background())
				require.NoError(t, err, "after kill %d", i)
				require.Len(t, set.Flags, 2)
				require.Equal(t, sources.FlagOff, set.Flags[1].State, "the other flag is untouched")
			}
			_, err := flagd.New("prod", path).Apply(context.Background(), sources.Change{ID: "1", Flag: id("checkout-v2"), Kind: sources.Kill})
			require.NoError(t, err, "the lock of a dead writer holds nobody up")
		})
	}
}

// killWriter lets a process write at least once and kills it somewhere inside
// one of the writes after it.
func killWriter(t *testing.T, path string) {
	t.Helper()
	cmd := again(t, "write", path, "checkout-v2")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	_, err = bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	<-time.After(rand.N(6 * time.Millisecond))
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()
}

func TestLeftoversOfCrashedWritersAreRemovedAndNothingElse(t *testing.T) {
	t.Parallel()
	path := file(t, shop)
	dir := filepath.Dir(path)
	old := time.Now().Add(-time.Hour)
	gone := ".prod.flagd.json.relctl-ABCDEFGHIJKLMNOPQRSTUVWXYZ.tmp"
	kept := []string{
		".prod.flagd.json.relctl-abc.tmp", ".prod.flagd.json.relctl-ABCDEFGHIJKLMNOPQRSTUVWXYZ.bak", ".prod.flagd.json.relctl.jsonl",
		".other.flagd.json.relctl-ABCDEFGHIJKLMNOPQRSTUVWXYZ.tmp", "prod.flagd.json.tmp",
	}
	for _, name := range append([]string{gone}, kept...) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
		require.NoError(t, os.Chtimes(filepath.Join(dir, name), old, old))
	}
	_, err := flagd.New("prod", path).Apply(context.Background(), sources.Change{ID: "1", Flag: id("dark-mode"), Kind: sources.Kill})
	require.NoError(t, err)
	require.NoFileExists(t, filepath.Join(dir, gone))
	for _, name := range kept {
		require.FileExists(t, filepath.Join(dir, name))
	}
}

func TestModeAndLinksAreKept(t *testing.T) {
	t.Parallel()
	path := file(t, shop)
	require.NoError(t, os.Chmod(path, 0o664))
	link := filepath.Join(t.TempDir(), "link.json")
	require.NoError(t, os.Symlink(path, link))
	s := flagd.New("prod", link)
	_, err := s.Apply(context.Background(), sources.Change{ID: "1", Flag: id("dark-mode"), Kind: sources.Kill})
	require.NoError(t, err)
	info, err := os.Lstat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o664), info.Mode())
	points, err := os.Readlink(link)
	require.NoError(t, err)
	require.Equal(t, path, points)
	require.Contains(t, content(t, path), "DISABLED")
	behind, err := filepath.EvalSymlinks(path)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(filepath.Dir(behind), ".prod.flagd.json.relctl.jsonl"), s.JournalPath())
	require.Equal(t, s.JournalPath(), flagd.New("prod", path).JournalPath())
}

// nobody is another user than the one who runs the tests as root.
const nobody = 65534

func asOther(t *testing.T, role, path, key string) (int, string) {
	t.Helper()
	cmd := again(t, role, path, key)
	if os.Getuid() == 0 {
		cmd.Env = append(cmd.Env, "RELCTL_FLAGD_TEST_UID="+strconv.Itoa(nobody))
	}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil {
		require.ErrorAs(t, err, &exit)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// openDir is a directory that other users may enter; t.TempDir is not.
func openDir(t *testing.T, mode os.FileMode) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "relctl-flagd")
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = os.Chmod(dir, 0o700)
		_ = os.RemoveAll(dir)
	})
	require.NoError(t, os.WriteFile(filepath.Join(dir, "prod.json"), []byte(shop), 0o644))
	require.NoError(t, os.Chmod(dir, mode))
	return dir
}

func TestADirectoryThatCannotBeWrittenMakesTheFlagsReadOnly(t *testing.T) {
	t.Parallel()
	path := filepath.Join(openDir(t, 0o555), "prod.json")
	code, out := asOther(t, "kill", path, "dark-mode")
	require.Equal(t, 21, code, out)
	require.Contains(t, out, "its directory cannot be written")
	require.Contains(t, out, "the flags are read-only for you")
	require.Equal(t, shop, content(t, path))
}

func TestAFileThatMayNotBeReadIsUnauthorised(t *testing.T) {
	t.Parallel()
	path := filepath.Join(openDir(t, 0o755), "prod.json")
	require.NoError(t, os.Chmod(path, 0o000))
	code, out := asOther(t, "list", path, "")
	require.Equal(t, 22, code, out)
	require.Contains(t, out, "you may not read it")
}

func TestTheOwnerIsKeptWhereTheUserMay(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root may give files away")
	}
	path := file(t, shop)
	require.NoError(t, os.Chown(path, nobody, nobody))
	got, err := flagd.New("prod", path).Apply(context.Background(), sources.Change{ID: "1", Flag: id("dark-mode"), Kind: sources.Kill})
	require.NoError(t, err)
	require.Empty(t, got.Warning)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, uint32(nobody), info.Sys().(*syscall.Stat_t).Uid)
}

func TestTwoOperatorsShareAFileThroughItsGroup(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root may act as two users")
	}
	dir := openDir(t, 0o777)
	path := filepath.Join(dir, "prod.json")
	_, err := flagd.New("prod", path).Apply(context.Background(), sources.Change{ID: "1", Flag: id("checkout-v2"), Kind: sources.Kill})
	require.NoError(t, err, "root leaves a lock file behind")
	code, out := asOther(t, "kill", path, "dark-mode")
	require.Zero(t, code, out)
	require.Equal(t, 2, strings.Count(content(t, path), "DISABLED"))
}

func TestALockFileOfAStrictUmaskIsOpenedForTheOthers(t *testing.T) {
	t.Parallel()
	path := file(t, shop)
	lock := filepath.Join(filepath.Dir(path), ".prod.flagd.json.relctl.lock")
	require.NoError(t, os.WriteFile(lock, nil, 0o600))
	_, err := flagd.New("prod", path).Apply(context.Background(), sources.Change{ID: "1", Flag: id("dark-mode"), Kind: sources.Kill})
	require.NoError(t, err)
	info, err := os.Stat(lock)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o644), info.Mode())
}

func TestAWriterWaitsForTheLockOnlyUntilItsContextEnds(t *testing.T) {
	t.Parallel()
	path := file(t, shop)
	s := flagd.New("prod", path)
	inside, done := make(chan struct{}), make(chan error, 1)
	release := make(chan struct{})
	go func() {
		_, err := s.Apply(context.Background(), sources.Change{ID: "1", Flag: id("dark-mode"), Kind: sources.Kill, Commit: func(sources.Planned) error {
			close(inside)
			<-release
			return nil
		}})
		done <- err
	}()
	<-inside
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, err := flagd.New("prod", path).Apply(ctx, sources.Change{ID: "2", Flag: id("checkout-v2"), Kind: sources.Kill})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorIs(t, err, sources.ErrUnavailable)
	require.Contains(t, err.Error(), "another writer holds the file's lock")
	close(release)
	require.NoError(t, <-done)
	require.Equal(t, 1, strings.Count(content(t, path), "DISABLED"))
}

func TestAnEditorThatIgnoresTheLockIsNotOverwritten(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		from, to string
		want     error
	}{
		"another flag was edited": {`"dark-mode"`, `"bright-mode"`, nil},
		"this flag was edited":    {`["on", 25], ["off", 75]`, `["on", 26], ["off", 74]`, sources.ErrConflict},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := file(t, shop)
			edited := strings.Replace(shop, c.from, c.to, 1)
			commits := 0
			_, err := flagd.New("prod", path).Apply(context.Background(), sources.Change{ID: "1", Flag: id("checkout-v2"), Kind: sources.Kill, Commit: func(sources.Planned) error {
				commits++
				return os.WriteFile(path, []byte(edited), 0o600)
			}})
			require.Equal(t, 1, commits)
			if c.want != nil {
				require.ErrorIs(t, err, c.want)
				require.Equal(t, edited, content(t, path))
				return
			}
			require.NoError(t, err)
			require.Equal(t, replaceFirst(edited, `"ENABLED"`, `"DISABLED"`), content(t, path))
		})
	}
}
