package flags

import (
	"math"
	"strconv"
	"strings"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
)

// The columns, in drawing order.
const (
	colState = iota
	colName
	colBar
	colPercent
	colSeen
	colAge
	colBy
	colSpark
	colP99
)

// columns are those for a pane of w cells. Every width keeps state, name and
// percentage; eighty cells have all but the linked latency. Where there is room for all,
// a name that is longer than most takes it from the bar, which says nothing that the
// percentage does not.
func columns(w, longest int) []views.Column {
	state, bar, name := 9, 10, 30
	if w < 70 {
		bar = 6
	}
	if w >= 112 {
		state = 15 // as wide as in the other panes, so that the names line up
	}
	if w >= 100 {
		name = max(name, min(longest+2, 48)) // with the sign of what is pinned or marked
	}
	if w >= 140 {
		name = max(name, min(w/4, 64))
	}
	long := 20 + min(max(0, w-166), 30) // what nothing else has a use for
	return []views.Column{
		{Title: "", Min: min(state, max(1, w-3))},
		{Title: "", Min: max(1, min(18, w-22)), Max: name},
		{Title: "rollout", Min: bar, Max: long, From: 48},
		{Title: "", Min: 7, Right: true, Tight: true, From: 24},
		{Title: "seen", Min: 6, Right: true, From: 60},
		{Title: "changed", Min: 4, Right: true, From: 54},
		{Title: "", Min: 10, Max: 12, Tight: true, From: 72},
		{Title: "", Min: 8, Max: 30, From: 96},
		{Title: "p99", Min: 6, Right: true, Tight: true, From: 96},
	}
}

// View is the pane.
func (m Model) View() string {
	p := views.NewPen(m.th, m.width, m.height)
	if m.snap == nil {
		p.Title(m.focused, "Flags", nil, nil)
		p.Say(m.th.Quiet, "waiting for the first data"+m.th.Glyphs.Ellipsis)
		return p.String()
	}
	if len(m.order) == 0 {
		p.Title(m.focused, "Flags", m.notes(), nil)
		m.none(p)
		return p.String()
	}
	p.Title(m.focused, "Flags", m.notes(), m.table.Labels())
	p.Warn(m.trouble)
	if len(m.rows) == 0 {
		p.Say(m.th.Quiet, "no flag matches /"+m.filter+" (esc shows all "+strconv.Itoa(len(m.order))+")")
	}
	for i := m.top; i < len(m.rows) && p.Left() > 0; i++ {
		m.row(p, i)
	}
	return p.String()
}

func (m *Model) none(p *views.Pen) {
	m.feed.Say(p, m.th, "no flag store is configured: start with --flags flagd:FILE", "no flags yet: "+strings.Join(m.feed.Names, ", ")+" holds none.")
}

func (m *Model) notes() []views.Note {
	th := m.th
	if len(m.order) == 0 {
		if m.feed.Stale {
			return []views.Note{{Ink: th.Warn, Text: m.feed.Age()}}
		}
		return nil
	}
	count := strconv.Itoa(len(m.order))
	if m.filter != "" {
		count = strconv.Itoa(len(m.rows)) + " of " + count
	}
	notes := []views.Note{{Ink: th.Quiet, Text: count}}
	if text := m.markedText(); text != "" {
		notes = append(notes, views.Note{Ink: th.Accent, Text: text})
	}
	if m.filter != "" {
		notes = append(notes, views.Note{Ink: th.Accent, Text: "/" + sources.Clean(m.filter, 20)})
	}
	if m.feed.Stale {
		notes = append(notes, views.Note{Ink: th.Warn, Text: m.feed.Age()})
	}
	broken, ramping := th.Bad, th.Accent
	if m.feed.AllOld {
		broken, ramping = th.Quiet, th.Quiet
	}
	if n := m.tally.broken; n > 0 {
		notes = append(notes, views.Note{Ink: broken, Text: strconv.Itoa(n) + " broken"})
	}
	if n := m.tally.ramping; n > 0 {
		notes = append(notes, views.Note{Ink: ramping, Text: strconv.Itoa(n) + " ramping"})
	}
	if m.sort != ByState {
		notes = append(notes, views.Note{Ink: th.Quiet, Text: m.sort.String()})
	}
	return notes
}

// inks are what one row is written with.
type inks struct {
	state, name, number, quiet themes.Ink
	fresh                      bool
}

