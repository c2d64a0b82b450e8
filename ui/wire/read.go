package wire

import (
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// clusters are what a terminal shows in one cell though it is more than one rune, by
// numbers below 0.
type clusters struct {
	known   []string
	numbers map[string]rune
}

func (c *clusters) crowded() bool { return len(c.known) > 4096 }

// of is the rune, or the number of the cluster.
func (c *clusters) of(text string) rune {
	if r, n := utf8.DecodeRuneInString(text); n == len(text) {
		return r
	}
	if c.numbers == nil {
		c.numbers = map[string]rune{}
	}
	n, ok := c.numbers[text]
	if !ok {
		text = strings.Clone(text)
		c.known = append(c.known, text)
		n = -rune(len(c.known))
		c.numbers[text] = n
	}
	return n
}

func (c *clusters) append(dst []byte, r rune) []byte {
	if r < 0 {
		return append(dst, c.known[-r-1]...)
	}
	return utf8.AppendRune(dst, r)
}

// read fills a row with the cells of a line.
func (s *Screen) read(line string, row []cell) {
	x, pen := 0, uint16(0)
	parser := ansi.GetParser()
	defer ansi.PutParser(parser)
	for len(line) > 0 && x < len(row) {
		if b := line[0]; b >= ' ' && b < 0x7f && (len(line) == 1 || line[1] < utf8.RuneSelf) {
			row[x] = s.cell(rune(b), pen, 1)
			x, line = x+1, line[1:]
			continue
		}
		if n := sgr(line); n > 0 {
			pen, line = s.sgr(pen, line[:n]), line[n:]
			continue
		}
		if r, n := sign(line); n > 0 {
			row[x] = s.cell(r, pen, 1)
			x, line = x+1, line[n:]
			continue
		}
		seq, width, n := s.decode(line, parser)
		switch {
		case width > 0 && x+width > len(row): // it does not fit any more
			x = s.fill(row, x, pen)
		case width > 0:
			row[x] = s.cell(s.clusters.of(seq), pen, width)
			for i := x + 1; i < x+width; i++ {
				row[i] = cell{style: pen}
			}
			x += width
		case ansi.HasOscPrefix(seq) && parser.Command() == 8:
			pen = s.link(pen, parser.Data())
		}
		line = line[n:]
	}
	s.fill(row, x, 0)
}

// sign is the rune of a chart, a frame or a state with which the line begins, and its
// length; 0 where it is none, is wide, or something may combine with it. Asked for the
// columns of one such rune, the library of the other way fills a table of 2 MB.
func sign(line string) (r rune, n int) {
	if r, n = utf8.DecodeRuneInString(line); !signs(r) || ansi.StringWidth(line[:n]) != 1 {
		return 0, 0
	}
	if next, _ := utf8.DecodeRuneInString(line[n:]); n == len(line) || next < utf8.RuneSelf || signs(next) {
		return r, n
	}
	return 0, 0
}

// signs tells that a rune is a middle dot or of the blocks from arrows to arrows, where
// every rune stands for itself and both ways to measure agree.
func signs(r rune) bool { return r >= '\u2190' && r <= '\u2bff' || r == '\u00b7' }

// decode is the next cluster or sequence, how many columns it takes, and how many bytes.
func (s *Screen) decode(line string, parser *ansi.Parser) (seq string, width, n int) {
	decode := ansi.DecodeSequenceWc[string]
	if s.width == ansi.GraphemeWidth {
		decode = ansi.DecodeSequence[string]
	}
	seq, width, n, _ = decode(line, 0, parser)
	if n == 1 && width == 1 && len(line) > 1 { // what combines with an ASCII letter
		if cluster, w := ansi.FirstGraphemeCluster(line, s.width); len(cluster) > 1 && w > 0 {
			return cluster, w, len(cluster)
		}
	}
	return seq, width, max(1, n)
}

func (s *Screen) fill(row []cell, x int, pen uint16) int {
	for ; x < len(row); x++ {
		row[x] = s.cell(' ', pen, 1)
	}
	return x
}

func (s *Screen) cell(r rune, pen uint16, width int) cell {
	if r == ' ' {
		pen = s.forBlank(pen)
	}
	return cell{r, pen, uint8(width)}
}

// sgr is the length of the sequence of SGR with which the line begins; 0 for none.
func sgr(line string) int {
	if len(line) < 3 || line[0] != '\x1b' || line[1] != '[' {
		return 0
	}
	for i := 2; i < len(line); i++ {
		switch b := line[i]; {
		case b == 'm':
			return i + 1
		case (b < '0' || b > '9') && b != ';' && b != ':':
			return 0
		}
	}
	return 0
}
