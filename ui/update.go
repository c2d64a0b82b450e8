package ui

import (
	"slices"
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
	"relctl-tui/views/palette"
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
	cmd := m.route(msg)
	m.heed()
	m.tread()
	m.footer.SetHint(m.tip())
	return m, tea.Batch(cmd, m.plot(), m.callPath(), m.inquire(), m.beginTour())
}

// route gives a message to whom it is for.
func (m *Model) route(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.resized(msg.Width, msg.Height)
		m.relayout()
		return nil
	case SeriesReadMsg, PathReadMsg, IncidentReadMsg:
		m.readMore(msg)
		return nil
	case palette.ChosenMsg:
		return m.said(msg)
	case tea.KeyPressMsg:
		m.paint.key(m.opts.Now())
		return m.keyPressed(msg)
	case tea.MouseMsg:
		return m.moused(msg)
	case tea.PasteMsg:
		return m.pasted(msg)
	case SnapshotPublishedMsg:
		return m.published(msg.Snapshot)
	case ClockTickedMsg:
		return m.ticked()
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

func (m *Model) published(s *sources.Snapshot) tea.Cmd {
	before := m.snapshot
	m.moveClock()
	m.setSnapshot(s)
	m.relayout()
	return tea.Batch(m.nextSnapshot(), m.callOut(before), m.inspect(rest), m.askHistory(), m.recheck())
}

func (m *Model) ticked() tea.Cmd {
	m.moveClock()
	m.forgetOthers()
	m.raise()
	m.refresh()
	return tea.Batch(m.nextTick(), m.askStanding())
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
	case UndoFoundMsg:
		m.undoFound(msg)
	case ScheduleKeptMsg:
		m.scheduleKept(msg)
	case ScheduleCalledOffMsg:
		m.scheduleCalledOff(msg)
	case ReportWrittenMsg:
		m.reportWritten(msg)
	case StandingReadMsg:
		m.standingRead(msg)
	case FirstTimeToldMsg:
		m.tourBegun(msg.First)
	case FiltersKeptMsg:
		m.filtersKept(msg)
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
	m.narrow(m.focus, text)
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
	if m.palette.Opened() {
		var cmd tea.Cmd
		m.palette, cmd = m.palette.Update(msg)
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
		return m.suspend()
	}
	if m.prompt.Opened() {
		var cmd tea.Cmd
		m.prompt, cmd = m.prompt.Update(msg)
		return cmd
	}
	if m.confirm.Opened() {
		return m.confirming(msg)
	}
	if m.palette.Opened() {
		return m.paletteKey(msg)
	}
	m.toured(msg)
	if key.Matches(msg, m.keys.Palette) {
		m.gate.other()
		return m.openPalette()
	}
	if !m.helping {
		if cmd, ok := m.actionKey(msg); ok {
			return cmd
		}
	}
	m.gate.other()
	if !m.helping && !m.gate.bursting(now) { // else the sentence about the burst would be gone at once
		m.clearStatus()
	}
	return m.browse(msg)
}

// browse is what a key does that changes nothing outside of the board.
func (m *Model) browse(msg tea.KeyPressMsg) tea.Cmd {
	if key.Matches(msg, m.keys.Backward, m.keys.Forward) {
		m.clearStatus()
		if key.Matches(msg, m.keys.Forward) {
			return m.walk(+1)
		}
		return m.walk(-1)
	}
	if m.helping {
		return m.helpKey(msg)
	}
	if m.replayKey(msg) {
		return nil
	}
	if cmd, ok := m.screenKey(msg); ok {
		return cmd
	}
	if cmd, ok := m.boardKey(msg); ok {
		return cmd
	}
	return m.paneKey(msg)
}

// suspend stops the program, unless it is no shell's here.
func (m *Model) suspend() tea.Cmd {
	if m.opts.Remote != nil {
		m.footer.SetStatus("this board is served, so there is nothing to stop: "+m.keys.Quit.Keys()[0]+" leaves", footer.Warning)
		return nil
	}
	return askToSuspend
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

// nextContext goes on to the context after this one.
func (m *Model) nextContext() tea.Cmd {
	if m.opts.Next == "" {
		m.footer.SetStatus("there is no other context: the config file names them", footer.Info)
		return nil
	}
	return m.toContext(m.opts.Next)
}

// toContext ends the board for another context's. What is under way is finished
// first, and is told in the next board's status line.
func (m *Model) toContext(name string) tea.Cmd {
	if m.staysFor() {
		return nil
	}
	m.quitting, m.leaving = true, name
	return tea.Quit
}

// quit ends the board, unless there is a reason to stay that was not told yet.
func (m *Model) quit() tea.Cmd {
	if m.staysFor() {
		return nil
	}
	m.quitting = true
	return tea.Quit
}

// nextTheme paints the board in the theme after this one.
func (m *Model) nextTheme() {
	if all := m.opts.Themes; len(all) > 1 {
		m.wear(all[(slices.Index(all, m.opts.Theme.Name)+1)%len(all)])
	}
}

// wear paints the board in other colours. All views draw with the one theme that they
// were given, so its content is replaced; only what is typed into has styles of its own.
func (m *Model) wear(name string) {
	*m.opts.Theme = *m.opts.Wear(name)
	m.prompt, m.palette = prompt.New(m.opts.Theme, m.keys), palette.New(m.opts.Theme)
	m.relayout()
	text := "theme " + m.opts.Theme.Name
	if about := themes.About(name); about != "" {
		text += ": " + about
	}
	m.footer.SetStatus(text, footer.Info)
}

// showHelp opens or closes the help screen, with the keys that then do something
// in the footer.
func (m *Model) showHelp(on bool) {
	m.helping = on
	if on {
		m.help.SetKeys(m.offered())
		m.help.SetPlace(m.place(), m.aboutFlag())
		m.footer.SetHelp(m.help.ShortHelp())
		return
	}
	m.show(m.screen)
}

// boardKey handles the keys that mean the same in every pane.
func (m *Model) boardKey(msg tea.KeyPressMsg) (tea.Cmd, bool) {
	switch {
	case key.Matches(msg, m.keys.Quit):
		return m.quit(), true
	case key.Matches(msg, m.keys.NextContext):
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
		m.zoom()
	case key.Matches(msg, m.keys.Grow):
		m.grow(+1)
	case key.Matches(msg, m.keys.Shrink):
		m.grow(-1)
	case key.Matches(msg, m.keys.Filter):
		m.openFilter()
	case key.Matches(msg, m.keys.Copy):
		return m.copyText(), true
	case key.Matches(msg, m.keys.Escape):
		m.escape()
	default:
		return nil, false
	}
	return nil, true
}

// zoom gives the pane, or the detail, the whole screen, or takes it back.
func (m *Model) zoom() {
	m.zoomed = !m.zoomed
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
		m.footer.SetHelp(m.shortHelp())
		return cmd
	}
	if key.Matches(msg, m.keys.Sort, m.keys.Mark, m.keys.MarkAll) { // as those that act, wherever the keys are
		return m.tableKey(msg)
	}
	if m.detailed && (m.zoomed || key.Matches(msg, m.keys.PageUp, m.keys.PageDown)) {
		m.detail, cmd = m.detail.Update(msg) // below a list, the keys for a row belong to the list
		return cmd
	}
	switch m.focus {
	case paneFlags:
		m.flags, cmd = m.flags.Update(msg)
		m.selectionMoved()
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
