// Package wire draws frames on a terminal in few bytes: it knows what the terminal
// shows, and sends the cells that differ by the cheapest way of the cursor, without
// holding up whoever made the frame when the line is slow.
package wire

import (
	"hash/maphash"
	"math"
	"strings"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
)

// Screen is what a terminal shows, as far as it was drawn by Draw. It is not safe for
// goroutines; make it with NewScreen.
type Screen struct {
	pens
	w, h  int
	width ansi.Method // how wide the terminal makes a cluster of runes

	now, next []cell   // of all rows
	lines     []uint64 // hashes of the lines that now was made of; 0 is unknown
	wants     []uint64 // of those that next is made of
	seed      maphash.Seed
	clusters  clusters

	cursor
	// feedReturns says that a line feed also returns the carriage on the way.
	feedReturns bool
	unasked     int    // bytes of the last Draw that nobody waited for
	spare       []byte // of the other way to draw a row
}

// cursor is where the next rune goes.
type cursor struct {
	x, y int    // x below 0 is unknown
	pen  uint16 // what is written looks like this; unknownPen where nobody knows
}

// cell is what a terminal shows in one place.
type cell struct {
	r     rune // below 0 it is a cluster of several
	style uint16
	width uint8 // 0 is the rest of a wide one
}

var blank = cell{r: ' ', width: 1}

// NewScreen is a terminal of no size and with unknown content that shows colours as
// far as the profile goes. feedReturns says that a line feed is made to return the
// carriage as well, as on a terminal that is not raw.
func NewScreen(profile colorprofile.Profile, feedReturns bool) *Screen {
	s := &Screen{seed: maphash.MakeSeed(), feedReturns: feedReturns, width: ansi.WcWidth}
	s.pens.init(profile)
	s.Forget()
	return s
}

// Resize takes the terminal's size in cells, after which its content is unknown.
func (s *Screen) Resize(w, h int) {
	if w == s.w && h == s.h {
		return
	}
	s.w, s.h = max(0, w), max(0, h)
	s.now, s.next = make([]cell, s.w*s.h), make([]cell, s.w*s.h)
	s.lines, s.wants = make([]uint64, s.h), make([]uint64, s.h)
	s.Forget()
}

// Forget says that somebody else has drawn on the terminal: the next frame is drawn
// whole.
func (s *Screen) Forget() {
	clear(s.lines)
	s.Stray()
}

// Stray says that somebody else has moved the cursor or changed the pen.
func (s *Screen) Stray() { s.x, s.pen = -1, unknownPen }

// Rank is when a row is drawn: the lower ones first.
type Rank uint8

// The ranks of rows.
const (
	Answer Rank = iota // the newest answer to somebody who waits
	Asked              // what was asked for before, or is not known to be there
	Word               // another word that came by itself
	Number             // a number that did
	None               // no row
)

// Limits bound what one Draw appends, in bytes.
type Limits struct {
	All     int // of every row
	Unasked int // of those that changed by themselves; 0 leaves them as they are
}

// Unlimited bounds nothing.
var Unlimited = Limits{math.MaxInt, math.MaxInt}

// Draw appends to dst what makes the terminal show the frame, whose lines may have SGR
// and hyperlinks in them; what goes beyond the terminal's size is left out. Within the
// limits it draws as many rows as fit, by their rank, and of the next one as many words:
// the frame is then whole after further calls only, and left is the rank of the first
// row that is not drawn. It is None where all are. A nil rank is Answer for all. A Word
// may be about something else than what stood in its row, and its numbers are not to be
// seen beside the other's name: the first one may exceed Unasked, and the others wait.
func (s *Screen) Draw(dst []byte, frame string, rank func(row int) Rank, limits Limits) (out []byte, left Rank) {
	if s.w == 0 || s.h == 0 || !s.parse(frame) {
		return dst, None
	}
	if first := s.firstRank(rank); limits.Unasked == 0 && first > Asked {
		return dst, first
	}
	began, asked := len(dst), 0
	dst = s.scroll(dst)
	defer func() { s.unasked = len(out) - max(asked, began) }()
	for turn := Answer; turn < None; turn++ {
		end := began + min(limits.All, math.MaxInt-began)
		most := end
		if turn == Word {
			asked = len(dst)
		}
		if turn > Asked {
			end = min(end, asked+min(limits.Unasked, math.MaxInt-asked))
		}
		for y := range s.h {
			if s.wants[y] == s.lines[y] || s.rank(y, rank) != turn {
				continue
			}
			till, entire := end, turn == Word
			if entire && len(dst) == asked && end > asked {
				till, entire = most, false
			}
			var whole bool
			if dst, whole = s.fit(dst, y, till, len(dst) == began && end > began, entire); !whole {
				return dst, turn
			}
		}
	}
	return dst, None
}

