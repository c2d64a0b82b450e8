package views

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"relctl-tui/sources"
)

// modifiers in the order in which a key's name has them.
var modifiers = []string{"ctrl", "alt", "shift", "meta", "hyper", "super"}

// namedKeys are the keys that are no character.
var namedKeys = []string{
	"enter", "tab", "backspace", "esc", "space", "up", "down", "left", "right", "insert", "delete", "pgup", "pgdown", "home", "end",
	"f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9", "f10", "f11", "f12",
	"f13", "f14", "f15", "f16", "f17", "f18", "f19", "f20", "f21", "f22", "f23", "f24",
}

// alsoCalled are other names that people write.
var alsoCalled = map[string]string{
	"return": "enter", "escape": "esc", "del": "delete", "ins": "insert", "pgdn": "pgdown", "pagedown": "pgdown", "pageup": "pgup", "plus": "+", "minus": "-", "equal": "=",
}

// KeyName is the one name of a key that is written in any usual way: K and shift+k,
// pgdn and PgDown. Its error says what is wrong in one sentence.
func KeyName(typed string) (string, error) {
	rest := typed
	var mods []string
	for {
		head, tail, ok := strings.Cut(rest, "+")
		mod := strings.ToLower(head)
		if !ok || tail == "" || !slices.Contains(modifiers, mod) {
			break
		}
		if slices.Contains(mods, mod) {
			return "", fmt.Errorf("%q has %s twice", sources.Clean(typed, 40), mod)
		}
		mods, rest = append(mods, mod), tail
	}
	base, err := baseKey(typed, rest)
	if err != nil {
		return "", err
	}
	if slices.Equal(mods, []string{"shift"}) && utf8.RuneCountInString(base) == 1 {
		upper := strings.ToUpper(base)
		if upper == strings.ToLower(base) {
			return "", fmt.Errorf("%q: write the character that the key types with shift", sources.Clean(typed, 40))
		}
		return upper, nil
	}
	if len(mods) > 0 && utf8.RuneCountInString(base) == 1 {
		if slices.Equal(mods, []string{"alt"}) && base != strings.ToLower(base) {
			mods = append(mods, "shift")
		}
		base = strings.ToLower(base)
	}
	var b strings.Builder
	for _, m := range modifiers {
		if slices.Contains(mods, m) {
			b.WriteString(m + "+")
		}
	}
	return b.String() + base, nil
}

func baseKey(typed, word string) (string, error) {
	if word == " " {
		return "space", nil
	}
	if r, n := utf8.DecodeRuneInString(word); n == len(word) && n > 0 {
		if !unicode.IsPrint(r) || unicode.IsSpace(r) {
			return "", fmt.Errorf("%q is no key", sources.Clean(typed, 40))
		}
		return word, nil
	}
	lower := strings.ToLower(word)
	if name := alsoCalled[lower]; name != "" {
		return name, nil
	}
	if slices.Contains(namedKeys, lower) {
		return lower, nil
	}
	return "", fmt.Errorf("%q is no key: write one character, such as K, or a name, such as f9, ctrl+x, alt+x, shift+tab, enter, space, up, pgdown", sources.Clean(typed, 40))
}
