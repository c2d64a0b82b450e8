package ui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/views"
	"relctl-tui/views/footer"
)

// notice is a sentence that nobody asked for by a key.
type notice struct {
	level footer.Level
	text  string
}

// readWithin is how long good news stand before trouble takes their place.
const readWithin = 5 * time.Second

// notify says something in the status line until the next key. What is there for
// the operator already goes first; only the greeting gives way, and good news that
// were read give way to trouble: who waits for what was begun presses no key.
func (m *Model) notify(n notice) {
	if now := m.footer.Status(); now != "" && now != m.opts.Banner && !m.givesWay(n.level) {
		m.later = &n
		return
	}
	m.footer.SetStatus(n.text, n.level)
}

// givesWay tells whether the sentence in the status line makes room for one of a level.
func (m *Model) givesWay(level footer.Level) bool {
	return level >= footer.Warning && m.footer.Level() <= footer.Done && m.opts.Now().Sub(m.sayingAt) >= readWithin
}

// raise says trouble that had to wait, once what stood there was read.
func (m *Model) raise() {
	if m.later != nil && m.givesWay(m.later.level) {
		m.clearStatus()
	}
}

// heed notes since when the sentence in the status line stands there.
func (m *Model) heed() {
	if now := m.footer.Status(); now != m.saying {
		m.saying, m.sayingAt = now, m.opts.Now()
	}
}

// clearStatus empties the status line, or says what had to wait for it.
func (m *Model) clearStatus() {
	m.footer.SetStatus("", footer.Info)
	if n := m.later; n != nil {
		m.later = nil
		m.footer.SetStatus(n.text, n.level)
	}
}

// doubtsChecked says which changes are in doubt, and looks once more for those that
// are too young to tell.
func (m *Model) doubtsChecked(msg DoubtsCheckedMsg) tea.Cmd {
	var said []string
	level := footer.Warning
	if d := slices.Clone(msg.Doubts); len(d) > 0 {
		slices.SortStableFunc(d, func(a, b sources.Activity) int {
			return cmp.Compare(certainty(a.Outcome), certainty(b.Outcome))
		})
		if d[0].Outcome == sources.Unconfirmed {
			level = footer.Failure
		}
		said = append(said, m.inDoubt(&d[0], len(d)))
	}
	if said = append(said, msg.Warnings...); len(said) > 0 {
		m.notify(notice{level, strings.Join(said, "; ")})
	}
	if len(msg.Young) == 0 {
		return nil
	}
	return checkDoubts(m.ctx, m.control, m.engine, m.opts.Now, msg.Again, msg.Young)
}

// certainty orders what the store says of a change in doubt, the worst first.
func certainty(o sources.Outcome) int {
	return slices.Index([]sources.Outcome{sources.Unconfirmed, sources.Confirmed, sources.Failed}, o)
}

// inDoubt is the sentence about the worst of n changes.
func (m *Model) inDoubt(worst *sources.Activity, n int) string {
	head, tail := "1 change was in doubt", ""
	if n > 1 {
		head, tail = fmt.Sprintf("%d changes were in doubt, the worst", n), "; see Activity"
	}
	who := cmp.Or(worst.Actor, "somebody")
	return fmt.Sprintf("%s: %s %s %s %s by %s at %s: %s%s", head, worst.Name, worst.Old, m.opts.Theme.Glyphs.Arrow,
		worst.New, who, views.Clock(worst.At, m.opts.Now()), worst.Err, tail)
}
