package flagd_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/flagd"
)

// fleet is a flag file of n flags laid out as people write them.
func fleet(n int) string {
	var b strings.Builder
	b.WriteString("{\n  \"$schema\": \"https://flagd.dev/schema/v0/flags.json\",\n  \"flags\": {\n")
	for i := range n {
		fmt.Fprintf(&b, "    \"team-%02d.feature-%05d\": {\n      \"state\": \"ENABLED\",\n      \"variants\": {\"on\": true, \"off\": false},\n      \"defaultVariant\": \"off\",\n", i%40, i)
		if i%2 == 0 {
			fmt.Fprintf(&b, "      \"targeting\": {\n        \"fractional\": [\n          [\"on\", %d],\n          [\"off\", %d]\n        ]\n      },\n", i%101, 100-i%101)
		}
		fmt.Fprintf(&b, "      \"metadata\": {\"owner\": \"team-%02d\", \"description\": \"Feature %d of the shop\"}\n    }", i%40, i)
		if i < n-1 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
	}
	b.WriteString("  }\n}\n")
	return b.String()
}

func BenchmarkList(b *testing.B) {
	for _, n := range []int{24, 1000, 10_000} {
		b.Run(fmt.Sprintf("%d flags", n), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "f.json")
			require.NoError(b, os.WriteFile(path, []byte(fleet(n)), 0o600))
			s := flagd.New("prod", path)
			b.ReportAllocs()
			for b.Loop() {
				set, err := s.Flags(context.Background())
				if err != nil || len(set.Flags) != n {
					b.Fatal(err, len(set.Flags))
				}
			}
		})
	}
}

// BenchmarkKillAgainstBareWrite alternates a kill with a bare write, fsync and
// rename of the same bytes, and with the same plus the fsync of the directory
// that makes the rename durable. Each goes first in turn and medians are
// compared, so that a noisy disk is noisy for all. x-bare is the kill's rename
// against the bare one, x-bare+dirsync all of it, durable-x-bare all of it against
// a baseline without the directory.
func BenchmarkKillAgainstBareWrite(b *testing.B) {
	dir := b.TempDir()
	path, plain := filepath.Join(dir, "f.json"), filepath.Join(dir, "plain.json")
	text := []byte(fleet(24))
	require.NoError(b, os.WriteFile(path, text, 0o600))
	s := flagd.New("prod", path)
	key := sources.FlagID{Source: "prod", Key: "team-00.feature-00000"}
	var took [3][]time.Duration
	var visible []time.Duration
	turn := 0
	for b.Loop() {
		turn++
		for i := range 3 {
			which := (turn + i) % 3
			start := time.Now()
			if which > 0 {
				require.NoError(b, bareWrite(plain, text, which == 2))
				took[which] = append(took[which], time.Since(start))
				continue
			}
			r, err := s.Apply(context.Background(), sources.Change{Flag: key, Kind: sources.Kill})
			require.NoError(b, err)
			visible = append(visible, r.Visible.Sub(start))
			took[0] = append(took[0], r.Accepted.Sub(start))
			_, err = s.Apply(context.Background(), sources.Change{Flag: key, Kind: sources.Undo, Restore: r.Restore})
			require.NoError(b, err)
		}
	}
	ours, bare, synced := median(took[0]), median(took[1]), median(took[2])
	b.ReportMetric(median(visible)*1000, "visible-ms")
	b.ReportMetric(ours*1000, "durable-ms")
	b.ReportMetric(bare*1000, "bare-ms")
	b.ReportMetric(synced*1000, "bare+dirsync-ms")
	b.ReportMetric(median(visible)/bare, "x-bare")
	b.ReportMetric(ours/bare, "durable-x-bare")
	b.ReportMetric(ours/synced, "x-bare+dirsync")
}

func median(d []time.Duration) float64 {
	slices.Sort(d)
	return d[len(d)/2].Seconds()
}

func bareWrite(path string, b []byte, dirToo bool) error {
	tmp := path + ".tmp"
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if _, err = f.Write(b); err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err == nil && dirToo {
		var d *os.File
		if d, err = os.Open(filepath.Dir(path)); err == nil {
			err = d.Sync()
			_ = d.Close()
		}
	}
	return err
}
