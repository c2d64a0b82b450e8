package ui

import (
	"bytes"
	"time"
)

const (
	// oneSequence is how far apart two parts of one sequence may come over a slow link.
	oneSequence = 3 * time.Second
	// longestCSI bounds what is kept of a sequence that goes on.
	longestCSI = 64
)

// replies keeps what a terminal says by itself from being taken for keys. Bubble Tea waits
// 50 ms for the rest of a sequence, and then reads its letters as what somebody typed: of
// a cursor report that a slow link cuts in two the last one is R. A sequence that has
// begun is kept until it is whole; strings, which only terminals send, are left out. The
// zero value is ready. It is one goroutine's.
type replies struct {
	state  replyState
	held   []byte    // a sequence's bytes so far
	at     time.Time // when its last byte came
	orphan bool      // its ESC has been passed on as a key
}

type replyState int

const (
	ground     replyState = iota
	escaped               // after ESC
	parameters            // within ESC [
	opening               // after ESC ] and its like, which may still be a key with alt
	text                  // within a string
	textEnding            // after ESC within a string
	alone                 // ESC was the last byte that came, and has been passed on
)

// pass is what of the bytes that came now is for the board; it may hold bytes that came
// before.
func (f *replies) pass(in []byte, now time.Time) []byte {
	out := make([]byte, 0, len(in)+len(f.held))
	late := now.Sub(f.at) > oneSequence
	f.at = now
	switch {
	case f.state == alone:
		f.state = ground
		if !late && len(in) > 0 {
			in = f.goOn(in)
		}
	case late:
		out = append(out, f.held...)
		f.rest(ground)
	}
	for _, c := range in {
		out = f.take(out, c)
	}
	if f.state == escaped { // the key, as far as anybody can tell
		out = append(out, f.held...)
		f.rest(alone)
	}
	return out
}

func (f *replies) rest(s replyState) { f.state, f.held, f.orphan = s, f.held[:0], false }

// goOn begins with what may be the rest of a sequence whose ESC came alone. A key that
// somebody typed after it comes with the next one.
func (f *replies) goOn(in []byte) []byte {
	switch in[0] {
	case '[':
		f.state, f.orphan = parameters, true
	case ']', 'P', '_':
		f.state = opening
	default:
		return in
	}
	f.held = append(f.held[:0], in[0])
	return in[1:]
}

// opens tells whether a string that terminals answer with begins with ESC and these two.
func opens(kind, c byte) bool {
	digit := c >= '0' && c <= '9'
	switch kind {
	case ']':
		return digit
	case 'P':
		return digit || bytes.IndexByte([]byte(">!$+"), c) >= 0
	case '_':
		return c == 'G'
	default:
		return false
	}
}

// take is one byte more.
func (f *replies) take(out []byte, c byte) []byte {
	switch f.state {
	case escaped:
		return f.takeEscaped(out, c)
	case parameters:
		return f.takeParameter(out, c)
	case opening:
		if opens(f.held[len(f.held)-1], c) {
			f.rest(text)
			return out
		}
		return f.giveUp(out, c)
	case text, textEnding:
		return f.takeText(out, c)
	default:
		if c == '\x1b' {
			f.state, f.held = escaped, append(f.held[:0], c)
			return out
		}
		return append(out, c)
	}
}

// giveUp passes on what was kept, and looks at c anew.
func (f *replies) giveUp(out []byte, c byte) []byte {
	out = append(out, f.held...)
	f.rest(ground)
	return f.take(out, c)
}

func (f *replies) takeEscaped(out []byte, c byte) []byte {
	switch c {
	case '[':
		f.state, f.held = parameters, append(f.held, c)
	case ']', 'P', '_':
		f.state, f.held = opening, append(f.held, c)
	default:
		return f.giveUp(out, c)
	}
	return out
}

func (f *replies) takeParameter(out []byte, c byte) []byte {
	switch {
	case c >= 0x20 && c < 0x40 && len(f.held) < longestCSI:
		f.held = append(f.held, c)
		return out
	case c < 0x40 || c >= 0x7f:
		return f.giveUp(out, c)
	}
	answers := bytes.IndexByte([]byte("cRuynt"), c) >= 0 || bytes.HasPrefix(f.held, []byte("[<")) && (c == 'M' || c == 'm') // or the mouse's
	if !f.orphan || !answers || len(f.held) == 1 {                                                                          // a whole one is told apart from keys by whoever reads it
		out = append(append(out, f.held...), c)
	}
	f.rest(ground)
	return out
}

func (f *replies) takeText(out []byte, c byte) []byte {
	switch {
	case f.state == textEnding && c == '\\', c == '\a':
		f.rest(ground)
	case f.state == textEnding: // cut off by another sequence
		f.state, f.held = escaped, append(f.held[:0], '\x1b')
		return f.take(out, c)
	case c == '\x1b':
		f.state = textEnding
	case c < 0x20:
		f.rest(ground)
		return f.take(out, c)
	}
	return out
}
