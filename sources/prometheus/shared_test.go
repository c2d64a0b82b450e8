package prometheus_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources/prometheus"
	"relctl-tui/sources/sourcetest"
)

func TestCallsThatWaitForTheSameLookShareItsFailureAndMakeNoRequest(t *testing.T) {
	t.Parallel()
	sourcetest.FailuresAreShared(t, func(url string) []func(context.Context) error {
		s := open(t, url, prometheus.Options{})
		return []func(context.Context) error{
			func(ctx context.Context) error { return second(s.Breakers(ctx)) },
			func(ctx context.Context) error { return second(s.Latencies(ctx)) },
			func(ctx context.Context) error { return second(s.Exposures(ctx)) },
		}
	})
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
