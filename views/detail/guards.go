package detail

import (
	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
)

// guards is what stands between the flag and its next step: the guarded ramp where one
// runs, what the step means in traffic, and each guard with its verdict.
func (m *Model) guards() (out []line) {
	f := m.flag
	r := m.snap.Ramp(f.ID)
	if r != nil {
		out = append(out, m.ramp(r))
		if r.Why != "" {
			out = m.prose(out, r.Why, views.RampLook(m.th, r).Ink)
		}
		if !r.Own {
			out = append(out, m.field("run by", m.th.Text, r.Owner))
		}
	}
	if z, frozen := m.snap.Calendar.Of(f, m.now); frozen {
		text := z.Brief(m.now) + "; kill and back go through"
		if z.Override {
			text += ", a raise only with a reason"
		}
		out = m.wrapped(out, "calendar", m.th.Warn, text)
	}
	if to, err := f.Plan(sources.Ramp); err == nil && f.Metric != "" && f.Migration == nil {
		out = m.wrapped(out, "next step", m.th.Text, f.Brief()+" "+m.th.Glyphs.Arrow+" "+views.PercentText(to)+": "+m.snap.Explain(f, to, m.now))
	}
	if r != nil && !r.Phase.Ended() {
		for i := range r.Guards {
			out = append(out, m.guard(&r.Guards[i]))
		}
		return out
	}
	for i := range m.snap.Guards {
		g := &m.snap.Guards[i]
		switch {
		case !g.For(f):
		case g.Query != "":
			out = append(out, m.field("guard", m.th.Quiet, g.Name+" is asked when the flag is raised"))
		default:
			result := m.snap.Preset(g, f, sources.Value{}, m.now)
			out = append(out, m.guard(&result))
		}
	}
	return out
}

func (m *Model) guard(g *sources.GuardResult) line {
	return func(p *views.Pen) {
		look := views.GuardLook(m.th, g.Verdict)
		m.head(p, "guard")
		p.Text(look.Ink, look.Glyph+" "+look.Word)
		p.Gap(1)
		p.Text(m.th.Text, g.Text)
		p.End()
	}
}

// ramp is the plan as a track with the present step, the time left and the verdict.
func (m *Model) ramp(r *sources.RampStatus) line {
	return func(p *views.Pen) {
		th := m.th
		look := views.RampLook(th, r)
		m.head(p, "guarded")
		placed := false
		for i, s := range r.Steps {
			if i > 0 {
				p.Text(th.Quiet, " "+th.Glyphs.Rule+" ")
			}
			switch {
			case s == r.At:
				placed = true
				p.Text(th.Select, "["+s.String()+"]")
			default:
				p.Text(th.Quiet, s.String())
			}
		}
		if !placed {
			p.Text(th.Quiet, " from "+views.PercentText(r.At))
		}
		p.Gap(2)
		p.Text(look.Ink, look.Glyph+" "+look.Word)
		if left := views.RampLeft(r, m.now); left != "" {
			p.Text(th.Text, " "+left)
		}
		if !r.Phase.Ended() {
			v := views.GuardLook(th, r.Verdict)
			p.Gap(2)
			p.Text(v.Ink, v.Glyph+" "+v.Word)
		}
		p.End()
	}
}

// wrapped is a field in as many lines as it needs, three at most.
func (m *Model) wrapped(out []line, name string, ink themes.Ink, text string) []line {
	for i, s := range views.WrapLines(m.th, text, max(m.width-label-4, 8), 3) {
		head := name
		if i > 0 {
			head = ""
		}
		out = append(out, m.field(head, ink, s))
	}
	return out
}
