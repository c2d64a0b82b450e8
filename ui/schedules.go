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

// This file is what the board does about schedules: keeping one that was typed, and
// calling off one that waits. Running them is beside the board, in control.

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
	m.footer.SetStatus(text+": being kept", footer.Waiting, m.nameOf(in.Flag))
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

// ScheduleCalledOffMsg is what became of a schedule that was to be called off.
type ScheduleCalledOffMsg struct {
	Seq    int
	Intent sources.Intent
	Err    error
}

// toCome is what is to come under the cursor of Activity, nil for nothing.
func (m *Model) toCome() *sources.Activity {
	if m.screen != noScreen || m.focus != paneActivity || m.layout.panes[paneActivity].h == 0 {
		return nil
	}
	return m.activity.Upcoming()
}

// callOffKey asks whether the schedule under the cursor is to be called off. It always
// asks, for no key brings a schedule back.
func (m *Model) callOffKey() {
	a := m.toCome()
	switch {
	case a == nil:
		m.footer.SetStatus("this key calls off what is scheduled: tab to Activity, then press again", footer.Warning)
		return
	case a.ID == "":
		m.footer.SetStatus(fmt.Sprintf("%s does that by itself: call it off there", a.Flag.Source), footer.Warning)
		return
	}
	m.footer.SetStatus("", footer.Info)
	m.confirm.Ask(sources.Intent{Kind: sources.CallOff, Flag: a.Flag, Change: a.ID, ToAs: a.New, At: a.At.In(m.zone())}, sources.Flag{ID: a.Flag, Name: a.Name}, "")
}

func (m *Model) startCallOff(in *sources.Intent) tea.Cmd {
	text := m.describe(*in)
	m.seq++
	m.footer.SetStatus(text+": being called off", footer.Waiting, m.nameOf(in.Flag))
	return m.work.track(m.seq, text, callOff(m.ctx, m.control, m.seq, *in, m.opts.Actor))
}

// callOff calls off a schedule, which is a write like any other.
func callOff(ctx context.Context, c *control.Controller, seq int, in sources.Intent, actor string) tea.Cmd {
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), actionTimeout)
		defer cancel()
		_, err := c.CancelSchedule(ctx, in.Change, actor)
		return ScheduleCalledOffMsg{Seq: seq, Intent: in, Err: err}
	}
}

func (m *Model) scheduleCalledOff(msg ScheduleCalledOffMsg) {
	m.work.seen(msg.Seq)
	if msg.Err != nil {
		m.footer.SetStatus("not called off: "+views.Unprefixed(msg.Intent.Flag.Source, sources.Sentence(msg.Err)), footer.Failure)
		return
	}
	m.footer.SetStatus(fmt.Sprintf("called off: %s %s %s", m.nameOf(msg.Intent.Flag), msg.Intent.ToAs, views.Ahead(msg.Intent.At, m.now)), footer.Done, m.nameOf(msg.Intent.Flag))
}