// rank is that of a row which differs.
func (s *Screen) rank(y int, of func(row int) Rank) Rank {
	switch {
	case of == nil:
		return Answer
	case s.lines[y] == 0 || s.lines[y] == bare:
		return min(of(y), Asked)
	default:
		return of(y)
	}
}

// firstRank is the lowest of the rows that differ.
func (s *Screen) firstRank(of func(row int) Rank) Rank {
	first := None
	for y := range s.h {
		if s.wants[y] != s.lines[y] {
			first = min(first, s.rank(y, of))
		}
	}
	return first
}

// fit sends what differs in one row, and as much of it as fits where dst would grow
// longer than end: nothing of one that is to be entire. The first one sends something
// whatever the end is.
func (s *Screen) fit(dst []byte, y, end int, first, entire bool) (out []byte, whole bool) {
	if len(dst) >= end && !first {
		return dst, false
	}
	before, began := s.cursor, len(dst)
	dst = s.row(dst, y)
	if len(dst) <= end || first && s.doubts(y) {
		copy(s.line(s.now, y), s.line(s.next, y))
		s.lines[y] = s.wants[y]
		return dst, true
	}
	s.cursor = before
	if entire || s.doubts(y) {
		return dst[:began], false
	}
	return s.words(dst[:began], y, end, first), false
}

// Hashes of rows that are like no frame's.
const (
	torn = iota + 1 // it was drawn in part
	bare            // a scroll left nothing in it
	hashes
)

// words sends what differs in one row from the left, as long as it fits, and ends where
// a word does: half of a new number beside half of the old one would be a third. The
// first one sends some cells of a word that is too long by itself.
func (s *Screen) words(dst []byte, y, end int, first bool) []byte {
	now, next := s.line(s.now, y), s.line(s.next, y)
	began := len(dst)
	if s.lines[y] == 0 {
		before := s.cursor
		if dst = s.erase(dst, y); len(dst) > end && !first {
			s.cursor = before
			return dst[:began]
		}
		for x := range now {
			now[x] = blank
		}
	}
	type place struct {
		cursor
		n, x int // bytes and columns so far
	}
	safe, done := place{s.cursor, len(dst), 0}, s.w
	for x := range next {
		if now[x] == next[x] {
			continue
		}
		here := place{s.cursor, len(dst), x}
		if x == 0 || now[x-1].r == ' ' && next[x-1].r == ' ' {
			safe = here
		}
		if dst = s.change(dst, x, y); len(dst) <= end {
			continue
		}
		if first && safe.n == began {
			if safe = here; here.n == began { // not even a cell fits
				safe = place{s.cursor, len(dst), x + 1}
			}
		}
		dst, s.cursor, done = dst[:safe.n], safe.cursor, safe.x
		break
	}
	copy(now[:done], next[:done])
	if len(dst) > began {
		s.lines[y] = torn
	}
	return dst
}

// doubts tells whether terminals may disagree on what a row looks like, now or then.
func (s *Screen) doubts(y int) bool {
	return doubtful(s.line(s.next, y)) || s.lines[y] != 0 && doubtful(s.line(s.now, y))
}

func (s *Screen) line(of []cell, y int) []cell { return of[y*s.w : (y+1)*s.w] }

// parse reads the lines of a frame that differ from what is shown, and tells whether any
// does.
func (s *Screen) parse(frame string) (differ bool) {
	if s.pens.crowded() || s.clusters.crowded() {
		s.pens.init(s.profile)
		s.clusters = clusters{}
		s.Forget()
	}
	for y := range s.h {
		line, rest, _ := strings.Cut(frame, "\n")
		frame = rest
		s.wants[y] = s.hash(line)
		if s.wants[y] != s.lines[y] {
			differ = true
			s.read(line, s.line(s.next, y))
		}
	}
	return differ
}

func (s *Screen) hash(line string) uint64 { return max(hashes, maphash.String(s.seed, line)) }

