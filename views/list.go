package views

import (
	"slices"
	"strconv"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/themes"
)

// About is what tells one List from another.
type About struct {
	Name     string
	Columns  func(width int) []Column
	Feed     func(*sources.Snapshot, time.Time) Feed
	Len      func(*sources.Snapshot) int
	Extra    func(*sources.Snapshot) int // rows more that the title does not count; nil for none
	None     string                      // says that nothing is configured which could fill it
	Empty    string                      // says that what is configured holds nothing
	Warns    bool                        // trouble of the feed stands above the rows
	Sentence int                         // the lines that it wants where it has no rows
}

// List is what the panes below the flags table share. A pane embeds it, and adds
// its rows and what is worth a note; the fields are for that pane to read. A pane
// that says what its rows are has a selection, which follows its subject wherever
// the order of the rows takes it, and is shown while the pane has the keys; any
// other scrolls. Not for concurrent use.
type List struct {
	Theme *themes.Theme
	Table Table
	Snap  *sources.Snapshot // nil before the first
	Now   time.Time
	Feed  Feed

	about   About
	keys    KeyMap
	width   int
	height  int
	focused bool
	scroll  Scroll
	chosen  choice

	filter string
	terms  Filter
	all    int   // rows, whatever the filter lets through
	kept   int   // those that it does
	shown  []int // the same by their place among all; nil where each is in its place
}

// choice is the selected one of a list's rows.
type choice struct {
	rows   []Subject
	cursor int
	on     Subject // what the cursor is on; none until the pane has had the keys
}

// set takes other rows, keeping to the subject, or to its place when it is gone.
func (c *choice) set(rows []Subject) {
	c.rows = rows
	if c.on.Kind == NoSubject {
		return
	}
	for i := range rows {
		if rows[i] == c.on {
			c.cursor = i
			return
		}
	}
	c.to(c.cursor)
}

// to puts the cursor on a row, the nearest there is.
func (c *choice) to(i int) {
	c.cursor = max(0, min(i, len(c.rows)-1))
	c.on = Subject{}
	if len(c.rows) > 0 {
		c.on = c.rows[c.cursor]
	}
}

// move answers to the moving keys.
func (c *choice) move(keys *KeyMap, msg tea.KeyPressMsg, page int) {
	switch page = max(page, 1); {
	case key.Matches(msg, keys.Up):
		c.to(c.cursor - 1)
	case key.Matches(msg, keys.Down):
		c.to(c.cursor + 1)
	case key.Matches(msg, keys.PageUp):
		c.to(c.cursor - page)
	case key.Matches(msg, keys.PageDown):
		c.to(c.cursor + page)
	case key.Matches(msg, keys.Top):
		c.to(0)
	case key.Matches(msg, keys.Bottom):
		c.to(len(c.rows))
	}
}

// NewList is an empty list without a size.
func NewList(th *themes.Theme, keys KeyMap, about About) List {
	l := List{Theme: th, keys: keys, about: about}
	l.SetSize(0, 0)
	return l
}

// SetSize gives the pane w x h cells, its title line included.
func (l *List) SetSize(w, h int) {
	l.width, l.height = w, h
	l.Table = Lay(l.about.Columns(w), w)
}

// SetColumns lays the pane out anew, for data that need other columns.
func (l *List) SetColumns(columns func(width int) []Column) {
	l.about.Columns = columns
	l.Table = Lay(columns(l.width), l.width)
}

// SetSnapshot shows other data, with times as of now.
func (l *List) SetSnapshot(s *sources.Snapshot, now time.Time) {
	l.Snap, l.Now = s, now
	l.Feed = l.about.Feed(s, now)
}

// SetFilter has the pane show the rows alone that a Filter lets through, from the next
// SetRows on; "" for all.
func (l *List) SetFilter(text string) {
	l.filter = text
	l.terms, _ = ParseFilter(text) // the prompt says what is wrong with it
}

// Filter is what narrows the pane; "" for nothing.
func (l *List) Filter() string { return l.filter }

