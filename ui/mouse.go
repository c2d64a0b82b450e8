package ui

import (
	tea "charm.land/bubbletea/v2"

	"relctl-tui/views"
)

// This file is what a mouse does, where the operator asked for one. It looks, moves and
// sizes; nothing that a mouse does ever changes a flag.

// wheelRows is how many rows one turn of the wheel moves.
const wheelRows = 3

// detailArea stands for the detail where areas are told apart.
const detailArea = paneCount

// splits are the heights that panes were given by hand, the detail's for the pane above
// it; 0 for as the layout likes.
type splits [paneCount + 1]int

// mouseMode asks the terminal for clicks only while they lead to anything.
func (m *Model) mouseMode() tea.MouseMode {
	if !m.opts.Mouse || m.quitting || m.asleep || m.layout.tooSmall {
		return tea.MouseModeNone
	}
	return tea.MouseModeCellMotion
}

// moused handles what a mouse did.
func (m *Model) moused(msg tea.MouseMsg) tea.Cmd {
	if !m.opts.Mouse || m.drowsy() || m.prompt.Opened() || m.confirm.Opened() || m.palette.Opened() {
		return nil
	}
	at := msg.Mouse()
	switch msg.(type) {
	case tea.MouseWheelMsg:
		return m.wheel(at)
	case tea.MouseClickMsg:
		m.drag = noDrag
		if at.Button == tea.MouseLeft {
			return m.click(at)
		}
	case tea.MouseMotionMsg:
		if m.drag != noDrag {
			m.dragTo(at.Y)
		}
	case tea.MouseReleaseMsg:
		m.drag = noDrag
	}
	return nil
}

// noDrag is the area that is dragged while none is.
const noDrag pane = -1

// under is the area at a cell of the screen, and its first line.
func (m *Model) under(x, y int) (area pane, top int, ok bool) {
	if m.helping || m.screen != noScreen {
		return 0, 0, false
	}
	l := &m.layout
	top = l.header.h
	for _, p := range []pane{paneFlags, paneAlerts, paneBreakers, paneLatency, paneActivity} {
		h := l.panes[p].h
		if l.beside && p == paneLatency {
			continue // its lines were the breakers'
		}
		if y >= top && y < top+h {
			if l.beside && p == paneBreakers && x >= l.panes[p].w {
				p = paneLatency
			}
			return p, top, true
		}
		top += h
	}
	return detailArea, top, y >= top && y < top+l.detail.h
}

// wheel moves through what is under the pointer.
func (m *Model) wheel(at tea.Mouse) tea.Cmd {
	b := m.keys.Down
	switch at.Button {
	case tea.MouseWheelUp:
		b = m.keys.Up
	case tea.MouseWheelDown:
	default:
		return nil
	}
	k := views.Press(b)
	area, _, over := m.under(at.X, at.Y)
	if !over && !m.helping && m.screen == noScreen {
		return nil
	}
	m.gate.other()
	var cmds []tea.Cmd
	for range wheelRows {
		switch {
		case m.helping:
			m.help, _ = m.help.Update(k)
		case m.screen != noScreen:
			cmd, _ := m.screenKey(k)
			cmds = append(cmds, cmd)
		case area == detailArea:
			m.detail, _ = m.detail.Update(k)
		default:
			m.focusOn(area)
			cmds = append(cmds, m.paneKey(k))
		}
	}
	return tea.Batch(cmds...)
}

// focusOn gives a pane the keys.
func (m *Model) focusOn(p pane) {
	if p == m.focus || p == detailArea {
		return
	}
	m.focus = p
	m.refocused()
}

// click gives the keys to the pane under the pointer and puts its cursor there, or takes
// hold of its title line. A row that has the cursor already opens.
func (m *Model) click(at tea.Mouse) tea.Cmd {
	area, top, ok := m.under(at.X, at.Y)
	if !ok {
		return nil
	}
	m.gate.other()
	m.clearStatus()
	if at.Y == top {
		if top > m.layout.header.h {
			m.drag = area
		}
		m.focusOn(area)
		return nil
	}
	before, had := m.onRow(), m.focus == area
	found := false
	switch line := at.Y - top; area {
	case paneFlags:
		found = m.flags.Point(line)
	case paneAlerts:
		found = m.alerts.Point(line)
	case paneBreakers:
		found = m.breakers.Point(line)
	case paneLatency:
		found = m.latency.Point(line)
	default:
	}
	m.focusOn(area)
	if !found {
		return nil
	}
	if had && before == m.onRow() {
		return m.paneKey(views.Press(m.keys.Detail))
	}
	m.selectionMoved()
	m.refocused()
	return m.inspect(rest)
}

// onRow is what the cursor of the pane with the keys is on.
func (m *Model) onRow() any {
	switch m.focus {
	case paneAlerts:
		return m.alerts.Selected()
	case paneBreakers:
		return m.breakers.Selected()
	case paneLatency:
		return m.latency.Selected()
	default:
		f, _ := m.flags.Selected()
		return f.ID
	}
}

// dragTo moves the title line that is held to a line of the screen.
func (m *Model) dragTo(y int) {
	if !m.detailed && m.drag == detailArea { // a glimpse has what is left
		return
	}
	if m.detailed {
		above := y - m.layout.header.h
		if m.drag == detailArea {
			above -= m.layout.watched(m.focus)
		}
		m.split[detailArea] = above
		m.relayout()
		return
	}
	top := m.layout.header.h
	above := paneFlags
	for p := paneFlags; p < paneCount; p++ {
		if p == m.drag || m.layout.beside && m.drag == paneLatency && p == paneBreakers {
			m.resize(p, above, y-top)
			return
		}
		if m.layout.panes[p].h > 0 && (!m.layout.beside || p != paneLatency) {
			above = p
			top += m.layout.panes[p].h
		}
	}
}

// resize moves the line between a pane and the one above it by some lines down.
func (m *Model) resize(p, above pane, by int) {
	l := &m.layout
	least := leastPane
	if above == paneFlags {
		least = leastTable
	}
	by = max(least-l.panes[above].h, min(by, l.panes[p].h-leastPane))
	if above != paneFlags {
		m.split[above] = l.panes[above].h + by
	}
	m.split[p] = l.panes[p].h - by
	m.relayout()
}

// grow gives the pane with the keys another line, or takes one: what a drag does, by keys.
func (m *Model) grow(by int) {
	l := &m.layout
	if m.zoomed {
		return
	}
	if m.detailed {
		m.split[detailArea] = l.panes[m.focus].h + by
		m.relayout()
		return
	}
	p := m.focus
	if p == paneFlags { // at the cost of the pane below
		by = -by
		for p++; p < paneActivity && l.panes[p].h == 0; p++ {
			continue
		}
	}
	m.split[p] = max(leastPane, l.panes[p].h+by)
	if l.beside && p == paneLatency {
		m.split[paneBreakers] = m.split[p]
	}
	m.relayout()
}
