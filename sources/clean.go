package sources

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxName is the most runes that a name from outside keeps on its way to a screen.
const MaxName = 200

// Clean makes a string from outside safe to print anywhere: control characters
// (C0, DEL, C1, so no escape sequence survives), bidirectional overrides, other
// format and private-use characters and invalid UTF-8 each become '∙', line
// breaks and tabs become a space, and anything past limit runes is cut with '⋯'.
// A string that needs none of it is returned as it is, without allocating.
// Both signs are one cell wide in every terminal.
// It is the one place where outside strings are cleaned; drivers call it.
func Clean(s string, limit int) string {
	limit = max(0, limit)
	if cleanASCII(s, limit) {
		return s
	}
	var b strings.Builder
	b.Grow(min(len(s), limit) + len("⋯"))
	n := 0
	for i, r := range s {
		if n == limit {
			b.WriteRune('⋯')
			break
		}
		n++
		b.WriteRune(cleanRune(s, i, r))
	}
	return b.String()
}

func cleanASCII(s string, limit int) bool {
	if len(s) > limit {
		return false
	}
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

func cleanRune(s string, i int, r rune) rune {
	switch {
	case r == '\n' || r == '\r' || r == '\t' || r == '\u2028' || r == '\u2029':
		return ' '
	case r == utf8.RuneError:
		if _, size := utf8.DecodeRuneInString(s[i:]); size <= 1 {
			return '∙'
		}
		return r
	case unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r), unicode.Is(unicode.Cs, r):
		return '∙'
	case unicode.IsSpace(r):
		return ' '
	default:
		return r
	}
}

// JoinClauses puts clauses into one sentence, those that are "" left out.
func JoinClauses(parts ...string) string {
	return strings.Join(slices.DeleteFunc(slices.Clone(parts), func(s string) bool { return s == "" }), "; ")
}
