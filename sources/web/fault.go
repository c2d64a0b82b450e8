package web

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"relctl-tui/sources"
)

var sentinels = []error{
	sources.ErrNotFound, sources.ErrConflict, sources.ErrUnsupported, sources.ErrUnauthorized,
	sources.ErrReadOnly, sources.ErrApprovalNeeded, sources.ErrUnavailable, sources.ErrInvalid,
}

// Fault is why a request got no answer, in one sentence that begins with who,
// wraps a sentinel and never holds the request's URL (which may hold a secret).
// An error that wraps a sentinel already is returned without its URL.
func Fault(who string, err error, timeout time.Duration) error {
	var ue *url.Error
	for errors.As(err, &ue) {
		err = ue.Err
	}
	for _, s := range sentinels {
		if errors.Is(err, s) {
			return err
		}
	}
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s: the request was cancelled: %w (%w)", who, sources.ErrUnavailable, context.Canceled)
	}
	return fmt.Errorf("%s %s: %w", who, because(err, timeout), sources.ErrUnavailable)
}

// Shared is the failure of a request as those hear of it who only waited for
// another caller's: the same words, and context.Canceled besides, so that whoever
// counts how often a source failed counts one request once.
func Shared(err error) error {
	if err == nil {
		return nil
	}
	return shared{err}
}

type shared struct{ error }

func (s shared) Unwrap() error { return s.error }

func (shared) Is(target error) bool { return target == context.Canceled }

// minute is a moment as it stands in a sentence.
const minute = "2006-01-02 15:04"

func because(err error, timeout time.Duration) string {
	var (
		dns      *net.DNSError
		netErr   net.Error
		notTLS   tls.RecordHeaderError
		unknown  x509.UnknownAuthorityError
		hostname x509.HostnameError
		invalid  x509.CertificateInvalidError
	)
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		return "did not answer within " + timeout.String()
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refuses connections, check the address and that it runs"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "broke off in the middle of its answer"
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "broke off the connection"
	case errors.As(err, &dns):
		return "has a host name that does not resolve"
	case errors.As(err, &notTLS), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return "does not speak TLS, use http:// instead of https://"
	case errors.As(err, &unknown):
		return "has a certificate of an unknown authority, name its CA file"
	case errors.As(err, &hostname):
		return "has a certificate for another host name"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && invalid.Cert != nil:
		return fmt.Sprintf("has a certificate valid only %s to %s UTC, check it and the clock",
			invalid.Cert.NotBefore.UTC().Format(minute), invalid.Cert.NotAfter.UTC().Format(minute))
	case errors.As(err, &invalid):
		return "has a certificate that is not valid (" + sources.Clean(invalid.Error(), 80) + ")"
	default:
		return "cannot be read (" + sources.Clean(err.Error(), 120) + ")"
	}
}

// maxRetryAfter bounds for how long a server may ask not to be asked: a slip in its
// configuration must not blind the board for a day.
const maxRetryAfter = 5 * time.Minute

// BadStatus is what a response of another status than success means, in one
// sentence that begins with who and repeats what the server said; nil for 2xx. A
// time for which an overloaded server wants to be left alone is for
// sources.RetryAfter as well, up to five minutes.
func BadStatus(who string, resp *http.Response, said string) error {
	status := resp.StatusCode
	word := strings.TrimSpace(fmt.Sprintf("%d %s", status, http.StatusText(status)))
	if said != "" {
		word += " (" + said + ")"
	}
	switch {
	case status >= 200 && status < 300:
		return nil
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return fmt.Errorf("%s answered %s, check the credentials: %w", who, word, sources.ErrUnauthorized)
	case status == http.StatusNotFound:
		return fmt.Errorf("%s answered %s, check the path: %w", who, word, sources.ErrInvalid)
	case status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable:
		after := retryAfter(resp.Header)
		if after > 0 {
			word += ", not to be asked again for " + after.String()
		}
		return sources.WithRetryAfter(fmt.Errorf("%s answered %s: %w", who, word, sources.ErrUnavailable), after)
	case status >= 500 || status == http.StatusRequestTimeout:
		return fmt.Errorf("%s answered %s: %w", who, word, sources.ErrUnavailable)
	default:
		return fmt.Errorf("%s answered %s: %w", who, word, sources.ErrInvalid)
	}
}

// retryAfter is the header's time, in whole seconds or until a moment, which counts
// by the server's own clock. 0 when there is none that can be read.
func retryAfter(h http.Header) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if n, err := strconv.ParseUint(text, 10, 63); err == nil {
		return time.Duration(min(n, uint64(maxRetryAfter/time.Second))) * time.Second
	}
	until, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return 0
	}
	return max(0, min(until.Sub(now), maxRetryAfter))
}

// SameHostOnly is an http.Client's CheckRedirect: a redirect to another host,
// port or to plain HTTP is followed without credentials or a Referer, and only a few times.
func SameHostOnly(req *http.Request, via []*http.Request) error {
	if len(via) >= 5 {
		return fmt.Errorf("redirected %d times", len(via))
	}
	if first := via[0].URL; req.URL.Host != first.Host || req.URL.Scheme != first.Scheme {
		req.Header.Del("Authorization")
		req.Header.Del("Cookie")
		req.Header.Del("Referer") // a URL may hold a secret
	}
	return nil
}
