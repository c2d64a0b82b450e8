package live

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"relctl-tui/sources"
)

// loop is what reads one part of a source until its context ends.
type loop struct {
	part sources.Part
	run  func(context.Context)
}

// supervise runs a loop until ctx ends, and starts it again when it panics: a fault
// of the board's own must not blind it for good. broke, when not nil, is told of it.
func (e *Engine) supervise(ctx context.Context, run func(context.Context), broke func(error)) {
	for !e.survives(ctx, run, broke) && ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-e.opts.After(e.opts.Jitter(time.Second)):
		}
	}
}

// survives runs a loop to its end, and reports whether that was no panic.
func (e *Engine) survives(ctx context.Context, run func(context.Context), broke func(error)) (ended bool) {
	defer func() {
		if p := recover(); p != nil {
			e.opts.Crashed(p, debug.Stack())
			if broke != nil {
				broke(fmt.Errorf("reading it failed by a fault of this board (%v) and is tried again: %w", p, sources.ErrUnavailable))
			}
		}
	}()
	run(ctx)
	return true
}
