package themes

import (
	"strings"

	"charm.land/lipgloss/v2"
)

// Ink is a style whose escape sequences were worked out once, because rendering
// a lipgloss style costs microseconds and a row of the board is drawn thirty
// times a frame. The zero Ink paints nothing but the text. An Ink is immutable
// and may be shared between goroutines.
type Ink struct {
	style       lipgloss.Style
	open, close string
}

// NewInk works out the escape sequences of a style. Only colours and text
// attributes count: padding, borders and sizes are ignored.
func NewInk(style lipgloss.Style) Ink {
	const mark = "x"
	open, end, ok := strings.Cut(style.Render(mark), mark)
	if !ok {
		return Ink{style: style}
	}
	return Ink{style: style, open: open, close: end}
}

// Paint is s in this ink. An empty string stays empty.
func (i Ink) Paint(s string) string {
	if i.open == "" || s == "" {
		return s
	}
	return i.open + s + i.close
}

// Append adds s in this ink to b, without allocating where b has room.
func (i Ink) Append(b []byte, s string) []byte {
	if s == "" {
		return b
	}
	b = append(b, i.open...)
	b = append(b, s...)
	return append(b, i.close...)
}

// Open is the sequence that switches this ink on; "" for a plain ink.
func (i Ink) Open() string { return i.open }

// Close is the sequence that switches it off again.
func (i Ink) Close() string { return i.close }

// Style is the lipgloss style behind the ink, for components that want one.
func (i Ink) Style() lipgloss.Style { return i.style }