// SetRows says what the rows are, in their order: n of them, what each is unless they have
// no cursor, and what a filter can ask of one.
func (l *List) SetRows(n int, rows []Subject, of func(i int) Row) {
	if l.all, l.kept, l.shown = n, n, nil; l.filter != "" {
		l.shown = make([]int, 0, n)
		var kept []Subject
		for i := range n {
			if !l.Lets(of(i)) {
				continue
			}
			l.shown = append(l.shown, i)
			if i < len(rows) {
				kept = append(kept, rows[i])
			}
		}
		l.kept, rows = len(l.shown), kept
	}
	l.set(rows)
}

// SetKept says the same where one row can stand for several things: the filter has let
// through kept of all of them, and these are their rows.
func (l *List) SetKept(kept, all int, rows []Subject) {
	l.kept, l.all, l.shown = kept, all, nil
	l.set(rows)
}

// Lets tells whether the filter lets a row through.
func (l *List) Lets(r Row) bool {
	_, ok := l.terms.Row(&r, l.Now)
	return ok
}

func (l *List) set(rows []Subject) {
	l.chosen.set(rows)
	if l.focused && l.chosen.on.Kind == NoSubject {
		l.chosen.to(0)
	}
}

// SetFocused tells the pane whether it has the keys.
func (l *List) SetFocused(focused bool) {
	l.focused = focused
	if focused && l.chosen.on.Kind == NoSubject {
		l.chosen.to(0)
	}
}

// Selected is what the cursor is on; none for a list without rows, or that never
// had the keys.
func (l *List) Selected() Subject { return l.chosen.on }

// Select puts the cursor on a row, as a key would; false when it is not there.
func (l *List) Select(s Subject) bool {
	i := slices.Index(l.chosen.rows, s)
	if i >= 0 {
		l.chosen.to(i)
	}
	return i >= 0
}

// Point puts the cursor on the row at a line of the pane, its title being line 0; false
// where no row is that could be selected.
func (l *List) Point(line int) bool {
	line -= 1 + len(l.warnings())
	n := len(l.chosen.rows)
	if line < 0 || line >= l.rows() || l.top(n)+line >= n {
		return false
	}
	l.chosen.to(l.top(n) + line)
	return true
}

// ShortHelp is the keys that the pane answers to.
func (l List) ShortHelp() []key.Binding {
	return []key.Binding{l.keys.Up, l.keys.Down, l.keys.Detail}
}

// FullHelp is the same for the help screen.
func (l List) FullHelp() [][]key.Binding {
	return [][]key.Binding{{l.keys.Up, l.keys.Down, l.keys.PageUp, l.keys.PageDown, l.keys.Top, l.keys.Bottom, l.keys.Detail}}
}

// Answer answers to the moving keys, and to the one that asks for what there is to
// say about the selected row.
func (l *List) Answer(msg tea.Msg) tea.Cmd {
	press, ok := msg.(tea.KeyPressMsg)
	if !ok || l.Snap == nil {
		return nil
	}
	if l.chosen.on.Kind == NoSubject {
		_, n := l.count()
		l.scroll.Move(&l.keys, press, n, l.rows())
		return nil
	}
	if key.Matches(press, l.keys.Detail) {
		return Send(DetailMsg{Subject: l.chosen.on})
	}
	l.chosen.move(&l.keys, press, l.rows())
	return nil
}

// count is how many rows the title speaks of, and how many there are.
func (l *List) count() (counted, all int) {
	if l.Snap == nil {
		return 0, 0
	}
	counted = l.about.Len(l.Snap)
	if l.shown != nil {
		return counted, len(l.shown)
	}
	if len(l.chosen.rows) > 0 || l.kept == 0 && l.filter != "" {
		return counted, len(l.chosen.rows)
	}
	if l.about.Extra != nil {
		return counted, counted + l.about.Extra(l.Snap)
	}
	return counted, counted
}

// rows is how many rows fit under the title and the warnings.
func (l *List) rows() int { return l.height - 1 - len(l.warnings()) }

func (l *List) warnings() []string {
	if !l.about.Warns {
		return nil
	}
	_, rows := l.count()
	if l.filter != "" {
		rows = max(rows, l.all) // or the rows would jump as one types
	}
	return l.Feed.Warning(l.Theme, l.width, l.height, rows)
}

