package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
)

func TestAProcessThatIsWatchedTellsOfItsReadsItsBreakersAndItsChanges(t *testing.T) {
	t.Parallel()
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "circuit_breaker_state{name=\"b\",state=\"closed\"} 1\n")
	}))
	defer page.Close()
	path, log := flagFile(t, fleetFile), filepath.Join(t.TempDir(), "log")
	o := &options{now: time.Now, flags: []string{"flagd:" + path}, metrics: []string{"scrape+" + page.URL + "/metrics"}}
	o.self = selfFlags{metrics: "127.0.0.1:0", pprof: "127.0.0.1:0", logFile: log}
	require.NoError(t, o.watchSelf(t.Context()))
	s, err := o.open(io.Discard)
	require.NoError(t, err)
	r := s.start(t.Context(), o)
	defer r.end()
	_, err = r.control.Do(t.Context(), sources.Intent{Kind: sources.Kill, Flag: sources.FlagID{Source: s.stores[0].name, Key: "checkout-v2"}, Actor: "ana"})
	require.NoError(t, err)
	painted := r.board(o, "ana").Painted
	painted(1000, 3*time.Millisecond)

	want := []string{
		`relctl_tui_poll_seconds_count{context="",part="breakers",result="ok",source=`,
		`relctl_tui_source_breaker{context="",source="prod.flagd.json",state="closed"} 1`,
		`relctl_tui_actions_total{kind="kill",outcome="confirmed"} 1`,
		`relctl_tui_frames_total 1`, `relctl_tui_frame_bytes_total 1000`, `relctl_tui_key_to_paint_seconds_count 1`, `process_resident_memory_bytes`,
	}
	var text string
	require.Eventually(t, func() bool {
		_, text = fetched(http.DefaultClient, "http://"+o.seen.metricsAt.String()+"/metrics", "")
		for _, w := range want {
			if !strings.Contains(text, w) {
				return false
			}
		}
		return true
	}, patience, 20*time.Millisecond, "%v", want)
	require.Contains(t, read(t, log), `"msg":"change"`)
	require.Contains(t, read(t, log), `"who":"ana","kind":"kill"`)
	code, _ := fetched(http.DefaultClient, "http://"+o.seen.pprofAt.String()+"/debug/pprof/", "")
	require.Equal(t, http.StatusOK, code)

	open := &options{now: time.Now, self: selfFlags{pprof: ":0"}}
	err = open.watchSelf(t.Context())
	require.ErrorContains(t, err, "profiles are served on this machine only")
	require.Equal(t, exitUsage, exitCode(err))
}

func TestConnectionsThatAskForNoMetricsTakeNoMoreThanTheirShare(t *testing.T) {
	t.Parallel()
	o := &options{now: time.Now, self: selfFlags{metrics: "127.0.0.1:0"}}
	require.NoError(t, o.watchSelf(t.Context()))
	var held []net.Conn
	answered := func(c net.Conn, within time.Duration) bool {
		_, _ = io.WriteString(c, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
		_ = c.SetReadDeadline(time.Now().Add(within))
		_, err := c.Read(make([]byte, 1))
		return err == nil
	}
	dial := func() net.Conn {
		c, err := net.Dial("tcp", o.seen.metricsAt.String())
		require.NoError(t, err)
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	for range maxWatchers {
		c := dial()
		require.True(t, answered(c, patience))
		held = append(held, c)
	}
	more := dial()
	require.False(t, answered(more, 200*time.Millisecond), "it waits")
	require.NoError(t, held[0].Close())
	_ = more.SetReadDeadline(time.Now().Add(patience))
	_, err := more.Read(make([]byte, 1))
	require.NoError(t, err, "and is answered when one is closed")
}

func TestTheDebugLineSaysWhatDrawingCosts(t *testing.T) {
	t.Parallel()
	s := open(t, 100, 24, nil, "--debug", "--flags", "flagd:"+flagFile(t, fleetFile))
	s.awaitLine("debug", "fps", "prod.flagd.json", "s")
	s.press("j")
	s.await("how long the key waited", func(text string) bool {
		line := lineWith(text, "debug")
		return line != "" && !strings.Contains(line, "key 0 us")
	})
	s.await("bytes on the wire, not of a frame", func(text string) bool {
		_, rate, _ := strings.Cut(lineWith(text, "debug"), "fps, ")
		var n int
		_, err := fmt.Sscanf(rate, "%d B/s", &n)
		return err == nil && n > 0 && n < 1000
	})
	s.press("o")
	s.awaitText("debug", "this key acts on the selected breaker") // which it never hides
	require.Zero(t, s.quit())
}
