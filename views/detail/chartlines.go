package detail

import (
	"relctl-tui/sources"
	"relctl-tui/views"
	"relctl-tui/views/chart"
)

// chartBlock is the chart with what stands above and below it; nothing where there is
// none. A chart that is not there says why, in words.
func (m *Model) chartBlock() []line {
	want, ok := m.Wants()
	c, th := &m.chart, m.th
	switch {
	case m.brief:
		return nil
	case !ok && m.flag != nil && c.of != noChart, !ok && m.latency != nil:
		return []line{m.field("chart", th.Quiet, "needs a larger pane: z gives it the screen")}
	case !ok:
		return nil
	case c.series == nil && c.err != "":
		return m.prose([]line{m.field("chart", th.Warn, "cannot be read:")}, c.err, th.Warn)
	case c.series == nil || c.series.Len() == 0:
		return []line{m.field("chart", th.Quiet, "reading"+th.Glyphs.Ellipsis)}
	}
	out := []line{m.legend(&want)}
	d := m.drawing()
	for _, row := range chart.Draw(th, chart.StyleOf(th), d, m.width-2, m.chartLines()) {
		out = append(out, func(p *views.Pen) {
			p.Gap(2)
			p.Raw(row, m.width-2)
			p.End()
		})
	}
	if d.Empty() {
		out = append(out, m.field("", th.Warn, "no samples in all of this time"))
	} else {
		out = append(out, m.reading())
	}
	out = append(out, m.nearestChange())
	return append(out, m.chartAge()...)
}

// legend says what the lines are: by their order, which holds without colours.
func (m *Model) legend(want *Plot) line {
	s, th := m.chart.series, m.th
	return func(p *views.Pen) {
		m.head(p, "chart")
		switch {
		case s.Share != nil:
			p.Text(th.Accent, "seen share")
			if m.targets() != nil {
				p.Text(th.Quiet, ", dotted the target")
			}
		case th.ASCII:
			p.Text(th.Text, "p50 . p95 o p99 #")
		default:
			p.Text(th.Quiet, "p50")
			p.Text(th.Text, " below p95 below ")
			p.Text(th.Strong, "p99")
		}
		p.Text(th.Quiet, ", last "+span(m.chart.shown)+", each point over "+span(s.Over))
		if m.chart.reading && m.chart.shown != want.Query.Span {
			p.Text(th.Warn, ", reading "+span(want.Query.Span)+th.Glyphs.Ellipsis)
		}
		p.End()
	}
}

// reading is what the lines say under the crosshair, or now.
func (m *Model) reading() line {
	c, th := &m.chart, m.th
	s, i := c.series, c.point()
	return func(p *views.Pen) {
		at, old := s.At(i).In(m.now.Location()).Format("15:04:05"), ""
		if c.cursor.IsZero() { // which is as old as the chart's step, and can be another than the row's
			at, old = "newest", "  "+views.AgeOf(s.At(i), m.now, true)+" ago"
		}
		m.head(p, at)
		if s.Share != nil {
			p.Text(th.Accent, views.Share(s.Share[i]))
			if t := m.targets(); t != nil {
				p.Text(th.Quiet, " seen, target "+views.Share(t[i]))
			}
			p.Text(th.Quiet, old)
			p.End()
			return
		}
		ink := th.Strong
		if l := m.charted(); l != nil && l.SLO > 0 && s.P99[i].OK && s.P99[i].Seconds > l.SLO.Seconds() {
			ink = th.Bad
		}
		p.Text(th.Quiet, "p50 "+views.ShortSeconds(s.P50[i])+"  p95 "+views.ShortSeconds(s.P95[i])+"  p99 ")
		p.Text(ink, views.ShortSeconds(s.P99[i]))
		p.Text(th.Quiet, "  "+views.Rate(s.Rate[i]))
		if !s.P99[i].OK {
			p.Text(th.Quiet, "  no samples")
		}
		p.Text(th.Quiet, old)
		p.End()
	}
}

// nearestChange is the change nearest to the crosshair.
func (m *Model) nearestChange() line {
	s, th := m.chart.series, m.th
	at := s.At(m.chart.point())
	a := m.nearest(at)
	if a == nil {
		return m.field("change", th.Quiet, "none is known in this time")
	}
	when := views.Age(at.Sub(a.At), true) + " before"
	if a.At.After(at) {
		when = views.Age(a.At.Sub(at), true) + " after"
	}
	return func(p *views.Pen) {
		m.head(p, "change")
		p.Text(th.Quiet, views.Clock(a.At, m.now)+", "+when)
		p.Gap(2)
		if a.Kind == sources.KindDeploy {
			p.Text(th.Quiet, "deploy ")
		}
		p.Text(th.Accent, a.Name)
		p.Gap(1)
		p.Text(th.Text, changeOf(a, th.Glyphs.Arrow))
		if a.Actor != "" {
			p.Gap(1)
			p.Text(th.Quiet, "by "+a.Actor)
		}
		p.End()
	}
}

func changeOf(a *sources.Activity, arrow string) string {
	if a.Old == "" && a.New == "" {
		return a.Kind
	}
	return a.Old + " " + arrow + " " + a.New
}

// chartAge says what keeps the chart from being whole and new.
func (m *Model) chartAge() (out []line) {
	c, th := &m.chart, m.th
	if c.err != "" {
		out = m.prose(out, "not read again: "+c.err+". The chart was read "+views.AgeOf(c.series.ReadAt, m.now, true)+" ago.", th.Warn)
	}
	if s := c.series; !s.Since.IsZero() && s.Since.After(s.From) {
		out = append(out, m.field("", th.Quiet, s.Source+" knows nothing before "+views.Clock(s.Since, m.now)))
	}
	for _, w := range c.series.Warnings {
		out = m.prose(out, w, th.Warn)
	}
	return out
}
