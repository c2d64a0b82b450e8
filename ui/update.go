package ui

import (
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
	"relctl-tui/views/confirm"
	"relctl-tui/views/detail"
	"relctl-tui/views/footer"
	"relctl-tui/views/help"
	"relctl-tui/views/prompt"
)

// Update routes; it does no I/O. Every message drops the kept frame: what a frame
// costs is less than to find out whether it would be another one.
func (m *Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	m.frame = ""
	lines := m.bottomLines()
	defer func() {
		if m.bottomLines() != lines { // a sentence came or went that needs another line
			m.relayout()
		}
	}()
	return m, tea.Batch(m.route(msg), m.plot(), m.callPath(), m.inquire())
}

// route gives a message to whom it is for.
func (m *Model) route(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.resized(msg.Width, msg.Height)
		m.relayout()
		return nil
	case SeriesReadMsg, PathReadMsg:
		m.readForDetail(msg)
		return nil
	case IncidentReadMsg:
		m.incidentRead(msg)
		return nil
	case tea.KeyPressMsg:
		m.paint.key(m.opts.Now())
		return m.keyPressed(msg)
	case tea.PasteMsg:
		return m.pasted(msg)
	case SnapshotPublishedMsg:
		m.moveClock()
		m.setSnapshot(msg.Snapshot)
		m.relayout()
		return tea.Batch(awaitSnapshot(m.ctx, m.engine, msg.Snapshot.Seq, m.turn()), m.inspect(rest), m.askHistory())
	case ClockTickedMsg:
		m.moveClock()
		m.refresh()
		return tea.Batch(tickIn(m.ctx, m.turn()), m.askStanding())
	case views.IntentMsg:
		return m.intended(msg.Intent, false)
	case views.RefusedMsg:
		m.footer.SetStatus(msg.Reason, footer.Warning)
		return nil
	case HoldElapsedMsg:
		return m.holdElapsed(msg)
	case ActionFinishedMsg:
		m.work.seen(msg.Seq)
		return m.actionFinished(msg)
	case RampStartedMsg:
		m.rampStarted(msg)
		return nil
	case EffectFoundMsg:
		m.effectFound(msg)
		return nil
	case DoubtsCheckedMsg:
		m.looked = true
		return m.doubtsChecked(msg)
	case NoticeMsg, RecordingSavedMsg:
		return m.recorded(msg)
	case InspectDueMsg, BreakerInspectedMsg:
		return m.inspecting(msg)
	case SuspendAskedMsg, ContinuedMsg, AwokenMsg:
		return m.jobChanged(msg)
	case PendingExpiredMsg:
		m.pendingExpired(msg)
		return nil
	default:
		return m.answered(msg)
	}
}

func (m *Model) pendingExpired(msg PendingExpiredMsg) {
	if p, ok := m.pending[msg.Flag]; ok && p.seq == msg.Seq {
		delete(m.pending, msg.Flag)
		m.refresh()
	}
}

// answered handles what the prompt, the dialog and the panes say.
func (m *Model) answered(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case views.DetailMsg:
		m.detailed = true
		m.pointDetail()
		m.detail.SetSnapshot(m.snapshot, m.now)
		m.relayout()
		m.looks.at = lookedAt{}
		return tea.Batch(m.inspect(0), m.askStanding())
	case detail.ClosedMsg, help.ClosedMsg:
		m.escape()
	case ScheduleKeptMsg:
		m.scheduleKept(msg)
	case ReportWrittenMsg:
		m.reportWritten(msg)
	case StandingReadMsg:
		m.standingRead(msg)
	case HistoryReadMsg, GroupFinishedMsg:
		return m.severalTold(msg)
	case prompt.ChangedMsg:
		m.filter(msg.Text)
	case prompt.CancelledMsg:
		m.forming = nil
		switch msg.Purpose {
		case prompt.Filter:
			m.filter("")
		case prompt.Name, prompt.Silence:
			m.footer.SetStatus("nothing was done", footer.Info)
		default:
		}
	case prompt.SubmittedMsg:
		return m.typed(msg)
	case confirm.AcceptedMsg:
		if b := m.asked; b != nil {
			m.asked = nil
			return m.intendedAll(b, true)
		}
		return m.intended(msg.Intent, true)
	case confirm.RejectedMsg:
		m.asked = nil
		m.footer.SetStatus("nothing was done", footer.Info)
	}
	return nil
}

