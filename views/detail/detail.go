// Package detail is the pane with everything about one subject: a flag, a breaker,
// a latency or an alert. Each kind has a file of its own that says what its lines
// are; what they share is here.
package detail

import (
	"fmt"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
)

// ClosedMsg says that the operator wants the table back.
type ClosedMsg struct{}

// Model is the pane. Not for concurrent use.
type Model struct {
	th       *themes.Theme
	keys     views.KeyMap
	width    int
	height   int
	focused  bool
	readOnly bool
	brief    bool
	snap     *sources.Snapshot
	now      time.Time
	subject  views.Subject
	pending  string
	standing *sources.Standing
	scroll   views.Scroll

	// The subject as last seen, kept when it goes away. At most one is there.
	flag    *sources.Flag
	breaker *sources.Breaker
	latency *sources.Latency
	alert   *sources.Alert
	group   []sources.Alert // of one rule, in one state
	gone    bool            // it is in the snapshot no more

	inspected inspection // of a breaker
	chart     charted    // of a latency, or of a flag
	path      pathed     // of a latency, in the place of its chart
}

// New is an empty pane without a size.
func New(th *themes.Theme, keys views.KeyMap) Model { return Model{th: th, keys: keys} }

// SetSize gives the pane w x h cells, its title line included.
func (m *Model) SetSize(w, h int) { m.width, m.height = w, h }

// SetSnapshot shows other data, with ages as of now.
func (m *Model) SetSnapshot(s *sources.Snapshot, now time.Time) {
	m.snap, m.now = s, now
	if s == nil {
		m.forget()
	}
	m.find()
}

// SetFocused tells the pane whether it has the keys.
func (m *Model) SetFocused(focused bool) { m.focused = focused }

// SetReadOnly leaves out what the changing keys would do.
func (m *Model) SetReadOnly(on bool) { m.readOnly = on }

// SetBrief leaves out what has to be read for it: the chart, the call path. What the
// snapshot knows stays.
func (m *Model) SetBrief(on bool) { m.brief = on }

// SetSubject chooses what the pane is about.
func (m *Model) SetSubject(s views.Subject) {
	if s != m.subject {
		m.subject, m.pending, m.scroll = s, "", views.Scroll{}
		m.forget()
	}
	m.find()
}

// SetPending names the change of the subject that is under way; "" for none.
func (m *Model) SetPending(words string) { m.pending = sources.Clean(words, 260) }

// SetStanding shows how a migration stands; nil while that is not known. One of
// another flag is not shown.
func (m *Model) SetStanding(s *sources.Standing) { m.standing = s }

// Subject is what the pane is about.
func (m Model) Subject() views.Subject { return m.subject }

func (m *Model) forget() {
	m.flag, m.breaker, m.latency, m.alert, m.group, m.gone = nil, nil, nil, nil, nil, false
	m.inspected = inspection{}
	m.chart = charted{of: m.chart.of, zoom: m.chart.zoom}
	m.path = pathed{on: m.path.on}
}

// find looks the subject up in the snapshot.
func (m *Model) find() {
	found := false
	switch s := m.subject; s.Kind {
	case views.AFlag:
		found = keep(&m.flag, m.snap.Flag(s.Flag))
	case views.ABreaker:
		found = keep(&m.breaker, m.snap.Breaker(s.Source, s.ID))
	case views.ALatency:
		found = keep(&m.latency, m.snap.LatencyOf(s.Source, s.ID))
	case views.AnAlert:
		found = keep(&m.alert, m.snap.Alert(s.Source, s.ID))
	case views.AlertGroup:
		found = m.findGroup()
	case views.NoSubject:
	}
	m.gone = !found
}

// keep replaces what was seen last by what is seen now, if it is.
func keep[T any](last **T, now *T) bool {
	if now != nil {
		*last = now
	}
	return now != nil
}

