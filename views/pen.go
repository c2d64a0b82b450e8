package views

import (
	"github.com/charmbracelet/x/ansi"

	"relctl-tui/themes"
)

// Pen writes a pane: exactly height lines of exactly width cells, whatever is
// asked of it. What does not fit is cut, what is missing is padded. A Pen is for
// one goroutine and one frame.
type Pen struct {
	th            *themes.Theme
	buf           []byte
	width, height int
	x, line       int
}

// NewPen is a pen for one frame of width x height cells.
func NewPen(th *themes.Theme, width, height int) *Pen {
	width, height = max(width, 0), max(height, 0)
	return &Pen{th: th, width: width, height: height, buf: make([]byte, 0, (width*2+48)*height)}
}

// Width is how many cells a line has.
func (p *Pen) Width() int { return p.width }

// X is the cell that is written next.
func (p *Pen) X() int { return p.x }

// Left is how many lines are still to be written, the present one included.
func (p *Pen) Left() int { return p.height - p.line }

// Text writes s as wide as it is, cut at the end of the line.
func (p *Pen) Text(ink themes.Ink, s string) {
	if p.line >= p.height || s == "" {
		return
	}
	w := Width(s)
	if room := p.width - p.x; w > room {
		s = p.cut(s, room)
		w = Width(s)
	}
	p.write(ink, s, w)
}

// Cell writes s in exactly w cells, left-aligned.
func (p *Pen) Cell(ink themes.Ink, s string, w int) {
	w = min(w, p.width-p.x)
	if w <= 0 || p.line >= p.height {
		return
	}
	n := Width(s)
	if n > w {
		s = p.cut(s, w)
		n = Width(s)
	}
	p.write(ink, s, n)
	p.Gap(w - n)
}

// CellRight writes s in exactly w cells, right-aligned: for numbers.
func (p *Pen) CellRight(ink themes.Ink, s string, w int) {
	w = min(w, p.width-p.x)
	if w <= 0 || p.line >= p.height {
		return
	}
	n := Width(s)
	if n > w {
		s = p.cut(s, w)
		n = Width(s)
	}
	p.Gap(w - n)
	p.write(ink, s, n)
}

// Fill writes s in exactly w cells with the padding in the same ink, for a
// selected row.
func (p *Pen) Fill(ink themes.Ink, s string, w int) {
	w = min(w, p.width-p.x)
	if w <= 0 || p.line >= p.height {
		return
	}
	n := Width(s)
	if n > w {
		s = p.cut(s, w)
		n = Width(s)
	}
	p.buf = append(p.buf, ink.Open()...)
	p.buf = append(p.buf, s...)
	p.x += n
	p.Gap(w - n)
	p.buf = append(p.buf, ink.Close()...)
}

// Raw writes what is drawn already and known to take w cells; it is dropped
// where it does not fit.
func (p *Pen) Raw(s string, w int) {
	if p.line < p.height && w <= p.width-p.x {
		p.buf = append(p.buf, s...)
		p.x += w
	}
}

// Gap writes n spaces.
func (p *Pen) Gap(n int) {
	if p.line >= p.height {
		return
	}
	for n = min(n, p.width-p.x); n > 0; n-- {
		p.buf = append(p.buf, ' ')
		p.x++
	}
}

// To moves on to cell x; a cell that is behind already stays behind.
func (p *Pen) To(x int) { p.Gap(x - p.x) }

// End pads the line and starts the next.
func (p *Pen) End() {
	if p.line >= p.height {
		return
	}
	p.Gap(p.width - p.x)
	p.line++
	p.x = 0
	if p.line < p.height {
		p.buf = append(p.buf, '\n')
	}
}

// String pads the lines that are left and is the whole pane.
func (p *Pen) String() string {
	for p.line < p.height {
		p.End()
	}
	return string(p.buf)
}

func (p *Pen) write(ink themes.Ink, s string, w int) {
	if w > 0 {
		p.buf = ink.Append(p.buf, s)
		p.x += w
	}
}

func (p *Pen) cut(s string, w int) string {
	if w <= 0 {
		return ""
	}
	return ansi.Truncate(s, w, p.th.Glyphs.Ellipsis)
}
