package scrape_test

import (
	"context"
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

func TestEachBadPageIsOneClearSentence(t *testing.T) {
	t.Parallel()
	page := func(status int, kind, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			_, _ = fmt.Fprint(w, body)
		}
	}
	const text = "text/plain; version=0.0.4"
	for name, c := range map[string]struct {
		h    http.HandlerFunc
		is   error
		says string
	}{
		"a web page":         {page(200, "text/html; charset=utf-8", "<html>"), sources.ErrInvalid, "answered text/html, not metrics"},
		"a page in disguise": {page(200, text, "\n <!DOCTYPE html>"), sources.ErrInvalid, "answered HTML, not metrics"},
		"JSON":               {page(200, "application/json", "{}"), sources.ErrInvalid, "answered application/json, not metrics"},
		"prose":              {page(200, text, "hello there\x1b[2J"), sources.ErrInvalid, `answered something else than metrics (line 1: "hello there∙[2J")`},
		"nothing":            {page(200, text, ""), sources.ErrInvalid, "answered an empty page"},
		"a broken line":      {page(200, text, "circuit_breaker_state{name=\"x} 1\n"), sources.ErrInvalid, "sent metrics that do not parse"},
		"too much":           {page(200, text, strings.Repeat("a 1\n", 3000)), sources.ErrInvalid, "sent more than 8192 bytes"},
		"no credentials":     {page(401, text, ""), sources.ErrUnauthorized, "answered 401 Unauthorized"},
		"not allowed":        {page(403, text, ""), sources.ErrUnauthorized, "answered 403 Forbidden"},
		"wrong path":         {page(404, text, ""), sources.ErrInvalid, "check the path"},
		"broken":             {page(500, "text/html", ""), sources.ErrUnavailable, "answered 500 Internal Server Error"},
		"cut short": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = fmt.Fprint(w, "a 1\n")
		}, sources.ErrUnavailable, "broke off in the middle of its answer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(c.h)
			defer srv.Close()
			s, err := scrape.New("fleet", []string{strings.Replace(srv.URL, "//", "//ana:hunter2@", 1)}, scrape.Options{MaxBody: 8192})
			require.NoError(t, err)
			defer func() { require.NoError(t, s.Close()) }()
			_, err = s.Latencies(t.Context())
			require.ErrorIs(t, err, c.is)
			require.ErrorContains(t, err, c.says)
			require.True(t, strings.HasPrefix(err.Error(), "fleet: 127.0.0.1:"), err)
			require.NotContains(t, err.Error(), "hunter2")
			require.NotContains(t, err.Error(), "\x1b")
		})
	}
}

func TestAPageThatHangsIsGivenUpInTime(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer srv.Close()
	defer close(release)
	s, err := scrape.New("fleet", []string{srv.URL}, scrape.Options{Timeout: 50 * time.Millisecond})
	require.NoError(t, err)
	_, err = s.Breakers(t.Context())
	require.ErrorIs(t, err, sources.ErrUnavailable)
	require.ErrorContains(t, err, "did not answer within 50ms")
}

func TestACallerWhoGivesUpDoesNotSpoilTheScrapeOfOthers(t *testing.T) {
	t.Parallel()
	arrived, release := make(chan struct{}), make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(arrived) // a second request would panic
		<-release
		_, _ = fmt.Fprint(w, histogram("checkout", 1, 0, 0))
	}))
	defer srv.Close()
	s, err := scrape.New("fleet", []string{srv.URL}, scrape.Options{MinInterval: time.Hour})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() {
		_, err := s.Latencies(ctx)
		gone <- err
	}()
	<-arrived
	cancel()
	require.ErrorIs(t, <-gone, context.Canceled)
	close(release)
	_, err = s.Latencies(t.Context())
	require.NoError(t, err)
}

func TestCredentialsStayWithTheHostTheyAreFor(t *testing.T) {
	t.Parallel()
	var at string
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		at = r.Header.Get("Authorization")
		_, _ = fmt.Fprint(w, "a 1\n")
	}))
	defer other.Close()
	var home string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		home = r.Header.Get("Authorization")
		http.Redirect(w, r, other.URL, http.StatusFound)
	}))
	defer srv.Close()
	s, err := scrape.New("fleet", []string{strings.Replace(srv.URL, "//", "//ana:hunter2@", 1)}, scrape.Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	set, err := s.Breakers(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"none of the known metrics is exported"}, set.Warnings)
	require.NotEmpty(t, home)
	require.Empty(t, at)
}

