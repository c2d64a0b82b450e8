package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources/demo"
)

// meter is a program in a pty of 120x40 whose bytes are held against the bound of the
// frames that it shows. A frame is what comes without a pause of frameGap.
type meter struct {
	tb   testing.TB
	cmd  *exec.Cmd
	tty  *os.File
	line line
	seen chan struct{} // a frame was taken in
	end  chan struct{} // nothing more comes

	state chan *metered // holds the one there is, as a lock
}

// frameGap is longer than a program needs between two writes of one frame, and shorter
// than what lies between two frames.
const frameGap = 3 * time.Millisecond

type metered struct {
	emu     *vt.Emulator
	last    frame
	bound   bound
	bounded bool // frames are whole, so that the bound says something
	count   counted
	growth  []byte // of the frame that is coming
}

// counted is what went over the wire.
type counted struct{ bytes, least, cells, frames int }

func (c counted) since(b counted) counted {
	return counted{c.bytes - b.bytes, c.least - b.least, c.cells - b.cells, c.frames - b.frames}
}

// ratio is what was sent against the least that it takes.
func (c counted) ratio() float64 { return float64(c.bytes) / float64(max(1, c.least)) }

// perCell is how many bytes a changed cell took.
func (c counted) perCell() float64 { return float64(c.bytes) / float64(max(1, c.cells)) }

// line is what lies between a program and a terminal. Its zero value is nothing.
type line struct {
	rate  int           // bytes a second, each way
	delay time.Duration // each way
	baud  int           // what the program's terminal says of it, as termios has it
}

// read takes from a terminal what the line can carry, until it ends.
func (l line) read(tty *os.File, chunks chan<- []byte) {
	defer close(chunks)
	type late struct {
		b   []byte
		due time.Time
	}
	flying := make(chan late, 1<<12)
	go func() {
		defer close(flying)
		size := 64 << 10
		if l.rate > 0 {
			size = max(1, l.rate/50)
		}
		free := time.Now() // when the line has carried what it took
		for {
			buf := make([]byte, size)
			n, err := tty.Read(buf)
			if n > 0 {
				if l.rate > 0 {
					if now := time.Now(); free.Before(now) {
						free = now
					}
					free = free.Add(time.Duration(n) * time.Second / time.Duration(l.rate))
					pause(time.Until(free))
				}
				flying <- late{buf[:n], time.Now().Add(l.delay)}
			}
			if err != nil {
				return
			}
		}
	}()
	for f := range flying {
		if wait := time.Until(f.due); wait > 0 {
			pause(wait)
		}
		chunks <- f.b
	}
}

// measure starts a program whose terminal is metered.
func measure(tb testing.TB, cmd *exec.Cmd) *meter {
	tb.Helper()
	return measureOver(tb, line{}, cmd)
}

// measureOver starts one whose terminal is at the end of a line.
func measureOver(tb testing.TB, l line, cmd *exec.Cmd) *meter {
	tb.Helper()
	tty, far, err := pty.Open()
	require.NoError(tb, err)
	require.NoError(tb, pty.Setsize(tty, &pty.Winsize{Cols: 120, Rows: 40}))
	if l.baud != 0 {
		setBaud(tb, far, l.baud)
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = far, far, far
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	require.NoError(tb, cmd.Start())
	require.NoError(tb, far.Close())
	m := &meter{tb: tb, cmd: cmd, tty: tty, line: l, seen: make(chan struct{}, 1), end: make(chan struct{}), state: make(chan *metered, 1)}
	emu := vt.NewEmulator(120, 40)
	m.state <- &metered{emu: emu, last: frameOf(emu), bound: bound{at: spot{-1, -1}}, bounded: l.rate == 0}
	chunks := make(chan []byte)
	go l.read(tty, chunks)
	go func() { // answers to queries are nobody's: a terminal at the end of a line says none
		buf := make([]byte, 1024)
		for {
			if _, err := emu.Read(buf); err != nil {
				return
			}
		}
	}()
	go m.follow(chunks)
	tb.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = tty.Close()
		<-m.end
	})
	return m
}

