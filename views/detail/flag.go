package detail

import (
	"strings"

	"charm.land/bubbles/v2/key"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
	"relctl-tui/views/activity"
	"relctl-tui/views/latency"
)

// flagLines are what there is to say about the flag, in the order in which it is
// asked for at night: how far it is, what the keys would do, what it does to
// latency, who touched it, and only then where it comes from.
func (m *Model) flagLines() []line {
	f := m.flag
	out := m.prose(nil, f.Description, m.th.Text)
	if f.Note != "" && f.Stage() == "" {
		out = m.prose(out, f.Note, m.th.Warn)
	}
	r := m.snap.Ramp(f.ID)
	switch {
	case f.Migration != nil:
		out = m.migration(out)
	case r == nil || r.Phase.Ended():
		out = append(out, m.rollout, m.ladder)
	default: // its track is the ladder
		out = append(out, m.rollout)
	}
	for i := range f.Upcoming {
		name := ""
		if i == 0 {
			name = "to come"
		}
		u := &f.Upcoming[i]
		text := moment(u.At, m.now) + " " + u.What
		if u.By != "" {
			text += ", scheduled by " + u.By
		}
		if u.Why != "" {
			text += "; not yet: " + u.Why
		}
		out = append(out, m.field(name, m.th.Text, text))
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
	out = append(out, m.chartBlock()...)
	out = append(out, m.guards()...)
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
	out = append(out,
		m.field("changed", m.th.Text, changed),
		m.field("owner", m.th.Text, orAbsent(f.Owner)),
	)
	out = append(out, m.source(f.ID.Source, sources.PartFlags)...)
	return append(out, m.field("revision", m.th.Quiet, orAbsent(sources.Clean(string(f.Revision), 80))))
}

func (m *Model) rollout(p *views.Pen) {
	f := m.flag
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
	f := m.flag
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
	f := m.flag
	m.head(p, "keys")
	for _, k := range []struct {
		kind sources.ChangeKind
		key  key.Binding
	}{{sources.Ramp, m.keys.Ramp}, {sources.Back, m.keys.Back}, {sources.Kill, m.keys.Kill}} {
		in, err := f.Intend(k.kind)
		p.Text(m.th.Key, views.Named(k.key))
		p.Gap(1)
		switch {
		case err != nil:
			p.Text(m.th.Quiet, "nothing")
		case k.kind == sources.Kill && f.Migration != nil && f.Migration.Beyond(f):
			p.Text(m.th.Quiet, "refused: "+in.Stage+" would read an old side that is not written")
		case in.Stage != "":
			p.Text(m.th.Text, "to "+in.Stage)
		case k.kind == sources.Kill:
			p.Text(m.th.Text, "kill")
		default:
			p.Text(m.th.Text, "to "+views.PercentText(in.To))
		}
		p.Gap(3)
	}
	p.End()
}

// measured is the linked latency and the breakers that stand in its way.
func (m *Model) measured() []line {
	f, th := m.flag, m.th
	if f.Metric == "" {
		return nil
	}
	l := m.snap.Latency(f.Metric)
	if l == nil {
		return []line{m.field("latency", th.Quiet, f.Metric+" is not measured"), blank}
	}
	out := []line{func(p *views.Pen) { m.latencyRow(p, l) }}
	if shares := latency.Shares(m.snap, l); shares != "" {
		out = append(out, m.field("of which", th.Quiet, shares))
	}
	for i := range m.snap.Breakers {
		if b := &m.snap.Breakers[i]; sources.Protects(b.Name, l) {
			out = append(out, func(p *views.Pen) { m.breakerRow(p, b) })
		}
	}
	return append(out, blank)
}

// changes are the flag's last five.
func (m *Model) changes() []line {
	const most = 5
	var list []*sources.Activity
	for i := range m.snap.Activity {
		if a := &m.snap.Activity[i]; a.Flag == m.subject.Flag && len(list) < most {
			list = append(list, a)
		}
	}
	if len(list) == 0 {
		return nil
	}
	var out []line
	t := activity.Table(m.th, m.width, list)
	for _, a := range list {
		out = append(out, func(p *views.Pen) { activity.Row(p, m.th, &t, a, m.now) })
	}
	return append(out, blank)
}

func (m *Model) latencyRow(p *views.Pen, l *sources.Latency) {
	th := m.th
	look := views.VerdictLook(th, l.Verdict)
	quiet, bad := th.Quiet, th.Bad
	if h := views.Health(m.snap, l.Source, sources.PartLatencies); h != sources.Fresh {
		look = views.HealthLook(th, h)
		look.Ink = th.Warn // the header's alarm is one, and not one for each row
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

func (m *Model) breakerRow(p *views.Pen, b *sources.Breaker) {
	look := views.BreakerLook(m.th, b.State)
	quiet := m.th.Quiet
	if h := views.Health(m.snap, b.Source, sources.PartBreakers); h != sources.Fresh {
		look.Ink, quiet = m.th.Stale, m.th.Stale
		if word := h.String(); word != look.Word {
			look.Word += ", " + word
		}
	}
	m.head(p, "breaker")
	p.Text(look.Ink, look.Glyph+" "+look.Word)
	p.Gap(1)
	p.Text(m.th.Text, b.Name)
	p.Text(quiet, "  errors "+views.Ratio(b.ErrorRatio)+"  "+views.Rate(b.Rate))
	p.End()
}
