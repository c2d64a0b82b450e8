package ui

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/sources/flagd"
	"relctl-tui/sources/flagfile"
)

// gauge is what a guard measures, as the test says.
type gauge struct {
	mu sync.Mutex
	v  float64
}

func (g *gauge) set(v float64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.v = v
}

func (g *gauge) Measure(context.Context, sources.Measurement) (sources.GuardSample, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return sources.GuardSample{Value: sources.Some(g.v), Count: sources.Some(1000.0)}, nil
}

// underGuard is a board whose flags are guarded by at most 0.02 of a gauge.
func underGuard(t *testing.T, g *gauge) *rig {
	t.Helper()
	return board(t, func(o *Options) {
		stores, engine := o.Control.Stores(), o.Engine
		o.Ramp = func(string) (time.Duration, sources.OnBreach) { return time.Minute, sources.AskOnBreach }
		o.Control = control.New(control.Options{
			Stores: stores, Observe: engine.Observe, ObserveRamp: engine.ObserveRamp,
			Guards: control.Guards{
				Rules:    []sources.Guard{{Name: "errors", Query: "x", Count: "y", Limit: 0.02}},
				Readers:  []sources.GuardReader{g},
				Snapshot: func(context.Context) (*sources.Snapshot, error) { return engine.Snapshot(), nil },
			},
		})
	})
}

func TestARefusedRampIsOverriddenByASecondPressAndAReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := underGuard(t, &gauge{v: 0.5})
		r.press("+")
		r.sees("checkout-v2 stays at 25%: errors 0.5, more than the 0.02 (n 1000)", "(+ again within 5s, with a", "reason, overrides)")
		require.Equal(t, twoFlags, r.file())
		pass(time.Second)
		r.press("+")
		r.sees("checkout-v2 why:", "enter raises it to 50% nevertheless, on record")
		r.press("enter")
		require.Equal(t, twoFlags, r.file(), "without a reason nothing happens")
		r.press("t", "e", "s", "t", "enter")
		require.Contains(t, r.file(), `["on", 50], ["off", 50]`)
		entries, _, err := r.journal().Read(10)
		require.NoError(t, err)
		require.Equal(t, "OVERRIDE (errors 0.5, more than the 0.02 (n 1000)): test", entries[0].Reason)
	})
}

func TestASecondPressThatComesLaterIsHeldAgainstTheGuardsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gauge{v: 0.5}
		r := underGuard(t, g)
		r.press("+")
		pass(6 * time.Second)
		r.press("+")
		r.sees("checkout-v2 stays at 25%")
		require.Equal(t, twoFlags, r.file())
		r.press("K")
		require.Contains(t, r.file(), "DISABLED", "a kill is nobody's business")
	})
}

func TestAGuardedRampIsStartedPausedResumedAndKilledByKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := underGuard(t, &gauge{})
		r.press("R")
		r.sees("guarded ramp of checkout-v2 began")
		pass(2 * time.Second)
		require.Contains(t, r.file(), `["on", 50], ["off", 50]`, "the first step is taken at once")
		r.look()
		r.press("enter")
		r.sees("[50] ╌ 100", "holding", "58s left", "✓ pass errors 0, within the 0.02 (n 1000)")
		r.press("p")
		pass(5 * time.Minute)
		require.Contains(t, r.look(), "paused")
		require.Contains(t, r.file(), `["on", 50], ["off", 50]`)
		r.press("R")
		pass(2 * time.Second)
		require.Contains(t, r.look(), "holding")
		r.press("q")
		r.sees("this board ramps checkout-v2, which would stay at 50%: press again")
		require.False(t, r.quit)
		pass(time.Second)
		r.press("K")
		require.Contains(t, r.file(), "DISABLED")
		pass(10 * time.Minute)
		require.Contains(t, r.file(), "DISABLED", "nobody goes on after a kill")
		r.look()
		r.press("q")
		require.True(t, r.quit)
	})
}

func TestABreachAsksAndNamesTheKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gauge{}
		r := underGuard(t, g)
		r.press("R")
		pass(2 * time.Second)
		require.Contains(t, r.look(), "guarded ramp of checkout-v2 began")
		g.set(0.5)
		pass(10 * time.Second) // no key is pressed: whoever has begun it waits
		require.Contains(t, r.look(), "guarded ramp of checkout-v2: asking at 50%: errors 0.5, more than the 0.02 (n 1000)")
		pass(time.Hour)
		require.Contains(t, r.file(), `["on", 50], ["off", 50]`, "nothing is done before somebody answers")
		r.look()
		r.press("-")
		require.Contains(t, r.file(), `["on", 25], ["off", 75]`)
		pass(10 * time.Second)
		r.look()
		require.Equal(t, sources.RampOvertaken, r.m.snapshot.Ramp(sources.FlagID{Source: "prod", Key: "checkout-v2"}).Phase)
	})
}

