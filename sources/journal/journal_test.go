package journal_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/journal"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func entry(id string) journal.Entry {
	return journal.Entry{
		ID: id, At: noon, Kind: sources.Ramp, Flag: sources.FlagID{Source: "flags", Key: "checkout"},
		Actor: "ana", Reason: "looks good", Old: "10%", New: "25%", OldRevision: "r1", NewRevision: "r2",
		Restore: []byte("before\x00"), To: "25",
	}
}

func open(t *testing.T) (*journal.Journal, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "state", "relctl", "flags.jsonl")
	return journal.Open(path, journal.Options{Now: func() time.Time { return noon }}), path
}

func TestNothingIsCreatedBeforeTheFirstWrite(t *testing.T) {
	t.Parallel()
	j, path := open(t)
	es, warnings, err := j.Read(0)
	require.NoError(t, err)
	require.Empty(t, es)
	require.Empty(t, warnings)
	require.NoDirExists(t, filepath.Dir(path))
}

func TestAnIntentComesBackWithItsResultAndOnlyTheOwnerMayReadTheFile(t *testing.T) {
	t.Parallel()
	j, path := open(t)
	want := entry("01")
	require.NoError(t, j.Intent(want))
	es, _, err := j.Read(0)
	require.NoError(t, err)
	want.Outcome = sources.Pending
	require.Equal(t, []journal.Entry{want}, es)

	require.NoError(t, j.Result("01", sources.Unconfirmed, "lost", noon))
	require.NoError(t, j.Result("01", sources.Confirmed, "", noon))
	es, _, err = j.Read(0)
	require.NoError(t, err)
	want.Outcome, want.Done = sources.Confirmed, noon
	require.Equal(t, []journal.Entry{want}, es, "the last result counts")
	require.NoError(t, j.Settle("01", sources.Failed, "the old value is there", noon))
	es, _, err = j.Read(0)
	require.NoError(t, err)
	want.Outcome, want.Err, want.Settled = sources.Failed, "the old value is there", true
	require.Equal(t, []journal.Entry{want}, es, "also when it was found out later")

	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	info, err = os.Stat(filepath.Dir(path))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
}

func TestWhenAChangeWasDoneAndWhenItWasEffectiveAreBothKept(t *testing.T) {
	t.Parallel()
	j, _ := open(t)
	require.NoError(t, j.Intent(entry("01")))
	require.NoError(t, j.Result("01", sources.Confirmed, "", noon.Add(time.Second)))
	require.NoError(t, j.Effective("01", noon.Add(3*time.Second)))
	es, _, err := j.Read(0)
	require.NoError(t, err)
	require.Equal(t, sources.Confirmed, es[0].Outcome)
	require.Equal(t, noon.Add(time.Second), es[0].Done)
	require.Equal(t, noon.Add(3*time.Second), es[0].Effective)
}

func TestWhoCouldNotBeToldOfAChangeIsOnRecord(t *testing.T) {
	t.Parallel()
	j, _ := open(t)
	require.NoError(t, j.Intent(entry("01")))
	require.NoError(t, j.Result("01", sources.Confirmed, "", noon))
	require.NoError(t, j.Told("01", "grafana", "", noon))
	require.NoError(t, j.Told("01", "chat", "chat refuses connections", noon))
	es, warnings, err := j.Read(0)
	require.NoError(t, err)
	require.Empty(t, warnings)
	require.Equal(t, []string{"chat"}, es[0].Untold)
	require.Equal(t, sources.Confirmed, es[0].Outcome)
}

func TestEveryLineSaysItsVersion(t *testing.T) {
	t.Parallel()
	j, path := open(t)
	require.NoError(t, j.Intent(entry("01")))
	require.NoError(t, j.Result("01", sources.Confirmed, "", noon))
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	for line := range strings.Lines(string(raw)) {
		var r struct {
			V    int    `json:"v"`
			Type string `json:"type"`
		}
		require.NoError(t, json.Unmarshal([]byte(line), &r))
		require.Equal(t, 1, r.V)
	}
}

