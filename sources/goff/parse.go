package goff

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"relctl-tui/sources"
)

// document is one file, read and indexed. It never changes and is goroutine-safe.
type document struct {
	b        []byte
	newline  string
	flow     bool    // the flags stand in braces, as in JSON
	entries  []entry // sorted by key, one each
	warnings []string
}

// entry is one flag of a document.
type entry struct {
	key      string
	at       span // from its key to the end of its last line, or of its value in braces
	certain  bool // at is certain
	same     int  // how many more definitions have this key
	def      definition
	wrong    string // why it cannot be decoded, which makes GO Feature Flag refuse the whole file; "" for nothing
	invalid  string // why GO Feature Flag leaves the flag out; "" for nothing
	revision sources.Revision

	linked bool   // an anchor or an alias stands in it
	shared string // what else reads the same text, so that nothing in it can be edited; "" for nothing
	fixed  string // the same for the percentage alone
}

// span is a part of a text: bytes from from up to to.
type span struct{ from, to int }

func (d *document) bytes(at span) []byte { return d.b[at.from:at.to] }

func (d *document) find(key string) *entry {
	i, ok := slices.BinarySearchFunc(d.entries, key, func(e entry, k string) int { return cmp.Compare(e.key, k) })
	if !ok {
		return nil
	}
	return &d.entries[i]
}

func (d *document) known(key string) (*entry, error) {
	if e := d.find(key); e != nil {
		return e, nil
	}
	return nil, fmt.Errorf("there is no flag %s in it: %w", sources.Clean(key, sources.MaxName), sources.ErrNotFound)
}

// tree is a document with its nodes, as long as they are needed.
type tree struct {
	*document
	text  *text
	root  *yaml.Node
	links links
}

// parse reads a file. It keeps b. The error is a clause without the file's name,
// wrapping sources.ErrInvalid.
func parse(b []byte) (*document, error) {
	t, err := parseTree(b)
	if err != nil {
		return nil, err
	}
	return t.document, nil
}

func parseTree(b []byte) (*tree, error) {
	if len(bytes.TrimSpace(bytes.TrimPrefix(b, bom))) == 0 {
		return nil, fmt.Errorf("the file is empty: %w", sources.ErrInvalid)
	}
	t := &tree{document: &document{b: b, newline: newline(b)}, text: newText(b)}
	dec := yaml.NewDecoder(bytes.NewReader(b))
	var doc yaml.Node
	if err := decode(dec, &doc); err != nil {
		return nil, unreadable(b, err)
	}
	if doc.Kind != yaml.DocumentNode || doc.Content[0].Tag == "!!null" {
		t.warn("there is no flag in it")
		return t, nil
	}
	t.root = doc.Content[0]
	if t.root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("the file is no mapping of flags by their keys: %w", sources.ErrInvalid)
	}
	if bytes.HasPrefix(b, bom) {
		t.warn("the file starts with a byte order mark")
	}
	var next yaml.Node
	if err := decode(dec, &next); err != nil || next.Kind != 0 {
		t.warn("only the first document of the file counts, what stands below its --- is not read")
	}
	t.flow = t.root.Style&yaml.FlowStyle != 0
	t.links = linksOf(t.root)
	t.collect(t.root, false)
	t.sort()
	return t, nil
}

// decode keeps a panic of the parser inside of it.
func decode(dec *yaml.Decoder, doc *yaml.Node) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the parser gave up: %v", r)
		}
	}()
	if err := dec.Decode(doc); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

func (t *tree) warn(s string) { t.warnings = append(t.warnings, s) }

