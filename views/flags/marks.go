package flags

import (
	"fmt"
	"maps"

	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/views"
)

// markSign stands before the name of a flag that is marked.
const markSign = "* "

// Marked is the flags that are marked, in the order of the table and those that the
// filter hides after them.
func (m *Model) Marked() []sources.FlagID {
	var shown, hidden []sources.FlagID
	in := make(map[sources.FlagID]bool, len(m.marked))
	for _, i := range m.rows {
		if id := m.snap.Flags[i].ID; m.marked[id] {
			shown, in[id] = append(shown, id), true
		}
	}
	for _, i := range m.order {
		if id := m.snap.Flags[i].ID; m.marked[id] && !in[id] {
			hidden = append(hidden, id)
		}
	}
	return append(shown, hidden...)
}

// ClearMarks marks no flag, and tells whether one was.
func (m *Model) ClearMarks() bool {
	had := len(m.marked) > 0
	m.marked = nil
	return had
}

// mark marks the flag under the cursor, or takes its mark away.
func (m *Model) mark() tea.Cmd {
	f := m.current()
	if cmd := m.cannotMark(f); cmd != nil {
		return cmd
	}
	next := m.ownMarks()
	if next[f.ID] = !next[f.ID]; !next[f.ID] {
		delete(next, f.ID)
	}
	m.marked = next
	return nil
}

// markAll marks all that the filter shows, or takes their marks away. Without a filter
// that would be every flag there is, which nobody wants to kill with one key.
func (m *Model) markAll() tea.Cmd {
	if cmd := m.cannotMark(m.current()); cmd != nil {
		return cmd
	}
	if m.filter == "" {
		all, by := views.Named(m.keys.MarkAll), views.Named(m.keys.Filter)
		return views.Send(views.RefusedMsg{Reason: all + " marks what the filter shows: " + by + " narrows by name, " + by + "# by tag"})
	}
	next, all := m.ownMarks(), true
	for _, i := range m.rows {
		all = all && next[m.snap.Flags[i].ID]
	}
	for _, i := range m.rows {
		if id := m.snap.Flags[i].ID; all {
			delete(next, id)
		} else {
			next[id] = true
		}
	}
	m.marked = next
	return nil
}

// cannotMark says why nothing can be marked; nil where something can.
func (m *Model) cannotMark(f *sources.Flag) tea.Cmd {
	switch {
	case m.readOnly:
		return views.Send(views.RefusedMsg{Reason: "this board is read-only, so there is nothing to mark flags for"})
	case f == nil:
		return views.Send(views.RefusedMsg{Reason: "no flag is selected"})
	}
	return nil
}

// ownMarks is a copy of the marks, to be written to.
func (m *Model) ownMarks() map[sources.FlagID]bool {
	if m.marked == nil {
		return map[sources.FlagID]bool{}
	}
	return maps.Clone(m.marked)
}

// prune drops the marks of flags that are gone: the count in the title is what a key
// will act on.
func (m *Model) prune() {
	if len(m.marked) == 0 {
		return
	}
	there := make(map[sources.FlagID]bool, len(m.marked))
	for i := range m.snap.Flags {
		if id := m.snap.Flags[i].ID; m.marked[id] {
			there[id] = true
		}
	}
	m.marked = there
}

// markedText is the count in the title: "3 marked, 1 hidden".
func (m *Model) markedText() string {
	n := len(m.marked)
	if n == 0 {
		return ""
	}
	shown := 0
	for _, i := range m.rows {
		if m.marked[m.snap.Flags[i].ID] {
			shown++
		}
	}
	text := fmt.Sprintf("%d marked", n)
	if shown < n {
		text += fmt.Sprintf(", %d hidden", n-shown)
	}
	return text
}