// typed is what was typed into the prompt, once it is valid.
func (m *Model) typed(msg prompt.SubmittedMsg) tea.Cmd {
	if b := m.forming; b != nil && msg.Purpose == prompt.Percent {
		return m.groupTyped(b, msg)
	}
	switch {
	case msg.Purpose == prompt.Reason:
		in := msg.Intent
		in.Override, in.Reason = true, sources.Clean(msg.Text, 200)
		return m.intended(in, false)
	case msg.Purpose == prompt.Percent && !msg.At.IsZero():
		return m.intended(sources.Intent{Kind: sources.Later, Flag: msg.Flag, Seen: msg.Seen, SeenAs: msg.SeenAs, To: msg.To, At: msg.At}, false)
	case msg.Purpose == prompt.Percent:
		return m.intended(sources.Intent{Kind: sources.Set, Flag: msg.Flag, Seen: msg.Seen, SeenAs: msg.SeenAs, To: msg.To}, false)
	case msg.Purpose == prompt.Silence:
		return m.intended(msg.Intent, false)
	case msg.Purpose == prompt.Name:
		return m.intended(msg.Intent, true)
	}
	m.filter(msg.Text)
	return nil
}

func (m *Model) filter(text string) {
	if m.screen == timelineScreen {
		m.timeline.SetFilter(text)
		return
	}
	m.flags.SetFilter(text)
	m.selectionMoved()
	m.relayout()
}

// pasted lets text into a prompt; on the board a paste never acts.
func (m *Model) pasted(msg tea.PasteMsg) tea.Cmd {
	if m.drowsy() {
		return nil
	}
	if m.prompt.Opened() {
		var cmd tea.Cmd
		m.prompt, cmd = m.prompt.Update(msg)
		return cmd
	}
	m.footer.SetStatus("a paste does nothing here: keys act one by one", footer.Warning)
	return nil
}

// keyPressed gives a key to whoever has the keyboard: dialog, prompt, help, the
// board's own keys, the keys that act, then the focused pane.
func (m *Model) keyPressed(msg tea.KeyPressMsg) tea.Cmd {
	if m.drowsy() {
		return nil
	}
	now := m.opts.Now()
	if m.gate.press(now) {
		m.burst()
	}
	if key.Matches(msg, m.keys.Suspend) {
		if m.opts.Remote != nil {
			m.footer.SetStatus("this board is served, so there is nothing to stop: q leaves", footer.Warning)
			return nil
		}
		return askToSuspend
	}
	if m.prompt.Opened() {
		var cmd tea.Cmd
		m.prompt, cmd = m.prompt.Update(msg)
		return cmd
	}
	if m.confirm.Opened() {
		return m.confirming(msg)
	}
	if m.helping {
		return m.helpKey(msg)
	}
	if cmd, ok := m.actionKey(msg); ok {
		return cmd
	}
	m.gate.other()
	if !m.gate.bursting(now) { // else the sentence about the burst would be gone at once
		m.clearStatus()
	}
	if cmd, ok := m.replayKey(msg); ok {
		return cmd
	}
	if cmd, ok := m.screenKey(msg); ok {
		return cmd
	}
	if cmd, ok := m.boardKey(msg); ok {
		return cmd
	}
	return m.paneKey(msg)
}

// confirming lets the dialog have a key, unless it came with a burst.
func (m *Model) confirming(msg tea.KeyPressMsg) tea.Cmd {
	if m.gate.bursting(m.opts.Now()) {
		return nil
	}
	var cmd tea.Cmd
	m.confirm, cmd = m.confirm.Update(msg)
	return cmd
}

func (m *Model) helpKey(msg tea.KeyPressMsg) tea.Cmd {
	if key.Matches(msg, m.keys.Help, m.keys.Escape, m.keys.Quit) {
		m.showHelp(false)
		return nil
	}
	var cmd tea.Cmd
	m.help, cmd = m.help.Update(msg)
	return cmd
}

// nextContext ends the board for another context's. What is under way is finished
// first, and is told in the next board's status line.
func (m *Model) nextContext() tea.Cmd {
	if m.opts.Next == "" {
		m.footer.SetStatus("there is no other context: the config file names them", footer.Info)
		return nil
	}
	m.quitting, m.leaving = true, true
	return tea.Quit
}

// nextTheme paints the board in other colours. All views draw with the one theme that
// they were given, so its content is replaced; only the prompt has styles of its own.
func (m *Model) nextTheme() {
	if m.opts.NextTheme == nil {
		return
	}
	*m.opts.Theme = *m.opts.NextTheme(m.opts.Theme.Name)
	m.prompt = prompt.New(m.opts.Theme, m.keys)
	m.relayout()
	text := "theme " + m.opts.Theme.Name
	if about := themes.About(m.opts.Theme.Name); about != "" {
		text += ": " + about
	}
	m.footer.SetStatus(text, footer.Info)
}

