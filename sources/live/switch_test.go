package live_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/live"
)

// fuse is a source of one breaker.
type fuse struct {
	mu  sync.Mutex
	b   sources.Breaker
	why string
	err error
}

func (f *fuse) set(b sources.Breaker, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.b, f.err = b, err
}

func (f *fuse) Breakers(context.Context) (sources.BreakerSet, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return sources.BreakerSet{Breakers: []sources.Breaker{f.b}, ReadOnly: f.why}, f.err
}

// handled is one that can be switched as well.
type handled struct{ *fuse }

func (handled) BreakerInstances(context.Context, string) ([]sources.BreakerInstance, error) {
	return nil, sources.ErrNotFound
}

func (handled) SwitchBreaker(context.Context, string, map[string]string) map[string]error {
	return nil
}

func breakerOf(source string, state sources.BreakerState) sources.Breaker {
	return sources.Breaker{Source: source, Name: "payments", State: state, Instances: 2}
}

func TestABreakerThatIsMeasuredAndCanBeSwitchedIsOneRowAndOneTurn(t *testing.T) {
	t.Parallel()
	app, prom := &fuse{b: breakerOf("app", sources.BreakerClosed)}, &fuse{b: breakerOf("prom", sources.BreakerHalfOpen)}
	prom.b.Rate, prom.b.ErrorRatio = sources.Some(120.0), sources.Some(0.25)
	measured := src("prom", prom)
	measured.Group = "metrics"
	run(t, live.Options{Sources: []live.Source{src("app", handled{app}), measured}}, func(t *testing.T, e *live.Engine) {
		pass(time.Second)
		rows := e.Snapshot().Breakers
		require.Len(t, rows, 1)
		require.Equal(t, "app", rows[0].Source)
		require.Equal(t, "prom", rows[0].Also)
		require.Equal(t, sources.BreakerClosed, rows[0].State, "the breaker itself says its state")
		require.Equal(t, sources.Some(120.0), rows[0].Rate)
		app.set(breakerOf("app", sources.BreakerOpen), nil)
		prom.set(breakerOf("prom", sources.BreakerOpen), nil)
		pass(10 * time.Second)
		require.Len(t, e.Snapshot().Activity, 1, "one turn is one line, whoever saw it")

		app.set(sources.Breaker{}, errors.New("gone"))
		pass(5 * time.Minute)
		var who []string
		for _, b := range e.Snapshot().Breakers {
			who = append(who, b.Source)
		}
		require.ElementsMatch(t, []string{"app", "prom"}, who, "what says nothing any more takes no row's place")
	})
}

func TestWhatTheOperatorSwitchedIsNoTurnOfItsOwn(t *testing.T) {
	t.Parallel()
	app := &fuse{b: breakerOf("app", sources.BreakerClosed)}
	run(t, live.Options{Sources: []live.Source{src("app", handled{app})}}, func(t *testing.T, e *live.Engine) {
		e.Observe(sources.Activity{
			ID: "1", At: e.Snapshot().At, Kind: string(sources.ForceOpen), Flag: sources.FlagID{Source: "app", Key: "payments"},
			Name: "payments", Actor: "ana", Old: "closed", New: "forced-open", Outcome: sources.Confirmed,
		})
		app.set(breakerOf("app", sources.BreakerForcedOpen), nil)
		pass(10 * time.Second)
		require.Equal(t, sources.BreakerForcedOpen, e.Snapshot().Breakers[0].State)
		require.Len(t, e.Snapshot().Activity, 1)
		app.set(breakerOf("app", sources.BreakerClosed), nil) // somebody else
		pass(10 * time.Second)
		require.Len(t, e.Snapshot().Activity, 2)
	})
}

func TestWhyASourceCannotSwitchIsInItsStatus(t *testing.T) {
	t.Parallel()
	app, looks := &fuse{b: breakerOf("app", sources.BreakerClosed)}, &fuse{b: breakerOf("lb", sources.BreakerClosed), why: "level admin is missing"}
	forbidden := src("ro", handled{app})
	forbidden.Writable = false
	run(t, live.Options{Sources: []live.Source{src("app", handled{app}), src("lb", handled{looks}), forbidden, src("prom", app)}}, func(t *testing.T, e *live.Engine) {
		pass(time.Second)
		s := e.Snapshot()
		require.True(t, s.Source("app").Switches)
		require.Empty(t, s.Source("app").Fixed)
		require.Equal(t, "level admin is missing", s.Source("lb").Fixed)
		require.Contains(t, s.Source("ro").Fixed, "--read-only")
		require.False(t, s.Source("prom").Switches)
	})
}
