package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
	"github.com/stretchr/testify/require"
)

// patience is how long a scenario waits for something that must come. It is no
// measurement: a slow machine only makes a failing test fail later.
const patience = 30 * time.Second

// screen is the whole program in a real pty, read by a terminal emulator.
type screen struct {
	t    testing.TB
	cmd  *exec.Cmd
	tty  *os.File
	gone chan struct{} // closed when the program has ended
	err  error         // how it ended; valid after gone
	read chan struct{} // closed when its last byte has been read, which is later

	saying sync.Mutex // held while the terminal says one thing

	last string    // the key which press sent last, unless something else came after it
	sent time.Time // when anything was sent last

	mu      sync.Mutex
	emu     *vt.Emulator
	raw     bytes.Buffer // everything the program wrote
	changed chan struct{}
}

// open starts the program in a w x h terminal. env adds to a clean environment
// with homes of the test's own.
func open(t testing.TB, w, h int, env []string, args ...string) *screen {
	t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Env = append(terminalEnv(t), env...)
	toured(t, cmd.Env)
	return openCommand(t, w, h, cmd)
}

// terminalEnv is a clean environment inside a terminal.
func terminalEnv(t testing.TB) []string {
	t.Helper()
	return append(cleanEnv(t), "TERM=xterm-256color", "LANG=C.UTF-8", "RELCTL_ACTOR=ana")
}

// openCommand starts any command in a w x h terminal.
func openCommand(t testing.TB, w, h int, cmd *exec.Cmd) *screen {
	t.Helper()
	s := &screen{t: t, cmd: cmd, emu: vt.NewEmulator(w, h), changed: make(chan struct{}, 1), gone: make(chan struct{}), read: make(chan struct{})}
	tty, err := pty.StartWithSize(s.cmd, &pty.Winsize{Cols: uint16(w), Rows: uint16(h)})
	require.NoError(t, err)
	s.tty = tty
	go func() { s.follow(); close(s.read) }()
	go s.answer()
	go func() { s.err = s.cmd.Wait(); close(s.gone) }()
	t.Cleanup(s.close)
	return s
}

func (s *screen) follow() {
	buf := make([]byte, 64<<10)
	for {
		n, err := s.tty.Read(buf)
		if n > 0 {
			s.mu.Lock()
			s.raw.Write(buf[:n])
			s.mu.Unlock()
			s.notify()
			s.mu.Lock()
			_, _ = s.emu.Write(buf[:n])
			s.mu.Unlock()
			s.notify()
		}
		if err != nil {
			return
		}
	}
}

// answer writes the terminal's answers to queries.
func (s *screen) answer() {
	buf := make([]byte, 4<<10)
	for {
		n, err := s.emu.Read(buf)
		s.says(string(buf[:n]))
		if err != nil {
			return
		}
	}
}

// says writes what the terminal says by itself, in parts where the link is slow: longer
// apart than Bubble Tea waits for the rest. No other answer comes in between.
func (s *screen) says(parts ...string) {
	s.saying.Lock()
	defer s.saying.Unlock()
	for i, part := range parts {
		if i > 0 {
			pause(70 * time.Millisecond)
		}
		_, _ = io.WriteString(s.tty, part)
	}
}

func (s *screen) notify() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

func (s *screen) close() {
	_ = s.cmd.Process.Kill()
	<-s.gone
	_ = s.tty.Close()
	// The emulator's own Close races with its Read; ending the pipe between them does not.
	if pipe, ok := s.emu.InputPipe().(io.Closer); ok {
		_ = pipe.Close()
	}
}

// text is what a person sees, line by line.
func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.emu.String()
}

// written is how many bytes went over the wire so far.
func (s *screen) written() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.raw.Len()
}

// output is a copy of everything written since the byte at from.
func (s *screen) output(from int) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Clone(s.raw.Bytes()[from:])
}