// row sends what differs in one row.
func (s *Screen) row(dst []byte, y int) []byte {
	now, next := s.line(s.now, y), s.line(s.next, y)
	switch {
	case s.doubts(y):
		return s.doubted(dst, y)
	case s.lines[y] == 0:
		return s.whole(dst, y)
	}
	first := 0
	for first < s.w && now[first] == next[first] {
		first++
	}
	if first == s.w {
		return dst
	}
	end := s.w
	for end > first && next[end-1] == blank {
		end--
	}
	gone := end // the first blank of the tail that is not there yet
	for gone < s.w && now[gone] == next[gone] {
		gone++
	}
	before, began := s.cursor, len(dst)
	dst = s.cells(dst, y, first, s.w)
	if s.w-gone < len("\x1b[K") {
		return dst
	}
	after := s.cursor
	s.cursor = before
	erased := s.cells(s.spare[:0], y, first, end)
	erased = s.move(erased, gone, y)
	erased = s.turnBlank(erased, 0)
	erased = append(erased, "\x1b[K"...)
	s.spare = erased
	if len(erased) < len(dst)-began {
		return append(dst[:began], erased...)
	}
	s.cursor = after
	return dst
}

// cells sends the cells of a row that differ between two columns.
func (s *Screen) cells(dst []byte, y, from, to int) []byte {
	now, next := s.line(s.now, y), s.line(s.next, y)
	for x := from; x < to; x++ {
		if now[x] == next[x] {
			continue
		}
		dst = s.change(dst, x, y)
	}
	return dst
}

// change sends one cell of a row.
func (s *Screen) change(dst []byte, x, y int) []byte {
	if s.y == y && s.x >= 0 && s.x < x {
		dst = s.across(dst, x, y)
	} else {
		dst = s.move(dst, x, y)
	}
	return s.put(dst, s.line(s.next, y)[x])
}

// across brings the cursor to a column further right in its row: by jumping, or by
// writing again what stands between where that is shorter.
func (s *Screen) across(dst []byte, x, y int) []byte {
	next := s.line(s.next, y)
	if x-s.x > 8 { // a jump is never longer than that
		return s.move(dst, x, y)
	}
	began, fromX, pen := len(dst), s.x, s.pen
	for i := fromX; i < x; i++ {
		dst = s.put(dst, next[i])
	}
	again := len(dst) - began + s.turning(s.pen, next[x])
	s.x = fromX
	if again <= s.far(x, y)+s.turning(pen, next[x]) {
		s.x = x
		return dst
	}
	s.pen = pen
	return s.move(dst[:began], x, y)
}

// turning is what the pen costs for a cell.
func (s *Screen) turning(pen uint16, c cell) int {
	if c.r == ' ' && s.coversBlank(pen, c.style) {
		return 0
	}
	return len(s.step(pen, c.style))
}

// put writes a cell where the cursor is.
func (s *Screen) put(dst []byte, c cell) []byte {
	if c.width == 0 {
		return dst
	}
	if c.r == ' ' {
		dst = s.turnBlank(dst, c.style)
	} else {
		dst = s.turn(dst, c.style)
	}
	dst = s.clusters.append(dst, c.r)
	s.x += int(c.width)
	if s.x >= s.w {
		s.x = -1 // it waits to wrap, and terminals differ in what moves it from there
	}
	return dst
}

// turn makes the pen the given style.
func (s *Screen) turn(dst []byte, style uint16) []byte {
	dst = append(dst, s.step(s.pen, style)...)
	s.pen = style
	return dst
}

// turnBlank makes the pen such that a blank of it looks like one of the given style.
func (s *Screen) turnBlank(dst []byte, style uint16) []byte {
	if s.coversBlank(s.pen, style) {
		return dst
	}
	return s.turn(dst, style)
}

// doubtful tells whether terminals may disagree on how wide something in the row is.
func doubtful(row []cell) bool {
	for i := range row {
		if row[i].width != 1 || row[i].r < 0 {
			return true
		}
	}
	return false
}

// doubted draws a row of which a part may stand elsewhere than it is thought to.
func (s *Screen) doubted(dst []byte, y int) []byte {
	dst = append(dst, "\x1b[?7l"...) // what is wider than it is thought to be must not wrap
	s.x = -1
	dst = s.whole(dst, y)
	s.x = -1
	return append(dst, "\x1b[?7h"...)
}

// erase makes a row blank.
func (s *Screen) erase(dst []byte, y int) []byte {
	dst = s.move(dst, 0, y)
	dst = s.turnBlank(dst, 0)
	return append(dst, "\x1b[K"...)
}

// whole draws a row of which nothing is known.
func (s *Screen) whole(dst []byte, y int) []byte {
	dst = s.erase(dst, y)
	next := s.line(s.next, y)
	end := s.w
	for end > 0 && next[end-1] == blank {
		end--
	}
	for x := 0; x < end; x++ {
		from := x
		for x < end && next[x] == blank {
			x++
		}
		if x-from > 8 {
			dst = s.move(dst, x, y)
		} else {
			x = from
		}
		dst = s.put(dst, next[x])
	}
	return dst
}
