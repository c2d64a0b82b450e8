package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/record"
)

// The whole way: an incident on the real fleet is recorded, and shown again from the
// moment of the kill.
func TestAnIncidentIsRecordedAndReplayedAtAMomentWithoutARightToChangeAnything(t *testing.T) {
	if testing.Short() {
		t.Skip("it plays a story on a real fleet")
	}
	t.Parallel()
	dir := t.TempDir()
	file, flags := filepath.Join(dir, "incident.jsonl.gz"), filepath.Join(dir, "flags.json")
	state := filepath.Join(dir, "state")
	s := open(t, 100, 30, []string{"XDG_STATE_HOME=" + state}, "demo", "--flags-file", flags, "--record", file)
	s.awaitText("REC")
	s.press("/", "l", "o", "y", "a", "l", "\r")
	s.awaitLine("▸", "loyalty-points")
	s.press("-")
	s.awaitText("50% ➔ 25% confirmed")
	pause(2 * time.Second)
	s.press("K")
	s.awaitText("➔ killed confirmed")
	s.press("\x13") // ctrl+s
	s.awaitText("is saved: relctl-tui replay")
	pause(2 * time.Second)
	require.Zero(t, s.quit())
	require.Contains(t, string(s.output(0)), "relctl-tui replay "+file)

	for _, path := range append(saved(t, state), file) {
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	}
	rec, killed := momentOfKill(t, file)
	before, err := os.ReadFile(flags)
	require.NoError(t, err)

	r := open(t, 100, 30, []string{"TZ=UTC"}, "replay", file, "--at", killed.UTC().Format("15:04:05"), "--speed", "0.5")
	r.awaitText("x0.5", "nothing can be changed from here")
	r.press(" ")
	r.awaitText("REPLAY paused x0.5", "space pause")
	r.press("K")
	r.awaitText("a recording: what it shows is over, and nothing can be changed from here")
	r.press("N")
	r.awaitLine("loyalty-points", "50% ➔ 25%", "confirmed")
	r.await("no kill yet", func(text string) bool { return lineWith(text, "loyalty-points", "➔ killed") == "" })
	r.press("n")
	r.awaitLine("loyalty-points", "25% ➔ killed", "confirmed")
	for range 15 { // ten seconds each, up to the beginning, however long the machine took for what is recorded
		r.press("\x1b[D")
	}
	r.awaitText(rec.From.UTC().Format("2006-01-02 15:04:05"))
	require.Zero(t, r.quit())
	after, err := os.ReadFile(flags)
	require.NoError(t, err)
	require.Equal(t, before, after)
}

func saved(t *testing.T, state string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(state, "relctl-tui", "recordings", "*.jsonl.gz"))
	require.NoError(t, err)
	require.Len(t, paths, 1)
	return paths
}

func momentOfKill(t *testing.T, file string) (*record.Recording, time.Time) {
	t.Helper()
	f, err := os.Open(file)
	require.NoError(t, err)
	t.Cleanup(func() { _ = f.Close() })
	info, err := f.Stat()
	require.NoError(t, err)
	rec, err := record.Open(f, info.Size())
	require.NoError(t, err)
	last, _, err := rec.At(rec.To)
	require.NoError(t, err)
	for _, a := range last.Snapshot.Activity {
		if a.New == "killed" {
			return rec, a.At
		}
	}
	t.Fatal("the kill is not recorded")
	return nil, time.Time{}
}

