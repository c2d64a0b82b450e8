package chart

import "math"

// canvas is the plot's cells while lines are drawn into it. Every write is checked: a
// dot outside of it is dropped.
type canvas struct {
	style      Style
	w, h       int // in cells
	dots       []uint8
	line       []int8 // which line was drawn last in a cell, from 1; 0 for none
	sub, strip int    // dots of a cell across and down
	dotted     bool   // the line that is being drawn
}

func newCanvas(style Style, w, h int) *canvas {
	c := &canvas{style: style, w: w, h: h, dots: make([]uint8, w*h), line: make([]int8, w*h)}
	switch style {
	case Braille:
		c.sub, c.strip = 2, 4
	case Block:
		c.sub, c.strip = 1, 2
	default:
		c.sub, c.strip = 1, 1
	}
	return c
}

// brailleDots are the bits of a braille cell, by column and row.
var brailleDots = [2][4]uint8{{0x01, 0x02, 0x04, 0x40}, {0x08, 0x10, 0x20, 0x80}}

func (c *canvas) dot(x, y int, line int) {
	if x < 0 || y < 0 || x >= c.w*c.sub || y >= c.h*c.strip || c.dotted && x%2 == 1 {
		return
	}
	at := y/c.strip*c.w + x/c.sub
	if c.style == Braille {
		c.dots[at] |= brailleDots[x%2][y%4]
	} else {
		c.dots[at] |= 1 << (y % c.strip)
	}
	c.line[at] = int8(min(line+1, math.MaxInt8))
}

// draw puts a line onto the canvas. Two points beside each other are joined, and nothing
// is drawn over a point that is not known.
func (c *canvas) draw(l *Line, points int, top float64, line int) {
	wide, high := c.w*c.sub, c.h*c.strip
	lastX, lastY := -1, -1
	c.dotted = l.Dotted && c.style != ASCII
	for i, v := range l.Values {
		if !known(v) {
			lastX = -1
			continue
		}
		x, y := column(i, points, wide), high-1-level(v, top, high)
		if lastX < 0 {
			c.dot(x, y, line)
		} else {
			c.join(lastX, lastY, x, y, line)
		}
		lastX, lastY = x, y
	}
}

// level is the row of dots of a value, 0 at the bottom.
func level(v, top float64, high int) int {
	return min(max(int(math.Round(math.Min(v/top, 1)*float64(high-1))), 0), high-1)
}

// join draws a straight line, a column at a time, so that a steep one has no holes.
func (c *canvas) join(x0, y0, x1, y1, line int) {
	if x1 <= x0 {
		for y := min(y0, y1); y <= max(y0, y1); y++ {
			c.dot(x1, y, line)
		}
		return
	}
	last := y0
	for x := x0; x <= x1; x++ {
		y := y0 + (y1-y0)*(x-x0)/(x1-x0)
		for k := min(last, y); k <= max(last, y); k++ {
			c.dot(x, k, line)
		}
		last = y
	}
}

// sign is what stands in a cell, and the line whose ink it has; "" for nothing.
func (c *canvas) sign(x, y int, lines []Line) (string, int) {
	at := y*c.w + x
	if c.dots[at] == 0 {
		return "", 0
	}
	line := int(c.line[at]) - 1
	switch c.style {
	case Braille:
		return brailleSigns[c.dots[at]], line
	case Block:
		return [4]string{"", "▀", "▄", "█"}[c.dots[at]&3], line
	default:
		s := lines[line].Sign
		if s <= ' ' || s > '~' {
			s = '*'
		}
		return asciiSigns[s : s+1], line
	}
}

// The signs as strings, so that a frame does not make them.
var (
	brailleSigns = func() (t [256]string) {
		for i := range t {
			t[i] = string(rune(0x2800 + i))
		}
		return t
	}()
	asciiSigns = func() string {
		b := make([]byte, 128)
		for i := range b {
			b[i] = byte(i)
		}
		return string(b)
	}()
)
