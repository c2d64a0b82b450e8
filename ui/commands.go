package ui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/sources/live"
)

// This file is the only place that makes commands which touch the outside. A
// command captures values, never the model, and answers with one message.

// SnapshotPublishedMsg carries a newer snapshot of the live engine.
type SnapshotPublishedMsg struct{ Snapshot *sources.Snapshot }

// ClockTickedMsg carries the time for ages and the clock.
type ClockTickedMsg struct{ Now time.Time }

// HoldElapsedMsg ends the pause that tells a key press from a burst.
type HoldElapsedMsg struct{ Seq int }

// ActionFinishedMsg is what became of an intent. Err nil means confirmed.
type ActionFinishedMsg struct {
	Seq     int
	Intent  sources.Intent
	Receipt sources.Receipt
	Err     error
	Took    time.Duration
}

// PendingExpiredMsg lifts a pending mark that no snapshot has lifted.
type PendingExpiredMsg struct {
	Seq  int
	Flag sources.FlagID
}

// awaitSnapshot waits for a snapshot newer than seq. It ends with nothing when
// ctx does.
func awaitSnapshot(ctx context.Context, engine *live.Engine, seq uint64) tea.Cmd {
	return func() tea.Msg {
		s, err := engine.Next(ctx, seq)
		if err != nil {
			return nil
		}
		return SnapshotPublishedMsg{Snapshot: s}
	}
}

// tick fires at the next whole second.
func tick() tea.Cmd {
	return tea.Every(time.Second, func(t time.Time) tea.Msg { return ClockTickedMsg{Now: t} })
}

func holdFor(seq int) tea.Cmd {
	return tea.Tick(hold, func(time.Time) tea.Msg { return HoldElapsedMsg{Seq: seq} })
}

func expirePending(seq int, id sources.FlagID, after time.Duration) tea.Cmd {
	return tea.Tick(after, func(time.Time) tea.Msg { return PendingExpiredMsg{Seq: seq, Flag: id} })
}

// act does an intent through the one control path. The write is not tied to the
// screen: closing the board does not cut a write that is under way.
func act(ctx context.Context, c *control.Controller, engine *live.Engine, seq int, in sources.Intent, timeout time.Duration, now func() time.Time) tea.Cmd {
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
		defer cancel()
		start := now()
		r, err := c.Do(ctx, in)
		source := in.Flag.Source
		if source == "" {
			source = r.New.ID.Source
		}
		engine.Nudge(source)
		return ActionFinishedMsg{Seq: seq, Intent: in, Receipt: r, Err: err, Took: now().Sub(start)}
	}
}
