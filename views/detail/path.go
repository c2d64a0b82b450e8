package detail

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"relctl-tui/sources"
	"relctl-tui/views"
)

// PathWant is what the call path in the pane is to be read of: a latency of a source, and
// the moment that it is compared with. It can be compared with ==.
type PathWant struct {
	Source, Latency string
	At              time.Time     // zero for Ago
	Ago             time.Duration // before now
}

// Query is the want at a moment.
func (w *PathWant) Query(now time.Time) sources.CallsQuery {
	ago := w.Ago
	if !w.At.IsZero() {
		ago = now.Sub(w.At).Truncate(time.Second) + time.Second
	}
	return sources.CallsQuery{Service: w.Latency, Ago: min(max(ago, sources.MinCallsAgo), sources.MaxCallsAgo)}
}

// pathed is the call path in the pane, in the place of a latency's chart.
type pathed struct {
	on     bool
	chosen since // the moment that the operator chose; zero for the newest change

	about   PathWant
	calls   *sources.Calls // nil until they have come
	path    sources.CallPath
	err     string // why the last attempt gave nothing; "" when it did
	slow    *sources.ExemplarSet
	slowErr string
	copied  int // exemplars that were copied one after the other
}

// since is a moment to compare with: that of a change, or so long ago.
type since struct {
	at  time.Time
	ago time.Duration
}

// agos are the moments that can always be chosen.
var agos = [...]time.Duration{15 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour}

// moments are those that can be chosen, the newest first.
func (m *Model) moments() []since {
	var out []since
	for _, a := range m.chartChanges() {
		old := m.now.Sub(a.At)
		if old > sources.MinCallsAgo && old < agos[len(agos)-1] && !slices.Contains(out, since{at: a.At}) {
			out = append(out, since{at: a.At})
		}
	}
	for _, ago := range agos {
		out = append(out, since{ago: ago})
	}
	slices.SortStableFunc(out, func(a, b since) int { return m.momentOf(b).Compare(m.momentOf(a)) })
	return out
}

func (m *Model) momentOf(s since) time.Time {
	if s.at.IsZero() {
		return m.now.Add(-s.ago)
	}
	return s.at
}

// comparedWith is the moment in use: the one chosen, or the newest change of a flag, or
// else a quarter of an hour ago.
func (m *Model) comparedWith() since {
	all := m.moments()
	if slices.Contains(all, m.path.chosen) {
		return m.path.chosen
	}
	for _, a := range m.chartChanges() {
		if a.Kind != sources.KindDeploy && slices.Contains(all, since{at: a.At}) {
			return since{at: a.At}
		}
	}
	return since{ago: agos[0]}
}

// chooseMoment goes to an earlier moment, or a later one.
func (m *Model) chooseMoment(by int) {
	all := m.moments()
	i := slices.Index(all, m.comparedWith())
	m.path.chosen = all[min(max(i+by, 0), len(all)-1)]
}

// WantsPath is what the call path in the pane is to be read of; false where there is none.
func (m *Model) WantsPath() (PathWant, bool) {
	if m.brief || !m.path.on || m.latency == nil {
		return PathWant{}, false
	}
	s := m.comparedWith()
	return PathWant{Source: m.latency.Source, Latency: m.latency.Name, At: s.at, Ago: s.ago}, true
}

// ReadingPath says that a call path is being read. What was read of something else goes.
func (m *Model) ReadingPath(w PathWant) {
	if was := m.path.about; was != w {
		m.path = pathed{on: m.path.on, chosen: m.path.chosen}
	}
	m.path.about = w
}

// SetPath shows what was read of a call path. A failure keeps what was read before.
func (m *Model) SetPath(c *sources.Calls, err error) {
	if m.path.err = sources.Sentence(err); err == nil {
		m.path.calls, m.path.path = c, c.Path()
	}
}

// SetSlow shows which calls were slow.
func (m *Model) SetSlow(set *sources.ExemplarSet, err error) {
	if m.path.slowErr = sources.Sentence(err); err == nil {
		m.path.slow = set
	}
}

// Copied is the text that the copy key takes here: the trace of a slow call where those
// are listed, one after the other, else the subject's name; "" where there is none.
func (m *Model) Copied() string {
	if s := m.path.slow; m.path.on && m.latency != nil && s != nil && len(s.Exemplars) > 0 {
		id := s.Exemplars[m.path.copied%len(s.Exemplars)].TraceID
		m.path.copied++
		return id
	}
	name, _, _, _ := m.title()
	return name
}

// pathLines are the call path: what each hop takes and what it gained since the moment.
func (m *Model) pathLines() []line {
	l, th, c := m.latency, m.th, &m.path
	out := []line{func(p *views.Pen) { m.latencyRow(p, l) }, m.sinceLine()}
	switch {
	case c.calls == nil && c.err != "":
		out = m.prose(append(out, m.field("calls", th.Warn, "cannot be read:")), c.err, th.Warn)
	case c.calls == nil:
		out = append(out, m.field("calls", th.Quiet, "reading"+th.Glyphs.Ellipsis))
	default:
		t := hopColumns(m.width)
		out = append(out, m.hopHeads(&t))
		for i := range c.path.Hops {
			out = append(out, m.hopLine(&t, i))
		}
	}
	out = append(out, m.slowLines()...)
	if c.calls == nil {
		return append(out, m.source(l.Source, sources.PartLatencies)...)
	}
	for _, w := range c.calls.Warnings {
		out = m.prose(out, w, th.Warn)
	}
	if c.err != "" {
		out = m.prose(out, "not read again: "+c.err+". It was read "+views.AgeOf(c.calls.ReadAt, m.now, true)+" ago.", th.Warn)
	}
	out = m.prose(out, "Means over "+span(c.calls.Over)+", from "+c.calls.From+". Own is the mean without what it calls; share is of its caller's time; moved is what one call of "+
		c.calls.Service+" gained there.", th.Quiet)
	return append(out, m.source(l.Source, sources.PartLatencies)...)
}

