// Package ofrep proves the effect of a change by asking whoever evaluates flags:
// any server of the OpenFeature Remote Evaluation Protocol (flagd, the relay proxy
// of GO Feature Flag, this program's own serve). It asks for many made-up targeting
// keys and compares what they get with what the change left.
//
// What counts, for a flag that was killed: every key is answered DISABLED without
// the variant, or 404 with the words "is disabled" (flagd before 0.12). Where the
// server evaluates a killed flag to another variant, so many keys must get it that
// the share from before is ruled out. A 404 that says only that there is no such
// flag, and an error, prove nothing: applications use the default in their code
// then, but they may have done so before the kill as well.
//
// For a percentage p: 0 % and 100 % hold for every key; otherwise the number of keys
// that get the variant must lie within the exact binomial bounds of p and outside
// those of the percentage from before. A change that is in force is called not so
// with a probability of at most 1e-6 in one Verify, and one that is not in force is
// called effective with at most the same. Keys belong to the change, so that asking
// again does not draw again.
package ofrep

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/web"
)

var (
	_ sources.Verifier = (*Evaluator)(nil)
	_ sources.Prober   = (*Evaluator)(nil)
)

const (
	maxAnswer      = 1 << 20
	defaultTimeout = 5 * time.Second
	defaultKeys    = 2048
	defaultAtOnce  = 8
)

// Options are what an Evaluator may do. The zero value is ready to use.
type Options struct {
	// Transport carries the credentials; nil is http.DefaultTransport.
	Transport http.RoundTripper
	// Timeout bounds one request; 0 is 5 s.
	Timeout time.Duration
	// Keys is the most targeting keys of one Verify; 0 is 2048. Few keys cannot tell
	// small steps apart.
	Keys int
	// AtOnce is how many requests are under way at once; 0 is 8.
	AtOnce int
	// Attributes is the evaluation context of a key, besides targetingKey; nil gives
	// userId and email as well, by which flags are often split.
	Attributes func(key string) map[string]any
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Evaluator asks one server. It is goroutine-safe; make it with New.
type Evaluator struct {
	name string
	base *url.URL
	opts Options
	http *http.Client
}

// New is an Evaluator under that name for the server at base, the address before
// /ofrep/v1, without credentials. Nothing is asked yet.
func New(name, base string, opts Options) (*Evaluator, error) {
	u, err := web.Base(name, base)
	if err != nil {
		return nil, err
	}
	if opts.Timeout <= 0 {
		opts.Timeout = defaultTimeout
	}
	if opts.Keys <= 0 {
		opts.Keys = defaultKeys
	}
	if opts.AtOnce <= 0 {
		opts.AtOnce = defaultAtOnce
	}
	if opts.Attributes == nil {
		opts.Attributes = func(key string) map[string]any {
			return map[string]any{"userId": key, "email": key + "@relctl.invalid"}
		}
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Transport == nil {
		opts.Transport = http.DefaultTransport
	}
	return &Evaluator{name: sources.Clean(name, 60), base: u, opts: opts, http: &http.Client{
		Transport: opts.Transport,
		// A redirected POST becomes a GET, which evaluates nothing.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// answer is what a server says of one flag and one key.
type answer struct {
	Reason  string          `json:"reason"`
	Variant string          `json:"variant"`
	Value   json.RawMessage `json:"value"`
	Code    string          `json:"errorCode"`
	Details string          `json:"errorDetails"`
	status  int
}

func (a *answer) hasValue() bool { return len(a.Value) > 0 && string(a.Value) != "null" }

// evaluate asks for one key. The error is why there is no answer.
func (e *Evaluator) evaluate(ctx context.Context, flag, key string) (*answer, error) {
	ctx, cancel := context.WithTimeout(ctx, e.opts.Timeout)
	defer cancel()
	attrs := e.opts.Attributes(key)
	all := make(map[string]any, len(attrs)+1)
	for k, v := range attrs {
		all[k] = v
	}
	all["targetingKey"] = key
	body, err := json.Marshal(map[string]any{"context": all})
	if err != nil {
		return nil, fmt.Errorf("%s: the evaluation context cannot be written: %w", e.name, sources.ErrInvalid)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.base.JoinPath("ofrep/v1/evaluate/flags").String()+"/"+segment(flag), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%s: the flag's key cannot be part of an address: %w", e.name, sources.ErrInvalid)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	resp, err := e.http.Do(req)
	if err != nil {
		return nil, web.Fault(e.name, err, e.opts.Timeout)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, web.Fault(e.name, err, e.opts.Timeout)
	case len(b) > maxAnswer:
		return nil, fmt.Errorf("%s sent more than %d bytes for one flag: %w", e.name, maxAnswer, sources.ErrInvalid)
	}
	return e.read(resp, b)
}

// Probe implements sources.Prober: any answer of the protocol will do, that there is no such flag
// as well.
func (e *Evaluator) Probe(ctx context.Context) error {
	_, err := e.evaluate(ctx, "relctl-tui-probe", "relctl-tui-probe")
	return err
}

func (e *Evaluator) read(resp *http.Response, b []byte) (*answer, error) {
	var a answer
	err := json.Unmarshal(b, &a)
	a.status = resp.StatusCode
	switch {
	case resp.StatusCode == http.StatusOK && err == nil && (a.Reason != "" || a.Code != ""):
		return &a, nil
	// Only a server of the protocol has a code; a proxy's page has none.
	case (resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusBadRequest) && err == nil && a.Code != "":
		return &a, nil
	case resp.StatusCode == http.StatusOK:
		return nil, fmt.Errorf("%s answered what is no OFREP evaluation, check the address: %w", e.name, sources.ErrInvalid)
	}
	return nil, web.BadStatus(e.name, resp, sources.Clean(a.Details, 200))
}

// segment is a key as one segment of a path.
func segment(key string) string {
	if key == "." || key == ".." { // which clients and servers take for a way
		return strings.ReplaceAll(key, ".", "%2E")
	}
	return url.PathEscape(key)
}

// askAll asks for all keys, a few at once, and gives the answers in their order. The
// first that gets no answer ends it.
func (e *Evaluator) askAll(ctx context.Context, flag string, keys []string) ([]*answer, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	answers := make([]*answer, len(keys))
	next := make(chan int)
	done := make(chan struct{})
	workers := min(e.opts.AtOnce, len(keys))
	for range workers {
		go func() {
			defer func() { done <- struct{}{} }()
			for i := range next {
				a, err := e.evaluate(ctx, flag, keys[i])
				if err != nil {
					cancel(failedAsk{err})
					continue
				}
				answers[i] = a
			}
		}()
	}
	for i := range keys {
		select {
		case next <- i:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(next)
	for range workers {
		<-done
	}
	var failed failedAsk
	if errors.As(context.Cause(ctx), &failed) {
		return nil, failed.error
	}
	if err := ctx.Err(); err != nil {
		return nil, web.Fault(e.name, err, e.opts.Timeout)
	}
	return answers, nil
}

// failedAsk is the first failure, apart from those that it caused.
type failedAsk struct{ error }

func (f failedAsk) Unwrap() error { return f.error }
