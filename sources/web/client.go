package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"relctl-tui/sources"
)

const (
	defaultTimeout = 10 * time.Second
	defaultMaxBody = 32 << 20
)

// Options are what a Client may do. The zero value is ready to use.
type Options struct {
	// Transport is nil for a transport of the Client's own with Go's defaults.
	Transport http.RoundTripper
	// Timeout bounds one request with its answer; 0 is 10 s.
	Timeout time.Duration
	// MaxBody is the most bytes of an answer; 0 is 32 MiB. More is ErrInvalid.
	MaxBody int64
	// Header goes with every request, to the base host only: it may hold secrets.
	Header http.Header
	// Token is asked before each request, so that a rotated one is used at once.
	// What it gives is the whole Authorization header, without a scheme in front.
	// Nil is no such header.
	Token func() (string, error)
}

// Client asks one server in JSON. It may be used by any goroutine.
type Client struct {
	who     string
	base    *url.URL
	opts    Options
	http    *http.Client
	private *http.Transport
}

// New is a Client for the paths below base, an address with http or https and no
// credentials in it. source is how its errors begin.
func New(source, base string, opts Options) (*Client, error) {
	u, err := Base(source, base)
	if err != nil {
		return nil, err
	}
	if opts.Timeout <= 0 {
		opts.Timeout = defaultTimeout
	}
	if opts.MaxBody <= 0 {
		opts.MaxBody = defaultMaxBody
	}
	c := &Client{who: source, base: u, opts: opts}
	if opts.Transport == nil {
		c.private = defaultTransport()
		c.opts.Transport = c.private
	}
	c.http = &http.Client{Transport: c.opts.Transport, CheckRedirect: c.redirect}
	return c, nil
}

// Base is the address of a server as who is configured with it: http or https, without
// credentials, query and fragment. Errors wrap ErrInvalid and never hold a credential.
func Base(who, address string) (*url.URL, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: the address is no URL: %w", who, sources.ErrInvalid)
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "", u.Opaque != "":
		return nil, fmt.Errorf("%s: the address wants http://HOST or https://HOST: %w", who, sources.ErrInvalid)
	case u.User != nil:
		return nil, fmt.Errorf("%s: the address may hold no credentials, they belong into a token or its file: %w", who, sources.ErrInvalid)
	case u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("%s: the address may have no query and no fragment: %w", who, sources.ErrInvalid)
	}
	return u, nil
}

func defaultTransport() *http.Transport {
	if t, ok := http.DefaultTransport.(*http.Transport); ok {
		return t.Clone()
	}
	return &http.Transport{Proxy: http.ProxyFromEnvironment}
}

// Close lets go of the connections of the Client's own transport. Requests under way
// are not hindered.
func (c *Client) Close() {
	if c.private != nil {
		c.private.CloseIdleConnections()
	}
}

// Request is one question. The zero value is a GET of the base address.
type Request struct {
	Method    string
	Path      string // below the base address, escaped already; no segment may be "." or ".."
	Query     url.Values
	Header    http.Header // besides the Client's; Content-Type is application/json unless it is here
	Body      any         // nil for none; a []byte goes as it is, all else as JSON
	Accept304 bool        // 304 is an answer like any other: out is left alone
}

// Response is what came besides the body. It is there as well when the status is an
// error, and zero when there was no answer.
type Response struct {
	Status int
	Header http.Header
}

// Do asks and decodes the answer into out; a nil out lets any body pass. Unknown
// fields are ignored, anything after the JSON value is refused. It wraps
//
//	ErrUnauthorized  401, 403, no token
//	ErrNotFound      404
//	ErrConflict      409, 412
//	ErrUnavailable   408, 429, 5xx and no answer at all, with sources.RetryAfter where it is said
//	ErrInvalid       every other status, a body that is not JSON, that breaks off or is too long
//
// and context.Canceled when ctx was cancelled. A write is never redirected, and
// nothing is ever asked twice.
func (c *Client) Do(ctx context.Context, r Request, out any) (Response, error) {
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	req, token, err := c.request(ctx, r)
	if err != nil {
		return Response{}, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return Response{}, Fault(c.who, err, c.opts.Timeout)
	}
	defer resp.Body.Close()
	got := Response{Status: resp.StatusCode, Header: resp.Header}
	if resp.StatusCode == http.StatusNotModified && r.Accept304 {
		return got, nil
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return got, c.refusal(resp, token)
	}
	body, err := c.read(resp.Body)
	if err != nil || out == nil {
		return got, err
	}
	return got, c.decode(resp.Header.Get("Content-Type"), body, out)
}