// showHelp opens or closes the help screen, with the keys that then do something
// in the footer.
func (m *Model) showHelp(on bool) {
	m.helping = on
	if on {
		m.footer.SetHelp(m.help.ShortHelp())
		return
	}
	m.show(m.screen)
}

// boardKey handles the keys that mean the same in every pane.
func (m *Model) boardKey(msg tea.KeyPressMsg) (tea.Cmd, bool) {
	switch {
	case key.Matches(msg, m.keys.Quit):
		if m.staysFor() {
			return nil, true
		}
		m.quitting = true
		return tea.Quit, true
	case key.Matches(msg, m.keys.NextContext):
		if m.opts.Next != "" && m.staysFor() {
			return nil, true
		}
		return m.nextContext(), true
	case key.Matches(msg, m.keys.NextTheme):
		m.nextTheme()
	case key.Matches(msg, m.keys.SaveRecording):
		return m.saveRecording(), true
	case key.Matches(msg, m.keys.Help):
		m.showHelp(true)
	case key.Matches(msg, m.keys.Report):
		return m.report(), true
	case key.Matches(msg, m.keys.History):
		return m.openHistory(), true
	case key.Matches(msg, m.keys.Suspects):
		m.show(suspectsScreen)
	case key.Matches(msg, m.keys.Timeline):
		m.show(timelineScreen)
	case key.Matches(msg, m.keys.NextPane):
		m.step(+1)
	case key.Matches(msg, m.keys.PrevPane):
		m.step(-1)
	case key.Matches(msg, m.keys.Zoom):
		m.zoomed = !m.zoomed
		m.relayout()
	case key.Matches(msg, m.keys.Filter):
		m.prompt.OpenFilter(m.flags.Filter())
	case key.Matches(msg, m.keys.Copy):
		return m.copyText(), true
	case key.Matches(msg, m.keys.Escape):
		m.escape()
	default:
		return nil, false
	}
	return nil, true
}

// escape undoes one layer of looking: zoom, detail, filter.
func (m *Model) escape() {
	switch {
	case m.detailed:
		m.detailed = false
	case m.zoomed:
		m.zoomed = false
	case m.flags.Filter() != "":
		m.filter("")
	default:
		m.flags.ClearMarks()
	}
	m.relayout()
}

func (m *Model) step(by int) {
	if m.detailed {
		return
	}
	for {
		m.focus = pane((int(m.focus) + by + int(paneCount)) % int(paneCount))
		if m.focus != paneAlerts || m.alerts.Wants() >= 0 {
			break
		}
	}
	m.relayout()
	m.breaker = m.underCursor() // which a pane has once it has the keys
}

func (m *Model) paneKey(msg tea.KeyPressMsg) tea.Cmd {
	var cmd tea.Cmd
	if m.isChartKey(msg) {
		m.detail, cmd = m.detail.Update(msg)
		return cmd
	}
	if m.detailed && (m.zoomed || key.Matches(msg, m.keys.PageUp, m.keys.PageDown)) {
		m.detail, cmd = m.detail.Update(msg) // below a list, the keys for a row belong to the list
		return cmd
	}
	switch m.focus {
	case paneFlags:
		m.flags, cmd = m.flags.Update(msg)
		m.selectionMoved()
		if key.Matches(msg, m.keys.Mark) { // what the keys act on now
			m.relayout()
		}
	case paneAlerts:
		rows := m.alerts.Wants()
		m.alerts, cmd = m.alerts.Update(msg)
		if m.alerts.Wants() != rows { // unfolded, or folded
			m.relayout()
		}
		m.pointDetail()
	case paneBreakers:
		m.breakers, cmd = m.breakers.Update(msg)
		m.breaker = m.underCursor()
		m.pointDetail()
	case paneLatency:
		m.latency, cmd = m.latency.Update(msg)
		m.pointDetail()
	case paneActivity:
		m.activity, cmd = m.activity.Update(msg)
	}
	if again := m.inspect(rest); again != nil {
		return tea.Batch(cmd, again)
	}
	return cmd
}

// selectionMoved takes note of a flag that the operator has moved to.
func (m *Model) selectionMoved() {
	if f, ok := m.flags.Selected(); ok && f.ID != m.selected {
		m.selected, m.seen, m.changedAt = f.ID, f.Revision, time.Time{}
		m.pointDetail()
		m.detail.SetSnapshot(m.snapshot, m.now)
	}
}

func (m *Model) nameOf(id sources.FlagID) string {
	if f := m.snapshot.Flag(id); f != nil {
		return f.Name
	}
	return sources.Clean(id.Key, sources.MaxName)
}
