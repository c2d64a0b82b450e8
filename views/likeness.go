package views

import (
	"strings"
	"unicode/utf8"
)

// Whole is the Likeness up to which a name holds what was typed as it stands.
const Whole = 3

// Likeness is how little a name is like what was typed, which is in lower case: 0 for
// the same, then 1 for a name that begins so, 2 for one in which a word does, Whole for
// one that holds it anywhere, and more the further its letters are scattered. It is
// false for a name that has not all the letters in that order.
func Likeness(name, text string) (unlike int, ok bool) {
	lower := strings.ToLower(name)
	switch at := strings.Index(lower, text); {
	case at == 0 && len(lower) == len(text):
		return 0, true
	case at == 0:
		return 1, true
	case at > 0 && wordBegins(lower, at):
		return 2, true
	case at > 0:
		return Whole, true
	}
	return scattered(lower, text)
}

// scattered finds the letters one after the other, then draws the first ones up to the
// last, so that what is near each other counts as near.
func scattered(name, text string) (unlike int, ok bool) {
	if end, at, plain := scatteredASCII(name, text); plain {
		return spread(name, at, end, len(text))
	}
	name, text = strings.ToValidUTF8(name, "\ufffd"), strings.ToValidUTF8(text, "\ufffd")
	end := 0
	for _, want := range text {
		i := strings.IndexRune(name[end:], want)
		if i < 0 {
			return 0, false
		}
		end += i + utf8.RuneLen(want)
	}
	at := end
	for rest := text; rest != ""; {
		last, size := utf8.DecodeLastRuneInString(rest)
		rest = rest[:len(rest)-size]
		at = strings.LastIndex(name[:at], string(last))
	}
	return spread(name, at, end, len(text))
}

// spread is how unlike a name is in which so many letters lie between two places.
func spread(name string, at, end, letters int) (unlike int, ok bool) {
	if end < 0 {
		return 0, false
	}
	unlike = Whole + 1 + end - at - letters
	if !wordBegins(name, at) {
		unlike += 2
	}
	return unlike, true
}

// scatteredASCII is where the letters lie, end below 0 for nowhere; plain is false for a
// text that is not of ASCII alone. It is what ten thousand names are held against a key.
func scatteredASCII(name, text string) (end, at int, plain bool) {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return 0, 0, false
		}
	}
	for i := range len(text) {
		k := strings.IndexByte(name[end:], text[i])
		if k < 0 {
			return -1, 0, true
		}
		end += k + 1
	}
	at = end
	for i := len(text) - 1; i >= 0; i-- {
		at = strings.LastIndexByte(name[:at], text[i])
	}
	return end, at, true
}

func wordBegins(s string, at int) bool {
	return at == 0 || strings.IndexByte("-_./: (", s[at-1]) >= 0
}
