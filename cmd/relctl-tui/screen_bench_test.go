package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources/demo"
)

// These benchmarks run the whole program in a pty and state what issue-level
// promises rest on: the first frame, key to paint, bytes on the wire, memory.
// Run them with -benchtime=20x; they report medians and ratios to a baseline of
// the same run, and assert nothing.

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

func percentile(d []time.Duration, p float64) time.Duration {
	slices.Sort(d)
	return d[min(len(d)-1, int(float64(len(d))*p))]
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// BenchmarkFirstFrame is exec to the first complete frame with data, on the
// demo's 24 flags, against a Charm program that draws a static table; the two
// take turns.
func BenchmarkFirstFrame(b *testing.B) {
	static := filepath.Join(b.TempDir(), "statictable")
	out, err := exec.Command("go", "build", "-o", static, "./testdata/statictable").CombinedOutput()
	require.NoError(b, err, string(out))
	path := flagFile(b, string(demo.DefaultFlags()))
	var ours, theirs []time.Duration
	frame := func(bin, whole string, args ...string) time.Duration {
		was := binary
		binary = bin
		defer func() { binary = was }()
		start := time.Now()
		s := open(b, 120, 40, nil, args...)
		for !bytes.Contains(s.output(0), []byte(whole)) { // the wire, not the emulator, which is slower
			select {
			case <-s.changed:
			case <-time.After(patience):
				b.Fatal("no frame")
			}
		}
		took := time.Since(start)
		s.close()
		return took
	}
	for b.Loop() {
		ours = append(ours, frame(binary, "nothing has changed", "--flags", "flagd:"+path))
		theirs = append(theirs, frame(static, "complete"))
	}
	b.ReportMetric(millis(median(ours)), "ms/frame")
	b.ReportMetric(millis(median(theirs)), "ms/static")
	b.ReportMetric(millis(median(ours))/millis(median(theirs)), "ratio")
}

func manyFlags(n int) string {
	var f strings.Builder
	f.WriteString(`{"flags": {`)
	for i := range n {
		if i > 0 {
			f.WriteString(",")
		}
		fmt.Fprintf(&f, "\n  %q: {\"state\": \"ENABLED\", \"variants\": {\"on\": true, \"off\": false}, \"defaultVariant\": \"off\", \"targeting\": {\"fractional\": [[\"on\", %d], [\"off\", %d]]}}",
			fmt.Sprintf("flag-%05d", i), i%100, 100-i%100)
	}
	f.WriteString("\n}}\n")
	return f.String()
}

// BenchmarkKeyToPaint is a key to changed cells on the pty with 10,000 flags,
// with 100 flags as the baseline.
func BenchmarkKeyToPaint(b *testing.B) {
	p99 := map[int]time.Duration{}
	for _, n := range []int{100, 10_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			s := open(b, 120, 40, nil, "--flags", "flagd:"+flagFile(b, manyFlags(n)))
			s.awaitText("flag-0")
			pause(time.Second)
			var took []time.Duration
			for b.Loop() {
				pause(37 * time.Millisecond)
				before := s.written()
				start := time.Now()
				s.send(string("jk"[len(took)/20%2]))
				for s.written() == before {
					select {
					case <-s.changed:
					case <-time.After(patience):
						b.Fatal("no paint")
					}
				}
				took = append(took, time.Since(start))
			}
			p99[n] = percentile(took, 0.99)
			b.ReportMetric(millis(median(took)), "ms/p50")
			b.ReportMetric(millis(p99[n]), "ms/p99")
			if base := p99[100]; base > 0 {
				b.ReportMetric(float64(p99[n])/float64(base), "ratio-p99")
			}
		})
	}
}

// BenchmarkBytesOnTheWire is what an idle board and one with five changed
// numbers a second send to a 120x40 terminal.
func BenchmarkBytesOnTheWire(b *testing.B) {
	var tick atomic.Int64
	exporter := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		n := tick.Add(1)
		for i := range int64(5) {
			fmt.Fprintf(w, "circuit_breaker_state{name=\"b%d\",state=\"closed\"} 1\n", i)
			fmt.Fprintf(w, "circuit_breaker_requests_total{name=\"b%d\",result=\"success\"} %d\n", i, n*n*(i+3))
		}
	}))
	defer exporter.Close()
	flags := "flagd:" + flagFile(b, string(demo.DefaultFlags()))
	config := filepath.Join(b.TempDir(), "config.yaml")
	require.NoError(b, os.WriteFile(config, []byte(fmt.Sprintf(
		"default: a\ncontexts:\n  a:\n    flags: [{dsn: %q}]\n    metrics: [{dsn: %q, every: 1s}]\n", flags, "scrape+"+exporter.URL+"/metrics")), 0o600))
	for name, args := range map[string][]string{
		"idle":         {"--flags", flags},
		"five-numbers": {"--config", config},
		"demo":         {"demo", "--seed", "3"}, // every number of a living fleet, once a second
	} {
		b.Run(name, func(b *testing.B) {
			s := open(b, 120, 40, nil, args...)
			s.awaitText("checkout-v2")
			pause(4 * time.Second)
			before, start := s.written(), time.Now()
			for b.Loop() {
				pause(time.Second)
			}
			b.ReportMetric(float64(s.written()-before)/time.Since(start).Seconds(), "bytes/s")
		})
	}
}

// BenchmarkResidentMemory is the resident set after a while with 10,000 flags.
func BenchmarkResidentMemory(b *testing.B) {
	s := open(b, 120, 40, nil, "--flags", "flagd:"+flagFile(b, manyFlags(10_000)))
	s.awaitText("flag-0")
	for b.Loop() {
		s.press("j")
		pause(100 * time.Millisecond)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	require.NoError(b, err)
	for line := range strings.Lines(string(status)) {
		var kb float64
		if _, err := fmt.Sscanf(line, "VmRSS: %f kB", &kb); err == nil {
			b.ReportMetric(kb/1024, "MB-rss")
		}
		if _, err := fmt.Sscanf(line, "VmHWM: %f kB", &kb); err == nil {
			b.ReportMetric(kb/1024, "MB-peak")
		}
	}
}
