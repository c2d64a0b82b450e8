// Package header is the board's first line: where one is, how far each source
// can be trusted, what is open, and the time in minutes.
package header

import (
	"strconv"
	"time"

	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
	"relctl-tui/views/breakers"
)

// Product is the name at the left edge.
const Product = "relctl-tui"

// Model is the line. Not for concurrent use.
type Model struct {
	th       *themes.Theme
	keys     views.KeyMap
	width    int
	height   int
	focused  bool
	readOnly bool
	snap     *sources.Snapshot
	now      time.Time
}

// New is a header without a size.
func New(th *themes.Theme, keys views.KeyMap) Model { return Model{th: th, keys: keys} }

// SetSize gives the header w x h cells; it writes one line and pads the others.
func (m *Model) SetSize(w, h int) { m.width, m.height = w, h }

// SetSnapshot shows other data, with ages and the clock as of now.
func (m *Model) SetSnapshot(s *sources.Snapshot, now time.Time) { m.snap, m.now = s, now }

// SetFocused is there for the sake of one interface; a header has no keys.
func (m *Model) SetFocused(focused bool) { m.focused = focused }

// SetReadOnly says so on the screen.
func (m *Model) SetReadOnly(on bool) { m.readOnly = on }

// Update changes nothing: a header only shows.
func (m Model) Update(tea.Msg) (Model, tea.Cmd) { return m, nil }

// View is the line. What is wrong comes first where room is short: open breakers
// and the clock at the right edge, then sources that cannot be trusted.
func (m Model) View() string {
	p := views.NewPen(m.th, m.width, m.height)
	right := m.right()
	room := m.width
	for _, n := range right {
		room -= views.Width(n.Text) + 1
	}
	for _, n := range m.left() {
		if p.X() > 0 {
			if p.X()+2+views.Width(n.Text) > room {
				continue
			}
			p.Gap(2)
		}
		p.Text(n.Ink, n.Text)
	}
	p.To(max(room, 0))
	for _, n := range right {
		p.Gap(1)
		p.Text(n.Ink, n.Text)
	}
	p.End()
	return p.String()
}

func (m *Model) left() []views.Note {
	th := m.th
	if m.snap == nil {
		return []views.Note{{Ink: th.Strong, Text: Product}, {Ink: th.Quiet, Text: "starting" + th.Glyphs.Ellipsis}}
	}
	notes := make([]views.Note, 0, len(m.snap.Sources)+3)
	if m.snap.Context != "" {
		notes = append(notes, views.Note{Ink: th.Badge(m.snap.Accent), Text: " " + m.snap.Context + " "})
	}
	notes = append(notes, views.Note{Ink: th.Strong, Text: Product})
	if m.readOnly {
		notes = append(notes, views.Note{Ink: th.Warn, Text: "read-only"})
	}
	for i := range m.snap.Sources {
		if m.snap.Sources[i].Health != sources.Fresh {
			notes = append(notes, m.source(&m.snap.Sources[i]))
		}
	}
	for i := range m.snap.Sources {
		if m.snap.Sources[i].Health == sources.Fresh {
			notes = append(notes, m.source(&m.snap.Sources[i]))
		}
	}
	return notes
}

// source is one source's health in words. Fresh has no age, so that it does not
// tick; stale has one, to the second in its first minute.
func (m *Model) source(st *sources.SourceStatus) views.Note {
	look := views.HealthLook(m.th, st.Health)
	name := views.Cut(m.th, st.Name, 28)
	text := look.Glyph + " " + name + " " + look.Word
	switch {
	case st.Health == sources.Fresh:
		look.Ink = m.th.Quiet
	case st.LastOK.IsZero() && st.Err == "":
		text = look.Glyph + " " + name + " not read yet"
		look.Ink = m.th.Warn
	case st.LastOK.IsZero():
		text = look.Glyph + " " + name + " never read"
	default:
		text += " " + views.Age(m.now.Sub(st.LastOK), true)
	}
	return views.Note{Ink: look.Ink, Text: text}
}

func (m *Model) right() []views.Note {
	var notes []views.Note
	if m.snap != nil && len(m.snap.Breakers) > 0 {
		open, half := breakers.Count(m.snap.Breakers)
		switch {
		case open == 1:
			notes = append(notes, views.Note{Ink: m.th.Alarm, Text: " " + m.th.Glyphs.Open + " 1 breaker open "})
		case open > 1:
			notes = append(notes, views.Note{Ink: m.th.Alarm, Text: " " + m.th.Glyphs.Open + " " + strconv.Itoa(open) + " breakers open "})
		case half > 0:
			notes = append(notes, views.Note{Ink: m.th.Warn, Text: m.th.Glyphs.HalfOpen + " " + strconv.Itoa(half) + " half-open"})
		}
	}
	if !m.now.IsZero() {
		notes = append(notes, views.Note{Ink: m.th.Strong, Text: m.now.Format("15:04")})
	}
	return notes
}