func TestARampOfAnotherBoardIsShownAndTakenOverOnlyAfterAQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := underGuard(t, &gauge{})
		store := flagd.New("prod", r.path)
		id := sources.FlagID{Source: "prod", Key: "checkout-v2"}
		require.NoError(t, store.TakeLease(t.Context(), sources.Lease{
			Flag: id, Token: "theirs", Owner: "ben on web-1", Ramp: &sources.RampStatus{Flag: id, Phase: sources.RampHolding, Steps: []sources.Percent{sources.Pct(50)}},
		}, ""))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go r.m.control.FollowLeases(ctx, 2*time.Second, r.m.engine.ObserveLeases)
		pass(3 * time.Second)
		r.look()
		r.press("p")
		r.sees("ben on web-1 runs this ramp: R takes it over")
		pass(time.Second)
		r.press("R")
		r.sees("Ramp under guard checkout-v2 25% ➔ 100%, though ben on web-1 runs it and would be stopped?")
		require.Equal(t, twoFlags, r.file())
		pass(time.Second)
		r.press("y")
		pass(2 * time.Second)
		require.Contains(t, r.file(), `["on", 50], ["off", 50]`)
		require.ErrorIs(t, store.TakeLease(t.Context(), sources.Lease{Flag: id, Token: "theirs"}, ""), sources.ErrConflict)
	})
}

func TestALeaseThatLiesFarAheadSaysThatAClockWasWrongAndIsTakenOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := underGuard(t, &gauge{})
		ahead := flagd.New("prod", r.path, flagfile.WithNow(func() time.Time { return time.Now().AddDate(1, 0, 0) }))
		id := sources.FlagID{Source: "prod", Key: "checkout-v2"}
		require.NoError(t, ahead.TakeLease(t.Context(), sources.Lease{Flag: id, Token: "theirs", Owner: "ben on web-1"}, ""))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go r.m.control.FollowLeases(ctx, 2*time.Second, r.m.engine.ObserveLeases)
		pass(3 * time.Second)
		r.look()
		r.press("enter")
		r.sees("its lease would end 2001-01-01 00:00 UTC, so a clock was wrong, there or here")
		r.press("R")
		r.sees("though a wrong clock keeps it for ben on web-1")
		pass(time.Second)
		r.press("y")
		pass(2 * time.Second)
		require.Contains(t, r.file(), `["on", 50], ["off", 50]`)
	})
}

func TestAPercentageAndAMomentAreKeptForLaterAndRunBesideTheBoard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := board(t, func(o *Options) { o.Zone = time.UTC })
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			r.m.control.RunSchedules(ctx, control.RunnerOptions{Owner: "this board", Tell: r.m.engine.ObserveSchedules})
		}()
		defer func() { cancel(); <-ended }()
		r.press("=", "5", "0", "@", "9")
		r.sees(`write "10:00", "Fri 10:00"`)
		r.press("esc")
		pass(time.Second)
		r.press("=", "5", "0", "@", "0", "1", ":", "3", "0")
		r.sees("25% ➔ 50% 01:30 UTC, in 1h")
		r.press("enter")
		require.Equal(t, twoFlags, r.file(), "nothing is changed yet")
		r.sees("checkout-v2 50% 01:30 UTC, in 1h, run by whichever board or runner is open then")
		pass(5 * time.Second)
		r.sees("01:30   ana", "50%", "in 1h")
		pass(time.Hour)
		r.sees("in 29m")
		pass(30 * time.Minute)
		require.Contains(t, r.file(), `["on", 50], ["off", 50]`)
		r.sees("✓ confirmed")
		require.NotContains(t, r.look(), "in 1m")
	})
}

func TestWhatIsScheduledIsCalledOffFromActivityAfterAQuestion(t *testing.T) {
	for name, viewer := range map[string]bool{"operator": false, "viewer": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := board(t, func(o *Options) { o.Zone, o.ReadOnly = time.UTC, viewer })
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					r.m.control.RunSchedules(ctx, control.RunnerOptions{Owner: "this board", Tell: r.m.engine.ObserveSchedules})
				}()
				defer func() { cancel(); <-ended }()
				id := sources.FlagID{Source: "prod", Key: "checkout-v2"}
				for _, to := range []int{50, 100} {
					_, err := r.m.control.Schedule(t.Context(), sources.Schedule{
						Flag: id, Kind: sources.Set, To: sources.Pct(to), At: time.Now().Add(time.Duration(to) * time.Minute), Zone: "UTC", Actor: "ben",
					})
					require.NoError(t, err)
				}
				pass(5 * time.Second)
				r.press("r")
				require.NotContains(t, r.look(), "Call off", "only the pane that shows it calls it off")
				r.press("shift+tab")
				r.look()
				if viewer {
					r.press("r", "y")
					pass(5 * time.Second)
					r.sees("100%", "in 1h", "50%", "in 49m")
					return
				}
				r.sees("r call", "u undo")
				r.press("r")
				r.sees("Call off checkout-v2 ➔ 100% on Sat 1 Jan 01:40 UTC?")
				r.press("n")
				pass(5 * time.Second)
				r.sees("nothing was done", "in 1h")
				r.press("j", "r")
				r.sees("Call off checkout-v2 ➔ 50% on Sat 1 Jan 00:50 UTC?")
				r.press("y")
				pass(5 * time.Second)
				r.sees("called off: checkout-v2 50% 00:50 UTC, in 49m")
				list, _ := r.m.control.Schedules(t.Context())
				require.Equal(t, []sources.ScheduleState{sources.ScheduleWaiting, sources.ScheduleCancelled}, []sources.ScheduleState{list[0].State, list[1].State})
				require.Equal(t, sources.Full, list[0].To)
				pass(50 * time.Minute)
				require.Equal(t, twoFlags, r.file(), "what was called off is not made")
			})
		})
	}
}
