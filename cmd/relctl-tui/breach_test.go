package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/flagd"
)

// What lies between a breach and its rollback, besides the store's write.
const (
	breachScrape = time.Second // startPrometheus's
	breachTick   = 500 * time.Millisecond
)

// poll looks fifty times a second until it holds, or patience is over.
func poll(t testing.TB, what string, holds func() bool) time.Time {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-tick.C {
		if holds() {
			return time.Now()
		}
	}
	require.Fail(t, what+" never came")
	return time.Time{}
}

// breach ramps checkout-v2 under a guard that a real Prometheus measures on the real
// fleet: at most so many charges of the new kind. It is how long it took from the
// fleet's own page showing more to the rollback being in the file.
func breach(t testing.TB, f fleet, prom string) time.Duration {
	t.Helper()
	// A server that has only just started looks at its targets some seconds later, and
	// the guard's query makes 0 of nothing.
	poll(t, "the first scrape", func() bool {
		resp, err := http.Get(prom + "/api/v1/query?query=up%3D%3D1")
		require.NoError(t, err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return strings.Contains(string(body), `"value"`)
	})
	limit := served(t, f.metrics) + 40
	config := filepath.Join(t.TempDir(), "c.yaml")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, `contexts:
  demo:
    flags: [{dsn: "flagd:%s", name: demo}]
    metrics: [{dsn: "%s", timeout: 10s}]
    rules:
      checkout-v2:
        ladder: [50, 100]
        guards: [{name: charges, max: %d, query: 'sum(http_server_request_duration_seconds_count{http_route="/v2/charges"}) or vector(0)'}]
`, f.flags, prom, limit), 0o600))
	store := flagd.New("demo", f.flags)
	at := func() sources.Percent {
		got, err := store.Flag(t.Context(), sources.FlagID{Source: "demo", Key: "checkout-v2"})
		require.NoError(t, err)
		return got.Rollout.V
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*patience) // each of its steps has patience
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, "ramp", "checkout-v2", "--guarded", "--config", config,
		"--hold", "1m", "--tick", breachTick.String(), "--on-breach", "back")
	cmd.Env = cleanEnv(t)
	var out []byte
	done := make(chan error, 1)
	go func() {
		var err error
		out, err = cmd.CombinedOutput()
		done <- err
	}()
	poll(t, "the first step", func() bool { return at() == sources.Pct(50) })
	visible := poll(t, "the breach", func() bool { return served(t, f.metrics) > limit })
	back := poll(t, "the rollback", func() bool { return at() == 0 })
	require.Error(t, <-done)
	require.Equal(t, exitRefused, cmd.ProcessState.ExitCode(), string(out))
	require.Contains(t, string(out), "more than the "+fmt.Sprint(limit))
	return back.Sub(visible)
}

func TestABreachUnderARealPrometheusIsRolledBack(t *testing.T) {
	t.Parallel()
	f := startFleet(t)
	took := breach(t, f, startPrometheus(t, f.metrics))
	t.Logf("from the breach to the rollback in the file: %s; a scrape and a tick are %s", took.Round(time.Millisecond), breachScrape+breachTick)
}

// BenchmarkBreachToRollback is the same again and again, against one scrape interval
// and one tick.
func BenchmarkBreachToRollback(b *testing.B) {
	f := startFleet(b)
	prom := startPrometheus(b, f.metrics)
	var all []time.Duration
	for b.Loop() {
		all = append(all, breach(b, f, prom))
	}
	slices.Sort(all)
	bound := breachScrape + breachTick
	b.ReportMetric(float64(all[len(all)/2].Milliseconds()), "p50-ms")
	b.ReportMetric(float64(all[len(all)-1].Milliseconds()), "max-ms")
	within := 0
	for _, took := range all {
		if took <= bound {
			within++
		}
	}
	b.ReportMetric(100*float64(within)/float64(len(all)), "%-within-scrape+tick")
	b.ReportMetric(0, "ns/op")
}
