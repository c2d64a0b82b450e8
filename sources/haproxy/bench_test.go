package haproxy_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
)

// BenchmarkKill is a whole Apply of a kill (read, compare, write, read back), beside a
// bare client that sends the same command and one that looks first and last as well.
// Each goes first in turn and medians are compared.
func BenchmarkKill(b *testing.B) {
	p := start(b, backends)
	s := store(b, p.socket)
	const (
		command = "set server api/canary state maint"
		look    = "show servers state api;show stat api 6 -1;show cli level"
	)
	kills := []func() error{
		func() error {
			_, err := s.Apply(b.Context(), sources.Change{ID: "k", Flag: id("api/canary"), Kind: sources.Kill})
			return err
		},
		func() error {
			_, err := bare(p.socket, command)
			return err
		},
		func() error {
			if _, err := bare(p.socket, look); err != nil {
				return err
			}
			_, err := bare(p.socket, "show servers state api;"+command+";"+look)
			return err
		},
	}
	took := make([][]time.Duration, len(kills))
	for turn := 0; b.Loop(); turn++ {
		for i := range kills {
			p.tell(b, "set server api/canary state ready")
			k := (turn + i) % len(kills)
			begin := time.Now()
			err := kills[k]()
			took[k] = append(took[k], time.Since(begin))
			require.NoError(b, err)
		}
	}
	median := func(k int) float64 {
		slices.Sort(took[k])
		return float64(took[k][len(took[k])/2])
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(0)/1e6, "kill-ms")
	b.ReportMetric(median(0)/median(1), "x-bare")
	b.ReportMetric(median(0)/median(2), "x-bare+looks")
}
