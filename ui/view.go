package ui

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// View draws the board. It is cheap when nothing changed: the last frame is kept
// until Update drops it.
func (m *Model) View() tea.View {
	if m.frame == "" {
		m.frame = m.draw()
		m.painted()
	}
	v := tea.NewView(m.frame)
	v.AltScreen = true
	v.MouseMode = m.mouseMode()
	v.WindowTitle = m.title
	return v
}

func (m *Model) draw() string {
	if m.w <= 0 || m.h <= 0 || m.quitting || m.asleep { // what is old when it wakes is not shown as new
		return ""
	}
	if m.layout.tooSmall {
		return tooSmall(m.w, m.h)
	}
	var b strings.Builder
	b.Grow(m.w * m.h * 2)
	b.WriteString(m.header.View())
	b.WriteByte('\n')
	switch {
	case m.helping:
		b.WriteString(m.help.View())
		b.WriteByte('\n')
	case m.screen == timelineScreen:
		b.WriteString(m.timeline.View())
		b.WriteByte('\n')
	case m.screen == resultsScreen:
		b.WriteString(m.results.View())
		b.WriteByte('\n')
	case m.screen == historyScreen:
		b.WriteString(m.past.View())
		b.WriteByte('\n')
	case m.screen == suspectsScreen:
		b.WriteString(m.suspects.View())
		b.WriteByte('\n')
	default:
		m.drawBody(&b)
	}
	b.WriteString(m.bottom())
	return b.String()
}

func (m *Model) drawBody(b *strings.Builder) {
	line := func(s string) { b.WriteString(s); b.WriteByte('\n') }
	p := &m.layout.panes
	if p[paneFlags].h > 0 {
		line(m.flags.View())
	}
	if p[paneAlerts].h > 0 {
		line(m.alerts.View())
	}
	switch {
	case m.layout.beside && p[paneBreakers].h > 0:
		line(beside(m.breakers.View(), m.latency.View()))
	default:
		if p[paneBreakers].h > 0 {
			line(m.breakers.View())
		}
		if p[paneLatency].h > 0 {
			line(m.latency.View())
		}
	}
	if p[paneActivity].h > 0 {
		line(m.activity.View())
	}
	if m.layout.detail.h > 0 {
		line(m.detail.View())
	}
}

// bottom is the line that answers: a dialog, a prompt, or status and keys.
func (m *Model) bottom() string {
	switch {
	case m.confirm.Opened():
		return m.confirm.View()
	case m.prompt.Opened():
		return m.prompt.View()
	case m.palette.Opened():
		return m.palette.View()
	default:
		return m.footer.View()
	}
}

// beside joins two blocks of the same height line by line.
func beside(left, right string) string {
	l, r := strings.Split(left, "\n"), strings.Split(right, "\n")
	for i := range l {
		if i < len(r) {
			l[i] += r[i]
		}
	}
	return strings.Join(l, "\n")
}

// tooSmall is one line that says what is needed, in as many words as fit.
func tooSmall(w, h int) string {
	need := fmt.Sprintf("%dx%d", minWidth, minHeight)
	for _, s := range []string{
		fmt.Sprintf("%dx%d is too small: relctl-tui needs %s", w, h, need),
		"too small: needs " + need, "needs " + need, need,
	} {
		if len(s) <= w {
			return s
		}
	}
	return need[:w]
}