// press types keys one by one, further apart than a burst, also for a program that did
// not run for a while: the next key goes out after the program has read the one before.
func (s *screen) press(keys ...string) {
	s.t.Helper()
	for _, k := range keys {
		if time.Since(s.sent) < time.Second {
			for limit := time.Now().Add(5 * time.Second); unread(s.tty) > 0 && time.Now().Before(limit); {
				pause(5 * time.Millisecond)
			}
			pause(40 * time.Millisecond)
			if s.last == "\x1b" {
				pause(300 * time.Millisecond) // else a program that was slow takes both for alt and the key
			}
		}
		s.send(k)
		s.last = k
	}
}

// again presses the last key once more where the board said that it did nothing with it:
// on a machine that stands still for a while keys arrive in one lump, or after the row has
// changed, and an operator reads that and presses again.
func (s *screen) again(text string) {
	if s.last == "" || time.Since(s.sent) < 2*time.Second {
		return
	}
	refused := strings.Contains(text, "look like a paste: nothing was done") || strings.Contains(text, "look, then press again")
	if refused && strings.Contains("+-KuoO", s.last) || s.last == "\r" && strings.Contains(text, "enter again does it") {
		s.press(s.last)
	}
}

// send writes bytes at once, as a paste without brackets would arrive.
func (s *screen) send(b string) {
	s.t.Helper()
	s.last, s.sent = "", time.Now()
	_, err := io.WriteString(s.tty, b)
	require.NoError(s.t, err)
}

// await waits until the screen satisfies cond.
func (s *screen) await(what string, cond func(text string) bool) string {
	s.t.Helper()
	return s.awaitLong(what, cond, patience)
}

// awaitLong is await for what takes its time, such as a window of a minute.
func (s *screen) awaitLong(what string, cond func(text string) bool, patience time.Duration) string {
	s.t.Helper()
	limit := time.After(patience)
	for {
		text := s.text()
		if cond(text) {
			return text
		}
		s.again(text)
		select {
		case <-s.changed:
		case <-time.After(100 * time.Millisecond):
		case <-limit:
			s.t.Fatalf("never saw %s; the screen is:\n%s", what, s.text())
		}
	}
}

func (s *screen) awaitText(parts ...string) string {
	s.t.Helper()
	return s.await(strings.Join(parts, " + "), func(text string) bool {
		for _, p := range parts {
			if !strings.Contains(text, p) {
				return false
			}
		}
		return true
	})
}

// awaitLine waits for one line that has all parts.
func (s *screen) awaitLine(parts ...string) string {
	s.t.Helper()
	var found string
	s.await("a line with "+strings.Join(parts, " + "), func(text string) bool {
		found = lineWith(text, parts...)
		return found != ""
	})
	return found
}

func lineWith(text string, parts ...string) string {
next:
	for line := range strings.Lines(text) {
		for _, p := range parts {
			if !strings.Contains(line, p) {
				continue next
			}
		}
		return line
	}
	return ""
}

// resize changes the terminal's size as a window manager would.
func (s *screen) resize(w, h int) {
	s.t.Helper()
	s.mu.Lock()
	s.emu.Resize(w, h)
	s.mu.Unlock()
	require.NoError(s.t, pty.Setsize(s.tty, &pty.Winsize{Cols: uint16(w), Rows: uint16(h)}))
}

// quit leaves by the key and reports the exit code.
func (s *screen) quit() int {
	s.t.Helper()
	s.press("q")
	return s.awaitExit()
}

func (s *screen) awaitExit() int {
	s.t.Helper()
	s.await("the program's end", func(string) bool {
		select {
		case <-s.gone:
			return true
		default:
			return false
		}
	})
	select {
	case <-s.read:
	case <-time.After(patience):
		s.t.Fatal("the program has ended, but somebody still holds its terminal")
	}
	return s.cmd.ProcessState.Sys().(syscall.WaitStatus).ExitStatus()
}

// awaitFile waits until the file satisfies cond.
func (s *screen) awaitFile(path string, cond func(string) bool) string {
	s.t.Helper()
	var content string
	s.await("what was asked for in "+filepath.Base(path), func(string) bool {
		b, err := os.ReadFile(path)
		content = string(b)
		return err == nil && cond(content)
	})
	return content
}

// pause is a person's pause: between two keys, or to look at the screen. What is
// tested in these scenarios depends on it (a held key, a burst, the grace).
func pause(d time.Duration) { <-time.After(d) }
