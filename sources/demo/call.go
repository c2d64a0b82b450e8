package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sony/gobreaker/v2"
)

const userHeader = "X-User-Id"

// How every breaker of the fleet behaves.
const (
	breakerWindow   = 4 * time.Second // the rolling window of calls that it judges by
	breakerBucket   = 500 * time.Millisecond
	breakerMinCalls = 20
	breakerRatio    = 0.1                     // failures in the window that open it
	breakerOpenFor  = 2500 * time.Millisecond // then it lets probes through
	// breakerProbes calls must all succeed before it closes. So many at once are
	// a burst of real load: a callee that only recovers while nobody calls it
	// fails some of them, and the breaker stays open.
	breakerProbes = 40
)

// callee is one service as another calls it: HTTP behind a circuit breaker.
type callee struct {
	url     string
	client  *http.Client
	timeout time.Duration
	breaker *gobreaker.CircuitBreaker[struct{}]

	success, failure, rejected prometheus.Counter
}

func newCallee(name, url string, timeout time.Duration, client *http.Client, m *meters) *callee {
	c := &callee{
		url: url, client: client, timeout: timeout,
		success:  m.calls.WithLabelValues(name, "success"),
		failure:  m.calls.WithLabelValues(name, "failure"),
		rejected: m.calls.WithLabelValues(name, "rejected"),
	}
	c.breaker = gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Name: name, MaxRequests: breakerProbes, Interval: breakerWindow, BucketPeriod: breakerBucket, Timeout: breakerOpenFor,
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
		return struct{}{}, post(ctx, c.client, c.url+path, user)
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

func post(ctx context.Context, client *http.Client, url, user string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, http.NoBody)
	if err != nil {
		return err
	}
	req.Header.Set(userHeader, user)
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
