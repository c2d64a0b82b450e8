package sourcetest

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
)

// FailuresAreShared checks that calls which wait for another one's request fail
// with its words, and with context.Canceled besides: whoever counts failures then
// counts requests. open makes a source of metrics on a server that fails, and
// returns its calls; the first of them asks. It returns how often the server was
// asked so far, for what comes after.
func FailuresAreShared(t *testing.T, open func(url string) (calls []func(context.Context) error)) (asked func() int) {
	t.Helper()
	var n atomic.Int32
	arrived, release := make(chan struct{}), make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if n.Add(1) == 1 {
			close(arrived)
			<-release
		}
		w.WriteHeader(http.StatusInternalServerError)
	}))
	t.Cleanup(srv.Close)
	calls := open(srv.URL)
	errs, joined := make(chan error, len(calls)), make(chan struct{}, len(calls))
	for i, call := range calls {
		go func() { joined <- struct{}{}; errs <- call(t.Context()) }()
		<-joined
		if i == 0 {
			<-arrived
		}
	}
	time.AfterFunc(100*time.Millisecond, func() { close(release) }) // whoever comes later asks for itself
	own := 0
	for range calls {
		err := <-errs
		require.ErrorIs(t, err, sources.ErrUnavailable)
		require.ErrorContains(t, err, "answered 500 Internal Server Error")
		if !errors.Is(err, context.Canceled) {
			own++
		}
	}
	require.EqualValues(t, n.Load(), own, "each request is one failure")
	return func() int { return int(n.Load()) }
}
