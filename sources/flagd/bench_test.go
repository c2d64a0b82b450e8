package flagd_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
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
// rename of the same bytes, and with the same plus an fsync of the directory,
// so that a noisy disk is noisy for all.
func BenchmarkKillAgainstBareWrite(b *testing.B) {
	dir := b.TempDir()
	path, plain := filepath.Join(dir, "f.json"), filepath.Join(dir, "plain.json")
	text := []byte(fleet(24))
	require.NoError(b, os.WriteFile(path, text, 0o600))
	s := flagd.New("prod", path)
	key := sources.FlagID{Source: "prod", Key: "team-00.feature-00000"}
	var took [3]time.Duration
	turn := 0
	for b.Loop() {
		turn++
		for i := range 3 {
			// Each goes first in turn: who follows whom costs something on a journalling disk.
			which := (turn + i) % 3
			start := time.Now()
			if which > 0 {
				require.NoError(b, bareWrite(plain, text, which == 2))
				took[which] += time.Since(start)
				continue
			}
			r, err := s.Apply(context.Background(), sources.Change{Flag: key, Kind: sources.Kill})
			took[0] += time.Since(start)
			require.NoError(b, err)
			require.NoError(b, os.WriteFile(path, text, 0o600))
			require.NotEmpty(b, r.Restore)
		}
	}
	ours, bare, synced := took[0], took[1], took[2]
	n := float64(b.N)
	b.ReportMetric(float64(ours.Microseconds())/n, "kill-µs")
	b.ReportMetric(float64(bare.Microseconds())/n, "bare-µs")
	b.ReportMetric(float64(synced.Microseconds())/n, "bare+dirsync-µs")
	b.ReportMetric(float64(ours)/float64(bare), "x-bare")
	b.ReportMetric(float64(ours)/float64(synced), "x-bare+dirsync")
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
