package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"relctl-tui/sources/demo"
)

// onlooker is a board over SSH whose client is in this process: a hundred OpenSSH
// clients would measure themselves.
type onlooker struct {
	in      interface{ Write([]byte) (int, error) }
	got     atomic.Int64 // bytes
	changed chan struct{}
}

func (o *onlooker) Write(b []byte) (int, error) {
	o.got.Add(int64(len(b)))
	select {
	case o.changed <- struct{}{}:
	default:
	}
	return len(b), nil
}

// looksOn opens a board in a terminal of 120x40 and returns when it is drawn.
func (b *sshBench) looksOn(who string) *onlooker {
	b.t.Helper()
	signer, err := ssh.ParsePrivateKey([]byte(read(b.t, filepath.Join(b.dir, who))))
	require.NoError(b.t, err)
	c, err := ssh.Dial("tcp", "127.0.0.1:"+b.port, &ssh.ClientConfig{
		User: who, Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)}, HostKeyCallback: ssh.InsecureIgnoreHostKey(), Timeout: patience,
	})
	require.NoError(b.t, err)
	b.t.Cleanup(func() { _ = c.Close() })
	s, err := c.NewSession()
	require.NoError(b.t, err)
	require.NoError(b.t, s.RequestPty("xterm-256color", 40, 120, nil))
	o := &onlooker{changed: make(chan struct{}, 1)}
	s.Stdout = o
	in, err := s.StdinPipe()
	require.NoError(b.t, err)
	o.in = in
	require.NoError(b.t, s.Shell())
	require.Eventually(b.t, func() bool { return o.got.Load() > 2000 }, patience, time.Millisecond, "the first frame")
	return o
}

// paints is how long a key takes until something new is on the wire.
func (o *onlooker) paints(t testing.TB, key string) time.Duration {
	before, start := o.got.Load(), time.Now()
	_, err := o.in.Write([]byte(key))
	require.NoError(t, err)
	for o.got.Load() == before {
		select {
		case <-o.changed:
		case <-time.After(patience):
			t.Fatal("no paint")
		}
	}
	return time.Since(start)
}

// resident is what the server holds in memory, in MB.
func (b *sshBench) resident() float64 {
	b.t.Helper()
	var kb float64
	for line := range bytes.Lines([]byte(read(b.t, fmt.Sprintf("/proc/%d/status", b.cmd.Process.Pid)))) {
		_, _ = fmt.Sscanf(string(line), "VmRSS: %f kB", &kb)
	}
	return kb / 1024
}

// lively is a server on the demo's flags and on a page of metrics whose numbers change
// with each look, which asked counts.
func lively(t testing.TB) (b *sshBench, asked *atomic.Int64) {
	t.Helper()
	asked = &atomic.Int64{}
	exporter := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		n := asked.Add(1)
		for i := range int64(5) {
			fmt.Fprintf(w, "circuit_breaker_state{name=\"b%d\",state=\"closed\"} 1\n", i)
			fmt.Fprintf(w, "circuit_breaker_requests_total{name=\"b%d\",result=\"success\"} %d\n", i, n*n*(i+3))
		}
	}))
	t.Cleanup(exporter.Close)
	config := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil,
		"default: a\ncontexts:\n  a:\n    flags: [{dsn: %q}]\n    metrics: [{dsn: %q, every: 1s}]\n",
		"flagd:"+flagFile(t, string(demo.DefaultFlags())), "scrape+"+exporter.URL+"/metrics"), 0o600))
	return serveSSHTo(t, "--config", config), asked
}

// asks is how many requests a second the page gets, over ten seconds.
func asks(asked *atomic.Int64) float64 {
	before, start := asked.Load(), time.Now()
	pause(10 * time.Second)
	return float64(asked.Load()-before) / time.Since(start).Seconds()
}

func TestAHundredBoardsOverSSHAskTheSourcesAsOftenAsOne(t *testing.T) {
	if testing.Short() {
		t.Skip("it counts requests for twenty seconds")
	}
	t.Parallel()
	b, asked := lively(t)
	b.looksOn("bo")
	alone, lean := asks(asked), b.resident()
	for range 99 {
		b.looksOn("bo")
	}
	require.LessOrEqual(t, asks(asked), 1.2*max(alone, 1)+0.2, "requests a second, of which the config allows one")
	require.Less(t, (b.resident()-lean)/99, 4.0, "MB for each session")
	require.Zero(t, b.ssh("ana", "status").code, "and there is room for a verb")
}

// BenchmarkSSHSessions is a key to new bytes at the client while a hundred boards follow
// numbers that change each second, with one board as the baseline.
func BenchmarkSSHSessions(b *testing.B) {
	server, asked := lively(b)
	mine := server.looksOn("ana")
	lean, sessions := server.resident(), 1
	base := time.Duration(0)
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for ; sessions < n; sessions++ {
				server.looksOn("bo") // until the whole benchmark ends
			}
			pause(time.Second)
			before, start := asked.Load(), time.Now()
			var took []time.Duration
			for b.Loop() {
				pause(37 * time.Millisecond)
				took = append(took, mine.paints(b, string("jk"[len(took)%2])))
			}
			p99 := percentile(took, 0.99)
			b.ReportMetric(millis(median(took)), "ms/p50")
			b.ReportMetric(millis(p99), "ms/p99")
			b.ReportMetric(float64(asked.Load()-before)/time.Since(start).Seconds(), "requests/s")
			if n > 1 {
				b.ReportMetric((server.resident()-lean)/float64(n-1), "MB/session")
				b.ReportMetric(float64(p99)/float64(base), "ratio-p99")
			}
			base = p99
		})
	}
}
