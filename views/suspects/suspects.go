// Package suspects is the screen that answers what changed before it broke: the changes
// that may have been the cause, the most likely first, each with its reasons.
package suspects

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

// ClosedMsg says that the operator is done looking.
type ClosedMsg struct{}

// Model is the screen. Not for concurrent use.
type Model struct {
	th      *themes.Theme
	keys    views.KeyMap
	width   int
	height  int
	focused bool
	snap    *sources.Snapshot
	now     time.Time

	in      *sources.Incident // nil until the first look has ended
	reading bool
	proof   views.Note // what became of a kill; no text for none
	cursor  int
	on      id        // what the cursor is on; zero for nothing
	movedAt time.Time // when something else came under the cursor by itself
}

// id tells suspects apart, whatever their order.
type id struct {
	lane    sources.Lane
	change  string
	subject string
	at      int64
}

func idOf(s *sources.Suspect) id { return id{s.Lane, s.Change, s.Subject, s.At.UnixNano()} }

// New is a screen without a size, on which nothing has been looked at yet.
func New(th *themes.Theme, keys views.KeyMap) Model { return Model{th: th, keys: keys, focused: true} }

// SetSize gives the screen w x h cells.
func (m *Model) SetSize(w, h int) { m.width, m.height = w, h }

// SetFocused tells the screen whether it has the keys.
func (m *Model) SetFocused(focused bool) { m.focused = focused }

// SetSnapshot says how the flags are now, with ages as of now.
func (m *Model) SetSnapshot(s *sources.Snapshot, now time.Time) { m.snap, m.now = s, now }

// SetReading says that a look is under way.
func (m *Model) SetReading(on bool) { m.reading = on }

// SetIncident shows what a look has found. The cursor stays on its suspect.
func (m *Model) SetIncident(in *sources.Incident, now time.Time) {
	m.in, m.now, m.reading = in, now, false
	for i := range in.Suspects {
		if idOf(&in.Suspects[i]) == m.on {
			m.cursor = i
			return
		}
	}
	m.to(m.cursor)
	m.movedAt = now
}

// SetProof says what became of a kill: whether what broke has recovered.
func (m *Model) SetProof(n views.Note) { m.proof = n }

// MovedAt is when another suspect came under the cursor by itself.
func (m *Model) MovedAt() time.Time { return m.movedAt }

// Selected is the suspect under the cursor; nil when there is none.
func (m *Model) Selected() *sources.Suspect {
	if m.in == nil || m.cursor >= len(m.in.Suspects) {
		return nil
	}
	return &m.in.Suspects[m.cursor]
}

func (m *Model) to(i int) {
	m.cursor, m.on = 0, id{}
	if m.in != nil && len(m.in.Suspects) > 0 {
		m.cursor = max(0, min(i, len(m.in.Suspects)-1))
		m.on = idOf(&m.in.Suspects[m.cursor])
	}
}

// ShortHelp is the keys that the screen answers to.
func (m Model) ShortHelp() []key.Binding {
	k := &m.keys
	return []key.Binding{k.Kill, k.Undo, k.Escape, k.Timeline, k.Up, k.Help}
}

// Update moves the cursor, and closes on escape. It never acts.
func (m Model) Update(msg tea.Msg) (Model, tea.Cmd) {
	press, ok := msg.(tea.KeyPressMsg)
	if !ok {
		return m, nil
	}
	switch {
	case key.Matches(press, m.keys.Escape, m.keys.Suspects, m.keys.Quit):
		return m, views.Send(ClosedMsg{})
	case key.Matches(press, m.keys.Up):
		m.to(m.cursor - 1)
	case key.Matches(press, m.keys.Down):
		m.to(m.cursor + 1)
	case key.Matches(press, m.keys.Top):
		m.to(0)
	case key.Matches(press, m.keys.Bottom):
		m.to(1 << 20)
	}
	return m, nil
}

// View is the screen: what broke, who may have done it, and what was not looked at.
func (m Model) View() string {
	p := views.NewPen(m.th, m.width, m.height)
	p.Title(m.focused, "Suspects", m.notes(), nil)
	if m.proof.Text != "" {
		p.Say(m.proof.Ink, m.proof.Text)
	}
	switch {
	case m.in == nil:
		p.Say(m.th.Quiet, "looking at how every number went, and at what was changed"+m.th.Glyphs.Ellipsis)
	case len(m.in.Suspects) == 0:
		p.Say(m.th.Text, m.in.Answer())
		m.breaches(p, 0)
		m.missing(p)
	default:
		m.breaches(p, 3)
		p.End()
		m.list(p)
		m.missing(p)
	}
	return p.String()
}

func (m *Model) notes() (notes []views.Note) {
	th := m.th
	if m.in != nil {
		n := len(m.in.Suspects)
		notes = append(notes, views.Note{Ink: th.Quiet, Text: fmt.Sprint(n)},
			views.Note{Ink: th.Quiet, Text: m.in.Looked()})
		if age := m.now.Sub(m.in.At); age > 2*time.Minute {
			notes = append(notes, views.Note{Ink: th.Warn, Text: "read " + views.Age(age, false) + " ago"})
		}
	}
	if m.reading && m.in != nil {
		notes = append(notes, views.Note{Ink: th.Quiet, Text: "looking again" + th.Glyphs.Ellipsis})
	}
	return notes
}