func TestTooManyOrTooLongSeriesAreAWarning(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	fmt.Fprintf(&b, "circuit_breaker_state{name=%q,state=\"open\"} 1\n", strings.Repeat("x", 2000))
	for i := range 29 {
		fmt.Fprintf(&b, "circuit_breaker_state{name=\"b%02d\",state=\"open\"} 1\n", i)
	}
	fmt.Fprintf(&b, "circuit_breaker_state{name=%q,state=\"open\"} 1\n", strings.Repeat("y", 70_000))
	p := serve(t, b.String())
	s, err := scrape.New("fleet", []string{p.URL}, scrape.Options{MaxSeries: 10})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	set, err := s.Breakers(t.Context())
	require.NoError(t, err)
	require.Len(t, set.Breakers, 9)
	all := strings.Join(set.Warnings, "\n")
	require.Contains(t, all, "20 series more than 10")
	require.Contains(t, all, "1 series with too many or too long labels")
	require.Contains(t, all, "1 lines longer than 65536 bytes")
}

func TestURLsThatCannotBeScrapedAreRefused(t *testing.T) {
	t.Parallel()
	for says, urls := range map[string][]string{
		"give 1 to 256 scrape URLs, not 0": nil,
		"not of the form":                  {"ftp://x/metrics"},
		"of the form http://HOST":          {"http://ana:hunter2@ x"},
		"is given twice":                   {"http://h:1", "scrape+http://h:1/metrics#again"},
	} {
		_, err := scrape.New("fleet", urls, scrape.Options{})
		require.ErrorIs(t, err, sources.ErrInvalid, says)
		require.ErrorContains(t, err, says)
		require.NotContains(t, err.Error(), "hunter2")
	}
	_, err := scrape.New("fleet", []string{"http://h"}, scrape.Options{Metrics: metrics.Config{Window: time.Second}})
	require.ErrorIs(t, err, sources.ErrInvalid)
}

func TestAClockThatGoesBackStillShowsTheStateOfNow(t *testing.T) {
	t.Parallel()
	c, p := newClock(), serve(t, fmt.Sprintf(breakers, 1, 0, 0, 0, 0, 0, 0))
	s := open(t, c, metrics.Config{}, p.URL)
	_, err := s.Breakers(t.Context())
	require.NoError(t, err)
	c.Add(-time.Hour)
	p.text.Store(fmt.Sprintf(breakers, 0, 1, 5, 5, 0, 0, 0))
	set, err := s.Breakers(t.Context())
	require.NoError(t, err)
	require.Equal(t, sources.BreakerOpen, set.Breakers[0].State)
	require.False(t, set.Breakers[0].Rate.OK)
}

func TestTheFirstErrorOfANewSeriesIsCounted(t *testing.T) {
	t.Parallel()
	c, p := newClock(), serve(t, "http_request_duration_seconds_count{code=\"200\"} 100\n")
	s := open(t, c, metrics.Config{}, p.URL)
	_, err := s.Latencies(t.Context())
	require.NoError(t, err)
	c.Add(10 * time.Second)
	p.text.Store("http_request_duration_seconds_count{code=\"200\"} 190\nhttp_request_duration_seconds_count{code=\"500\"} 10\n")
	set, err := s.Latencies(t.Context())
	require.NoError(t, err)
	require.InDelta(t, 10, set.Latencies[0].Rate.V, 1e-9)
	require.InDelta(t, 0.1, set.Latencies[0].ErrorRatio.V, 1e-9)
}

func TestAPageThatAsksForRestSaysForHowLong(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "20")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	defer srv.Close()
	s, err := scrape.New("fleet", []string{srv.URL}, scrape.Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	_, err = s.Breakers(t.Context())
	after, _ := sources.RetryAfter(err)
	require.Equal(t, 20*time.Second, after)
	require.ErrorContains(t, err, "not to be asked again for 20s")
}
