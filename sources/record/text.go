package record

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// rawPrefix begins a string that JSON cannot carry as it is, followed by its bytes in
// base64: a flag's key is whatever its store has.
const rawPrefix = "\x00base64:"

func (e *encoder) text(s string) {
	if !utf8.ValidString(s) || strings.HasPrefix(s, rawPrefix) {
		s = rawPrefix + base64.StdEncoding.EncodeToString([]byte(s))
	}
	if unescaped(s) {
		e.b = append(append(append(e.b, '"'), s...), '"')
		return
	}
	quoted, _ := json.Marshal(s) // a string cannot fail
	e.b = append(e.b, quoted...)
}

// unescaped tells that JSON has nothing to escape in it, as in nearly all that is recorded.
func unescaped(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return false
		}
	}
	return true
}

// key writes the number of a row or an element as the key of an object.
func (e *encoder) key(i int) {
	e.b = append(strconv.AppendInt(append(e.b, '"'), int64(i), 10), `":`...)
}
