package control_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/sources/flagd"
	"relctl-tui/sources/journal"
)

// meter is a metrics server of which the test says what it measures.
type meter struct {
	mu    sync.Mutex
	value func(at sources.Percent) sources.GuardSample
	err   error
	asks  int
	now   sources.Percent // what the flag is at

	refuses bool // for a test that has to know
}

func (m *meter) Measure(context.Context, sources.Measurement) (sources.GuardSample, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asks++
	if m.err != nil {
		return sources.GuardSample{}, m.err
	}
	return m.value(m.now), nil
}

func steady(v, n float64) func(sources.Percent) sources.GuardSample {
	return func(sources.Percent) sources.GuardSample {
		return sources.GuardSample{Value: sources.Some(v), Count: sources.Some(n)}
	}
}

// guardedBy is a desk whose checkout is guarded: errors at most 0.02 of at least 100
// requests.
func guardedBy(m *meter) func(*control.Options) {
	return func(o *control.Options) {
		lister := o.Stores[0].Driver.(sources.FlagLister)
		o.Guards = control.Guards{
			Rules:   []sources.Guard{{Name: "errors", Flags: []string{"checkout"}, Query: "errors", Count: "requests", Limit: 0.02, MinCount: 100}},
			Readers: []sources.GuardReader{m},
			Snapshot: func(ctx context.Context) (*sources.Snapshot, error) {
				set, err := lister.Flags(ctx)
				for i := range set.Flags {
					if set.Flags[i].ID == checkout {
						m.mu.Lock()
						m.now = set.Flags[i].Rollout.V
						m.mu.Unlock()
					}
				}
				return &sources.Snapshot{Flags: set.Flags}, err
			},
		}
	}
}

func TestARaiseIsHeldAgainstItsGuards(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		value sources.GuardSample
		err   error
		want  string // "" for let through
	}{
		"pass":         {steady(0.01, 500)(0), nil, ""},
		"exactly":      {steady(0.02, 500)(0), nil, ""},
		"breach":       {steady(0.05, 500)(0), nil, "checkout stays at 25%: errors 0.05, more than the 0.02 (n 500)"},
		"insufficient": {steady(0.05, 99)(0), nil, ""},
		"no data":      {sources.GuardSample{}, nil, "checkout stays at 25%: errors is unknown: its samples were not counted"},
		"no value":     {sources.GuardSample{Count: sources.Some(500.0)}, nil, "checkout stays at 25%: errors is unknown: there is no data (n 500)"},
		"unreachable":  {sources.GuardSample{}, fmt.Errorf("prom refuses connections: %w", sources.ErrUnavailable), "checkout stays at 25%: errors is unknown: prom refuses connections"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &meter{value: func(sources.Percent) sources.GuardSample { return c.value }, err: c.err}
			d := sit(t, guardedBy(m))
			before := d.bytes()
			_, err := d.Do(t.Context(), sources.Intent{Kind: sources.Ramp, Flag: checkout, Seen: d.flag(checkout).Revision, To: sources.Pct(50)})
			require.Equal(t, 1, m.asks, "one query for the guard")
			if c.want == "" {
				require.NoError(t, err)
				require.Equal(t, sources.Pct(50), d.flag(checkout).Rollout.V)
				return
			}
			require.ErrorIs(t, err, control.ErrGuarded)
			require.Equal(t, c.want, sources.Sentence(err))
			require.Equal(t, before, d.bytes())
			acts, _ := d.History(0)
			require.Len(t, acts, 1, "a refusal is on record")
			require.Equal(t, sources.Refused, acts[0].Outcome)
			require.Equal(t, "25% to 50%", acts[0].Old+" to "+acts[0].New)
			require.Contains(t, acts[0].Err, strings.TrimPrefix(c.want, "checkout stays at 25%: "), "with what it was refused on")
		})
	}
}

