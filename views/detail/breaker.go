package detail

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"relctl-tui/sources"
	"relctl-tui/views"
)

// inspection is what was read of the breaker beyond its row, and when; the zero value
// is that nobody has asked yet.
type inspection struct {
	asked bool
	data  *sources.BreakerDetail // nil until it has come
	err   string                 // why the last attempt gave nothing; "" when it did
}

// SetInspection shows what was read of the breaker in depth. A failure keeps what was
// read before, with its age.
func (m *Model) SetInspection(d *sources.BreakerDetail, err error) {
	m.inspected.asked = true
	m.inspected.err = sources.Sentence(err)
	if err == nil {
		m.inspected.data = d
	}
}

// Inspecting says that the breaker is being read in depth.
func (m *Model) Inspecting() { m.inspected.asked = true }

// breakerLines are what there is to say about the breaker: what it does to calls
// now, what can be done about it, where it does what, and only then where that is known
// from.
func (m *Model) breakerLines() []line {
	b, th := m.breaker, m.th
	state := b.State.String()
	if b.Inferred {
		state += ", worked out from its counters: no state is exported"
	}
	out := []line{m.field("state", views.BreakerLook(th, b.State).Ink, state)}
	if m.pending != "" {
		out = append(out, m.field("pending", th.Pending, strings.TrimPrefix(m.pending, b.Name+" ")))
	}
	if b.Instances > 0 {
		out = append(out, m.field("open", th.Text, fmt.Sprintf("%d of %d instances", b.OpenInstances, b.Instances)))
	}
	out = append(out,
		m.field("errors", th.Text, views.Ratio(b.ErrorRatio)),
		m.field("calls", th.Text, views.Rate(b.Rate)+", "+views.Rate(b.RejectRate)+" rejected"),
	)
	out = append(out, m.calls()...)
	out = append(out, m.field("since", th.Text, views.AgeOf(b.Since, m.now, true)))
	if b.Limit {
		out = append(out, m.field("kind", th.Text, "a limit of concurrency: no error opens it"))
	}
	if b.Note != "" {
		out = append(out, m.field("note", th.Text, b.Note))
	}
	if b.Own {
		st := m.snap.Source(b.Source)
		whole := sources.PartStatus{Health: st.Health, LastOK: st.LastOK, Err: st.Err} // it is around all that is read of it
		out = append(out, m.field("whose", th.Text, "this board's own, around reading "+b.Source))
		return append(out, m.health(&st, whole)...)
	}
	out = append(out, m.switching())
	out = append(out, m.instances()...)
	out = append(out, m.turns()...)
	out = append(out, blank, m.field("preset", th.Quiet, orAbsent(b.Preset)))
	out = append(out, m.source(b.Source, sources.PartBreakers)...)
	if b.Also != "" {
		out = append(out, m.field("numbers", th.Quiet, "those that "+b.Source+" lacks are from "+b.Also))
	}
	return append(out, m.depth()...)
}

// switching is what the keys would do, or why they do nothing.
func (m *Model) switching() line {
	st := m.snap.Source(m.breaker.Source)
	switch {
	case !st.Switches:
		return m.field("keys", m.th.Quiet, m.breaker.Source+" measures and cannot switch")
	case st.Fixed != "":
		return m.field("keys", m.th.Quiet, "cannot be switched: "+st.Fixed)
	case m.readOnly:
		return m.field("keys", m.th.Quiet, "cannot be switched: this board is read-only")
	}
	return func(p *views.Pen) {
		m.head(p, "keys")
		p.Text(m.th.Key, "o")
		p.Text(m.th.Text, " force open   ")
		p.Text(m.th.Key, "c")
		p.Text(m.th.Text, " close   ")
		p.Text(m.th.Key, "u")
		p.Text(m.th.Text, " undo")
		p.End()
	}
}

// calls is what the calls were like that the breaker decides by.
func (m *Model) calls() (out []line) {
	d := m.inspected.data
	if d == nil {
		return nil
	}
	th := m.th
	if text := counts(d.Instances...); text != "" {
		out = append(out, m.field("buffered", th.Text, text))
	}
	switch {
	case d.P50.OK || d.P90.OK || d.P99.OK:
		text := fmt.Sprintf("p50 %s  p90 %s  p99 %s", views.ShortSeconds(d.P50), views.ShortSeconds(d.P90), views.ShortSeconds(d.P99))
		out = append(out, m.field("took", th.Text, text))
		out = append(out, m.field("", th.Quiet, d.Quantiles))
	case d.Quantiles != "":
		out = append(out, m.field("took", th.Quiet, d.Quantiles))
	}
	for _, f := range d.Facts {
		out = append(out, m.field(views.Cut(th, f.Name, label-1), th.Text, f.Text))
	}
	if !slices.ContainsFunc(d.Facts, func(f sources.Fact) bool { return f.Name == "opens at" }) {
		out = append(out, m.field("opens at", th.Quiet, "its thresholds are not exported"))
	}
	return out
}

