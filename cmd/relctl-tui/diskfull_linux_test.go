package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/sources/flagd"
	"relctl-tui/sources/journal"
	"relctl-tui/sources/sourcetest"
)

// disk is a small file system of the test's own, that can be filled and made
// read-only.
type disk struct {
	t   testing.TB
	dir string
}

func newDisk(t testing.TB, options string) *disk {
	t.Helper()
	d := &disk{t: t, dir: t.TempDir()}
	err := unix.Mount("tmpfs", d.dir, "tmpfs", 0, "size=128k"+options)
	if err != nil {
		if os.Getenv(sourcetest.RequireRealEnv) == "1" {
			t.Fatalf("no disk can be mounted here, and %s=1: %v", sourcetest.RequireRealEnv, err)
		}
		t.Skipf("no disk can be mounted here, root may: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, unix.Unmount(d.dir, unix.MNT_DETACH)) })
	return d
}

// fill takes every page that is free. What is left of a file's last page stays the
// file's.
func (d *disk) fill() {
	d.t.Helper()
	f, err := os.Create(filepath.Join(d.dir, "filler"))
	require.NoError(d.t, err)
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, os.Getpagesize()))
	}
	require.ErrorIs(d.t, err, unix.ENOSPC)
}

func (d *disk) free() {
	d.t.Helper()
	require.NoError(d.t, os.Remove(filepath.Join(d.dir, "filler")))
}

