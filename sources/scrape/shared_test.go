package scrape_test

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
	"relctl-tui/sources/scrape"
)

func TestAFailureOfASharedScrapeIsOneCallersOwnAndIsNotUsedAgain(t *testing.T) {
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
	s, err := scrape.New("fleet", []string{srv.URL}, scrape.Options{MinInterval: time.Hour})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	errs := make(chan error, 3)
	go func() { _, err := s.Breakers(t.Context()); errs <- err }()
	<-arrived
	joined := make(chan struct{}, 2)
	for range 2 {
		go func() { joined <- struct{}{}; _, err := s.Latencies(t.Context()); errs <- err }()
	}
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
	_, err = s.Breakers(t.Context())
	require.NotErrorIs(t, err, context.Canceled)
	require.EqualValues(t, own+1, asked.Load(), "what failed is asked for again")
}
