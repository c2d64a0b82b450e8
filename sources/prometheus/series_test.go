package prometheus_test

import (
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
	"relctl-tui/sources/prometheus"
)

func TestEveryPointOfAChartIsPromQLsOwnAnswerAndAGapIsAGap(t *testing.T) {
	t.Parallel()
	r := newRecording()
	services := r.latencies()
	url, a := backfilled(t, r, "")
	at := stepTime(steps - 1)
	ruled := metrics.Config{Latency: []metrics.LatencyRule{{Name: "stopped", Match: `service="stopped"`}, {Name: "other", Match: `service="over"`}}}
	gaps, over := 0, 0
	for _, c := range []struct {
		name string
		cfg  metrics.Config
		q    sources.SeriesQuery
	}{
		{"stopped", ruled, sources.SeriesQuery{Span: 9 * time.Minute, Points: 37}},
		{"stopped", metrics.Config{}, sources.SeriesQuery{Span: 9 * time.Minute, Points: 19}},
		{"over", metrics.Config{}, sources.SeriesQuery{Span: 9 * time.Minute, Points: 37}},
		{"born", metrics.Config{}, sources.SeriesQuery{Span: 9 * time.Minute, Points: 37}},
		{"spring-a", metrics.Config{}, sources.SeriesQuery{Span: 9 * time.Minute, Points: 19}},
		{"http_server-a", metrics.Config{}, sources.SeriesQuery{Span: 8 * time.Minute, Points: 5}}, // a step of two windows
	} {
		c.q.Latency = c.name
		wire := &counting{next: pinned{at: at}}
		s := open(t, url, prometheus.Options{Metrics: c.cfg, Transport: wire})
		got, err := s.Series(t.Context(), c.q)
		require.NoError(t, err)
		require.LessOrEqual(t, wire.n.Load(), int32(4), c.name)
		require.Len(t, got.P99, c.q.Points)
		require.Equal(t, max(time.Minute, c.q.Step()), got.Over, "nothing falls between two points")
		cell := cellsOf(t, services, c.name)
		in := func(query string) string {
			return strings.ReplaceAll(query, window, fmt.Sprintf("[%ds]", int(got.Over.Seconds())))
		}
		for i := range got.Len() {
			then := at.Add(-time.Duration(got.Len()-1-i) * got.Step)
			where := func(of string) string { return fmt.Sprintf("%s, %s, point %d", c.name, of, i) }
			sameNumber(t, a, then, in(cell.rate), got.Rate[i], where("rate"))
			sameNumber(t, a, then, in(cell.failed), got.Errors[i], where("errors"))
			for _, q := range []struct {
				query string
				is    sources.Quantile
			}{{cell.p50, got.P50[i]}, {cell.p95, got.P95[i]}, {cell.p99, got.P99[i]}} {
				sameNumber(t, a, then, in(q.query), sources.Value{V: q.is.Seconds, OK: q.is.OK}, where(q.query))
			}
			if !got.P99[i].OK {
				gaps++
			}
			if got.P99[i].Over {
				over++
			}
		}
	}
	require.Positive(t, gaps, "no gap was held against anything")
	require.Positive(t, over, "nothing above the last bucket was held against anything")
}

func cellsOf(t *testing.T, list []latencyCells, name string) *latencyCells {
	t.Helper()
	for i := range list {
		if list[i].name == name {
			return &list[i]
		}
	}
	t.Fatalf("nobody recorded %s", name)
	return nil
}

func TestEveryPointOfAnExposureIsPromQLsOwnAnswer(t *testing.T) {
	t.Parallel()
	r := newRecording()
	r.latencies()
	url, a := backfilled(t, r, "")
	at := stepTime(steps - 1)
	q := sources.SeriesQuery{Flag: "flag-0", Variant: "beta", Span: 9 * time.Minute, Points: 19}
	wire := &counting{next: pinned{at: at}}
	s := open(t, url, prometheus.Options{Transport: wire})
	got, err := s.Series(t.Context(), q)
	require.NoError(t, err)
	require.LessOrEqual(t, wire.n.Load(), int32(3))
	const all = `feature_flag_evaluations_total{feature_flag_key="flag-0"`
	known := 0
	for i := range got.Len() {
		then := at.Add(-time.Duration(got.Len()-1-i) * got.Step)
		sameNumber(t, a, then, share(perSecond(all+`,feature_flag_result_variant="beta"}`), perSecond(all+"}")), got.Share[i], fmt.Sprint("point ", i))
		if got.Share[i].OK {
			known++
		}
	}
	require.Positive(t, known)
	q.Flag = "flag-1"
	got, err = s.Series(t.Context(), q)
	require.NoError(t, err)
	for i := range got.Share {
		require.False(t, got.Share[i].OK, "nobody evaluated it")
	}
	q.Flag = `no" or vector(1) #`
	got, err = s.Series(t.Context(), q)
	require.NoError(t, err, "a flag's key is a string and nothing else")
	require.False(t, got.Share[0].OK)
}

// said keeps what was asked for, and answers nothing.
type said struct{ queries []string }

func (s *said) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := req.ParseForm(); err != nil {
		return nil, err
	}
	s.queries = append(s.queries, req.Form.Get("query"))
	return nil, http.ErrServerClosed
}

func TestASeriesThatCannotBeIsRefusedBeforeAnythingIsAsked(t *testing.T) {
	t.Parallel()
	wire := &said{}
	s := open(t, "http://prom.example", prometheus.Options{Transport: wire})
	for _, q := range []sources.SeriesQuery{
		{},
		{Latency: "a", Flag: "b", Span: time.Hour, Points: 10},
		{Latency: "a", Span: time.Second, Points: 10},
		{Latency: "a", Span: time.Hour, Points: 1},
		{Latency: "a", Span: time.Hour, Points: math.MaxInt},
		{Latency: "a", Span: math.MaxInt64, Points: 10},
	} {
		_, err := s.Series(t.Context(), q)
		require.ErrorIs(t, err, sources.ErrInvalid)
	}
	_, err := s.Series(t.Context(), sources.SeriesQuery{Flag: "a", Span: time.Hour, Points: 10})
	require.ErrorIs(t, err, sources.ErrUnsupported)
	require.Empty(t, wire.queries)
	_, err = s.Series(t.Context(), sources.SeriesQuery{Latency: "a", Span: time.Hour, Points: 10})
	require.ErrorIs(t, err, sources.ErrUnavailable)
	require.Len(t, wire.queries, 1, "a server that is down is asked once")
}
