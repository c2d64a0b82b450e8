package web_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/web"
)

func TestRetryAfterIsSaidInWordsCarriedOnAndBounded(t *testing.T) {
	t.Parallel()
	const date = "Mon, 02 Jan 2006 15:04:05 GMT"
	for name, c := range map[string]struct {
		status int
		after  string
		date   string
		want   time.Duration
	}{
		"seconds":                     {429, "30", "", 30 * time.Second},
		"seconds with blanks":         {429, " 7 ", "", 7 * time.Second},
		"a server that restarts":      {503, "2", "", 2 * time.Second},
		"a slip in the configuration": {429, "86400", "", 5 * time.Minute},
		"more than a number holds":    {429, "9000000000000000000", "", 5 * time.Minute},
		"a moment by its own clock":   {429, "Mon, 02 Jan 2006 15:05:05 GMT", date, time.Minute},
		"a moment too far away":       {429, "Tue, 02 Jan 2007 15:05:05 GMT", date, 5 * time.Minute},
		"a moment that is over":       {429, "Mon, 02 Jan 2006 15:04:00 GMT", date, 0},
		"a moment without a clock":    {429, "Mon, 02 Jan 2006 15:05:05 GMT", "", 0},
		"nothing":                     {429, "", date, 0},
		"zero":                        {429, "0", "", 0},
		"less than zero":              {429, "-5", "", 0},
		"prose":                       {429, "soon\x1b[2J", date, 0},
		"a status that has no such":   {500, "30", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			resp := &http.Response{StatusCode: c.status, Header: http.Header{"Retry-After": {c.after}, "Date": {c.date}}}
			err := web.BadStatus("prom", resp, "slow down")
			require.ErrorIs(t, err, sources.ErrUnavailable)
			got, ok := sources.RetryAfter(err)
			require.Equal(t, c.want > 0, ok)
			require.Equal(t, c.want, got)
			want := http.StatusText(c.status) + " (slow down)"
			if c.want > 0 {
				want += ", not to be asked again for " + c.want.String()
			}
			require.Regexp(t, "^prom answered [0-9]{3} ", sources.Sentence(err))
			require.True(t, strings.HasSuffix(sources.Sentence(err), want), err)
		})
	}
}

func TestWhyThereIsNoAnswerIsSaidWithoutAddressesOrMomentsThatChange(t *testing.T) {
	t.Parallel()
	reset := &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	old := x509.CertificateInvalidError{Reason: x509.Expired, Detail: "current time 2026-11-24T15:04:05Z is after 2026-11-24T14:00:00Z", Cert: &x509.Certificate{
		NotBefore: time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC), NotAfter: time.Date(2026, 11, 24, 14, 0, 0, 0, time.UTC),
	}}
	for says, err := range map[string]error{
		"prom broke off the connection":              reset,
		"prom broke off in the middle of its answer": fmt.Errorf("reading: %w", io.ErrUnexpectedEOF),
		"prom has a certificate valid only 2026-11-23 14:00 to 2026-11-24 14:00 UTC, check it and the clock": old,
	} {
		got := web.Fault("prom", &url.Error{Op: "Get", URL: "http://ana:hunter2@prom", Err: err}, time.Second)
		require.ErrorIs(t, got, sources.ErrUnavailable)
		require.Equal(t, says, sources.Sentence(got))
	}
	gone := web.Fault("prom", &url.Error{Op: "Get", URL: "http://prom", Err: io.EOF}, time.Second)
	require.Equal(t, "prom broke off the connection", sources.Sentence(gone))
}

func TestAFailureThatIsSharedReadsTheSameAndCountsAsGivenUp(t *testing.T) {
	t.Parallel()
	err := sources.WithRetryAfter(fmt.Errorf("prom is busy: %w", sources.ErrUnavailable), time.Minute)
	got := web.Shared(err)
	require.Equal(t, sources.Sentence(err), sources.Sentence(got))
	require.ErrorIs(t, got, sources.ErrUnavailable)
	require.ErrorIs(t, got, context.Canceled)
	require.NotErrorIs(t, err, context.Canceled)
	after, _ := sources.RetryAfter(got)
	require.Equal(t, time.Minute, after)
	require.NoError(t, web.Shared(nil))
}

func TestARedirectToAnotherHostDoesNotTellItTheURL(t *testing.T) {
	t.Parallel()
	heard := make(chan string, 1)
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { heard <- r.Referer() }))
	defer other.Close()
	home := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusFound))
	defer home.Close()
	c := &http.Client{CheckRedirect: web.SameHostOnly}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, home.URL+"/metrics?token=hunter2", nil)
	require.NoError(t, err)
	resp, err := c.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Empty(t, <-heard)
	c.CloseIdleConnections()
}
