package goff

import (
	"bytes"
	"sort"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// text is YAML with its nodes' places in it. The parser tells lines and columns,
// in characters; what is edited are bytes.
type text struct {
	b       []byte
	starts  []int         // where each line starts
	columns map[int][]int // of a long line that is not all ASCII: where every stride-th character starts
}

const stride = 256

var bom = []byte{0xEF, 0xBB, 0xBF}

func newText(b []byte) *text {
	t := &text{b: b, starts: make([]int, 1, bytes.Count(b, []byte("\n"))+1)}
	if bytes.HasPrefix(b, bom) {
		t.starts[0] = len(bom)
	}
	for i := 0; i < len(b); {
		n := breakAt(b, i)
		if n == 0 {
			i++
			continue
		}
		i += n
		t.starts = append(t.starts, i)
	}
	return t
}

// breakAt is the length of the line break at i, 0 for none.
func breakAt(b []byte, i int) int {
	switch {
	case i >= len(b):
	case b[i] == '\n':
		return 1
	case b[i] == '\r':
		if i+1 < len(b) && b[i+1] == '\n' {
			return 2
		}
		return 1
	case b[i] == 0xC2 && bytes.HasPrefix(b[i:], []byte("\u0085")):
		return 2
	case b[i] == 0xE2 && (bytes.HasPrefix(b[i:], []byte("\u2028")) || bytes.HasPrefix(b[i:], []byte("\u2029"))):
		return 3
	}
	return 0
}

// at is where a node starts, its anchor and tag included.
func (t *text) at(n *yaml.Node) int {
	if n.Line < 1 || n.Line > len(t.starts) {
		return len(t.b)
	}
	from, end := t.starts[n.Line-1], len(t.b)
	if n.Line < len(t.starts) {
		end = t.starts[n.Line]
	}
	col := n.Column - 1
	if end-from > 4*stride {
		marks := t.marks(n.Line, from, end)
		k := min(col/stride, len(marks)-1)
		from, col = marks[k], col-k*stride
	}
	for ; col > 0 && from < end; col-- {
		_, size := utf8.DecodeRune(t.b[from:])
		from += size
	}
	return from
}

func (t *text) marks(line, from, end int) []int {
	if marks := t.columns[line]; marks != nil {
		return marks
	}
	var marks []int
	for n := 0; from < end || n == 0; n++ {
		if n%stride == 0 {
			marks = append(marks, from)
		}
		_, size := utf8.DecodeRune(t.b[from:end])
		from += max(size, 1)
	}
	if t.columns == nil {
		t.columns = map[int][]int{}
	}
	t.columns[line] = marks
	return marks
}

// lineStart is where the line that holds i starts.
func (t *text) lineStart(i int) int {
	k := sort.SearchInts(t.starts, i+1)
	return t.starts[max(k-1, 0)]
}

// lineEnd is where the line that holds i ends, before its break.
func (t *text) lineEnd(i int) int {
	for i < len(t.b) && breakAt(t.b, i) == 0 {
		i++
	}
	return i
}

// filler skips white space, breaks and comments, and the characters of also.
func (t *text) filler(i int, also string) int {
	for i < len(t.b) {
		c := t.b[i]
		switch n := breakAt(t.b, i); {
		case n > 0:
			i += n
		case c == ' ' || c == '\t' || strings.IndexByte(also, c) >= 0:
			i++
		case c == '#':
			i = t.lineEnd(i)
		default:
			return i
		}
	}
	return i
}

// content is where a node's own text starts, behind its anchor and tag.
func (t *text) content(n *yaml.Node) int {
	i := t.at(n)
	for i < len(t.b) {
		switch {
		case t.b[i] == '&' && n.Anchor != "":
			i += 1 + len(n.Anchor)
		case t.b[i] == '!' && n.Style&yaml.TaggedStyle != 0:
			for i < len(t.b) && breakAt(t.b, i) == 0 && strings.IndexByte(" \t,]}", t.b[i]) < 0 {
				i++
			}
		default:
			return i
		}
		if n.Value != "" || n.Kind != yaml.ScalarNode {
			i = t.filler(i, "")
		}
	}
	return i
}

// end is where a node's text ends; false where that is not certain.
func (t *text) end(n *yaml.Node) (int, bool) {
	i := t.content(n)
	switch n.Kind {
	case yaml.AliasNode:
		i += 1 + len(n.Value)
		return i, i <= len(t.b)
	case yaml.ScalarNode:
		return t.scalarEnd(n, i)
	case yaml.MappingNode, yaml.SequenceNode:
		return t.collectionEnd(n, i)
	default:
		return 0, false
	}
}

func (t *text) collectionEnd(n *yaml.Node, i int) (int, bool) {
	braced := n.Style&yaml.FlowStyle != 0 && i < len(t.b) && (t.b[i] == '{' || t.b[i] == '[')
	if len(n.Content) > 0 {
		var ok bool
		if i, ok = t.end(n.Content[len(n.Content)-1]); !ok || !braced {
			return i, ok
		}
	} else if !braced {
		return 0, false
	} else {
		i++
	}
	closing := byte('}')
	if n.Kind == yaml.SequenceNode {
		closing = ']'
	}
	i = t.filler(i, ",:?")
	return i + 1, i < len(t.b) && t.b[i] == closing
}

func (t *text) scalarEnd(n *yaml.Node, i int) (int, bool) {
	switch {
	case n.Style&yaml.DoubleQuotedStyle != 0:
		return t.quoted(i, '"')
	case n.Style&yaml.SingleQuotedStyle != 0:
		return t.quoted(i, '\'')
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return t.follow(t.lineEnd(i), n.Value)
	default:
		return t.follow(i, n.Value)
	}
}

// quoted is behind the quote that closes the one at i.
func (t *text) quoted(i int, quote byte) (int, bool) {
	if i >= len(t.b) || t.b[i] != quote {
		return 0, false
	}
	for i++; i < len(t.b); i++ {
		switch {
		case t.b[i] == '\\' && quote == '"':
			i++
		case t.b[i] != quote:
		case quote == '\'' && i+1 < len(t.b) && t.b[i+1] == quote:
			i++
		default:
			return i + 1, true
		}
	}
	return 0, false
}

// follow is behind the last character of a value that stands from i on: only
// white space is folded in a scalar without quotes, everything else stands there
// as it is.
func (t *text) follow(i int, value string) (int, bool) {
	end := i
	for _, r := range value {
		if blank(r) {
			continue
		}
		for {
			got, size := utf8.DecodeRune(t.b[i:])
			i += size
			if got == r {
				break
			}
			if size == 0 || !blank(got) {
				return 0, false
			}
		}
		end = i
	}
	return end, true
}

func blank(r rune) bool {
	return r == ' ' || r == '\t' || r == '\n' || r == '\r' || r == '\u0085' || r == '\u2028' || r == '\u2029'
}
