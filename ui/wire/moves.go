package wire

import "strconv"

// move brings the cursor to a place by the shortest sequence. What it uses every
// terminal since the VT102 knows.
func (s *Screen) move(dst []byte, x, y int) []byte {
	if x == s.x && y == s.y {
		return dst
	}
	began := len(dst)
	dst = jump(dst, x, y)
	if s.x >= 0 {
		var buf [2][24]byte
		for i, fromX := range [2]int{s.x, 0} { // as it stands, or from the beginning of the line
			way := buf[i][:0]
			if i == 1 {
				way = append(way, '\r')
			}
			way, at := s.vertical(way, fromX, y)
			way = horizontal(way, at, x)
			if len(way) < len(dst)-began {
				dst = append(dst[:began], way...)
			}
		}
	}
	s.x, s.y = x, y
	return dst
}

// far is how long the way to a place is.
func (s *Screen) far(x, y int) int {
	fromX, fromY := s.x, s.y
	var buf [24]byte
	n := len(s.move(buf[:0], x, y))
	s.x, s.y = fromX, fromY
	return n
}

func jump(dst []byte, x, y int) []byte {
	dst = append(dst, "\x1b["...)
	if y > 0 || x > 0 {
		dst = strconv.AppendInt(dst, int64(y)+1, 10)
	}
	if x > 0 {
		dst = append(dst, ';')
		dst = strconv.AppendInt(dst, int64(x)+1, 10)
	}
	return append(dst, 'H')
}

// vertical goes from the cursor's line to another, and says in which column that ends.
func (s *Screen) vertical(dst []byte, x, y int) (way []byte, atX int) {
	switch n := y - s.y; {
	case n == 0:
		return dst, x
	case n > 0 && n <= 3 && (!s.feedReturns || x == 0):
		return append(dst, "\n\n\n"[:n]...), x
	case n > 0:
		return csi(dst, n, 'B'), x
	case n == -1:
		return append(dst, "\x1bM"...), x
	default:
		return csi(dst, -n, 'A'), x
	}
}

func horizontal(dst []byte, from, to int) []byte {
	switch n := to - from; {
	case n == 0:
		return dst
	case n > 0:
		return csi(dst, n, 'C')
	case n >= -4:
		return append(dst, "\b\b\b\b"[:-n]...)
	default:
		return csi(dst, -n, 'D')
	}
}

// csi is a sequence with one number, of which 1 goes without saying.
func csi(dst []byte, n int, end byte) []byte {
	dst = append(dst, "\x1b["...)
	if n != 1 {
		dst = strconv.AppendInt(dst, int64(n), 10)
	}
	return append(dst, end)
}
