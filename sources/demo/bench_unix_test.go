//go:build unix

package demo_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources/demo"
)

// BenchmarkFleet runs the fleet at its usual rate, each iteration for a second
// of traffic, and reports the processor time it takes as a percentage of one core.
func BenchmarkFleet(b *testing.B) {
	f, err := demo.Start(b.Context(), demo.Options{})
	require.NoError(b, err)
	defer func() { require.NoError(b, f.Close()) }()
	second := time.NewTicker(time.Second)
	defer second.Stop()
	before, began := cpuTime(b), time.Now()
	visits := scrape(b, f)
	for b.Loop() {
		<-second.C
	}
	took := time.Since(began).Seconds()
	n, _ := scrape(b, f).since(visits).quantile(demo.Checkout, 0.5)
	b.ReportMetric(100*(cpuTime(b)-before).Seconds()/took, "cpu-%")
	b.ReportMetric(n/took, "visits/s")
}

func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