func TestATornLineIsReportedAndDoesNotSwallowTheNextRecord(t *testing.T) {
	t.Parallel()
	j, path := open(t)
	require.NoError(t, j.Intent(entry("01")))
	tear(t, path, `{"v":1,"type":"intent","id":"02","fl`)

	es, warnings, err := j.Read(0)
	require.NoError(t, err)
	require.Len(t, es, 1)
	require.Len(t, warnings, 1)
	require.Contains(t, warnings[0], "incomplete")

	require.NoError(t, j.Intent(entry("03")))
	es, warnings, err = j.Read(0)
	require.NoError(t, err)
	require.Equal(t, []string{"03", "01"}, ids(es))
	require.Contains(t, warnings[0], "1 line(s)")
}

func TestForeignLinesAreSkippedAndFutureOnesTolerated(t *testing.T) {
	t.Parallel()
	j, path := open(t)
	require.NoError(t, j.Intent(entry("01")))
	tear(t, path, "hello\n\n[1,2]\n\xff\xfe\n{\"v\":0,\"id\":\"x\"}\n"+
		`{"v":2,"type":"note","id":"n","text":"later"}`+"\n"+
		`{"v":2,"type":"intent","id":"02","at":"2026-03-01T12:00:01Z","kind":"kill","flag":{"source":"flags","key":"k"},"approved_by":["ben"]}`+"\n")
	es, warnings, err := j.Read(0)
	require.NoError(t, err)
	require.Equal(t, []string{"02", "01"}, ids(es))
	require.Len(t, warnings, 1)
	require.Contains(t, warnings[0], "4 line(s)")
}

func TestWhatIsReadBackIsSafeToPrint(t *testing.T) {
	t.Parallel()
	j, _ := open(t)
	e := entry("01")
	e.Actor, e.Reason = "ana\x1b[31m", "why\nnot \u202e"
	require.NoError(t, j.Intent(e))
	require.NoError(t, j.Result("01", sources.Failed, "\x1b]0;x\a", noon))
	es, _, err := j.Read(0)
	require.NoError(t, err)
	require.Equal(t, "ana∙[31m", es[0].Actor)
	require.Equal(t, "why not ∙", es[0].Reason)
	require.Equal(t, "∙]0;x∙", es[0].Err)
}

func TestAFullJournalIsMovedAsideAndStillRead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "flags.jsonl")
	j := journal.Open(path, journal.Options{MaxBytes: 2000})
	for i := range 12 {
		require.NoError(t, j.Intent(entry(fmt.Sprintf("%02d", i))))
	}
	require.FileExists(t, path+".1")
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Less(t, info.Size(), int64(2500))
	es, _, err := j.Read(0)
	require.NoError(t, err)
	require.Greater(t, len(es), 5, "the file moved aside is read too")
	require.Equal(t, "11", es[0].ID)
	require.IsDecreasing(t, ids(es))
}

func TestAFullJournalThatCannotBeMovedAsideGrowsOn(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "flags.jsonl")
	require.NoError(t, os.MkdirAll(filepath.Join(path+".1", "in the way"), 0o700))
	j := journal.Open(path, journal.Options{MaxBytes: 1000})
	for i := range 10 {
		require.NoError(t, j.Intent(entry(fmt.Sprintf("%02d", i))))
	}
	es, _, err := j.Read(3)
	require.NoError(t, err)
	require.Equal(t, []string{"09", "08", "07"}, ids(es))
}

func TestALimitReadsTheNewestWithTheirResults(t *testing.T) {
	t.Parallel()
	j, _ := open(t)
	for i := range 600 { // more than one window of the reader
		id := fmt.Sprintf("%04d", i)
		require.NoError(t, j.Intent(entry(id)))
		require.NoError(t, j.Result(id, sources.Confirmed, "", noon))
	}
	es, warnings, err := j.Read(3)
	require.NoError(t, err)
	require.Empty(t, warnings)
	require.Equal(t, []string{"0599", "0598", "0597"}, ids(es))
	es, _, err = j.Read(0)
	require.NoError(t, err)
	require.Len(t, es, 600)
	for _, e := range es {
		require.Equal(t, sources.Confirmed, e.Outcome)
	}
}

