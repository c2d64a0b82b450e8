package etcd_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"

	"relctl-tui/sources"
	"relctl-tui/sources/etcd"
	"relctl-tui/sources/sourcetest"
)

// counted counts requests by kind.
type counted struct{ gets, txns, logins atomic.Int64 }

func (n *counted) option(o *etcd.Options) {
	o.Dial = append(o.Dial, grpc.WithChainUnaryInterceptor(func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		switch req.(type) {
		case *etcdserverpb.RangeRequest:
			n.gets.Add(1)
		case *etcdserverpb.TxnRequest:
			n.txns.Add(1)
		case *etcdserverpb.AuthenticateRequest:
			n.logins.Add(1)
		}
		return invoke(ctx, method, req, reply, cc, opts...)
	}))
}

func TestAKnownFlagIsKilledInOneRoundTrip(t *testing.T) {
	t.Parallel()
	c := startCluster(t, oneBinary(t), 1)
	plain := c.plain()
	put(t, plain, "test", map[string]string{"a": split, "b": split})
	var n counted
	s := c.store(n.option)
	ch := sourcetest.Watch(t, s, "")
	until(t, ch, "the first set", has("b", "25%"))
	put(t, plain, "test", map[string]string{"a": percent(40)})
	until(t, ch, "another operator's change", has("a", "40%"))
	listed := n.gets.Load()
	for i, key := range []string{"a", "b"} {
		got, err := s.Apply(t.Context(), sources.Change{ID: fmt.Sprint(i), Flag: id(key), Kind: sources.Kill})
		require.NoError(t, err)
		require.True(t, got.New.Killed)
		until(t, ch, "the kill", has(key, "killed"))
	}
	require.EqualValues(t, 2, n.txns.Load())
	require.LessOrEqual(t, n.gets.Load()-listed, int64(1), "no flag was read before its kill; one look may be at the journal's length")
}

func TestInSteadyStateAWatchListsNothing(t *testing.T) {
	t.Parallel()
	c := startCluster(t, oneBinary(t), 1)
	plain := c.plain()
	put(t, plain, "test", map[string]string{"a": split})
	var n counted
	const silence = time.Second
	sent := time.Now()
	ch := sourcetest.Watch(t, c.store(n.option, func(o *etcd.Options) { o.Silence = silence }), "")
	until(t, ch, "the first set", has("a", "25%"))
	// steady changes something for three times as long as a silent connection would be
	// borne, and is false where the machine itself stood still for that long.
	steady := func() (calm bool) {
		calm = true
		for i := range 40 {
			began := time.Now()
			put(t, plain, "other", map[string]string{"x": split})
			put(t, plain, "test", map[string]string{"a": percent(i + 30)})
			until(t, ch, "the change", has("a", fmt.Sprint(i+30, "%")))
			calm = calm && time.Since(sent) < silence
			sent = began
			select {
			case <-time.After(75 * time.Millisecond):
			case <-t.Context().Done():
			}
		}
		return calm
	}
	for range 10 {
		listed := n.gets.Load()
		if steady() {
			require.Equal(t, listed, n.gets.Load())
			return
		}
	}
	require.Fail(t, "this machine stands still again and again")
}

