package main

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"relctl-tui/sources"
)

// decodeConfig reads YAML strictly: an unknown key, a key written twice or a
// value of the wrong type is a *ConfigError at its place. It walks the syntax
// tree itself, because only so the message can name the nearest valid key and
// the first fault in the file is always the one that is told.
func decodeConfig(file string, data []byte) (*Config, error) {
	cfg := &Config{file: file}
	if line, err := sources.Bearable(data); err != nil {
		return nil, &ConfigError{File: file, Line: line, Col: 1, Msg: err.Error() + ": is it the right file?"}
	}
	tree, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, syntaxError(file, err)
	}
	if len(tree.Docs) > 1 {
		return nil, &ConfigError{File: file, Msg: "holds several YAML documents: keep one"}
	}
	d := decoder{file: file, anchors: map[string]ast.Node{}}
	for _, doc := range tree.Docs {
		if doc.Body == nil {
			continue
		}
		ast.Walk(&d, doc.Body)
		d.value(doc.Body, reflect.ValueOf(cfg).Elem(), "")
	}
	if len(d.errs) > 0 {
		slices.SortStableFunc(d.errs, func(a, b *ConfigError) int {
			return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
		})
		return nil, d.errs[0]
	}
	return cfg, nil
}

func syntaxError(file string, err error) error {
	var ye yaml.Error
	if errors.As(err, &ye) && ye.GetToken() != nil {
		p := ye.GetToken().Position
		return &ConfigError{File: file, Line: p.Line, Col: p.Column, Msg: "no valid YAML: " + cleanMsg(ye.GetMessage())}
	}
	return &ConfigError{File: file, Msg: "no valid YAML: " + cleanMsg(err.Error())}
}

type decoder struct {
	file    string
	anchors map[string]ast.Node
	merging int // how deep within merges (<<), which may name themselves
	errs    []*ConfigError
}

const maxMerges = 8

// Visit collects the anchors, so that aliases can be followed.
func (d *decoder) Visit(n ast.Node) ast.Visitor {
	if a, ok := n.(*ast.AnchorNode); ok {
		d.anchors[a.Name.String()] = a.Value
	}
	return d
}

func (d *decoder) fail(at *token.Token, format string, args ...any) {
	d.errs = append(d.errs, &ConfigError{
		File: d.file, Line: at.Position.Line, Col: at.Position.Column,
		Msg: fmt.Sprintf(format, args...),
	})
}

// plain follows anchors, aliases and tags to the value itself.
func (d *decoder) plain(n ast.Node) ast.Node {
	for range 10 {
		switch v := n.(type) {
		case *ast.AnchorNode:
			n = v.Value
		case *ast.TagNode:
			n = v.Value
		case *ast.AliasNode:
			n = d.anchors[v.Value.String()]
		default:
			return n
		}
	}
	return nil
}

type scalarSetter interface {
	setScalar(s string, at pos) error
}

func (d *decoder) value(raw ast.Node, dst reflect.Value, name string) {
	n := d.plain(raw)
	if n == nil {
		d.fail(raw.GetToken(), "the alias %s has no anchor", quote(raw.String()))
		return
	}
	if s, ok := dst.Addr().Interface().(scalarSetter); ok {
		d.scalar(n, s, name)
		return
	}
	if l, ok := dst.Addr().Interface().(listSetter); ok {
		d.oneOrMore(n, l, name)
		return
	}
	if n.Type() == ast.NullType {
		return
	}
	switch dst.Kind() {
	case reflect.Bool:
		if b, ok := n.(*ast.BoolNode); ok {
			dst.SetBool(b.Value)
			return
		}
		d.fail(n.GetToken(), "%q wants true or false, not %s", name, found(n))
	case reflect.Pointer:
		dst.Set(reflect.New(dst.Type().Elem()))
		d.value(n, dst.Elem(), name)
	case reflect.Slice:
		d.list(n, dst, name)
	case reflect.Map:
		dst.Set(reflect.MakeMap(dst.Type()))
		named, _ := dst.Interface().(closedMap)
		d.mapping(n, name, func(key string, at *token.Token, val ast.Node) {
			if named != nil {
				if what, does := named.names(); does[key] == "" {
					d.fail(at, "%q: there is no %s%s", name, quote(key), didYouMean(key, what, keysOf(does)))
					return
				}
			}
			v := reflect.New(dst.Type().Elem()).Elem()
			d.value(val, v, key)
			if v.Kind() == reflect.Pointer && v.IsNil() {
				v.Set(reflect.New(v.Type().Elem()))
			}
			dst.SetMapIndex(reflect.ValueOf(key), v)
		})
	default:
		d.structure(n, dst, name)
	}
}

