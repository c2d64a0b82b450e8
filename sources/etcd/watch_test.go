package etcd_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	clientv3 "go.etcd.io/etcd/client/v3"

	"relctl-tui/sources"
	"relctl-tui/sources/etcd"
	"relctl-tui/sources/sourcetest"
)

// until reads events up to the first that is wanted, and returns how many sets came.
func until(t *testing.T, ch <-chan sources.FlagEvent, what string, wanted func(sources.FlagEvent) bool) (sources.FlagEvent, int) {
	t.Helper()
	deadline, sets := time.After(patience), 0
	for {
		select {
		case e, ok := <-ch:
			require.True(t, ok, "the watch goes on")
			if e.Set != nil {
				sets++
			}
			if wanted(e) {
				return e, sets
			}
		case <-deadline:
			require.FailNow(t, "no event came: "+what)
		}
	}
}

func has(key string, brief string) func(sources.FlagEvent) bool {
	return func(e sources.FlagEvent) bool {
		if e.Set == nil {
			return false
		}
		for i := range e.Set.Flags {
			if e.Set.Flags[i].ID.Key == key {
				return e.Set.Flags[i].Brief() == brief
			}
		}
		return brief == "absent"
	}
}

func failure(e sources.FlagEvent) bool { return e.Err != nil }

func percent(n int) string {
	return fmt.Sprintf(`{"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off", "targeting": {"fractional": [["on", %d], ["off", %d]]}}`, n, 100-n)
}

func TestAWatchFollowsWhatEtcdctlDoes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, binary string) {
		c := startCluster(t, binary, 1)
		plain, s := c.plain(), c.store()
		put(t, plain, "test", map[string]string{"b": split})
		ch := sourcetest.Watch(t, s, "")
		until(t, ch, "the first set", has("b", "25%"))
		put(t, plain, "test", map[string]string{"a": percent(10), "c": percent(30)})
		until(t, ch, "a new flag", has("c", "30%"))
		put(t, plain, "test", map[string]string{"b": percent(40)})
		e, _ := until(t, ch, "a changed flag", has("b", "40%"))
		require.Len(t, e.Set.Flags, 3)
		_, err := plain.Delete(t.Context(), "test/flags/a")
		require.NoError(t, err)
		until(t, ch, "a flag that is gone", has("a", "absent"))
		put(t, plain, "test", map[string]string{"c": "no JSON"})
		until(t, ch, "a broken flag", has("c", "broken"))
		_, err = plain.Put(t.Context(), "test/document", `{"metadata": {"team": "a"}}`)
		require.NoError(t, err)
		put(t, plain, "test", map[string]string{"c": percent(1)})
		e, _ = until(t, ch, "a mended flag", has("c", "1%"))
		listed, err := s.Flags(t.Context())
		require.NoError(t, err)
		require.Equal(t, listed.Revision, e.Set.Revision, "what was followed is what a list finds")
		require.Equal(t, listed.Flags, e.Set.Flags)
	})
}

func TestAWatchGoesOnBehindACompaction(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, binary string) {
		c := startCluster(t, binary, 1)
		plain := c.plain()
		put(t, plain, "test", map[string]string{"a": split})
		ch := sourcetest.Watch(t, c.store(func(o *etcd.Options) { o.Silence = 600 * time.Millisecond }), "")
		until(t, ch, "the first set", has("a", "25%"))
		c.members[0].kill()
		until(t, ch, "the failure", failure)
		c.members[0].start()
		c.ready()
		for n := range 20 { // unseen by the watch, and gone when it comes back
			put(t, plain, "test", map[string]string{fmt.Sprint("new-", n): split})
			put(t, plain, "test", map[string]string{"a": percent(n + 30)}) // the last of all: a watch that is back already has the others then
		}
		got, err := plain.Get(t.Context(), "test/flags/a")
		require.NoError(t, err)
		_, err = plain.Compact(t.Context(), got.Header.Revision, clientv3.WithCompactPhysical())
		require.NoError(t, err)
		e, _ := until(t, ch, "the set after it", has("a", "49%"))
		require.Len(t, e.Set.Flags, 21)
		put(t, plain, "test", map[string]string{"a": percent(50)})
		until(t, ch, "the next change", has("a", "50%"))
	})
}

func TestALostConnectionIsSaidAndHeals(t *testing.T) {
	t.Parallel()
	binary := oneBinary(t)
	c := startCluster(t, binary, 1)
	plain := c.plain()
	put(t, plain, "test", map[string]string{"a": split})
	ch := sourcetest.Watch(t, c.store(), "")
	until(t, ch, "the first set", has("a", "25%"))
	began := time.Now()
	c.members[0].pause() // the connection stays, nobody answers
	e, _ := until(t, ch, "the failure", failure)
	require.ErrorIs(t, e.Err, sources.ErrUnavailable)
	t.Logf("said after %s: %v", time.Since(began).Round(time.Millisecond), e.Err)
	c.members[0].resume()
	until(t, ch, "the set after it, though nothing changed", has("a", "25%"))
	put(t, plain, "test", map[string]string{"a": percent(5)})
	until(t, ch, "the next change", has("a", "5%"))
}

func TestAWatchSurvivesTheLossOfTheLeader(t *testing.T) {
	t.Parallel()
	binary := oneBinary(t)
	c := startCluster(t, binary, 3)
	plain := c.plain()
	put(t, plain, "test", map[string]string{"a": split})
	ch := sourcetest.Watch(t, c.store(), "")
	until(t, ch, "the first set", has("a", "25%"))
	c.leader().kill()
	c.leader()
	put(t, plain, "test", map[string]string{"a": percent(5)})
	until(t, ch, "the change after it", has("a", "5%"))
}

func TestABurstOfChangesIsAFewSets(t *testing.T) {
	t.Parallel()
	c := startCluster(t, oneBinary(t), 1)
	plain := c.plain()
	put(t, plain, "test", map[string]string{"a": split})
	ch := sourcetest.Watch(t, c.store(), "")
	until(t, ch, "the first set", has("a", "25%"))
	began := time.Now()
	go func() {
		for n := range 1000 {
			_, _ = plain.Put(context.Background(), fmt.Sprint("test/flags/burst-", n%50), percent(n%100))
		}
		_, _ = plain.Put(context.Background(), "test/flags/a", percent(99))
	}()
	e, sets := until(t, ch, "the last of the burst", has("a", "99%"))
	most := int(time.Since(began)/(50*time.Millisecond)) + 2
	require.LessOrEqual(t, sets, most)
	require.Len(t, e.Set.Flags, 51)
	t.Logf("1,001 changes in %d sets", sets)
}
