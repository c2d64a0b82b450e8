package goff

import (
	"encoding/json"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"relctl-tui/sources"
)

// edit replaces the bytes of a span; an empty span inserts.
type edit struct {
	at  span
	new string
}

func (e *edit) place() (from, to int, text string) { return e.at.from, e.at.to, e.new }

// splicer writes into one text in the way in which it is written.
type splicer struct {
	text    *text
	links   links
	newline string
	edits   []edit
}

func (s *splicer) put(from, to int, text string) {
	s.edits = append(s.edits, edit{span{from, to}, text})
}

func uncertain(what string) error {
	return fmt.Errorf("the place of its %s in the file is not certain; change it by hand: %w", what, sources.ErrUnsupported)
}

// within is the mapping or the list that a key of a mapping leads to. What is
// shared with other parts of the file is refused.
func (s *splicer) within(m *yaml.Node, key string) (*yaml.Node, error) {
	_, v, err := s.pair(m, key)
	if err != nil || v == nil {
		return v, err
	}
	if why := s.links.why(v); why != "" {
		return nil, fmt.Errorf("its %s is shared: %s; change it by hand: %w", key, why, sources.ErrUnsupported)
	}
	return v, nil
}

// pair is a key of a mapping with its value, nil where the mapping does not have
// it. A key that stands there twice is refused.
func (s *splicer) pair(m *yaml.Node, key string) (k, v *yaml.Node, err error) {
	for i := 0; i+1 < len(m.Content); i += 2 {
		c := m.Content[i]
		if c.Kind == yaml.AliasNode && c.Alias != nil && c.Alias.Value == key {
			return nil, nil, fmt.Errorf("its key %s is an alias; change it by hand: %w", key, sources.ErrUnsupported)
		}
		if c.Kind != yaml.ScalarNode || c.Value != key {
			continue
		}
		if v != nil {
			return nil, nil, fmt.Errorf("its %s stands there twice, so it is not certain which to change; remove one by hand: %w", short(key), sources.ErrInvalid)
		}
		k, v = c, m.Content[i+1]
	}
	return k, v, nil
}

// scalar replaces the text of a scalar, in the quotes that it has.
func (s *splicer) scalar(v *yaml.Node, what, text string) error {
	if why := s.links.why(v); why != "" {
		return fmt.Errorf("its %s is shared: %s; change it by hand: %w", what, why, sources.ErrUnsupported)
	}
	from := s.text.content(v)
	to, ok := s.text.end(v)
	if v.Kind != yaml.ScalarNode || !ok {
		return uncertain(what)
	}
	if from == to { // nothing stands behind the colon
		text = " " + text
	}
	s.put(from, to, text)
	return nil
}

// first puts a pair before the others of a mapping.
func (s *splicer) first(m *yaml.Node, key, value string) error {
	flow := m.Style&yaml.FlowStyle != 0
	if len(m.Content) == 0 {
		at := s.text.content(m)
		if !flow || at >= len(s.text.b) || s.text.b[at] != '{' {
			return uncertain(key)
		}
		s.put(at+1, at+1, key+": "+value)
		return nil
	}
	at := s.text.at(m.Content[0])
	if flow {
		open := s.text.content(m) + 1
		gap := string(s.text.b[min(open, at):at])
		if strings.Trim(gap, " \t\r\n") != "" || !strings.ContainsAny(gap, "\r\n") {
			gap = s.gap(m)
		}
		s.put(at, at, s.key(m, key)+s.colon(m)+value+","+gap)
		return nil
	}
	indent, ok := s.indent(at)
	if !ok {
		return uncertain(key)
	}
	s.put(at, at, key+": "+value+s.newline+indent)
	return nil
}

// last puts a pair behind the others of a mapping. The key is spelled already.
func (s *splicer) last(m *yaml.Node, key, value string) error {
	end, ok := s.text.end(m.Content[len(m.Content)-1])
	indent, alone := s.indent(s.text.at(m.Content[0]))
	switch {
	case !ok:
		return uncertain(key)
	case m.Style&yaml.FlowStyle != 0:
		s.put(end, end, ","+s.gap(m)+s.named(m, key)+s.colon(m)+value)
	case !alone:
		return uncertain(key)
	default:
		at := s.text.lineEnd(end)
		s.put(at, at, s.newline+indent+key+": "+value)
	}
	return nil
}

// indent is the white space before a place on its line; false where other things
// stand before it.
func (s *splicer) indent(at int) (string, bool) {
	indent := string(s.text.b[s.text.lineStart(at):at])
	return indent, strings.Trim(indent, " ") == ""
}

// key, colon and gap are how a mapping in braces is written.
func (s *splicer) key(m *yaml.Node, key string) string {
	if len(m.Content) > 0 && m.Content[0].Style&yaml.DoubleQuotedStyle != 0 {
		return `"` + key + `"`
	}
	return key
}

func (s *splicer) colon(m *yaml.Node) string {
	if s.tight(m) {
		return ":"
	}
	return ": "
}

func (s *splicer) gap(m *yaml.Node) string {
	if s.tight(m) {
		return ""
	}
	return " "
}

// named is a spelled key, in quotes where a colon follows it closely.
func (s *splicer) named(m *yaml.Node, key string) string {
	if s.tight(m) && key[0] != '"' && key[0] != '\'' {
		return quoted(key)
	}
	return key
}

// tight says that no space stands behind the colons.
func (s *splicer) tight(m *yaml.Node) bool {
	if len(m.Content) < 2 || m.Content[0].Style&yaml.DoubleQuotedStyle == 0 {
		return false
	}
	end, ok := s.text.end(m.Content[0])
	return ok && end+1 < len(s.text.b) && s.text.b[end] == ':' && strings.IndexByte(" \t\r\n", s.text.b[end+1]) < 0
}

// replace puts percentages in the place of another pair of a mapping.
func (s *splicer) replace(m, k, v *yaml.Node, step string, names, weights [2]string) error {
	from := s.text.at(k)
	to, ok := s.text.end(v)
	if !ok {
		return uncertain(k.Value)
	}
	if why := s.links.inside(v); why != "" {
		return fmt.Errorf("its %s is shared: %s; change it by hand: %w", k.Value, why, sources.ErrUnsupported)
	}
	if m.Style&yaml.FlowStyle != 0 {
		c, g := s.colon(m), s.gap(m)
		names = [2]string{s.named(m, names[0]), s.named(m, names[1])}
		s.put(from, to, s.key(m, "percentage")+c+"{"+names[0]+c+weights[0]+","+g+names[1]+c+weights[1]+"}")
		return nil
	}
	indent, alone := s.indent(from)
	if !alone {
		return uncertain(k.Value)
	}
	s.put(from, to, "percentage:")
	at := s.text.lineEnd(to)
	in := s.newline + indent + step
	s.put(at, at, in+names[0]+": "+weights[0]+in+names[1]+": "+weights[1])
	return nil
}

// quoted is a text in double quotes, as YAML and JSON both read them.
func quoted(v string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return `""`
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// spelled is how a name is written: as the node that has it, where that fits on a
// line and into braces, else in quotes.
func (s *splicer) spelled(n *yaml.Node, name string) string {
	if n == nil || n.Kind != yaml.ScalarNode || n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 {
		return quoted(name)
	}
	from := s.text.at(n)
	to, ok := s.text.end(n)
	if !ok {
		return quoted(name)
	}
	raw := string(s.text.b[from:to])
	if strings.ContainsAny(raw, "\r\n\u0085\u2028\u2029") || n.Style == 0 && strings.ContainsAny(raw, ",[]{}?") {
		return quoted(name)
	}
	return raw
}
