package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
)

// cell is one combination of a source and a fault. Cells mostly wait, so they all
// run at once, which t.Parallel does not do on a machine with two cores: a cell is a
// testing.TB of its own on a goroutine of its own.
type cell struct {
	testing.TB // of the whole matrix; what would end it is overridden
	source     string
	fault      string
	run        func(c *cell)

	said   string        // by the screen, while the fault lasted
	healed time.Duration // after it was lifted
	ended  chan struct{}

	mu       sync.Mutex
	failed   bool
	skipped  string
	log      strings.Builder
	cleanups []func()
}

// start runs the cell when there is a place for it.
func (c *cell) start(t testing.TB, places chan struct{}) {
	c.TB, c.ended = t, make(chan struct{})
	go func() {
		places <- struct{}{}
		defer func() { <-places; close(c.ended) }()
		defer c.cleanUp()
		c.run(c)
	}()
}

func (c *cell) cleanUp() {
	for i := len(c.cleanups) - 1; i >= 0; i-- {
		c.cleanups[i]()
	}
}

// Cleanup, Errorf, Fatalf, Fatal, FailNow, Failed and Skipf are testing.TB's, for
// this cell alone.
func (c *cell) Cleanup(f func()) { c.cleanups = append(c.cleanups, f) }

func (c *cell) Errorf(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failed = true
	fmt.Fprintf(&c.log, format+"\n", args...)
}

func (c *cell) Fatalf(format string, args ...any) { c.Errorf(format, args...); c.FailNow() }
func (c *cell) Fatal(args ...any)                 { c.Errorf("%s", fmt.Sprint(args...)); c.FailNow() }

func (c *cell) FailNow() {
	c.mu.Lock()
	c.failed = true
	c.mu.Unlock()
	runtime.Goexit()
}

func (c *cell) Failed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed
}

func (c *cell) Skipf(format string, args ...any) {
	c.skipped = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// report hands the cell's outcome over to a test.
func (c *cell) report(t *testing.T) {
	t.Helper()
	<-c.ended
	switch {
	case c.failed:
		t.Fatal(c.log.String())
	case c.skipped != "":
		t.Skip(c.skipped)
	}
}

// inside runs a board of this process in a w x h terminal. It is the whole program
// but for the process: keys, frames and sources are real.
func inside(t testing.TB, w, h int, board func(ctx context.Context, tty *os.File) error) *screen {
	t.Helper()
	s := &screen{t: t, emu: vt.NewEmulator(w, h), changed: make(chan struct{}, 1), gone: make(chan struct{}), read: make(chan struct{})}
	ptmx, tty, err := pty.Open()
	require.NoError(t, err)
	require.NoError(t, pty.Setsize(ptmx, &pty.Winsize{Cols: uint16(w), Rows: uint16(h)}))
	s.tty = ptmx
	ctx, stop := context.WithCancel(context.Background())
	go func() { s.follow(); close(s.read) }()
	go func() { _, _ = io.Copy(ptmx, s.emu) }() // the terminal's answers to queries
	go func() {
		s.err = board(ctx, tty)
		_ = tty.Close()
		close(s.gone)
	}()
	t.Cleanup(func() {
		// By the key first: a program that is told to end from outside does not wait
		// for its reader, and the race detector sees the two of them on one file.
		_, _ = io.WriteString(ptmx, "q")
		select {
		case <-s.gone:
		case <-time.After(5 * time.Second):
		}
		stop()
		<-s.gone
		_ = ptmx.Close()
		if pipe, ok := s.emu.InputPipe().(io.Closer); ok {
			_ = pipe.Close()
		}
	})
	return s
}

// The size of a board that has room for every pane and whole sentences.
const faultWidth, faultHeight = 148, 50

// boardOn is the program on a config file.
func boardOn(t testing.TB, config string) *screen {
	t.Helper()
	return inside(t, faultWidth, faultHeight, func(ctx context.Context, tty *os.File) error {
		cmd := newRootCmd(tty)
		cmd.SetArgs([]string{"--config", config})
		cmd.SetOut(tty)
		cmd.SetErr(&bytes.Buffer{})
		return cmd.ExecuteContext(ctx)
	})
}

// boardAt is the same with a clock of the test's own.
func boardAt(t testing.TB, config string, now func() time.Time) *screen {
	t.Helper()
	return inside(t, faultWidth, faultHeight, func(ctx context.Context, tty *os.File) error {
		cmd := &cobra.Command{}
		cmd.SetContext(ctx)
		cmd.SetOut(tty)
		cmd.SetErr(&bytes.Buffer{})
		return runBoard(cmd, &options{config: config, stdin: tty, now: now})
	})
}

// faultConfig is a context that is quick to notice and quick to try again.
func faultConfig(t testing.TB, flags string, metrics ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	text := fmt.Sprintf(`default: prod
contexts:
  prod:
    stale_after: 3s
    unknown_after: 8s
    cool_down: 2s
    flags: [{dsn: %q, name: flags}]
    metrics:
    - %s
    latency:
    - {name: payment API, preset: http_server, match: 'service="payment API"', slo: 5s, calls: [database]}
    - {name: database, preset: http_server, match: 'service="database"', slo: 5s}
`, "flagd:"+flags, strings.Join(metrics, "\n    - "))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// every is how often a source is read here: the unit in which healing is told.
const every = time.Second

// flat is a screen's text with each run of blanks as one: a sentence that was
// wrapped reads as it was written.
func flat(text string) string { return strings.Join(strings.Fields(text), " ") }

// head is the first line, which tells how far each source can be trusted.
func head(text string) string { first, _, _ := strings.Cut(text, "\n"); return first }

// shown is one line of a pane, and the colours that something in it has.
type shown struct {
	text    string
	colours map[string]bool
}

// pane is the lines under a pane's title that are not empty. The cursor before them
// has a colour of its own.
func (s *screen) pane(title string) (rows []shown) {
	s.mu.Lock()
	defer s.mu.Unlock()
	inside := false
	for y, line := range strings.Split(s.emu.String(), "\n") {
		if strings.HasPrefix(line, "╍╍ ") || strings.HasPrefix(line, "╌╌ ") {
			inside = strings.HasPrefix(strings.TrimLeft(line, "╍╌ "), title+" ")
			continue
		}
		if !inside || strings.TrimSpace(line) == "" {
			continue
		}
		if n := len(rows) - 1; n >= 0 && goesOn(rows[n].text) {
			rows[n].text = strings.TrimRight(rows[n].text, " ") + " " + strings.TrimSpace(line)
			continue
		}
		row := shown{text: line, colours: map[string]bool{}}
		for x := 1; x < s.emu.Width(); x++ {
			if c := s.emu.CellAt(x, y); c != nil && c.Style.Fg != nil && strings.TrimSpace(c.Content) != "" {
				row.colours[fmt.Sprint(c.Style.Fg)] = true
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// goesOn tells of a line that it says why something cannot be read, and not yet to its end.
func goesOn(line string) bool {
	line = strings.TrimRight(line, " ")
	return strings.Contains(line, "cannot read") && !strings.HasSuffix(line, "⋯") &&
		!strings.HasSuffix(line, "is shown.") && !strings.HasSuffix(line, "keeps trying.")
}
