package ui

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/views/footer"
)

// This file is the board as a job of a shell: ctrl+z and SIGTSTP stop it, SIGCONT
// brings it back. A stop is the end of one Bubble Tea program, which gives the
// terminal back, and the start of another one on the same model. Bubble Tea's own
// suspension waits for ever where nothing can stop the process, knows nothing of a
// stop from outside, and can come back without its renderer.

// jobs is what becomes of the board's process by its shell's hand, or anybody's.
type jobs struct {
	stops, conts chan os.Signal
}

// followJobs has the signals of job control come here instead of stopping the
// process in the middle of a frame, until end. A board that is served is no job of
// its process: then nothing comes.
func followJobs(ours bool) (j *jobs, end func()) {
	j = &jobs{make(chan os.Signal, 1), make(chan os.Signal, 1)}
	if !ours {
		return j, func() {}
	}
	notifyJobs(j.stops, j.conts)
	return j, func() {
		signal.Stop(j.stops)
		signal.Stop(j.conts)
	}
}

// tell sends a board what happens to its process until end, which returns when
// nothing more is sent.
func (j *jobs) tell(send func(tea.Msg)) (end func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-done:
				return
			case <-j.stops:
				send(askToSuspend())
			case <-j.conts:
				send(ContinuedMsg{})
			}
		}
	}()
	return func() { close(done); <-ended }
}

// stop stops the whole process group, as the terminal's own ctrl+z would, and
// returns when it goes on or ctx ends. Nobody is told meanwhile.
func (j *jobs) stop(ctx context.Context) error {
	drain(j.conts)
	if err := stopGroup(); err != nil {
		return fmt.Errorf("the board cannot be stopped: %w", err)
	}
	// The stop may reach this thread a little after its return from there.
	select {
	case <-j.conts:
	case <-ctx.Done():
	}
	drain(j.stops)
	return nil
}

func drain(c <-chan os.Signal) {
	select {
	case <-c:
	default:
	}
}

// jobChanged handles what leads to the end of this program, so that another takes
// over when the process goes on, and the first moment of that other one. While the
// board sleeps, and just after, no key counts: it was typed for somebody else.
func (m *Model) jobChanged(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case SuspendAskedMsg:
		m.asleep, m.stopping = true, true
		return tea.Quit
	case ContinuedMsg: // somebody stopped it without asking, and the terminal is as they left it
		m.asleep = true
		return tea.Quit
	case AwokenMsg:
		m.asleep, m.held, m.gate = false, held{}, gate{} // what was pressed before is over
		m.resumedAt = m.opts.Now()
		m.now = m.opts.clock()
		for id, p := range m.pending {
			if p.done != "" { // what would lift the mark in time went to the program before
				delete(m.pending, id)
			}
		}
		m.setSnapshot(msg.Snapshot)
		m.relayout()
	}
	return nil
}

// sleep is what lies between two programs.
func (m *Model) sleep(j *jobs) {
	if !m.stopping {
		return
	}
	m.stopping = false
	m.work.wait(m.opts.say)
	if m.ctx.Err() != nil { // it was told to end meanwhile
		return
	}
	if err := j.stop(m.ctx); err != nil {
		m.footer.SetStatus(sources.Sentence(err), footer.Failure)
	}
}

// drowsy tells whether a key, and what it led to, is from before the board went on.
func (m *Model) drowsy() bool {
	return m.asleep || m.opts.Now().Sub(m.resumedAt).Abs() < grace
}