func (m *meter) follow(chunks <-chan []byte) {
	defer close(m.end)
	gap := time.NewTimer(time.Hour)
	for {
		select {
		case b, ok := <-chunks:
			if !ok {
				return
			}
			s := <-m.state
			s.growth = append(s.growth, b...)
			m.state <- s
			gap.Reset(frameGap)
		case <-gap.C:
			s := <-m.state
			s.take()
			m.state <- s
			select {
			case m.seen <- struct{}{}:
			default:
			}
		}
	}
}

// take counts what came as one frame.
func (s *metered) take() {
	if len(s.growth) == 0 {
		return
	}
	_, _ = s.emu.Write(s.growth)
	s.count.bytes += len(s.growth)
	s.count.frames++
	if s.bounded {
		now := frameOf(s.emu)
		least, cells := s.bound.add(s.last, now)
		s.last = now
		s.count.least += least
		s.count.cells += cells
	}
	s.growth = s.growth[:0]
}

func (m *meter) count() counted {
	s := <-m.state
	defer func() { m.state <- s }()
	return s.count
}

func (m *meter) text() string {
	s := <-m.state
	defer func() { m.state <- s }()
	return s.emu.String()
}

// await waits until the screen has a text.
func (m *meter) await(text string) {
	m.tb.Helper()
	limit := time.After(patience)
	for !strings.Contains(m.text(), text) {
		select {
		case <-m.seen:
		case <-m.end:
			m.tb.Fatalf("it ended without %q", text)
		case <-limit:
			m.tb.Fatalf("never saw %q; the screen is:\n%s", text, m.text())
		}
	}
}

// report states what was sent while b's loop ran.
func (c counted) report(b *testing.B, took time.Duration) {
	b.ReportMetric(float64(c.bytes)/took.Seconds(), "bytes/s")
	b.ReportMetric(float64(c.cells)/took.Seconds(), "cells/s")
	if c.cells > 0 {
		b.ReportMetric(c.ratio(), "x-bound")
		b.ReportMetric(c.perCell(), "bytes/cell")
	}
}

// wireEnv is the environment of every program that is metered.
func wireEnv(tb testing.TB) []string {
	return append(terminalEnv(tb), "LC_ALL=C.UTF-8", "COLORTERM=truecolor")
}

// BenchmarkBytesOnTheWire is what boards send to a 120x40 terminal, against the least
// that it takes to show the same frames: one on which nothing happens, one with five
// changed numbers a second, and one on a living fleet. btop and htop are measured by the
// same meter where they are installed. Programs show different things, so what compares
// them is the bytes for a changed cell: at the same number of changes a second their
// bytes a second stand in that ratio, x-btop.
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
	var theirs counted
	for _, p := range []struct {
		name, ready string
		argv        []string
	}{
		{"btop", "", []string{"btop", "--utf-force"}},
		{"htop", "Mem", []string{"htop"}},
		{"idle", "checkout-v2", []string{binary, "--flags", flags}},
		{"five-numbers", "checkout-v2", []string{binary, "--config", config}},
		{"demo", "checkout-v2", []string{binary, "demo", "--seed", "3"}}, // every number of a living fleet, once a second
	} {
		b.Run(p.name, func(b *testing.B) {
			if _, err := exec.LookPath(p.argv[0]); err != nil {
				b.Skip(p.name + " is not installed")
			}
			cmd := exec.Command(p.argv[0], p.argv[1:]...)
			cmd.Env = wireEnv(b)
			m := measure(b, cmd)
			m.await(p.ready)
			pause(4 * time.Second)
			before, start, cpu := m.count(), time.Now(), spent(b, m.cmd.Process.Pid)
			for b.Loop() {
				pause(time.Second)
			}
			sent, took := m.count().since(before), time.Since(start)
			sent.report(b, took)
			b.ReportMetric(100*(spent(b, m.cmd.Process.Pid)-cpu).Seconds()/took.Seconds(), "%cpu")
			b.ReportMetric(resident(b, m.cmd.Process.Pid), "MB-rss")
			if p.name == "btop" {
				theirs = sent
			} else if theirs.cells > 0 && sent.cells > 0 {
				b.ReportMetric(sent.perCell()/theirs.perCell(), "x-btop")
			}
		})
	}
}

