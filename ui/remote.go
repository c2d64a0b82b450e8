package ui

import (
	"context"
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

// options are what Bubble Tea has to be told about the terminal.
func (r *Remote) options() []tea.ProgramOption {
	if r == nil {
		return nil
	}
	w, h := r.Size()
	return []tea.ProgramOption{tea.WithWindowSize(w, h)}
}

// follow tells a board of every new size until end, which returns when nothing more is
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
				w, h := r.Size()
				send(tea.WindowSizeMsg{Width: w, Height: h})
			}
		}
	}()
	return func() { close(done); <-ended }
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
