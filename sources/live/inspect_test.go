package live_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/live"
)

// deep is a source of one breaker that can be read in depth.
type deep struct {
	*fuse
	d   sources.BreakerDetail
	err error
}

func (d deep) InspectBreaker(context.Context, string) (sources.BreakerDetail, error) {
	if d.err != nil && d.err.Error() == "panic" {
		panic("boom")
	}
	return d.d, d.err
}

// deepHandled is one that can be switched as well.
type deepHandled struct {
	handled
	d deep
}

func (d deepHandled) InspectBreaker(ctx context.Context, name string) (sources.BreakerDetail, error) {
	return d.d.InspectBreaker(ctx, name)
}

func TestABreakerInDepthIsWhatBothOfItsSourcesSay(t *testing.T) {
	t.Parallel()
	app, prom := &fuse{b: breakerOf("app", sources.BreakerClosed)}, &fuse{b: breakerOf("prom", sources.BreakerClosed)}
	asked := deepHandled{handled{app}, deep{app, sources.BreakerDetail{
		Instances: []sources.BreakerInstance{{Name: "a"}}, Facts: []sources.Fact{{Name: "opens at", Text: "50% failed"}},
	}, nil}}
	measured := deep{prom, sources.BreakerDetail{
		Instances: []sources.BreakerInstance{{Name: "x"}, {Name: "y"}},
		P99:       sources.Quantile{Seconds: 0.2, OK: true}, Quantiles: "calls over 1m0s",
	}, nil}
	run(t, live.Options{Sources: []live.Source{src("app", asked), src("prom", measured), src("bare", app)}}, func(t *testing.T, e *live.Engine) {
		pass(time.Second)
		d, err := e.InspectBreaker(t.Context(), "app", "prom", "payments")
		require.NoError(t, err)
		require.Equal(t, []sources.BreakerInstance{{Name: "a"}}, d.Instances, "who asks the breaker itself knows better")
		require.True(t, d.P99.OK)
		require.Len(t, d.Facts, 1)
		require.False(t, d.Since.IsZero())
		require.Empty(t, d.Turns)

		began := time.Now()
		app.set(breakerOf("app", sources.BreakerOpen), nil)
		pass(10 * time.Second)
		d, err = e.InspectBreaker(t.Context(), "app", "", "payments")
		require.NoError(t, err)
		require.Len(t, d.Turns, 1)
		require.Equal(t, sources.BreakerOpen, d.Turns[0].Is)
		require.False(t, d.Turns[0].At.Before(began))

		d, err = e.InspectBreaker(t.Context(), "bare", "", "payments")
		require.NoError(t, err, "what tells nothing in depth still has what was seen from here")
		require.Len(t, d.Turns, 1)
	})
}

func TestTurnsOnRecordReachBackToBeforeTheBoardAndItsOwnAreTakenFromThere(t *testing.T) {
	t.Parallel()
	prom := &fuse{b: breakerOf("prom", sources.BreakerClosed)}
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // when a bubble's clock begins
	turn := func(at time.Time) sources.BreakerTurn {
		return sources.BreakerTurn{At: at, Was: sources.BreakerClosed, Is: sources.BreakerOpen}
	}
	recorded := sources.BreakerDetail{Since: start.Add(-time.Hour), Turns: []sources.BreakerTurn{turn(start.Add(8 * time.Second)), turn(start.Add(-time.Minute))}}
	run(t, live.Options{Sources: []live.Source{src("prom", deep{prom, recorded, nil})}}, func(t *testing.T, e *live.Engine) {
		prom.set(breakerOf("prom", sources.BreakerOpen), nil)
		pass(10 * time.Second)
		d, err := e.InspectBreaker(t.Context(), "prom", "", "payments")
		require.NoError(t, err)
		require.Len(t, d.Turns, 2, "the same turn is not there twice")
		require.Equal(t, start.Add(-time.Minute), d.Turns[1].At)
		require.Equal(t, recorded.Since, d.Since)
	})
}

func TestOneSourceThatFailsIsAWarningAndBothAreAnError(t *testing.T) {
	t.Parallel()
	app, prom := &fuse{b: breakerOf("app", sources.BreakerClosed)}, &fuse{b: breakerOf("prom", sources.BreakerClosed)}
	bad := deep{app, sources.BreakerDetail{}, errors.New("panic")}
	good := deep{prom, sources.BreakerDetail{Instances: []sources.BreakerInstance{{Name: "x"}}}, nil}
	run(t, live.Options{Sources: []live.Source{src("app", deepHandled{handled{app}, bad}), src("prom", good)}}, func(t *testing.T, e *live.Engine) {
		pass(time.Second)
		d, err := e.InspectBreaker(t.Context(), "app", "prom", "payments")
		require.NoError(t, err)
		require.Len(t, d.Instances, 1)
		require.Contains(t, d.Warnings[0], "the driver of app failed (boom)")
		_, err = e.InspectBreaker(t.Context(), "app", "", "payments")
		require.ErrorIs(t, err, sources.ErrUnavailable)
		_, err = e.InspectBreaker(t.Context(), "nobody", "", "payments")
		require.ErrorIs(t, err, sources.ErrNotFound)
	})
}

func TestWhatIsAddedForOneWhoLooksIsNotWrittenIntoWhatTheOthersGet(t *testing.T) {
	t.Parallel()
	app := &fuse{b: breakerOf("app", sources.BreakerClosed)}
	given := make([]string, 0, 4) // with room for more
	run(t, live.Options{Sources: []live.Source{src("app", deep{app, sources.BreakerDetail{Warnings: given}, nil})}}, func(t *testing.T, e *live.Engine) {
		pass(time.Second)
		d, err := e.InspectBreaker(t.Context(), "app", "nobody", "payments")
		require.NoError(t, err)
		require.Len(t, d.Warnings, 1)
		require.Empty(t, given[:1][0])
	})
}
