package live_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/live"
)

// looked is a source with a past that takes a while to tell it, and counts how often.
type looked struct {
	*metrics
	asked, given atomic.Int32
	fails        atomic.Bool
}

func (c *looked) Series(ctx context.Context, q sources.SeriesQuery) (sources.Series, error) {
	n := c.asked.Add(1)
	select {
	case <-ctx.Done():
		c.given.Add(1)
		return sources.Series{}, ctx.Err()
	case <-time.After(time.Second):
	}
	if c.fails.Load() {
		return sources.Series{}, sources.ErrNotFound
	}
	return sources.Series{Source: q.Flag, Step: time.Duration(n)}, nil
}

var charted = sources.SeriesQuery{Flag: "f", Variant: "on", Span: time.Hour, Points: 121}

func TestAHundredWhoLookAtOneChartCostItsSourceWhatOneCosts(t *testing.T) {
	t.Parallel()
	c := &looked{metrics: healthy()}
	run(t, live.Options{Sources: []live.Source{src("prom", c)}}, func(t *testing.T, e *live.Engine) {
		const minutes = 2
		var all sync.WaitGroup
		for i := range 100 {
			all.Go(func() {
				<-time.After(time.Duration(i) * 150 * time.Millisecond) // each opened it at another moment
				for range minutes * 4 {
					_, err := e.Series(t.Context(), "prom", charted)
					if err != nil {
						t.Error(err)
					}
					<-time.After(14 * time.Second) // and reads again at a board's pace
				}
			})
		}
		all.Wait()
		require.Positive(t, c.asked.Load())
		require.LessOrEqual(t, c.asked.Load(), int32(minutes*60/14+4), "of 800 looks")
	})
}

func TestAnotherChartIsAnotherQuestionAndAnOldAnswerIsAskedForAgain(t *testing.T) {
	t.Parallel()
	c := &looked{metrics: healthy()}
	run(t, live.Options{Sources: []live.Source{src("prom", c)}}, func(t *testing.T, e *live.Engine) {
		other := charted
		other.Flag = "g"
		for _, q := range []sources.SeriesQuery{charted, other} {
			got, err := e.Series(t.Context(), "prom", q)
			require.NoError(t, err)
			require.Equal(t, q.Flag, got.Source)
		}
		pass(time.Minute)
		got, err := e.Series(t.Context(), "prom", charted)
		require.NoError(t, err)
		require.Equal(t, time.Duration(3), got.Step, "the third that was read")
	})
}

func TestWhoLeavesDoesNotTakeTheChartFromWhoStays(t *testing.T) {
	t.Parallel()
	c := &looked{metrics: healthy()}
	run(t, live.Options{Sources: []live.Source{src("prom", c)}}, func(t *testing.T, e *live.Engine) {
		first, leave := context.WithCancel(t.Context())
		gone := make(chan error, 1)
		go func() { _, err := e.Series(first, "prom", charted); gone <- err }()
		pass(100 * time.Millisecond)
		stays := make(chan error, 1)
		go func() { _, err := e.Series(t.Context(), "prom", charted); stays <- err }()
		pass(100 * time.Millisecond)
		leave()
		require.ErrorIs(t, <-gone, context.Canceled)
		require.NoError(t, <-stays)
		require.Equal(t, int32(1), c.asked.Load())

		pass(time.Minute)
		alone, leave := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer leave()
		_, err := e.Series(alone, "prom", charted)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		pass(time.Millisecond)
		require.Equal(t, int32(1), c.given.Load(), "nobody waits for it, so the source is not asked any longer")
	})
}

func TestAFailureIsNotKeptForWhoLooksNext(t *testing.T) {
	t.Parallel()
	c := &looked{metrics: healthy()}
	run(t, live.Options{Sources: []live.Source{src("prom", c)}}, func(t *testing.T, e *live.Engine) {
		c.fails.Store(true)
		_, err := e.Series(t.Context(), "prom", charted)
		require.True(t, errors.Is(err, sources.ErrNotFound), err)
		c.fails.Store(false)
		_, err = e.Series(t.Context(), "prom", charted)
		require.NoError(t, err)
	})
}