func TestWhatCannotBeRecordedIsAnError(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	big := entry("01")
	big.Restore = make([]byte, 1<<20)
	for name, c := range map[string]struct {
		path string
		e    journal.Entry
		want error
	}{
		"a parent that is a file": {filepath.Join(file, "j"), entry("01"), sources.ErrUnavailable},
		"a folder in its place":   {dir, entry("01"), sources.ErrUnavailable},
		"no id":                   {filepath.Join(dir, "j"), entry(""), sources.ErrInvalid},
		"too big":                 {filepath.Join(dir, "j"), big, sources.ErrInvalid},
	} {
		require.ErrorIs(t, journal.Open(c.path, journal.Options{}).Intent(c.e), c.want, name)
	}
}

func TestGoroutinesWithTheirOwnJournalsLoseNoRecord(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "flags.jsonl")
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() { writeMany(t, path, fmt.Sprintf("g%d", g), 25) })
	}
	wg.Wait()
	requireAll(t, path, 8, 25, "g")
}

func TestTwoProcessesLoseNoRecord(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "flags.jsonl")
	var wg sync.WaitGroup
	for p := range 2 {
		wg.Go(func() {
			cmd := exec.Command(os.Args[0], "-test.run=TestWriterProcess")
			cmd.Env = append(os.Environ(), "JOURNAL_TEST_PATH="+path, fmt.Sprintf("JOURNAL_TEST_NAME=p%d", p))
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("writer: %v\n%s", err, out)
			}
		})
	}
	wg.Wait()
	requireAll(t, path, 2, 100, "p")
}

// TestWriterProcess is the other side of TestTwoProcessesLoseNoRecord.
func TestWriterProcess(t *testing.T) {
	path := os.Getenv("JOURNAL_TEST_PATH")
	if path == "" {
		t.Skip("started by TestTwoProcessesLoseNoRecord")
	}
	writeMany(t, path, os.Getenv("JOURNAL_TEST_NAME"), 100)
}

func writeMany(t *testing.T, path, name string, n int) {
	t.Helper()
	j := journal.Open(path, journal.Options{MaxBytes: 60_000}) // rotates once or twice meanwhile
	for i := range n {
		id := fmt.Sprintf("%s-%03d", name, i)
		if err := j.Intent(entry(id)); err != nil {
			t.Error(err)
		}
		if err := j.Result(id, sources.Confirmed, "", noon); err != nil {
			t.Error(err)
		}
	}
}

func requireAll(t *testing.T, path string, writers, n int, prefix string) {
	t.Helper()
	es, warnings, err := journal.Open(path, journal.Options{}).Read(0)
	require.NoError(t, err)
	require.Empty(t, warnings)
	got := map[string]bool{}
	for _, e := range es {
		require.Equal(t, sources.Confirmed, e.Outcome, e.ID)
		got[e.ID] = true
	}
	for w := range writers {
		for i := range n {
			require.Contains(t, got, fmt.Sprintf("%s%d-%03d", prefix, w, i))
		}
	}
}

func FuzzJournalRead(f *testing.F) {
	f.Add([]byte(""), 0)
	f.Add([]byte("{\"v\":1,\"type\":\"intent\",\"id\":\"1\",\"flag\":{\"source\":\"s\",\"key\":\"k\"},\"actor\":\"\x1b[2J\"}\n{\"v\":1"), 1)
	f.Add([]byte("\n\n{\"v\":1,\"type\":\"result\",\"id\":\"1\",\"outcome\":\"confirmed\"}\n"), 3)
	f.Fuzz(func(t *testing.T, raw []byte, limit int) {
		path := filepath.Join(t.TempDir(), "j")
		require.NoError(t, os.WriteFile(path, raw, 0o600))
		j := journal.Open(path, journal.Options{})
		es, _, err := j.Read(limit)
		require.NoError(t, err)
		if limit > 0 {
			require.LessOrEqual(t, len(es), limit)
		}
		for _, e := range es {
			for _, s := range []string{e.ID, string(e.Kind), e.Actor, e.Reason, e.Old, e.New, e.To, e.Undoes, string(e.Outcome), e.Err} {
				require.Equal(t, s, sources.Clean(s, 1000))
			}
		}
		// Whatever a file holds, the next record is found again.
		require.NoError(t, j.Intent(entry("new")))
		es, _, err = j.Read(1)
		require.NoError(t, err)
		require.Equal(t, []string{"new"}, ids(es))
	})
}

func ids(es []journal.Entry) (out []string) {
	for _, e := range es {
		out = append(out, e.ID)
	}
	return out
}

func tear(t *testing.T, path, s string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString(s)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}
