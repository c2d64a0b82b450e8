package ui

import (
	"context"
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/views"
	"relctl-tui/views/footer"
)

// This file is what the board does about schedules: keeping one that was typed. Running
// them is beside the board, in control.

// ScheduleKeptMsg is what became of a change that was to be kept for later.
type ScheduleKeptMsg struct {
	Seq      int
	Flag     sources.FlagID
	Schedule sources.Schedule
	Err      error
}

// scheduleOf is what was typed as a schedule.
func (m *Model) scheduleOf(in *sources.Intent) sources.Schedule {
	return sources.Schedule{
		Flag: in.Flag, Kind: sources.Set, To: in.To, At: in.At, Expires: in.At.Add(sources.DefaultExpiry),
		Zone: m.zone().String(), Actor: m.opts.Actor,
	}
}

// zone is whose clocks are meant by what is typed here.
func (m *Model) zone() *time.Location {
	if m.opts.Zone != nil {
		return m.opts.Zone
	}
	return m.now.Location()
}

// startSchedule sends a schedule on its way to where it is kept.
func (m *Model) startSchedule(in *sources.Intent) tea.Cmd {
	text := m.describe(*in)
	m.seq++
	m.footer.SetStatus(text+": being kept", footer.Waiting)
	return m.work.track(m.seq, text, keepSchedule(m.ctx, m.control, m.seq, m.scheduleOf(in)))
}

// keepSchedule keeps a change for later. Like a write it is not tied to the screen.
func keepSchedule(ctx context.Context, c *control.Controller, seq int, s sources.Schedule) tea.Cmd {
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), actionTimeout)
		defer cancel()
		kept, err := c.Schedule(ctx, s)
		return ScheduleKeptMsg{Seq: seq, Flag: s.Flag, Schedule: kept, Err: err}
	}
}

func (m *Model) scheduleKept(msg ScheduleKeptMsg) {
	m.work.seen(msg.Seq)
	if msg.Err != nil {
		m.footer.SetStatus("nothing was scheduled: "+views.Unprefixed(msg.Flag.Source, sources.Sentence(msg.Err)), footer.Failure)
		return
	}
	s := &msg.Schedule
	m.footer.SetStatus(fmt.Sprintf("%s %s %s, run by whichever board or runner is open then (relctl-tui schedules cancel %s)",
		m.nameOf(msg.Flag), s.What(), views.Ahead(s.At.In(m.zone()), m.now), s.ID), footer.Done)
}
