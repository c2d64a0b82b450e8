package control_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/sources/flagd"
	"relctl-tui/sources/journal"
)

// BenchmarkKill is a whole kill (rules, journal, write, read back) of one of 24
// flags, beside a bare durable replacement of the same bytes in the same run;
// it reports how many times as long the kill takes.
func BenchmarkKill(b *testing.B) {
	dir := b.TempDir()
	path := filepath.Join(dir, "prod.flagd.json")
	content := fleet(b, 24)
	c := control.New(control.Options{Stores: []control.Store{{
		Name: "prod", Driver: flagd.New("prod", path),
		Journal: journal.Open(filepath.Join(dir, "prod.jsonl"), journal.Options{}),
	}}})
	kill := sources.Intent{Kind: sources.Kill, Flag: sources.FlagID{Source: "prod", Key: "flag-07"}, Actor: "ana", Reason: "errors"}
	var killing, bare time.Duration
	for b.Loop() {
		b.StopTimer()
		replace(b, path, content)
		start := time.Now()
		replace(b, filepath.Join(dir, "bare.json"), content)
		bare += time.Since(start)
		start = time.Now()
		b.StartTimer()
		_, err := c.Do(b.Context(), kill)
		killing += time.Since(start)
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(bare.Nanoseconds())/float64(b.N), "bare-ns/op")
	b.ReportMetric(killing.Seconds()/bare.Seconds(), "x-bare")
}

// replace is the least that a durable replacement takes.
func replace(b *testing.B, path string, content []byte) {
	b.Helper()
	f, err := os.CreateTemp(filepath.Dir(path), "tmp")
	require.NoError(b, err)
	_, err = f.Write(content)
	require.NoError(b, err)
	require.NoError(b, f.Sync())
	require.NoError(b, f.Close())
	require.NoError(b, os.Rename(f.Name(), path))
	d, err := os.Open(filepath.Dir(path))
	require.NoError(b, err)
	require.NoError(b, d.Sync())
	require.NoError(b, d.Close())
}

func fleet(b *testing.B, n int) []byte {
	b.Helper()
	flags := map[string]any{}
	for i := range n {
		flags[fmt.Sprintf("flag-%02d", i)] = map[string]any{
			"state": "ENABLED", "variants": map[string]bool{"on": true, "off": false}, "defaultVariant": "off",
			"targeting": map[string]any{"fractional": []any{[]any{"on", i}, []any{"off", 100 - i}}},
		}
	}
	raw, err := json.MarshalIndent(map[string]any{"flags": flags}, "", "  ")
	require.NoError(b, err)
	return raw
}
