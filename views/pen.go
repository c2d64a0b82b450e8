package views

import (
	"unicode/utf8"

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

// Text writes s as wide as it is, cut at the end of the line. Between two texts
// from outside there must be a Gap: clusters of one could end in the other.
func (p *Pen) Text(ink themes.Ink, s string) {
	if p.line >= p.height || s == "" {
		return
	}
	s, w := p.fit(s, p.width-p.x)
	p.write(ink, s, w)
}

// Cell writes s in exactly w cells, left-aligned.
func (p *Pen) Cell(ink themes.Ink, s string, w int) {
	w = min(w, p.width-p.x)
	if w <= 0 || p.line >= p.height {
		return
	}
	s, n := p.fit(s, w)
	p.write(ink, s, n)
	p.Gap(w - n)
}

// CellRight writes s in exactly w cells, right-aligned: for numbers.
func (p *Pen) CellRight(ink themes.Ink, s string, w int) {
	w = min(w, p.width-p.x)
	if w <= 0 || p.line >= p.height {
		return
	}
	s, n := p.fit(s, w)
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
	s, n := p.fit(s, w)
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

// Look writes a state's sign and its word in exactly w cells.
func (p *Pen) Look(l Look, w int) {
	w = min(w, p.width-p.x)
	if w <= 0 || p.line >= p.height {
		return
	}
	p.buf = append(p.buf, l.Ink.Open()...)
	p.buf = append(p.buf, l.Glyph...)
	p.x++
	n := 0
	if w > 2 {
		word := l.Word
		if len(word) > w-2 {
			word = word[:w-2]
		}
		p.buf = append(p.buf, ' ')
		p.buf = append(p.buf, word...)
		n = len(word) + 1
	}
	p.buf = append(p.buf, l.Ink.Close()...)
	p.x += n
	p.Gap(w - 1 - n)
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

// fit is s in at most w cells, and how many it takes.
func (p *Pen) fit(s string, w int) (string, int) {
	n := Width(s)
	if n > w {
		if w <= 0 {
			return "", 0
		}
		s = ansi.Truncate(s, w, p.th.Glyphs.Ellipsis)
		n = Width(s)
	}
	if joiner(utf8.DecodeRuneInString(s)) || joiner(utf8.DecodeLastRuneInString(s)) {
		return apart(s)
	}
	return s, n
}

// joiner tells whether a rune may make one cluster with what stands beside it, as
// some signs of Indic, Arabic and other scripts do even with a space.
func joiner(r rune, _ int) bool {
	return (r >= 0x300 && r < 0x2000) || (r >= 0xa800 && r < 0xac00) || (r >= 0x11000 && r < 0x20000)
}

// apart is s without such runes at its ends, so that cells add up, and how many
// cells it takes.
func apart(s string) (string, int) {
	for s != "" && ansi.StringWidth(" "+s) != ansi.StringWidth(s)+1 {
		_, size := utf8.DecodeRuneInString(s)
		s = s[size:]
	}
	for s != "" && ansi.StringWidth(s+" ") != ansi.StringWidth(s)+1 {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return s, ansi.StringWidth(s)
}
