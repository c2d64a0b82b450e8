// Package detail is the pane with everything about one flag.
package detail

import (
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
	"relctl-tui/views/activity"
	"relctl-tui/views/latency"
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
	snap     *sources.Snapshot
	now      time.Time
	id       sources.FlagID
	last     *sources.Flag // as last seen, kept when the flag goes away
	pending  string
	scroll   views.Scroll
}

// New is an empty pane without a size.
func New(th *themes.Theme, keys views.KeyMap) Model { return Model{th: th, keys: keys} }

// SetSize gives the pane w x h cells, its title line included.
func (m *Model) SetSize(w, h int) { m.width, m.height = w, h }

// SetSnapshot shows other data, with ages as of now.
func (m *Model) SetSnapshot(s *sources.Snapshot, now time.Time) {
	m.snap, m.now = s, now
	if s == nil {
		m.last = nil
	}
	m.find()
}

// SetFocused tells the pane whether it has the keys.
func (m *Model) SetFocused(focused bool) { m.focused = focused }

// SetReadOnly leaves out what the changing keys would do.
func (m *Model) SetReadOnly(on bool) { m.readOnly = on }

// SetFlag chooses the flag.
func (m *Model) SetFlag(id sources.FlagID) {
	if id != m.id {
		m.id, m.last, m.pending, m.scroll = id, nil, "", views.Scroll{}
	}
	m.find()
}

// SetPending names the change of this flag that is under way; "" for none.
func (m *Model) SetPending(words string) { m.pending = sources.Clean(words, 260) }

// Flag is the flag that is shown.
func (m Model) Flag() sources.FlagID { return m.id }

func (m *Model) find() {
	if f := m.snap.Flag(m.id); f != nil {
		m.last = f
	}
}

// ShortHelp is the keys that do something here.
func (m Model) ShortHelp() []key.Binding {
	k := m.keys
	if m.readOnly {
		k = k.ReadOnly()
	}
	return []key.Binding{k.Ramp, k.Back, k.Kill, k.Undo, k.SetPercent, k.Escape}
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
		return m, views.Act(m.snap.Flag(m.id), sources.Ramp, m.readOnly)
	case key.Matches(press, m.keys.Back):
		return m, views.Act(m.snap.Flag(m.id), sources.Back, m.readOnly)
	case key.Matches(press, m.keys.Kill):
		return m, views.Act(m.snap.Flag(m.id), sources.Kill, m.readOnly)
	default:
		m.scroll.Move(&m.keys, press, len(m.lines()), m.height-1)
	}
	return m, nil
}

