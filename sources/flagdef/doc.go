// Package flagdef is the format of flagd flag definitions: it reads them, edits
// them surgically and evaluates them. It is pure: bytes in, bytes out. Where the
// bytes are kept, in a file or in a key of etcd, is its callers' affair.
package flagdef

import (
	"bytes"
	"fmt"

	"relctl-tui/sources"
)

// Doc is one flagd document, read and indexed. It never changes and is
// goroutine-safe; make it with Parse.
type Doc struct{ doc *document }

// Parse reads a whole document ({"flags": {…}}). It keeps b and never writes to
// it. The error is a clause for a sentence that names where b came from, and
// wraps sources.ErrInvalid.
func Parse(b []byte) (*Doc, error) {
	doc, err := scan(b)
	if err != nil {
		return nil, err
	}
	return &Doc{doc}, nil
}

// Flags is every flag of the document, sorted by key, each key once, as a source
// of that name shows them. What cannot be evaluated is there as a broken flag.
func (d *Doc) Flags(source string) []sources.Flag {
	r := newReader(d.doc)
	flags := make([]sources.Flag, len(d.doc.defs))
	for i := range d.doc.defs {
		def := &d.doc.defs[i]
		got := r.read(def)
		r.fill(&flags[i], source, def, &got)
	}
	return flags
}

// Flag is one flag; a key that is not there is sources.ErrNotFound.
func (d *Doc) Flag(source, key string) (sources.Flag, error) {
	def, err := d.doc.known(key)
	if err != nil {
		return sources.Flag{}, err
	}
	r := newReader(d.doc)
	got := r.read(def)
	return r.flag(source, def, &got), nil
}

// Reader understands definitions one by one, wherever each of them is kept, at the
// cost of few allocations. Make it with NewReader; not for concurrent use.
type Reader struct {
	source string
	r      *reader
}

// NewReader is a reader of the flags of the source of that name. The revision of each is
// that of its value's bytes.
func NewReader(source string) *Reader {
	return &Reader{source: source, r: newReader(&document{alone: true})}
}

// Flag writes to f the flag of a definition, which must be all that value holds besides
// white space; false, with f as it was, when it is not, or is no JSON. What cannot be
// evaluated is a broken flag. Value is not kept.
func (r *Reader) Flag(f *sources.Flag, key string, value []byte) bool {
	r.r.doc.b = value
	def, ok := r.r.usual()
	if !ok {
		s := scanner{b: value, depth: 2} // as deep as a definition lies in a document
		s.space()
		var err error
		if def, err = r.r.doc.definition(&s, nil); err != nil {
			return false
		}
		if s.space(); s.at < len(value) {
			return false
		}
	}
	def.key = key
	got := r.r.read(&def)
	r.r.fill(f, r.source, &def, &got)
	return true
}

// Raw is the bytes of each flag's definition by key, as they stand in the
// document, in the order of the keys. Of a key that stands there twice it is one.
func (d *Doc) Raw(visit func(key string, definition []byte)) {
	for i := range d.doc.defs {
		def := &d.doc.defs[i]
		visit(def.key, d.doc.bytes(def.at))
	}
}

// Warnings is what is odd about the document as a whole: cleaned sentences.
func (d *Doc) Warnings() []string { return d.doc.warnings }

func (d *document) known(key string) (*definition, error) {
	if def := d.find(key); def != nil {
		return def, nil
	}
	return nil, fmt.Errorf("there is no flag %s in it: %w", sources.Clean(key, sources.MaxName), sources.ErrNotFound)
}

// Draft is a change worked out on one document.
type Draft struct {
	Planned sources.Planned
	Bytes   []byte // the whole document after the change
	Same    bool   // the document is as the change would leave it
	refused func() string
}

// Refused is the sentence for a change that is written but that no application
// will see: flagd takes no document of which it refuses one flag, and goes on with
// the definitions that it had. "" when there is no such flag.
func (d *Draft) Refused() string { return d.refused() }

// NewDraft compares c.Seen with the flag in b and works out the bytes after the
// change; only those of the edited values differ. It reads them back: what would
// not read as intended is an error. Errors are clauses that wrap a sentinel.
func NewDraft(source string, b []byte, c sources.Change) (*Draft, error) {
	doc, err := scan(b)
	if err != nil {
		return nil, err
	}
	return draft(source, doc, c)
}

// NewDraftAlone is NewDraft of a document about the one flag of a value that NewReader
// reads: revisions are told as it tells them.
func NewDraftAlone(source string, b []byte, c sources.Change) (*Draft, error) {
	doc, err := scan(b)
	if err != nil {
		return nil, err
	}
	doc.alone = true
	return draft(source, doc, c)
}

func draft(source string, doc *document, c sources.Change) (*Draft, error) {
	if c.Flag.Source != source {
		return nil, fmt.Errorf("there is no flag %s in it: %w", sources.Clean(c.Flag.Key, sources.MaxName), sources.ErrNotFound)
	}
	def, err := doc.known(c.Flag.Key)
	if err != nil {
		return nil, err
	}
	r := newReader(doc)
	got := r.read(def)
	old := r.flag(source, def, &got)
	if c.Seen != "" && c.Seen != old.Revision {
		return nil, sources.Changed(&old)
	}
	e := editor{doc: doc, def: def, got: got}
	edits, err := e.edits(c, &old)
	if err != nil {
		return nil, fmt.Errorf("%s was not changed: %w", old.Name, err)
	}
	d := &Draft{Planned: sources.Planned{Old: old, Restore: bytes.Clone(doc.bytes(def.at))}}
	d.Bytes = sources.Splice(doc.b, edits, (*edit).place)
	d.Same = bytes.Equal(doc.b, d.Bytes)
	var now reading
	if d.Planned.New, now, err = check(source, d.Bytes, def, doc, c); err != nil {
		return nil, err
	}
	d.refused = func() string { return refused(doc, def, now) }
	return d, nil
}

// refused looks for a flag that keeps flagd from taking the document in which
// edited reads as now.
func refused(doc *document, edited *definition, now reading) string {
	r := newReader(doc)
	for i := range doc.defs {
		def, got := &doc.defs[i], now
		if def != edited {
			got = r.read(def)
		}
		if got.refused {
			return fmt.Sprintf("applications will not see this change until %s is mended in the file: %s", sources.Clean(def.key, 100), got.note)
		}
	}
	return ""
}
