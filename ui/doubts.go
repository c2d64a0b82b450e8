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
	names []string // in it, as SetStatus takes them
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
	m.footer.SetStatus(n.text, n.level, n.names...)
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
		m.footer.SetStatus(n.text, n.level, n.names...)
	}
}

// recheck is when an unconfirmed change was looked at again last, and how often.
type recheck struct {
	at    time.Time
	times int
}

// How often an unconfirmed change is looked at again, and how far apart.
const (
	mostRechecks = 5
	recheckEvery = 10 * time.Second
)

// recheck looks at changes again that were written and could not be read back, once their
// store has been read since: whoever waits for that opens no new board.
func (m *Model) recheck() tea.Cmd {
	if m.opts.Replay != nil {
		return nil
	}
	now := m.opts.Now()
	var again []string
	for i := range m.snapshot.Activity {
		a := &m.snapshot.Activity[i]
		if a.Outcome != sources.Unconfirmed || a.ID == "" {
			continue
		}
		before := m.rechecked[a.ID]
		since := before.at
		if a.At.After(since) {
			since = a.At
		}
		st := m.snapshot.Source(a.Flag.Source)
		if part := st.Part(sources.PartFlags); part.Health != sources.Fresh || !part.LastOK.After(since) || now.Sub(since) < recheckEvery || before.times >= mostRechecks {
			continue
		}
		if m.rechecked == nil {
			m.rechecked = map[string]recheck{}
		}
		m.rechecked[a.ID] = recheck{now, before.times + 1}
		again = append(again, a.ID)
	}
	if len(again) == 0 {
		return nil
	}
	return checkDoubts(m.ctx, m.control, m.engine, m.opts.Now, 0, again)
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
		m.notify(notice{level: level, text: strings.Join(said, "; ")})
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
