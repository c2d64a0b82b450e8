package palette

import (
	"strconv"

	"github.com/charmbracelet/x/ansi"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
)

// The columns, in drawing order.
const (
	colText = iota
	colKind
	colDoes
	colKey
)

// View is the palette; blank while closed. It draws the rows in sight and no others.
func (m Model) View() string {
	p := views.NewPen(m.th, m.width, m.height)
	if !m.open {
		return p.String()
	}
	if m.height > 1 {
		m.title(p)
	}
	for i := m.top; i < len(m.rows) && p.Left() > 1; i++ {
		m.draw(p, i)
	}
	for p.Left() > 1 {
		p.End()
	}
	m.line(p)
	return p.String()
}

func (m *Model) title(p *views.Pen) {
	count := strconv.Itoa(len(m.rows))
	if len(m.rows) > m.visible() {
		count = strconv.Itoa(m.at+1) + " of " + count
	}
	p.Title(true, "Commands", []views.Note{
		{Ink: m.th.Quiet, Text: count},
		{Ink: m.th.Quiet, Text: "tab completes, esc leaves"},
	}, nil)
}

func (m *Model) draw(p *views.Pen, i int) {
	th, t, r := m.th, &m.table, m.rows[i]
	kind, does, press, ink := "flag", "", "", th.Text
	if r.entry != none {
		e := &m.entries[r.entry]
		kind, does, press = e.Kind, e.Does, e.Key
	}
	if r.flag != none {
		f := &m.snap.Flags[r.flag]
		does, press = f.Brief(), ""
		if f.Note != "" {
			does += " " + th.Glyphs.Sep + " " + f.Note
		}
	}
	about := th.Quiet
	if why := m.cannot(r); why != "" {
		does, ink = why, th.Quiet
	}
	if i == m.at {
		p.Text(th.Accent, th.Glyphs.Cursor)
		p.To(t.Starts[colText])
		p.Fill(th.Select, m.lineOf(r), t.Widths[colText])
	} else {
		t.Cell(p, colText, ink, m.lineOf(r))
	}
	t.Cell(p, colKind, about, kind)
	t.Cell(p, colDoes, about, does)
	t.Cell(p, colKey, th.Key, press)
	p.End()
}

// line is what has been typed, and what enter would do.
func (m *Model) line(p *views.Pen) {
	p.Gap(1)
	p.Text(m.th.Key, ":")
	field := m.input.View()
	p.Raw(field, ansi.StringWidth(field))
	p.Gap(1)
	ink, hint := m.hint()
	p.Text(ink, hint)
	p.End()
}

func (m *Model) hint() (themes.Ink, string) {
	switch {
	case m.note != "":
		return m.th.Warn, m.note
	case len(m.rows) == 0:
		return m.th.Bad, "nothing is called " + sources.Clean(m.calls(), 30) + m.nearest()
	}
	r := m.rows[m.at]
	if why := m.cannot(r); why != "" {
		return m.th.Warn, why
	}
	if r.entry == none {
		return m.th.Quiet, "enter goes to " + m.lineOf(r)
	}
	e := &m.entries[r.entry]
	rest := m.restOf(r)
	if rest != "" {
		hint, ok := e.Rest(rest)
		if !ok {
			return m.th.Bad, hint
		}
		rest = " " + m.th.Glyphs.Arrow + " " + hint
	}
	on := m.lineOf(r)
	switch {
	case r.flag != none:
		on += ", " + m.snap.Flags[r.flag].Brief()
	case e.On != "":
		on = e.Text + " " + e.On
	}
	switch {
	case e.Acts && !m.written(r):
		return m.th.Quiet, "enter writes it out, enter again does it"
	case e.Acts:
		return m.th.Text, "enter: " + on + rest
	case rest != "":
		return m.th.Quiet, "enter: " + e.Text + rest
	default:
		return m.th.Quiet, "enter: " + e.Text
	}
}

// calls is the words that mean nothing.
func (m *Model) calls() string {
	if m.said.entry != none {
		return m.said.args
	}
	return m.said.text
}