func TestARefusalIsNoChangeThatUndoOrHistoryCouldTakeBack(t *testing.T) {
	t.Parallel()
	m := &meter{value: steady(0.01, 500)}
	d := sit(t, guardedBy(m), func(o *control.Options) {
		o.Stores[0].Journal = journal.Open("j.jsonl", journal.Options{Disk: newMemory()})
	})
	before := d.bytes()
	_, err := d.set(checkout, 50, "ana")
	require.NoError(t, err)
	m.value = steady(0.5, 500)
	for range 1100 { // more than undo looks back over
		_, err = d.set(checkout, 60, "ana")
		require.ErrorIs(t, err, control.ErrGuarded)
	}
	acts, _ := d.History(0)
	_, err = d.undo("ana", acts[0].ID)
	require.ErrorIs(t, err, sources.ErrInvalid)
	require.ErrorContains(t, err, "never made (refused)")
	h, err := d.FlagHistory(t.Context(), checkout)
	require.NoError(t, err)
	require.NotEmpty(t, h.Past[0].Cannot)
	require.Empty(t, d.InDoubt())
	_, err = d.undo("ana", "")
	require.NoError(t, err)
	require.Equal(t, before, d.bytes(), "the change before all the refusals is undone")
}

func TestWhatLowersAFlagIsNeverAskedAbout(t *testing.T) {
	t.Parallel()
	m := &meter{value: steady(1, 1000)}
	d := sit(t, guardedBy(m))
	_, err := d.set(checkout, 20, "ana")
	require.NoError(t, err)
	_, err = d.Do(t.Context(), sources.Intent{Kind: sources.Back, Flag: checkout, Seen: d.flag(checkout).Revision, To: sources.Pct(10)})
	require.NoError(t, err)
	_, err = d.Do(t.Context(), sources.Intent{Kind: sources.Kill, Flag: checkout, Actor: "ana"})
	require.NoError(t, err)
	_, err = d.undo("ana", "")
	require.NoError(t, err)
	require.Equal(t, sources.Pct(10), d.flag(checkout).Rollout.V)
	require.Zero(t, m.asks)
	_, err = d.set(checkout, 30, "ana")
	require.ErrorIs(t, err, control.ErrGuarded, "a typed percentage that raises it is")
	_, err = d.set(search, 30, "ana")
	require.NoError(t, err, "and so is no flag without a guard")
}

func TestAnOverrideNeedsAReasonAndIsOnRecord(t *testing.T) {
	t.Parallel()
	d := sit(t, guardedBy(&meter{value: steady(0.5, 1000)}))
	in := sources.Intent{Kind: sources.Ramp, Flag: checkout, Seen: d.flag(checkout).Revision, To: sources.Pct(50), Override: true}
	_, err := d.Do(t.Context(), in)
	require.ErrorIs(t, err, sources.ErrInvalid)
	in.Reason = "the errors are from a test"
	_, err = d.Do(t.Context(), in)
	require.NoError(t, err)
	acts, _ := d.History(0)
	require.Len(t, acts, 1)
	require.Equal(t, "OVERRIDE (errors 0.5, more than the 0.02 (n 1000)): the errors are from a test", acts[0].Reason)
}

// climb starts a guarded ramp of checkout on a clock that the test's bubble has.
func climb(t *testing.T, d *desk, o control.RampOptions) *control.Ramp {
	t.Helper()
	o.Flag, o.Actor, o.Hold = checkout, "ana", time.Minute
	r, err := d.StartRamp(t.Context(), o)
	require.NoError(t, err)
	return r
}

func TestAGuardedRampClimbsItsLadderAndEachUndoGoesOneChangeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &meter{value: steady(0.01, 500)}
		d := sit(t, guardedBy(m))
		before := d.bytes()
		began := time.Now()
		status := climb(t, d, control.RampOptions{To: sources.Full}).Run(t.Context())
		require.Equal(t, sources.RampArrived, status.Phase, status.Why)
		require.Equal(t, sources.Full, status.At)
		require.GreaterOrEqual(t, time.Since(began), 2*time.Minute, "a minute at 50 % and one at 100 %")
		require.Less(t, time.Since(began), 2*time.Minute+30*time.Second)
		leases, err := d.Leases(t.Context(), "prod")
		require.NoError(t, err)
		require.Empty(t, leases, "the flag is free again")
		for range 2 {
			_, err := d.undo("ana", "")
			require.NoError(t, err)
		}
		require.Equal(t, before, d.bytes())
	})
}

