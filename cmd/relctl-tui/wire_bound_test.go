package main

import (
	"fmt"
	"image/color"
	"strconv"
	"strings"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/vt"
)

// bound is the least that a terminal has to be sent for what a person saw: frame after
// frame, the cells that changed, the cheapest way of the cursor to each of them, and the
// fewest bytes of SGR. It goes from the upper left to the lower right, may erase to the
// end of a line, overwrite what stands between instead of jumping, and scroll. It knows
// nothing of the program; what it needs are two frames of the emulator.
type bound struct {
	at   spot
	pen  look
	cost map[[2]look]int // of turning one pen into another, computed once
}

// spot is where a cursor stands; x below 0 is nowhere known.
type spot struct{ x, y int }

// look is what SGR makes of a cell, as the parameters that set it: nothing for what is
// as the terminal has it.
type look struct{ fg, bg, attrs string }

// glyph is one cell; a blank's look has only what can be seen of a blank.
type glyph struct {
	text  string
	width int
	look  look
}

type frame [][]glyph

// frameOf is what the emulator shows.
func frameOf(e *vt.Emulator) frame {
	f := make(frame, e.Height())
	for y := range f {
		f[y] = make([]glyph, e.Width())
		for x := range f[y] {
			f[y][x] = glyphOf(e.CellAt(x, y))
		}
	}
	return f
}

func glyphOf(c *uv.Cell) glyph {
	g := glyph{text: " ", width: 1}
	if c == nil {
		return g
	}
	if c.Content != "" {
		g.text = c.Content
	}
	g.width = c.Width
	s := &c.Style
	g.look = look{colourOf(s.Fg, 30), colourOf(s.Bg, 40), attrsOf(s)}
	if g.text == " " {
		if s.Attrs&(uv.AttrReverse|uv.AttrStrikethrough) == 0 && s.Underline == 0 {
			g.look.fg, g.look.attrs = "", ""
		}
	}
	return g
}

func attrsOf(s *uv.Style) string {
	if s.Attrs == 0 && s.Underline == 0 {
		return ""
	}
	var on []string
	for i, n := range []int{1, 2, 3, 5, 6, 7, 8, 9} {
		if s.Attrs&(1<<i) != 0 {
			on = append(on, strconv.Itoa(n))
		}
	}
	if s.Underline != 0 {
		on = append(on, "4")
	}
	return strings.Join(on, ";")
}

// colourOf is the SGR parameter of a colour, from base on (30 or 40).
func colourOf(c color.Color, base int) string {
	switch c := c.(type) {
	case nil:
		return ""
	case ansi.BasicColor:
		if c >= 8 {
			return strconv.Itoa(base + 60 + int(c) - 8)
		}
		return strconv.Itoa(base + int(c))
	case ansi.IndexedColor:
		return fmt.Sprintf("%d;5;%d", base+8, c)
	}
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("%d;2;%d;%d;%d", base+8, r>>8, g>>8, b>>8)
}

// pens is the least SGR that turns one pen into another.
func (b *bound) pens(from, to look) int {
	if from == to {
		return 0
	}
	if b.cost == nil {
		b.cost = map[[2]look]int{}
	}
	key := [2]look{from, to}
	n, ok := b.cost[key]
	if !ok {
		n = min(sgr("", to), differ(from, to))
		b.cost[key] = n
	}
	return n
}

// sgr is the length of a sequence that resets and sets all of a look.
func sgr(reset string, l look) int {
	params := []string{reset}
	for _, p := range []string{l.attrs, l.fg, l.bg} {
		if p != "" {
			params = append(params, p)
		}
	}
	return len("\x1b[m") + len(strings.Join(params, ";"))
}

