package flags

import (
	"cmp"
	"slices"

	"relctl-tui/sources"
	"relctl-tui/views"
)

// Sort is an order of the table.
type Sort int

// The orders. The zero Sort is by what needs an eye on it.
const (
	ByState  Sort = iota // broken, ramping, then the rest; the latest change first
	ByRecent             // the latest change first
	ByKey
	sorts
)

// String is the order in words, for the title.
func (s Sort) String() string {
	return [...]string{"by state", "by change", "by key"}[max(0, min(s, sorts-1))]
}

// Sorts are all orders.
func Sorts() []Sort { return []Sort{ByState, ByRecent, ByKey} }

// SetSort orders the table; the selected flag stays selected.
func (m *Model) SetSort(s Sort) {
	m.sort = max(0, min(s, sorts-1))
	if m.snap != nil {
		m.arrange()
		m.follow(false)
	}
}

// SetFilter narrows the table to flags that a views.Filter lets through, those that hold
// its words as they stand first. The selected flag stays selected while it is shown.
func (m *Model) SetFilter(text string) {
	if text == m.filter {
		return
	}
	before := m.terms
	m.filter = text
	m.terms, _ = views.ParseFilter(text) // the prompt says what is wrong with it
	if m.snap == nil {
		return
	}
	among := m.order
	if m.terms.Narrows(&before) {
		among = m.hits
	}
	m.match(among)
	m.follow(false)
}

// arrange works out the order, the counts and the filter anew.
func (m *Model) arrange() {
	flags := m.snap.Flags
	m.order = make([]int32, 0, len(flags))
	m.tally = tally{}
	for i := range flags {
		m.order = append(m.order, int32(i))
		m.tally.longest = max(m.tally.longest, len(flags[i].Name))
		if flags[i].Pinned {
			m.tally.pinned++
		}
		switch f := &flags[i]; {
		case f.State == sources.FlagBroken:
			m.tally.broken++
		case views.Ramping(f):
			m.tally.ramping++
		}
	}
	if m.sort != ByKey || m.tally.pinned > 0 { // the snapshot is by key already
		slices.SortStableFunc(m.order, func(a, b int32) int { return m.compare(&flags[a], &flags[b]) })
	}
	m.lay()
	m.match(m.order)
}

// compare puts kill switches first in every order: they are what is looked for in
// an incident.
func (m *Model) compare(a, b *sources.Flag) int {
	switch {
	case a.Pinned != b.Pinned && a.Pinned:
		return -1
	case a.Pinned != b.Pinned:
		return 1
	case m.sort == ByKey:
		return 0
	case m.sort == ByState:
		if c := cmp.Compare(rank(a), rank(b)); c != 0 {
			return c
		}
	}
	return b.ChangedAt.Compare(a.ChangedAt)
}

// rank groups flags by how much they need an eye on them.
func rank(f *sources.Flag) int {
	switch {
	case f.State == sources.FlagBroken:
		return 0
	case views.Ramping(f):
		return 1
	default:
		return 2
	}
}

// match sets hits to those of among that pass the filter, in the table's order,
// and rows to the same as drawn: names that hold the words as they stand in the
// table's order, then names that hold their letters scattered, the best first. It
// never writes to among.
func (m *Model) match(among []int32) {
	if m.filter == "" {
		m.hits, m.rows = among, among
		return
	}
	m.hits, m.rows = nil, nil
	var scattered []uint64 // how unlike, then where among the hits
	for _, i := range among {
		unlike, ok := m.terms.Flag(&m.snap.Flags[i], m.now)
		if !ok {
			continue
		}
		if m.hits = append(m.hits, i); unlike <= views.Whole {
			m.rows = append(m.rows, i)
			continue
		}
		scattered = append(scattered, uint64(unlike)<<32|uint64(len(m.hits)-1))
	}
	slices.Sort(scattered)
	for _, hit := range scattered {
		m.rows = append(m.rows, m.hits[hit&(1<<32-1)])
	}
}

// follow finds the selected flag again after rows changed, and keeps it on the
// line it was on unless the table shows its beginning. When it is gone the cursor stays where it was, which is the
// neighbour; byData says that no key asked for it.
func (m *Model) follow(byData bool) {
	line := m.cursor - m.top
	if m.chosen {
		for i, idx := range m.rows {
			if m.snap.Flags[idx].ID == m.selected {
				m.cursor = i
				if m.top > 0 || i >= m.visible() {
					m.top = i - line
				}
				m.show()
				return
			}
		}
	}
	had := m.chosen
	m.chosen = len(m.rows) > 0
	if !m.chosen {
		m.cursor, m.top = 0, 0
		return
	}
	if !byData {
		m.cursor = 0
	}
	m.cursor = max(0, min(m.cursor, len(m.rows)-1))
	m.selected = m.snap.Flags[m.rows[m.cursor]].ID
	if had && byData {
		m.movedAt = m.now
	}
	m.show()
}
