package scrape_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
	"relctl-tui/sources/scrape"
)

// graphPage is a page after so many seconds in which the shop, called ten times a second,
// calls a database once each time, which takes the given share of the shop's time.
func graphPage(busyShop, busyDB float64, calls int) string {
	var b strings.Builder
	for pair, busy := range map[string]float64{`client="user",server="shop"`: busyShop, `client="shop",server="db"`: busyDB} {
		fmt.Fprintf(&b, "traces_service_graph_request_server_seconds_sum{%s} %g\n", pair, busy)
		fmt.Fprintf(&b, "traces_service_graph_request_server_seconds_count{%s} %d\n", pair, calls)
		fmt.Fprintf(&b, "traces_service_graph_request_failed_total{%s} %d\n", pair, calls/10)
	}
	return b.String()
}

func TestAScrapedCallPathRemembersHowItWasAndNamesWhatMoved(t *testing.T) {
	t.Parallel()
	clock, page := newClock(), serve(t, graphPage(0, 0, 0))
	s := open(t, clock, metrics.Config{Window: 10 * time.Second}, page.URL)
	shop, db := 0.0, 0.0
	calls := 0
	run := func(seconds int, eachShop, eachDB float64) {
		for range seconds {
			_, err := s.Latencies(t.Context())
			require.NoError(t, err)
			clock.Add(time.Second)
			shop, db, calls = shop+10*eachShop, db+10*eachDB, calls+10
			page.text.Store(graphPage(shop, db, calls))
		}
	}
	run(60, 0.1, 0.04)
	run(30, 0.5, 0.43)
	q := sources.CallsQuery{Service: "shop", Ago: 40 * time.Second}
	c, err := s.Calls(t.Context(), q)
	require.NoError(t, err)
	require.Empty(t, c.Warnings)
	p := c.Path()
	require.Len(t, p.Hops, 2)
	require.InDelta(t, 0.5, p.Hops[0].Took.V, 0.005, "within a hundredth")
	require.InDelta(t, 0.07, p.Hops[0].Own.V, 0.0007)
	require.InDelta(t, 0.43, p.Hops[1].Own.V, 0.0043)
	require.InDelta(t, 0.86, p.Hops[1].Share.V, 0.0086)
	require.InDelta(t, 0.1, p.Hops[1].Errors.V, 0.02)
	require.InDelta(t, 0.39, p.Hops[1].Moved.V, 0.0039)
	require.InDelta(t, 0.01, p.Hops[0].Moved.V, 0.001)
	require.Equal(t, 1, p.Most)

	q.Ago = time.Hour
	c, err = s.Calls(t.Context(), q)
	require.NoError(t, err)
	require.Nil(t, c.Then)
	require.Len(t, c.Warnings, 1)
	require.Contains(t, c.Warnings[0], "nothing is known of the calls 60 min ago: it was first read at ")
	q.Service = "nonesuch"
	_, err = s.Calls(t.Context(), q)
	require.ErrorIs(t, err, sources.ErrNotFound)
	require.ErrorContains(t, err, "it has db, shop, user")
}

const exemplarPage = `# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{job="api",le="0.1"} 8 # {trace_id="fast"} 0.07 %[1]d.5
http_request_duration_seconds_bucket{job="api",path="a # {x=\"}",le="1.0"} 10 # {trace_id="4bf92f3577b34da6a3ce929d0e0e4736",span_id="1"} 0.67 %[1]d
http_request_duration_seconds_bucket{job="api",le="+Inf"} 11 # {traceID="slow\u001b"} 3.5
http_request_duration_seconds_bucket{job="other",le="+Inf"} 11 # {trace_id="not-ours"} 9
http_request_duration_seconds_bucket{job="api",le="5"} 11 # {trace_id="old"} 4.5 %[2]d
http_request_duration_seconds_bucket{job="api",le="6"} 11 # {trace_id="no number"} NaN
http_request_duration_seconds_bucket{job="api",le="7"} 11 # {span_id="no trace"} 5
http_request_duration_seconds_count{job="api"} 11
# EOF
`

func TestTheSlowestExemplarsOfAnOpenMetricsPageNameTheirTraces(t *testing.T) {
	t.Parallel()
	clock := newClock()
	now := clock.Now().Unix() - 10
	page := fmt.Sprintf(exemplarPage, now, now-7200)
	var kind string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kind = "text/plain; version=0.0.4"
		text := strings.Join(strings.FieldsFunc(page, func(r rune) bool { return r == '\n' })[8:9], "\n") + "\n"
		if strings.Contains(r.Header.Get("Accept"), "openmetrics") {
			kind, text = "application/openmetrics-text; version=1.0.0; charset=utf-8", page
		}
		w.Header().Set("Content-Type", kind)
		_, _ = fmt.Fprint(w, text)
	}))
	t.Cleanup(srv.Close)
	s, err := scrape.New("fleet", []string{srv.URL}, scrape.Options{Now: clock.Now})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	set, err := s.Exemplars(t.Context(), sources.ExemplarQuery{Latency: "api", Span: 15 * time.Minute})
	require.NoError(t, err)
	require.Len(t, set.Exemplars, 3)
	require.InDelta(t, 3.5, set.Exemplars[0].Seconds, 0)
	require.True(t, set.Exemplars[0].At.IsZero(), "nobody says when")
	require.Equal(t, "4bf92f3577b34da6a3ce929d0e0e4736", set.Exemplars[1].TraceID)
	require.Equal(t, now, set.Exemplars[1].At.Unix())
	require.Equal(t, "fast", set.Exemplars[2].TraceID)
	_, err = s.Exemplars(t.Context(), sources.ExemplarQuery{Latency: "api", Span: time.Second})
	require.ErrorIs(t, err, sources.ErrInvalid)
}

func TestAPageWithoutOpenMetricsHasNoExemplarsAndSaysWhy(t *testing.T) {
	t.Parallel()
	clock, page := newClock(), serve(t, histogram("checkout", 1, 0, 0))
	s := open(t, clock, metrics.Config{}, page.URL)
	set, err := s.Exemplars(t.Context(), sources.ExemplarQuery{Latency: "checkout", Span: time.Hour})
	require.NoError(t, err)
	require.Empty(t, set.Exemplars)
	require.Equal(t, "no exemplars: the endpoint does not speak OpenMetrics", set.Note)
}
