package scrape_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources/scrape"
	"relctl-tui/sources/sourcetest"
)

func TestAFailureOfASharedScrapeIsOneCallersOwnAndIsNotUsedAgain(t *testing.T) {
	t.Parallel()
	var s *scrape.Source
	latencies := func(ctx context.Context) error { _, err := s.Latencies(ctx); return err }
	asked := sourcetest.FailuresAreShared(t, func(url string) []func(context.Context) error {
		var err error
		s, err = scrape.New("fleet", []string{url}, scrape.Options{MinInterval: time.Hour})
		require.NoError(t, err)
		return []func(context.Context) error{
			func(ctx context.Context) error { _, err := s.Breakers(ctx); return err }, latencies, latencies,
		}
	})
	defer func() { require.NoError(t, s.Close()) }()
	before := asked()
	_, err := s.Breakers(t.Context())
	require.Error(t, err)
	require.NotErrorIs(t, err, context.Canceled)
	require.Equal(t, before+1, asked(), "what failed is asked for again")
}
