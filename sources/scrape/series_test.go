package scrape_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
)

// evaluated is a page after n seconds of ten calls a second, each of 50 to 100 ms, and
// of as many evaluations of a flag.
func evaluated(n, on int) string {
	return fmt.Sprintf(`http_request_duration_seconds_bucket{job="api",le="0.05"} 0
http_request_duration_seconds_bucket{job="api",le="0.1"} %[1]d
http_request_duration_seconds_bucket{job="api",le="+Inf"} %[1]d
http_request_duration_seconds_count{job="api"} %[1]d
feature_flag_evaluations_total{feature_flag_key="f",feature_flag_result_variant="on"} %[2]d
feature_flag_evaluations_total{feature_flag_key="f",feature_flag_result_variant="off"} %[3]d
`, n*10, on, n*10-on)
}

func TestAChartOfScrapesGoesBackAsFarAsTheyDoAndSkipsNoHole(t *testing.T) {
	t.Parallel()
	clock, page := newClock(), serve(t, evaluated(0, 0))
	s := open(t, clock, metrics.Config{Window: 10 * time.Second}, page.URL)
	began := clock.Now()
	q := sources.SeriesQuery{Latency: "api", Span: 5 * time.Minute, Points: 61}
	_, err := s.Series(t.Context(), q)
	require.ErrorIs(t, err, sources.ErrNotFound, "nobody has read it yet")
	read := func(n, on int) {
		page.text.Store(evaluated(n, on))
		_, err := s.Latencies(t.Context())
		require.NoError(t, err)
		_, err = s.Exposures(t.Context())
		require.NoError(t, err)
	}
	n := 0
	for range 24 {
		read(n, n*5)
		clock.Add(5 * time.Second)
		n += 5
	}
	clock.Add(time.Minute) // nobody looks
	for range 12 {
		read(n, n*5)
		clock.Add(5 * time.Second)
		n += 5
	}
	read(n, n*5)
	got, err := s.Series(t.Context(), q)
	require.NoError(t, err)
	require.Equal(t, began.Add(5*time.Second), got.Since.UTC(), "one scrape is no rate")
	require.Equal(t, 10*time.Second, got.Step, "two scrapes: one is late now and then")
	require.Equal(t, clock.Now(), got.At(got.Len()-1))
	for i := range got.Len() {
		age := clock.Now().Sub(got.At(i))
		switch {
		case age < 50*time.Second, age > 140*time.Second && age < 220*time.Second:
			require.InDelta(t, 0.0995, got.P99[i].Seconds, 1e-6, "%s ago", age)
			require.InDelta(t, 10, got.Rate[i].V, 1e-6, "%s ago", age)
			require.False(t, got.Errors[i].OK, "the page does not tell failures")
		case age > 70*time.Second && age < 110*time.Second, age > 250*time.Second:
			require.False(t, got.P99[i].OK, "%s ago nothing was read", age)
			require.False(t, got.Rate[i].OK)
		}
	}
	q.Latency, q.Flag, q.Variant = "", "f", "on"
	got, err = s.Series(t.Context(), q)
	require.NoError(t, err)
	require.InDelta(t, 0.5, got.Share[got.Len()-1].V, 1e-6)
	q.Variant = "beta"
	got, err = s.Series(t.Context(), q)
	require.NoError(t, err)
	require.Equal(t, sources.Some(0.0), got.Share[got.Len()-1], "the flag was evaluated, and nobody got this variant")
	require.False(t, got.Share[0].OK)
}

func TestAChartOfWhatStandsAboveTheLastBucketSaysSo(t *testing.T) {
	t.Parallel()
	slow := func(n int) string {
		return fmt.Sprintf("http_request_duration_seconds_bucket{job=\"api\",le=\"0.1\"} 0\nhttp_request_duration_seconds_bucket{job=\"api\",le=\"+Inf\"} %[1]d\nhttp_request_duration_seconds_count{job=\"api\"} %[1]d\n", n)
	}
	clock, page := newClock(), serve(t, slow(0))
	s := open(t, clock, metrics.Config{}, page.URL)
	for n := range 4 {
		page.text.Store(slow(n * 10))
		_, err := s.Latencies(t.Context())
		require.NoError(t, err)
		clock.Add(time.Second)
	}
	got, err := s.Series(t.Context(), sources.SeriesQuery{Latency: "api", Span: time.Minute, Points: 30})
	require.NoError(t, err)
	last := got.P99[got.Len()-1]
	require.True(t, last.OK && last.Over)
	require.InDelta(t, 0.1, last.Seconds, 1e-6)
}

func TestAPointOfAScrapedChartIsTheWorstOfItsStep(t *testing.T) {
	t.Parallel()
	clock, page := newClock(), serve(t, "")
	s := open(t, clock, metrics.Config{Window: 2 * time.Second}, page.URL)
	fast, slow := 0, 0
	const spike = 31
	for i := range 61 {
		if i == spike {
			slow += 100
		} else {
			fast += 100
		}
		page.text.Store(fmt.Sprintf(`http_request_duration_seconds_bucket{job="api",le="0.1"} %[1]d
http_request_duration_seconds_bucket{job="api",le="5"} %[2]d
http_request_duration_seconds_bucket{job="api",le="+Inf"} %[2]d
http_request_duration_seconds_count{job="api"} %[2]d
`, fast, fast+slow))
		_, err := s.Latencies(t.Context())
		require.NoError(t, err)
		clock.Add(time.Second)
	}
	got, err := s.Series(t.Context(), sources.SeriesQuery{Latency: "api", Span: time.Minute, Points: 7})
	require.NoError(t, err)
	require.Equal(t, 10*time.Second, got.Step)
	var bad int
	for i := range got.Len() {
		if q := got.P99[i]; q.OK && q.Seconds > 4 {
			bad++
		}
	}
	require.Positive(t, bad, "one second of sixty was slow, and it is seen: %v", got.P99)
	require.LessOrEqual(t, bad, 2, "the window of two seconds may reach into the next point")
}