func TestAChangeMadeOnOldKnowledgeIsAConflictOrStartsOver(t *testing.T) {
	t.Parallel()
	c := startCluster(t, oneBinary(t), 1)
	plain := c.plain()
	put(t, plain, "test", map[string]string{"a": split, "b": split, "c": split})
	s := c.store()
	set, err := s.Flags(t.Context())
	require.NoError(t, err)
	seen := set.Flags[0].Revision
	kill := func(key string, commits *int) sources.Change {
		return sources.Change{ID: "k-" + key, Flag: id(key), Kind: sources.Kill, Seen: seen, Commit: func(sources.Planned) error { *commits++; return nil }}
	}

	put(t, plain, "test", map[string]string{"a": split}) // written again, and the same
	commits := 0
	_, err = s.Apply(t.Context(), kill("a", &commits))
	require.NoError(t, err)
	require.Equal(t, 1, commits)

	put(t, plain, "test", map[string]string{"b": percent(60)})
	commits = 0
	_, err = s.Apply(t.Context(), kill("b", &commits))
	require.ErrorIs(t, err, sources.ErrConflict)
	require.ErrorContains(t, err, "60% now")
	got, err := plain.Get(t.Context(), "test/flags/b")
	require.NoError(t, err)
	require.Equal(t, percent(60), string(got.Kvs[0].Value))

	_, err = plain.Delete(t.Context(), "test/flags/c")
	require.NoError(t, err)
	_, err = s.Apply(t.Context(), kill("c", &commits))
	require.ErrorIs(t, err, sources.ErrNotFound)
	got, err = plain.Get(t.Context(), "test/journal/", clientv3.WithPrefix())
	require.NoError(t, err)
	require.Len(t, got.Kvs, 1, "only what was written is on record")
}

func TestTheJournalStandsWithTheFlagAndIsBounded(t *testing.T) {
	t.Parallel()
	c := startCluster(t, oneBinary(t), 1)
	plain := c.plain()
	put(t, plain, "test", map[string]string{"a": split, "team/x": switched})
	var ops []clientv3.Op
	for i := range 1200 {
		ops = append(ops, clientv3.OpPut(fmt.Sprintf("test/journal/%06d", i), fmt.Sprintf(`{"v":1,"id":"%06d","key":"a","kind":"set","unknown":{"later":1}}`, i)))
		if len(ops) == 100 {
			_, err := plain.Txn(t.Context()).Then(ops...).Commit()
			require.NoError(t, err)
			ops = nil
		}
	}
	_, err := plain.Put(t.Context(), "test/journal/odd", "no JSON")
	require.NoError(t, err)
	s := c.store(func(o *etcd.Options) {
		o.Now = func() time.Time { return time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC) }
	})
	got, err := s.Apply(t.Context(), sources.Change{ID: "zz-1", Flag: id("team/x"), Kind: sources.Set, To: sources.Pct(50), Actor: "a\x1bna", Reason: "why <not>"})
	require.NoError(t, err)
	undo := sources.Change{ID: "zz-2", Flag: id("team/x"), Kind: sources.Undo, Seen: got.New.Revision, Restore: got.Restore, Undoes: "zz-1", Actor: "ben"}
	_, err = s.Apply(t.Context(), undo)
	require.NoError(t, err)

	history, err := s.History(t.Context(), 2)
	require.NoError(t, err)
	require.Len(t, history, 2)
	require.Equal(t, "zz-2", history[0].ID)
	require.Equal(t, "zz-1", history[0].Undoes)
	first := history[1]
	require.Equal(t, sources.Recorded{
		Activity: sources.Activity{
			ID: "zz-1", At: time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC), Kind: "set", Flag: id("team/x"), Name: "team/x",
			Actor: "a∙na", Reason: "why <not>", Old: "0%", New: "50%", Outcome: sources.Confirmed, Revision: got.New.Revision,
		},
		OldRevision: got.Old.Revision, Restore: []byte(switched),
	}, first)
	flag, err := plain.Get(t.Context(), "test/flags/team/x")
	require.NoError(t, err)
	entry, err := plain.Get(t.Context(), "test/journal/zz-2")
	require.NoError(t, err)
	require.Equal(t, flag.Kvs[0].ModRevision, entry.Kvs[0].ModRevision, "both in one transaction")
	require.True(t, json.Valid(entry.Kvs[0].Value))

	require.Eventually(t, func() bool {
		n, err := plain.Get(t.Context(), "test/journal/", clientv3.WithPrefix(), clientv3.WithCountOnly())
		return err == nil && n.Count <= 1064
	}, patience, 20*time.Millisecond, "the oldest are deleted")
	all, err := s.History(t.Context(), 5000)
	require.NoError(t, err)
	require.LessOrEqual(t, len(all), 1000)
	require.Equal(t, "zz-2", all[0].ID)
	require.Equal(t, "001199", all[2].ID, "newest first, and what does not read is left out")
}

