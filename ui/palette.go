package ui

import (
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/views"
	"relctl-tui/views/footer"
	"relctl-tui/views/palette"
	"relctl-tui/views/prompt"
)

// This file is how the board is told what to do in words. What acts goes the way of the
// key that does the same: through the gate, to the hold, to control.

// command is an entry of the palette and what it does.
type command struct {
	palette.Entry
	run func(said palette.ChosenMsg) tea.Cmd
}

// recentCommands is how many lines the palette remembers.
const recentCommands = 8

// aim is what a key would act on: where the board is, and what the cursor is on.
type aim struct {
	screen screen
	focus  pane
	on     views.Subject
	marked int
}

func (m *Model) aim() aim {
	return aim{m.screen, m.focus, m.subject(), len(m.flags.Marked())}
}

// subject is what the cursor of the pane, or of the screen over the panes, is on.
func (m *Model) subject() views.Subject {
	switch {
	case m.screen == historyScreen:
		return views.FlagSubject(m.past.Flag())
	case m.screen == suspectsScreen && m.suspects.Selected() != nil:
		return views.FlagSubject(m.suspects.Selected().Flag)
	case m.screen != noScreen:
		return views.Subject{}
	case m.focus == paneBreakers:
		return m.breakers.Selected()
	case m.focus == paneLatency:
		return m.latency.Selected()
	case m.focus == paneAlerts:
		return m.alerts.Selected()
	case m.focus == paneFlags:
		if f, ok := m.flags.Selected(); ok {
			return views.FlagSubject(f.ID)
		}
	default:
	}
	return views.Subject{}
}

// openPalette lists what can be said now.
func (m *Model) openPalette() tea.Cmd {
	m.commands, m.aimed = m.commandList(), m.aim()
	entries := make([]palette.Entry, len(m.commands))
	for i := range m.commands {
		entries[i] = m.commands[i].Entry
	}
	m.palette.Open(m.snapshot, entries, m.recent)
	m.footer.SetStatus("", footer.Info)
	m.relayout()
	if m.opts.Saved == nil {
		return nil
	}
	return readFilters(m.opts.Saved) // another board may have saved one, for the next time
}

// paletteKey gives a key to the palette. Enter that comes as fast behind another key as
// in a paste does nothing.
func (m *Model) paletteKey(msg tea.KeyPressMsg) tea.Cmd {
	if msg.Code == tea.KeyEnter && (m.gate.rushed() || m.gate.bursting(m.opts.Now())) {
		m.palette.Say("that came like a paste: enter again does it")
		return nil
	}
	var cmd tea.Cmd
	m.palette, cmd = m.palette.Update(msg)
	return cmd
}

// said does what was chosen in the palette.
func (m *Model) said(msg palette.ChosenMsg) tea.Cmd {
	m.relayout()
	m.recent = slices.DeleteFunc(m.recent, func(line string) bool { return line == msg.Line })
	m.recent = slices.Insert(m.recent, 0, msg.Line)
	m.recent = m.recent[:min(len(m.recent), recentCommands)]
	commands := m.commands
	m.commands = nil
	if msg.Text == "" {
		return m.reveal(views.FlagSubject(msg.Flag.ID))
	}
	for i := range commands {
		if c := &commands[i]; c.Text == msg.Text {
			m.gate.other()
			return c.run(msg)
		}
	}
	return nil
}

// acts does what a key of a kind does: to the flag that was named, or to what the cursor
// was on when the palette opened, if it still is.
func (m *Model) acts(kind sources.ChangeKind) func(palette.ChosenMsg) tea.Cmd {
	return func(said palette.ChosenMsg) tea.Cmd {
		moved := m.movedAt(kind)
		if said.Flag != nil {
			moved = time.Time{} // nothing moves what is named, and that it changed shows by its revision
		}
		if said.Flag == nil && kind != sources.Undo && m.aim() != m.aimed {
			m.footer.SetStatus("something else came under the cursor meanwhile: look, then say it again", footer.Warning)
			return nil
		}
		if !m.admits(kind, false, moved) {
			return nil
		}
		switch {
		case said.Rest != "":
			return m.setTo(said)
		case said.Flag != nil:
			return m.change(kind, said.Flag)
		default:
			return m.action(kind)
		}
	}
}

// setTo sets the percentage that was said, at once or later.
func (m *Model) setTo(said palette.ChosenMsg) tea.Cmd {
	to, at, err := prompt.Percentage(said.Rest, m.now.In(m.zone()))
	if err != nil {
		m.footer.SetStatus(sources.Sentence(err), footer.Warning)
		return nil
	}
	msg := prompt.SubmittedMsg{Purpose: prompt.Percent, To: to, At: at}
	f := said.Flag
	switch selected, ok := m.flags.Selected(); {
	case f == nil && m.screen != noScreen:
		return m.screenAction(sources.Set)
	case f == nil && len(m.flags.Marked()) > 0:
		return m.groupTyped(m.batchOf(sources.Set), msg)
	case f == nil && (!ok || !m.flagInSight()):
		return m.flagKey(sources.Set) // which says why not
	case f == nil:
		f = &selected
	}
	why := m.snapshot.Source(f.ID.Source).ReadOnly
	if why != "" {
		why = f.ID.Source + " cannot be changed from here: " + why
	} else if err := f.CanRamp(); err != nil {
		why = sources.Sentence(err)
	}
	if why != "" {
		m.footer.SetStatus(why, footer.Warning)
		return nil
	}
	msg.Flag, msg.Seen, msg.SeenAs = f.ID, f.Revision, f.Brief()
	return m.typed(msg)
}

// reveal goes to the row of a subject: its pane gets the keys, and a filter that hides
// it goes.
func (m *Model) reveal(s views.Subject) tea.Cmd {
	m.toPanes()
	m.trail.jumped = true
	found := false
	switch s.Kind {
	case views.AFlag:
		m.focus = paneFlags
		if found = m.flags.Select(s.Flag); !found && m.snapshot.Flag(s.Flag) != nil {
			m.flags.SetFilter("")
			found = m.flags.Select(s.Flag)
		}
		m.selectionMoved()
	case views.ABreaker:
		m.focus = paneBreakers
		if found = m.breakers.Select(s); !found {
			m.breakers.SetFilter("")
			found = m.breakers.Select(s)
		}
	case views.ALatency:
		m.focus = paneLatency
		if found = m.latency.Select(s); !found {
			m.latency.SetFilter("")
			found = m.latency.Select(s)
		}
	default:
	}
	if !found {
		m.footer.SetStatus("that is not there any more", footer.Warning)
	}
	m.refocused()
	return nil
}

// toPanes leaves whatever stands over the panes.
func (m *Model) toPanes() {
	m.detailed = false
	m.helping = false
	m.show(noScreen)
}

// refocused lays out anew after the keys went to another pane.
func (m *Model) refocused() {
	m.relayout()
	m.pointDetail()
	m.detail.SetSnapshot(m.snapshot, m.now)
	m.breaker = m.underCursor() // which a pane has once it has the keys
}