// ShortHelp is the keys that do something here.
func (m Model) ShortHelp() []key.Binding {
	k := m.keys
	if m.readOnly {
		k = k.ReadOnly()
	}
	switch m.subject.Kind {
	case views.AFlag:
	case views.ABreaker:
		return []key.Binding{k.ForceOpen, k.CloseBreaker, k.Undo, k.Escape}
	case views.ALatency:
		if m.path.on {
			return []key.Binding{k.Earlier, k.Later, k.Chart, k.Copy, k.Escape}
		}
		return []key.Binding{k.Chart, k.Earlier, k.Later, k.Span, k.Copy, k.Escape}
	case views.AnAlert:
		return []key.Binding{k.Silence, k.Undo, k.Escape}
	default:
		return []key.Binding{k.Escape}
	}
	return []key.Binding{k.Ramp, k.Back, k.Kill, k.Undo, k.SetPercent, k.Guarded, k.Pause, k.Chart, k.Span, k.Escape}
}

// FullHelp is the same with the moving keys.
func (m Model) FullHelp() [][]key.Binding {
	k := m.keys
	return [][]key.Binding{m.ShortHelp(), {k.Up, k.Down, k.PageUp, k.PageDown, k.Top, k.Bottom}}
}

// Update acts on the flag that is shown, as the table does on its selection;
// escape closes.
func (m Model) Update(msg tea.Msg) (Model, tea.Cmd) {
	press, ok := msg.(tea.KeyPressMsg)
	if !ok {
		return m, nil
	}
	switch {
	case key.Matches(press, m.keys.Escape, m.keys.Detail):
		return m, views.Send(ClosedMsg{})
	case key.Matches(press, m.keys.Ramp):
		return m, m.act(sources.Ramp)
	case key.Matches(press, m.keys.Back):
		return m, m.act(sources.Back)
	case key.Matches(press, m.keys.Kill):
		return m, m.act(sources.Kill)
	case m.breaker != nil && key.Matches(press, m.keys.ForceOpen):
		return m, views.Switch(m.snap, m.breaker, sources.ForceOpen, m.readOnly)
	case m.breaker != nil && key.Matches(press, m.keys.CloseBreaker):
		return m, views.Switch(m.snap, m.breaker, sources.CloseBreaker, m.readOnly)
	case m.chartKey(press):
	default:
		m.scroll.Move(&m.keys, press, len(m.lines()), m.height-1)
	}
	return m, nil
}

// act is a changing key on the flag that is shown.
func (m *Model) act(kind sources.ChangeKind) tea.Cmd {
	return views.Act(m.snap, m.snap.Flag(m.subject.Flag), kind, m.readOnly)
}

// View is the pane.
func (m Model) View() string {
	p := views.NewPen(m.th, m.width, m.height)
	name, look, source, part := m.title()
	if name == "" {
		p.Title(m.focused, "Detail", nil, nil)
		p.Say(m.th.Quiet, m.nothing())
		return p.String()
	}
	notes := []views.Note{{Ink: look.Ink, Text: look.Glyph + " " + look.Word}}
	st := m.snap.Source(source)
	switch status := st.Part(part); {
	case m.gone:
		notes = append(notes, views.Note{Ink: m.th.Warn, Text: "no longer in " + source})
	case status.Health != sources.Fresh:
		notes = append(notes, views.Note{Ink: m.th.Warn, Text: status.Health.String() + " " + views.AgeOf(status.LastOK, m.now, true)})
	}
	if room := m.width - 24; views.Width(name) > max(room, 8) {
		name = strings.TrimRight(views.Cut(m.th, name, max(room, 8)), " ")
	}
	p.Title(m.focused, name, notes, nil)
	lines := m.lines()
	for i := m.scroll.Top(len(lines), m.height-1); i < len(lines) && p.Left() > 0; i++ {
		lines[i](p)
	}
	return p.String()
}

// nothing says why the pane is empty.
func (m *Model) nothing() string {
	switch m.subject.Kind {
	case views.ABreaker:
		return "no breaker is selected."
	case views.ALatency:
		return "no latency is selected."
	case views.AnAlert, views.AlertGroup:
		return "no alert is selected."
	default:
		return "no flag is selected."
	}
}

