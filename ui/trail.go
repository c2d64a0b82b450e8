package ui

import (
	tea "charm.land/bubbletea/v2"

	"relctl-tui/views"
	"relctl-tui/views/footer"
)

// This file is the way back to where the operator has been. It only ever looks.

// place is where somebody is on the board, and what the cursor is on there.
type place struct {
	screen           screen
	helping          bool
	focus            pane
	detailed, zoomed bool
	filters          [paneCount]string
	on               views.Subject
}

// apart tells whether one has gone from one place to another, and not only moved the
// cursor.
func (p place) apart(q place) bool {
	if p.screen != historyScreen { // which is another one for each flag
		p.on, q.on = views.Subject{}, views.Subject{}
	}
	return p != q
}

// trail is the places in the order in which somebody went to them; the zero trail is new.
type trail struct {
	been   []place
	at     int
	jumped bool // the cursor was taken to another row, which is a place of its own
}

// longestTrail is how many places are remembered.
const longestTrail = 50

// visit takes note of where somebody is. Who goes on from a place that they went back to
// forgets what lay ahead, as in a browser.
func (t *trail) visit(p place) {
	switch {
	case len(t.been) == 0:
		t.been = []place{p}
	case p.apart(t.been[t.at]), t.jumped && p != t.been[t.at]:
		t.been = append(t.been[:t.at+1:t.at+1], p)
		t.been = t.been[max(0, len(t.been)-longestTrail):]
		t.at = len(t.been) - 1
	default:
		t.been[t.at] = p
	}
	t.jumped = false
}

// tread takes note of where the board is, unless something is being typed or asked.
func (m *Model) tread() {
	if !m.prompt.Opened() && !m.confirm.Opened() && !m.palette.Opened() && !m.quitting {
		m.trail.visit(place{m.screen, m.helping, m.focus, m.detailed, m.zoomed, m.filters(), m.subject()})
	}
}

// walk goes back, or on again, by one place.
func (m *Model) walk(by int) tea.Cmd {
	to := m.trail.at + by
	switch {
	case to < 0:
		m.footer.SetStatus("this is where you began", footer.Info)
		return nil
	case to >= len(m.trail.been):
		m.footer.SetStatus("you have not been further than this", footer.Info)
		return nil
	}
	m.trail.at = to
	p := m.trail.been[to]
	m.focus, m.detailed, m.zoomed = p.focus, p.detailed, p.zoomed
	for i, text := range p.filters {
		m.setFilter(pane(i), text)
	}
	there := m.cursorTo(p)
	m.show(p.screen)
	m.showHelp(p.helping)
	m.refocused()
	if !there {
		m.footer.SetStatus("what was selected there is not there any more", footer.Warning)
	}
	if p.screen == historyScreen {
		m.past.Open(p.on.Flag, m.nameOf(p.on.Flag))
		return m.askHistory()
	}
	return nil
}

// escapes tells whether escape leads out of anything on the panes.
func (m *Model) escapes() bool {
	return m.detailed || m.zoomed || m.filters() != [paneCount]string{} || len(m.flags.Marked()) > 0
}

// escape undoes one layer of looking: zoom, detail, filter.
func (m *Model) escape() {
	switch {
	case m.detailed:
		m.detailed = false
	case m.zoomed:
		m.zoomed = false
	case m.filterOf(m.focus) != "":
		m.narrow(m.focus, "")
	case m.filters() != [paneCount]string{}:
		for p := range paneCount {
			m.narrow(p, "")
		}
	default:
		m.flags.ClearMarks()
	}
	m.relayout()
}

// cursorTo puts the cursor on what it was on at a place; false when that is gone.
func (m *Model) cursorTo(p place) bool {
	there := true
	switch {
	case p.on.Kind == views.NoSubject:
	case p.screen == historyScreen:
		return m.snapshot.Flag(p.on.Flag) != nil
	case p.screen != noScreen:
	case p.focus == paneFlags:
		there = m.flags.Select(p.on.Flag)
		m.selectionMoved()
	case p.focus == paneBreakers:
		there = m.breakers.Select(p.on)
	case p.focus == paneLatency:
		there = m.latency.Select(p.on)
	case p.focus == paneAlerts:
		there = m.alerts.Select(p.on)
	}
	return there
}
