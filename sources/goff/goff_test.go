package goff_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/flagfile"
	"relctl-tui/sources/goff"
	"relctl-tui/sources/sourcetest"
)

// noon is the time in all tests that do not say another.
var noon = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

func id(key string) sources.FlagID { return sources.FlagID{Source: "prod", Key: key} }

func file(t testing.TB, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "flags.goff.yaml")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func at(path string, now time.Time) *flagfile.Store {
	return goff.New("prod", path, flagfile.WithNow(func() time.Time { return now }))
}

// read is the one flag f of a file, at a moment.
func read(t testing.TB, content string, now time.Time) sources.Flag {
	t.Helper()
	set, err := at(file(t, content), now).Flags(t.Context())
	require.NoError(t, err)
	for _, f := range set.Flags {
		if f.ID.Key == "f" {
			return f
		}
	}
	require.Fail(t, "there is no flag f")
	return sources.Flag{}
}

// edited is a file after a change, with the receipt.
func edited(t testing.TB, content string, now time.Time, c sources.Change) (string, sources.Receipt) {
	t.Helper()
	path := file(t, content)
	c.Flag = id("f")
	receipt, err := at(path, now).Apply(t.Context(), c)
	require.NoError(t, err)
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(after), receipt
}

func kill() sources.Change { return sources.Change{ID: "k", Kind: sources.Kill} }

func ramp(to sources.Percent) sources.Change {
	return sources.Change{ID: "s", Kind: sources.Set, To: to}
}

func undo(r sources.Receipt) sources.Change {
	return sources.Change{ID: "u", Kind: sources.Undo, Restore: r.Restore}
}

// march is a day of the month in which the tests live.
func march(d, hour int) time.Time { return time.Date(2026, 3, d, hour, 0, 0, 0, time.UTC) }

// question and answer are the judge's words, see .ci/goff.
type question struct {
	Path   string      `json:"path"`
	Format string      `json:"format"`
	Flag   string      `json:"flag"`
	Keys   int         `json:"keys"`
	At     []time.Time `json:"at"`
}

type answer struct {
	Refused string   `json:"refused"`
	At      []result `json:"at"`
}

type result struct {
	Variants map[string]int `json:"variants"`
	Reasons  map[string]int `json:"reasons"`
	Digest   string         `json:"digest"`
}

var buildJudge = sync.OnceValues(func() (string, error) {
	dir, err := filepath.Abs("../../.ci/goff")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "bin", "goff")
	build := exec.Command("go", "build", "-o", path, ".")
	build.Dir = dir
	build.Env = append(os.Environ(), "GOWORK=off")
	out, err := build.CombinedOutput()
	if err != nil {
		return string(out), err
	}
	return path, nil
})

// ask lets GO Feature Flag's own evaluator answer.
func ask(t testing.TB, questions ...question) []answer {
	t.Helper()
	path, err := buildJudge()
	if err != nil {
		t.Log(path)
		sourcetest.RequireReal(t, "GO Feature Flag's evaluator", "cd .ci/goff && go build -o bin/goff .")
	}
	var in bytes.Buffer
	for _, q := range questions {
		if q.Format == "" {
			q.Format = "yaml"
		}
		require.NoError(t, json.NewEncoder(&in).Encode(q))
	}
	cmd := exec.CommandContext(t.Context(), path)
	cmd.Stdin = &in
	out, err := cmd.Output()
	require.NoError(t, err)
	answers := make([]answer, len(questions))
	dec := json.NewDecoder(bytes.NewReader(out))
	for i := range answers {
		require.NoError(t, dec.Decode(&answers[i]))
	}
	return answers
}

// evaluated is what the judge makes of flag f in a file, at some moments.
func evaluated(t testing.TB, content string, keys int, moments ...time.Time) []result {
	t.Helper()
	got := ask(t, question{Path: file(t, content), Flag: "f", Keys: keys, At: moments})[0]
	require.Empty(t, got.Refused, content)
	return got.At
}
