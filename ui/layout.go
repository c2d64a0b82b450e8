package ui

// The smallest screen the board is drawn on.
const (
	minWidth  = 60
	minHeight = 15
	// sideBySide is the width from which breakers and latency stand beside each
	// other, below the flags table. The table itself always has the full width,
	// so that the terminal's own scrolling serves it.
	sideBySide = 150
	// wordy is the width from which each pane's reason for being empty fits into a line.
	wordy = 70
	// roomy is the height from which the last change's outcome and the keys each
	// have a line of their own.
	roomy = 30
)

// pane is one of the areas that can have the focus.
type pane int

const (
	paneFlags  pane = iota
	paneAlerts      // only where a source has alerts
	paneBreakers
	paneLatency
	paneActivity
	paneCount
)

// size is what a pane gets, in cells; a zero height means not shown.
type size struct{ w, h int }

// wants is how many rows of content each pane could use, and how many lines the
// status needs (0 is one). Alerts below 0 want no pane, and 0 is its title alone.
type wants struct{ flags, alerts, breakers, latency, activity, status int }

// of is what one pane wants.
func (w *wants) of(p pane) int {
	return [paneCount]int{w.flags, w.alerts, w.breakers, w.latency, w.activity}[p]
}

// layout is the computed arrangement of one screen.
type layout struct {
	tooSmall bool
	beside   bool // breakers and latency share a row of panes
	header   size
	panes    [paneCount]size
	detail   size // shown below the pane with the focus when its height is not 0
	footer   size
}

// arrange computes the layout of a w x h screen: the header has a line, the footer
// what its status needs, the lower panes get what they need within their shares,
// the flags table the rest. With detail all but the pane with the focus give way to it;
// with zoom one pane has the whole body.
func arrange(w, h int, want wants, detail bool, zoom bool, focus pane) layout {
	l := layout{header: size{w, 1}, footer: size{w, max(1, want.status)}}
	if w < minWidth || h < minHeight {
		l.tooSmall = true
		return l
	}
	if h >= roomy {
		l.footer.h++
	}
	body := h - l.header.h - l.footer.h
	switch {
	case detail && zoom:
		l.detail = size{w, body}
	case zoom:
		l.panes[focus] = size{w, body}
	case detail:
		above := max(4, min(1+want.of(focus), body*2/5))
		l.panes[focus] = size{w, above}
		l.detail = size{w, body - above}
	default:
		l.stack(w, body, want)
	}
	return l
}

// stack gives the lower panes their title line, what they want within a share of the
// body each, and the flags table all that is left.
func (l *layout) stack(w, body int, want wants) {
	if want.alerts >= 0 {
		l.panes[paneAlerts] = size{w, min(1+want.alerts, max(2, body*4/24))}
		body -= l.panes[paneAlerts].h
	}
	least := 3
	if body < 14 {
		least = 2
	}
	share := func(rows, num int) int { return max(least, min(1+rows, body*num/24)) }
	brk, lat, act := share(want.breakers, 5), share(want.latency, 6), share(want.activity, 4)
	unused := 0
	if want.activity == 0 && w >= wordy && act > 2 { // that nothing happened takes one line
		unused, act = act-2, 2
	}
	if l.beside = w >= sideBySide; l.beside {
		both := max(brk, lat)
		left := w / 2
		l.panes[paneBreakers] = size{left, both}
		l.panes[paneLatency] = size{w - left, both}
		l.panes[paneActivity] = size{w, act}
		l.panes[paneFlags] = size{w, body - both - act}
	} else {
		l.panes[paneBreakers] = size{w, brk}
		l.panes[paneLatency] = size{w, lat}
		l.panes[paneActivity] = size{w, act}
		l.panes[paneFlags] = size{w, body - brk - lat - act}
	}
	l.panes[paneFlags].h -= unused - l.give(unused, &want)
	// A table taller than its flags is air; panes with more to say can use it, and then
	// the log of changes.
	if spare := l.panes[paneFlags].h - (1 + max(want.flags, 3)); spare > 0 {
		l.panes[paneFlags].h -= spare
		l.panes[paneActivity].h += l.give(spare, &want)
	}
}

// give gives lines to the panes of what is unhealthy that want more, the worst first,
// and says how many are left.
func (l *layout) give(lines int, want *wants) (left int) {
	lack := func(p pane) int {
		if l.panes[p].h == 0 {
			return 0
		}
		return max(0, 1+want.of(p)-l.panes[p].h)
	}
	for _, p := range []pane{paneAlerts, paneBreakers, paneLatency} {
		more := lack(p)
		if l.beside && p == paneBreakers {
			more = max(more, lack(paneLatency))
		}
		more = min(more, lines)
		l.panes[p].h += more
		if l.beside && p == paneBreakers {
			l.panes[paneLatency].h += more
		}
		lines -= more
	}
	return lines
}
