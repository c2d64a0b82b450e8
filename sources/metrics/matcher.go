package metrics

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"relctl-tui/sources"
)

// Op is a matcher's operator.
type Op string

// The operators. Regular expressions are anchored at both ends.
const (
	Equal    Op = "="
	NotEqual Op = "!="
	Like     Op = "=~"
	NotLike  Op = "!~"
)

// The bounds of a match: more than this is a mistake, not a selection.
const (
	MaxMatch    = 2048 // bytes of a whole match
	MaxMatchers = 16
	maxRegexp   = 512 // bytes of one regular expression
)

// Matcher is one condition on one label. Build it with ParseMatch or NewMatcher.
type Matcher struct {
	Label string
	Op    Op
	Value string
	re    *regexp.Regexp
}

// NewMatcher checks the label's name and compiles a regular expression.
func NewMatcher(label string, op Op, value string) (Matcher, error) {
	m := Matcher{Label: label, Op: op, Value: value}
	if !isLabel(label) || label == "__name__" || label == "le" {
		return m, fmt.Errorf("%q cannot be matched on, name a label: %w", sources.Clean(label, 40), sources.ErrInvalid)
	}
	if !utf8.ValidString(value) {
		return m, fmt.Errorf("the value of %s is not UTF-8: %w", label, sources.ErrInvalid)
	}
	switch op {
	case Equal, NotEqual:
		return m, nil
	case Like, NotLike:
	default:
		return m, fmt.Errorf("%s needs one of = != =~ !~ before its value: %w", label, sources.ErrInvalid)
	}
	if len(value) > maxRegexp {
		return m, fmt.Errorf("the regular expression for %s is longer than %d bytes: %w", label, maxRegexp, sources.ErrInvalid)
	}
	// By itself first: "a)|(b" would only compile because of what is put around it.
	_, err := regexp.Compile(value)
	var re *regexp.Regexp
	if err == nil {
		re, err = regexp.Compile("^(?s:" + value + ")$")
	}
	if err != nil {
		return m, fmt.Errorf("the regular expression for %s does not compile (%s): %w",
			label, sources.Clean(err.Error(), 80), sources.ErrInvalid)
	}
	m.re = re
	return m, nil
}

// Match reports whether labels pass; a label that is not there is "".
func (m *Matcher) Match(l Labels) bool {
	v := l[m.Label]
	switch m.Op {
	case NotEqual:
		return v != m.Value
	case Like:
		return m.re != nil && m.re.MatchString(v)
	case NotLike:
		return m.re != nil && !m.re.MatchString(v)
	default:
		return v == m.Value
	}
}

// String is the matcher as PromQL spells it.
func (m *Matcher) String() string { return m.Label + string(m.Op) + strconv.Quote(m.Value) }

// Render is matchers as the inside of a PromQL selector.
func Render(ms []Matcher) string {
	parts := make([]string, len(ms))
	for i := range ms {
		parts[i] = ms[i].String()
	}
	return strings.Join(parts, ",")
}

// MatchAll reports whether labels pass every matcher.
func MatchAll(ms []Matcher, l Labels) bool {
	for i := range ms {
		if !ms[i].Match(l) {
			return false
		}
	}
	return true
}

// MatchAny reports whether labels pass all matchers of one set; no set lets
// everything pass.
func MatchAny(sets [][]Matcher, l Labels) bool {
	return len(sets) == 0 || slices.ContainsFunc(sets, func(ms []Matcher) bool { return MatchAll(ms, l) })
}

// ParseMatch reads `job="payment",service=~"a|b"`, with or without braces. The
// empty string is no matcher. Anything else than a list of label, operator and
// quoted value is ErrInvalid.
func ParseMatch(s string) ([]Matcher, error) {
	bad := func(why string) ([]Matcher, error) {
		return nil, fmt.Errorf("match %q: %s, write it as job=\"payment\",service=~\"a|b\": %w",
			sources.Clean(s, 60), why, sources.ErrInvalid)
	}
	if len(s) > MaxMatch {
		return bad(fmt.Sprintf("longer than %d bytes", MaxMatch))
	}
	if !utf8.ValidString(s) {
		return bad("it is not UTF-8")
	}
	rest := strings.TrimSpace(s)
	if strings.HasPrefix(rest, "{") != strings.HasSuffix(rest, "}") {
		return bad("a brace is missing")
	}
	if strings.HasPrefix(rest, "{") {
		rest = strings.TrimSpace(rest[1 : len(rest)-1])
	}
	var out []Matcher
	for rest != "" {
		if len(out) == MaxMatchers {
			return bad(fmt.Sprintf("more than %d conditions", MaxMatchers))
		}
		m, tail, why, err := cutMatcher(rest)
		if why != "" {
			return bad(why)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, m)
		tail = strings.TrimSpace(tail)
		if tail != "" && tail[0] != ',' {
			return bad("a comma is missing")
		}
		rest = strings.TrimSpace(strings.TrimPrefix(tail, ","))
	}
	return out, nil
}

func cutMatcher(s string) (m Matcher, tail, why string, err error) {
	end := strings.IndexAny(s, "=! \t")
	if end <= 0 {
		return m, "", "a label and an operator are missing", nil
	}
	label := s[:end]
	s = strings.TrimSpace(s[end:])
	var op Op
	for _, o := range []Op{Like, NotLike, NotEqual, Equal} {
		if strings.HasPrefix(s, string(o)) {
			op = o
			break
		}
	}
	if op == "" {
		return m, "", "one of = != =~ !~ is missing", nil
	}
	s = strings.TrimSpace(s[len(op):])
	value, tail, ok := cutQuoted(s)
	if !ok {
		return m, "", "the value must be in quotes", nil
	}
	m, err = NewMatcher(label, op, value)
	return m, tail, "", err
}

// cutQuoted reads a Go-like quoted string; single quotes are as good as double.
func cutQuoted(s string) (value, tail string, ok bool) {
	if s == "" || (s[0] != '"' && s[0] != '\'' && s[0] != '`') {
		return "", "", false
	}
	quote := s[0]
	if quote == '`' {
		value, tail, ok = strings.Cut(s[1:], "`")
		return value, tail, ok
	}
	var b strings.Builder
	for rest := s[1:]; rest != ""; {
		if rest[0] == quote {
			return b.String(), rest[1:], true
		}
		r, multi, t, err := strconv.UnquoteChar(rest, quote)
		if err != nil {
			return "", "", false
		}
		if multi || r < utf8.RuneSelf {
			b.WriteRune(r)
		} else {
			b.WriteByte(byte(r))
		}
		rest = t
	}
	return "", "", false
}

func isLabel(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != "" && len(s) <= 128
}

// isMetric reports whether s can be a metric's name in a query.
func isMetric(s string) bool {
	return s != "" && len(s) <= 256 && isLabel(strings.ReplaceAll(s[:min(len(s), 100)], ":", "_")) &&
		strings.IndexFunc(s, func(r rune) bool {
			return r != '_' && r != ':' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
		}) < 0
}
