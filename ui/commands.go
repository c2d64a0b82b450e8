package ui

import (
	"context"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/sources/incident"
	"relctl-tui/sources/live"
	"relctl-tui/views"
	"relctl-tui/views/detail"
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
	Start   time.Time
	Took    time.Duration
	Grouped bool // one of several, which are told together
}

// UndoFoundMsg is what an undo of the last change would take back.
type UndoFoundMsg struct {
	Seq  int
	Undo control.Undoable
	Err  error
}

// GroupFinishedMsg is what became of each flag of a group.
type GroupFinishedMsg struct {
	Seq   int
	Kind  sources.ChangeKind
	To    sources.Percent // for sources.Set
	Done  []control.Done
	Start time.Time
	Took  time.Duration
}

// EffectFoundMsg is whether the side that evaluates has a confirmed change. Err nil
// means that it has.
type EffectFoundMsg struct {
	Seq     int
	Action  ActionFinishedMsg
	Receipt sources.Receipt
	Err     error
}

// BreakerInspectedMsg is what was read of one breaker in depth.
type BreakerInspectedMsg struct {
	Seq    int
	Detail sources.BreakerDetail
	Err    error
}

// InspectDueMsg ends the pause before a breaker is read in depth.
type InspectDueMsg struct{ Seq int }

// SeriesReadMsg is what was read for the chart in the detail.
type SeriesReadMsg struct {
	Seq    int
	Series sources.Series
	Err    error
}

// IncidentReadMsg is what a look at an incident has found.
type IncidentReadMsg struct {
	Seq      int
	Incident sources.Incident
}

// StandingReadMsg is how a migration stands, or why that could not be read.
type StandingReadMsg struct {
	Flag     sources.FlagID
	Standing sources.Standing
	Err      error
}

// HistoryReadMsg is the past of one flag, or why it could not be read.
type HistoryReadMsg struct {
	History sources.History
	Err     error
}

// PendingExpiredMsg lifts a pending mark that no snapshot has lifted.
type PendingExpiredMsg struct {
	Seq  int
	Flag sources.FlagID
}

// DoubtsCheckedMsg is what a look for changes without a recorded result found.
type DoubtsCheckedMsg struct {
	Doubts   []sources.Activity // newest first, each with what the store says of it
	Young    []string           // IDs of those that somebody may be working on
	Again    time.Duration      // in how long the young ones are old enough; 0 for no young ones
	Warnings []string           // about journals that cannot be read in full
}

// RampStartedMsg says whether a guarded ramp began. How it goes is in the snapshots.
type RampStartedMsg struct {
	Flag sources.FlagID
	Err  error
}

// NoticeMsg is a warning from beside the board.
type NoticeMsg struct{ Text string }

// RecordingSavedMsg is where what was shown of late was saved, or why it was not.
type RecordingSavedMsg struct {
	Path     string
	From, To time.Time
	Err      error
}

// SuspendAskedMsg asks the board to give the terminal back and stop its process.
type SuspendAskedMsg struct{}

// AwokenMsg ends the sleep, with what the engine says of its data by now.
type AwokenMsg struct{ Snapshot *sources.Snapshot }

// ContinuedMsg says that the process was continued, whoever had stopped it.
type ContinuedMsg struct{}

// awaitSnapshot waits for a snapshot newer than seq, then for the board's turn. It ends
// with nothing when ctx does.
func awaitSnapshot(ctx context.Context, engine *live.Engine, seq uint64, turn func(context.Context)) tea.Cmd {
	return func() tea.Msg {
		s, err := engine.Next(ctx, seq)
		if err != nil {
			return nil
		}
		if turn != nil {
			turn(ctx)
			s = engine.Snapshot() // there may be a newer one by now
		}
		return SnapshotPublishedMsg{Snapshot: s}
	}
}

// tick fires at the next whole second, or what else every says.
func tick(every time.Duration) tea.Cmd {
	return tea.Every(every, func(t time.Time) tea.Msg { return ClockTickedMsg{Now: t} })
}

// tickIn is tick, then the board's turn.
func tickIn(ctx context.Context, every time.Duration, turn func(context.Context)) tea.Cmd {
	if turn == nil {
		return tick(every)
	}
	due := tick(every)
	return func() tea.Msg {
		msg := due()
		turn(ctx)
		return msg
	}
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
		if in.Kind == sources.Undo {
			if group, done := undo(ctx, c, in); group != "" {
				for i := range done {
					engine.Nudge(done[i].Flag.Source)
				}
				return GroupFinishedMsg{Seq: seq, Kind: in.Kind, Done: done, Start: start, Took: now().Sub(start)}
			} else if len(done) > 0 {
				engine.Nudge(done[0].Flag.Source)
				return ActionFinishedMsg{Seq: seq, Intent: in, Receipt: done[0].Receipt, Err: done[0].Err, Start: start, Took: now().Sub(start)}
			}
		}
		r, err := c.Do(ctx, in)
		source := in.Flag.Source
		if source == "" {
			source = r.New.ID.Source
		}
		engine.Nudge(source)
		return ActionFinishedMsg{Seq: seq, Intent: in, Receipt: r, Err: err, Start: start, Took: now().Sub(start)}
	}
}

