package chart

import (
	"strings"
	"time"

	"relctl-tui/themes"
	"relctl-tui/views"
)

// The least that is worth drawing: the plot, in cells.
const (
	minWidth  = 8
	minHeight = 2
)

// Fits tells whether a chart can be drawn in w x h cells.
func Fits(w, h int) bool { return w >= Gutter+minWidth && h >= minHeight+1 }

// Cells is how many cells the plot of a chart of w cells has: as many points are worth
// having.
func Cells(w int) int { return max(w-Gutter-1, 0) }

// Draw is the chart in h lines of exactly w cells, escape sequences apart: the plot, and
// the axis of time as the last. Where it does not fit the lines are empty.
func Draw(th *themes.Theme, style Style, c *Chart, w, h int) []string {
	w, h = max(w, 0), max(h, 0)
	if !Fits(w, h) {
		return strings.Split(views.NewPen(th, w, h).String(), "\n")[:h]
	}
	cells, rows := Cells(w), h-1
	top := c.top()
	plot := newCanvas(style, cells, rows)
	for i := range c.Lines {
		plot.draw(&c.Lines[i], c.points(), top, i)
	}
	limit := -1
	if known(c.Limit) && c.Limit > 0 && c.Limit <= top {
		limit = rows - 1 - level(c.Limit, top, rows*plot.strip)/plot.strip
	}
	p := views.NewPen(th, w, h)
	marks := c.markColumns(cells)
	cursor := -1
	if c.Cursor >= 0 && c.Cursor < c.points() {
		cursor = column(c.Cursor, c.points(), cells)
	}
	for y := range rows {
		p.CellRight(c.axisInk(th, y, limit), c.label(y, rows, limit, top), Gutter-1)
		p.Gap(1)
		c.row(p, th, plot, y, y == limit, marks, cursor)
		p.End()
	}
	c.times(p, th, cells)
	return strings.Split(p.String(), "\n")
}

func (c *Chart) axisInk(th *themes.Theme, y, limit int) themes.Ink {
	if y == limit {
		return th.Warn
	}
	return th.Quiet
}

// label is the number of the axis beside a row of the plot; "" for most of them.
func (c *Chart) label(y, rows, limit int, top float64) string {
	unit := c.Unit
	if unit == nil {
		return ""
	}
	switch {
	case y == limit:
		return unit(c.Limit)
	case y == 0:
		return unit(top)
	case y == rows-1:
		return unit(0)
	case rows >= 5 && y == rows/2 && rows%2 == 1 && (limit < y-1 || limit > y+1):
		return unit(top / 2)
	default:
		return ""
	}
}

// markColumns is which columns have a change in them.
func (c *Chart) markColumns(cells int) []bool {
	out := make([]bool, cells)
	for _, at := range c.Marks {
		if x, in := c.columnOf(at, cells); in {
			out[x] = true
		}
	}
	return out
}

// row writes one row of the plot. A line hides the crosshair, the crosshair a change,
// and a change the limit; but the crosshair's column is seen in the other rows.
func (c *Chart) row(p *views.Pen, th *themes.Theme, plot *canvas, y int, limit bool, marks []bool, cursor int) {
	bar := "¦"
	dash := th.Glyphs.Rule
	if plot.style == ASCII {
		bar = ":"
	}
	for x := range plot.w {
		sign, line := plot.sign(x, y, c.Lines)
		switch {
		case sign != "" && x == cursor:
			p.Raw(th.Select.Paint(sign), 1)
		case sign != "":
			p.Raw(c.Lines[line].Ink.Paint(sign), 1)
		case x == cursor:
			p.Raw(th.Select.Paint("|"), 1)
		case marks[x]:
			p.Raw(th.Accent.Paint(bar), 1)
		case limit:
			p.Raw(th.Warn.Paint(dash), 1)
		default:
			p.Gap(1)
		}
	}
}

// times writes the axis of time: where the plot begins, where it ends, and what fits
// between.
func (c *Chart) times(p *views.Pen, th *themes.Theme, cells int) {
	n := c.points()
	if n < 2 || c.Step <= 0 {
		return
	}
	layout := "15:04"
	if c.Step < 5*time.Second {
		layout = "15:04:05"
	}
	ticks := max(2, min(n, cells/16))
	for k := range ticks {
		i := k * (n - 1) / (ticks - 1)
		text := c.From.Add(time.Duration(i) * c.Step).Format(layout)
		at := Gutter + column(i, n, cells)
		if k > 0 {
			at -= len(text) / 2
		}
		if k == ticks-1 {
			at = Gutter + cells - len(text)
		}
		if p.X() > Gutter && at <= p.X() {
			continue
		}
		p.To(at)
		p.Text(th.Quiet, text)
	}
}
