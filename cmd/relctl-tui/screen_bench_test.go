package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
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
