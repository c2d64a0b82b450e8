package scrape_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
)

func compared(match, mismatch int) string {
	text := fmt.Sprintf("orders_comparisons_total{result=\"match\"} %d\n", match)
	if mismatch > 0 {
		text += fmt.Sprintf("orders_comparisons_total{result=\"mismatch\"} %d\n", mismatch)
	}
	return text
}

func TestARatioIsRememberedFromScrapeToScrapeAndSilenceIsNoZero(t *testing.T) {
	t.Parallel()
	clock, page := newClock(), serve(t, compared(0, 0))
	s := open(t, clock, metrics.Config{Window: 2 * time.Second, Ratios: []metrics.RatioRule{
		{Name: "orders", Metric: "orders_comparisons_total", Bad: `result="mismatch"`, Span: 6 * time.Second},
		{Name: "asked", Query: "1"},
	}}, page.URL)
	read := func() []sources.RatioSample {
		t.Helper()
		samples, err := s.Ratios(t.Context(), "orders", 6*time.Second)
		require.NoError(t, err)
		return samples
	}
	first := read()
	require.Len(t, first, 1)
	require.False(t, first[0].Ratio.OK, "one scrape is no rate")
	for i, c := range []struct {
		match, mismatch int
		want            sources.Value
		rate            float64
	}{
		{10, 0, sources.Some(0.0), 10},
		{18, 2, sources.Some(2.0 / 11), 11}, // 9 a second for two seconds, and 2 in the second since the first that differed
		{18, 2, sources.Some(0.2), 5},
		{18, 2, sources.Value{}, 0}, // nothing was compared for two seconds
		{28, 2, sources.Some(0.0), 5},
	} {
		page.text.Store(compared(c.match, c.mismatch))
		clock.Add(time.Second)
		samples := read()
		last := samples[len(samples)-1]
		require.Equal(t, c.want.OK, last.Ratio.OK, "scrape %d", i)
		require.InDelta(t, c.want.V, last.Ratio.V, 1e-9, "scrape %d", i)
		require.InDelta(t, c.rate, last.Rate.V, 1e-9, "scrape %d", i)
		require.Equal(t, clock.Now(), last.At)
	}
	for range 20 {
		clock.Add(time.Second)
		read()
	}
	require.LessOrEqual(t, len(read()), 9, "what lies before the span is forgotten")

	page.Close()
	clock.Add(time.Second)
	_, err := s.Ratios(t.Context(), "orders", time.Minute)
	require.ErrorIs(t, err, sources.ErrUnavailable, "a page that is gone is not the ratio of before")
	_, err = s.Ratios(t.Context(), "asked", time.Minute)
	require.ErrorIs(t, err, sources.ErrUnsupported)
	_, err = s.Ratios(t.Context(), "other", time.Minute)
	require.ErrorIs(t, err, sources.ErrNotFound)
}

func TestThinningKeepsTheWorstOfTwo(t *testing.T) {
	t.Parallel()
	clock, page := newClock(), serve(t, compared(0, 0))
	s := open(t, clock, metrics.Config{Window: 2 * time.Second, Ratios: []metrics.RatioRule{
		{Name: "orders", Metric: "orders_comparisons_total", Bad: `result="mismatch"`, Span: time.Hour},
	}}, page.URL)
	worst, match, mismatch := 0.0, 0, 0
	for i := range 120 { // two minutes in which one second was bad
		match += 10
		if i == 50 {
			mismatch += 10
		}
		page.text.Store(compared(match, mismatch))
		clock.Add(time.Second)
		samples, err := s.Ratios(t.Context(), "orders", time.Hour)
		require.NoError(t, err)
		require.LessOrEqual(t, len(samples), 10)
		worst = 0
		for _, x := range samples {
			worst = max(worst, x.Ratio.V)
		}
	}
	require.Greater(t, worst, 0.2)
}