func TestNoSecretOfTheConfigIsInARecording(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for a board to be recorded")
	}
	t.Parallel()
	dir := t.TempDir()
	config, file := filepath.Join(dir, "config.yaml"), filepath.Join(dir, "board.jsonl.gz")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "token"), []byte("s3cret-in-a-file"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "flags.json"), []byte(`{"flags":{}}`), 0o600))
	require.NoError(t, os.WriteFile(config, []byte(`
contexts:
  prod:
    flags:
      - dsn: flagd:flags.json
      - {dsn: "unleash+http://127.0.0.1:1?project=p&environment=e", token: "${UNLEASH_TOKEN}"}
    metrics:
      - {dsn: "http://127.0.0.1:1", username: ana, password: s3cret-as-password, headers: {X-Key: s3cret-in-a-header}, group: a}
      - {dsn: "http://127.0.0.1:2", token_file: token, group: b}
`), 0o600))
	s := open(t, 80, 24, []string{"UNLEASH_TOKEN=s3cret-in-the-environment"}, "--config", config, "--record", file)
	s.awaitText("REC")
	shown := s.await("a pane that says why", func(text string) bool { // and not the status line alone, which is no part of a recording
		return strings.Contains(text, "refuses") && !strings.Contains(text, "waiting for")
	})
	require.Zero(t, s.quit())
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	zip, err := gzip.NewReader(bytes.NewReader(data))
	require.NoError(t, err)
	text, err := io.ReadAll(zip)
	require.NoError(t, err)
	require.Contains(t, string(text), "refuses", "what was shown is recorded:\n%s", shown)
	require.NotContains(t, string(text), "s3cret")
}

func TestAReplayThatCannotBeSaysWhyInOneSentence(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "text")
	require.NoError(t, os.WriteFile(file, []byte("no recording"), 0o600))
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"replay"}, "takes one file"},
		{[]string{"replay", filepath.Join(dir, "none")}, "cannot be opened: no such file"},
		{[]string{"replay", dir}, "is no file"},
		{[]string{"replay", file}, "cannot be replayed: nothing of it can be read"},
		{[]string{"replay", file, "--speed", "0"}, "write a number above 0"},
		{[]string{"replay", file, "--speed", "NaN"}, "write a number above 0"},
		{[]string{"demo", "--headless", "--record", file}, "nothing to record"},
	} {
		text, code := run(t, nil, c.args...)
		require.Equal(t, exitUsage, code, strings.Join(c.args, " "))
		require.Contains(t, text, c.says)
	}
}

func TestTheMomentOfAReplayIsReadAsPeopleWriteIt(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, 3, 14, 23, 50, 20, 0, time.UTC)
	to := from.Add(time.Hour)
	for text, want := range map[string]string{
		"23:51": "14 23:51:00", "23:50": "14 23:50:00", "00:10": "15 00:10:00", "00:10:07": "15 00:10:07",
		"2026-03-15T00:20:00Z": "15 00:20:00", "2026-03-15T01:20:00+01:00": "15 00:20:00",
	} {
		got, err := momentOf(text, from, to)
		require.NoError(t, err, text)
		require.Equal(t, want, got.UTC().Format("02 15:04:05"), text)
	}
	for _, text := range []string{"12:00", "00:51", "2027-01-01T00:00:00Z"} {
		_, err := momentOf(text, from, to)
		require.ErrorContains(t, err, "is not recorded: the recording goes from 2026-03-14 23:50:20 to 2026-03-15 00:50:20", text)
	}
	_, err := momentOf("noon", from, to)
	require.ErrorContains(t, err, "no time of day")
}

func TestWithoutATerminalAReplaySaysWhatTheRecordingHolds(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "r.gz")
	tape, err := record.Create(file)
	require.NoError(t, err)
	at := time.Now()
	flight := record.NewFlight(0, 0)
	require.NoError(t, flight.Add(&sources.Snapshot{At: at, Context: "prod"}, 0))
	require.NoError(t, flight.Add(&sources.Snapshot{At: at.Add(90 * time.Second), Context: "prod"}, 3))
	_, err = tape.Close(flight)
	require.NoError(t, err)
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, append(data, "torn"...), 0o600))
	out, code := run(t, nil, "replay", file)
	require.Zero(t, code)
	require.Regexp(t, regexp.MustCompile(`^2 snapshots from .* \(1m30s\)\n3 snapshots were too quick to be recorded, in 1 gaps; its end is torn: 4 bytes after .* cannot be read\n$`), out)
}