// undo takes back the actor's last change or the one that is named, and with it the group
// that it is one of, or names; group is "" where it stood alone. What is named and no group
// is not done: done is empty.
func undo(ctx context.Context, c *control.Controller, in sources.Intent) (group string, done []control.Done) {
	if in.Change == "" {
		return c.UndoLast(ctx, in.Actor)
	}
	ins, err := c.Group(ctx, in.Change, in.Actor)
	switch {
	case err != nil:
		return "", []control.Done{{Err: err}}
	case len(ins) == 0:
		return "", nil
	}
	return c.DoAll(ctx, ins)
}

// nextUndo finds what an undo of the actor's last change would take back.
func nextUndo(ctx context.Context, c *control.Controller, seq int, actor string) tea.Cmd {
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(ctx, actionTimeout)
		defer cancel()
		u, err := c.NextUndo(ctx, actor)
		return UndoFoundMsg{Seq: seq, Undo: u, Err: err}
	}
}

// actAll does a batch as one group, each flag by itself.
func actAll(ctx context.Context, c *control.Controller, engine *live.Engine, seq int, b batch, timeout time.Duration, now func() time.Time) tea.Cmd {
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
		defer cancel()
		start := now()
		_, done := c.DoAll(ctx, b.ins)
		for i := range done {
			engine.Nudge(done[i].Flag.Source)
		}
		return GroupFinishedMsg{Seq: seq, Kind: b.kind, To: b.to, Done: append(done, b.refused...), Start: start, Took: now().Sub(start)}
	}
}

// beginRamp starts a guarded ramp, which then runs beside the board until it or the
// board ends.
func beginRamp(ctx context.Context, c *control.Controller, o control.RampOptions) tea.Cmd {
	return func() tea.Msg {
		asking, cancel := context.WithTimeout(ctx, actionTimeout)
		defer cancel()
		r, err := c.StartRamp(asking, o)
		if err == nil {
			go r.Run(ctx)
		}
		return RampStartedMsg{Flag: o.Flag, Err: err}
	}
}

// tellRamp tells this process's guarded ramp of a flag something, if there still is one.
func tellRamp(c *control.Controller, id sources.FlagID, say func(*control.Ramp)) tea.Cmd {
	return func() tea.Msg {
		if r := c.Ramp(id); r != nil {
			say(r)
		}
		return nil
	}
}

// awaitEffect asks whoever evaluates the flag until they have the change. It changes
// nothing, so it ends with the board.
func awaitEffect(ctx context.Context, c *control.Controller, done ActionFinishedMsg, within time.Duration) tea.Cmd {
	return func() tea.Msg {
		r, err := c.Effect(ctx, done.Receipt, within)
		return EffectFoundMsg{Seq: done.Seq, Action: done, Receipt: r, Err: err}
	}
}

// inspectBreaker reads one breaker in depth; it ends with the board.
func inspectBreaker(ctx context.Context, engine *live.Engine, seq int, source, also, name string) tea.Cmd {
	return func() tea.Msg {
		d, err := engine.InspectBreaker(ctx, source, also, name)
		return BreakerInspectedMsg{Seq: seq, Detail: d, Err: err}
	}
}

func inspectAfter(seq int, pause time.Duration) tea.Cmd {
	return tea.Tick(pause, func(time.Time) tea.Msg { return InspectDueMsg{Seq: seq} })
}

// readSeries reads a chart after a pause, unless ctx ends before.
func readSeries(ctx context.Context, engine *live.Engine, seq int, p detail.Plot, after time.Duration) tea.Cmd {
	return func() tea.Msg {
		wait := time.NewTimer(after)
		defer wait.Stop()
		select {
		case <-ctx.Done():
			return nil
		case <-wait.C:
		}
		s, err := engine.Series(ctx, p.Source, p.Query)
		if ctx.Err() != nil {
			return nil // nobody waits for it any more
		}
		return SeriesReadMsg{Seq: seq, Series: s, Err: err}
	}
}

// readIncident looks, after a pause, at what broke and what was changed before, unless ctx
// ends before.
func readIncident(ctx context.Context, c *control.Controller, engine *live.Engine, seq int, q incident.Question, after time.Duration) tea.Cmd {
	return func() tea.Msg {
		wait := time.NewTimer(after)
		defer wait.Stop()
		select {
		case <-ctx.Done():
			return nil
		case <-wait.C:
		}
		q.History, _ = c.History(0)
		in := incident.Read(ctx, engine, q)
		if ctx.Err() != nil {
			return nil // nobody waits for it any more
		}
		return IncidentReadMsg{Seq: seq, Incident: in}
	}
}

