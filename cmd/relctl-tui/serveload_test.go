package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/etcd"
	"relctl-tui/sources/flagsync"
)

// counters are the sums of a server's metrics by name.
func counters(t *testing.T, url string) map[string]float64 {
	t.Helper()
	resp, err := http.Get(url)
	require.NoError(t, err)
	defer resp.Body.Close()
	all := map[string]float64{}
	sc := bufio.NewScanner(resp.Body)
	for sc.Scan() {
		name, value, ok := strings.Cut(sc.Text(), " ")
		if v, err := strconv.ParseFloat(value, 64); ok && err == nil {
			series, _, _ := strings.Cut(name, "{")
			all[series] += v
			if strings.HasPrefix(name, "grpc_server_started_total") {
				all[name] += v
			}
		}
	}
	require.NoError(t, sc.Err())
	return all
}

// load is what a number of boards cost a store while some changes are made.
type load struct {
	boards, changes int
	calls           float64 // gRPC calls that etcd was asked
	watchers        float64 // on etcd, at once
	served          float64 // requests at serve
	seen            time.Duration
}

func (l load) String() string {
	return fmt.Sprintf("%3d boards, %d changes: %4.0f calls and %3.0f watchers at etcd, %5.0f requests at serve, the last board saw a change after %v",
		l.boards, l.changes, l.calls, l.watchers, l.served, l.seen.Round(time.Millisecond))
}

// measured starts that many boards, makes some changes by a bare client and waits
// until each board has seen each.
func (b *etcdBench) measured(boards int, serveURL string, open func(i int) sources.FlagWatcher) load {
	t := b.t
	const changes = 5
	metrics := "http://" + b.cli.Endpoints()[0] + "/metrics"
	before, servedBefore := counters(t.(*testing.T), metrics), 0.0
	if serveURL != "" {
		servedBefore = counters(t.(*testing.T), serveURL+"/metrics")["relctl_publish_requests_total"]
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var first, ended sync.WaitGroup
	seen := make(chan string, boards*changes)
	first.Add(boards)
	for i := range boards {
		ch, err := open(i).Watch(ctx, "")
		require.NoError(t, err)
		ended.Go(func() {
			known, last := false, ""
			for e := range ch {
				if e.Set == nil {
					continue
				}
				for j := range e.Set.Flags {
					if f := &e.Set.Flags[j]; f.ID.Key == "dark-mode" && f.Owner != last {
						if last = f.Owner; known {
							seen <- last
						}
					}
				}
				if !known {
					known = true
					first.Done()
				}
			}
		})
	}
	first.Wait()
	out := load{boards: boards, changes: changes}
	for c := range changes {
		owner := fmt.Sprintf("owner-%d-%d", boards, c)
		began := time.Now()
		_, err := b.cli.Put(ctx, "team/prod/flags/dark-mode", `{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"off","metadata":{"owner":"`+owner+`"}}`)
		require.NoError(t, err)
		for range boards {
			select {
			case got := <-seen:
				require.Equal(t, owner, got)
			case <-time.After(30 * time.Second):
				require.Fail(t, "a board did not see a change")
			}
		}
		out.seen = max(out.seen, time.Since(began))
	}
	after := counters(t.(*testing.T), metrics)
	out.calls = after["grpc_server_started_total"] - before["grpc_server_started_total"]
	out.watchers = after["etcd_debugging_mvcc_watcher_total"]
	if serveURL != "" {
		out.served = counters(t.(*testing.T), serveURL+"/metrics")["relctl_publish_requests_total"] - servedBefore - 1
	}
	cancel()
	ended.Wait()
	return out
}

func TestTheLoadOfEtcdDoesNotGrowWithTheBoardsBehindServe(t *testing.T) {
	b := newEtcdBench(t)
	r := b.run("flags", "import", b.path)
	require.Zero(t, r.code, r.stderr)
	host := b.cli.Endpoints()[0]
	direct := func(int) sources.FlagWatcher {
		s, err := etcd.New("direct", etcd.Options{Endpoints: []string{"http://" + host}, Prefix: "team/prod"})
		require.NoError(t, err)
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	t.Logf("without serve: %v", b.measured(20, "", direct))

	flagsURL, serveURL, stop := publishing(t, b.env, "--flags", b.dsn)
	transport := &http.Transport{MaxIdleConnsPerHost: 300}
	t.Cleanup(transport.CloseIdleConnections)
	through := func(int) sources.FlagWatcher {
		s, err := flagsync.New("served", flagsURL, flagsync.Options{Transport: transport})
		require.NoError(t, err)
		return s
	}
	many := 200
	if testing.Short() {
		many = 50
	}
	var one load
	for _, boards := range []int{1, 20, many} {
		l := b.measured(boards, serveURL, through)
		t.Log("through serve:", l)
		if boards == 1 {
			one = l
		}
		// A watch that hears nothing for long lists anew, so a machine that stands still costs
		// calls as well, though not each time.
		for tries := 1; tries < 4 && (l.calls > one.calls+2 || l.watchers > one.watchers); tries++ {
			l = b.measured(boards, serveURL, through)
			t.Log("again:", l)
		}
		require.LessOrEqual(t, l.calls, one.calls+2, "etcd is asked what it is asked for one board")
		require.LessOrEqual(t, l.watchers, one.watchers)
	}
	require.Zero(t, stop())
}
