package timeline

import (
	"math"
	"strconv"
	"strings"
	"time"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
	"relctl-tui/views/chart"
)

// worst is the number that is drawn: the one that went furthest beyond its limit, of the
// services that the filter lets through where it lets any; latencies before errors, whose
// limit is often nobody's choice. nil for none.
func (m *Model) worst() (worst *sources.PastMetric) {
	if m.in == nil {
		return nil
	}
	text, inverse := strings.CutPrefix(strings.ToLower(m.filter), "!")
	best := -1.0
	for i := range m.in.Metrics {
		p := &m.in.Metrics[i]
		score := beyond(p)
		if text != "" && strings.Contains(strings.ToLower(p.Service), text) != inverse {
			score += 1e6
		}
		if score > best {
			worst, best = p, score
		}
	}
	return worst
}

// beyond is how a metric stands for being drawn: latencies above their limit, then errors
// above theirs, then latencies.
func beyond(p *sources.PastMetric) float64 {
	highest := 0.0
	for _, v := range p.Points {
		if v > highest {
			highest = v
		}
	}
	over := 0.0
	if p.Limit > 0 {
		over = min(highest/p.Limit, 1000)
	}
	switch {
	case over > 1 && p.Unit == "s":
		return 2000 + over
	case over > 1:
		return 1000 + over/2
	case p.Unit == "s":
		return 1 + over
	default:
		return over / 2
	}
}

// plot is the number's line over the window, with the axis of time; every line is as
// wide as the screen.
func (m *Model) plot(worst *sources.PastMetric, h int) []string {
	th := m.th
	from, to := m.window()
	cells := chart.Cells(m.width)
	step := to.Sub(from) / time.Duration(max(cells-1, 1))
	c := &chart.Chart{From: from.In(m.now.Location()), Step: step, Cursor: -1}
	line := chart.Line{Ink: th.Strong, Sign: '#', Values: make([]float64, cells)}
	for i := range line.Values {
		line.Values[i] = math.NaN()
	}
	if worst != nil {
		unit := worst.Unit
		c.Limit, c.Unit = worst.Limit, func(v float64) string { return sources.Amount(v, unit) }
		line.Values = over(worst, from, step, cells)
	}
	c.Lines = []chart.Line{line}
	for _, e := range m.events {
		if e.Lane == sources.LaneFlags || e.Lane == sources.LaneDeploys {
			c.Marks = append(c.Marks, e.At)
		}
	}
	if m.cursor < len(m.events) {
		if x, in := column(m.events[m.cursor].At, from, step, cells); in {
			c.Cursor = x
		}
	}
	return chart.Draw(th, chart.StyleOf(th), c, m.width, h)
}

// over is a metric in so many cells from a moment on: the worst of the points in a cell,
// or the nearest where points are further apart than cells; NaN where that is a gap.
func over(p *sources.PastMetric, from time.Time, step time.Duration, cells int) []float64 {
	out := make([]float64, cells)
	for i := range out {
		out[i] = math.NaN()
		if p.Step <= 0 {
			continue
		}
		at := from.Add(time.Duration(i) * step)
		lo := int(math.Ceil(float64(at.Add(-step/2).Sub(p.Start)) / float64(p.Step)))
		hi := int(math.Floor(float64(at.Add(step/2).Sub(p.Start)) / float64(p.Step)))
		if lo > hi {
			lo = int(math.Round(float64(at.Sub(p.Start)) / float64(p.Step)))
			hi = lo
		}
		for k := max(lo, 0); k <= hi && k < len(p.Points); k++ {
			if v := p.Points[k]; !(v <= out[i]) && !math.IsNaN(v) {
				out[i] = v
			}
		}
	}
	return out
}

// column is the cell of a moment, and whether it is on the screen.
func column(at, from time.Time, step time.Duration, cells int) (int, bool) {
	if step <= 0 {
		return 0, false
	}
	x := int(math.Round(float64(at.Sub(from)) / float64(step)))
	return x, x >= 0 && x < cells
}

// cell is what stands in one cell of a lane.
type cell struct {
	n    int // events that begin in it
	bad  bool
	lit  bool // the one under the cursor is among them
	sign string
	line bool // something lasts over it
}