// readStanding looks once how a migration stands. It changes nothing.
func readStanding(ctx context.Context, c *control.Controller, id sources.FlagID) tea.Cmd {
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(ctx, actionTimeout)
		defer cancel()
		st, err := c.Standing(ctx, id)
		return StandingReadMsg{Flag: id, Standing: st, Err: err}
	}
}

// readHistory reads the past of one flag. It changes nothing.
func readHistory(ctx context.Context, c *control.Controller, id sources.FlagID) tea.Cmd {
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(ctx, actionTimeout)
		defer cancel()
		h, err := c.FlagHistory(ctx, id)
		return HistoryReadMsg{History: h, Err: err}
	}
}

// doubtAge is how old a change without a result must be to be in doubt: a younger
// one may be another process at work.
const doubtAge = time.Minute

// checkDoubts looks after a while for changes whose result was never recorded, and
// tells the engine. Young ones are left out, but for those that a look before this
// one has found already; it is made once, after the first.
func checkDoubts(ctx context.Context, c *control.Controller, engine *live.Engine, now func() time.Time, after time.Duration, before []string) tea.Cmd {
	return func() tea.Msg {
		wait := time.NewTimer(after)
		defer wait.Stop()
		select {
		case <-ctx.Done():
			return nil
		case <-wait.C:
		}
		first := before == nil
		var msg DoubtsCheckedMsg
		if first {
			_, msg.Warnings = c.History(0)
		}
		for _, a := range c.InDoubt() {
			age := now().Sub(a.At)
			switch {
			case age > doubtAge, slices.Contains(before, a.ID):
				engine.Observe(a)
				msg.Doubts = append(msg.Doubts, a)
			case first:
				msg.Young = append(msg.Young, a.ID)
				msg.Again = max(msg.Again, min(doubtAge-age, doubtAge)+time.Second)
			}
		}
		return msg
	}
}

// wakingUp is how long the engine has to find out how old its data is.
const wakingUp = 100 * time.Millisecond

// wakeUp waits for the engine to look at the time: the snapshot from before a stop
// calls fresh what has long been stale.
func wakeUp(ctx context.Context, engine *live.Engine, seq uint64) tea.Cmd {
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(ctx, wakingUp)
		defer cancel()
		if s, err := engine.Next(ctx, seq); err == nil {
			return AwokenMsg{s}
		}
		return AwokenMsg{engine.Snapshot()}
	}
}

// askToSuspend answers with SuspendAskedMsg, or with why this process cannot be
// stopped.
func askToSuspend() tea.Msg {
	if nobodyResumes() {
		return views.RefusedMsg{Reason: "no shell with job control started this board, so nothing could bring it back: ctrl+c leaves"}
	}
	return SuspendAskedMsg{}
}

// awaitNotice waits for a warning; nothing comes of nil, or when ctx ends.
func awaitNotice(ctx context.Context, notices <-chan string) tea.Cmd {
	if notices == nil {
		return nil
	}
	return func() tea.Msg {
		select {
		case text := <-notices:
			return NoticeMsg{text}
		case <-ctx.Done():
			return nil
		}
	}
}

// keepRecording saves what was shown of late.
func keepRecording(save func() (string, time.Time, time.Time, error)) tea.Cmd {
	return func() tea.Msg {
		path, from, to, err := save()
		return RecordingSavedMsg{path, from, to, err}
	}
}

// FiltersKeptMsg is the operator's own filters, and what was done to them, in a clause; ""
// when they were only read.
type FiltersKeptMsg struct {
	All map[string]string
	Did string
	Err error
}

func readFilters(saved SavedFilters) tea.Cmd {
	return func() tea.Msg {
		all, err := saved.All()
		return FiltersKeptMsg{All: all, Err: err}
	}
}

// keepFilter saves a filter by a name, or forgets the one of that name where it is "".
func keepFilter(saved SavedFilters, name, filter string) tea.Cmd {
	return func() tea.Msg {
		msg := FiltersKeptMsg{Did: name + " is forgotten"}
		if filter == "" {
			msg.All, msg.Err = saved.Forget(name)
			return msg
		}
		msg.Did = name + " is saved: " + filter
		msg.All, msg.Err = saved.Save(name, filter)
		return msg
	}
}

// FirstTimeToldMsg is whether somebody has never used the board.
type FirstTimeToldMsg struct{ First bool }

func askFirstTime(first func() bool) tea.Cmd {
	return func() tea.Msg { return FirstTimeToldMsg{first()} }
}

// awaitResult is the result of a change that a program before this one began, to
// which it can no longer be told.
func awaitResult(t *task) tea.Cmd {
	return func() tea.Msg {
		<-t.done
		return t.result
	}
}
