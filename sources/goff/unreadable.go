package goff

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	goccy "github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"

	"relctl-tui/sources"
)

var (
	lineRE   = regexp.MustCompile(`^line (\d+): `)
	anchorRE = regexp.MustCompile(`^unknown anchor '([^']+)'`)
)

// unreadable is the error for a file that is no YAML, with the place: the parser
// that decides tells at most a line, so another one is asked for the column.
func unreadable(b []byte, err error) error {
	what := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 0
	if m := lineRE.FindStringSubmatch(what); m != nil {
		line, _ = strconv.Atoi(m[1])
		what = what[len(m[0]):]
	}
	at := forbidden(b)
	if m := anchorRE.FindStringSubmatch(what); m != nil && at < 0 {
		at = bytes.Index(b, []byte("*"+m[1]))
	}
	t := newText(b)
	column := 0
	switch {
	case at >= 0:
		line, column = t.position(at)
	default:
		if l, c := t.secondOpinion(line); l > 0 {
			line, column = l, c
		} else {
			line = min(max(line, 1), len(t.starts))
			_, column = t.position(t.filler(t.starts[line-1], ""))
		}
	}
	return fmt.Errorf("not YAML: line %d, column %d: %s: %w", line, max(column, 1), sources.Clean(what, 200), sources.ErrInvalid)
}

// forbidden is where the first character stands that YAML does not have, or the
// first bytes that are no UTF-8; -1 for nowhere.
func forbidden(b []byte) int {
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size <= 1 || r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0x7F {
			return i
		}
		i += size
	}
	return -1
}

// position is a line and a column, in characters, from 1.
func (t *text) position(at int) (line, column int) {
	line = sort.SearchInts(t.starts, at+1)
	return max(line, 1), utf8.RuneCount(t.b[t.lineStart(at):at]) + 1
}

// The second opinion is asked about so much of a file: its parser is not made for
// what is hostile.
const (
	maxOpinion  = 16 << 10
	maxBrackets = 500
)

// secondOpinion is where another parser stumbles in the flag that holds a line.
func (t *text) secondOpinion(line int) (l, column int) {
	first := min(max(line, 1), len(t.starts)) - 1
	for first > 0 && !t.startsKey(first) {
		first--
	}
	part := t.b[t.starts[first]:]
	part = part[:min(len(part), maxOpinion)]
	if bytes.Count(part, []byte("["))+bytes.Count(part, []byte("{")) > maxBrackets {
		return 0, 0
	}
	defer func() {
		if r := recover(); r != nil {
			l, column = 0, 0
		}
	}()
	_, err := parser.ParseBytes(part, 0)
	var e goccy.Error
	if errors.As(err, &e) && e.GetToken() != nil && e.GetToken().Position != nil {
		p := e.GetToken().Position
		if len(part) == maxOpinion && p.Line > bytes.Count(part, []byte("\n")) {
			return 0, 0 // the cut is what it stumbled over
		}
		return first + p.Line, p.Column
	}
	return 0, 0
}

// startsKey says whether a line starts something at the left edge.
func (t *text) startsKey(line int) bool {
	at := t.starts[line]
	return at < len(t.b) && strings.IndexByte(" \t\r\n#]}", t.b[at]) < 0
}
