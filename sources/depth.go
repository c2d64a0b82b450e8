package sources

import "errors"

// A parser of YAML keeps a kilobyte for each bracket, and a multiple of that where brackets
// stand in brackets: a megabyte of them takes gigabytes. So what an operator's file may
// hold of them is bounded before it is parsed, far above what a person or a generator
// writes.
const (
	maxBrackets = 200     // open at once
	maxIndent   = 400     // characters before what a line says: blanks, and "- " or "? " for each level
	maxMarks    = 200_000 // of all that make a list or a mapping, or go on with one
)

// Bearable says why a text in YAML is not to be parsed, and at which line, or nil. It knows
// no quotes and no comments: a bracket in those counts too, and few lack their other half.
func Bearable(text []byte) (line int, err error) {
	marks, open, start, within := 0, 0, 0, true
	line = 1
	for i, c := range text {
		mark := joins(text, i)
		switch c {
		case '\n':
			line, start, within = line+1, i+1, true
			continue
		case '[', '{':
			open++
		case ']', '}':
			open = max(open-1, 0)
		}
		if mark {
			marks++
		}
		within = within && (c == ' ' || c == '\t' || mark && (c == '-' || c == '?'))
		switch {
		case open > maxBrackets, within && i-start >= maxIndent:
			return line, errors.New("nested too deeply")
		case marks > maxMarks:
			return line, errors.New("more lists and mappings than are read")
		}
	}
	return 0, nil
}

// joins says that the character at i makes a list or a mapping, or goes on with one.
func joins(text []byte, i int) bool {
	switch text[i] {
	case '[', '{', ',':
		return true
	case '-', '?', ':':
		return i+1 == len(text) || text[i+1] == ' ' || text[i+1] == '\t' || text[i+1] == '\n' || text[i+1] == '\r'
	default:
		return false
	}
}
