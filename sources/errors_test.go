package sources_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
)

func TestASentenceLeavesOutTheSentinelAndNothingElse(t *testing.T) {
	t.Parallel()
	inner := fmt.Errorf("prom refuses connections: %w", sources.ErrUnavailable)
	for _, c := range []struct {
		err  error
		want string
	}{
		{nil, ""},
		{inner, "prom refuses connections"},
		{fmt.Errorf("reading: %w", inner), "reading: prom refuses connections"},
		{fmt.Errorf("%w: %w", inner, sources.ErrInvalid), "prom refuses connections"},
		{sources.ErrConflict, "changed meanwhile"},
		{fmt.Errorf("it is: unavailable"), "it is: unavailable"},
		{fmt.Errorf("the lock is taken: %w: %w", sources.ErrUnavailable, context.DeadlineExceeded), "the lock is taken"},
		{context.Canceled, "context canceled"},
		{fmt.Errorf("a\x1b[31m\nb: %w", sources.ErrNotFound), "a∙[31m b"},
	} {
		require.Equal(t, c.want, sources.Sentence(c.err))
	}
}

func TestHowLongASystemWantsToBeLeftAloneComesThroughWhateverIsWrappedAround(t *testing.T) {
	t.Parallel()
	busy := fmt.Errorf("prom is busy: %w", sources.ErrUnavailable)
	err := fmt.Errorf("reading: %w", sources.WithRetryAfter(busy, time.Minute))
	after, ok := sources.RetryAfter(err)
	require.True(t, ok)
	require.Equal(t, time.Minute, after)
	require.ErrorIs(t, err, sources.ErrUnavailable)
	require.Equal(t, "reading: prom is busy", sources.Sentence(err))
	for _, err := range []error{nil, busy, sources.WithRetryAfter(nil, time.Minute), sources.WithRetryAfter(busy, 0), sources.WithRetryAfter(busy, -time.Second)} {
		_, ok := sources.RetryAfter(err)
		require.False(t, ok)
	}
}
