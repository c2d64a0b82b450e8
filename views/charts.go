package views

import (
	"math"
	"strings"
	"time"

	"relctl-tui/sources"
	"relctl-tui/themes"
)

// Bar is a percentage as width cells. Above 0 at least a part of the first cell
// is filled and below 100 a part of the last one is not, so that 1 % never looks
// like off and 99 % never like done.
func Bar(th *themes.Theme, p sources.Percent, width int) string {
	if width <= 0 {
		return ""
	}
	g := &th.Glyphs
	halves := int((int64(p.Clamp())*int64(width)*2 + int64(sources.Full)/2) / int64(sources.Full))
	if p > 0 {
		halves = max(halves, 1)
	}
	if p < sources.Full {
		halves = min(halves, width*2-1)
	}
	full, half := halves/2, halves%2
	return strings.Repeat(g.BarFull, full) + strings.Repeat(g.BarHalf, half) +
		strings.Repeat(g.BarEmpty, width-full-half)
}

// Spark is a trend as width cells, each of two points. It is a ring drawn in
// place: a new point overwrites the oldest and the gap in front of it moves on,
// so one cell changes where a shifting line would repaint them all. With an SLO
// the upper half is the breach, and cells with a point in it are painted bad.
func Spark(th *themes.Theme, t sources.Trend, width int, slo time.Duration, quiet themes.Ink) string {
	if width <= 0 {
		return ""
	}
	slots := min(width*2, sources.TrendLen*2)
	top := sparkTop(&t, slo)
	var b strings.Builder
	b.Grow(width * 4)
	bad, open := false, false
	for c := range width {
		l, lBad := sparkLevel(&t, c*2, slots, top, slo)
		r, rBad := sparkLevel(&t, c*2+1, slots, top, slo)
		if now := lBad || rBad; !open || now != bad {
			if open {
				b.WriteString(sparkInk(th, bad, quiet).Close())
			}
			bad, open = now, true
			b.WriteString(sparkInk(th, bad, quiet).Open())
		}
		b.WriteString(th.Glyphs.Spark[l][r])
	}
	b.WriteString(sparkInk(th, bad, quiet).Close())
	return b.String()
}

func sparkInk(th *themes.Theme, bad bool, quiet themes.Ink) themes.Ink {
	if bad {
		return th.Bad
	}
	return quiet
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
