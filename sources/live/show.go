package live

import (
	"fmt"

	"relctl-tui/sources"
)

// Show makes a snapshot from elsewhere the latest one, with the next numbers. It is for
// an engine that replays a recording: one without sources, which does not run.
func (e *Engine) Show(s *sources.Snapshot) {
	e.mu.Lock()
	defer e.mu.Unlock()
	next, last := *s, e.snapshot.Load()
	next.Seq, next.FlagsSeq = last.Seq+1, last.FlagsSeq
	if len(next.Flags) != len(last.Flags) || (len(next.Flags) > 0 && &next.Flags[0] != &last.Flags[0]) {
		next.FlagsSeq++
	}
	e.snapshot.Store(&next)
	close(e.wake)
	e.wake = make(chan struct{})
}

// notRecorded is why nothing more can be asked about a recording.
func (e *Engine) notRecorded() error {
	if e.opts.Replay {
		return fmt.Errorf("a recording holds what the board showed, and this is asked for only when somebody looks: %w", sources.ErrUnsupported)
	}
	return nil
}
