package etcd_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	clientv3 "go.etcd.io/etcd/client/v3"

	"relctl-tui/sources"
)

func median(d []time.Duration) float64 {
	slices.Sort(d)
	return d[len(d)/2].Seconds()
}

func p95(d []time.Duration) float64 {
	slices.Sort(d)
	return d[len(d)*95/100].Seconds()
}

// BenchmarkKill is a kill of one of 24 flags by a driver that watches, until the
// cluster has accepted it, beside the least that a client can do: the same
// comparison and the same write of the value, once without and once with the entry
// of a journal. Each goes first in turn.
func BenchmarkKill(b *testing.B) {
	c := startCluster(b, oneBinary(b), 1)
	plain := c.plain()
	for i := range 24 {
		put(b, plain, "test", map[string]string{fmt.Sprint("flag-", i): split})
		put(b, plain, "bare", map[string]string{fmt.Sprint("flag-", i): split})
	}
	s := c.store()
	ctx, cancel := context.WithCancel(context.Background())
	ch, err := s.Watch(ctx, "")
	require.NoError(b, err)
	<-ch
	go func() {
		for range ch {
		}
	}()
	defer cancel()
	killed := "{\"state\": \"DISABLED" + split[len(`{"state": "ENABLED`):]
	bare := func(key string, journal bool) {
		got, err := plain.Get(ctx, key)
		require.NoError(b, err)
		start := time.Now()
		ops := []clientv3.Op{clientv3.OpPut(key, killed)}
		if journal {
			ops = append(ops, clientv3.OpPut("bare/journal/x", split+split))
		}
		r, err := plain.Txn(ctx).If(clientv3.Compare(clientv3.ModRevision(key), "=", got.Kvs[0].ModRevision)).Then(ops...).Commit()
		took[journal] = append(took[journal], time.Since(start))
		require.NoError(b, err)
		require.True(b, r.Succeeded)
	}
	took = map[bool][]time.Duration{}
	var ours []time.Duration
	for turn := 0; b.Loop(); turn++ {
		key := fmt.Sprint("flag-", turn%24)
		put(b, plain, "test", map[string]string{key: split})
		known(b, s, key)
		for i := range 3 {
			switch (turn + i) % 3 {
			case 0:
				start := time.Now()
				r, err := s.Apply(ctx, sources.Change{ID: fmt.Sprintf("%09d", turn), Flag: id(key), Kind: sources.Kill, Actor: "ana", Reason: "errors"})
				ours = append(ours, time.Since(start))
				require.NoError(b, err)
				require.True(b, r.New.Killed)
			case 1:
				bare("bare/flags/"+key, false)
			default:
				bare("bare/flags/"+key, true)
			}
		}
	}
	b.ReportMetric(median(ours)*1000, "kill-ms")
	b.ReportMetric(median(took[false])*1000, "bare-ms")
	b.ReportMetric(median(took[true])*1000, "bare+journal-ms")
	b.ReportMetric(median(ours)/median(took[false]), "x-bare")
	b.ReportMetric(median(ours)/median(took[true]), "x-bare+journal")
	b.ReportMetric(0, "ns/op")
}

var took map[bool][]time.Duration

// known waits until the driver has heard of the flag's last value, as it has of
// one that nobody changed in the last few milliseconds.
func known(b *testing.B, s sources.FlagGetter, key string) {
	b.Helper()
	_, err := s.Flag(context.Background(), id(key))
	require.NoError(b, err)
}

// BenchmarkWatch is how long after another operator's write a watching driver has
// the whole new set of 10,000 flags, beside a bare watcher that only gets the key.
func BenchmarkWatch(b *testing.B) {
	const flags = 10_000
	c := startCluster(b, oneBinary(b), 1)
	plain := c.plain()
	fill(b, plain, flags)
	s := c.store()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ch, err := s.Watch(ctx, "")
	require.NoError(b, err)
	require.Len(b, (<-ch).Set.Flags, flags)
	watcher := c.plain().Watch(ctx, "test/flags/", clientv3.WithPrefix())
	var ours, bare []time.Duration
	for turn := 0; b.Loop(); turn++ {
		pause(60 * time.Millisecond) // longer than sets are paced, as between two people
		theirs := make(chan time.Time, 1)
		go func() { <-watcher; theirs <- time.Now() }()
		start := time.Now()
		_, err := plain.Put(ctx, fmt.Sprintf("test/flags/flag-%05d", turn%flags), percent(turn%50+50))
		require.NoError(b, err)
		<-ch
		ours = append(ours, time.Since(start))
		bare = append(bare, (<-theirs).Sub(start))
	}
	b.ReportMetric(median(ours)*1000, "watch-ms")
	b.ReportMetric(median(bare)*1000, "bare-ms")
	b.ReportMetric(p95(ours)*1000, "watch-p95-ms")
	b.ReportMetric(p95(bare)*1000, "bare-p95-ms")
	b.ReportMetric(median(ours)/median(bare), "x-bare")
	b.ReportMetric(0, "ns/op")
}

func pause(d time.Duration) {
	<-time.After(d)
}

// fill puts flags as a team has them: a definition of some 400 bytes.
func fill(b *testing.B, cli *clientv3.Client, n int) {
	b.Helper()
	var ops []clientv3.Op
	for i := range n {
		ops = append(ops, clientv3.OpPut(fmt.Sprintf("test/flags/flag-%05d", i), fmt.Sprintf(`{
  "state": "ENABLED",
  "variants": {"on": true, "off": false},
  "defaultVariant": "off",
  "targeting": {
    "fractional": [
      ["on", %d],
      ["off", %d]
    ]
  },
  "metadata": {"owner": "team %d", "description": "What this flag is for, in a sentence or two that somebody wrote."}
}`, i%100, 100-i%100, i%40)))
		if len(ops) == 100 || i == n-1 {
			_, err := cli.Txn(context.Background()).Then(ops...).Commit()
			require.NoError(b, err)
			ops = nil
		}
	}
}

// BenchmarkList is the first complete table of 10,000 flags, interpreted and
// sorted, beside the bare read of the same keys in one answer.
func BenchmarkList(b *testing.B) {
	const flags = 10_000
	c := startCluster(b, oneBinary(b), 1)
	plain := c.plain()
	fill(b, plain, flags)
	s := c.store()
	var ours, bare []time.Duration
	for turn := 0; b.Loop(); turn++ {
		for i := range 2 {
			start := time.Now()
			if (turn+i)%2 == 0 {
				set, err := s.Flags(context.Background())
				ours = append(ours, time.Since(start))
				require.NoError(b, err)
				require.Len(b, set.Flags, flags)
				continue
			}
			got, err := plain.Get(context.Background(), "test/flags/", clientv3.WithPrefix())
			bare = append(bare, time.Since(start))
			require.NoError(b, err)
			require.Len(b, got.Kvs, flags)
		}
	}
	b.ReportMetric(median(ours)*1000, "list-ms")
	b.ReportMetric(median(bare)*1000, "bare-ms")
	b.ReportMetric(median(ours)/median(bare), "x-bare")
	b.ReportMetric(0, "ns/op")
}
