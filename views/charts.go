package views

import (
	"math"
	"time"

	"relctl-tui/sources"
	"relctl-tui/themes"
)

// Bar is a percentage as width cells. Above 0 at least a part of the first cell
// is filled and below 100 a part of the last one is not, so that 1 % never looks
// like off and 99 % never like done.
func Bar(th *themes.Theme, p sources.Percent, width int) string {
	return string(appendBar(nil, th, p, width))
}

func appendBar(b []byte, th *themes.Theme, p sources.Percent, width int) []byte {
	if width <= 0 {
		return b
	}
	g := &th.Glyphs
	halves := int((int64(p.Clamp())*int64(width)*2 + int64(sources.Full)/2) / int64(sources.Full))
	if p > 0 {
		halves = max(halves, 1)
	}
	if p < sources.Full {
		halves = min(halves, width*2-1)
	}
	for i := range width {
		switch {
		case halves >= 2*i+2:
			b = append(b, g.BarFull...)
		case halves == 2*i+1:
			b = append(b, g.BarHalf...)
		default:
			b = append(b, g.BarEmpty...)
		}
	}
	return b
}

// Spark is a trend as width cells, each of two points. It is a ring drawn in
// place: a new point overwrites the oldest and the gap in front of it moves on,
// so one cell changes where a shifting line would repaint them all. With an SLO
// the upper half is the breach, and cells with a point in it are painted bad.
func Spark(th *themes.Theme, t sources.Trend, width int, slo time.Duration, quiet, bad themes.Ink) string {
	return string(appendSpark(nil, th, &t, width, slo, quiet, bad))
}

func appendSpark(b []byte, th *themes.Theme, t *sources.Trend, width int, slo time.Duration, quiet, bad themes.Ink) []byte {
	if width <= 0 {
		return b
	}
	slots := min(width*2, sources.TrendLen*2)
	top := sparkTop(t, slo)
	ink, loud := &quiet, false
	b = append(b, ink.Open()...)
	for c := range width {
		l, lBad := sparkLevel(t, c*2, slots, top, slo)
		r, rBad := sparkLevel(t, c*2+1, slots, top, slo)
		if now := lBad || rBad; now != loud {
			b = append(b, ink.Close()...)
			ink, loud = &quiet, now
			if loud {
				ink = &bad
			}
			b = append(b, ink.Open()...)
		}
		b = append(b, th.Glyphs.Spark[l][r]...)
	}
	return append(b, ink.Close()...)
}

// Bar writes a percentage in exactly w cells.
func (p *Pen) Bar(ink themes.Ink, v sources.Percent, w int) {
	w = min(w, p.width-p.x)
	if w <= 0 || p.line >= p.height {
		return
	}
	p.buf = append(p.buf, ink.Open()...)
	p.buf = appendBar(p.buf, p.th, v, w)
	p.buf = append(p.buf, ink.Close()...)
	p.x += w
}

// Spark writes a trend in exactly w cells, or nothing where nothing is to move.
func (p *Pen) Spark(t sources.Trend, slo time.Duration, quiet, bad themes.Ink, w int) {
	w = min(w, p.width-p.x)
	if w <= 0 || p.line >= p.height {
		return
	}
	if p.th.Still {
		p.Gap(w)
		return
	}
	p.buf = appendSpark(p.buf, p.th, &t, w, slo, quiet, bad)
	p.x += w
}

// sparkTop is the value of a full column. It moves in steps of 1, 2 and 5, so
// that a new maximum seldom redraws the whole line.
func sparkTop(t *sources.Trend, slo time.Duration) float64 {
	highest := 0.0
	for _, p := range t.Points[:t.Len] {
		if v := float64(p); v > highest && !math.IsInf(v, 0) {
			highest = v
		}
	}
	if limit := 2 * slo.Seconds(); slo > 0 && highest <= limit {
		return limit
	}
	if highest <= 0 {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(highest)))
	for _, step := range []float64{1, 2, 5} {
		if highest <= unit*step {
			return unit * step
		}
	}
	return unit * 10
}

// sparkLevel is the level of one slot, 0 to 4, and whether it breaches: the
// worst of the points that fall into it. The slot of the next point is the gap.
func sparkLevel(t *sources.Trend, slot, slots int, top float64, slo time.Duration) (int, bool) {
	from, to := slot*sources.TrendLen/slots, (slot+1)*sources.TrendLen/slots
	to = min(max(to, from+1), sources.TrendLen)
	if from >= sources.TrendLen || (t.Len > 0 && from <= t.Head && t.Head < to) {
		return 0, false
	}
	worst := math.NaN()
	for i := from; i < min(to, t.Len); i++ {
		if v := float64(t.Points[i]); v >= 0 && !(v <= worst) {
			worst = v
		}
	}
	if math.IsNaN(worst) {
		return 0, false
	}
	level := int(math.Ceil(math.Min(worst/top, 1) * 4))
	return min(max(level, 1), 4), slo > 0 && worst > slo.Seconds()
}
