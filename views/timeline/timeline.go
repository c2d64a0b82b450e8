// Package timeline is the screen of what happened when: lanes of deploys, changes of
// flags, breakers, alerts, breaches and verdicts over one axis of time, under the line of
// the number that is worst.
package timeline

import (
	"slices"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
	"relctl-tui/views/chart"
)

// ClosedMsg says that the operator is done looking.
type ClosedMsg struct{}

// spans are what the screen can show at once, and the one that it begins with.
var spans = [...]time.Duration{5 * time.Minute, 15 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour}

const firstSpan = 1

// Model is the screen. Not for concurrent use.
type Model struct {
	th      *themes.Theme
	keys    views.KeyMap
	width   int
	height  int
	focused bool
	now     time.Time

	in      *sources.Incident // nil until the first look has ended
	events  []*sources.Event  // of in, those that the filter lets through; oldest first
	reading bool
	filter  string
	zoom    int       // which of spans
	until   time.Time // the right edge; zero to go with the time
	cursor  int       // of events
	stays   bool      // the operator has chosen the event, else the cursor goes with the newest
}

// New is a screen without a size, on which nothing has been looked at yet.
func New(th *themes.Theme, keys views.KeyMap) Model {
	return Model{th: th, keys: keys, focused: true, zoom: firstSpan}
}

// SetSize gives the screen w x h cells.
func (m *Model) SetSize(w, h int) { m.width, m.height = w, h }

// SetFocused tells the screen whether it has the keys.
func (m *Model) SetFocused(focused bool) { m.focused = focused }

// SetSnapshot moves the right edge on to now; what is shown comes with SetIncident.
func (m *Model) SetSnapshot(_ *sources.Snapshot, now time.Time) { m.now = now }

// SetReading says that a look is under way.
func (m *Model) SetReading(on bool) { m.reading = on }

// SetIncident shows what a look has found. The cursor stays on its event.
func (m *Model) SetIncident(in *sources.Incident, now time.Time) {
	m.in, m.now, m.reading = in, now, false
	m.pick()
}

// SetFilter shows events alone that have the text in their name, their service or their
// lane; with ! before it those that have not. "" shows all.
func (m *Model) SetFilter(text string) {
	m.filter = text
	m.pick()
}

// Filter is the text that events are filtered by.
func (m *Model) Filter() string { return m.filter }

// Wants is how far back has to be looked for what is on the screen.
func (m *Model) Wants() time.Duration {
	span := spans[m.zoom]
	if m.until.IsZero() {
		return span
	}
	back := m.now.Sub(m.until) + span
	return min((back + span/2).Truncate(span/2), sources.MaxSeriesSpan)
}

// pick filters, and keeps the cursor on its event.
func (m *Model) pick() {
	var on *sources.Event
	if m.stays && m.cursor < len(m.events) {
		on = m.events[m.cursor]
	}
	m.events = nil
	if m.in == nil {
		return
	}
	text, inverse := strings.CutPrefix(strings.ToLower(m.filter), "!")
	for i := range m.in.Events {
		e := &m.in.Events[i]
		if text == "" || has(e, text) != inverse {
			m.events = append(m.events, e)
		}
	}
	m.cursor = max(0, len(m.events)-1)
	if on != nil {
		i := slices.IndexFunc(m.events, func(e *sources.Event) bool {
			return e.Lane == on.Lane && e.Name == on.Name && e.At.Sub(on.At).Abs() < time.Minute && e.Text == on.Text
		})
		if i < 0 {
			i, _ = slices.BinarySearchFunc(m.events, on.At, func(e *sources.Event, at time.Time) int { return e.At.Compare(at) })
		}
		m.cursor = max(0, min(i, len(m.events)-1))
	}
}

func has(e *sources.Event, text string) bool {
	for _, s := range []string{e.Name, e.Service, e.Lane.String()} {
		if strings.Contains(strings.ToLower(s), text) {
			return true
		}
	}
	return false
}

// window is the time on the screen. What goes with the time moves on by whole cells, so
// that nothing on it jumps to and fro, and a screen on which nothing happens sends nothing.
func (m *Model) window() (from, to time.Time) {
	if to = m.until; to.IsZero() {
		step := spans[m.zoom] / time.Duration(max(chart.Cells(m.width)-1, 1))
		if to = m.now.Truncate(step); to.Before(m.now) {
			to = to.Add(step)
		}
	}
	return to.Add(-spans[m.zoom]), to
}

