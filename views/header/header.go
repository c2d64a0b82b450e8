// Package header is the board's first line: where one is, how far each source
// can be trusted, what is open, and the time in minutes.
package header

import (
	"slices"
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
	"relctl-tui/views/alerts"
	"relctl-tui/views/breakers"
	"relctl-tui/views/latency"
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
	recorded bool              // to a file
	self     string            // who looks, where the snapshot tells of them as well
	playback *sources.Playback // nil on a live board
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

// SetRecording says on the screen that all of it is recorded to a file.
func (m *Model) SetRecording(on bool) { m.recorded = on }

// SetSelf names whoever looks at this board, where the snapshot has them among those who
// are here: the header tells of others.
func (m *Model) SetSelf(name string) { m.self = sources.Clean(name, sources.MaxName) }

// SetPlayback says on the screen that this is a recording, and where in it.
func (m *Model) SetPlayback(p *sources.Playback) { m.playback = p }

// Update changes nothing: a header only shows.
func (m Model) Update(tea.Msg) (Model, tea.Cmd) { return m, nil }

// View is the line. What is wrong comes first where room is short: open breakers
// and the clock at the right edge, then sources that cannot be trusted, then SLOs that
// are breached, which stand in their pane as well.
func (m Model) View() string {
	p := views.NewPen(m.th, m.width, m.height)
	right := m.right()
	left, room := m.beside(right)
	if n, ok := m.slos(); ok {
		more := slices.Insert(slices.Clone(right), max(len(right)-1, 0), n)
		if l, r := m.beside(more); !loses(left, l) {
			left, right, room = l, more, r
		}
	}
	for _, n := range left {
		if p.X() > 0 {
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

// beside is what fits beside notes at the right edge, and the room that there is for it.
func (m *Model) beside(right []views.Note) (fit []views.Note, room int) {
	room = m.width
	for _, n := range right {
		room -= views.Width(n.Text) + 1
	}
	used := 0
	for _, n := range m.left(room) {
		w := views.Width(n.Text)
		if used > 0 {
			w += 2
		}
		if used > 0 && used+w > room {
			continue
		}
		used += w
		fit = append(fit, n)
	}
	return fit, room
}

// loses tells whether other notes lack any of these, but for the product's name and the
// names of who else is here, or say no more that sources are fresh, be it by their number.
func loses(notes, in []views.Note) bool {
	fresh := func(n views.Note) bool { return strings.HasSuffix(n.Text, " fresh") }
	return slices.ContainsFunc(notes, func(n views.Note) bool {
		if fresh(n) {
			return !slices.ContainsFunc(in, fresh)
		}
		return n.Text != Product && !strings.HasPrefix(n.Text, "with ") &&
			!slices.ContainsFunc(in, func(o views.Note) bool { return o.Text == n.Text })
	})
}

func (m *Model) left(room int) []views.Note {
	th := m.th
	if m.snap == nil {
		return []views.Note{{Ink: th.Strong, Text: Product}, {Ink: th.Quiet, Text: "starting" + th.Glyphs.Ellipsis}}
	}
	notes := make([]views.Note, 0, len(m.snap.Sources)+3)
	if m.snap.Context != "" {
		notes = append(notes, views.Note{Ink: th.Badge(m.snap.Accent), Text: " " + m.snap.Context + " "})
	}
	named := len(notes)
	notes = append(notes, views.Note{Ink: th.Strong, Text: Product})
	if m.playback != nil {
		notes = append(notes[:named], append([]views.Note{m.replay()}, notes[named:]...)...)
		named++
	} else if m.recorded {
		notes = append(notes, views.Note{Ink: th.Warn, Text: "REC"})
	}
	if m.readOnly && m.playback == nil {
		notes = append(notes, views.Note{Ink: th.Warn, Text: "read-only"})
	}
	if n, ok := m.freeze(); ok {
		notes = append(notes, n)
	}
	var fresh, bad, speak []views.Note
	for i := range m.snap.Sources {
		st := &m.snap.Sources[i]
		switch {
		case st.Role == sources.StandsBy: // it is not asked, so there is nothing to say of it
		case st.Health != sources.Fresh || st.Err != "":
			bad = append(bad, m.source(st))
		case st.Role == sources.Speaks:
			speak = append(speak, m.source(st))
		default:
			fresh = append(fresh, m.source(st))
		}
	}
	if wide(notes)+wide(bad) > room {
		bad = m.unsure(bad)
	}
	if len(speak) > 2 {
		speak = many(speak, th.Glyphs.Good, "speak", th.Quiet)
	}
	bad = append(bad, speak...)      // which one speaks is said in any case
	shortest := min(wide(fresh), 20) // "2 sources fresh" with its sign
	if named > 0 && wide(notes)+wide(bad)+shortest > room {
		// The name of the product is what can be spared first.
		notes = append(notes[:named], notes[named+1:]...)
	}
	notes = append(notes, bad...)
	notes = append(notes, m.others(room-wide(notes)-shortest)...)
	if wide(notes)+wide(fresh) > room {
		fresh = many(fresh, th.Glyphs.Good, "fresh", th.Quiet)
	}
	return append(notes, fresh...)
}

// freeze is what the calendar closes now, with its end.
func (m *Model) freeze() (views.Note, bool) {
	z, frozen := m.snap.Calendar.Of(nil, m.now)
	if frozen {
		return views.Note{Ink: m.th.Warn, Text: views.Cut(m.th, z.Brief(m.now), 44)}, true
	}
	if z, frozen = m.snap.Calendar.Partly(m.now); frozen {
		return views.Note{Ink: m.th.Warn, Text: views.Cut(m.th, "partly frozen"+strings.TrimPrefix(z.Brief(m.now), "freeze"), 44)}, true
	}
	return views.Note{}, false
}

// unsure is the sources that are not fresh in one note: how old the oldest is,
// if all have been read.
func (m *Model) unsure(notes []views.Note) []views.Note {
	oldest := m.now
	for i := range m.snap.Sources {
		st := &m.snap.Sources[i]
		switch {
		case st.Role == sources.StandsBy:
		case st.Health != sources.Fresh && st.Health != sources.Stale:
			return many(notes, m.th.Glyphs.Unknown, "not fresh", m.th.Warn)
		case st.Health == sources.Fresh && st.Err != "":
			return many(notes, m.th.Glyphs.FlagBroken, "failing", m.th.Warn)
		}
		if st.Health == sources.Stale && st.LastOK.Before(oldest) {
			oldest = st.LastOK
		}
	}
	return many(notes, m.th.Glyphs.Stale, "stale "+views.Age(m.now.Sub(oldest), true), m.th.Warn)
}

// many is one note in place of several, where there is no room for their names.
func many(notes []views.Note, glyph, words string, ink themes.Ink) []views.Note {
	if len(notes) < 2 {
		return notes
	}
	return []views.Note{{Ink: ink, Text: glyph + " " + strconv.Itoa(len(notes)) + " sources " + words}}
}

// wide is the room that notes take with two cells between them.
func wide(notes []views.Note) int {
	n := 0
	for _, note := range notes {
		n += views.Width(note.Text) + 2
	}
	return n
}

// source is one source's health in words. Fresh has no age, so that it does not
// tick; stale has one, to the second in its first minute.
func (m *Model) source(st *sources.SourceStatus) views.Note {
	look := views.HealthLook(m.th, st.Health)
	if st.Role == sources.Speaks && st.Health == sources.Fresh {
		look.Word = "speaks" // which says that it is fresh
	}
	name := views.Cut(m.th, st.Name, 28)
	text := look.Glyph + " " + name + " " + look.Word
	switch {
	case st.Health == sources.Fresh && st.Err != "":
		// The data is not old yet, but the last read failed: no tick for that.
		text = m.th.Glyphs.FlagBroken + " " + name + " failing"
		look.Ink = m.th.Warn
	case st.Health == sources.Fresh:
		look.Ink = m.th.Quiet
	case st.LastOK.IsZero() && st.Err == "":
		text = look.Glyph + " " + name + " not read yet"
		look.Ink = m.th.Warn
	case st.LastOK.IsZero():
		text = look.Glyph + " " + name + " never read"
	default:
		text += " " + views.Age(m.now.Sub(st.LastOK), true)
		if st.Role == sources.Speaks {
			text += ", speaks"
		}
	}
	return views.Note{Ink: look.Ink, Text: text}
}

func (m *Model) right() []views.Note {
	var notes []views.Note
	if n, ok := m.alerts(); ok {
		notes = append(notes, n)
	}
	if n, ok := m.breakers(); ok {
		notes = append(notes, n)
	}
	switch {
	case m.playback != nil:
		layout := "15:04:05"
		if m.width >= wideEnough {
			layout = "2006-01-02 15:04:05"
		}
		notes = append(notes, views.Note{Ink: m.th.Strong, Text: m.playback.Moment.Format(layout)})
	case !m.now.IsZero():
		notes = append(notes, views.Note{Ink: m.th.Strong, Text: m.now.Format("15:04")})
	}
	return notes
}

// wideEnough is the width from which a moment of the past has its date.
const wideEnough = 100

// replay says that what is shown is a recording, and how it runs.
func (m *Model) replay() views.Note {
	p := m.playback
	how := ""
	switch {
	case p.Ended:
		how = " end"
	case p.Paused:
		how = " paused"
	}
	if p.Speed != 1 {
		how += " x" + strconv.FormatFloat(p.Speed, 'g', 4, 64)
	}
	return views.Note{Ink: m.th.Alarm, Text: " REPLAY" + how + " "}
}

// alerts is how many fire.
func (m *Model) alerts() (views.Note, bool) {
	if m.snap == nil {
		return views.Note{}, false
	}
	n := alerts.Firing(m.snap.Alerts)
	word := strconv.Itoa(n) + " firing"
	feed := views.AlertFeed(m.snap, m.now)
	switch {
	case n == 0:
		return views.Note{}, false
	case feed.AllOld:
		return views.Note{Ink: m.th.Warn, Text: m.th.Glyphs.Stale + " " + word + ", " + feed.Word()}, true
	default:
		return views.Note{Ink: m.th.Alarm, Text: " " + word + " "}, true
	}
}

// breakers is the alarm: what is open, or else half-open. Where nothing that
// measures is fresh it is no alarm but a memory, and says so.
func (m *Model) breakers() (views.Note, bool) {
	if m.snap == nil {
		return views.Note{}, false
	}
	open, half := breakers.Count(m.snap.Breakers)
	word := strconv.Itoa(open) + " breakers open"
	if open == 1 {
		word = "1 breaker open"
	}
	feed := views.BreakerFeed(m.snap, m.now)
	switch {
	case open > 0 && feed.AllOld:
		return views.Note{Ink: m.th.Warn, Text: m.th.Glyphs.Stale + " " + word + ", stale"}, true
	case open > 0:
		return views.Note{Ink: m.th.Alarm, Text: " " + m.th.Glyphs.Open + " " + word + " "}, true
	case half > 0 && !feed.AllOld:
		return views.Note{Ink: m.th.Warn, Text: m.th.Glyphs.HalfOpen + " " + strconv.Itoa(half) + " half-open"}, true
	default:
		return views.Note{}, false
	}
}

// slos is how many latencies are over their SLO, where that is known now.
func (m *Model) slos() (views.Note, bool) {
	if m.snap == nil || views.LatencyFeed(m.snap, m.now).AllOld {
		return views.Note{}, false
	}
	switch breached, _ := latency.Count(m.snap.Latencies); breached {
	case 0:
		return views.Note{}, false
	case 1:
		return views.Note{Ink: m.th.Bad, Text: " " + m.th.Glyphs.Bad + " 1 SLO breached"}, true
	default:
		return views.Note{Ink: m.th.Bad, Text: " " + m.th.Glyphs.Bad + " " + strconv.Itoa(breached) + " SLOs breached"}, true
	}
}

// others is who else looks at the same flags, or how many, in so much room.
func (m *Model) others(room int) []views.Note {
	var names []string
	for i := range m.snap.Here {
		p := &m.snap.Here[i]
		if p.Name == m.self && p.Boards < 2 {
			continue
		}
		name := views.Cut(m.th, p.Name, 16)
		if p.Watching {
			name += " (watching)"
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return nil
	}
	note := views.Note{Ink: m.th.Accent, Text: "with " + strings.Join(names, ", ")}
	if len(names) > 4 || wide([]views.Note{note}) > room {
		note.Text = "with " + strconv.Itoa(len(names)) + " others"
		if len(names) == 1 {
			note.Text = "with 1 other"
		}
	}
	return []views.Note{note}
}
