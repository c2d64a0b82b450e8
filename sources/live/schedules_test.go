package live_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/live"
)

func TestWhatIsScheduledIsUpcomingAndABadEndIsTold(t *testing.T) {
	t.Parallel()
	w := &written{}
	a := flag("a", 25, "1")
	w.set.Store(&sources.FlagSet{Revision: "1", Flags: []sources.Flag{a}})
	run(t, live.Options{Sources: []live.Source{src(a.ID.Source, w)}}, func(t *testing.T, e *live.Engine) {
		now := time.Now()
		one := sources.Schedule{ID: "1", Version: 1, Flag: a.ID, Kind: sources.Set, To: sources.Pct(50), At: now.Add(time.Hour), Actor: "ana\x1b[2J", State: sources.ScheduleWaiting}
		e.ObserveSchedules(a.ID.Source, []sources.Schedule{one}, nil)
		pass(time.Second)
		require.Len(t, e.Snapshot().Upcoming, 1)
		up := e.Snapshot().Upcoming[0]
		require.Equal(t, "50%", up.New)
		require.NotContains(t, up.Actor, "\x1b")
		require.Equal(t, "50%", e.Snapshot().Flag(a.ID).Upcoming[0].What)
		e.ObserveSchedules(a.ID.Source, nil, fmt.Errorf("prod: its schedules make no sense: %w", sources.ErrInvalid))
		pass(time.Second)
		require.Len(t, e.Snapshot().Upcoming, 1, "what was read last stays")
		source := e.Snapshot().Source(a.ID.Source)
		require.Contains(t, source.Warnings, "prod: its schedules make no sense")
		one.Version, one.State, one.Change, one.Why, one.Ended = 2, sources.ScheduleMissed, "change", "nobody ran it", now
		for range 2 {
			e.ObserveSchedules(a.ID.Source, []sources.Schedule{one}, nil)
			pass(time.Second)
		}
		require.Empty(t, e.Snapshot().Upcoming)
		require.Empty(t, e.Snapshot().Source(a.ID.Source).Warnings)
		require.Len(t, e.Snapshot().Activity, 1)
		require.Equal(t, sources.Failed, e.Snapshot().Activity[0].Outcome)
		require.Equal(t, "nobody ran it", e.Snapshot().Activity[0].Err)
	})
}
