package etcd_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/etcd"
)

// TestNoRampIsLostOrAppliedTwiceWhenTheLeaderIsKilled kills the leading member
// twice while four operators make 200 ramps. The cluster itself counts the writes
// of each flag.
func TestNoRampIsLostOrAppliedTwiceWhenTheLeaderIsKilled(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, binary string) {
		c := startCluster(t, binary, 3)
		plain := c.plain()
		const operators, each = 4, 50
		for i := range operators {
			put(t, plain, "test", map[string]string{fmt.Sprint("flag-", i): split})
		}
		var done, asked atomic.Int64
		halfway, later := make(chan struct{}), make(chan struct{})
		var wg sync.WaitGroup
		for i := range operators {
			wg.Go(func() {
				s := c.store()
				seen := sources.Revision("")
				for n := range each {
					seen = surely(t, s, sources.Change{
						ID: fmt.Sprintf("ramp-%d-%02d", i, n), Flag: id(fmt.Sprint("flag-", i)), Kind: sources.Set,
						To: sources.Pct(n + 1), Seen: seen, Actor: fmt.Sprint("operator ", i),
					}, &asked)
					switch done.Add(1) {
					case operators * each / 4:
						close(halfway)
					case operators * each / 2:
						close(later)
					}
				}
			})
		}
		<-halfway
		first := c.leader()
		first.kill()
		<-later
		first.start()
		c.leader().kill()
		wg.Wait()
		for i := range operators {
			got, err := plain.Get(t.Context(), fmt.Sprint("test/flags/flag-", i))
			require.NoError(t, err)
			require.EqualValues(t, 1+each, got.Kvs[0].Version, "each ramp was written once")
		}
		history, err := c.store().History(t.Context(), 1000)
		require.NoError(t, err)
		ids := map[string]bool{}
		for _, r := range history {
			require.False(t, ids[r.ID], "%s is on record twice", r.ID)
			ids[r.ID] = true
		}
		require.Len(t, ids, operators*each)
		t.Logf("%d ramps, %d of them asked about because their answer was lost", operators*each, asked.Load())
	})
}

// surely makes a change as control does: when its answer was lost the flag is read,
// and the change repeated only when the flag is as it was.
func surely(t *testing.T, s *etcd.Store, c sources.Change, asked *atomic.Int64) sources.Revision {
	var planned sources.Planned
	c.Commit = func(p sources.Planned) error { planned = p; return nil }
	for {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		got, err := s.Apply(ctx, c)
		if err == nil {
			cancel()
			return got.New.Revision
		}
		if !errors.Is(err, sources.ErrUnavailable) {
			cancel()
			t.Errorf("%s: %v", c.ID, err)
			return ""
		}
		asked.Add(1)
		var now sources.Flag
		for now, err = s.Flag(ctx, c.Flag); err != nil && ctx.Err() == nil; now, err = s.Flag(ctx, c.Flag) {
		}
		cancel()
		if err == nil && now.Revision == planned.New.Revision {
			return now.Revision
		}
	}
}