// TestValuesThatAreNoDefinitions: whatever stands in a key is a row, and spoils no
// other.
func TestValuesThatAreNoDefinitions(t *testing.T) {
	t.Parallel()
	c := startCluster(t, oneBinary(t), 1)
	plain := c.plain()
	odd := map[string]string{
		"empty":      "",
		"escape":     "\x1b[2J\x07",
		"number":     "7",
		"two":        `{"state":"ENABLED","variants":{"on":true},"defaultVariant":"on"}, "good": {}`,
		"twice":      split + "\n" + split,
		"closes":     split + `}, "x": {"y": ` + split,
		"half":       split[:40],
		"list":       "[" + split + "]",
		"\xff\xfe":   split,
		"bad\x00key": split,
		`quote"\`:    split,
		"<&>":        split,
		"héé":        split + "\n\n",
	}
	put(t, plain, "test", odd)
	put(t, plain, "test", map[string]string{"good": split, "": split})
	put(t, plain, "test/flags2", map[string]string{"other": split})
	s := c.store()
	set, err := s.Flags(t.Context())
	require.NoError(t, err)
	require.Len(t, set.Flags, len(odd)+1)
	require.Equal(t, []string{"there is a flag with an empty key, which is left out"}, set.Warnings)
	good := map[string]bool{"good": true, "bad\x00key": true, `quote"\`: true, "<&>": true, "héé": true}
	for _, f := range set.Flags {
		one, err := s.Flag(t.Context(), f.ID)
		require.NoError(t, err)
		require.Equal(t, f, one)
		require.Equal(t, sources.Clean(f.ID.Key, 200), f.Name)
		kill := sources.Change{ID: "1", Flag: f.ID, Kind: sources.Kill}
		if good[f.ID.Key] {
			require.Equal(t, sources.Some(sources.Pct(25)), f.Rollout, f.Name)
			got, err := s.Apply(t.Context(), kill)
			require.NoError(t, err)
			_, err = s.Apply(t.Context(), sources.Change{ID: "2", Flag: f.ID, Kind: sources.Undo, Seen: got.New.Revision, Restore: got.Restore})
			require.NoError(t, err)
		} else {
			require.Equal(t, sources.FlagBroken, f.State, f.Name)
			require.NotEmpty(t, f.Note)
			require.NotContains(t, f.Note, "\x1b")
			_, err := s.Apply(t.Context(), kill)
			require.ErrorIs(t, err, sources.ErrInvalid, f.Name)
		}
	}
	for key, value := range odd {
		got, err := plain.Get(t.Context(), "test/flags/"+key)
		require.NoError(t, err)
		require.Equal(t, value, string(got.Kvs[0].Value), "%q is as it was", key)
	}
}

func TestTwoBoardsOnOneFlagLoseNothing(t *testing.T) {
	t.Parallel()
	c := startCluster(t, oneBinary(t), 1)
	plain := c.plain()
	put(t, plain, "test", map[string]string{"a": percent(0)})
	var won atomic.Int64
	var wg sync.WaitGroup
	for board := range 4 {
		s := c.store()
		wg.Go(func() {
			for n := range 25 {
				now, err := s.Flag(t.Context(), id("a"))
				if err != nil {
					t.Error(err)
					return
				}
				_, err = s.Apply(t.Context(), sources.Change{
					ID: fmt.Sprint(board, "-", n), Flag: id("a"), Kind: sources.Set, Seen: now.Revision,
					To: now.Rollout.V + 1, // each success is one thousandth of a percent
				})
				if err == nil {
					won.Add(1)
				}
			}
		})
	}
	wg.Wait()
	got, err := c.store().Flag(t.Context(), id("a"))
	require.NoError(t, err)
	require.EqualValues(t, won.Load(), got.Rollout.V)
	require.Positive(t, won.Load())
}