// ShortHelp is the keys that the screen answers to.
func (m Model) ShortHelp() []key.Binding {
	k := &m.keys
	return []key.Binding{k.NextEvent, k.Earlier, k.Span, k.Filter, k.Suspects, k.Escape, k.Help}
}

// Update moves over the time, and closes on escape. It never acts.
func (m Model) Update(msg tea.Msg) (Model, tea.Cmd) {
	press, ok := msg.(tea.KeyPressMsg)
	if !ok {
		return m, nil
	}
	quarter := spans[m.zoom] / 4
	switch {
	case key.Matches(press, m.keys.Escape, m.keys.Timeline, m.keys.Quit):
		return m, views.Send(ClosedMsg{})
	case key.Matches(press, m.keys.Earlier):
		m.pan(-quarter)
	case key.Matches(press, m.keys.Later):
		m.pan(quarter)
	case key.Matches(press, m.keys.Span):
		m.zoom = (m.zoom + 1) % len(spans)
		m.pan(0)
	case key.Matches(press, m.keys.NextEvent, m.keys.Down):
		m.jump(m.cursor + 1)
	case key.Matches(press, m.keys.PrevEvent, m.keys.Up):
		m.jump(m.cursor - 1)
	case key.Matches(press, m.keys.Top):
		m.jump(0)
	case key.Matches(press, m.keys.Bottom):
		m.jump(len(m.events) - 1)
		m.stays = false
	}
	return m, nil
}

// pan moves the window, never past now nor further back than sources are asked.
func (m *Model) pan(by time.Duration) {
	_, to := m.window()
	to = to.Add(by)
	if oldest := m.now.Add(spans[m.zoom] - sources.MaxSeriesSpan); to.Before(oldest) {
		to = oldest
	}
	if m.until = to; !to.Before(m.now) {
		m.until = time.Time{}
	}
}

// jump puts the cursor on an event, and the window about it where it lies outside.
func (m *Model) jump(to int) {
	if len(m.events) == 0 {
		return
	}
	m.cursor, m.stays = max(0, min(to, len(m.events)-1)), true
	at := m.events[m.cursor].At
	if from, until := m.window(); at.Before(from) || at.After(until) {
		m.until = at.Add(spans[m.zoom] / 2)
		m.pan(0)
	}
}

// The least of what is drawn, in lines.
const (
	leastPlot = 4 // the line of the worst number, with its axis of time
	mostPlot  = 14
	leastList = 3
)

// View is the screen.
func (m Model) View() string {
	p := views.NewPen(m.th, m.width, m.height)
	worst := m.worst()
	p.Title(m.focused, "Timeline", m.notes(worst), nil)
	if m.in == nil {
		p.Say(m.th.Quiet, "looking at what happened"+m.th.Glyphs.Ellipsis)
		return p.String()
	}
	lanes := int(sources.LaneCount)
	list := max(leastList, min(len(m.events), (m.height-1-lanes)/2))
	plot := max(leastPlot, min(m.height-1-lanes-list, mostPlot))
	if !chart.Fits(m.width-1, leastPlot) || m.height < 1+leastPlot+lanes+1 {
		p.Say(m.th.Quiet, "the timeline needs more room")
		return p.String()
	}
	for _, line := range m.plot(worst, plot) {
		p.Raw(line, m.width)
		p.End()
	}
	for lane := range sources.LaneCount {
		m.lane(p, lane)
	}
	m.list(p)
	return p.String()
}

func (m *Model) notes(worst *sources.PastMetric) []views.Note {
	th := m.th
	var notes []views.Note
	if worst != nil {
		notes = append(notes, views.Note{Ink: th.Strong, Text: worst.Name})
	}
	text := "last " + sources.Span(spans[m.zoom])
	if !m.until.IsZero() {
		text = sources.Span(spans[m.zoom]) + " to " + m.until.In(m.now.Location()).Format("15:04:05")
	}
	notes = append(notes, views.Note{Ink: th.Text, Text: text})
	if m.filter != "" {
		notes = append(notes, views.Note{Ink: th.Accent, Text: "/" + m.filter})
	}
	if m.reading {
		notes = append(notes, views.Note{Ink: th.Quiet, Text: "looking" + th.Glyphs.Ellipsis})
	} else if m.in != nil && len(m.in.Missing) > 0 {
		notes = append(notes, views.Note{Ink: th.Warn, Text: m.in.Missing[0]})
	}
	return notes
}