func (m *Model) row(p *views.Pen, i int) {
	th, t := m.th, &m.table
	f := &m.snap.Flags[m.rows[i]]
	here := m.chosen && i == m.cursor
	fresh := views.Fresh(m.snap, f.ID.Source, sources.PartFlags)
	look := views.FlagLook(th, f)
	ink := inks{look.Ink, th.Text, th.Text, th.Quiet, fresh}
	if f.Rollout.OK && (f.Rollout.V == 0 || f.Rollout.V == sources.Full) {
		ink.number = th.Quiet
	}
	if !fresh {
		ink = inks{th.Stale, th.Stale, th.Stale, th.Stale, fresh}
	}
	m.cursorSign(p, here)
	look.Ink = ink.state
	words, waiting := m.pending[f.ID]
	if waiting && !t.Has(colAge) {
		look = views.Look{Glyph: th.Glyphs.Stale, Word: "pending", Ink: th.Pending}
	}
	t.Look(p, colState, look)
	m.name(p, f, here, ink.name)
	m.rollout(p, f, &ink)
	if !waiting || t.Has(colBy) {
		m.seen(p, f, &ink)
	}
	ramp := m.snap.Ramp(f.ID)
	if ramp != nil && ramp.Phase.Ended() {
		ramp = nil
	}
	switch {
	case waiting:
		m.waiting(p, f, words)
	case ramp != nil && t.Has(colAge):
		m.ramping(p, ramp)
		m.metric(p, f, &ink)
	default:
		m.changed(p, f, here, &ink)
		m.metric(p, f, &ink)
	}
	p.End()
}

func (m *Model) cursorSign(p *views.Pen, here bool) {
	switch {
	case here && m.focused:
		p.Text(m.th.Accent, m.th.Glyphs.Cursor)
	case here:
		p.Text(m.th.Quiet, m.th.Glyphs.Cursor)
	default:
		p.Gap(1)
	}
}

// name is where the selection shows: the words that the next key acts on.
func (m *Model) name(p *views.Pen, f *sources.Flag, here bool, ink themes.Ink) {
	name := f.Name
	if len(m.feed.Names) > 1 { // two stores may hold the same key
		name = withStore(m.th, name, sources.Clean(f.ID.Source, 40), m.table.Widths[colName])
	}
	if m.marked[f.ID] {
		name = markSign + name
	}
	if f.Pinned {
		name = m.th.Glyphs.Pinned + " " + name
	}
	name = views.CutMiddle(m.th, name, m.table.Widths[colName])
	if !here {
		m.table.Cell(p, colName, ink, name)
		return
	}
	p.To(m.table.Starts[colName])
	if m.focused {
		p.Fill(m.th.Select, name, m.table.Widths[colName])
		return
	}
	p.Cell(m.th.SelectIdle, name, m.table.Widths[colName])
}

// withStore is a flag's name with its store behind it in w cells. Both are cut
// where room is short: of two flags with one key the store is all that differs.
func withStore(th *themes.Theme, name, store string, w int) string {
	if full := name + " (" + store + ")"; views.Width(full) <= w {
		return full
	}
	store = " (" + views.Cut(th, store, max(w/2-3, 1)) + ")"
	return views.CutMiddle(th, name, max(w-views.Width(store), 1)) + store
}

// rollout is the target in force, and nothing else: what is asked for and what
// is observed have places of their own.
func (m *Model) rollout(p *views.Pen, f *sources.Flag, ink *inks) {
	t := &m.table
	if stage := views.StageText(f); stage != "" {
		at := colPercent
		if t.Has(colBar) {
			at = colBar
		}
		p.To(t.Starts[at])
		p.Cell(ink.state, stage, t.Starts[colPercent]+t.Widths[colPercent]-t.Starts[at])
		return
	}
	if !f.Rollout.OK {
		if f.Note == "" || !t.Has(colBar) {
			t.Cell(p, colPercent, ink.quiet, views.Absent)
			return
		}
		// There is no number, so the reason has the place of bar and number.
		p.To(t.Starts[colBar])
		p.Cell(ink.quiet, f.Note, t.Starts[colPercent]+t.Widths[colPercent]-t.Starts[colBar])
		return
	}
	bar := ink.state
	if f.Rollout.V == 0 || f.Rollout.V == sources.Full {
		bar = ink.quiet // what is settled does not shine
	}
	if t.Has(colBar) {
		p.To(t.Starts[colBar])
		p.Bar(bar, f.Rollout.V, t.Widths[colBar])
	}
	t.Cell(p, colPercent, ink.number, views.PercentText(f.Rollout.V))
}

// seen is the observed exposure; loud where it is not what the target says.
func (m *Model) seen(p *views.Pen, f *sources.Flag, ink *inks) {
	if !m.table.Has(colSeen) {
		return
	}
	v := m.snap.Exposures.Exposure(f.ID.Key, f.Variant)
	tone := ink.quiet
	if v.OK && f.Rollout.OK && math.Abs(v.V*100-f.Rollout.V.Float()) > 5 && ink.fresh {
		tone = m.th.Warn
	}
	text := views.Share(v)
	if v.OK && m.snap.Exposures.Stale {
		tone, text = m.th.Stale, text+"?"
	}
	m.table.Cell(p, colSeen, tone, text)
}