// title is the subject's name and state, and the part of the source that says so;
// no name without a subject.
func (m *Model) title() (name string, look views.Look, source string, part sources.Part) {
	switch {
	case m.flag != nil:
		return m.flag.Name, views.FlagLook(m.th, m.flag), m.flag.ID.Source, sources.PartFlags
	case m.breaker != nil:
		return m.breaker.Name, views.BreakerLook(m.th, m.breaker.State), m.breaker.Source, sources.PartBreakers
	case m.latency != nil:
		return m.latency.Name, views.LatencyLook(m.th, m.latency), m.latency.Source, sources.PartLatencies
	case m.alert != nil:
		return m.alert.Name, views.AlertLook(m.th, m.alert.State), m.alert.Source, sources.PartAlerts
	case len(m.group) > 0:
		a := &m.group[0]
		return fmt.Sprintf("%s x%d", a.Name, len(m.group)), views.AlertLook(m.th, a.State), a.Source, sources.PartAlerts
	default:
		return "", views.Look{}, "", 0
	}
}

// line writes one line of the pane and ends it.
type line func(p *views.Pen)

// lines are what there is to say about the subject.
func (m *Model) lines() []line {
	switch {
	case m.flag != nil:
		return m.flagLines()
	case m.breaker != nil:
		return m.breakerLines()
	case m.latency != nil:
		return m.latencyLines()
	case m.alert != nil:
		return m.alertLines()
	case len(m.group) > 0:
		return m.groupLines()
	default:
		return nil
	}
}

// moment is a time to come, to the minute, with its day where that is not today.
func moment(at, now time.Time) string {
	at = at.In(now.Location())
	if at.YearDay() == now.YearDay() && at.Year() == now.Year() {
		return at.Format("15:04")
	}
	return at.Format("02 Jan 15:04")
}

func orAbsent(s string) string {
	if s == "" {
		return views.Absent
	}
	return s
}

func blank(p *views.Pen) { p.End() }

const label = 10

func (m *Model) head(p *views.Pen, name string) {
	p.Gap(2)
	p.Cell(m.th.Label, name, label)
}

func (m *Model) field(name string, ink themes.Ink, text string) line {
	return func(p *views.Pen) {
		m.head(p, name)
		p.Text(ink, text)
		p.End()
	}
}

// source is where the subject comes from, and how old that makes what stands here, in the
// same words as in the header; then why it cannot be read, which a pane may have to cut.
func (m *Model) source(name string, of sources.Part) []line {
	st := m.snap.Source(name)
	return m.health(&st, st.Part(of))
}

// mostWhy is the lines of a reason that no error outgrows as it is kept.
const mostWhy = 12

func (m *Model) health(st *sources.SourceStatus, part sources.PartStatus) []line {
	out := []line{func(p *views.Pen) { m.trust(p, st.Name, part) }}
	if part.Err == "" {
		return out
	}
	for _, s := range views.WrapLines(m.th, views.Trouble(st, part, m.now), max(m.width-label-views.Indent-1, 8), mostWhy) {
		out = append(out, m.field("", m.th.Warn, s))
	}
	return out
}

// trust is the source's name and what its data are worth.
func (m *Model) trust(p *views.Pen, name string, part sources.PartStatus) {
	look := views.HealthLook(m.th, part.Health)
	if part.Health == sources.Fresh && part.Err != "" {
		look = views.Look{Ink: m.th.Warn, Glyph: m.th.Glyphs.FlagBroken, Word: "failing"}
	}
	m.head(p, "source")
	p.Text(m.th.Quiet, name)
	p.Gap(2)
	if part.Health == sources.Fresh && part.Err == "" {
		look.Ink = m.th.Quiet
	}
	p.Text(look.Ink, look.Glyph+" "+look.Word)
	if part.Health != sources.Fresh && !part.LastOK.IsZero() {
		p.Text(look.Ink, ", last read "+views.AgeOf(part.LastOK, m.now, true)+" ago")
	}
	p.End()
}

// prose is a text in as many lines as it needs, three at most.
func (m *Model) prose(out []line, text string, ink themes.Ink) []line {
	for _, s := range views.WrapLines(m.th, text, max(m.width-4, 8), 3) {
		out = append(out, func(p *views.Pen) {
			p.Gap(2)
			p.Text(ink, s)
			p.End()
		})
	}
	return out
}
