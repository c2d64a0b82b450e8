package detail

import (
	"strings"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
)

// migration is the track of stages, who is where, what the comparisons prove, both
// sides, and the checklist.
func (m *Model) migration(out []line) []line {
	f, mig := m.flag, m.flag.Migration
	out = append(out, m.track)
	if len(f.Serves) > 1 {
		for i := range f.Serves {
			out = append(out, m.cohort(i))
		}
	}
	if _, err := mig.Position(f); err != nil && !f.Killed {
		out = m.prose(out, sources.Sentence(err), m.th.Warn)
	}
	out = m.comparisons(out)
	out = append(out, m.side("old side", mig.Old), m.side("new side", mig.New))
	return m.checklist(out)
}

// track is the stages in a row, the present one marked, and the point of no return.
func (m *Model) track(p *views.Pen) {
	f, mig, th := m.flag, m.flag.Migration, m.th
	m.head(p, "stages")
	at, err := mig.Position(f)
	for i, name := range mig.Stages {
		switch {
		case i == mig.NoReturn:
			p.Text(th.Warn, " "+th.Glyphs.NoReturn+" ")
		case i > 0:
			p.Text(th.Quiet, " "+th.Glyphs.Rule+" ")
		}
		if err == nil && i >= at.Low && i <= at.High {
			p.Text(th.Select, "["+name+"]")
			continue
		}
		p.Text(th.Quiet, name)
	}
	if err != nil {
		p.Text(th.Warn, "  stage unknown")
	}
	p.End()
}

// cohort is one part of the users as a bar with its number.
func (m *Model) cohort(i int) line {
	return func(p *views.Pen) {
		s := &m.flag.Serves[i]
		name := ""
		if i == 0 {
			name = "cohorts"
		}
		m.head(p, name)
		p.Cell(m.th.Text, s.Variant, 12)
		p.Bar(m.th.Accent, s.Of, min(20, max(4, m.width/5)))
		p.Gap(1)
		p.Text(m.th.Strong, views.PercentText(s.Of))
		p.End()
	}
}

// known is how the migration stands; nil while that was not read for this flag as it is
// now: what proved one stage says nothing of the next.
func (m *Model) known() *sources.Standing {
	if m.standing == nil || m.standing.Flag.ID != m.flag.ID || m.standing.Flag.Revision != m.flag.Revision {
		return nil
	}
	return m.standing
}

func proofLook(th *themes.Theme, v sources.ProofVerdict) views.Look {
	g := &th.Glyphs
	switch v {
	case sources.ProofPass:
		return views.Look{Glyph: g.Good, Word: v.String(), Ink: th.Good}
	case sources.ProofBreach:
		return views.Look{Glyph: g.Bad, Word: v.String(), Ink: th.Bad}
	case sources.ProofInsufficient:
		return views.Look{Glyph: g.Stale, Word: v.String(), Ink: th.Pending}
	default:
		return views.Look{Glyph: g.Unknown, Word: v.String(), Ink: th.Warn}
	}
}

// comparisons are what they prove, in as many lines as the sentence needs.
func (m *Model) comparisons(out []line) []line {
	st, mig := m.known(), m.flag.Migration
	at, err := mig.Position(m.flag)
	switch {
	case err == nil && at.Low < mig.Compared:
		return append(out, m.field("proof", m.th.Quiet, "not needed yet: nothing is compared before "+mig.Stages[mig.Compared]))
	case err == nil && at.Low >= mig.NoReturn:
		return m.gap(append(out, m.field("proof", m.th.Quiet, "not needed any more: the old side is not written")), st)
	case st == nil && m.brief:
		return append(out, m.field("proof", m.th.Quiet, "not read until it is opened: "+views.Named(m.keys.Detail)))
	case st == nil:
		return append(out, m.field("proof", m.th.Quiet, "unknown: not read yet"))
	}
	look := proofLook(m.th, st.Proof.Verdict)
	text := strings.TrimPrefix(st.Proof.Sentence(), "mismatch unknown ")
	if !st.Proof.At.IsZero() {
		text += "; measured " + views.AgeOf(st.Proof.At, m.now, true) + " ago"
	}
	for i, s := range views.WrapLines(m.th, look.Word+": "+text, max(m.width-label-4, 8), 4) {
		out = append(out, func(p *views.Pen) {
			if i > 0 {
				p.Gap(label + 4)
				p.Text(look.Ink, s)
				p.End()
				return
			}
			m.head(p, "proof")
			p.Text(look.Ink, look.Glyph+" "+s)
			p.End()
		})
	}
	return m.gap(out, st)
}

// gap warns of an old side that misses writes.
func (m *Model) gap(out []line, st *sources.Standing) []line {
	if st == nil || !st.Past.Gap {
		return out
	}
	text := "the old side misses what was written beyond the point of no return"
	if !st.Past.Since.IsZero() {
		text += ", which was passed " + views.AgeOf(st.Past.Since, m.now, true) + " ago"
	}
	return append(out, m.field("gap", m.th.Warn, text))
}

// side is the latency and the errors of one side, and how old they are.
func (m *Model) side(name, latency string) line {
	return func(p *views.Pen) {
		th := m.th
		m.head(p, name)
		l := m.snap.Latency(latency)
		switch {
		case latency == "":
			p.Text(th.Quiet, "unknown: the config names no latency for it")
		case l == nil:
			p.Text(th.Quiet, "unknown: "+latency+" is not measured")
		default:
			st := m.snap.Source(l.Source)
			ink, number, part := th.Quiet, th.Text, st.Part(sources.PartLatencies)
			age := ""
			if part.Health != sources.Fresh {
				ink, number, age = th.Stale, th.Stale, "  "+part.Health.String()
			}
			if !part.LastOK.IsZero() {
				age += "  " + views.AgeOf(part.LastOK, m.now, true) + " ago"
			}
			p.Text(ink, "p50 "+views.ShortSeconds(l.P50)+"  p99 ")
			p.Text(number, views.ShortSeconds(l.P99))
			p.Text(ink, "  errors ")
			p.Text(number, views.Ratio(l.ErrorRatio))
			p.Text(ink, "  "+views.Rate(l.Rate)+age)
			if l.Note != "" {
				p.Text(ink, "  "+l.Note)
			}
		}
		p.End()
	}
}

// checklist is what is done outside, and who signed that it was.
func (m *Model) checklist(out []line) []line {
	st := m.known()
	if st == nil {
		return out
	}
	items := []string{sources.SignDeleteOld}
	if st.Past.Gap || st.SignedOff(sources.SignRefillOld) != nil {
		items = append(items, sources.SignRefillOld)
	}
	for i, item := range items {
		name := ""
		if i == 0 {
			name = "checklist"
		}
		if s := st.SignedOff(item); s != nil {
			text := m.th.Glyphs.Good + " " + item + " signed by " + s.By + " " + views.AgeOf(s.At, m.now, true) + " ago"
			if s.Reason != "" {
				text += ": " + s.Reason
			}
			out = append(out, m.field(name, m.th.Good, text))
			continue
		}
		out = append(out, m.field(name, m.th.Quiet, m.th.Glyphs.Idle+" "+item+" open: relctl-tui migrate sign "+m.flag.Name+" "+item))
	}
	return out
}
