// Package chart draws lines over time: latencies against their SLO or an exposure, with
// what was changed meanwhile. It is pure: a Chart in, lines of exactly the asked width
// out, whatever the numbers are.
package chart

import (
	"math"
	"time"

	"relctl-tui/themes"
)

// Style is with what lines are drawn.
type Style int

// The styles. The zero value is Braille.
const (
	Braille Style = iota // 2 x 4 dots a cell
	Block                // 1 x 2 halves a cell: for terminals whose font has no braille
	ASCII                // one sign a cell, another for each line
)

// StyleOf is the style that a theme's terminal can show.
func StyleOf(th *themes.Theme) Style {
	switch {
	case th.ASCII:
		return ASCII
	case th.Blocks:
		return Block
	default:
		return Braille
	}
}

// Line is one line of a chart. NaN, infinite and negative values are gaps, over which
// nothing is drawn.
type Line struct {
	Ink    themes.Ink
	Sign   byte // in ASCII
	Dotted bool // with every other dot, where it is not ASCII: told from others without colours
	Values []float64
}

// Chart is what is to be drawn. Value i of each line is of the moment From + i x Step.
type Chart struct {
	From  time.Time // in the zone of the axis
	Step  time.Duration
	Lines []Line // a later one is drawn over an earlier one

	Limit  float64 // a level with a line of its own; 0 for none
	Top    float64 // of the axis; 0 for as high as the lines and the limit need
	Unit   func(float64) string
	Marks  []time.Time // moments with a vertical line: changes
	Cursor int         // the point under the crosshair; below 0 for none
}

// Gutter is how many cells the axis on the left takes.
const Gutter = 8

// points is how many points the longest line has.
func (c *Chart) points() int {
	n := 0
	for i := range c.Lines {
		n = max(n, len(c.Lines[i].Values))
	}
	return n
}

// known is whether a value can be drawn.
func known(v float64) bool { return v >= 0 && !math.IsInf(v, 0) }

// Empty says that there is no value to draw.
func (c *Chart) Empty() bool {
	for i := range c.Lines {
		for _, v := range c.Lines[i].Values {
			if known(v) {
				return false
			}
		}
	}
	return true
}

// top is the value of the upper edge: the next round number above everything that is
// drawn, so that a new maximum seldom moves the axis.
func (c *Chart) top() float64 {
	if known(c.Top) && c.Top > 0 {
		return c.Top
	}
	highest := 0.0
	if known(c.Limit) {
		highest = c.Limit
	}
	for i := range c.Lines {
		for _, v := range c.Lines[i].Values {
			if known(v) {
				highest = max(highest, v)
			}
		}
	}
	if highest <= 0 {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(highest)))
	for _, step := range []float64{1, 1.5, 2, 3, 4, 5, 6, 8, 10} {
		if t := unit * step; highest <= t && !math.IsInf(t, 0) {
			return t
		}
	}
	return highest
}

// column is the cell of a point, 0 at the left edge of a plot of so many cells.
func column(i, points, cells int) int {
	if points < 2 || cells < 2 {
		return max(cells-1, 0)
	}
	return min(max(int(math.Round(float64(i)*float64(cells-1)/float64(points-1))), 0), cells-1)
}

// columnOf is the cell of a moment, and whether it lies in the chart.
func (c *Chart) columnOf(at time.Time, cells int) (int, bool) {
	n := c.points()
	if n < 2 || c.Step <= 0 || cells < 1 {
		return 0, false
	}
	x := float64(at.Sub(c.From)) / float64(c.Step) / float64(n-1)
	if !(x >= 0 && x <= 1) {
		return 0, false
	}
	return int(math.Round(x * float64(cells-1))), true
}
