package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"relctl-tui/sources"
)

// access is what it takes to be let in by a server. Tokens and passwords
// that stand in files are named only: the driver reads them anew, so that a
// rotated token needs no restart.
type access struct {
	token, username, password         string
	tokenFile, passwordFile           string
	headers                           map[string]string
	caFile, certFile, keyFile, server string
	insecure                          bool
	timeout                           Duration
}

func (a *AccessConfig) access(file string) access {
	out := access{
		token: a.Token.Reveal(), username: a.Username.S, password: a.Password.Reveal(),
		tokenFile: resolvePath(a.TokenFile.S, file), passwordFile: resolvePath(a.PasswordFile.S, file),
		caFile: resolvePath(a.CAFile.S, file), certFile: resolvePath(a.CertFile.S, file),
		keyFile: resolvePath(a.KeyFile.S, file), server: a.ServerName.S,
		insecure: a.Insecure, timeout: a.Timeout, headers: map[string]string{},
	}
	for k, v := range a.Headers {
		out.headers[k] = v.Reveal()
	}
	return out
}

const (
	maxSecret   = 64 << 10
	idleTimeout = 90 * time.Second
)

// secretError is why a secret's file cannot be read.
type secretError struct{ msg string }

func (e *secretError) Error() string { return e.msg }

func (e *secretError) Unwrap() []error { return []error{errUsage, sources.ErrNoSecret} }

// readSecret is the content of a secret's file without the line break at its end.
func readSecret(path string) (string, error) {
	show := sources.Clean(path, sources.MaxName)
	f, err := os.Open(path)
	if err != nil {
		return "", &secretError{fmt.Sprintf("secret file %s: %s", show, plainIOError(err))}
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSecret))
	if err != nil {
		return "", &secretError{fmt.Sprintf("secret file %s: %s", show, plainIOError(err))}
	}
	s := strings.TrimRight(string(b), "\r\n")
	if s == "" || strings.ContainsAny(s, "\r\n\x00") {
		return "", &secretError{fmt.Sprintf("secret file %s: wants one line", show)}
	}
	return s, nil
}

// transport is a round tripper that carries the credentials to target's host and
// to no other, whatever is redirected where. The default proxy settings hold.
func (a access) transport(target string) (http.RoundTripper, error) {
	u, err := url.Parse(target)
	if err != nil {
		return nil, fmt.Errorf("%s is no URL: %w", quote(redactURL(target)), sources.ErrInvalid)
	}
	base := &http.Transport{
		Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true,
		TLSHandshakeTimeout: readTimeout, IdleConnTimeout: idleTimeout, MaxIdleConnsPerHost: 8, // as many as ask an evaluator at once
	}
	if a.caFile != "" || a.certFile != "" || a.server != "" || a.insecure {
		conf, err := a.tls()
		if err != nil {
			return nil, err
		}
		base.TLSClientConfig = conf
	}
	return &authTransport{base: base, access: a, scheme: u.Scheme, host: u.Host}, nil
}

func (a access) tls() (*tls.Config, error) {
	conf := &tls.Config{
		MinVersion: tls.VersionTLS12, ServerName: a.server,
		InsecureSkipVerify: a.insecure, //nolint:gosec // what the operator asked for with insecure_skip_verify
	}
	if a.caFile != "" {
		pem, err := os.ReadFile(a.caFile)
		if err != nil {
			return nil, fmt.Errorf("ca_file %s: %s: %w", sources.Clean(a.caFile, sources.MaxName), plainIOError(err), sources.ErrInvalid)
		}
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("ca_file %s holds no certificate: %w", sources.Clean(a.caFile, sources.MaxName), sources.ErrInvalid)
		}
	}
	if a.certFile != "" {
		cert, err := tls.LoadX509KeyPair(a.certFile, a.keyFile)
		if err != nil {
			return nil, fmt.Errorf("cert_file %s: %s: %w", sources.Clean(a.certFile, sources.MaxName), plainIOError(err), sources.ErrInvalid)
		}
		conf.Certificates = []tls.Certificate{cert}
	}
	return conf, nil
}

// authTransport adds the credentials to each request; files are read anew each
// time, so that a rotated token needs no restart.
type authTransport struct {
	base         http.RoundTripper
	access       access
	scheme, host string
}

func (t *authTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != t.scheme || req.URL.Host != t.host {
		return t.base.RoundTrip(req)
	}
	a := &t.access
	token, password := a.token, a.password
	var err error
	if a.tokenFile != "" {
		token, err = readSecret(a.tokenFile)
	}
	if err == nil && a.passwordFile != "" {
		password, err = readSecret(a.passwordFile)
	}
	if err != nil {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, fmt.Errorf("%s: %s: %w", t.host, sources.Sentence(err), sources.ErrNoSecret)
	}
	req = req.Clone(req.Context())
	for k, v := range a.headers {
		req.Header.Set(k, v)
	}
	switch {
	case token != "":
		req.Header.Set("Authorization", "Bearer "+token)
	case a.username != "":
		req.SetBasicAuth(a.username, password)
	}
	return t.base.RoundTrip(req)
}
