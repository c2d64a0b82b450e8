package flags

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sahilm/fuzzy"

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

// SetSort orders the table; the selected flag stays selected.
func (m *Model) SetSort(s Sort) {
	m.sort = max(0, min(s, sorts-1))
	if m.snap != nil {
		m.arrange()
		m.follow(false)
	}
}

// SetFilter narrows the table to flags whose name has the letters of text in
// that order, those that hold it as a whole first; with a leading "!" to those
// that do not hold the rest, and with a leading "#" to those with a tag that begins so.
// The selected flag stays selected while it is shown.
func (m *Model) SetFilter(text string) {
	if text == m.filter {
		return
	}
	narrower := m.filter != "" && strings.HasPrefix(text, m.filter) && !strings.HasPrefix(text, "!")
	m.filter = text
	if m.snap == nil {
		return
	}
	// What did not match the beginning cannot match the whole, so the previous
	// hits will do.
	among := m.order
	if narrower {
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

// names makes flags searchable without copying their names.
type names struct {
	flags []sources.Flag
	among []int32
}

func (n names) String(i int) string { return n.flags[n.among[i]].Name }
func (n names) Len() int            { return len(n.among) }

// match sets hits to those of among that pass the filter, in the table's order,
// and rows to the same as drawn: names that hold the text as a whole in the
// table's order, then names that hold its letters scattered, the best first. It
// never writes to among.
func (m *Model) match(among []int32) {
	switch {
	case m.filter == "":
		m.hits, m.rows = among, among
		return
	case m.filter[0] == '#':
		m.hits = m.tagged(among, m.filter[1:])
		m.rows = m.hits
		return
	case m.filter[0] == '!':
		m.hits = m.without(among, m.filter[1:])
		m.rows = m.hits
		return
	}
	text := strings.ToLower(m.filter)
	m.hits, m.rows = nil, nil
	var scattered []int32
	for _, i := range among {
		switch name := strings.ToLower(m.snap.Flags[i].Name); {
		case strings.Contains(name, text):
			m.rows = append(m.rows, i)
		case holds(name, text):
			scattered = append(scattered, i)
		default:
			continue
		}
		m.hits = append(m.hits, i)
	}
	// Ranking is slow, and of no use among more than anybody scrolls through.
	const most = 1000
	if len(scattered) > most {
		m.rows = append(m.rows, scattered...)
		return
	}
	for _, hit := range fuzzy.FindFrom(text, names{m.snap.Flags, scattered}) {
		m.rows = append(m.rows, scattered[hit.Index])
	}
}

// holds tells whether all letters of text are in name, in that order.
func holds(name, text string) bool {
	for _, want := range text {
		i := strings.IndexRune(name, want)
		if i < 0 {
			return false
		}
		name = name[i+utf8.RuneLen(want):]
	}
	return true
}

func (m *Model) without(among []int32, text string) []int32 {
	if text == "" {
		return among
	}
	lower := strings.ToLower(text)
	var out []int32
	for _, i := range among {
		if !strings.Contains(strings.ToLower(m.snap.Flags[i].Name), lower) {
			out = append(out, i)
		}
	}
	return out
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