func TestWhatABreachLeadsToIsWhatTheContextSays(t *testing.T) {
	worse := func(at sources.Percent) sources.GuardSample {
		return steady(map[bool]float64{true: 0.3, false: 0}[at >= sources.Pct(50)], 500)(at)
	}
	for on, want := range map[sources.OnBreach]struct {
		phase sources.Phase
		brief string
	}{
		sources.BackOnBreach: {sources.RampBack, "25%"},
		sources.KillOnBreach: {sources.RampKilled, "killed"},
	} {
		t.Run(string(on), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := sit(t, guardedBy(&meter{value: worse}))
				status := climb(t, d, control.RampOptions{OnBreach: on}).Run(t.Context())
				require.Equal(t, want.phase, status.Phase)
				f := d.flag(checkout)
				require.Equal(t, want.brief, f.Brief())
				require.Contains(t, status.Why, "errors 0.3, more than the 0.02 (n 500)")
				acts, _ := d.History(0)
				require.Contains(t, acts[0].Reason, "errors 0.3, more than the 0.02 (n 500)", "the record says why")
			})
		})
	}
	t.Run("ask", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			d := sit(t, guardedBy(&meter{value: worse}))
			r := climb(t, d, control.RampOptions{})
			go func() {
				<-time.After(10 * time.Minute)
				if r.Status().Phase != sources.RampAsking {
					t.Error("it does not ask, it is ", r.Status().Phase)
				}
				r.Back()
			}()
			status := r.Run(t.Context())
			require.Equal(t, sources.RampBack, status.Phase)
			require.Equal(t, sources.Pct(25), d.flag(checkout).Rollout.V)
		})
	})
}

func TestNoStepIsTakenOnWhatIsUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &meter{err: fmt.Errorf("prom hangs: %w", sources.ErrUnavailable)}
		d := sit(t, guardedBy(m))
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		before := d.bytes()
		status := climb(t, d, control.RampOptions{}).Run(ctx)
		require.Equal(t, sources.RampStopped, status.Phase)
		require.Equal(t, before, d.bytes())
	})
}

func TestAKillByHandEndsTheRampForGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &meter{value: steady(0, 500)}
		d := sit(t, guardedBy(m))
		r := climb(t, d, control.RampOptions{})
		go func() {
			<-time.After(30 * time.Second)
			if _, err := d.Do(t.Context(), sources.Intent{Kind: sources.Kill, Flag: checkout, Actor: "ben"}); err != nil {
				t.Error(err)
			}
		}()
		status := r.Run(t.Context())
		require.Equal(t, sources.RampOvertaken, status.Phase)
		require.True(t, d.flag(checkout).Killed)
	})
}

func TestWhoeverTakesARampOverStopsTheOldRunner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := sit(t, guardedBy(&meter{value: steady(0, 500)}))
		old := climb(t, d, control.RampOptions{Owner: "ana's board"})
		ended := make(chan sources.RampStatus, 1)
		go func() { ended <- old.Run(t.Context()) }()
		synctest.Wait()
		other := sit(t, guardedBy(&meter{value: steady(0, 500)}), func(o *control.Options) {
			o.Stores[0].Driver = flagd.New("prod", d.path)
			o.Guards.Snapshot = func(ctx context.Context) (*sources.Snapshot, error) {
				set, err := d.store.Flags(ctx)
				return &sources.Snapshot{Flags: set.Flags}, err
			}
		})
		_, err := other.StartRamp(t.Context(), control.RampOptions{Flag: checkout, Actor: "ben"})
		require.ErrorIs(t, err, sources.ErrConflict)
		require.ErrorContains(t, err, "ana's board")
		leases, err := other.Leases(t.Context(), "prod")
		require.NoError(t, err)
		require.Len(t, leases, 1)
		r, err := other.StartRamp(t.Context(), control.RampOptions{Flag: checkout, Actor: "ben", Hold: time.Minute, Over: leases[0].Token})
		require.NoError(t, err)
		status := r.Run(t.Context())
		require.Equal(t, sources.RampArrived, status.Phase, status.Why)
		first := <-ended
		require.Contains(t, []sources.Phase{sources.RampLost, sources.RampOvertaken}, first.Phase)
	})
}

func TestARampWithoutAGuardIsNone(t *testing.T) {
	t.Parallel()
	d := sit(t, guardedBy(&meter{value: steady(0, 500)}))
	_, err := d.StartRamp(t.Context(), control.RampOptions{Flag: search, Actor: "ana"})
	require.ErrorIs(t, err, sources.ErrInvalid)
	require.ErrorContains(t, err, "no guard holds for search")
}
