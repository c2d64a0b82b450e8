package scrape_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/scrape"
)

// canned answers every request with the same bytes, without a network.
type canned struct{ body []byte }

func (c *canned) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/plain"}},
		Body: io.NopCloser(bytes.NewReader(c.body)), Request: r,
	}, nil
}

// FuzzScrapeParse: no page makes the reader panic, keep more than it may, or put
// a control character on the screen. The goroutine of a scrape makes coverage
// wobble, so fuzz it with -fuzzminimizetime 5x, or minimising takes all the time.
func FuzzScrapeParse(f *testing.F) {
	f.Add(histogram("checkout", 10, 5, 1))
	f.Add(fmt.Sprintf(breakers, 1, 0, 1, 2, 3, 4, 5))
	f.Add("circuit_breaker_state{name=\"\x1b[2J\",state=\"open\"} 1 1700000000\n")
	f.Add("circuit_breaker_state NaN\nfeature_flag_evaluations_total{key=\"a\"} +Inf\n{\"utf8.name\",a=\"b\"} 1\n")
	f.Add("http_request_duration_seconds_bucket{le=\"x\"} 1\nhttp_request_duration_seconds_bucket{le=\"NaN\"} 1e400\n")
	f.Add("<html>")
	f.Fuzz(func(t *testing.T, page string) {
		c := newClock()
		s, err := scrape.New("fleet", []string{"http://h"}, scrape.Options{
			Transport: &canned{[]byte(page)}, Now: c.Now, MaxSeries: 20, MaxBody: 64 << 10, Timeout: time.Minute,
		})
		require.NoError(t, err)
		for range 3 {
			b, err := s.Breakers(t.Context())
			if err != nil {
				require.ErrorIs(t, err, sources.ErrInvalid)
				printable(t, err.Error())
				return
			}
			l, err := s.Latencies(t.Context())
			require.NoError(t, err)
			e, err := s.Exposures(t.Context())
			require.NoError(t, err)
			require.LessOrEqual(t, len(b.Breakers)+len(l.Latencies)+len(e.ByKey), 20)
			for _, row := range b.Breakers {
				printable(t, row.Name+row.Note)
			}
			for _, row := range l.Latencies {
				printable(t, row.Name+row.Note)
				require.False(t, row.Rate.OK && row.Rate.V < 0)
			}
			printable(t, strings.Join(b.Warnings, ""))
			c.Add(time.Second)
		}
	})
}

func printable(t *testing.T, s string) {
	t.Helper()
	require.NotRegexp(t, `[\x00-\x1f\x7f]`, s)
	for _, r := range s {
		require.False(t, unicode.IsControl(r) || unicode.Is(unicode.Cf, r), "%q", s)
	}
}

// bigPage is 50 services with 15 buckets each among noise that nobody asks for.
func bigPage(noise int) []byte {
	var b bytes.Buffer
	for i := range 50 {
		for le := range 15 {
			fmt.Fprintf(&b, "http_server_request_duration_seconds_bucket{service=\"svc-%d\",http_response_status_code=\"200\",le=\"%d\"} %d\n", i, le, 10*le)
		}
		fmt.Fprintf(&b, "http_server_request_duration_seconds_bucket{service=\"svc-%d\",http_response_status_code=\"200\",le=\"+Inf\"} 150\n", i)
		fmt.Fprintf(&b, "http_server_request_duration_seconds_count{service=\"svc-%d\",http_response_status_code=\"200\"} 150\n", i)
	}
	for i := range noise {
		fmt.Fprintf(&b, "some_other_metric_total{path=\"/api/v1/things\",code=\"200\",shard=\"%d\"} %d\n", i, i)
	}
	return b.Bytes()
}

func BenchmarkScrapeOf50Services(b *testing.B) {
	for _, noise := range []int{0, 20_000} {
		b.Run(fmt.Sprintf("noise-%d", noise), func(b *testing.B) {
			c := newClock()
			s, err := scrape.New("fleet", []string{"http://h"}, scrape.Options{Transport: &canned{bigPage(noise)}, Now: c.Now})
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Latencies(b.Context()); err != nil {
					b.Fatal(err)
				}
				c.Add(time.Second)
			}
		})
	}
}

func TestAPageFullOfOtherMetricsCostsLittleMemory(t *testing.T) {
	c := newClock()
	s, err := scrape.New("fleet", []string{"http://h"}, scrape.Options{Transport: &canned{bigPage(100_000)}, Now: c.Now})
	require.NoError(t, err)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = s.Latencies(t.Context())
	require.NoError(t, err)
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(8<<20), "the page alone has 7 MB")
}
