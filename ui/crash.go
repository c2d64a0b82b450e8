package ui

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"

	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
)

// fault is the first panic of a board: it is reported once and ends the board.
// Bubble Tea would recover as well, but prints the stack over the operator's
// screen; it stays the second net.
type fault struct {
	report func(value any, stack []byte) error
	end    context.CancelFunc

	mu  sync.Mutex
	err error
}

// broke takes a recovered panic. Only the first counts: what follows is its echo.
func (f *fault) broke(value any, stack []byte) {
	defer f.end() // last, and whatever happens before
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return
	}
	f.err = errors.New("the board failed by a fault of its own, and no report of it could be made") // which may hold a secret
	if f.report == nil {
		f.err = fmt.Errorf("the board failed by a fault of its own: %s", sources.Clean(fmt.Sprint(value), sources.MaxName))
		return
	}
	defer func() { _ = recover() }() // the reason is more than a report that fails as well
	f.err = f.report(value, stack)
}

// cause is what Run returns because of a panic; nil while there was none.
func (f *fault) cause() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// caught is for defer: it makes a panic of the caller the error that it returns.
func (f *fault) caught(err *error) {
	if p := recover(); p != nil {
		f.broke(p, debug.Stack())
		*err = f.cause()
	}
}

// guarded is a model whose panics, and those of its commands, end the program in
// good order. Its one command that is not looked into is tea.Sequence.
type guarded struct {
	model tea.Model
	fault *fault
}

// Init is the model's.
func (g *guarded) Init() (cmd tea.Cmd) {
	defer g.catch()
	return g.command(g.model.Init())
}

// Update is the model's; after a panic it does nothing more.
func (g *guarded) Update(msg tea.Msg) (same tea.Model, cmd tea.Cmd) {
	same = g // after a panic as well
	defer g.catch()
	if g.fault.cause() != nil {
		return same, nil
	}
	g.model, cmd = g.model.Update(msg)
	return same, g.command(cmd)
}

// View is the model's; after a panic it is blank.
func (g *guarded) View() (v tea.View) {
	v.AltScreen = true // as the board has it, should this frame be drawn at all
	defer g.catch()
	if g.fault.cause() != nil {
		return v
	}
	return g.model.View()
}

// command is cmd with its panics caught, and those of the commands that it batches.
func (g *guarded) command(cmd tea.Cmd) tea.Cmd {
	if cmd == nil {
		return nil
	}
	return func() tea.Msg {
		defer g.catch()
		msg := cmd()
		batch, ok := msg.(tea.BatchMsg)
		if !ok {
			return msg
		}
		all := make(tea.BatchMsg, len(batch))
		for i, c := range batch {
			all[i] = g.command(c)
		}
		return all
	}
}

// catch is for defer.
func (g *guarded) catch() {
	if p := recover(); p != nil {
		g.fault.broke(p, debug.Stack())
	}
}
