package main

import (
	"cmp"
	"fmt"
	"html"
	"image/color"
	"strings"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/vt"
)

const (
	cellW, cellH, fontSize, pad = 8.4, 18.0, 14.0, 12.0
	// families are fonts that have the board's signs, where there is one of them.
	families = "ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace"
)

// paper is what a terminal is set up to: its background, its foreground, and what it
// makes of the sixteen colours.
type paper struct {
	back, ink string
	sixteen   [16]string
}

var (
	dark = paper{"#14161b", "#d6d8dc", [16]string{
		"#282c34", "#f05f6a", "#7cc37f", "#e3c06a", "#6ca8f0", "#c78de0", "#56bfcc", "#d6d8dc",
		"#6b717d", "#ff7b85", "#98d89b", "#f5d584", "#8cbeff", "#dba8f0", "#7ad8e4", "#ffffff",
	}}
	light = paper{back: "#fafafa", ink: "#1f2328", sixteen: dark.sixteen}
)

// paperOf is a terminal that a theme is made for.
func paperOf(theme string) paper {
	if strings.HasSuffix(theme, "light") {
		return light
	}
	return dark
}

// drawing is a picture under way.
type drawing struct {
	paper
	body    strings.Builder
	styles  []string // by class, c0 and so on
	class   map[string]int
	strokes map[rune]bool // Braille that is drawn
}

// draw is a screen as SVG. Each run of cells that look alike stands where it is on the
// screen and is as wide, whatever font there is; Braille is drawn, for hardly two fonts
// agree on it.
func draw(emu *vt.Emulator, w, h int, p paper) []byte {
	d := &drawing{paper: p, class: map[string]int{}, strokes: map[rune]bool{}}
	for y := range h {
		for x := 0; x < w; {
			x = d.run(emu, x, y, w)
		}
	}
	var b strings.Builder
	width, height := float64(w)*cellW+2*pad, float64(h)*cellH+2*pad
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%g" height="%g" viewBox="0 0 %[1]g %[2]g">`, width, height)
	fmt.Fprintf(&b, "\n<style>text{font:%gpx %s;white-space:pre}", fontSize, families)
	for i, style := range d.styles {
		fmt.Fprintf(&b, ".c%d{%s}", i, style)
	}
	b.WriteString("</style>\n<defs>")
	for r := rune(0x2800); r <= 0x28ff; r++ {
		if d.strokes[r] {
			fmt.Fprintf(&b, `<path id="b%x" d="%s"/>`, r-0x2800, dots(r))
		}
	}
	fmt.Fprintf(&b, "</defs>\n<rect width=\"100%%\" height=\"100%%\" rx=\"6\" fill=\"%s\"/>\n%s</svg>\n", p.back, d.body.String())
	return []byte(b.String())
}

// dots is the path of a Braille cell.
func dots(r rune) string {
	var b strings.Builder
	for i, at := range [8][2]int{{0, 0}, {0, 1}, {0, 2}, {1, 0}, {1, 1}, {1, 2}, {0, 3}, {1, 3}} {
		if (r-0x2800)>>i&1 == 1 {
			fmt.Fprintf(&b, "M%g %gh2v2h-2z", 1.1+float64(at[0])*4.2, 1.6+float64(at[1])*4.3)
		}
	}
	return b.String()
}

// look is how cells look.
type look struct {
	fg, bg                        string
	bold, faint, italic, underlin bool
}

func (d *drawing) lookOf(c *uv.Cell) look {
	l := look{fg: d.hex(c.Style.Fg, d.ink), bg: d.hex(c.Style.Bg, "")}
	if c.Style.Attrs&uv.AttrReverse != 0 {
		l.fg, l.bg = cmp.Or(l.bg, d.back), l.fg
	}
	l.bold, l.faint = c.Style.Attrs&uv.AttrBold != 0, c.Style.Attrs&uv.AttrFaint != 0
	l.italic, l.underlin = c.Style.Attrs&uv.AttrItalic != 0, c.Style.Underline != 0
	return l
}

// run draws the cells from x on that look alike, and says where the next ones begin.
func (d *drawing) run(emu *vt.Emulator, x, y, w int) (next int) {
	at := func(x int) (uv.Cell, look) {
		c := emu.CellAt(x, y)
		if c == nil {
			c = &uv.EmptyCell
		}
		return *c, d.lookOf(c)
	}
	first, l := at(x)
	text := strings.Builder{}
	braille := isBraille(first.Content)
	for next = x; next < w; {
		c, like := at(next)
		if like != l || isBraille(c.Content) != braille {
			break
		}
		text.WriteString(cmp.Or(c.Content, " "))
		next += max(1, c.Width)
	}
	left, top := pad+float64(x)*cellW, pad+float64(y)*cellH
	if l.bg != "" {
		fmt.Fprintf(&d.body, `<rect x="%.4g" y="%.4g" width="%.4g" height="%g" fill="%s"/>`+"\n", left, top, float64(next-x)*cellW, cellH, l.bg)
	}
	switch {
	case braille:
		d.braille(text.String(), left, top, l)
	case strings.TrimSpace(text.String()) != "" || l.underlin:
		d.words(text.String(), x, y, l)
	}
	return next
}

func isBraille(s string) bool {
	r := []rune(s)
	return len(r) == 1 && r[0] > 0x2800 && r[0] <= 0x28ff
}

func (d *drawing) braille(text string, left, top float64, l look) {
	fmt.Fprintf(&d.body, `<g class="c%d">`, d.classOf(l))
	for i, r := range []rune(text) {
		d.strokes[r] = true
		fmt.Fprintf(&d.body, `<use href="#b%x" x="%.4g" y="%.4g"/>`, r-0x2800, left+float64(i)*cellW, top)
	}
	d.body.WriteString("</g>\n")
}

// words writes what stands between gaps of two cells and more, each at its own place.
func (d *drawing) words(text string, x, y int, l look) {
	for text != "" {
		if !l.underlin {
			bare := strings.TrimLeft(text, " ")
			x, text = x+len(text)-len(bare), bare
		}
		word := text
		if i := strings.Index(text, "  "); i >= 0 && !l.underlin {
			word = text[:i]
		}
		d.text(strings.TrimRight(word, " "), x, y, l)
		x, text = x+ansi.StringWidth(word), text[len(word):]
	}
}

func (d *drawing) text(text string, x, y int, l look) {
	if text == "" {
		return
	}
	fmt.Fprintf(&d.body, `<text x="%.4g" y="%.4g" textLength="%.4g" lengthAdjust="spacingAndGlyphs" class="c%d">%s</text>`+"\n",
		pad+float64(x)*cellW, pad+float64(y)*cellH+fontSize-0.5, float64(ansi.StringWidth(text))*cellW, d.classOf(l), html.EscapeString(text))
}

// classOf is the class of a look, without what is behind it.
func (d *drawing) classOf(l look) int {
	style := "fill:" + l.fg
	for _, more := range []struct {
		on   bool
		text string
	}{{l.bold, ";font-weight:bold"}, {l.faint, ";opacity:.55"}, {l.italic, ";font-style:italic"}, {l.underlin, ";text-decoration:underline"}} {
		if more.on {
			style += more.text
		}
	}
	i, ok := d.class[style]
	if !ok {
		i = len(d.styles)
		d.class[style], d.styles = i, append(d.styles, style)
	}
	return i
}

func (d *drawing) hex(c color.Color, fallback string) string {
	switch c := c.(type) {
	case nil:
		return fallback
	case ansi.BasicColor:
		return d.sixteen[c&15]
	}
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}