// View is the pane.
func (m Model) View() string {
	p := views.NewPen(m.th, m.width, m.height)
	if m.last == nil {
		p.Title(m.focused, "Detail", nil, nil)
		p.Say(m.th.Quiet, "no flag is selected.")
		return p.String()
	}
	f := m.last
	look := views.FlagLook(m.th, f)
	notes := []views.Note{{Ink: look.Ink, Text: look.Glyph + " " + look.Word}}
	st := m.snap.Source(f.ID.Source)
	switch {
	case m.snap.Flag(m.id) == nil:
		notes = append(notes, views.Note{Ink: m.th.Warn, Text: "no longer in " + f.ID.Source})
	case st.Part(sources.PartFlags).Health != sources.Fresh:
		notes = append(notes, views.Note{Ink: m.th.Warn, Text: "stale " + views.AgeOf(st.Part(sources.PartFlags).LastOK, m.now, true)})
	}
	name := f.Name
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

// line writes one line of the pane and ends it.
type line func(p *views.Pen)

// lines are what there is to say about the flag, in the order in which it is
// asked for at night: how far it is, what the keys would do, what it does to
// latency, who touched it, and only then where it comes from.
func (m *Model) lines() []line {
	f := m.last
	if f == nil {
		return nil
	}
	out := m.prose(nil, f.Description, m.th.Text)
	if f.Note != "" {
		out = m.prose(out, f.Note, m.th.Warn)
	}
	out = append(out, m.rollout, m.ladder)
	for i := range f.Upcoming {
		name := ""
		if i == 0 {
			name = "to come"
		}
		out = append(out, m.field(name, m.th.Text, moment(f.Upcoming[i].At, m.now)+" "+f.Upcoming[i].What))
	}
	if f.Pinned {
		out = append(out, m.field("type", m.th.Text, "kill switch"))
	}
	if m.pending != "" {
		out = append(out, m.field("pending", m.th.Pending, strings.TrimPrefix(m.pending, f.Name+" ")))
	}
	if !m.readOnly {
		out = append(out, m.plans)
	}
	out = append(out, blank)
	out = append(out, m.measured()...)
	out = append(out, m.changes()...)
	changed := views.AgeOf(f.ChangedAt, m.now, true)
	if changed != views.Absent {
		changed += " ago"
	}
	if f.ChangedBy != "" {
		changed += " by " + f.ChangedBy
	}
	return append(out,
		m.field("changed", m.th.Text, changed),
		m.field("owner", m.th.Text, orAbsent(f.Owner)),
		m.source,
		m.field("revision", m.th.Quiet, orAbsent(sources.Clean(string(f.Revision), 80))),
	)
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

// source is where the flag comes from, and how old that makes what stands here.
func (m *Model) source(p *views.Pen) {
	st := m.snap.Source(m.last.ID.Source)
	part := st.Part(sources.PartFlags)
	look := views.HealthLook(m.th, part.Health)
	m.head(p, "source")
	p.Text(m.th.Quiet, m.last.ID.Source)
	p.Gap(2)
	if part.Health == sources.Fresh {
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

func (m *Model) rollout(p *views.Pen) {
	f := m.last
	look := views.FlagLook(m.th, f)
	m.head(p, "rollout")
	if f.Rollout.OK {
		p.Bar(look.Ink, f.Rollout.V, min(20, max(4, m.width/5)))
		p.Gap(1)
		p.Text(m.th.Strong, views.PercentText(f.Rollout.V))
		if f.Variant != "" {
			p.Text(m.th.Quiet, " get "+f.Variant)
		}
	} else {
		p.Text(look.Ink, f.State.String())
	}
	if f.Killed && f.Stored.OK {
		p.Text(m.th.Quiet, ", "+views.PercentText(f.Stored.V)+" is kept")
	}
	seen := m.snap.Exposures.Exposure(f.ID.Key, f.Variant)
	p.Text(m.th.Quiet, "  seen ")
	if seen.OK && m.snap.Exposures.Stale {
		p.Text(m.th.Stale, views.Share(seen)+" stale")
	} else {
		p.Text(m.th.Text, views.Share(seen))
	}
	p.End()
}

// ladder is the ramp as a track, with the step that is in force.
func (m *Model) ladder(p *views.Pen) {
	f := m.last
	m.head(p, "ladder")
	steps := f.Ladder
	if len(steps) == 0 {
		steps = sources.DefaultLadder()
	}
	at := f.Rollout.V
	mark := func(ink themes.Ink, text string) {
		if p.X() > label+2 {
			p.Gap(1)
			p.Text(m.th.Quiet, m.th.Glyphs.Rule)
			p.Gap(1)
		}
		p.Text(ink, text)
	}
	placed := !f.Rollout.OK
	for _, s := range steps {
		switch {
		case placed || s < at:
			mark(m.th.Quiet, s.String())
		case s == at:
			placed = true
			mark(m.th.Select, "["+s.String()+"]")
		default:
			placed = true
			mark(m.th.Select, "["+at.String()+"]")
			mark(m.th.Quiet, s.String())
		}
	}
	if !placed {
		mark(m.th.Select, "["+at.String()+"]")
	}
	p.End()
}

// plans is what the acting keys would do, or why not.
func (m *Model) plans(p *views.Pen) {
	f := m.last
	m.head(p, "keys")
	for _, k := range []struct {
		kind sources.ChangeKind
		key  key.Binding
	}{{sources.Ramp, m.keys.Ramp}, {sources.Back, m.keys.Back}, {sources.Kill, m.keys.Kill}} {
		to, err := f.Plan(k.kind)
		p.Text(m.th.Key, k.key.Help().Key)
		p.Gap(1)
		switch {
		case err != nil:
			p.Text(m.th.Quiet, "nothing")
		case k.kind == sources.Kill:
			p.Text(m.th.Text, "kill")
		default:
			p.Text(m.th.Text, "to "+views.PercentText(to))
		}
		p.Gap(3)
	}
	p.End()
}

// measured is the linked latency and the breakers that stand in its way.
func (m *Model) measured() []line {
	f, th := m.last, m.th
	if f.Metric == "" {
		return nil
	}
	l := m.snap.Latency(f.Metric)
	if l == nil {
		return []line{m.field("latency", th.Quiet, f.Metric+" is not measured"), blank}
	}
	out := []line{func(p *views.Pen) { m.latency(p, l) }}
	if shares := latency.Shares(m.snap, l); shares != "" {
		out = append(out, m.field("of which", th.Quiet, shares))
	}
	for i := range m.snap.Breakers {
		if b := &m.snap.Breakers[i]; related(b.Name, l) {
			out = append(out, func(p *views.Pen) { m.breaker(p, b) })
		}
	}
	return append(out, blank)
}

// related tells whether a breaker protects what a latency measures, by name: the
// same name, a longer one ("payment-api-client"), or that of a call, with the
// caller's first word in it where it says more than the call ("payment database").
func related(breaker string, l *sources.Latency) bool {
	b, own := plain(breaker), plain(l.Name)
	if b == "" || own == "" {
		return false
	}
	if strings.Contains(b, own) || strings.Contains(own, b) {
		return true
	}
	first, _, _ := strings.Cut(strings.NewReplacer("-", " ", "_", " ", ".", " ").Replace(l.Name), " ")
	for _, name := range l.Calls {
		call := plain(name)
		if call != "" && (b == call || (strings.Contains(b, call) && strings.Contains(b, plain(first)))) {
			return true
		}
	}
	return false
}

// plain is a name without what naming habits differ in.
func plain(s string) string {
	return strings.NewReplacer(" ", "", "-", "", "_", "", ".", "").Replace(strings.ToLower(s))
}

func (m *Model) latency(p *views.Pen, l *sources.Latency) {
	th := m.th
	look := views.VerdictLook(th, l.Verdict)
	quiet, bad := th.Quiet, th.Bad
	if !views.Fresh(m.snap, l.Source, sources.PartLatencies) {
		look = views.Look{Glyph: th.Glyphs.Stale, Word: "stale", Ink: th.Warn}
		quiet, bad = th.Stale, th.Stale
	}
	m.head(p, "latency")
	p.Text(th.Text, l.Name)
	p.Text(quiet, "  p50 "+views.ShortSeconds(l.P50)+"  p95 "+views.ShortSeconds(l.P95)+"  p99 ")
	p.Text(look.Ink, views.ShortSeconds(l.P99)+" "+look.Glyph+" "+look.Word)
	p.Gap(2)
	p.Spark(m.snap.Trends[l.Name], l.SLO, quiet, bad, 15)
	p.End()
}

func (m *Model) breaker(p *views.Pen, b *sources.Breaker) {
	look := views.BreakerLook(m.th, b.State)
	quiet := m.th.Quiet
	if !views.Fresh(m.snap, b.Source, sources.PartBreakers) {
		look.Ink, look.Word, quiet = m.th.Stale, look.Word+", stale", m.th.Stale
	}
	m.head(p, "breaker")
	p.Text(look.Ink, look.Glyph+" "+look.Word)
	p.Gap(1)
	p.Text(m.th.Text, b.Name)
	p.Text(quiet, "  errors "+views.Ratio(b.ErrorRatio)+"  "+views.Rate(b.Rate))
	p.End()
}

// changes are the flag's last five.
func (m *Model) changes() []line {
	const most = 5
	var out []line
	t := activity.Table(m.width)
	for i := range m.snap.Activity {
		if a := &m.snap.Activity[i]; a.Flag == m.id && len(out) < most {
			out = append(out, func(p *views.Pen) { activity.Row(p, m.th, &t, a, m.now) })
		}
	}
	if len(out) == 0 {
		return nil
	}
	return append(out, blank)
}
