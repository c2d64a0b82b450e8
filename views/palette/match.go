package palette

import (
	"slices"
	"strings"
	"unicode/utf8"

	"relctl-tui/sources"
	"relctl-tui/views"
)

// said is what the words in the line are.
type said struct {
	text  string // the line, its first word as the entry has it
	entry int    // that they begin with, and that takes more; none for none
	args  string // what follows it
	label string // a flag's, that args begin with and go on after; "" for none
	rest  string // what follows the label; all of args where there is none
}

// parse tells the words apart.
func (m *Model) parse(text string) said {
	text = strings.TrimLeft(text, " ")
	s := said{text: text, entry: none}
	word, args, more := strings.Cut(text, " ")
	if !more {
		return s
	}
	for i := range m.entries {
		if e := &m.entries[i]; e.takes() && e.is(word) {
			s.entry, s.args = i, strings.TrimLeft(args, " ")
			s.text = strings.TrimRight(e.Text+" "+s.args, " ")
			break
		}
	}
	if s.entry == none {
		return s
	}
	e := &m.entries[s.entry]
	switch {
	case e.Rest == nil:
	case !e.Flag:
		s.rest = s.args
	default:
		if s.label = m.named(s.args); s.label != "" {
			s.rest = strings.TrimSpace(s.args[len(s.label):])
			s.text = strings.TrimRight(e.Text+" "+s.label+" "+s.rest, " ")
		} else if _, ok := e.Rest(s.args); ok {
			s.rest = s.args
		}
	}
	return s
}

// is tells whether a word stands for the entry.
func (e *Entry) is(word string) bool {
	return strings.EqualFold(word, e.Text) || slices.Contains(e.Also, word)
}

// named is the longest name of a flag that args begin with and go on after; "" for none.
func (m *Model) named(args string) string {
	longest := ""
	for _, label := range m.labels {
		if len(label) > len(longest) && len(label) < len(args) && args[len(label)] == ' ' && strings.HasPrefix(args, label) {
			longest = label
		}
	}
	return longest
}

// find lists what the words may mean, what is most like them first.
func (m *Model) find() {
	m.at, m.top, m.chose, m.note = 0, 0, false, ""
	m.said = m.parse(m.input.Value())
	s := &m.said
	m.rows = m.rows[:0]
	switch {
	case s.entry != none && s.args == "":
		m.rows = append(m.rows, row{int32(s.entry), none})
		m.below(s)
	case s.entry != none && m.entries[s.entry].Flag:
		if s.label != "" {
			m.rank(s.entry, s.label, true)
			break
		}
		if s.rest != "" {
			m.rows = append(m.rows, row{int32(s.entry), none})
		}
		m.rank(s.entry, s.args, false)
	case s.entry != none:
		m.rank(none, s.text, false)
		if len(m.rows) == 0 || m.lineOf(m.rows[0]) != s.text {
			m.rows = slices.Insert(m.rows, 0, row{int32(s.entry), none})
		}
	case s.text == "":
		m.all()
	default:
		m.rank(none, s.text, false)
	}
	m.fit()
	m.show()
}

// below lists what may follow an entry that nothing follows yet.
func (m *Model) below(s *said) {
	if m.entries[s.entry].Flag {
		for i := range m.labels {
			m.rows = append(m.rows, row{int32(s.entry), int32(i)})
		}
		return
	}
	prefix := m.entries[s.entry].Text + " "
	for i := range m.entries {
		if strings.HasPrefix(m.entries[i].Text, prefix) {
			m.rows = append(m.rows, row{int32(i), none})
		}
	}
}

// all lists everything, what was chosen of late first.
func (m *Model) all() {
	m.rows = append(m.rows, m.recent...)
	for i := range m.entries {
		if r := (row{int32(i), none}); !slices.Contains(m.recent, r) {
			m.rows = append(m.rows, r)
		}
	}
	for i := range m.labels {
		m.rows = append(m.rows, row{none, int32(i)})
	}
}

// rank lists the flags that hold the text, each behind an entry, and where that is none
// the entries that do as well; exact lists those alone that are the text.
func (m *Model) rank(entry int, text string, exact bool) {
	lower := strings.ToLower(strings.TrimSpace(text))
	var hits []uint64 // how unlike, then where; the flags after the entries
	if entry == none {
		for i := range m.entries {
			if unlike, ok := m.entries[i].likeness(lower); ok {
				hits = append(hits, uint64(unlike)<<32|uint64(i))
			}
		}
	}
	base := uint64(len(m.entries))
	among, everything := m.among(lower)
	pool := make([]int32, 0, 64)
	for k := range len(m.labels) {
		i := int32(k)
		if !everything {
			if k >= len(among) {
				break
			}
			i = among[k]
		}
		unlike, ok := views.Likeness(m.labels[i], lower)
		if !ok {
			continue
		}
		pool = append(pool, i)
		if !exact || m.labels[i] == text {
			hits = append(hits, uint64(unlike)<<32|(base+uint64(i)))
		}
	}
	m.pool, m.poolOf = pool, lower
	slices.Sort(hits)
	for _, hit := range hits {
		if i := hit & (1<<32 - 1); i < base {
			m.rows = append(m.rows, row{int32(i), none})
		} else {
			m.rows = append(m.rows, row{int32(entry), int32(i - base)})
		}
	}
}

// among is the flags to look through: what has not held the beginning cannot hold the
// whole, so those that have will do.
func (m *Model) among(lower string) (pool []int32, everything bool) {
	if m.poolOf != "" && strings.HasPrefix(lower, m.poolOf) && utf8.ValidString(lower) {
		return m.pool, false
	}
	return nil, true
}

func (e *Entry) likeness(lower string) (int, bool) {
	if slices.Contains(e.Also, lower) {
		return 0, true
	}
	return views.Likeness(e.Text, lower)
}

// written tells whether the line says just what the row is.
func (m *Model) written(r row) bool {
	line := m.lineOf(r)
	if rest := m.restOf(r); rest != "" {
		line += " " + rest
	}
	if m.said.entry != none {
		return strings.TrimSpace(m.said.text) == line
	}
	return r.entry != none && m.entries[r.entry].is(strings.TrimSpace(m.said.text))
}

// restOf is the text that follows a row's entry, or its flag.
func (m *Model) restOf(r row) string {
	if r.entry == none || int(r.entry) != m.said.entry {
		return ""
	}
	return strings.TrimSpace(m.said.rest)
}

// standsFor is the row of a line that was chosen before; false when there is none any
// more.
func (m *Model) standsFor(line string) (row, bool) {
	for i := range m.entries {
		e := &m.entries[i]
		if e.Text == line {
			return row{int32(i), none}, true
		}
		if label, ok := strings.CutPrefix(line, e.Text+" "); ok && e.Flag {
			if k := slices.Index(m.labels, label); k >= 0 {
				return row{int32(i), int32(k)}, true
			}
		}
	}
	k := slices.Index(m.labels, line)
	return row{none, int32(k)}, k >= 0
}

// nearest is what may have been meant by words that mean nothing.
func (m *Model) nearest() string {
	const most = 1000 // more would be felt
	words := slices.Clone(m.labels[:min(len(m.labels), most)])
	text := strings.TrimSpace(m.said.args)
	if m.said.entry == none {
		text = strings.TrimSpace(m.said.text)
		for i := range m.entries {
			words = append(words, m.entries[i].Text)
		}
	}
	if near := sources.Nearest(text, words); len(near) > 0 {
		return ": did you mean " + near[0] + "?"
	}
	return ": esc leaves, an empty line lists everything"
}
