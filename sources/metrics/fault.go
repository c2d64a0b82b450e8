package metrics

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"relctl-tui/sources"
)

var sentinels = []error{
	sources.ErrNotFound, sources.ErrUnsupported, sources.ErrUnauthorized, sources.ErrUnavailable, sources.ErrInvalid,
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
	case errors.As(err, &dns):
		return "has a host name that does not resolve"
	case errors.As(err, &notTLS), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return "does not speak TLS, use http:// instead of https://"
	case errors.As(err, &unknown):
		return "has a certificate of an unknown authority, name its CA file"
	case errors.As(err, &hostname):
		return "has a certificate for another host name"
	case errors.As(err, &invalid):
		return "has a certificate that is not valid (" + sources.Clean(invalid.Error(), 80) + ")"
	default:
		return "cannot be read (" + sources.Clean(err.Error(), 120) + ")"
	}
}

// BadStatus is what an HTTP status other than success means, in one sentence
// that begins with who; nil for 2xx.
func BadStatus(who string, status int) error {
	word := strings.TrimSpace(fmt.Sprintf("%d %s", status, http.StatusText(status)))
	switch {
	case status >= 200 && status < 300:
		return nil
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return fmt.Errorf("%s answered %s, check the credentials: %w", who, word, sources.ErrUnauthorized)
	case status == http.StatusNotFound:
		return fmt.Errorf("%s answered %s, check the path: %w", who, word, sources.ErrInvalid)
	case status >= 500 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout:
		return fmt.Errorf("%s answered %s: %w", who, word, sources.ErrUnavailable)
	default:
		return fmt.Errorf("%s answered %s: %w", who, word, sources.ErrInvalid)
	}
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
