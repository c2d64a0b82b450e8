package control_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/sources/flagd"
	"relctl-tui/sources/journal"
)

// BenchmarkKill is a whole kill of one of 24 flags (rules, journal, write, read
// back), beside a bare write, fsync and rename of the same bytes and beside the
// same with the fsync of the directory that makes the rename durable. Each goes
// first in turn, and medians are compared, so that a noisy disk is noisy for all.
// visible-ms is until the rename, durable-ms until file and directory are on disk,
// kill-ms until it was read back and its result recorded. Like is held against
// like: x-bare is the rename, x-bare+dirsync the whole of it; durable-x-bare is the
// directory's fsync counted against a baseline that leaves it out.
func BenchmarkKill(b *testing.B) {
	dir := b.TempDir()
	path := filepath.Join(dir, "prod.flagd.json")
	content := fleet(b, 24)
	c := control.New(control.Options{Stores: []control.Store{{
		Name: "prod", Driver: flagd.New("prod", path),
		Journal: journal.Open(filepath.Join(dir, "prod.jsonl"), journal.Options{}),
	}}})
	kill := sources.Intent{Kind: sources.Kill, Flag: sources.FlagID{Source: "prod", Key: "flag-07"}, Actor: "ana", Reason: "errors"}
	var whole, visible, durable, bare, synced []time.Duration
	for turn := 0; b.Loop(); turn++ {
		replace(b, path, content, true)
		for i := range 3 {
			start := time.Now()
			switch (turn + i) % 3 {
			case 0:
				r, err := c.Do(b.Context(), kill)
				whole = append(whole, time.Since(start))
				require.NoError(b, err)
				visible = append(visible, r.Visible.Sub(start))
				durable = append(durable, r.Accepted.Sub(start))
			case 1:
				replace(b, filepath.Join(dir, "bare.json"), content, false)
				bare = append(bare, time.Since(start))
			case 2:
				replace(b, filepath.Join(dir, "bare.json"), content, true)
				synced = append(synced, time.Since(start))
			}
		}
	}
	b.ReportMetric(median(whole)*1000, "kill-ms")
	b.ReportMetric(median(visible)*1000, "visible-ms")
	b.ReportMetric(median(durable)*1000, "durable-ms")
	b.ReportMetric(median(bare)*1000, "bare-ms")
	b.ReportMetric(median(synced)*1000, "bare+dirsync-ms")
	b.ReportMetric(median(visible)/median(bare), "x-bare")
	b.ReportMetric(median(durable)/median(bare), "durable-x-bare")
	b.ReportMetric(median(durable)/median(synced), "x-bare+dirsync")
}

func median(d []time.Duration) float64 {
	slices.Sort(d)
	return d[len(d)/2].Seconds()
}

// replace is the least that a replacement takes.
func replace(b *testing.B, path string, content []byte, dirToo bool) {
	b.Helper()
	f, err := os.CreateTemp(filepath.Dir(path), "tmp")
	require.NoError(b, err)
	_, err = f.Write(content)
	require.NoError(b, err)
	require.NoError(b, f.Sync())
	require.NoError(b, f.Close())
	require.NoError(b, os.Rename(f.Name(), path))
	if !dirToo {
		return
	}
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
