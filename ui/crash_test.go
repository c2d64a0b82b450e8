package ui

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/term"
	"github.com/creack/pty"
	"github.com/stretchr/testify/require"
)

// broken is a model that panics in one place.
type broken struct{ at string }

func (b broken) boom(here string) {
	if b.at == here {
		panic("boom in " + here)
	}
}

func (b broken) Init() tea.Cmd {
	b.boom("Init")
	command := func() tea.Msg { b.boom("a command"); return tea.KeyPressMsg{Code: 'x'} }
	inner := func() tea.Msg { b.boom("a batch in a batch"); return nil }
	return tea.Batch(command, func() tea.Msg { b.boom("a batch"); return nil }, tea.Batch(inner, tick(time.Second)))
}

func (b broken) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if _, ok := msg.(tea.KeyPressMsg); ok {
		b.boom("Update")
	}
	return b, nil
}

func (b broken) View() tea.View {
	b.boom("View")
	v := tea.NewView("a board")
	v.AltScreen = true
	return v
}

// inTerminal shows a model in a terminal of its own, and returns what was written
// there and the modes of the terminal before and after.
func inTerminal(t *testing.T, show func(ctx context.Context, gone context.CancelFunc, o Options) error) (out string, before, after *term.State) {
	t.Helper()
	ptmx, tty, err := pty.Open()
	require.NoError(t, err)
	require.NoError(t, pty.Setsize(ptmx, &pty.Winsize{Cols: 80, Rows: 24}))
	var written bytes.Buffer
	read := make(chan struct{})
	go func() { _, _ = io.Copy(&written, ptmx); close(read) }()
	before, err = term.GetState(tty.Fd())
	require.NoError(t, err)
	_, err = ptmx.WriteString("j") // somebody types
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	require.NoError(t, show(ctx, cancel, Options{Input: tty, Output: tty, Environ: []string{"TERM=xterm-256color"}}),
		"Bubble Tea's own net, which prints the stack, was not needed")
	after, err = term.GetState(tty.Fd())
	require.NoError(t, err)
	require.NoError(t, tty.Close())
	<-read
	require.NoError(t, ptmx.Close())
	return written.String(), before, after
}

func TestAPanicAnywhereInABoardEndsItOnceAndGivesTheTerminalBack(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"Init", "Update", "View", "a command", "a batch", "a batch in a batch", "the keyboard"} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			var reported []string
			f := &fault{report: func(value any, stack []byte) error {
				text, ok := value.(string)
				require.True(t, ok)
				require.Contains(t, string(stack), "boom", "the stack is the one that panicked")
				reported = append(reported, text)
				return errors.New("reported")
			}}
			out, before, after := inTerminal(t, func(ctx context.Context, gone context.CancelFunc, o Options) error {
				f.end = gone
				j, end := followJobs(true)
				defer end()
				o.Now = time.Now
				if where == "the keyboard" {
					o.Now = func() time.Time { return boom(where) }
				}
				return show(ctx, gone, o, &guarded{broken{where}, f}, j)
			})
			require.EqualError(t, f.cause(), "reported")
			require.Equal(t, []string{"boom in " + where}, reported)
			require.Equal(t, before, after)
			require.Equal(t, strings.Count(out, "\x1b[?1049h"), strings.Count(out, "\x1b[?1049l"), "alternate screen left")
			require.GreaterOrEqual(t, strings.LastIndex(out, "\x1b[?25h"), strings.LastIndex(out, "\x1b[?25l"), "cursor shown")
			require.NotContains(t, out, "goroutine")
		})
	}
}

func TestAReportThatPanicsItselfStillEndsTheBoardWithAReason(t *testing.T) {
	t.Parallel()
	ended := false
	f := &fault{report: func(any, []byte) error { panic("and again") }, end: func() { ended = true }}
	f.broke("token=s3cret", nil)
	require.True(t, ended)
	require.ErrorContains(t, f.cause(), "a fault of its own")
	require.NotContains(t, f.cause().Error(), "s3cret")
}

func boom(where string) time.Time { panic("boom in " + where) }
