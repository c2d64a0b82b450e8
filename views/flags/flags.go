// Package flags is the board's main pane: every flag, its state, its rollout as
// it should be and as it is observed, and who changed it last. It draws the rows
// in sight and no others, so that a frame costs the same at a hundred thousand
// flags as at a hundred.
package flags

import (
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
)

// Model is the pane. The selection is a flag's identity and never a row, so that
// no reordering can move it to another flag. Not for concurrent use.
type Model struct {
	th       *themes.Theme
	keys     views.KeyMap
	width    int
	height   int
	focused  bool
	readOnly bool

	snap  *sources.Snapshot
	now   time.Time
	feed  views.Feed
	table views.Table

	trouble []string // lines under the title: what cannot be read

	sort    Sort
	order   []int32 // all flags, by index into snap.Flags, in the order of sort
	hits    []int32 // those of order that pass the filter
	rows    []int32 // the same as drawn: whole matches first
	filter  string
	terms   views.Filter // the same, read
	tally   tally
	pending map[sources.FlagID]string
	marked  map[sources.FlagID]bool // by identity, whatever the filter shows; replaced and never written to

	cursor   int // the selected row of rows
	top      int // the first row in sight
	selected sources.FlagID
	chosen   bool // there is a selection
	movedAt  time.Time
}

// tally is what the title counts, and of how many bytes the longest name is.
type tally struct{ ramping, broken, pinned, longest int }

// New is an empty pane without a size.
func New(th *themes.Theme, keys views.KeyMap) Model {
	m := Model{th: th, keys: keys}
	m.SetSize(0, 0)
	return m
}

// SetSize gives the pane w x h cells, its title line included.
func (m *Model) SetSize(w, h int) {
	m.width, m.height = w, h
	m.lay()
	m.warn()
	m.show()
}

// lay places the columns: anew only when the set of flags or the size changes, so that
// none moves under the eye.
func (m *Model) lay() { m.table = views.Lay(columns(m.width, m.tally.longest), m.width) }

// SetSnapshot shows other data, with ages as of now. The order is worked out
// anew only when flags changed: measured numbers never move a row.
func (m *Model) SetSnapshot(s *sources.Snapshot, now time.Time) {
	old := m.snap
	m.snap, m.now = s, now
	m.feed = views.FlagFeed(s, now)
	m.warn()
	if s == nil {
		m.order, m.hits, m.rows, m.tally = nil, nil, nil, tally{}
		return
	}
	if old != nil && old.FlagsSeq == s.FlagsSeq && len(old.Flags) == len(s.Flags) && old.Context == s.Context {
		m.show()
		return
	}
	m.arrange()
	m.prune()
	m.follow(true)
}

// warn works out the lines above the rows, by how many there are without a filter: they
// would jump as one types.
func (m *Model) warn() {
	rows := 0
	if m.snap != nil {
		rows = len(m.snap.Flags)
	}
	m.trouble = m.feed.Warning(m.th, m.width, m.height, rows)
}

// TroubleLines is how many lines of w cells the pane could use to say what it cannot read.
func (m *Model) TroubleLines(w int) int { return m.feed.TroubleLines(m.th, w) }

// SetFocused tells the pane whether it has the keys.
func (m *Model) SetFocused(focused bool) { m.focused = focused }

// SetReadOnly switches the keys that change something off, here and in help.
func (m *Model) SetReadOnly(on bool) { m.readOnly = on }

// SetPending names the changes that were asked for and are not confirmed, in
// words: "25% ➔ 50%". They stand beside the value in force, not in its place.
func (m *Model) SetPending(pending map[sources.FlagID]string) { m.pending = pending }

// Selected is the flag under the cursor; false when there is none.
func (m Model) Selected() (sources.Flag, bool) {
	f := m.current()
	if f == nil {
		return sources.Flag{}, false
	}
	return *f, true
}

// Select moves the selection to a flag, as a key would; false when it is not in
// the table.
func (m *Model) Select(id sources.FlagID) bool {
	for i, idx := range m.rows {
		if m.snap.Flags[idx].ID == id {
			m.move(i)
			return true
		}
	}
	return false
}

// SelectionMovedAt is when the flag under the cursor last became another one
// without a key: because the selected flag went away. It is zero if it never did.
func (m Model) SelectionMovedAt() time.Time { return m.movedAt }