// waiting takes the place of the last change, because the next one is under way;
// where room is short that of what is observed too.
func (m *Model) waiting(p *views.Pen, f *sources.Flag, words string) {
	t := &m.table
	if !t.Has(colAge) {
		return
	}
	at := t.Starts[colAge]
	if !t.Has(colBy) && t.Has(colSeen) {
		at = t.Starts[colSeen]
	}
	p.To(at)
	p.Text(m.th.Pending, pendingWords(m.th, words, f.Name, m.width-at))
}

// ramping takes the place of the last change while a guarded ramp runs: where it is,
// the time left and the verdict, as much of it as there is room for.
func (m *Model) ramping(p *views.Pen, r *sources.RampStatus) {
	at := m.table.Starts[colAge]
	room := m.width - at
	if m.table.Has(colP99) { // what the ramp is judged by stays in sight
		room = m.table.Starts[colSpark] - 1 - at
	}
	look := views.RampLook(m.th, r)
	verdict := views.GuardLook(m.th, r.Verdict)
	left := strings.TrimSuffix(views.RampLeft(r, m.now), " left")
	if left != "" {
		left = " " + left
	}
	whole := " " + verdict.Glyph + " " + verdict.Word
	if r.Phase == sources.RampAsking || r.Phase == sources.RampBacking { // they say it themselves
		whole = ""
	}
	p.To(at)
	for _, s := range []string{
		look.Glyph + " guarded ramp " + look.Word + left + whole, look.Glyph + " " + look.Word + left + whole,
		look.Glyph + " " + look.Word + left + " " + verdict.Glyph, look.Glyph + " " + look.Word + left,
	} {
		if views.Width(s) <= room {
			p.Text(look.Ink, s)
			return
		}
	}
	p.Cell(look.Ink, look.Glyph+" "+look.Word, room)
}

// pendingWords says what is under way in at most room cells: "25% ➔ 50% pending",
// or closer, or with a sign instead of the last word.
func pendingWords(th *themes.Theme, words, name string, room int) string {
	words = strings.TrimPrefix(sources.Clean(words, 260), name+" ") // the row has the name
	if strings.Contains(words, "pending") {
		return words
	}
	compact := strings.ReplaceAll(words, "% "+th.Glyphs.Arrow+" ", th.Glyphs.Arrow)
	for _, s := range []string{words + " pending", compact + " pending", words + " " + th.Glyphs.Ellipsis} {
		if views.Width(s) <= room {
			return s
		}
	}
	return compact + th.Glyphs.Ellipsis
}

func (m *Model) changed(p *views.Pen, f *sources.Flag, here bool, ink *inks) {
	t := &m.table
	if !ink.fresh && t.Has(colAge) {
		st := m.snap.Source(f.ID.Source)
		p.To(t.Starts[colAge])
		look := views.HealthLook(m.th, st.Part(sources.PartFlags).Health)
		words := look.Word
		switch {
		case t.Has(colBy):
			words += " " + views.AgeOf(st.LastOK, m.now, here)
		case views.Width(words) > p.Width()-p.X():
			words = look.Glyph // the title has the word
		}
		p.Cell(m.th.Warn, words, 12)
		return
	}
	t.Cell(p, colAge, ink.quiet, views.AgeOf(f.ChangedAt, m.now, here))
	t.Cell(p, colBy, ink.quiet, f.ChangedBy)
}

// metric is the latency that the flag is expected to move.
func (m *Model) metric(p *views.Pen, f *sources.Flag, ink *inks) {
	t := &m.table
	if f.Metric == "" || !t.Has(colP99) {
		return
	}
	l := m.snap.Latency(f.Metric)
	if l == nil {
		t.Cell(p, colP99, ink.quiet, views.Absent)
		return
	}
	quiet, number, bad := ink.quiet, ink.quiet, m.th.Bad
	if !views.Fresh(m.snap, l.Source, sources.PartLatencies) {
		quiet, number, bad = m.th.Stale, m.th.Stale, m.th.Stale
	} else if l.Verdict == sources.VerdictBreached || l.Verdict == sources.VerdictBurning {
		number = m.th.Bad
	}
	p.To(t.Starts[colSpark])
	p.Spark(m.snap.Trends[l.Name], l.SLO, quiet, bad, t.Widths[colSpark])
	t.Cell(p, colP99, number, views.ShortSeconds(l.P99))
}
