package control_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/sources/flagd"
	"relctl-tui/sources/flagfile"
	"relctl-tui/sources/live"
)

// TestTheBoardNamesWhoeverChangedAFlag puts it all together over one real file:
// our own change, another operator's with the same journal, and an editor's.
func TestTheBoardNamesWhoeverChangedAFlag(t *testing.T) {
	t.Parallel()
	var e *live.Engine
	d := sit(t, func(o *control.Options) { o.Observe = func(a sources.Activity) { e.Observe(a) } })
	e = live.New(live.Options{
		Sources: []live.Source{{Name: "prod", Kind: "flagd", Driver: flagd.New("prod", d.path, flagfile.WithPollInterval(20*time.Millisecond)), Writable: true}},
		History: func() []sources.Activity { acts, _ := d.History(50); return acts },
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	defer func() { cancel(); require.NoError(t, <-done) }()
	until := func(ok func(*sources.Snapshot) bool) *sources.Snapshot {
		t.Helper()
		wait, stop := context.WithTimeout(t.Context(), 20*time.Second)
		defer stop()
		for seq := uint64(0); ; {
			s, err := e.Next(wait, seq)
			require.NoError(t, err)
			if seq = s.Seq; ok(s) {
				return s
			}
		}
	}
	s := until(func(s *sources.Snapshot) bool { return len(s.Flags) == 3 })
	require.True(t, s.Source("prod").Writable)

	_, err := d.set(checkout, 50, "ana")
	require.NoError(t, err)
	s = until(func(s *sources.Snapshot) bool { return s.Flag(checkout).ChangedBy == "ana" })
	require.Equal(t, "50%", s.Flag(checkout).Brief())
	require.Len(t, s.Activity, 1)

	ben := control.New(control.Options{Stores: []control.Store{{Name: "prod", Driver: flagd.New("prod", d.path), Journal: d.j}}})
	_, err = ben.Do(t.Context(), sources.Intent{Kind: sources.Kill, Flag: search, Actor: "ben"})
	require.NoError(t, err)
	s = until(func(s *sources.Snapshot) bool { return s.Flag(search).ChangedBy == "ben" })
	require.True(t, s.Flag(search).Killed)
	require.Len(t, s.Activity, 2)
	require.Equal(t, sources.Confirmed, s.Activity[0].Outcome)

	_, err = d.store.Apply(t.Context(), sources.Change{ID: "x", Kind: sources.Kill, Flag: vip}) // no journal: as an editor would
	require.NoError(t, err)
	s = until(func(s *sources.Snapshot) bool { return s.Flag(vip).Killed && len(s.Activity) == 3 })
	require.Equal(t, sources.Seen, s.Activity[0].Outcome)
	require.Empty(t, s.Activity[0].Actor)
}
