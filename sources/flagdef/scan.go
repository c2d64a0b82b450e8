package flagdef

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/bits"
	"unicode/utf8"
)

// maxDepth bounds nesting, so that a hostile file cannot exhaust the stack.
const maxDepth = 256

// span is a half-open range of byte offsets in the file; zero means absent.
type span struct{ from, to int }

func (s span) present() bool { return s.to > s.from }

// member is one "key": value of an object; key includes its quotes.
type member struct{ key, value span }

// syntaxError says what is wrong at which byte.
type syntaxError struct {
	at   int
	what string
}

func (e *syntaxError) Error() string { return e.what }

// position is the 1-based line and column (in characters) of an offset.
func position(b []byte, at int) (line, col int) {
	at = min(at, len(b))
	line = 1 + bytes.Count(b[:at], []byte{'\n'})
	start := bytes.LastIndexByte(b[:at], '\n') + 1
	if start == 0 {
		b = bytes.TrimPrefix(b[:at], bom)
		return line, 1 + utf8.RuneCount(b)
	}
	return line, 1 + utf8.RuneCount(b[start:at])
}

// scanner reads strict JSON and keeps byte offsets. It exists because editing
// must leave every other byte alone, which no decoder that rebuilds the text can.
type scanner struct {
	b     []byte
	at    int
	depth int
}

func (s *scanner) fail(what string) error { return &syntaxError{at: s.at, what: what} }

func (s *scanner) unexpected(want string) error {
	if s.at >= len(s.b) {
		return s.fail("the file ends where " + want + " is expected")
	}
	r, _ := utf8.DecodeRune(s.b[s.at:])
	return s.fail(fmt.Sprintf("%q where %s is expected", r, want))
}

func (s *scanner) space() { s.at = blank(s.b, s.at) }

// blank is the first offset from at that is no white space.
func blank(b []byte, at int) int {
	for at < len(b) && b[at] <= ' ' && (b[at] == ' ' || b[at] == '\n' || b[at] == '\t' || b[at] == '\r') {
		at++
	}
	return at
}

func (s *scanner) peek() byte {
	if s.at < len(s.b) {
		return s.b[s.at]
	}
	return 0
}

// object walks the object at the scanner. For each member visit is called with
// the key while the scanner stands on the value, which visit must consume.
func (s *scanner) object(visit func(key span) error) (span, error) {
	from := s.at
	if s.peek() != '{' {
		return span{}, s.unexpected("an object")
	}
	if s.depth++; s.depth > maxDepth {
		return span{}, s.fail("nested too deeply")
	}
	s.at++
	s.space()
	if s.peek() == '}' {
		s.at++
		s.depth--
		return span{from, s.at}, nil
	}
	for {
		key, err := s.str()
		if err != nil {
			return span{}, err
		}
		s.space()
		if s.peek() != ':' {
			return span{}, s.unexpected("':'")
		}
		s.at++
		s.space()
		if err := visit(key); err != nil {
			return span{}, err
		}
		if done, err := s.next('}'); err != nil || done {
			return span{from, s.at}, err
		}
	}
}

// array walks the array at the scanner as object does.
func (s *scanner) array(visit func() error) (span, error) {
	from := s.at
	if s.peek() != '[' {
		return span{}, s.unexpected("an array")
	}
	if s.depth++; s.depth > maxDepth {
		return span{}, s.fail("nested too deeply")
	}
	s.at++
	s.space()
	if s.peek() == ']' {
		s.at++
		s.depth--
		return span{from, s.at}, nil
	}
	for {
		if err := visit(); err != nil {
			return span{}, err
		}
		if done, err := s.next(']'); err != nil || done {
			return span{from, s.at}, err
		}
	}
}

// next consumes the comma before another element, or the closing bracket.
func (s *scanner) next(closing byte) (done bool, err error) {
	s.space()
	switch s.peek() {
	case closing:
		s.at++
		s.depth--
		return true, nil
	case ',':
		s.at++
		s.space()
		return false, nil
	default:
		return false, s.unexpected("',' or '" + string(closing) + "'")
	}
}

// skip consumes any value.
func (s *scanner) skip() (span, error) {
	if to, ok := hop(s.b, s.at, s.depth); ok {
		from := s.at
		s.at = to
		return span{from, to}, nil
	}
	return s.walk()
}

// walk is skip step by step: it finds the same end, or says what is wrong where.
func (s *scanner) walk() (span, error) {
	switch c := s.peek(); {
	case c == '{':
		return s.object(func(span) error { _, err := s.skip(); return err })
	case c == '[':
		return s.array(func() error { _, err := s.skip(); return err })
	case c == '"':
		return s.str()
	case c == '-' || (c >= '0' && c <= '9'):
		return s.number()
	case c == 't':
		return s.word("true")
	case c == 'f':
		return s.word("false")
	case c == 'n':
		return s.word("null")
	default:
		return span{}, s.unexpected("a value")
	}
}

