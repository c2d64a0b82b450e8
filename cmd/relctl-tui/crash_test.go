package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
	"golang.org/x/term"
)

// failing runs a board in a terminal of its own whose clock panics, wherever the
// program then asks for the time, and gives it back when it has ended.
func failing(t *testing.T, value string) (s *screen, errOut *bytes.Buffer, before, after *term.State) {
	t.Helper()
	path := flagFile(t, fleetFile)
	var armed atomic.Bool
	errOut = &bytes.Buffer{}
	s = inside(t, 100, 30, func(ctx context.Context, tty *os.File) error {
		var err error
		before, err = term.GetState(int(tty.Fd()))
		require.NoError(t, err)
		cmd := &cobra.Command{}
		cmd.SetContext(ctx)
		cmd.SetOut(tty)
		cmd.SetErr(errOut)
		err = runBoard(cmd, &options{flags: []string{"flagd:" + path}, stdin: tty, now: func() time.Time {
			// The report's own look at the clock is spared: the next key may have armed it again.
			if armed.Load() && !bytes.Contains(debug.Stack(), []byte("crashes")) && armed.CompareAndSwap(true, false) {
				panic(value)
			}
			return time.Now()
		}})
		var serr error
		after, serr = term.GetState(int(tty.Fd()))
		require.NoError(t, serr)
		return err
	})
	s.awaitText("checkout-v2", "Activity")
	for limit := time.After(patience); ; { // a loop of the engine may ask first, and survives
		armed.Store(true)
		_, _ = s.tty.WriteString("j")
		select {
		case <-s.gone:
			return s, errOut, before, after
		case <-limit:
			t.Fatal("the board did not end")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func TestAPanicGivesTheTerminalBackAndSaysWhereItsReportIs(t *testing.T) {
	state := t.TempDir()
	t.Setenv("XDG_STATE_HOME", state)
	s, errOut, before, after := failing(t, "boom at https://ana:hunter2@prom.example/api?token=s3cret\x1b[2J")

	require.Error(t, s.err)
	require.Equal(t, exitFailed, exitCode(s.err))
	sentence := strings.Join(errorSentences(s.err), "\n")
	require.Contains(t, sentence, "the program failed by a fault of its own, the report is in ")
	require.Contains(t, sentence, "no change is lost")
	require.Equal(t, before, after, "the terminal is in the state in which it was found")
	select {
	case <-s.read: // to its last byte
	case <-time.After(patience):
		t.Fatal("somebody still holds the terminal")
	}
	last := string(s.output(0))
	require.Greater(t, strings.LastIndex(last, "\x1b[?1049l"), strings.LastIndex(last, "\x1b[?1049h"), "the alternate screen is left")
	require.Greater(t, strings.LastIndex(last, "\x1b[?25h"), strings.LastIndex(last, "\x1b[?25l"), "the cursor is shown")
	require.NotContains(t, last+errOut.String(), "goroutine ", "no stack is spilled over the screen")

	reports, err := filepath.Glob(filepath.Join(state, "relctl-tui", "crash", "*.txt"))
	require.NoError(t, err)
	require.NotEmpty(t, reports)
	for _, r := range reports {
		info, err := os.Stat(r)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
		text, err := os.ReadFile(r)
		require.NoError(t, err)
		require.Contains(t, string(text), "panic: boom at https://")
		require.Contains(t, string(text), "goroutine ")
		for _, secret := range []string{"hunter2", "s3cret", "\x1b"} {
			require.NotContains(t, string(text)+sentence, secret)
		}
	}
	require.LessOrEqual(t, len(reports), 10)
}

func TestAPanicWhoseReportCannotBeWrittenStillSaysWhatItWas(t *testing.T) {
	state := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(state, nil, 0o600))
	t.Setenv("XDG_STATE_HOME", state)
	s, _, before, after := failing(t, "boom")
	sentence := strings.Join(errorSentences(s.err), "\n")
	require.Contains(t, sentence, "(boom)")
	require.Contains(t, sentence, "could not be written")
	require.Equal(t, before, after)
}
