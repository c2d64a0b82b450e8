package ui

import (
	"bytes"
	"context"
	"io"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// Remote is a terminal that is not this process's own: the board is served to somebody
// else's, so it asks nobody for the size, follows no signals and cannot be stopped by
// ctrl+z. Options.Input and Options.Output are required with it.
type Remote struct {
	// Size is the terminal's present size in cells. It may be called by any goroutine.
	Size func() (w, h int)
	// Resized says that Size has changed; nil where it never does.
	Resized <-chan struct{}
	// Baud is what the terminal says of its line; 0 where it says nothing.
	Baud int
	// Life is how long guarded ramps go on that were started here: they outlive the
	// board, so that a lost connection ends no ramp. nil ends them with the board.
	Life context.Context //nolint:containedctx // it is what outlives the call
	// Turn waits until this board may draw what nobody's key asked for, or until ctx
	// ends: of a hundred boards that all have news at once, keys would wait for all. nil
	// for at once.
	Turn func(ctx context.Context)
	// Denied is why keys that act are refused where the board is read-only; "" for the
	// usual sentence.
	Denied string
}

// life is how long a guarded ramp that starts here goes on.
func (m *Model) life() context.Context {
	if r := m.opts.Remote; r != nil && r.Life != nil {
		return r.Life
	}
	return m.ctx
}

// outlived tells whether guarded ramps go on without this board.
func (m *Model) outlived() bool { return m.opts.Remote != nil && m.opts.Remote.Life != nil }

// turn is how this board waits before it draws news; nil for not at all.
func (m *Model) turn() func(context.Context) {
	if m.opts.Remote == nil {
		return nil
	}
	return m.opts.Remote.Turn
}

// denied is why a read-only board refuses a key.
func (m *Model) denied() string {
	if r := m.opts.Remote; r != nil && r.Denied != "" {
		return r.Denied
	}
	if m.opts.Replay != nil {
		return "a recording: what it shows is over, and nothing can be changed from here"
	}
	return "read-only: this board was started without the right to change anything"
}

// options are what Bubble Tea has to be told about the terminal: as if it had one row, for
// it keeps cells of 100 bytes for all of a screen that it never draws on, 1 MB a board.
func (r *Remote) options() []tea.ProgramOption {
	if r == nil {
		return nil
	}
	w, _ := r.Size()
	return []tea.ProgramOption{tea.WithWindowSize(w, 1)}
}

// follow has a board ask for every new size until end, which returns when nothing more is
// sent.
func (r *Remote) follow(send func(tea.Msg)) (end func()) {
	if r == nil || r.Resized == nil {
		return func() {}
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-done:
				return
			case _, ok := <-r.Resized:
				if !ok {
					return
				}
				w, _ := r.Size()
				send(tea.WindowSizeMsg{Width: w, Height: 1})
			}
		}
	}()
	return func() { close(done); <-ended }
}

// mayAnswerLate tells whether the terminal is behind a link that may be slow, or is one
// that answers no questions.
func mayAnswerLate(environ []string) bool {
	for _, v := range environ {
		name, value, _ := strings.Cut(v, "=")
		switch {
		case name == "SSH_TTY", name == "SSH_CONNECTION", name == "SSH_CLIENT":
			return true
		case name == "TERM" && (value == "linux" || strings.HasPrefix(value, "vt") || strings.HasPrefix(value, "screen")):
			return true
		}
	}
	return false
}

// flagsAsked asks for what the keyboard can tell. Bubble Tea asks it of every terminal, and
// goes by nothing that is answered.
var flagsAsked = []byte("\x1b[?u")

// unasking writes all but that question.
type unasking struct{ io.Writer }

// Write is the writer's; its count is that of b's bytes.
func (w unasking) Write(b []byte) (int, error) {
	out := b
	if bytes.Contains(b, flagsAsked) {
		out = bytes.ReplaceAll(b, flagsAsked, nil)
	}
	n, err := w.Writer.Write(out)
	if err == nil {
		n = len(b)
	}
	return min(n, len(b)), err //nolint:wrapcheck // as it came
}

// asksNothing is environ with a TERM for which Bubble Tea asks the terminal nothing: an
// answer that comes late over a slow link would be read as keys. What it names instead
// can do less, so nothing is sent that such a terminal does not know.
func asksNothing(environ []string) []string {
	out := make([]string, 0, len(environ)+1)
	for _, v := range environ {
		name, value, _ := strings.Cut(v, "=")
		switch name {
		case "TERM_PROGRAM", "WT_SESSION", "SSH_TTY":
			continue
		case "TERM":
			for _, asked := range []string{"ghostty", "wezterm", "alacritty", "kitty", "rio"} {
				if strings.Contains(value, asked) {
					v = "TERM=xterm-256color"
				}
			}
		}
		out = append(out, v)
	}
	return append(out, "SSH_TTY=remote")
}