func (d *disk) readOnly() {
	d.t.Helper()
	require.NoError(d.t, unix.Mount("", d.dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
}

func (d *disk) files() (names []string) {
	d.t.Helper()
	entries, err := os.ReadDir(d.dir)
	require.NoError(d.t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// apart is a bench whose journal lies on a disk of its own.
type apart struct {
	*bench
	disk    *disk
	config  string
	journal string
}

func newApart(t testing.TB) *apart {
	t.Helper()
	a := &apart{bench: newBench(t), disk: newDisk(t, ""), config: filepath.Join(t.TempDir(), "config.yaml")}
	a.journal = filepath.Join(a.disk.dir, "prod.jsonl")
	require.NoError(t, os.WriteFile(a.config, fmt.Appendf(nil,
		"contexts:\n  prod:\n    flags: [{dsn: %q, name: prod, journal: %q}]\n", "flagd:"+a.path, a.journal), 0o600))
	return a
}

func (a *apart) run(args ...string) result {
	a.t.Helper()
	return runIn(a.t, a.env, append([]string{"--config", a.config}, args...)...)
}

// leave makes the journal so long that n bytes of its last page are left, and
// fills the rest of the disk.
func (a *apart) leave(n int) {
	a.t.Helper()
	f, err := os.OpenFile(a.journal, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(a.t, err)
	defer f.Close()
	const head, tail = `{"v":2,"type":"note","id":"x","text":"`, "\"}\n"
	info, err := f.Stat()
	require.NoError(a.t, err)
	page := os.Getpagesize()
	pad := 2*page - n - (int(info.Size())+len(head)+len(tail))%page
	_, err = fmt.Fprint(f, head, strings.Repeat("x", pad), tail)
	require.NoError(a.t, err)
	a.disk.fill()
}

// undoable says that a change is on record and can be taken back.
func (a *apart) undoable(before string) {
	a.t.Helper()
	require.Zero(a.t, a.run("undo").code)
	require.Equal(a.t, before, a.file())
}

func TestOnAFullJournalDiskARampIsRefusedAndAKillGoesThroughAndSaysSo(t *testing.T) {
	t.Parallel()
	a := newApart(t)
	require.Zero(t, a.run("ramp", "checkout-v2").code)
	a.leave(100) // the next record is cut short by the end of the disk
	before := a.file()
	for _, args := range [][]string{{"ramp", "checkout-v2"}, {"ramp", "checkout-v2", "back"}, {"ramp", "checkout-v2", "30"}, {"undo"}} {
		r := a.run(args...)
		require.Equal(t, exitFailed, r.code, args)
		require.Equal(t, "relctl-tui: nothing was changed because it could not be recorded: journal "+a.journal+
			" cannot be written (no space left on device), check the disk and its permissions\n", r.stderr)
		require.Empty(t, r.stdout)
		require.Equal(t, before, a.file())
	}
	r := a.run("kill", "checkout-v2")
	require.Zero(t, r.code, r.stderr)
	require.Contains(t, r.stdout, "checkout-v2 50% → killed confirmed")
	require.Equal(t, "relctl-tui: the journal could not be written, so undo will not know of this kill: journal "+a.journal+
		" cannot be written (no space left on device), check the disk and its permissions\n", r.stderr)
	require.Contains(t, a.file(), `"state": "DISABLED"`)
	log := a.run("log")
	require.Contains(t, log.stderr, "is incomplete and was skipped")
	require.Len(t, lines(log.stdout), 2)
	require.Contains(t, log.stdout, "confirmed")

	a.disk.free()
	before = a.file()
	require.Zero(t, a.run("ramp", "checkout-v2", "40").code)
	log = a.run("log")
	require.Contains(t, log.stderr, "1 line(s) of journal", "the torn line has swallowed no other")
	require.Regexp(t, `checkout-v2 +killed +40% +confirmed`, log.stdout)
	a.undoable(before)
}

func TestAResultThatFindsNoRoomIsToldAndSettledAtTheNextStart(t *testing.T) {
	t.Parallel()
	a := newApart(t)
	before := a.file()
	require.Zero(t, a.run("ramp", "checkout-v2").code)
	raw, err := os.ReadFile(a.journal)
	require.NoError(t, err)
	a.undoable(before)
	a.leave(len(lines(string(raw))[0]) + 50) // room for an intent and less than a result
	r := a.run("ramp", "checkout-v2")
	require.Zero(t, r.code, r.stderr)
	require.Contains(t, r.stdout, "checkout-v2 25% → 50% confirmed")
	require.Contains(t, r.stderr, "the result could not be recorded: journal "+a.journal+" cannot be written (no space left on device)")
	a.disk.free()
	now := func() time.Time { return time.Now().Add(time.Hour) }
	doubts := control.New(control.Options{Now: now, Stores: []control.Store{{
		Name: "prod", Driver: flagd.New("prod", a.path), Journal: journal.Open(a.journal, journal.Options{}),
	}}}).InDoubt()
	require.Len(t, doubts, 1)
	require.Contains(t, r.stdout, doubts[0].ID)
	require.Equal(t, sources.Confirmed, doubts[0].Outcome)
	require.Regexp(t, `checkout-v2 +25% +50% +confirmed`, a.run("log").stdout)
	a.undoable(before)
}

func TestOnAReadOnlyJournalDiskARampIsRefusedAndAKillGoesThroughAndSaysSo(t *testing.T) {
	t.Parallel()
	for name, earlier := range map[string]int{"that has a journal": 1, "that has none": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newApart(t)
			for range earlier {
				require.Zero(t, a.run("ramp", "checkout-v2").code)
			}
			a.disk.readOnly()
			before := a.file()
			r := a.run("ramp", "checkout-v2")
			require.Equal(t, exitFailed, r.code)
			require.Len(t, lines(r.stderr), 1)
			require.Contains(t, r.stderr, "nothing was changed because it could not be recorded")
			require.Contains(t, r.stderr, "read-only file system")
			require.Equal(t, before, a.file())
			r = a.run("kill", "checkout-v2")
			require.Zero(t, r.code)
			require.Contains(t, r.stdout, "killed confirmed")
			require.Len(t, lines(r.stderr), 1)
			require.Contains(t, r.stderr, "so undo will not know of this kill")
			require.Contains(t, r.stderr, "read-only file system")
			require.Contains(t, a.file(), `"state": "DISABLED"`)
		})
	}
}

func TestALimitOnTheSizeOfFilesStopsTheJournalAndNoKill(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	require.NoError(t, os.WriteFile(flagd.New("", b.path).JournalPath(), bytes.Repeat([]byte{'\n'}, 2048), 0o600))
	limited := func(args ...string) result {
		var out, errs bytes.Buffer
		cmd := exec.Command("sh", append([]string{"-c", `ulimit -f 4 && exec "$0" "$@"`, binary, "--flags", "flagd:" + b.path}, args...)...)
		cmd.Env, cmd.Stdout, cmd.Stderr = b.env, &out, &errs
		_ = cmd.Run() // its exit code says how it went
		return result{stdout: out.String(), stderr: errs.String(), code: cmd.ProcessState.ExitCode()}
	}
	r := limited("ramp", "checkout-v2")
	require.Equal(t, exitFailed, r.code, r.stdout)
	require.Contains(t, r.stderr, "(file too large), check the disk")
	require.Equal(t, twoFlags, b.file())
	r = limited("kill", "checkout-v2")
	require.Zero(t, r.code)
	require.Contains(t, r.stderr, "so undo will not know of this kill")
	require.Contains(t, b.file(), `"state": "DISABLED"`)
}

// onDisk is a bench whose flags lie on a disk of their own.
func onDisk(t testing.TB, options string) (*bench, *disk) {
	t.Helper()
	b, d := newBench(t), newDisk(t, options)
	b.path = filepath.Join(d.dir, "prod.flagd.json")
	require.NoError(t, os.WriteFile(b.path, []byte(twoFlags), 0o644))
	return b, d
}

func TestOnAFullDiskTheFlagsStayAsTheyWereAndNothingIsLeftBehind(t *testing.T) {
	t.Parallel()
	b, d := onDisk(t, "")
	require.Zero(t, b.run("ramp", "checkout-v2").code)
	before, records := b.file(), b.run("log").stdout
	d.fill()
	files := d.files()
	for _, args := range [][]string{{"kill", "checkout-v2"}, {"ramp", "checkout-v2"}, {"undo"}} {
		r := b.run(args...)
		require.Equal(t, exitFailed, r.code, args)
		require.Equal(t, "relctl-tui: "+b.path+": its disk is full (no space left on device), nothing was changed; free some space and repeat\n", r.stderr)
		require.Empty(t, r.stdout)
		require.Equal(t, before, b.file())
		require.Equal(t, files, d.files())
		require.Equal(t, records, b.run("log").stdout, "what was not done is not on record")
	}
	d.free()
	require.Zero(t, b.run("kill", "checkout-v2").code)
	require.Zero(t, b.run("undo").code)
	require.Equal(t, before, b.file())
}

func TestADiskWithoutRoomForALockIsFullInTheSameWords(t *testing.T) {
	t.Parallel()
	b, d := onDisk(t, ",nr_inodes=2") // the folder and the flags
	r := b.run("kill", "checkout-v2")
	require.Equal(t, exitFailed, r.code)
	require.Contains(t, r.stderr, "its disk is full (no space left on device), nothing was changed")
	require.Equal(t, twoFlags, b.file())
	require.Equal(t, []string{"prod.flagd.json"}, d.files())
}

func TestFlagsOnAReadOnlyDiskAreReadOnly(t *testing.T) {
	t.Parallel()
	for name, earlier := range map[string]int{"changed before": 1, "never changed": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, d := onDisk(t, "")
			for range earlier {
				require.Zero(t, b.run("ramp", "checkout-v2").code)
			}
			d.readOnly()
			before, files := b.file(), d.files()
			for _, args := range [][]string{{"kill", "checkout-v2"}, {"ramp", "checkout-v2", "40"}} {
				r := b.run(args...)
				require.Equal(t, exitRefused, r.code, args)
				require.Equal(t, "relctl-tui: "+b.path+": its directory cannot be written (read-only file system), so the flags are read-only for you\n", r.stderr)
				require.Equal(t, before, b.file())
				require.Equal(t, files, d.files())
			}
			require.Zero(t, b.run("flags").code, "they are shown all the same")
		})
	}
}

func TestTheBoardKillsWithAFullJournalDiskAndSaysThatUndoWillNotKnow(t *testing.T) {
	t.Parallel()
	a := newApart(t)
	require.NoError(t, os.WriteFile(a.path, []byte(fleetFile), 0o644))
	a.leave(100)
	s := open(t, 120, 40, nil, "--config", a.config)
	s.awaitLine("checkout-v2", "25")
	pick(s, "checkout")
	s.press("+")
	says := func(parts string) {
		s.await(parts, func(text string) bool { // over as many lines as it takes
			return strings.Contains(strings.Join(strings.Fields(text), " "), parts)
		})
	}
	says("nothing was changed because it could not be recorded: journal " + a.journal + " cannot be written (no space left on device)")
	require.Equal(t, fleetFile, a.file())
	pause(450 * time.Millisecond)
	s.press("K")
	s.awaitFile(a.path, has(`"state": "DISABLED"`))
	s.awaitLine("checkout-v2", "killed")
	says("s, but the journal could not be written, so undo will not know of this kill: journal " + a.journal + " cannot be written (no space left on device)")
	require.Zero(t, s.quit())
}

func TestAFullDiskEndsARecordingWithASentenceAndNotTheBoard(t *testing.T) {
	if testing.Short() {
		t.Skip("it fills a disk under a board")
	}
	t.Parallel()
	d := newDisk(t, "")
	file := filepath.Join(d.dir, "r.jsonl.gz")
	s := open(t, 100, 30, nil, "demo", "--record", file)
	s.awaitText("REC")
	s.awaitLine("payment API", "ms")
	s.await("a recording with something in it", func(string) bool {
		_, code := run(t, nil, "replay", file)
		return code == 0
	})
	d.fill()
	s.awaitText("has stopped (no space left on device)", "board goes on")
	require.NotContains(t, s.text(), " REC ")
	s.press("/", "l", "o", "y", "a", "l", "\r")
	s.awaitLine("▸", "loyalty-points")
	s.press("K")
	s.awaitText("➔ killed confirmed")
	require.Zero(t, s.quit())
	require.Contains(t, string(s.output(0)), "has stopped (no space left on device)")
	out, code := run(t, nil, "replay", file)
	require.Zero(t, code)
	require.Contains(t, out, "snapshots from")
}
