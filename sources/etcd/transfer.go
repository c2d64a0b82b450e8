package etcd

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"relctl-tui/sources"
	"relctl-tui/sources/flagdef"
)

// member is one member of a JSON object; raw is its value's bytes as they stand.
type member struct {
	key string
	raw []byte
}

// membersOf walks one object and keeps each value's bytes. false when b is none.
func membersOf(b []byte) ([]member, bool) {
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, false
	}
	var all []member
	for d.More() {
		t, err := d.Token()
		key, ok := t.(string)
		if err != nil || !ok {
			return nil, false
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return nil, false
		}
		all = append(all, member{key, raw})
	}
	_, err := d.Token()
	return all, err == nil
}

// Export is all flags as one flagd document, at one revision of the cluster. Each
// definition has the very bytes that its key holds. A value that is no JSON text,
// or more than one, cannot be part of a document and is left out; Flags lists it as
// broken.
func (s *Store) Export(ctx context.Context) ([]byte, sources.Revision, error) {
	ctx, cancel := s.timed(ctx)
	defer cancel()
	l, err := s.list(ctx)
	if err != nil {
		return nil, "", s.fault(err, "")
	}
	return l.export(), l.sum.revision(), nil
}

func (l *listing) export() []byte {
	var b bytes.Buffer
	b.WriteString("{\n")
	rest, _ := membersOf(l.document)
	for _, m := range rest {
		if m.key != "flags" {
			fmt.Fprintf(&b, "  %s: %s,\n", quoted(m.key), m.raw)
		}
	}
	b.WriteString("  \"flags\": {")
	comma := ""
	for i := range l.rows {
		r := &l.rows[i]
		if odd(r.key, r.value) != "" || !json.Valid(r.value) {
			continue
		}
		fmt.Fprintf(&b, "%s\n    %s: %s", comma, quoted(r.key), bytes.Trim(r.value, white))
		comma = ","
	}
	b.WriteString("\n  }\n}\n")
	return b.Bytes()
}

// wanted is a document on its way in.
type wanted struct {
	flags    []row  // by key; mod is not used
	document []byte // the other members as one object, nil for none
}

// read takes a document apart. What is no flagd document, and what would not come
// out again as it went in, is refused as a whole.
func (s *Store) read(doc []byte) (*wanted, error) {
	doc = bytes.TrimPrefix(doc, []byte("\xEF\xBB\xBF"))
	if _, err := flagdef.Parse(doc); err != nil {
		return nil, fmt.Errorf("the document cannot be imported, %w", err)
	}
	top, _ := membersOf(doc)
	w, rest := &wanted{}, []string(nil)
	for _, m := range top {
		if m.key != "flags" {
			rest = append(rest, fmt.Sprintf("  %s: %s", quoted(m.key), m.raw))
			continue
		}
		flags, ok := membersOf(m.raw)
		if !ok {
			return nil, fmt.Errorf("\"flags\" of the document is a list; make it an object of flags by key: %w", sources.ErrInvalid)
		}
		for _, f := range flags {
			if f.key == "" {
				return nil, fmt.Errorf("the document has a flag with an empty key: %w", sources.ErrInvalid)
			}
			if note := odd(f.key, f.raw); note != "" {
				return nil, fmt.Errorf("flag %s cannot be imported: %s: %w", sources.Clean(f.key, 60), note, sources.ErrInvalid)
			}
			w.flags = append(w.flags, row{key: f.key, value: f.raw})
		}
	}
	if len(w.flags) > maxFlags {
		return nil, fmt.Errorf("the document has more than %d flags: %w", maxFlags, sources.ErrInvalid)
	}
	slices.SortFunc(w.flags, func(a, b row) int { return cmp.Compare(a.key, b.key) })
	for i := 1; i < len(w.flags); i++ {
		if w.flags[i].key == w.flags[i-1].key {
			return nil, fmt.Errorf("flag %s stands in the document twice; remove one: %w", sources.Clean(w.flags[i].key, 60), sources.ErrInvalid)
		}
	}
	interpret(s.name, w.flags, make([]sources.Flag, len(w.flags)))
	if len(rest) > 0 {
		w.document = []byte("{\n" + joinLines(rest) + "\n}")
	}
	return w, nil
}

func joinLines(lines []string) string {
	var b bytes.Buffer
	for i, l := range lines {
		if i > 0 {
			b.WriteString(",\n")
		}
		b.WriteString(l)
	}
	return b.String()
}
