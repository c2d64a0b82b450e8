package ui

import (
	"fmt"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"relctl-tui/views"
	"relctl-tui/views/footer"
)

// This file is which keys the help offers where the board is now.

// offered are the keys that do something here and now.
func (m *Model) offered() views.KeyMap {
	k := m.shown
	if !m.changes() { // then what a breaker and an alert take is all that can be changed
		open, shut, silence := k.ForceOpen, k.CloseBreaker, k.Silence
		k = k.ReadOnly()
		if !m.opts.ReadOnly {
			k.ForceOpen, k.CloseBreaker, k.Silence = open, shut, silence
		}
	}
	return k
}

// place is where the keys are that the help puts first.
func (m *Model) place() views.Place {
	switch {
	case m.screen == timelineScreen, m.screen == noScreen && m.detailed:
		return views.OverCharts
	case m.screen == historyScreen, m.screen == noScreen && m.focus != paneFlags && m.focus != paneLatency:
		return views.OverRows
	}
	return views.Anywhere
}

// aboutFlag says what is so of the keys that act on the selected flag; "" for nothing.
func (m *Model) aboutFlag() string {
	f, ok := m.flags.Selected()
	switch {
	case m.opts.Replay != nil:
		return ""
	case m.opts.ReadOnly:
		return "nothing can be changed from here"
	case !m.changes():
		return "no flag can be changed from here"
	case len(m.flags.Marked()) > 0:
		return flagsText(len(m.flags.Marked())) + " marked: " + keysOf(m.keys.Ramp, m.keys.Back, m.keys.SetPercent, m.keys.Kill) + " act on all"
	case !ok:
		return "no flag is selected"
	case m.snapshot.Source(f.ID.Source).ReadOnly != "":
		return f.ID.Source + " cannot be changed from here"
	case f.Migration != nil:
		return f.Name + " moves by stages"
	case f.CanRamp() != nil:
		return f.Name + " takes kill alone"
	}
	if frost, frozen := m.snapshot.Calendar.Of(&f, m.now); frozen {
		return fmt.Sprintf("%s is not raised: freeze until %s", f.Name, views.Clock(frost.Until, m.now))
	}
	if m.opts.Confirm {
		return "each change asks first"
	}
	return ""
}

// tableKey gives the table a key that is about its flags, whatever pane has the keys.
func (m *Model) tableKey(msg tea.KeyPressMsg) (cmd tea.Cmd) {
	if !key.Matches(msg, m.keys.Sort) && !m.flagInSight() {
		m.footer.SetStatus(m.outOfSight("flag"), footer.Warning)
		return nil
	}
	m.flags, cmd = m.flags.Update(msg)
	m.selectionMoved()
	m.relayout()
	return cmd
}

// keysOf names keys beside each other, without those that are on no key.
func keysOf(bindings ...key.Binding) string {
	var names []string
	for _, b := range bindings {
		if keys := views.KeysOf(b); len(keys) > 0 {
			names = append(names, keys[0])
		}
	}
	return strings.Join(names, " ")
}

// outOfSight says why a key does nothing to a row that nobody sees.
func (m *Model) outOfSight(what string) string {
	return "the " + what + " that this key acts on is not on the screen: " + views.Named(m.keys.Escape) + " shows it, then press again"
}
