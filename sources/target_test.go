package sources_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
)

func TestTheTargetOverTimeIsWhatTheChangesSay(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	id := sources.FlagID{Source: "prod", Key: "f"}
	f := sources.Flag{ID: id, Killed: true}
	change := func(minute int, old, is string, o sources.Outcome) *sources.Activity {
		return &sources.Activity{At: start.Add(time.Duration(minute) * time.Minute), Flag: id, Old: old, New: is, Outcome: o}
	}
	other := change(1, "1%", "99%", sources.Confirmed)
	other.Flag.Key = "g"
	read := func(changes ...*sources.Activity) (out []float64) {
		for _, v := range sources.Targets(&f, changes, start, time.Minute, 7) {
			out = append(out, v.Or(-1))
		}
		return out
	}
	require.Equal(t, []float64{.1, .1, .255, .255, 0, 0, 0}, read(
		change(4, "25.5%", "killed", sources.Seen), change(2, "10%", "25.5%", sources.Confirmed),
		change(3, "25.5%", "50%", sources.Failed), change(3, "25.5%", "50%", sources.Scheduled), other,
	), "in any order, and what never happened does not count")
	require.Equal(t, []float64{0, 0, 0, 0, 0, 0, 0}, read(), "what nobody has changed is as it is")
	f.Killed, f.Rollout = false, sources.Some(sources.Percent(5000))
	require.Equal(t, []float64{-1, -1, -1, .05, .05, .05, .05}, read(change(3, "3-way split", "5%", sources.Confirmed)))
	require.Equal(t, []float64{.01, .02, -1, -1, -1, -1, .05}, read(change(1, "1%", "2%", sources.Confirmed)), "somebody changed it since, and nobody knows when")
	f.ChangedAt = start.Add(4 * time.Minute)
	require.Equal(t, []float64{.01, .02, .02, .02, .05, .05, .05}, read(change(1, "1%", "2%", sources.Confirmed)))
}
