package demo_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources/demo"
)

// BenchmarkStory plays the demo at its usual rate: half a minute at 10 %, then
// 50 % until the breaker opens, a minute of that, and the kill. It reports the
// p99 at 10 %, how long opening and healing took, and the shares of the minute
// in which the breaker was open and closed.
func BenchmarkStory(b *testing.B) {
	f, err := demo.Start(b.Context(), demo.Options{Seed: 7})
	require.NoError(b, err)
	defer func() { require.NoError(b, f.Close()) }()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	watch := func(d time.Duration, until string) (took time.Duration, share map[string]float64) {
		began, n := time.Now(), 0.0
		share = map[string]float64{}
		for time.Since(began) < d {
			<-tick.C
			state := scrape(b, f).breakers[demo.Payment]
			share[state]++
			n++
			if state == until {
				break
			}
		}
		for k := range share {
			share[k] *= 100 / n
		}
		return time.Since(began), share
	}
	for b.Loop() {
		start := scrape(b, f)
		rewrite(b, f, at(b, "ENABLED", 10))
		_, ten := watch(30*time.Second, "")
		_, p99 := scrape(b, f).since(start).quantile(demo.Payment, 0.99)
		b.ReportMetric(p99*1000, "p99-ms@10%")
		b.ReportMetric(ten["closed"], "closed-%@10%")
		rewrite(b, f, at(b, "ENABLED", 50))
		opened, _ := watch(time.Minute, "open")
		b.ReportMetric(opened.Seconds(), "s-to-open@50%")
		_, half := watch(time.Minute, "")
		b.ReportMetric(half["open"], "open-%@50%")
		b.ReportMetric(half["closed"], "closed-%@50%")
		rewrite(b, f, at(b, "DISABLED", 50))
		healed, _ := watch(time.Minute, "closed")
		b.ReportMetric(healed.Seconds(), "s-to-heal")
	}
}
