package scrape_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
	"relctl-tui/sources/scrape"
)

// rateAfter shows a page after each pause and returns the last rate of the one
// service there is.
func rateAfter(t *testing.T, s *scrape.Source, c *clock, p *pageServer, steps ...any) sources.Value {
	t.Helper()
	var set sources.LatencySet
	for _, step := range steps {
		switch step := step.(type) {
		case time.Duration:
			c.Add(step)
		case string:
			p.text.Store(step)
			var err error
			set, err = s.Latencies(t.Context())
			require.NoError(t, err)
		}
	}
	if len(set.Latencies) == 0 {
		return sources.Value{}
	}
	require.Len(t, set.Latencies, 1)
	return set.Latencies[0].Rate
}

func count(n int) string {
	return fmt.Sprintf("http_request_duration_seconds_count{code=\"200\"} %d\n", n)
}

func TestASeriesThatIsThereTwiceCountsOnceAndIsAWarning(t *testing.T) {
	t.Parallel()
	c, p := newClock(), serve(t, "")
	s := open(t, c, metrics.Config{}, p.URL)
	got := rateAfter(t, s, c, p, count(100)+count(50), 10*time.Second, count(200)+count(70))
	require.InDelta(t, 10, got.V, 1e-9, "the second is no counter reset of the first")
	set, err := s.Breakers(t.Context())
	require.NoError(t, err)
	require.Contains(t, strings.Join(set.Warnings, "\n"), "has 1 series twice, the first counts")
}

func TestASeriesThatWasMissingOnceIsNotANewOne(t *testing.T) {
	t.Parallel()
	c, p := newClock(), serve(t, "")
	s := open(t, c, metrics.Config{}, p.URL)
	require.False(t, rateAfter(t, s, c, p, count(1_000_000), time.Second, count(1_000_001), time.Second, "up 1\n").OK, "absent while it is missing")
	got := rateAfter(t, s, c, p, time.Second, count(1_000_003))
	require.InDelta(t, 1, got.V, 1e-9, "three more in three seconds, not a million in one")
}

func TestAnOutageLongerThanTheWindowBeginsRatesAnew(t *testing.T) {
	t.Parallel()
	c, p := newClock(), serve(t, "")
	s := open(t, c, metrics.Config{}, p.URL)
	got := rateAfter(t, s, c, p, count(100), 10*time.Second, count(200), 10*time.Minute, count(260))
	require.False(t, got.OK, "the rate over ten minutes is not the rate of the last one")
	got = rateAfter(t, s, c, p, time.Second, count(320))
	require.InDelta(t, 60, got.V, 1e-9)
}

func TestRatesSlowerThanTheWindowAreStillRates(t *testing.T) {
	t.Parallel()
	c, p := newClock(), serve(t, "")
	s := open(t, c, metrics.Config{Window: 2 * time.Second}, p.URL)
	got := rateAfter(t, s, c, p, count(0), 10*time.Second, count(100), 10*time.Second, count(150))
	require.InDelta(t, 5, got.V, 1e-9)
}

func TestOfTooManySeriesTheSameAreKeptEachTime(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 200 {
		fmt.Fprintf(&b, "circuit_breaker_state{name=\"b%03d\",state=\"open\"} 1\n", i)
		fmt.Fprintf(&b, "http_request_duration_seconds_count{job=\"s%03d\"} 1\n", i)
	}
	c, p := newClock(), serve(t, b.String())
	s, err := scrape.New("fleet", []string{p.URL}, scrape.Options{MaxSeries: 20, Now: c.Now})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	for range 5 {
		set, err := s.Breakers(t.Context())
		require.NoError(t, err)
		require.Len(t, set.Breakers, 10, "the first of the page")
		require.Equal(t, "b009", set.Breakers[9].Name)
		require.Contains(t, strings.Join(set.Warnings, "\n"), "380 series more than 20")
		c.Add(time.Second)
	}
}

func TestSeriesThatComeAndGoDoNotPileUp(t *testing.T) {
	t.Parallel()
	c, p := newClock(), serve(t, "")
	s := open(t, c, metrics.Config{}, p.URL)
	for i := range 50 {
		var b strings.Builder
		for j := range 200 {
			fmt.Fprintf(&b, "http_request_duration_seconds_count{job=\"s\",pod=\"%d-%d\"} 1\n", i, j)
		}
		rateAfter(t, s, c, p, time.Second, b.String())
	}
	require.LessOrEqual(t, s.Tracked(), 2*200)
}
