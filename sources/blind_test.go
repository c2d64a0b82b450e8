package sources_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
)

func TestTheNumbersBehindARampAreThoseOfItsStoreAndItsLatency(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 14, 3, 0, 0, 0, time.UTC)
	old := sources.SourceStatus{Name: "east", Metrics: true, Health: sources.Stale, LastOK: now.Add(-34 * time.Second)}
	fresh := sources.SourceStatus{Name: "west", Metrics: true, Health: sources.Fresh, LastOK: now}
	store := sources.SourceStatus{Name: "prod", Flags: true, Health: sources.Fresh, LastOK: now}
	board := func(list ...sources.SourceStatus) *sources.Snapshot {
		return &sources.Snapshot{Sources: list, Latencies: []sources.Latency{{Source: "east", Name: "payment"}, {Source: "west", Name: "search"}}}
	}
	flag := func(metric string) *sources.Flag {
		return &sources.Flag{ID: sources.FlagID{Source: "prod", Key: "f"}, Metric: metric}
	}
	require.Empty(t, board(store).Blind(flag(""), now), "nothing measures, so nothing is old")
	require.Empty(t, board(store, fresh, old).Blind(flag("search"), now))
	require.Equal(t, "east is 34s old", board(store, fresh, old).Blind(flag("payment"), now))
	require.Equal(t, "ghost is not measured", board(store, fresh).Blind(flag("ghost"), now))
	require.Empty(t, board(store, old, fresh).Blind(flag(""), now), "one that measures is enough where none is named")
	require.Equal(t, "east is 34s old", board(store, old).Blind(flag(""), now))
	never := old
	never.LastOK, never.Health = time.Time{}, sources.Unknown
	require.Equal(t, "east was never read", board(store, never).Blind(flag(""), now))
	store.Health, store.LastOK = sources.Stale, now.Add(-time.Minute)
	require.Equal(t, "prod is 1m0s old", board(store, fresh).Blind(flag(""), now))
	standby := never
	standby.Role = sources.StandsBy
	store.Health = sources.Fresh
	require.Empty(t, board(store, standby).Blind(flag(""), now))
}

func TestASourceOfBreakersThatCanBeSwitchedIsNoEyeOnLatency(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	f := sources.Flag{ID: sources.FlagID{Source: "prod", Key: "a"}}
	s := &sources.Snapshot{Sources: []sources.SourceStatus{
		{Name: "prod", Flags: true, Health: sources.Fresh, LastOK: now},
		{Name: "lb", Metrics: true, Switches: true, Health: sources.Fresh, LastOK: now},
		{Name: "prom", Metrics: true, Health: sources.Stale, LastOK: now.Add(-time.Minute)},
	}}
	require.Equal(t, "prom is 1m0s old", s.Blind(&f, now))
}
