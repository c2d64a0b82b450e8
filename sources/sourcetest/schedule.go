package sourcetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
)

// schedulers is a store of which two operators have a handle each, maybe the same.
func (s suite) schedulers(t *testing.T) (f Fixture, first, second sources.Scheduler) {
	t.Helper()
	f = s.open(t)
	first, ok := f.Store.(sources.Scheduler)
	require.True(t, ok)
	second = first
	if f.Second != nil {
		second, ok = f.Second.(sources.Scheduler)
		require.True(t, ok)
	}
	return f, first, second
}

func scheduleOf(f *Fixture, id string) sources.Schedule {
	at := time.Date(2026, 12, 4, 9, 0, 0, 0, time.UTC)
	return sources.Schedule{
		ID: id, Version: 1, Flag: f.Split, Kind: sources.Set, To: sources.Pct(50), At: at, Expires: at.Add(time.Hour),
		Zone: "Europe/Berlin", Actor: "ana\x1b[2J", Reason: "release", Made: at.Add(-time.Hour), State: sources.ScheduleWaiting,
	}
}

// schedules is the part of the suite for stores that keep schedules.
func (s suite) schedules(t *testing.T) {
	t.Run("keeps a schedule for everybody, and lets the first writer of a version win", func(t *testing.T) {
		t.Parallel()
		f, first, second := s.schedulers(t)
		one := scheduleOf(&f, "1")
		require.NoError(t, first.KeepSchedule(t.Context(), one))
		other := one
		other.To = sources.Pct(60)
		require.ErrorIs(t, second.KeepSchedule(t.Context(), other), sources.ErrConflict, "another is there already")
		all, err := second.Schedules(t.Context())
		require.NoError(t, err)
		require.Equal(t, []sources.Schedule{one}, all)
		var wg sync.WaitGroup
		won := make(chan string, 8)
		for i := range 8 {
			k := []sources.Scheduler{first, second}[i%2]
			wg.Go(func() {
				claim := all[0]
				claim.Version, claim.State, claim.Claim = 2, sources.ScheduleRunning, fmt.Sprint("token ", i)
				if err := k.KeepSchedule(t.Context(), claim); err == nil {
					won <- claim.Claim
				}
			})
		}
		wg.Wait()
		close(won)
		require.Len(t, won, 1, "exactly one claims it")
		all, err = first.Schedules(t.Context())
		require.NoError(t, err)
		require.Equal(t, <-won, all[0].Claim)
	})
	t.Run("drops exactly the version that was seen", func(t *testing.T) {
		t.Parallel()
		f, first, second := s.schedulers(t)
		one, two := scheduleOf(&f, "1"), scheduleOf(&f, "2")
		require.NoError(t, first.KeepSchedule(t.Context(), one))
		require.NoError(t, first.KeepSchedule(t.Context(), two))
		next := one
		next.Version = 2
		require.NoError(t, second.KeepSchedule(t.Context(), next))
		require.NoError(t, first.DropSchedule(t.Context(), one), "which is another by now")
		require.NoError(t, first.DropSchedule(t.Context(), two))
		require.NoError(t, first.DropSchedule(t.Context(), two), "and a second time")
		all, err := second.Schedules(t.Context())
		require.NoError(t, err)
		require.Len(t, all, 1)
		require.Equal(t, 2, all[0].Version)
		require.ErrorIs(t, first.KeepSchedule(t.Context(), func() sources.Schedule { two.Version = 2; return two }()), sources.ErrConflict, "what was dropped does not come back")
	})
}
