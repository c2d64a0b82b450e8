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

// chronicle is a source of one breaker that has a past on record.
type chronicle struct {
	*fuse
	name string
	tell func() []sources.Event
}

func (c chronicle) Past(ctx context.Context, _ time.Duration) ([]sources.Event, error) {
	switch c.name {
	case "panics":
		panic("boom")
	case "hangs":
		<-ctx.Done()
		return nil, fmt.Errorf("hangs did not answer: %w", sources.ErrUnavailable)
	case "mute":
		return nil, fmt.Errorf("no past: %w", sources.ErrUnsupported)
	}
	return c.tell(), nil
}

func TestThePastIsWhatSourcesHaveOnRecordUntilTheBreakersWereSeenFromHere(t *testing.T) {
	t.Parallel()
	brk := &fuse{b: breakerOf("prom", sources.BreakerClosed)}
	var began time.Time
	of := func(name string, tell func() []sources.Event) chronicle {
		return chronicle{&fuse{b: breakerOf(name, sources.BreakerClosed)}, name, tell}
	}
	prom := chronicle{brk, "prom", func() []sources.Event {
		turn := func(at time.Time) sources.Event {
			return sources.BreakerEvent("payments", sources.BreakerTurn{At: at, Was: sources.BreakerClosed, Is: sources.BreakerOpen})
		}
		return []sources.Event{
			turn(began.Add(-10 * time.Minute)), turn(began.Add(45 * time.Second)),
			{Lane: sources.LaneAlerts, At: began.Add(50 * time.Second), Name: "PayBurns", Lasting: true},
		}
	}}
	run(t, live.Options{Sources: []live.Source{
		src("prom", prom), src("panics", of("panics", nil)), src("hangs", of("hangs", nil)), src("mute", of("mute", nil)),
	}}, func(t *testing.T, e *live.Engine) {
		began = time.Now()
		pass(20 * time.Second)
		brk.set(breakerOf("prom", sources.BreakerOpen), nil)
		pass(20 * time.Second)
		brk.set(breakerOf("prom", sources.BreakerHalfOpen), nil)
		pass(20 * time.Second)
		got, missing := e.Past(t.Context(), time.Hour)
		require.Len(t, missing, 2, "%v", missing)
		require.Contains(t, missing[0]+missing[1], "the driver of panics failed")
		require.Contains(t, missing[0]+missing[1], "hangs did not answer")
		var said []string
		for i := range got {
			said = append(said, got[i].Name+" "+got[i].Text)
			if i > 0 {
				require.False(t, got[i].At.Before(got[i-1].At), "oldest first")
			}
		}
		require.Equal(t, []string{"payments closed to open", "payments closed to open", "payments open to half-open", "PayBurns "}, said,
			"what the record says of the time since is seen better from here")
		require.Equal(t, got[2].At, got[1].Until)
		require.True(t, got[1].Bad)
		require.True(t, got[2].Lasting)
	})
}