func (c *Client) request(ctx context.Context, r Request) (*http.Request, string, error) {
	u, err := c.address(r)
	if err != nil {
		return nil, "", err
	}
	var body io.Reader
	switch b := r.Body.(type) {
	case nil:
	case []byte:
		body = bytes.NewReader(b)
	default:
		text, err := json.Marshal(b)
		if err != nil {
			return nil, "", fmt.Errorf("%s: the request cannot be put into JSON (%s): %w", c.who, sources.Clean(err.Error(), 120), sources.ErrInvalid)
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, u.String(), body)
	if err != nil {
		return nil, "", fmt.Errorf("%s cannot be asked that: %w", c.who, sources.ErrInvalid)
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "relctl-tui")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range []http.Header{c.opts.Header, r.Header} {
		for k, v := range h {
			req.Header[http.CanonicalHeaderKey(k)] = v
		}
	}
	token, err := c.token()
	if token != "" {
		req.Header.Set("Authorization", token)
	}
	return req, token, err
}

// address is put together from what is escaped already, so that a slash in a name
// stays in its segment.
func (c *Client) address(r Request) (*url.URL, error) {
	raw := strings.TrimSuffix(c.base.EscapedPath(), "/") + r.Path
	plain, err := url.PathUnescape(raw)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be asked for a path that is not escaped: %w", c.who, sources.ErrInvalid)
	}
	for s := range strings.SplitSeq(r.Path, "/") {
		if name, err := url.PathUnescape(s); err != nil || name == "." || name == ".." {
			return nil, fmt.Errorf("%s cannot be asked for a name of dots alone: %w", c.who, sources.ErrInvalid)
		}
	}
	u := *c.base
	u.Path, u.RawPath, u.RawQuery = plain, raw, r.Query.Encode()
	return &u, nil
}

func (c *Client) token() (string, error) {
	if c.opts.Token == nil {
		return "", nil
	}
	token, err := c.opts.Token()
	switch {
	case errors.Is(err, sources.ErrNoSecret):
		return "", fmt.Errorf("%s has no token (%s): %w", c.who, sources.Sentence(err), sources.ErrNoSecret)
	case err != nil:
		return "", fmt.Errorf("%s has no token (%s): %w", c.who, sources.Clean(err.Error(), 200), sources.ErrUnauthorized)
	case strings.IndexFunc(token, func(r rune) bool { return r < ' ' || r > '~' }) >= 0:
		return "", fmt.Errorf("%s has a token with characters that no token has, check where it comes from: %w", c.who, sources.ErrUnauthorized)
	}
	return token, nil
}

// redirect lets a read go on within the same host. Elsewhere the credentials would
// not go along, and a write that is redirected can silently become a read.
func (c *Client) redirect(req *http.Request, via []*http.Request) error {
	first := via[0]
	switch {
	case first.Method != http.MethodGet && first.Method != http.MethodHead:
		return fmt.Errorf("%s redirects writes, give its address as it is itself: %w", c.who, sources.ErrInvalid)
	case req.URL.Host != first.URL.Host || req.URL.Scheme != first.URL.Scheme:
		return fmt.Errorf("%s redirects to %s, give that address if it is the right one: %w",
			c.who, sources.Clean(req.URL.Scheme+"://"+req.URL.Host, 100), sources.ErrInvalid)
	case len(via) >= 5:
		return fmt.Errorf("%s redirects in a circle, check the address: %w", c.who, sources.ErrInvalid)
	}
	req.Header.Del("Referer")
	return nil
}

func (c *Client) read(body io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(body, c.opts.MaxBody+1))
	switch {
	case err != nil:
		return nil, Fault(c.who, err, c.opts.Timeout)
	case int64(len(b)) > c.opts.MaxBody:
		return nil, fmt.Errorf("%s sent more than %d bytes: %w", c.who, c.opts.MaxBody, sources.ErrInvalid)
	}
	return b, nil
}

func (c *Client) decode(kind string, body []byte, out any) error {
	if !isJSON(kind) {
		return fmt.Errorf("%s answered %s, not JSON, check the address: %w", c.who, orNothing(sources.Clean(kind, 60)), sources.ErrInvalid)
	}
	err := json.Unmarshal(body, out)
	var syntax *json.SyntaxError
	var wrong *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &syntax):
		return fmt.Errorf("%s answered %d bytes that are not JSON (%s at byte %d): %w",
			c.who, len(body), sources.Clean(syntax.Error(), 80), syntax.Offset, sources.ErrInvalid)
	case errors.As(err, &wrong):
		return fmt.Errorf("%s answered a %s for %s, which is not its API as this version knows it: %w",
			c.who, sources.Clean(wrong.Value, 40), orNothing(sources.Clean(wrong.Field, 80)), sources.ErrInvalid)
	default:
		return fmt.Errorf("%s answered what cannot be read (%s): %w", c.who, sources.Clean(err.Error(), 120), sources.ErrInvalid)
	}
}

func isJSON(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	return err == nil && (kind == "application/json" || strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json"))
}

func orNothing(s string) string {
	if s == "" {
		return "nothing of a kind"
	}
	return s
}
