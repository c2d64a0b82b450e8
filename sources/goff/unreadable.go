package goff

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	goccy "github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"

	"relctl-tui/sources"
)

// maxSecondOpinion bounds the file that is read again to say where it is wrong.
const maxSecondOpinion = 1 << 20

var lineRE = regexp.MustCompile(`^line (\d+): `)

// unreadable is the error for a file that is no YAML, with the place: the parser
// that decides tells at most a line, so another one is asked for the column.
func unreadable(b []byte, err error) error {
	what := strings.TrimPrefix(err.Error(), "yaml: ")
	line, column := 0, 0
	if m := lineRE.FindStringSubmatch(what); m != nil {
		line, _ = strconv.Atoi(m[1])
		what = what[len(m[0]):]
	}
	if at := forbidden(b); at >= 0 {
		line, column = position(b, at)
	} else if l, c := secondOpinion(b); l > 0 {
		line, column = l, c
	}
	place := ""
	switch {
	case column > 0:
		place = fmt.Sprintf("line %d, column %d: ", line, column)
	case line > 0:
		place = fmt.Sprintf("line %d: ", line)
	}
	return fmt.Errorf("not YAML: %s%s: %w", place, sources.Clean(what, 200), sources.ErrInvalid)
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
func position(b []byte, at int) (line, column int) {
	t := newText(b)
	from := t.lineStart(at)
	for line = 1; line < len(t.starts) && t.starts[line] <= from; line++ {
	}
	return line, utf8.RuneCount(b[from:at]) + 1
}

func secondOpinion(b []byte) (line, column int) {
	if len(b) > maxSecondOpinion {
		return 0, 0
	}
	defer func() {
		if r := recover(); r != nil {
			line, column = 0, 0
		}
	}()
	_, err := parser.ParseBytes(b, 0)
	var e goccy.Error
	if errors.As(err, &e) && e.GetToken() != nil && e.GetToken().Position != nil {
		p := e.GetToken().Position
		return p.Line, p.Column
	}
	return 0, 0
}