// counts is the calls in the breakers' windows, "" where none tells of them.
func counts(list ...sources.BreakerInstance) string {
	var parts []string
	for _, c := range []struct {
		of   func(*sources.BreakerInstance) sources.Value
		word string
	}{
		{func(in *sources.BreakerInstance) sources.Value { return in.Buffered }, " calls"},
		{func(in *sources.BreakerInstance) sources.Value { return in.Failed }, " failed"},
		{func(in *sources.BreakerInstance) sources.Value { return in.Slow }, " slow"},
		{func(in *sources.BreakerInstance) sources.Value { return in.Rejected }, " rejected so far"},
	} {
		sum := sources.Value{}
		for i := range list {
			if v := c.of(&list[i]); v.OK {
				sum = sources.Some(sum.V + v.V)
			}
		}
		if sum.OK {
			parts = append(parts, strconv.FormatFloat(sum.V, 'f', -1, 64)+c.word)
		}
	}
	return strings.Join(parts, ", ")
}

// instances is which instance does what, the worst first.
func (m *Model) instances() []line {
	d := m.inspected.data
	if d == nil || len(d.Instances) == 0 {
		return nil
	}
	list := slices.Clone(d.Instances)
	slices.SortStableFunc(list, func(a, b sources.BreakerInstance) int {
		return cmp.Or(cmp.Compare(b.State.Severity(), a.State.Severity()), cmp.Compare(a.Name, b.Name))
	})
	wide := 0
	for i := range list {
		wide = max(wide, views.Width(list[i].Name))
	}
	wide = min(wide, max(12, m.width/3))
	out := []line{blank}
	for i := range list {
		name := ""
		if i == 0 {
			name = "instances"
		}
		out = append(out, m.instance(name, &list[i], wide))
	}
	return out
}

func (m *Model) instance(name string, in *sources.BreakerInstance, wide int) line {
	return func(p *views.Pen) {
		th := m.th
		look := views.BreakerLook(th, in.State)
		if in.Err != "" {
			look = views.Look{Glyph: th.Glyphs.Unknown, Word: "not read", Ink: th.Warn}
		}
		m.head(p, name)
		p.Text(look.Ink, look.Glyph+" ")
		p.Cell(look.Ink, look.Word, 12)
		p.Gap(1)
		p.Cell(th.Text, in.Name, wide)
		p.Gap(2)
		text, ink := strings.TrimPrefix(in.Err, in.Name+" "), th.Warn
		if text == "" {
			var parts []string
			if in.ErrorRatio.OK {
				parts = append(parts, views.Ratio(in.ErrorRatio)+" errors")
			}
			parts = append(parts, counts(*in), in.Note)
			parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" })
			text, ink = strings.Join(parts, ", "), th.Quiet
		}
		p.Text(ink, text)
		p.End()
	}
}

// turns is what the breaker has done, the last first.
func (m *Model) turns() []line {
	d, th := m.inspected.data, m.th
	if d == nil || d.Since.IsZero() {
		return nil
	}
	since := "since " + views.Clock(d.Since, m.now)
	if len(d.Turns) == 0 {
		return []line{blank, m.field("history", th.Quiet, "no turn "+since)}
	}
	out := []line{blank}
	for i, t := range d.Turns {
		name := ""
		if i == 0 {
			name = "history"
		}
		out = append(out, func(p *views.Pen) {
			m.head(p, name)
			p.Text(th.Quiet, views.Clock(t.At, m.now)+"  ")
			p.Text(th.Text, t.Was.String()+" "+th.Glyphs.Arrow+" ")
			p.Text(views.BreakerLook(th, t.Is).Ink, t.Is.String())
			p.End()
		})
	}
	return append(out, m.field("", th.Quiet, "known "+since))
}

// depth is how old what was read in depth is, or why it could not be.
func (m *Model) depth() (out []line) {
	th, in := m.th, &m.inspected
	switch {
	case !in.asked:
		return nil
	case in.err != "" && in.data != nil:
		out = m.prose(out, "not read again: "+in.err+". What stands here was read "+views.AgeOf(in.data.ReadAt, m.now, true)+" ago.", th.Warn)
	case in.err != "":
		out = m.prose(out, "its instances and past cannot be read: "+in.err, th.Warn)
	case in.data == nil:
		out = append(out, m.field("depth", th.Quiet, "reading"+th.Glyphs.Ellipsis))
	default:
		out = append(out, m.field("depth", th.Quiet, "read "+views.AgeOf(in.data.ReadAt, m.now, true)+" ago; again when its state changes, or enter"))
	}
	if in.data != nil {
		for _, w := range in.data.Warnings {
			out = m.prose(out, w, th.Warn)
		}
	}
	return out
}
