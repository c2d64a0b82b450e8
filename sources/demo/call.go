package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sony/gobreaker/v2"
)

const userHeader = "X-User-Id"

// How every breaker of the fleet behaves. What opens it is far from anything
// that a busy machine does to a healthy fleet.
const (
	breakerWindow   = 4 * time.Second // the rolling window of calls that it judges by
	breakerBucket   = 500 * time.Millisecond
	breakerMinCalls = 20
	breakerRatio    = 0.25            // failures in the window that open it
	breakerOpenFor  = 4 * time.Second // then it lets probes through
	// breakerProbeSpan is how much traffic, as a span of the fleet's rate, must
	// succeed call by call before a breaker closes. It is real load: a callee that
	// only recovers while nobody calls it fails some of it, and the breaker is
	// open again without ever having been closed.
	breakerProbeSpan = 1600 * time.Millisecond
)

func probesOf(rate float64) uint32 {
	return uint32(max(10, math.Ceil(rate*breakerProbeSpan.Seconds())))
}

// callee is one service as another calls it: HTTP behind a circuit breaker.
type callee struct {
	from    string
	url     string
	client  *http.Client
	timeout time.Duration
	breaker *gobreaker.CircuitBreaker[struct{}]

	success, failure, rejected prometheus.Counter
}

func newCallee(from, name, url string, timeout time.Duration, probes uint32, client *http.Client, m *meters) *callee {
	c := &callee{
		from: from, url: url, client: client, timeout: timeout,
		success:  m.calls.WithLabelValues(name, "success"),
		failure:  m.calls.WithLabelValues(name, "failure"),
		rejected: m.calls.WithLabelValues(name, "rejected"),
	}
	c.breaker = gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Name: name, MaxRequests: probes, Interval: breakerWindow, BucketPeriod: breakerBucket, Timeout: breakerOpenFor,
		ReadyToTrip: func(n gobreaker.Counts) bool {
			return n.Requests >= breakerMinCalls && float64(n.TotalFailures) >= breakerRatio*float64(n.Requests)
		},
		// A caller that gave up says nothing about the callee.
		IsExcluded: func(err error) bool { return errors.Is(err, context.Canceled) },
	})
	m.breakers.add(c.breaker)
	return c
}

// call posts to a path on behalf of a user. An answer of 500 and above, a
// timeout and a breaker that is open are errors.
func (c *callee) call(ctx context.Context, path, user string) error {
	_, err := c.breaker.Execute(func() (struct{}, error) {
		ctx, cancel := context.WithTimeout(ctx, c.timeout)
		defer cancel()
		return struct{}{}, post(ctx, c.client, c.from, c.url+path, user)
	})
	switch {
	case err == nil:
		c.success.Inc()
	case errors.Is(err, gobreaker.ErrOpenState), errors.Is(err, gobreaker.ErrTooManyRequests):
		c.rejected.Inc()
	case !errors.Is(err, context.Canceled):
		c.failure.Inc()
	}
	return err
}

func post(ctx context.Context, client *http.Client, from, url, user string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, http.NoBody)
	if err != nil {
		return err
	}
	req.Header.Set(userHeader, user)
	req.Header.Set(callerHeader, from)
	if id := traceOf(ctx); id != "" {
		req.Header.Set(traceHeader, "00-"+id+"-"+id[16:]+"-01")
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	// Read to the end, or the connection cannot be used again.
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16)); err != nil {
		return err
	}
	if resp.StatusCode >= http.StatusInternalServerError {
		return fmt.Errorf("%s answered %d", req.URL.Path, resp.StatusCode)
	}
	return nil
}