func (s *scanner) word(w string) (span, error) {
	if !bytes.HasPrefix(s.b[s.at:], []byte(w)) {
		return span{}, s.unexpected("a value")
	}
	s.at += len(w)
	return span{s.at - len(w), s.at}, nil
}

func (s *scanner) str() (span, error) {
	from := s.at
	if s.peek() != '"' {
		return span{}, s.unexpected("a string")
	}
	s.at++
	for {
		s.at = plain(s.b, s.at)
		switch {
		case s.at >= len(s.b):
			return span{}, s.fail("a string that never ends")
		case s.b[s.at] == '"':
			s.at++
			return span{from, s.at}, nil
		case s.b[s.at] == '\\':
			if err := s.escape(); err != nil {
				return span{}, err
			}
		default:
			return span{}, s.fail("a control character inside a string")
		}
	}
}

// plain is the first offset from at that is not simply part of a string. It looks at
// eight bytes at a time: strings are most of what a store holds.
func plain(b []byte, at int) int {
	for at+8 <= len(b) {
		if special := specials(binary.LittleEndian.Uint64(b[at:])); special != 0 {
			return at + bits.TrailingZeros64(special)/8
		}
		at += 8
	}
	for at < len(b) && b[at] >= 0x20 && b[at] != '"' && b[at] != '\\' {
		at++
	}
	return at
}

// specials has the high bit of each byte set that is a quote, a backslash or a
// control character. Above the lowest such byte it may be wrong, for a borrow runs
// upwards; the lowest is what is asked for.
func specials(x uint64) uint64 {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	quote, slash := x^ones*'"', x^ones*'\\'
	return ((quote-ones)&^quote | (slash-ones)&^slash | (x-ones*0x20)&^x) & highs
}

func (s *scanner) escape() error {
	s.at++
	switch s.peek() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.at++
		return nil
	case 'u':
		s.at++
		for range 4 {
			if !hexDigit(s.peek()) {
				return s.fail("an unknown escape inside a string")
			}
			s.at++
		}
		return nil
	default:
		return s.fail("an unknown escape inside a string")
	}
}

func hexDigit(c byte) bool {
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')
}

func (s *scanner) number() (span, error) {
	from := s.at
	if s.peek() == '-' {
		s.at++
	}
	switch c := s.peek(); {
	case c == '0':
		s.at++
	case c >= '1' && c <= '9':
		s.digits()
	default:
		return span{}, s.unexpected("a digit")
	}
	if s.peek() == '.' {
		s.at++
		if !s.digits() {
			return span{}, s.unexpected("a digit")
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.at++
		if c := s.peek(); c == '+' || c == '-' {
			s.at++
		}
		if !s.digits() {
			return span{}, s.unexpected("a digit")
		}
	}
	return span{from, s.at}, nil
}

func (s *scanner) digits() bool {
	from := s.at
	for c := s.peek(); c >= '0' && c <= '9'; c = s.peek() {
		s.at++
	}
	return s.at > from
}

// text is the decoded string of a quoted span; "" and false when it is none.
func text(b []byte, at span) (string, bool) {
	if at.to-at.from < 2 || b[at.from] != '"' {
		return "", false
	}
	raw := b[at.from+1 : at.to-1]
	if bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw) {
		return string(raw), true
	}
	var out string
	if err := json.Unmarshal(b[at.from:at.to], &out); err != nil {
		return "", false
	}
	return out, true
}

// is reports whether a quoted span decodes to want, without allocating for the
// plain spelling.
func is(b []byte, at span, want string) bool {
	if at.to-at.from < 2 || b[at.from] != '"' {
		return false
	}
	raw := b[at.from+1 : at.to-1]
	if string(raw) == want {
		return true
	}
	if len(raw) <= len(want) || bytes.IndexByte(raw, '\\') < 0 { // an escape is longer than what it stands for
		return false
	}
	got, ok := text(b, at)
	return ok && got == want
}

// bare is what a quoted span decodes to, for comparing; nil when it is no string. It
// costs nothing for the plain spelling.
func bare(b []byte, at span) []byte {
	if at.to-at.from < 2 || b[at.from] != '"' {
		return nil
	}
	raw := b[at.from+1 : at.to-1]
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw
	}
	s, _ := text(b, at)
	return []byte(s)
}

// members lists the members of an object that was scanned before, appending to
// into so that callers can reuse memory. false when it is no object.
func members(b []byte, at span, into []member) ([]member, bool) {
	if !at.present() || b[at.from] != '{' {
		return into, false
	}
	s := scanner{b: b[:at.to], at: at.from}
	_, err := s.object(func(key span) error {
		value, err := s.skip()
		into = append(into, member{key, value})
		return err
	})
	return into, err == nil
}

// elements lists the elements of an array that was scanned before.
func elements(b []byte, at span, into []span) ([]span, bool) {
	if !at.present() || b[at.from] != '[' {
		return into, false
	}
	s := scanner{b: b[:at.to], at: at.from}
	_, err := s.array(func() error {
		value, err := s.skip()
		into = append(into, value)
		return err
	})
	return into, err == nil
}
