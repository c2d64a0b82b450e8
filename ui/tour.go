package ui

import (
	"fmt"
	"slices"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/views"
	"relctl-tui/views/footer"
)

// This file is what somebody is told who has never used the board: three lines at most,
// one after the other, where the status stands while there is none.

// tour is how far it has come. The zero tour was not begun.
type tour struct {
	asked bool // whether it is this person's first time
	tips  []tip
}

// tip is one line of it, until one of its keys was pressed.
type tip struct {
	text string
	keys []key.Binding
}

// tips are what the board's own keys say of themselves. A key that is refused here, or that
// is on no key, is not among them.
func (m *Model) tips() []tip {
	k := &m.keys
	out := []tip{{views.Named(k.Help) + " shows every key", []key.Binding{k.Help}}}
	bound := func(b key.Binding) bool { return b.Enabled() && len(views.KeysOf(b)) > 0 }
	find := tip{keys: []key.Binding{k.Filter, k.Palette}}
	switch filter, all := bound(k.Filter), bound(k.Palette); {
	case filter && all:
		find.text = fmt.Sprintf("%s finds a flag, %s anything", k.Filter.Keys()[0], k.Palette.Keys()[0])
	case filter:
		find.text = k.Filter.Keys()[0] + " finds a flag"
	case all:
		find.text = k.Palette.Keys()[0] + " finds anything"
	}
	if find.text != "" {
		out = append(out, find)
	}
	switch {
	case bound(k.Kill) && m.changes():
		text := k.Kill.Keys()[0] + " kills the flag at once"
		if m.opts.Confirm {
			text = k.Kill.Keys()[0] + " kills the flag, and asks first"
		}
		if bound(k.Undo) {
			text += ", " + k.Undo.Keys()[0] + " undoes it"
		}
		out = append(out, tip{text, []key.Binding{k.Kill}})
	case bound(k.Detail):
		out = append(out, tip{k.Detail.Keys()[0] + " tells all about a row, " + views.Named(k.Escape) + " leads back", []key.Binding{k.Detail}})
	}
	return out
}

// changes tells whether any of the flags may be changed from here.
func (m *Model) changes() bool {
	return !m.opts.ReadOnly && slices.ContainsFunc(m.snapshot.Sources, func(s sources.SourceStatus) bool {
		return s.Flags && s.ReadOnly == ""
	})
}

// beginTour asks once whether this is somebody's first time, as soon as there is something
// to be told about.
func (m *Model) beginTour() tea.Cmd {
	if m.opts.FirstTime == nil || m.tour.asked || m.layout.tooSmall || len(m.snapshot.Flags) == 0 {
		return nil
	}
	m.tour.asked = true
	return askFirstTime(m.opts.FirstTime)
}

// tourBegun has the first line shown, or none where it is not the first time.
func (m *Model) tourBegun(first bool) {
	if first {
		m.tour.tips = m.tips()
		m.relayout()
	}
}

// toured takes note of a key that nobody types into anything: whoever has pressed one needs
// not be told of it. Escape ends the tour, where it has nothing else to end.
func (m *Model) toured(msg tea.KeyPressMsg) {
	if len(m.tour.tips) == 0 {
		return
	}
	if key.Matches(msg, m.keys.Escape) && m.footer.Status() == "" && m.tip() != "" {
		m.tour.tips = nil
	}
	m.tour.tips = slices.DeleteFunc(m.tour.tips, func(t tip) bool { return key.Matches(msg, t.keys...) })
	if len(m.tour.tips) == 0 {
		m.relayout()
	}
}

// tip is the line of the tour to be shown now: none over a screen, a detail or whatever
// else escape leads out of.
func (m *Model) tip() string {
	if len(m.tour.tips) == 0 || m.helping || m.screen != noScreen || m.escapes() {
		return ""
	}
	text := "tip: " + m.tour.tips[0].text
	if k := views.KeysOf(m.keys.Escape); len(k) > 0 {
		if more := text + " (" + k[0] + ": no more tips)"; footer.Fits(more, m.w) {
			return more
		}
	}
	return text
}