// Filter is what narrows the table; "" for nothing.
func (m Model) Filter() string { return m.filter }

// Sort is the order of the table.
func (m Model) Sort() Sort { return m.sort }

// Len is how many flags are in the table and how many there are altogether.
func (m Model) Len() (shown, all int) { return len(m.rows), len(m.order) }

// ShortHelp is the keys that the pane answers to and that can do something.
func (m Model) ShortHelp() []key.Binding {
	k := m.keys
	if m.readOnly {
		k = k.ReadOnly()
	}
	return []key.Binding{k.Ramp, k.Back, k.Kill, k.Undo, k.SetPercent, k.Detail, k.Filter, k.Sort}
}

// FullHelp is the same with the moving keys.
func (m Model) FullHelp() [][]key.Binding {
	k := m.keys
	return [][]key.Binding{m.ShortHelp(), {k.Up, k.Down, k.PageUp, k.PageDown, k.Top, k.Bottom}}
}

// Update moves the selection, and turns keys into intents: an IntentMsg with the
// flag and the revision on the screen, a DetailMsg, or a RefusedMsg that says why
// not. Undo and typed percentages belong to the board as a whole.
func (m Model) Update(msg tea.Msg) (Model, tea.Cmd) {
	press, ok := msg.(tea.KeyPressMsg)
	if !ok {
		return m, nil
	}
	switch {
	case key.Matches(press, m.keys.Ramp):
		return m, views.Act(m.snap, m.current(), sources.Ramp, m.readOnly)
	case key.Matches(press, m.keys.Back):
		return m, views.Act(m.snap, m.current(), sources.Back, m.readOnly)
	case key.Matches(press, m.keys.Kill):
		return m, views.Act(m.snap, m.current(), sources.Kill, m.readOnly)
	case key.Matches(press, m.keys.Mark):
		return m, m.mark()
	case key.Matches(press, m.keys.MarkAll):
		return m, m.markAll()
	case key.Matches(press, m.keys.Detail):
		if m.chosen {
			return m, views.Send(views.DetailMsg{Subject: views.FlagSubject(m.selected)})
		}
	case key.Matches(press, m.keys.Sort):
		m.SetSort((m.sort + 1) % sorts)
	case key.Matches(press, m.keys.Escape):
		m.SetFilter("")
	default:
		m.navigate(press)
	}
	return m, nil
}

func (m *Model) navigate(press tea.KeyPressMsg) {
	page := max(m.visible(), 1)
	switch {
	case key.Matches(press, m.keys.Up):
		m.move(m.cursor - 1)
	case key.Matches(press, m.keys.Down):
		m.move(m.cursor + 1)
	case key.Matches(press, m.keys.PageUp):
		m.move(m.cursor - page)
	case key.Matches(press, m.keys.PageDown):
		m.move(m.cursor + page)
	case key.Matches(press, m.keys.Top):
		m.move(0)
	case key.Matches(press, m.keys.Bottom):
		m.move(len(m.rows) - 1)
	}
}

// Point puts the cursor on the row at a line of the pane, its title being line 0; false
// where no row is.
func (m *Model) Point(line int) bool {
	line -= 1 + len(m.trouble)
	i := m.top + line
	if line < 0 || i >= len(m.rows) || line >= m.visible() {
		return false
	}
	m.move(i)
	return true
}

// move puts the cursor on a row, because a key said so.
func (m *Model) move(row int) {
	if len(m.rows) == 0 {
		return
	}
	m.cursor = max(0, min(row, len(m.rows)-1))
	m.selected, m.chosen = m.snap.Flags[m.rows[m.cursor]].ID, true
	m.show()
}

// show scrolls so that the cursor is in sight, a line at a time: a table as wide
// as the screen is then moved by the terminal itself.
func (m *Model) show() {
	n := max(m.visible(), 1)
	switch {
	case m.cursor < m.top:
		m.top = m.cursor
	case m.cursor >= m.top+n:
		m.top = m.cursor - n + 1
	}
	m.top = max(0, min(m.top, len(m.rows)-n))
}

// visible is how many rows fit under the title.
func (m *Model) visible() int {
	return max(m.height-1-len(m.trouble), 0)
}

func (m *Model) current() *sources.Flag {
	if !m.chosen || m.cursor >= len(m.rows) {
		return nil
	}
	return &m.snap.Flags[m.rows[m.cursor]]
}