func (d *decoder) scalar(n ast.Node, dst scalarSetter, name string) {
	s, ok := n.(ast.ScalarNode)
	if !ok || n.Type() == ast.NullType {
		d.fail(n.GetToken(), "%q wants one value, not %s", name, found(n))
		return
	}
	text := s.GetToken().Value
	if str, ok := n.(*ast.StringNode); ok {
		text = str.Value
	}
	if lit, ok := n.(*ast.LiteralNode); ok {
		text = strings.TrimSpace(lit.Value.Value)
	}
	p := n.GetToken().Position
	if err := dst.setScalar(text, pos{p.Line, p.Column}); err != nil {
		d.fail(n.GetToken(), "%q: %s", name, err)
	}
}

// listSetter is a list that may be written as its one item.
type listSetter interface {
	setList(items []Text, at pos)
}

// closedMap is a mapping that has some keys and no others.
type closedMap interface {
	names() (what string, does map[string]string)
}

func (d *decoder) oneOrMore(n ast.Node, dst listSetter, name string) {
	nodes := []ast.Node{n}
	if seq, ok := n.(*ast.SequenceNode); ok {
		nodes = seq.Values
	}
	items := make([]Text, len(nodes))
	for i, item := range nodes {
		d.value(item, reflect.ValueOf(&items[i]).Elem(), name)
	}
	p := n.GetToken().Position
	dst.setList(items, pos{p.Line, p.Column})
}

func (d *decoder) list(n ast.Node, dst reflect.Value, name string) {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		d.fail(n.GetToken(), "%q wants a list, not %s", name, found(n))
		return
	}
	dst.SetZero() // what a merge brought is replaced, not added to
	for _, item := range seq.Values {
		v := reflect.New(dst.Type().Elem()).Elem()
		d.value(item, v, name)
		dst.Set(reflect.Append(dst, v))
	}
}

func (d *decoder) structure(n ast.Node, dst reflect.Value, name string) {
	fields := fieldsOf(dst.Type())
	seen := map[string]bool{}
	d.mapping(n, name, func(key string, at *token.Token, val ast.Node) {
		i, ok := fields[key]
		if !ok {
			d.fail(at, "unknown key %s%s", quote(key), didYouMean(key, "keys here", keysOf(fields)))
			return
		}
		seen[key] = true
		d.value(val, dst.FieldByIndex(i), key)
	})
	for _, key := range slices.Sorted(keysSeq(fields)) {
		if f := dst.Type().FieldByIndex(fields[key]); f.Tag.Get("need") == "true" && !seen[key] && isMapping(n) {
			d.fail(n.GetToken(), "%q needs a %q", name, key)
		}
	}
}

// mapping calls each for every pair, and tells keys that are written twice.
func (d *decoder) mapping(n ast.Node, name string, each func(key string, at *token.Token, val ast.Node)) {
	m, ok := n.(ast.MapNode)
	if !ok {
		if name == "" {
			d.fail(n.GetToken(), "wants keys and values, not %s", found(n))
			return
		}
		what := found(n)
		if name == "headers" { // what stands there may be a secret
			what = "one value"
		}
		d.fail(n.GetToken(), "%q wants keys and values, not %s", name, what)
		return
	}
	for it := m.MapRange(); it.Next(); { // first, so that what is written here wins
		if inner := d.plain(it.Value()); it.Key().IsMergeKey() && inner != nil && d.merging < maxMerges {
			d.merging++
			d.mapping(inner, name, each)
			d.merging--
		}
	}
	first := map[string]int{}
	for it := m.MapRange(); it.Next(); {
		key, at := it.Key(), it.Key().GetToken()
		word := at.Value
		line, twice := first[word]
		switch {
		case key.IsMergeKey():
		case twice:
			d.fail(at, "key %s is written twice, first in line %d", quote(word), line)
		default:
			first[word] = at.Position.Line
			each(word, at, it.Value())
		}
	}
}

func isMapping(n ast.Node) bool {
	_, ok := n.(ast.MapNode)
	return ok
}

func found(n ast.Node) string {
	switch n.Type() {
	case ast.NullType:
		return "nothing"
	case ast.SequenceType:
		return "a list"
	case ast.MappingType, ast.MappingValueType:
		return "keys and values"
	default:
		return quote(n.GetToken().Value)
	}
}

// fieldsOf is where the value of each key stands; embedded structs lend theirs.
func fieldsOf(t reflect.Type) map[string][]int {
	out := make(map[string][]int, t.NumField())
	for _, f := range reflect.VisibleFields(t) {
		if key := f.Tag.Get("yaml"); key != "" {
			out[key] = f.Index
		}
	}
	return out
}
