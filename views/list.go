package views

import (
	"strconv"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/themes"
)

// About is what tells one List from another.
type About struct {
	Name    string
	Columns func(width int) []Column
	Feed    func(*sources.Snapshot, time.Time) Feed
	Len     func(*sources.Snapshot) int
	Extra   func(*sources.Snapshot) int // rows more that the title does not count; nil for none
	None    string                      // says that nothing is configured which could fill it
	Empty   string                      // says that what is configured holds nothing
	Warns   bool                        // trouble of the feed stands above the rows
}

// List is what the panes that scroll and have no selection share. A pane embeds
// it, and adds its rows and what is worth a note; the fields are for that pane to
// read. Not for concurrent use.
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

// SetSnapshot shows other data, with times as of now.
func (l *List) SetSnapshot(s *sources.Snapshot, now time.Time) {
	l.Snap, l.Now = s, now
	l.Feed = l.about.Feed(s, now)
}

// SetFocused tells the pane whether it has the keys.
func (l *List) SetFocused(focused bool) { l.focused = focused }

// ShortHelp is the keys that the pane answers to.
func (l List) ShortHelp() []key.Binding { return []key.Binding{l.keys.Up, l.keys.Down} }

// FullHelp is the same for the help screen.
func (l List) FullHelp() [][]key.Binding {
	return [][]key.Binding{{l.keys.Up, l.keys.Down, l.keys.PageUp, l.keys.PageDown, l.keys.Top, l.keys.Bottom}}
}

// Scrolled answers to the moving keys.
func (l *List) Scrolled(msg tea.Msg) {
	if press, ok := msg.(tea.KeyPressMsg); ok && l.Snap != nil {
		_, n := l.count()
		l.scroll.Move(&l.keys, press, n, l.rows())
	}
}

// count is how many rows the title speaks of, and how many there are.
func (l *List) count() (counted, all int) {
	if l.Snap == nil {
		return 0, 0
	}
	counted = l.about.Len(l.Snap)
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
	return l.Feed.Warning(l.Theme, l.width, l.height)
}

// Draw is the pane: its title with the notes, and row called for each row in
// sight, or the sentence that says why there is none.
func (l *List) Draw(notes []Note, row func(p *Pen, i int)) string {
	p := NewPen(l.Theme, l.width, l.height)
	counted, n := l.count()
	if counted == 0 {
		p.Title(l.focused, l.about.Name, notes, nil)
		if !l.Feed.Say(p, l.Theme, l.about.None) {
			p.Say(l.Theme.Quiet, l.about.Empty)
		}
		for i := 0; i < n && p.Left() > 0; i++ {
			row(p, i)
		}
		return p.String()
	}
	top := l.scroll.Top(n, l.rows())
	all := []Note{{Ink: l.Theme.Quiet, Text: strconv.Itoa(counted)}}
	if l.Feed.Stale {
		all = append(all, Note{Ink: l.Theme.Warn, Text: l.Feed.Age()})
	}
	all = append(all, notes...)
	if top > 0 {
		all = append(all, Note{Ink: l.Theme.Quiet, Text: "from " + strconv.Itoa(top+1)})
	}
	p.Title(l.focused, l.about.Name, all, l.Table.Labels())
	p.Warn(l.warnings())
	for i := top; i < n && p.Left() > 0; i++ {
		row(p, i)
	}
	return p.String()
}