// resident is what a process holds in memory, in MB.
func resident(tb testing.TB, pid int) float64 {
	tb.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(tb, err)
	var kb float64
	for line := range strings.Lines(string(status)) {
		_, _ = fmt.Sscanf(line, "VmRSS: %f kB", &kb)
	}
	return kb / 1024
}

// spent is the processor time that a process has used.
func spent(tb testing.TB, pid int) time.Duration {
	tb.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	require.NoError(tb, err)
	fields := strings.Fields(string(stat)[strings.LastIndexByte(string(stat), ')')+1:])
	var user, system int64
	_, err = fmt.Sscan(fields[11]+" "+fields[12], &user, &system)
	require.NoError(tb, err)
	return time.Duration(user+system) * 10 * time.Millisecond // USER_HZ is 100 everywhere
}

// BenchmarkHeldKey is j held at 30 Hz through 10,000 flags.
func BenchmarkHeldKey(b *testing.B) {
	cmd := exec.Command(binary, "--flags", "flagd:"+flagFile(b, manyFlags(10_000)))
	cmd.Env = wireEnv(b)
	m := measure(b, cmd)
	m.await("flag-0")
	pause(time.Second)
	before, start, cpu, pressed := m.count(), time.Now(), spent(b, m.cmd.Process.Pid), 0
	held := time.NewTicker(time.Second / 30)
	defer held.Stop()
	for b.Loop() {
		<-held.C
		_, err := m.tty.WriteString("j")
		require.NoError(b, err)
		pressed++
	}
	took := time.Since(start)
	if pressed < 9_900 { // the last frame is not dropped; each hundredth flag is off and stands at the end
		m.await(fmt.Sprintf("flag-%05d", pressed+1+pressed/99))
	}
	sent := m.count().since(before)
	sent.report(b, took)
	b.ReportMetric(float64(sent.frames)/took.Seconds(), "frames/s")
	b.ReportMetric(100*(spent(b, m.cmd.Process.Pid)-cpu).Seconds()/took.Seconds(), "%cpu")
}

// BenchmarkSlowLine is a key until its answer is seen over a line of 9,600 baud with a
// round trip of 300 ms, while the numbers of a living fleet come over it: once where the
// terminal says how fast its line is, and once where it does not. What it reports is
// without the round trip, which nobody can spare.
func BenchmarkSlowLine(b *testing.B) {
	const baud, roundTrip = 9600, 300 * time.Millisecond
	for name, says := range map[string]int{"9600-baud": 9600, "speed-unsaid": 38400} {
		b.Run(name, func(b *testing.B) {
			cmd := exec.Command(binary, "demo", "--seed", "3")
			cmd.Env = wireEnv(b)
			m := measureOver(b, line{baud / 10, roundTrip / 2, says}, cmd)
			m.await("no traffic") // of the last pane
			pause(8 * time.Second)
			dice := rand.New(rand.NewPCG(1, 1))
			var took []time.Duration
			before, start := m.count(), time.Now()
			for b.Loop() {
				pause(500*time.Millisecond + time.Duration(dice.IntN(1000))*time.Millisecond)
				took = append(took, m.echo(string("jk"[len(took)%2]))-roundTrip)
			}
			b.ReportMetric(float64(m.count().since(before).bytes)/time.Since(start).Seconds(), "bytes/s")
			b.ReportMetric(millis(median(took)), "ms/p50")
			b.ReportMetric(millis(percentile(took, 0.99)), "ms/p99")
		})
	}
}

// echo is how long a key takes until the cursor is seen to stand elsewhere.
func (m *meter) echo(key string) time.Duration {
	m.tb.Helper()
	under := func() string { // the flag under the cursor
		if f := strings.Fields(lineWith(m.text(), "\u25b8")); len(f) > 3 {
			return f[3]
		}
		return ""
	}
	before, start, limit := under(), time.Now(), time.After(patience)
	time.AfterFunc(m.line.delay, func() { _, _ = m.tty.WriteString(key) })
	for {
		if now := under(); now != "" && now != before {
			return time.Since(start)
		}
		select {
		case <-m.seen:
		case <-limit:
			m.tb.Fatalf("the cursor stays where it is:\n%s", m.text())
		}
	}
}
