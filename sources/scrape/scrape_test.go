package scrape_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
	"relctl-tui/sources/scrape"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is a time that only moves when it is told to.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// pageServer serves a text that the test changes between scrapes.
type pageServer struct {
	*httptest.Server
	text atomic.Value
	hits atomic.Int64
}

func serve(t *testing.T, text string) *pageServer {
	t.Helper()
	p := &pageServer{}
	p.text.Store(text)
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.hits.Add(1)
		if r.Method != http.MethodGet || r.URL.Path != "/metrics" {
			http.Error(w, "GET /metrics only", http.StatusTeapot)
			return
		}
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = fmt.Fprint(w, p.text.Load())
	}))
	t.Cleanup(p.Close)
	return p
}

func open(t *testing.T, c *clock, cfg metrics.Config, urls ...string) *scrape.Source {
	t.Helper()
	s, err := scrape.New("fleet", urls, scrape.Options{Metrics: cfg, Now: c.Now, Timeout: 2 * time.Second})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// histogram is a page with one service: n fast requests, slow slow ones of which
// errs failed.
func histogram(service string, fast, slow, errs int) string {
	var b strings.Builder
	b.WriteString("# TYPE http_server_request_duration_seconds histogram\n")
	line := func(code string, le string, n int) {
		fmt.Fprintf(&b, "http_server_request_duration_seconds_bucket{service=%q,http_response_status_code=%q,le=%q} %d\n", service, code, le, n)
	}
	one := func(code string, fast, slow int) {
		line(code, "0.1", fast)
		line(code, "1", fast+slow)
		line(code, "+Inf", fast+slow)
		fmt.Fprintf(&b, "http_server_request_duration_seconds_sum{service=%q,http_response_status_code=%q} 1\n", service, code)
		fmt.Fprintf(&b, "http_server_request_duration_seconds_count{service=%q,http_response_status_code=%q} %d\n", service, code, fast+slow)
	}
	one("200", fast, slow-errs)
	one("500", 0, errs)
	return b.String()
}

func TestLatencyComesWithTheSecondScrape(t *testing.T) {
	t.Parallel()
	c, p := newClock(), serve(t, histogram("checkout", 100, 0, 0))
	s := open(t, c, metrics.Config{}, p.URL)

	first, err := s.Latencies(t.Context())
	require.NoError(t, err)
	require.Empty(t, first.Latencies)

	c.Add(10 * time.Second)
	p.text.Store(histogram("checkout", 190, 10, 5))
	set, err := s.Latencies(t.Context())
	require.NoError(t, err)
	require.Len(t, set.Latencies, 1)
	row := set.Latencies[0]
	require.Equal(t, "checkout", row.Name)
	require.Equal(t, "fleet", row.Source)
	require.InDelta(t, 10, row.Rate.V, 1e-9)
	require.InDelta(t, 0.05, row.ErrorRatio.V, 1e-9)
	require.InDelta(t, 0.1*50/90, row.P50.Seconds, 1e-9)
	require.InDelta(t, 0.1+0.9*9/10, row.P99.Seconds, 1e-9)
	require.False(t, row.P99.Over)
	require.Equal(t, c.Now(), set.ReadAt)
}

func TestARuleWithoutSamplesSaysSoAndIsNeverZero(t *testing.T) {
	t.Parallel()
	c, p := newClock(), serve(t, histogram("checkout", 100, 0, 0))
	s := open(t, c, metrics.Config{Latency: []metrics.LatencyRule{
		{Name: "checkout", Preset: "http_server", Match: `service="checkout"`, SLO: time.Second, Calls: []string{"database"}},
		{Name: "nobody", Preset: "http_server", Match: `service="nobody"`},
		{Name: "rpc", Preset: "grpc_server"},
	}}, p.URL)

	byName := func() map[string]sources.Latency {
		set, err := s.Latencies(t.Context())
		require.NoError(t, err)
		require.Len(t, set.Latencies, 3)
		out := map[string]sources.Latency{}
		for _, l := range set.Latencies {
			out[l.Name] = l
		}
		return out
	}
	rows := byName()
	require.Equal(t, "a rate needs a second sample", rows["checkout"].Note)
	require.Equal(t, sources.VerdictUnknown, rows["checkout"].Verdict)
	require.Contains(t, rows["rpc"].Note, "not exported")

	c.Add(time.Second)
	rows = byName()
	require.Equal(t, sources.VerdictNoTraffic, rows["checkout"].Verdict)
	require.Equal(t, sources.Some(0.0), rows["checkout"].Rate)
	require.False(t, rows["checkout"].P99.OK)
	require.False(t, rows["checkout"].ErrorRatio.OK)
	require.Equal(t, []string{"database"}, rows["checkout"].Calls)
	require.Contains(t, rows["nobody"].Note, "no samples match")
	require.False(t, rows["nobody"].Rate.OK)
}

func TestACounterResetLosesNothingThatWasCounted(t *testing.T) {
	t.Parallel()
	c, p := newClock(), serve(t, histogram("checkout", 1000, 0, 0))
	s := open(t, c, metrics.Config{}, p.URL)
	for _, n := range []int{1100, 50, 150} { // +100, restart and +50, +100
		_, err := s.Latencies(t.Context())
		require.NoError(t, err)
		c.Add(10 * time.Second)
		p.text.Store(histogram("checkout", n, 0, 0))
	}
	set, err := s.Latencies(t.Context())
	require.NoError(t, err)
	require.InDelta(t, 250.0/30, set.Latencies[0].Rate.V, 1e-9)
}

func TestTheRateForgetsWhatLiesBeforeTheWindow(t *testing.T) {
	t.Parallel()
	c, p := newClock(), serve(t, histogram("checkout", 0, 0, 0))
	s := open(t, c, metrics.Config{Window: 10 * time.Second}, p.URL)
	n := 0
	var last sources.LatencySet
	for i := range 60 {
		if i < 30 {
			n += 1000 // busy for half a minute, then calm
		} else {
			n++
		}
		p.text.Store(histogram("checkout", n, 0, 0))
		set, err := s.Latencies(t.Context())
		require.NoError(t, err)
		last = set
		c.Add(time.Second)
	}
	require.InDelta(t, 1, last.Latencies[0].Rate.V, 1e-9)
}

const breakers = `# TYPE circuit_breaker_state gauge
circuit_breaker_state{name="payment",state="closed"} %d
circuit_breaker_state{name="payment",state="half-open"} 0
circuit_breaker_state{name="payment",state="open"} %d
circuit_breaker_requests_total{name="payment",result="success"} %d
circuit_breaker_requests_total{name="payment",result="failure"} %d
circuit_breaker_requests_total{name="payment",result="rejected"} %d
feature_flag_evaluations_total{feature_flag_key="checkout-v2",feature_flag_result_variant="on"} %d
feature_flag_evaluations_total{feature_flag_key="checkout-v2",feature_flag_result_variant="off"} %d
`

func TestBreakersOfTwoInstancesShowTheWorstAndTheSums(t *testing.T) {
	t.Parallel()
	c := newClock()
	a := serve(t, fmt.Sprintf(breakers, 1, 0, 0, 0, 0, 0, 0))
	b := serve(t, fmt.Sprintf(breakers, 1, 0, 0, 0, 0, 0, 0))
	s := open(t, c, metrics.Config{}, a.URL+"/metrics#payment", "scrape+"+b.URL+"#payment")
	_, err := s.Breakers(t.Context())
	require.NoError(t, err)

	c.Add(10 * time.Second)
	a.text.Store(fmt.Sprintf(breakers, 1, 0, 90, 10, 0, 25, 75))
	b.text.Store(fmt.Sprintf(breakers, 0, 1, 0, 100, 50, 25, 75))
	set, err := s.Breakers(t.Context())
	require.NoError(t, err)
	require.Len(t, set.Breakers, 1)
	got := set.Breakers[0]
	require.Equal(t, "payment", got.Name)
	require.Equal(t, sources.BreakerOpen, got.State)
	require.Equal(t, 2, got.Instances)
	require.Equal(t, 1, got.OpenInstances)
	require.InDelta(t, 20, got.Rate.V, 1e-9)
	require.InDelta(t, 0.55, got.ErrorRatio.V, 1e-9)
	require.InDelta(t, 5, got.RejectRate.V, 1e-9)

	exp, err := s.Exposures(t.Context())
	require.NoError(t, err)
	require.InDelta(t, 0.25, exp.Exposure("checkout-v2", "on").V, 1e-9)
	require.False(t, exp.Exposure("another", "on").OK)
}

func TestConcurrentCallsShareOneScrape(t *testing.T) {
	t.Parallel()
	c, p := newClock(), serve(t, histogram("checkout", 1, 0, 0))
	s := open(t, c, metrics.Config{}, p.URL)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { _, _ = s.Latencies(context.Background()) })
		wg.Go(func() { _, _ = s.Breakers(context.Background()) })
	}
	wg.Wait()
	require.EqualValues(t, 1, p.hits.Load())
	c.Add(901 * time.Millisecond)
	_, err := s.Exposures(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 2, p.hits.Load())
}

func TestOneEndpointDownIsAWarningAndItsOldNumbersAreGone(t *testing.T) {
	t.Parallel()
	c := newClock()
	a, b := serve(t, histogram("checkout", 0, 0, 0)), serve(t, histogram("payment", 0, 0, 0))
	s := open(t, c, metrics.Config{}, a.URL, b.URL)
	_, err := s.Latencies(t.Context())
	require.NoError(t, err)
	c.Add(time.Second)
	set, err := s.Latencies(t.Context())
	require.NoError(t, err)
	require.Len(t, set.Latencies, 2)

	b.Close()
	c.Add(time.Second)
	set, err = s.Latencies(t.Context())
	require.NoError(t, err)
	require.Len(t, set.Latencies, 1)
	require.Equal(t, "checkout", set.Latencies[0].Name)
	require.Len(t, set.Warnings, 1)
	require.Contains(t, set.Warnings[0], "refuses connections")

	a.Close()
	c.Add(time.Second)
	_, err = s.Latencies(t.Context())
	require.ErrorIs(t, err, sources.ErrUnavailable)
	require.ErrorContains(t, err, "none of 2 endpoints")
}
