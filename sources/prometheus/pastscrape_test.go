package prometheus_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
	"relctl-tui/sources/prometheus"
	"relctl-tui/sources/scrape"
)

// nearly is how far a scrape may be from a server that saw the same samples.
const nearly = 0.01

// What was born within the window is left out: the scrape driver, which saw that a
// series was not there, counts it from 0, and Prometheus from its first sample.
var bornInTheWindow = map[string]bool{"born": true, "http_server": true}

func TestWhatIsScrapedAgreesWithinOnePercentWithAServerThatHasTheSameSamples(t *testing.T) {
	t.Parallel()
	r := newRecording()
	_, breakerRules := r.breakers()
	r.latencies()
	rules, _ := latencyRules()
	url, _ := backfilled(t, r, "")
	at := stepTime(steps - 1)
	var step atomic.Int32
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, r.page(int(step.Load())))
	}))
	t.Cleanup(page.Close)
	for _, cfg := range []metrics.Config{
		{Breakers: breakerRules, Interpolation: metrics.Linear},
		{Breakers: breakerRules, Interpolation: metrics.Linear, Latency: rules},
	} {
		asked := open(t, url, prometheus.Options{Metrics: cfg, Transport: pinned{at: at}})
		scraped, err := scrape.New("prod", []string{page.URL}, scrape.Options{
			Metrics: cfg, Now: func() time.Time { return stepTime(int(step.Load())) },
		})
		require.NoError(t, err)
		var b sources.BreakerSet
		for i := range steps {
			step.Store(int32(i))
			b, err = scraped.Breakers(t.Context())
			require.NoError(t, err)
		}
		l, err := scraped.Latencies(t.Context())
		require.NoError(t, err)
		x, err := scraped.Exposures(t.Context())
		require.NoError(t, err)

		wantB, err := asked.Breakers(t.Context())
		require.NoError(t, err)
		nearlySameBreakers(t, wantB.Breakers, b.Breakers)
		wantL, err := asked.Latencies(t.Context())
		require.NoError(t, err)
		nearlySameLatencies(t, wantL.Latencies, l.Latencies)
		wantX, err := asked.Exposures(t.Context())
		require.NoError(t, err)
		require.Len(t, x.ByKey, len(wantX.ByKey))
		for _, variant := range []string{"on", "off", "beta"} {
			near(t, wantX.Exposure("flag-0", variant), x.Exposure("flag-0", variant), variant)
		}
		want, err := asked.Matches(t.Context())
		require.NoError(t, err)
		got, err := scraped.Matches(t.Context())
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func near(t *testing.T, want, got sources.Value, cell string) {
	t.Helper()
	require.Equal(t, want.OK, got.OK, "%s: %v, the server says %v", cell, got, want)
	require.InDelta(t, want.V, got.V, nearly*want.V, cell)
}

func nearlySameBreakers(t *testing.T, want, got []sources.Breaker) {
	t.Helper()
	rows := map[string]sources.Breaker{}
	for _, b := range got {
		rows[b.Name] = b
	}
	require.Len(t, got, len(want))
	for _, w := range want {
		g, shown := rows[w.Name]
		require.True(t, shown, w.Name)
		require.Equal(t, []any{w.State, w.Instances, w.OpenInstances, w.Note}, []any{g.State, g.Instances, g.OpenInstances, g.Note}, w.Name)
		near(t, w.Rate, g.Rate, w.Name+": rate")
		near(t, w.ErrorRatio, g.ErrorRatio, w.Name+": errors")
		near(t, w.RejectRate, g.RejectRate, w.Name+": rejected")
	}
}

func nearlySameLatencies(t *testing.T, want, got []sources.Latency) {
	t.Helper()
	rows := map[string]sources.Latency{}
	for _, l := range got {
		rows[l.Name] = l
	}
	require.Len(t, got, len(want))
	for _, w := range want {
		g, shown := rows[w.Name]
		require.True(t, shown, w.Name)
		if bornInTheWindow[w.Name] {
			continue
		}
		for i, q := range [][2]sources.Quantile{{w.P50, g.P50}, {w.P95, g.P95}, {w.P99, g.P99}} {
			near(t, sources.Value{V: q[0].Seconds, OK: q[0].OK}, sources.Value{V: q[1].Seconds, OK: q[1].OK}, w.Name)
			require.Equal(t, q[0].Over, q[1].Over, "%s: %d", w.Name, i)
		}
		near(t, w.Rate, g.Rate, w.Name+": rate")
		near(t, w.ErrorRatio, g.ErrorRatio, w.Name+": errors")
		require.Equal(t, w.Verdict, g.Verdict, w.Name)
	}
}