// newline is the first line break of b.
func newline(b []byte) string {
	if i := bytes.IndexByte(b, '\n'); i > 0 && b[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

// collect reads the flags of one mapping. Merged are those that came through <<.
func (t *tree) collect(m *yaml.Node, merged bool) {
	t.entries = slices.Grow(t.entries, len(m.Content)/2)
	odd := 0
	for i := 0; i+1 < len(m.Content); i += 2 {
		k, v := m.Content[i], m.Content[i+1]
		if merging(k) {
			t.mergeFlags(m, v)
			continue
		}
		if k.Kind == yaml.AliasNode && k.Alias != nil {
			k = k.Alias
		}
		if k.Kind != yaml.ScalarNode {
			odd++
			continue
		}
		t.entries = append(t.entries, t.entry(m.Content[i], k.Value, v, merged))
	}
	if odd > 0 {
		t.warn(fmt.Sprintf("%d keys are no text, so GO Feature Flag refuses the whole file", odd))
	}
}

func merging(k *yaml.Node) bool { return k.Kind == yaml.ScalarNode && k.Tag == "!!merge" }

// mergeFlags adds the flags that << brings into the file and that it has not itself.
func (t *tree) mergeFlags(m, v *yaml.Node) {
	own := map[string]bool{}
	for i := 0; i+1 < len(m.Content); i += 2 {
		own[m.Content[i].Value] = true
	}
	for _, from := range mergedInto(v) {
		for i := 0; i+1 < len(from.Content); i += 2 {
			k := from.Content[i]
			if k.Kind != yaml.ScalarNode || merging(k) || own[k.Value] {
				continue
			}
			own[k.Value] = true
			t.entries = append(t.entries, t.entry(k, k.Value, from.Content[i+1], true))
		}
	}
}

// mergedInto are the mappings that the value of << stands for.
func mergedInto(v *yaml.Node) (list []*yaml.Node) {
	if v.Kind == yaml.SequenceNode {
		for _, c := range v.Content {
			list = append(list, mergedInto(c)...)
		}
		return list
	}
	if v.Kind == yaml.AliasNode && v.Alias != nil {
		v = v.Alias
	}
	if v.Kind == yaml.MappingNode {
		list = append(list, v)
	}
	return list
}

func (t *tree) entry(k *yaml.Node, key string, v *yaml.Node, merged bool) entry {
	e := entry{key: key, at: span{from: t.text.at(k)}}
	if e.at.to, e.certain = t.text.end(v); v.Kind == yaml.ScalarNode && v.Value == "" && v.Style == 0 {
		// Nothing stands there, so its place is that of whatever comes next.
		e.at.to, e.certain = t.text.end(k)
	}
	e.certain = e.certain && e.at.to >= e.at.from
	if !e.certain {
		e.at.to = e.at.from
	}
	if !t.flow || !e.certain {
		e.at.to = t.text.lineEnd(e.at.to)
	}
	if e.wrong = decoded(v, &e.def); e.wrong == "" {
		e.invalid = e.def.invalid()
	}
	h := sha256.New()
	h.Write(t.bytes(e.at))
	if len(t.links.of) > 0 {
		t.links.describe(&e, v, h)
	}
	if merged {
		e.shared = "it comes into the file through <<"
	}
	e.revision = sum(h)
	return e
}

func sum(h hash.Hash) sources.Revision {
	return sources.Revision(hex.EncodeToString(h.Sum(nil)[:8]))
}

// decoded fills def, or says what is of the wrong type.
func decoded(v *yaml.Node, def *definition) (wrong string) {
	defer func() {
		if r := recover(); r != nil {
			wrong = "it cannot be decoded"
		}
	}()
	err := v.Decode(def)
	if err == nil {
		return ""
	}
	*def = definition{Disable: def.Disable}
	var te *yaml.TypeError
	if errors.As(err, &te) && len(te.Errors) > 0 {
		what, _, _ := strings.Cut(te.Errors[0], " into ")
		at, value, cut := strings.Cut(what, "cannot unmarshal ")
		if cut {
			what = at + "wrong type of value, " + value
		}
		return sources.Clean(what, 120)
	}
	return sources.Clean(strings.TrimPrefix(err.Error(), "yaml: "), 120)
}

// sort orders by key and keeps one entry of each, counting the others.
func (t *tree) sort() {
	slices.SortStableFunc(t.entries, func(a, b entry) int { return cmp.Compare(a.key, b.key) })
	kept := t.entries[:0]
	for _, e := range t.entries {
		if n := len(kept); n > 0 && kept[n-1].key == e.key {
			kept[n-1].same++
			continue
		}
		kept = append(kept, e)
	}
	t.entries = kept
}
