package prometheus_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
	"relctl-tui/sources/prometheus"
)

// aDayOfCalls is a histogram of 100 calls a minute until now: 1 in 1,000 took longer
// than 250 ms, and 5 in 100 of the last quarter of an hour.
func aDayOfCalls(now time.Time) string {
	var b strings.Builder
	b.WriteString("# TYPE http_request_duration_seconds histogram\n")
	fast, all := 0.0, 0.0
	for at := now.Add(-26 * time.Hour); !at.After(now); at = at.Add(30 * time.Second) {
		slow := 0.05
		if now.Sub(at) > 15*time.Minute {
			slow = 0.001
		}
		all += 50
		fast += 50 * (1 - slow)
		for le, v := range map[string]float64{"0.25": fast, "1.0": all, "+Inf": all} {
			fmt.Fprintf(&b, "http_request_duration_seconds_bucket{job=\"pay\",code=\"200\",le=%q} %g %d\n", le, v, at.Unix())
		}
		fmt.Fprintf(&b, "http_request_duration_seconds_count{job=\"pay\",code=\"200\"} %g %d\nhttp_request_duration_seconds_sum{job=\"pay\",code=\"200\"} 0 %d\n", all, at.Unix(), at.Unix())
	}
	return b.String() + "# EOF\n"
}

func TestARealPrometheusTellsWhatIsLeftOfABudgetAndHowFastItBurns(t *testing.T) {
	t.Parallel()
	now := time.Now()
	url, _ := withPast(t, aDayOfCalls(now), "", now)
	s, err := prometheus.New("prom", url, prometheus.Options{Metrics: metrics.Config{Latency: []metrics.LatencyRule{
		{Name: "pay", SLO: 250 * time.Millisecond, Objective: 0.999, Window: 24 * time.Hour},
		{Name: "pay, all in a second", SLO: time.Second, Objective: 0.999, Window: 24 * time.Hour},
	}}})
	require.NoError(t, err)
	var b, ok sources.Budget
	require.Eventually(t, func() bool {
		set, err := s.Budgets(t.Context())
		if err != nil || set.More {
			return false
		}
		b, ok = set.Budgets["pay"], set.Budgets["pay, all in a second"]
		return b.Left.OK && ok.Left.OK
	}, time.Minute, 50*time.Millisecond)

	require.InDelta(t, 50, b.Burn(5*time.Minute).V, 1, "5 % of the calls, where 0.1 % may be")
	require.InDelta(t, 13.25, b.Burn(time.Hour).V, 0.6, "a quarter of the hour at 50x, the rest at 1x")
	require.InDelta(t, 1-(0.25*50+23.75)/24, b.Left.V, 0.05)
	require.Equal(t, sources.VerdictBreached, b.Judge(sources.VerdictOK))
	require.InDelta(t, 1, ok.Left.V, 1e-9, "the bound that this server spells 1.0 is found")
}
