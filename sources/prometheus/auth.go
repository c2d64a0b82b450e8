package prometheus

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/textproto"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/web"
)

// Auth is how requests are authorised: a bearer token, a user with a password,
// or headers of one's own (X-Scope-OrgID). Files are read again for each
// request, so a rotated secret is picked up. Nothing of it is ever sent to
// another host, and nothing of it is printed.
type Auth struct {
	BearerToken       string
	BearerTokenFile   string
	BasicUser         string
	BasicPassword     string
	BasicPasswordFile string
	Headers           map[string]string
}

// TLS is how the server is trusted and how we show who we are. The zero TLS
// trusts the system's authorities.
type TLS struct {
	CAFile             string
	CertFile           string
	KeyFile            string
	ServerName         string
	InsecureSkipVerify bool
}

func (a *Auth) check() error {
	bearer := a.BearerToken != "" || a.BearerTokenFile != ""
	basic := a.BasicUser != "" || a.BasicPassword != "" || a.BasicPasswordFile != ""
	switch {
	case bearer && basic:
		return fmt.Errorf("give a bearer token or a user, not both: %w", sources.ErrInvalid)
	case a.BearerToken != "" && a.BearerTokenFile != "":
		return fmt.Errorf("give a bearer token or a file of it, not both: %w", sources.ErrInvalid)
	case a.BasicPassword != "" && a.BasicPasswordFile != "":
		return fmt.Errorf("give a password or a file of it, not both: %w", sources.ErrInvalid)
	case basic && a.BasicUser == "":
		return fmt.Errorf("a password needs a user: %w", sources.ErrInvalid)
	}
	for k, v := range a.Headers {
		if textproto.TrimString(k) == "" || strings.ContainsAny(k, " \t\r\n:") || strings.ContainsAny(v, "\r\n") {
			return fmt.Errorf("%q is no header: %w", sources.Clean(k, 40), sources.ErrInvalid)
		}
	}
	return nil
}

const maxSecret = 64 << 10

// secret reads a file of one secret. The content never gets into an error.
func secret(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("the secret file %s cannot be read: %w", sources.Clean(path, 100), sources.ErrNoSecret)
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, maxSecret))
	s := strings.TrimSpace(string(b))
	if err != nil || s == "" || strings.ContainsAny(s, "\r\n") {
		return "", fmt.Errorf("the secret file %s does not hold one line: %w", sources.Clean(path, 100), sources.ErrNoSecret)
	}
	return s, nil
}

func (a *Auth) apply(req *http.Request) error {
	for k, v := range a.Headers {
		req.Header.Set(k, v)
	}
	token, password := a.BearerToken, a.BasicPassword
	var err error
	if a.BearerTokenFile != "" {
		if token, err = secret(a.BearerTokenFile); err != nil {
			return err
		}
	}
	if a.BasicPasswordFile != "" {
		if password, err = secret(a.BasicPasswordFile); err != nil {
			return err
		}
	}
	switch {
	case token != "":
		req.Header.Set("Authorization", "Bearer "+token)
	case a.BasicUser != "":
		req.SetBasicAuth(a.BasicUser, password)
	}
	return nil
}

func (t *TLS) transport() (http.RoundTripper, error) {
	cfg := &tls.Config{
		MinVersion: tls.VersionTLS12, ServerName: t.ServerName,
		InsecureSkipVerify: t.InsecureSkipVerify, //nolint:gosec // the operator asked for it
	}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("the CA file %s cannot be read: %w", sources.Clean(t.CAFile, 100), sources.ErrInvalid)
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("the CA file %s holds no certificate: %w", sources.Clean(t.CAFile, 100), sources.ErrInvalid)
		}
	}
	if t.CertFile != "" || t.KeyFile != "" {
		pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("the client certificate %s and its key cannot be used: %w", sources.Clean(t.CertFile, 100), sources.ErrInvalid)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: cfg, ForceAttemptHTTP2: true,
		MaxIdleConnsPerHost: 4, IdleConnTimeout: 90 * time.Second,
		TLSHandshakeTimeout: 10 * time.Second, MaxResponseHeaderBytes: 64 << 10,
	}, nil
}

// guard stands between the API client and the network: it authorises requests
// to the configured host alone, bounds bodies, and turns what is not an answer
// of Prometheus's API into one clear sentence.
type guard struct {
	who     string
	base    *url.URL
	auth    Auth
	maxBody int64
	next    http.RoundTripper
	works   atomic.Bool // it has answered a query
}

// RoundTrip implements http.RoundTripper.
func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Set("User-Agent", "relctl-tui")
	// A redirect lands here too, with another host.
	if req.URL.Scheme == g.base.Scheme && req.URL.Host == g.base.Host {
		if err := g.auth.apply(req); err != nil {
			return nil, fmt.Errorf("%s: %w", g.who, err)
		}
	}
	resp, err := g.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	help := ", narrow the rules with match"
	if alertsOf(req) != nil {
		help = " of alerts"
	}
	resp.Body = &bounded{ReadCloser: resp.Body, left: g.maxBody, who: g.who, limit: g.maxBody, help: help}
	if err := g.judge(req, resp); err != nil {
		_ = resp.Body.Close()
		return nil, err
	}
	return resp, nil
}

func (g *guard) judge(req *http.Request, resp *http.Response) error {
	code := resp.StatusCode
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	alerts := alertsOf(req)
	if alerts != nil {
		if err := g.judgeAlerts(alerts, resp, kind); err != nil {
			return err
		}
	}
	switch {
	case code >= 300 && code < 400:
		return nil // the client follows
	case code == http.StatusBadRequest || code == http.StatusUnprocessableEntity:
		if kind == "application/json" {
			return nil // the API says what is wrong
		}
	case req.Method == http.MethodPost &&
		(code == http.StatusForbidden || code == http.StatusMethodNotAllowed || code == http.StatusNotImplemented):
		return nil // the client tries GET: some gateways let nothing else through
	}
	if code < 200 || code > 299 {
		return web.BadStatus(g.who, resp, apiMessage(kind, resp.Body))
	}
	if kind != "" && kind != "application/json" {
		return fmt.Errorf("%s answered %s, not Prometheus's API, check the URL: %w", g.who, sources.Clean(kind, 60), sources.ErrInvalid)
	}
	if alerts == nil {
		g.works.Store(true)
	}
	return nil
}

// apiMessage is what an error body of the API says, "" for any other body.
func apiMessage(kind string, body io.Reader) string {
	if kind != "application/json" {
		return ""
	}
	b, err := io.ReadAll(io.LimitReader(body, 8<<10))
	if err != nil {
		return ""
	}
	var said struct {
		Error string `json:"error"`
	}
	if json.NewDecoder(bytes.NewReader(b)).Decode(&said) != nil {
		return ""
	}
	return sources.Clean(said.Error, 120)
}

// bounded fails a body that is longer than it may be, instead of cutting it.
type bounded struct {
	io.ReadCloser
	left, limit int64
	who, help   string
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, fmt.Errorf("%s sent more than %d bytes%s: %w", b.who, b.limit, b.help, sources.ErrInvalid)
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	if b.left < 0 {
		return n, fmt.Errorf("%s sent more than %d bytes%s: %w", b.who, b.limit, b.help, sources.ErrInvalid)
	}
	return n, err
}
