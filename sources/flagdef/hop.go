package flagdef

// hopDepth is how deep a value may be nested for hop to follow it.
const hopDepth = 64

// nest is which containers a hop is inside of: a bit a level, 1 for an object.
type nest struct {
	objects uint64
	level   int
}

func (n *nest) enter(object bool) {
	n.objects <<= 1
	if object {
		n.objects |= 1
	}
	n.level++
}

func (n *nest) leave() {
	n.objects >>= 1
	n.level--
}

func (n *nest) inObject() bool { return n.objects&1 == 1 }

// hop finds the end of the JSON value at an offset, in one loop and without
// allocating: most of what a flag holds is only stepped over. It gives up, with
// false, on everything unusual, which includes whatever is no JSON, and leaves that
// to the walk that can say what is wrong.
func hop(b []byte, at, depth int) (int, bool) {
	var in nest
	for {
		if at = blank(b, at); at >= len(b) {
			return 0, false
		}
		inside := false
		if b[at] == '{' || b[at] == '[' {
			at, inside = hopIn(b, at, &in, depth)
		} else {
			at = hopScalar(b, at)
		}
		switch {
		case at < 0:
			return 0, false
		case inside:
			continue
		}
		var more bool
		if at, more = hopOn(b, at, &in); !more {
			return at, at >= 0
		}
	}
}

// hopIn steps into a container, up to its first value; not when it is empty. The
// offset is -1 for what is unusual.
func hopIn(b []byte, at int, in *nest, depth int) (next int, inside bool) {
	if in.level == hopDepth || depth+in.level >= maxDepth {
		return -1, false
	}
	c := b[at]
	if at = blank(b, at+1); at >= len(b) {
		return -1, false
	}
	if b[at] == c+2 { // '}' and ']' are two behind their openings
		return at + 1, false
	}
	if in.enter(c == '{'); c == '{' {
		at = hopKey(b, at)
	}
	return at, true
}

// hopOn closes what ends behind a value, and steps over the comma before the next:
// more says that there is one. The offset is -1 for what is unusual.
func hopOn(b []byte, at int, in *nest) (next int, more bool) {
	for in.level > 0 {
		if at = blank(b, at); at >= len(b) {
			return -1, false
		}
		switch c := b[at]; {
		case c == ',':
			if at = blank(b, at+1); in.inObject() {
				at = hopKey(b, at)
			}
			return at, at >= 0
		case c == '}' && in.inObject(), c == ']' && !in.inObject():
			at++
			in.leave()
		default:
			return -1, false
		}
	}
	return at, false
}

// hopKey is the offset behind a member's colon, or -1.
func hopKey(b []byte, at int) int {
	if at >= len(b) || b[at] != '"' {
		return -1
	}
	if at = plain(b, at+1); at >= len(b) || b[at] != '"' {
		return -1
	}
	if at = blank(b, at+1); at >= len(b) || b[at] != ':' {
		return -1
	}
	return at + 1
}

// hopScalar is the offset behind a string, a word or a whole number, or -1.
func hopScalar(b []byte, at int) int {
	word := func(w string) int {
		if len(b)-at >= len(w) && string(b[at:at+len(w)]) == w {
			return at + len(w)
		}
		return -1
	}
	switch c := b[at]; {
	case c == '"':
		if at = plain(b, at+1); at < len(b) && b[at] == '"' {
			return at + 1
		}
		return -1
	case c == 't':
		return word("true")
	case c == 'f':
		return word("false")
	case c == 'n':
		return word("null")
	case c >= '1' && c <= '9':
		for at++; at < len(b) && b[at] >= '0' && b[at] <= '9'; at++ {
		}
		if at < len(b) && (b[at] == '.' || b[at] == 'e' || b[at] == 'E') {
			return -1
		}
		return at
	default:
		return -1
	}
}
