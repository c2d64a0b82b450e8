package flagdef

import (
	"bytes"
	"encoding/json"
	"fmt"

	"relctl-tui/sources"
)

// Left is a flag that Servable left out.
type Left struct {
	Name string // its key, cleaned
	Why  string // cleaned
}

// Servable is a document as evaluators take it: b itself, without a byte order
// mark, when they take all of it. Evaluators refuse a whole document over one bad
// definition and go on with the one before, so that a kill of any other flag would
// reach nobody; such definitions are left out, and applications use the default in
// their code for them. A list of flags becomes an object, which all evaluators
// read. What is no document at all is sources.ErrInvalid.
func Servable(b []byte) ([]byte, []Left, error) {
	b = bytes.TrimPrefix(b, bom)
	doc, err := scan(b)
	if err != nil {
		return nil, nil, err
	}
	top, _ := members(b, span{spaceAfter(b), len(b)}, nil)
	flags := span{}
	for _, m := range top {
		if is(b, m.key, "flags") {
			flags = m.value
		}
	}
	all, listed := entries(b, flags)
	r := newReader(doc)
	var left []Left
	kept := all[:0]
	for _, m := range all {
		if why := r.unfit(m); why != "" {
			key, _ := text(b, m.key)
			left = append(left, Left{sources.Clean(key, sources.MaxName), why})
			continue
		}
		kept = append(kept, m)
	}
	if len(left) == 0 && !listed {
		return b, nil, nil
	}
	return rebuilt(b, top, kept), left, nil
}

func spaceAfter(b []byte) int {
	s := scanner{b: b}
	s.space()
	return s.at
}

// entries is each flag of an object or a list of flags, with the key's text where
// it stands. A flag of a list without a key is none.
func entries(b []byte, flags span) (all []member, listed bool) {
	all, ok := members(b, flags, nil)
	if ok {
		return all, false
	}
	list, _ := elements(b, flags, nil)
	for _, value := range list {
		var key span
		fields, _ := members(b, value, nil)
		for _, f := range fields {
			if is(b, f.key, "key") {
				key = f.value
			}
		}
		if name, ok := text(b, key); ok && name != "" {
			all = append(all, member{key, value})
		}
	}
	return all, true
}

// unfit says why evaluators refuse a document with this definition, "" when they
// do not.
func (r *reader) unfit(m member) string {
	// Where it stands, not by its key: of a key that stands there twice both count.
	s := scanner{b: r.doc.b[:m.value.to], at: m.value.from}
	if def, err := r.doc.definition(&s, nil); err == nil {
		if got := r.read(&def); got.refused {
			return sources.Clean(got.note, 200)
		}
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(r.doc.bytes(m.value), &fields); err != nil {
		return sources.Clean(fmt.Sprintf("it cannot be read: %v", err), 200)
	}
	if _, err := evalReadFlag(fields); err != nil {
		return sources.Clean(sources.Sentence(err), 200)
	}
	return ""
}

// rebuilt is the document with these flags and all its other members.
func rebuilt(b []byte, top, flags []member) []byte {
	var out bytes.Buffer
	out.WriteByte('{')
	for _, m := range top {
		if !is(b, m.key, "flags") {
			out.Write(b[m.key.from:m.key.to])
			out.WriteByte(':')
			out.Write(b[m.value.from:m.value.to])
			out.WriteByte(',')
		}
	}
	out.WriteString(`"flags":{`)
	for i, m := range flags {
		if i > 0 {
			out.WriteByte(',')
		}
		out.Write(b[m.key.from:m.key.to])
		out.WriteByte(':')
		out.Write(b[m.value.from:m.value.to])
	}
	out.WriteString("}}\n")
	return out.Bytes()
}