// sinceLine is the moment that the path is compared with.
func (m *Model) sinceLine() line {
	th, s := m.th, m.comparedWith()
	return func(p *views.Pen) {
		m.head(p, "since")
		if s.at.IsZero() {
			p.Text(th.Text, span(s.ago)+" ago")
		} else {
			p.Text(th.Text, views.Clock(s.at, m.now)+", "+views.AgeOf(s.at, m.now, true)+" ago")
			for _, a := range m.chartChanges() {
				if a.At.Equal(s.at) {
					p.Gap(2)
					p.Text(th.Accent, a.Name)
					p.Gap(1)
					p.Text(th.Text, changeOf(a, th.Glyphs.Arrow))
					break
				}
			}
		}
		p.Gap(2)
		p.Text(th.Quiet, views.Named(m.keys.Earlier)+" and "+views.Named(m.keys.Later)+" choose")
		p.End()
	}
}

// hopCols are the columns of a call path; a width of 0 is one that is not there.
type hopCols struct{ name, own, mean, share, rate, errors, moved int }

func hopColumns(w int) hopCols {
	t := hopCols{own: 8, mean: 8, share: 7, rate: 8, errors: 8, moved: 9}
	if w < 74 {
		t.errors = 0
	}
	t.name = min(max(w-2-t.own-t.mean-t.share-t.rate-t.errors-t.moved-14, 14), 40)
	return t
}

func (m *Model) hopHeads(t *hopCols) line {
	return func(p *views.Pen) {
		ink := m.th.Label
		p.Gap(2)
		p.Cell(ink, "call", t.name)
		p.CellRight(ink, "own", t.own)
		p.CellRight(ink, "mean", t.mean)
		p.CellRight(ink, "share", t.share)
		p.CellRight(ink, "rate", t.rate)
		p.CellRight(ink, "errors", t.errors)
		p.CellRight(ink, "moved", t.moved)
		p.End()
	}
}

func (m *Model) hopLine(t *hopCols, i int) line {
	th, h := m.th, &m.path.path.Hops[i]
	return func(p *views.Pen) {
		name, ink, moved, most := h.Name, th.Text, th.Quiet, i == m.path.path.Most
		if h.Rest > 0 {
			name = "and " + strconv.Itoa(h.Rest) + " more"
		}
		errors := th.Quiet
		if h.Errors.OK && h.Errors.V >= 0.01 {
			errors = th.Bad
		}
		mark := " "
		if most {
			ink, moved, mark = th.Strong, th.Accent, th.Glyphs.Cursor
			if h.Moved.V > 0 {
				moved = th.Bad
			}
		}
		p.Cell(moved, mark, 2)
		p.Cell(ink, strings.Repeat("  ", h.Depth)+name, t.name-1)
		p.Gap(1)
		p.CellRight(ink, views.Mean(h.Own), t.own)
		p.CellRight(th.Quiet, views.Mean(h.Took), t.mean)
		p.CellRight(th.Quiet, views.Ratio(h.Share), t.share)
		p.CellRight(th.Quiet, views.Rate(h.Rate), t.rate)
		p.CellRight(errors, views.Ratio(h.Errors), t.errors)
		p.CellRight(moved, views.Moved(h.Moved), t.moved)
		note := views.HopNote(h)
		if most {
			note = strings.TrimSuffix("most, "+note, ", ")
		}
		p.Gap(1)
		p.Text(moved, note)
		p.End()
	}
}

// slowLines are single calls that were slow, with what finds their traces.
func (m *Model) slowLines() (out []line) {
	th, s := m.th, m.path.slow
	switch {
	case m.path.slowErr != "":
		return []line{m.field("slow", th.Quiet, m.path.slowErr)}
	case s == nil:
		return nil
	case len(s.Exemplars) == 0:
		return []line{m.field("slow", th.Quiet, orAbsent(s.Note))}
	}
	next := m.path.copied % len(s.Exemplars)
	for i := range s.Exemplars {
		e := &s.Exemplars[i]
		out = append(out, func(p *views.Pen) {
			head, ink := "", th.Text
			if i == 0 {
				head = "slow"
			}
			if l := m.latency; l.SLO > 0 && e.Seconds > l.SLO.Seconds() {
				ink = th.Bad
			}
			m.head(p, head)
			p.CellRight(ink, views.Seconds(sources.Quantile{Seconds: e.Seconds, OK: true}), 6)
			p.Gap(2)
			p.Text(th.Text, e.TraceID)
			if age := views.AgeOf(e.At, m.now, true); age != views.Absent {
				p.Gap(2)
				p.Text(th.Quiet, age+" ago")
			}
			if i == next {
				p.Gap(2)
				p.Text(th.Quiet, views.Named(m.keys.Copy)+" copies")
			}
			p.End()
		})
	}
	return out
}

// ShowsPath tells whether the call path stands where a latency's chart would.
func (m *Model) ShowsPath() bool { return m.latency != nil && m.path.on }