// breaches writes when what broke broke, the earliest first; at most so many lines, 0
// for as many as there are.
func (m *Model) breaches(p *views.Pen, most int) {
	th := m.th
	for i := range m.in.Breaches {
		b := &m.in.Breaches[i]
		if most > 0 && i == most {
			p.Gap(views.Indent)
			p.Text(th.Quiet, fmt.Sprintf("and %d more", len(m.in.Breaches)-most))
			p.End()
			return
		}
		ink, end := th.Bad, ""
		if !b.Until.IsZero() {
			ink, end = th.Quiet, ", back at "+b.Until.In(m.now.Location()).Format("15:04:05")
		}
		p.Gap(views.Indent)
		p.Text(ink, fmt.Sprintf("%s %s: %s %s %s%s", b.At.In(m.now.Location()).Format("15:04:05"), b.Metric,
			sources.Amount(b.Before, b.Unit), th.Glyphs.Arrow, sources.Amount(b.After, b.Unit), end))
		p.End()
	}
}

// list writes the suspects from the first in sight on, that under the cursor always
// among them.
func (m *Model) list(p *views.Pen) {
	top := 0
	for top < m.cursor && m.lines(top, m.cursor) > p.Left() {
		top++
	}
	for i := top; i < len(m.in.Suspects) && p.Left() > 0; i++ {
		m.row(p, i)
	}
}

// lines is how many lines the suspects from one to another take.
func (m *Model) lines(from, to int) (n int) {
	for i := from; i <= to; i++ {
		n += 2 + len(m.why(i))
	}
	return n
}

// why is a suspect's case in lines.
func (m *Model) why(i int) []string {
	s := &m.in.Suspects[i]
	return views.WrapLines(m.th, strings.TrimPrefix(s.Why, s.Subject+" "+s.What+", "), max(m.width-inner-1, 1), 4)
}

// inner is where what is said of a suspect begins.
const inner = 6

func (m *Model) row(p *views.Pen, i int) {
	th, s := m.th, &m.in.Suspects[i]
	here := i == m.cursor
	if here {
		p.Text(th.Accent, th.Glyphs.Cursor)
	}
	p.To(views.Indent)
	word := map[string]themes.Ink{"strong": th.Bad, "likely": th.Warn}[s.Word]
	if s.Word == "possible" {
		word = th.Text
	}
	p.Cell(word, s.Word, 9)
	name, room := s.Subject, max(min(28, m.width-48), 16)
	if here {
		p.Fill(th.Select, name, min(views.Width(name), room))
	} else {
		p.Text(th.Strong, views.Cut(th, name, room))
	}
	p.Gap(2)
	p.Text(th.Text, strings.Replace(s.What, " to ", " "+th.Glyphs.Arrow+" ", 1))
	p.Gap(2)
	p.Text(th.Quiet, strings.Join(m.by(s), " "+th.Glyphs.Sep+" "))
	p.End()
	for _, line := range m.why(i) {
		p.To(inner)
		p.Text(th.Text, line)
		p.End()
	}
	p.To(inner)
	ink, text := m.way(s)
	p.Text(ink, text)
	p.End()
}

// by is what it is, when it was, and whose it was.
func (m *Model) by(s *sources.Suspect) []string {
	out := []string{s.At.In(m.now.Location()).Format("15:04:05")}
	if s.Actor != "" {
		out = append(out, s.Actor)
	}
	switch s.Lane {
	case sources.LaneDeploys:
		out = append(out, "deploy")
	case sources.LaneBreakers:
		out = append(out, "breaker")
	default:
	}
	return out
}

// way is what can be done about a suspect from here.
func (m *Model) way(s *sources.Suspect) (themes.Ink, string) {
	th := m.th
	switch s.Lane {
	case sources.LaneDeploys:
		return th.Quiet, "a deploy: roll it back where it was rolled out"
	case sources.LaneBreakers:
		return th.Quiet, "a breaker: esc, then " + views.Named(m.keys.CloseBreaker) + " on its row closes it again"
	default:
	}
	f := m.snap.Flag(s.Flag)
	switch {
	case f == nil:
		return th.Quiet, "the flag is not there any more"
	case f.Killed || f.State == sources.FlagOff:
		return th.Good, th.Glyphs.Good + " " + f.Brief() + " now"
	case m.snap.Source(s.Flag.Source).ReadOnly != "":
		return th.Quiet, "it is " + f.Brief() + " now; " + s.Flag.Source + " cannot be changed from here"
	case len(views.KeysOf(m.keys.Kill)) == 0:
		return th.Quiet, "it is " + f.Brief() + " now; kill has no key here"
	case !m.keys.Kill.Enabled():
		return th.Quiet, "it is " + f.Brief() + " now; this board is read-only"
	}
	return th.Accent, views.Named(m.keys.Kill) + " kills it; it is " + f.Brief() + " now"
}

// missing is what was not looked at.
func (m *Model) missing(p *views.Pen) {
	for _, text := range m.in.Missing {
		if p.Left() <= 0 {
			return
		}
		p.Say(m.th.Warn, text)
	}
}
