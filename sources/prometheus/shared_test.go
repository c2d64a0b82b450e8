package prometheus_test

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
	"relctl-tui/sources/prometheus"
)

func TestCallsThatWaitForTheSameLookShareItsFailureAndMakeNoRequest(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	arrived, release := make(chan struct{}), make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 1 {
			close(arrived)
			<-release
		}
		w.WriteHeader(http.StatusInternalServerError)
	}))
	defer srv.Close()
	s := open(t, srv.URL, prometheus.Options{})
	errs := make(chan error, 3)
	go func() { errs <- second(s.Breakers(t.Context())) }()
	<-arrived
	joined := make(chan struct{}, 2)
	go func() { joined <- struct{}{}; errs <- second(s.Latencies(t.Context())) }()
	go func() { joined <- struct{}{}; errs <- second(s.Exposures(t.Context())) }()
	<-joined
	<-joined
	time.AfterFunc(100*time.Millisecond, func() { close(release) }) // whoever comes later asks for itself
	own := 0
	for range 3 {
		err := <-errs
		require.ErrorIs(t, err, sources.ErrUnavailable)
		require.ErrorContains(t, err, "answered 500 Internal Server Error")
		if !errors.Is(err, context.Canceled) {
			own++
		}
	}
	require.EqualValues(t, asked.Load(), own, "each request is one failure")
}

func TestACallerWhoGivesUpDoesNotSpoilTheLookOfOthers(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	arrived := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 1 {
			_ = r.ParseForm() // else the server does not notice that the caller is gone
			close(arrived)
			<-r.Context().Done()
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"status":"success","data":{"resultType":"vector","result":[]}}`))
	}))
	defer srv.Close()
	s := open(t, srv.URL, prometheus.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	gone, done := make(chan error, 1), make(chan error, 1)
	go func() { gone <- second(s.Breakers(ctx)) }()
	<-arrived
	go func() { done <- second(s.Latencies(t.Context())) }()
	cancel()
	require.ErrorIs(t, <-gone, context.Canceled)
	require.NoError(t, <-done)
}