// lane writes one lane: a sign where something happened, how many where several did, and
// a line for as long as it lasted.
func (m *Model) lane(p *views.Pen, lane sources.Lane) {
	th := m.th
	from, to := m.window()
	cells := make([]cell, chart.Cells(m.width))
	step := to.Sub(from) / time.Duration(max(len(cells)-1, 1))
	for i, e := range m.events {
		if e.Lane == lane {
			m.put(cells, e, i == m.cursor, from, step)
		}
	}
	p.CellRight(th.Quiet, lane.String(), chart.Gutter-1)
	p.Gap(1)
	for i := range cells {
		c := &cells[i]
		ink := th.Text
		switch {
		case c.lit:
			ink = th.Select
		case c.bad:
			ink = th.Bad
		}
		switch {
		case c.n > 9:
			p.Raw(ink.Paint("+"), 1)
		case c.n > 1:
			p.Raw(ink.Paint(strconv.Itoa(c.n)), 1)
		case c.n == 1:
			p.Raw(ink.Paint(c.sign), 1)
		case c.line:
			p.Raw(ink.Paint(th.Glyphs.RuleHot), 1)
		default:
			p.Gap(1)
		}
	}
	p.End()
}

func (m *Model) put(cells []cell, e *sources.Event, lit bool, from time.Time, step time.Duration) {
	x, in := column(e.At, from, step, len(cells))
	if in {
		c := &cells[x]
		c.n++
		c.bad, c.lit = c.bad || e.Bad, c.lit || lit
		c.sign, _ = m.look(e)
	}
	end := e.Until
	if e.Lasting {
		end = m.now
	}
	if end.IsZero() {
		return
	}
	last, _ := column(end, from, step, len(cells))
	for k := max(x+1, 0); k <= last && k < len(cells); k++ {
		cells[k].line, cells[k].bad = true, cells[k].bad || e.Bad
	}
}

// look is the sign of an event and its ink.
func (m *Model) look(e *sources.Event) (string, themes.Ink) {
	g, ink := &m.th.Glyphs, m.th.Text
	if e.Bad {
		ink = m.th.Bad
	}
	switch e.Lane {
	case sources.LaneDeploys:
		return g.FlagCustom, ink
	case sources.LaneBreakers:
		switch {
		case e.Bad:
			return g.Open, ink
		case strings.Contains(e.Text, "to "+sources.BreakerHalfOpen.String()):
			return g.HalfOpen, m.th.Warn
		}
		return g.Closed, m.th.Good
	case sources.LaneAlerts:
		return g.Pinned, ink
	case sources.LaneSLOs:
		return g.Bad, ink
	case sources.LaneGuards:
		return g.Unprotected, ink
	default:
		if strings.Contains(e.Text, " to killed") {
			return g.FlagKilled, ink
		}
		return g.FlagOn, ink
	}
}

// list writes the events about the cursor in words, in the lines that are left.
func (m *Model) list(p *views.Pen) {
	th := m.th
	if len(m.events) == 0 {
		text := "nothing happened that anybody knows of"
		if m.filter != "" {
			text = "nothing matches /" + m.filter
		}
		p.Say(th.Quiet, text)
		return
	}
	rows := p.Left()
	top := max(0, min(m.cursor-rows/2, len(m.events)-rows))
	names := 0 // what the widest does not need is room for what happened
	for _, e := range m.events {
		names = max(names, views.Width(e.Name))
	}
	names = max(12, min(24, m.width/4, names))
	for i := top; i < len(m.events) && p.Left() > 0; i++ {
		m.row(p, i, names)
	}
}

func (m *Model) row(p *views.Pen, i, wide int) {
	th, e := m.th, m.events[i]
	here := i == m.cursor
	if here {
		p.Text(th.Accent, th.Glyphs.Cursor)
	}
	p.To(views.Indent)
	p.Cell(th.Quiet, e.At.In(m.now.Location()).Format("15:04:05"), 8)
	p.Gap(2)
	sign, ink := m.look(e)
	p.Text(ink, sign)
	p.Gap(1)
	p.Cell(th.Quiet, e.Lane.String(), 7)
	p.Gap(2)
	if here {
		p.Fill(th.Select, e.Name, wide)
	} else {
		p.Cell(th.Strong, e.Name, wide)
	}
	p.Gap(2)
	text := e.Text
	switch {
	case e.Lasting:
		text += ", " + sources.Span(m.now.Sub(e.At)) + " so far"
	case e.Until.After(e.At):
		text += ", " + sources.Span(e.Until.Sub(e.At)) + " long"
	}
	p.Text(th.Text, text)
	p.End()
}
