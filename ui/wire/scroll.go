package wire

import "strconv"

// worthScrolling is how many cells a scroll must spare to be done.
const worthScrolling = 24

// scroll moves rows of the terminal to where the next frame has them, where that is
// cheaper than writing them again.
func (s *Screen) scroll(dst []byte) []byte {
	n, top, bottom := s.shift()
	if n == 0 {
		return dst
	}
	kept, moved := 0, 0
	for y := top; y <= bottom; y++ {
		next, now, from := s.line(s.next, y), s.line(s.now, y), y+n
		if s.wants[y] == s.lines[y] { // it was not read, for nothing was to be done
			copy(next, now)
		}
		for x := range s.w {
			was := blank
			if from >= top && from <= bottom {
				was = s.line(s.now, from)[x]
			}
			if now[x] != next[x] {
				kept++
			}
			if was != next[x] {
				moved++
			}
		}
	}
	if kept-moved < worthScrolling {
		return dst
	}
	dst = s.turnBlank(dst, 0)
	dst = s.moveLines(dst, n, top, bottom)
	s.moveRows(n, top, bottom)
	return dst
}

// shift is by how many rows most of what changed has moved, and between which rows; 0
// for not at all.
func (s *Screen) shift() (n, top, bottom int) {
	const several = -1
	at := make(map[uint64]int, s.h)
	for y, l := range s.lines {
		if _, twice := at[l]; twice || l == 0 {
			at[l] = several
			continue
		}
		at[l] = y
	}
	votes := make(map[int]int, 8)
	for y, l := range s.wants {
		if from, ok := at[l]; ok && from != several && from != y {
			votes[from-y]++
			if v := votes[from-y]; v > votes[n] || n == 0 {
				n = from - y
			}
		}
	}
	if votes[n] < 2 {
		return 0, 0, 0
	}
	top, bottom = s.h, -1
	for y, l := range s.wants {
		if from, ok := at[l]; ok && from != several && from == y+n {
			top, bottom = min(top, y, from), max(bottom, y, from)
		}
	}
	return n, top, bottom
}

// moveLines has the terminal move its lines up by n, or down where n is below 0. Lines
// are deleted or inserted between margins, for not every terminal can scroll as such.
func (s *Screen) moveLines(dst []byte, n, top, bottom int) []byte {
	if bottom < s.h-1 {
		dst = append(dst, "\x1b["...)
		dst = strconv.AppendInt(dst, int64(top)+1, 10)
		dst = append(dst, ';')
		dst = strconv.AppendInt(dst, int64(bottom)+1, 10)
		dst = append(dst, 'r')
		s.x, s.y = 0, 0
	}
	dst = s.move(dst, 0, top)
	if n > 0 {
		dst = csi(dst, n, 'M')
	} else {
		dst = csi(dst, -n, 'L')
	}
	if bottom < s.h-1 {
		dst = append(dst, "\x1b[r"...)
		s.x, s.y = 0, 0
	}
	return dst
}

// moveRows does the same to what is known of the terminal.
func (s *Screen) moveRows(n, top, bottom int) {
	shift := func(y int) {
		if from := y + n; from >= top && from <= bottom {
			copy(s.line(s.now, y), s.line(s.now, from))
			s.lines[y] = s.lines[from]
			return
		}
		row := s.line(s.now, y)
		for x := range row {
			row[x] = blank
		}
		s.lines[y] = bare
	}
	if n > 0 {
		for y := top; y <= bottom; y++ {
			shift(y)
		}
		return
	}
	for y := bottom; y >= top; y-- {
		shift(y)
	}
}
