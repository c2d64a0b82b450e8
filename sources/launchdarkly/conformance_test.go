package launchdarkly_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/launchdarkly"
	"relctl-tui/sources/sourcetest"
)

// open is a store of the service, with waits between polls that are short.
func open(t testing.TB, url, token string, change ...func(*launchdarkly.Options)) *launchdarkly.Store {
	t.Helper()
	opts := launchdarkly.Options{
		Project: project, Environment: production, Token: func() (string, error) { return token, nil },
		Wait: func(ctx context.Context, _ time.Duration) {
			select {
			case <-ctx.Done():
			case <-time.After(5 * time.Millisecond):
			}
		},
	}
	for _, c := range change {
		c(&opts)
	}
	s, err := launchdarkly.New("ld", url, opts)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

// The service's clock stands still in the suite: an undo gives back what was before it
// but for the time of the last change, which goes on.
func TestItIsAFlagStore(t *testing.T) {
	t.Parallel()
	id := func(key string) sources.FlagID { return sources.FlagID{Source: "ld", Key: key} }
	sourcetest.Store(t, func(t *testing.T) sourcetest.Fixture {
		_, url := serve(t)
		return sourcetest.Fixture{
			Store: open(t, url, "api-writer"), Second: open(t, url, "api-writer"),
			Split: id("checkout"), Other: id("search"), Custom: id("geo"),
		}
	})
}