// TroubleLines is how many lines of w cells the pane could use to say what it cannot read,
// besides those that it wants for its rows, or for a sentence in their place.
func (l *List) TroubleLines(w int) int {
	n := l.Feed.TroubleLines(l.Theme, w)
	if counted, _ := l.count(); n == 0 || counted > 0 {
		return n
	}
	if l.Feed.Loaded {
		n++ // what was so when it was last read stands below
	}
	return max(0, n-l.about.Sentence)
}

// top is the first row in sight of n. The cursor is kept in sight; a list that does
// not have the keys shows its first rows, which are the worst.
func (l *List) top(n int) int {
	rows := max(l.rows(), 1)
	if len(l.chosen.rows) == 0 {
		return l.scroll.Top(n, rows)
	}
	if !l.focused {
		l.scroll = Scroll{}
		return 0
	}
	at := l.chosen.cursor
	l.scroll.top = max(at-rows+1, min(l.scroll.top, at))
	return l.scroll.Top(n, rows)
}

// Begin writes the cursor of row i, if it is there.
func (l *List) Begin(p *Pen, i int) {
	if l.here(i) {
		p.Text(l.Theme.Accent, l.Theme.Glyphs.Cursor)
	}
}

// Name writes the cell that row i is known by, marked where it is selected.
func (l *List) Name(p *Pen, i, col int, ink themes.Ink, name string) {
	name = CutMiddle(l.Theme, name, l.Table.Widths[col])
	if !l.here(i) {
		l.Table.Cell(p, col, ink, name)
		return
	}
	p.To(l.Table.Starts[col])
	p.Fill(l.Theme.Select, name, l.Table.Widths[col])
}

func (l *List) here(i int) bool {
	return l.focused && l.chosen.on.Kind != NoSubject && i == l.place(l.chosen.cursor)
}

// place is where the i-th of the rows that are shown stands among all of them.
func (l *List) place(i int) int {
	if l.shown == nil || i >= len(l.shown) {
		return i
	}
	return l.shown[i]
}

// counts says how many rows there are, and of how many where a filter hides some.
func (l *List) counts(counted int) []Note {
	if l.filter == "" {
		return []Note{{Ink: l.Theme.Quiet, Text: strconv.Itoa(counted)}}
	}
	return []Note{
		{Ink: l.Theme.Quiet, Text: strconv.Itoa(l.kept) + " of " + strconv.Itoa(l.all)},
		{Ink: l.Theme.Accent, Text: "/" + sources.Clean(l.filter, 20)},
	}
}

// aged appends how old the oldest of what stands here is, where that is too old.
func (l *List) aged(notes []Note) []Note {
	if l.Feed.Stale {
		notes = append(notes, Note{Ink: l.Theme.Warn, Text: l.Feed.Age()})
	}
	return notes
}

// Draw is the pane: its title with the notes, and row called for each row in
// sight, or the sentence that says why there is none.
func (l *List) Draw(notes []Note, row func(p *Pen, i int)) string {
	p := NewPen(l.Theme, l.width, l.height)
	counted, n := l.count()
	if counted == 0 && (l.filter == "" || l.all == 0) {
		p.Title(l.focused, l.about.Name, append(l.aged(nil), notes...), nil)
		l.Feed.Say(p, l.Theme, l.about.None, l.about.Empty)
		for i := l.top(n); i < n && p.Left() > 0; i++ {
			row(p, i)
		}
		return p.String()
	}
	top := l.top(n)
	all := append(l.aged(l.counts(counted)), notes...)
	if top > 0 {
		all = append(all, Note{Ink: l.Theme.Quiet, Text: "from " + strconv.Itoa(top+1)})
	}
	p.Title(l.focused, l.about.Name, all, l.Table.Labels())
	p.Warn(l.warnings())
	if n == 0 {
		p.Say(l.Theme.Quiet, "nothing matches /"+l.filter+" ("+Named(l.keys.Escape)+" shows all "+strconv.Itoa(l.all)+")")
	}
	for i := top; i < n && p.Left() > 0; i++ {
		row(p, l.place(i))
	}
	return p.String()
}
