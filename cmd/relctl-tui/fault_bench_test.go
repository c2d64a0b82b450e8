package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/demo"
)

// hanging is an address that accepts and never answers.
func hanging(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		var kept []net.Conn
		for {
			c, err := l.Accept()
			if err != nil {
				for _, c := range kept {
					_ = c.Close()
				}
				return
			}
			kept = append(kept, c)
		}
	}()
	return "http://" + l.Addr().String()
}

// serving is an address that answers everything in one way, after a while.
func serving(t testing.TB, after time.Duration, contentType, body string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-time.After(after):
		case <-r.Context().Done():
			return
		}
		w.Header().Set("Content-Type", contentType)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

const emptyVector = `{"status":"success","data":{"resultType":"vector","result":[]}}`

// fourSources is a config of one flag file and four servers that are asked each
// second, each in a group of its own so that all of them are.
func fourSources(t testing.TB, flags string, servers ...string) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "contexts:\n  bench:\n    cool_down: 1s\n    flags: [{dsn: %q}]\n    metrics:\n", "flagd:"+flags)
	for i, s := range servers {
		fmt.Fprintf(&b, "      - {dsn: %q, name: m%d, group: g%d, every: 1s}\n", s, i, i)
	}
	path := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o600))
	return path
}

// twoBoards is the config of a healthy board and that of one with a source that
// hangs, one that refuses, one that answers garbage and one that takes 5 s.
func twoBoards(b *testing.B) (healthy, faulty, healthyFlags, faultyFlags string) {
	b.Helper()
	healthyFlags, faultyFlags = flagFile(b, string(demo.DefaultFlags())), flagFile(b, string(demo.DefaultFlags()))
	good := func() string { return serving(b, 0, "application/json", emptyVector) }
	healthy = fourSources(b, healthyFlags, good(), good(), good(), good())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	require.NoError(b, l.Close())
	faulty = fourSources(b, faultyFlags, hanging(b), "http://"+l.Addr().String(),
		serving(b, 0, "application/json", "\x00garbage{{{"), serving(b, 5*time.Second, "application/json", emptyVector))
	return healthy, faulty, healthyFlags, faultyFlags
}

// BenchmarkKeyToPaintWithFaultySources is a key to changed cells with four healthy
// sources and with four faulty ones, key by key in turn.
func BenchmarkKeyToPaintWithFaultySources(b *testing.B) {
	healthy, faulty, _, _ := twoBoards(b)
	boards := []*screen{open(b, 120, 40, nil, "--config", healthy), open(b, 120, 40, nil, "--config", faulty)}
	for _, s := range boards {
		s.awaitText("checkout-v2")
	}
	pause(10 * time.Second) // until the faults have shown
	took := make([][]time.Duration, len(boards))
	for b.Loop() {
		for i, s := range boards {
			pause(37 * time.Millisecond)
			before := s.written()
			start := time.Now()
			s.send(string("jk"[len(took[i])/10%2]))
			for s.written() == before {
				select {
				case <-s.changed:
				case <-time.After(patience):
					b.Fatal("no paint")
				}
			}
			took[i] = append(took[i], time.Since(start))
		}
	}
	for i, name := range []string{"healthy", "faulty"} {
		b.ReportMetric(millis(median(took[i])), "ms/p50-"+name)
		b.ReportMetric(millis(percentile(took[i], 0.99)), "ms/p99-"+name)
	}
	b.ReportMetric(float64(percentile(took[1], 0.99))/float64(percentile(took[0], 0.99)), "ratio-p99")
}

// BenchmarkKillWithFaultySources is a kill through control, from the intent to the
// read-back, while an engine reads four healthy or four faulty sources; in turn.
func BenchmarkKillWithFaultySources(b *testing.B) {
	healthy, faulty, _, _ := twoBoards(b)
	ctx, cancel := context.WithCancel(b.Context())
	var kill []func() time.Duration
	var ended []chan struct{}
	for _, config := range []string{healthy, faulty} {
		o := &options{config: config, actor: "ana", now: time.Now}
		s, err := o.open(io.Discard)
		require.NoError(b, err)
		ctl := s.controller(time.Now)
		engine, done := s.engine(o, ctl), make(chan struct{})
		go func() { _ = engine.Run(ctx); close(done) }()
		ended = append(ended, done)
		id := sources.FlagID{Source: s.stores[0].name, Key: "checkout-v2"}
		kill = append(kill, func() time.Duration {
			start := time.Now()
			r, err := ctl.Do(ctx, sources.Intent{Kind: sources.Kill, Flag: id, Actor: "ana"})
			took := time.Since(start)
			require.NoError(b, err)
			require.True(b, r.New.Killed)
			_, err = ctl.Do(ctx, sources.Intent{Kind: sources.Undo, Actor: "ana"})
			require.NoError(b, err)
			return took
		})
	}
	pause(10 * time.Second)
	took := make([][]time.Duration, len(kill))
	for b.Loop() {
		for i := range kill {
			took[i] = append(took[i], kill[i]())
		}
	}
	cancel()
	for _, done := range ended {
		<-done
	}
	for i, name := range []string{"healthy", "faulty"} {
		b.ReportMetric(millis(median(took[i])), "ms/p50-"+name)
		b.ReportMetric(millis(percentile(took[i], 0.99)), "ms/p99-"+name)
	}
	b.ReportMetric(float64(median(took[1]))/float64(median(took[0])), "ratio-p50")
}
