package ui

import (
	"fmt"

	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/views"
	"relctl-tui/views/footer"
)

// openHistory shows the past of the selected flag.
func (m *Model) openHistory() tea.Cmd {
	f, ok := m.flags.Selected()
	if !ok || !m.flagInSight() {
		m.footer.SetStatus("no flag is selected whose history could be shown", footer.Warning)
		return nil
	}
	m.past.Open(f.ID, f.Name)
	m.show(historyScreen)
	return m.askHistory()
}

// askHistory reads the past that is on the screen, when the flag is not any more what
// was read; one look at a time.
func (m *Model) askHistory() tea.Cmd {
	id := m.past.Flag()
	if m.screen != historyScreen || m.recalling {
		return nil
	}
	f := m.snapshot.Flag(id)
	if m.past.Seen() != "" && (f == nil || f.Revision == m.past.Seen()) {
		return nil
	}
	m.recalling = true
	return readHistory(m.ctx, m.control, id)
}

func (m *Model) historyRead(msg HistoryReadMsg) tea.Cmd {
	m.recalling = false
	if msg.History.Flag.ID != m.past.Flag() {
		return m.askHistory() // the operator has gone to another flag meanwhile
	}
	m.past.SetHistory(&msg.History, msg.Err)
	return nil
}

// historyAction is a key that acts while a history is on the screen: it returns the flag
// to the state under the cursor, or kills it.
func (m *Model) historyAction(kind sources.ChangeKind) tea.Cmd {
	refuse := func(reason string) tea.Cmd {
		m.footer.SetStatus(reason, footer.Warning)
		return nil
	}
	f := m.snapshot.Flag(m.past.Flag())
	switch {
	case f == nil:
		return refuse("this flag is not in its store any more")
	case m.snapshot.Source(f.ID.Source).ReadOnly != "":
		return refuse(f.ID.Source + " cannot be changed from here: " + m.snapshot.Source(f.ID.Source).ReadOnly)
	case kind == sources.Kill:
		return views.Act(m.snapshot, f, kind, m.opts.ReadOnly)
	case kind != sources.Restore:
		return refuse(m.outOfSight("row"))
	}
	in, refused := m.past.Intend()
	if refused != "" {
		return refuse(refused)
	}
	if r := m.refused.intent; r.Kind == kind && r.Change == in.Change && r.Before == in.Before && m.overrides(kind, f) {
		return nil
	}
	return m.intended(in, false)
}

// askAllTheSame asks about an undo, or a return, that met somebody else's change: it
// shows both values. Who agrees has seen them, and what comes later is a conflict again.
func (m *Model) askAllTheSame(msg ActionFinishedMsg) bool {
	clash, ok := control.ClashOf(msg.Err)
	if !ok || m.prompt.Opened() || m.confirm.Opened() {
		return false
	}
	by := "somebody"
	if clash.By != "" {
		by = clash.By
	}
	doubt := fmt.Sprintf("%s made it %s since", by, clash.Flag.Brief())
	if clash.Was != "" {
		doubt += " and it was " + clash.Was
	}
	in := clash.Instead
	in.ToAs = clash.To
	m.footer.SetStatus("", footer.Info)
	m.confirm.Ask(in, clash.Flag, doubt)
	return true
}
