package ui

// The smallest screen the board is drawn on.
const (
	minWidth  = 60
	minHeight = 15
	// sideBySide is the width from which breakers and latency stand beside each
	// other, below the flags table. The table itself always has the full width,
	// so that the terminal's own scrolling serves it.
	sideBySide = 150
	// Beside each other, breakers get half until they have enough for their numbers, then
	// latency until it has ample room to say which call takes how much of it.
	enough, ample = 84, 126
	// wordy is the width from which each pane's reason for being empty fits into a line.
	wordy = 70
	// roomy is the height from which the last change's outcome and the keys each
	// have a line of their own.
	roomy = 30
	// detailRoom is what the detail keeps for itself, with a chart of a good height, before
	// breakers and latency stay in sight beside it.
	detailRoom = 22
	// A glimpse of what is selected takes the empty lines below a log of changes that has
	// seen so many: never fewer lines than say what a key would do, and never more than are
	// read at a glance.
	logRoom, leastGlimpse, mostGlimpse = 8, 10, 18
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

// paneNames are what each pane is called.
var paneNames = [paneCount]string{"flags", "alerts", "breakers", "latency", "activity"}

// size is what a pane gets, in cells; a zero height means not shown.
type size struct{ w, h int }

// wants is how many rows of content each pane could use, and how many lines the
// status needs (0 is one). Alerts below 0 want no pane, and 0 is its title alone.
type wants struct {
	flags, alerts, breakers, latency, activity, status int
	split                                              splits // heights that were given by hand
	tips                                               bool   // the status has a line of its own, whatever the height
	// trouble is the lines that each pane could use to say what it cannot read: it has
	// them of what is spare, and no rows make room for it.
	trouble [paneCount]int
}

// The least that a pane, and the table of flags, keep when others are given more.
const leastPane, leastTable = 2, 4

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
	detail   size // of what is selected, at the bottom; not shown when its height is 0
	footer   size
}

// arrange computes the layout of a w x h screen: the header has a line, the footer
// what its status needs, the lower panes get what they need within their shares,
// the flags table the rest. With detail all but the pane with the focus give way to it;
// with zoom one pane has the whole body. A large screen has a glimpse of the detail
// unasked. Where there is room, breakers and latency stay
// in sight above the detail of anything else: they are what a change is watched by.
func arrange(w, h int, want wants, detail bool, zoom bool, focus pane) layout {
	l := layout{header: size{w, 1}, footer: size{w, max(1, want.status)}}
	if w < minWidth || h < minHeight {
		l.tooSmall = true
		return l
	}
	if h >= roomy || want.tips {
		l.footer.h++
	}
	body := h - l.header.h - l.footer.h
	switch {
	case detail && zoom:
		l.detail = size{w, body}
	case zoom:
		l.panes[focus] = size{w, body}
	case detail:
		above := max(4, min(1+want.of(focus)+want.trouble[focus], body*2/5))
		if byHand := want.split[detailArea]; byHand > 0 {
			above = max(leastTable, min(byHand, body-leastTable))
		}
		l.panes[focus] = size{w, above}
		l.detail = size{w, body - above}
		if focus != paneBreakers && focus != paneLatency {
			l.keepWatch(w, l.detail.h-detailRoom, want)
		}
	default:
		l.stack(w, body, want)
	}
	return l
}

// stack shares the body out. A glimpse is shown where there is room for it beside a log
// of changes that is full, however much is in it, so that nothing moves as it fills.
func (l *layout) stack(w, body int, want wants) {
	full, glimpsed := want, *l
	full.activity = body
	if glimpsed.share(w, body, full) && want.flags > 0 && glimpsed.glimpse(w) {
		*l = glimpsed
	} else {
		l.share(w, body, want)
	}
	l.byHand(&want.split)
}

// share gives the lower panes their title line, what they want within a share of the
// body each, and the flags table all that is left; true where that is more than it needs.
func (l *layout) share(w, body int, want wants) (spared bool) {
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
		left := leftOf(w)
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
	spare := l.panes[paneFlags].h - (1 + max(want.flags+want.trouble[paneFlags], 3))
	if spare <= 0 {
		return false
	}
	l.panes[paneFlags].h -= spare
	l.panes[paneActivity].h += l.give(spare, &want)
	return true
}

// glimpse shows what is selected where only the log of changes would have the lines.
func (l *layout) glimpse(w int) bool {
	log := &l.panes[paneActivity]
	lines := min(log.h-logRoom, mostGlimpse)
	if lines < leastGlimpse {
		return false
	}
	log.h -= lines
	l.detail = size{w, lines}
	return true
}

// keepWatch takes at most so many lines from the detail for breakers and latency.
func (l *layout) keepWatch(w, spare int, want wants) {
	brk, lat := 1+max(1, want.breakers), 1+max(1, want.latency)
	if l.beside = w >= sideBySide; l.beside {
		both := min(max(brk, lat), spare)
		if l.beside = both >= leastPane; !l.beside {
			return
		}
		left := leftOf(w)
		l.panes[paneBreakers], l.panes[paneLatency] = size{left, both}, size{w - left, both}
		l.detail.h -= both
		return
	}
	if spare < brk+lat {
		return
	}
	l.panes[paneBreakers], l.panes[paneLatency] = size{w, brk}, size{w, lat}
	l.detail.h -= brk + lat
}

// watched is how many lines other panes than this one have above the detail.
func (l *layout) watched(focus pane) (rows int) {
	for p, s := range l.panes {
		if pane(p) != focus && !(l.beside && pane(p) == paneLatency) {
			rows += s.h
		}
	}
	return rows
}

// leftOf is how much of the width breakers get beside latency.
func leftOf(w int) int { return min(w/2, max(enough, w-ample)) }

// byHand gives panes the heights that somebody chose, as far as the table keeps its least.
func (l *layout) byHand(split *splits) {
	for _, p := range []pane{paneAlerts, paneBreakers, paneLatency, paneActivity} {
		has := l.panes[p].h
		if split[p] == 0 || has == 0 || l.beside && p == paneLatency {
			continue
		}
		h := max(leastPane, min(split[p], has+l.panes[paneFlags].h-leastTable))
		l.panes[paneFlags].h += has - h
		l.panes[p].h = h
		if l.beside && p == paneBreakers {
			l.panes[paneLatency].h = h
		}
	}
}

// give gives lines to the panes of what is unhealthy that want more, the worst first,
// and says how many are left.
func (l *layout) give(lines int, want *wants) (left int) {
	lack := func(p pane) int {
		if l.panes[p].h == 0 {
			return 0
		}
		return max(0, 1+want.of(p)+want.trouble[p]-l.panes[p].h)
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
