package live_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/live"
)

// recorder is a source with a past.
type recorder struct {
	*metrics
	name string
	err  error
}

func (r recorder) Series(ctx context.Context, _ sources.SeriesQuery) (sources.Series, error) {
	if r.name == "panics" {
		panic("boom")
	}
	if r.name == "hangs" {
		<-ctx.Done()
		return sources.Series{}, fmt.Errorf("hangs: %w", sources.ErrUnavailable)
	}
	return sources.Series{Source: r.name}, r.err
}

func TestASeriesIsAskedOfItsSourceOrOfTheFirstThatHasIt(t *testing.T) {
	t.Parallel()
	q := sources.SeriesQuery{Flag: "f", Variant: "on", Span: time.Hour, Points: 10}
	unseen := recorder{healthy(), "unseen", fmt.Errorf("unseen: %w", sources.ErrNotFound)}
	run(t, live.Options{Sources: []live.Source{
		src("bare", healthy()), src("unseen", unseen), src("good", recorder{healthy(), "good", nil}),
		src("panics", recorder{healthy(), "panics", nil}), src("hangs", recorder{healthy(), "hangs", nil}),
	}}, func(t *testing.T, e *live.Engine) {
		got, err := e.Series(t.Context(), "", q)
		require.NoError(t, err)
		require.Equal(t, "good", got.Source)
		for source, want := range map[string]error{
			"bare": sources.ErrUnsupported, "unseen": sources.ErrNotFound, "nobody": sources.ErrNotFound, "panics": sources.ErrUnavailable,
		} {
			_, err := e.Series(t.Context(), source, q)
			require.ErrorIs(t, err, want, source)
		}
		began := time.Now()
		_, err = e.Series(t.Context(), "hangs", q)
		require.ErrorIs(t, err, sources.ErrUnavailable)
		require.Less(t, time.Since(began), 10*time.Minute, "it has an end")
	})
}

func TestASeriesThatOnlyAFailingSourceCouldHaveIsAFailureAndNotNothing(t *testing.T) {
	t.Parallel()
	down := recorder{healthy(), "down", fmt.Errorf("down: %w", sources.ErrUnavailable)}
	run(t, live.Options{Sources: []live.Source{src("down", down)}}, func(t *testing.T, e *live.Engine) {
		_, err := e.Series(t.Context(), "", sources.SeriesQuery{})
		require.ErrorIs(t, err, sources.ErrUnavailable)
	})
}