// differ is the length of a sequence that changes only what differs.
func differ(from, to look) int {
	var params []string
	if from.attrs != to.attrs {
		had, has := strings.Split(from.attrs, ";"), strings.Split(to.attrs, ";")
		off := map[string]string{"1": "22", "2": "22", "3": "23", "4": "24", "5": "25", "6": "25", "7": "27", "8": "28", "9": "29"}
		gone := map[string]bool{}
		for _, a := range had {
			if a != "" && !within(has, a) && !gone[off[a]] {
				gone[off[a]] = true
				params = append(params, off[a])
			}
		}
		for _, a := range has {
			if a != "" && (!within(had, a) || gone[off[a]]) {
				params = append(params, a)
			}
		}
	}
	for _, c := range []struct{ from, to, none string }{{from.fg, to.fg, "39"}, {from.bg, to.bg, "49"}} {
		switch {
		case c.from == c.to:
		case c.to == "":
			params = append(params, c.none)
		default:
			params = append(params, c.to)
		}
	}
	return len("\x1b[m") + len(strings.Join(params, ";"))
}

func within(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

// penFor is the pen after a glyph was written: a blank takes any ink that does not show.
func penFor(pen look, g *glyph) look {
	if g.text == " " && g.look.attrs == "" && !strings.ContainsAny(pen.attrs, "4789") {
		return look{pen.fg, g.look.bg, pen.attrs}
	}
	return g.look
}

// move is the cheapest way of the cursor from one place to another by sequences alone.
func move(from, to spot) int {
	if from == to {
		return 0
	}
	jump := len("\x1b[;H") + digits(to.y+1) + digits(to.x+1)
	if to.x == 0 {
		jump = len("\x1b[H") + digits(to.y+1)
		if to.y == 0 {
			jump = len("\x1b[H")
		}
	}
	if from.x < 0 {
		return jump
	}
	down := upDown(from.y, to.y)
	across := min(sideways(from.x, to.x), 1+sideways(0, to.x)) // straight, or from the line's beginning
	return min(jump, down+across)
}

func upDown(from, to int) int {
	switch {
	case to == from:
		return 0
	case to > from:
		return min(to-from, csi(to-from), csi(to+1)) // so many line feeds, CUD, VPA
	default:
		up := csi(from - to)
		if from-to == 1 {
			up = len("\x1bM")
		}
		return min(up, csi(to+1))
	}
}

func sideways(from, to int) int {
	switch {
	case to == from:
		return 0
	case to > from:
		return min(csi(to-from), csi(to+1))
	default:
		return min(from-to, csi(from-to), csi(to+1)) // so many backspaces, CUB, CHA
	}
}

// csi is the length of a sequence with one number, of which 1 may be left out.
func csi(n int) int {
	if n == 1 {
		return len("\x1b[C")
	}
	return len("\x1b[C") + digits(n)
}

func digits(n int) int { return len(strconv.Itoa(n)) }

// add is the least that turns one frame into another, and how many cells differ. The
// cursor and the pen stay where that leaves them.
func (b *bound) add(before, after frame) (bytes, changed int) {
	if len(before) != len(after) || len(before) == 0 || len(before[0]) != len(after[0]) {
		before = make(frame, len(after))
		for y := range before {
			before[y] = make([]glyph, len(after[0]))
			for x := range before[y] {
				before[y][x] = glyph{text: " ", width: 1}
			}
		}
	}
	for y := range after {
		for x := range after[y] {
			if after[y][x] != before[y][x] {
				changed++
			}
		}
	}
	if changed == 0 {
		return 0, 0
	}
	best, at, pen := b.paint(before, after)
	for _, s := range scrolls(before, after) {
		was := b.at
		b.at = spot{0, 0} // margins put it there
		if s.bare {
			b.at = was
		}
		n, a, p := b.paint(s.apply(before), after)
		b.at = was
		if n+s.cost() < best {
			best, at, pen = n+s.cost(), a, p
		}
	}
	b.at, b.pen = at, pen
	return best, changed
}

// paint is the cost of the cells that differ, and where it leaves cursor and pen.
func (b *bound) paint(before, after frame) (bytes int, at spot, pen look) {
	at, pen = b.at, b.pen
	for y := range after {
		n, a, p := b.row(before[y], after[y], y, at, pen, len(after[y]))
		if end := blankFrom(after[y]); end < len(after[y]) { // what is blank to the end can be erased
			m, a2, p2 := b.row(before[y], after[y], y, at, pen, end)
			if first := differs(before[y], after[y], end); first >= 0 {
				m += move(a2, spot{first, y}) + b.pens(look{p2.fg, p2.bg, ""}, look{p2.fg, "", ""}) + len("\x1b[K")
				a2, p2.bg = spot{first, y}, ""
				if m < n {
					n, a, p = m, a2, p2
				}
			}
		}
		bytes, at, pen = bytes+n, a, p
	}
	return bytes, at, pen
}

// row is the cost of the cells that differ before the column end.
func (b *bound) row(before, after []glyph, y int, at spot, pen look, end int) (int, spot, look) {
	bytes := 0
	for x := 0; x < end; x++ {
		g := &after[x]
		if *g == before[x] || g.width == 0 {
			continue
		}
		way, p := move(at, spot{x, y}), pen
		if at.y == y && at.x >= 0 && at.x < x { // write again what stands between
			over, q := 0, pen
			for i := at.x; i < x && over <= way+8; i++ {
				if after[i].width == 0 {
					continue
				}
				next := penFor(q, &after[i])
				over += b.pens(q, next) + len(after[i].text)
				q = next
			}
			if over+b.pens(q, penFor(q, g)) < way+b.pens(p, penFor(p, g)) {
				way, p = over, q
			}
		}
		next := penFor(p, g)
		bytes += way + b.pens(p, next) + len(g.text)
		pen, at = next, spot{x + g.width, y}
		if at.x >= len(after) {
			at.x = -1 // it waits to wrap: only a jump is sure
		}
	}
	return bytes, at, pen
}

func blankFrom(row []glyph) int {
	x := len(row)
	for x > 0 && row[x-1] == (glyph{text: " ", width: 1}) {
		x--
	}
	return x
}

func differs(before, after []glyph, from int) int {
	for x := from; x < len(after); x++ {
		if before[x] != after[x] {
			return x
		}
	}
	return -1
}

// scroll moves the rows from top to bottom up by n, or down where n is below 0.
type scroll struct {
	top, bottom, n, height int
	bare                   bool // the whole screen: no margins
}

func (s scroll) cost() int {
	by := csi(max(s.n, -s.n))
	if s.bare {
		return by
	}
	return len("\x1b[;r") + digits(s.top+1) + digits(s.bottom+1) + by + len("\x1b[r")
}

func (s scroll) apply(f frame) frame {
	out := make(frame, len(f))
	copy(out, f)
	for y := s.top; y <= s.bottom; y++ {
		if from := y + s.n; from >= s.top && from <= s.bottom {
			out[y] = f[from]
			continue
		}
		out[y] = make([]glyph, len(f[y]))
		for x := range out[y] {
			out[y][x] = glyph{text: " ", width: 1}
		}
	}
	return out
}

// scrolls are the shifts that bring rows to where they belong.
func scrolls(before, after frame) (out []scroll) {
	h := len(after)
	key := func(row []glyph) string {
		var b strings.Builder
		for i := range row {
			b.WriteString(row[i].text)
		}
		return b.String()
	}
	was, is := make([]string, h), make([]string, h)
	for y := range h {
		was[y], is[y] = key(before[y]), key(after[y])
	}
	for n := -h + 2; n <= h-2; n++ {
		top, bottom, rows := -1, -1, 0
		for y := range h {
			if from := y + n; n != 0 && from >= 0 && from < h && is[y] == was[from] && is[y] != was[y] {
				if top < 0 {
					top = y
				}
				bottom = y
				rows++
			}
		}
		if rows < 2 {
			continue
		}
		top, bottom = min(top, top+n), max(bottom, bottom+n)
		out = append(out, scroll{top, bottom, n, h, top == 0 && bottom == h-1})
	}
	return out
}
