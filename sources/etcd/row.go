package etcd

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"relctl-tui/sources"
	"relctl-tui/sources/flagdef"
)

const (
	maxValue = 1 << 20 // bytes of one definition that are read
	fewRows  = 256     // that are not worth another goroutine
)

// row is one flag as the cluster has it.
type row struct {
	key   string
	value []byte
	mod   int64         // ModRevision
	flag  *sources.Flag // nil until it is interpreted
}

// white is what JSON allows around a value; etcdctl leaves a line break there.
const white = " \t\r\n"

// interpret works out the flags of rows into flags, which are as many.
func interpret(source string, rows []row, flags []sources.Flag) {
	reader := flagdef.NewReader(source)
	for i := range rows {
		read(&flags[i], reader, source, rows[i].key, rows[i].value)
		rows[i].flag = &flags[i]
	}
}

// odd is why a value cannot be a definition at all, "" when it may be one.
func odd(key string, value []byte) string {
	switch {
	case len(value) > maxValue:
		return fmt.Sprintf("its value has %d bytes, the most that is read is %d", len(value), maxValue)
	case len(key) > maxKey:
		return "its key is too long"
	case !utf8.ValidString(key):
		return "its key is no UTF-8 text, so no application can ask for it"
	default:
		return ""
	}
}

// alone reads one value.
func alone(source, key string, value []byte) (f sources.Flag) {
	read(&f, flagdef.NewReader(source), source, key, value)
	return f
}

// read reads one value into f. What is no definition becomes a broken flag.
func read(f *sources.Flag, reader *flagdef.Reader, source, key string, value []byte) {
	note := odd(key, value)
	if note == "" {
		if reader.Flag(f, key, value) {
			return
		}
		note = "its value in etcd is no JSON text"
		if json.Valid(value) {
			note = "its value in etcd is no flag definition"
		}
	}
	*f = sources.Flag{
		ID: sources.FlagID{Source: source, Key: key}, Name: sources.Clean(key, sources.MaxName),
		State: sources.FlagBroken, Custom: true, Note: note, Revision: sources.RevisionOf(value),
	}
}

// single says that a document holds that one definition and nothing else: a value
// such as `{}, "other": {}` would read as two.
func single(doc *flagdef.Doc, key string, value []byte) bool {
	n, ok := 0, false
	doc.Raw(func(k string, definition []byte) {
		n++
		ok = k == key && bytes.Equal(definition, bytes.Trim(value, white))
	})
	return n == 1 && ok
}

const tail = "}}"

// wrapped is a value as a document of one flag, and where in it the value begins.
func wrapped(key string, value []byte) (doc []byte, from int) {
	head := `{"flags":{` + string(quoted(key)) + ":"
	doc = make([]byte, 0, len(head)+len(value)+len(tail))
	doc = append(append(append(doc, head...), value...), tail...)
	return doc, len(head)
}

func quoted(s string) []byte {
	plain := func(c rune) bool {
		return c < 0x20 || c == '"' || c == '\\' || c >= 0x7f || c == '<' || c == '>' || c == '&'
	}
	if strings.IndexFunc(s, plain) < 0 {
		return append(append([]byte{'"'}, s...), '"')
	}
	b, _ := json.Marshal(s) //nolint:errchkjson // a string always marshals
	return b
}

// draft is a change worked out on one value.
type draft struct {
	planned sources.Planned
	value   []byte // the whole value after the change
	same    bool
	refused func() string
}

// draftOf compares and works out the value after a change. Errors are clauses that
// wrap a sentinel.
func draftOf(source string, r *row, c sources.Change) (*draft, error) {
	name := sources.Clean(r.key, sources.MaxName)
	if note := odd(r.key, r.value); note != "" {
		return nil, fmt.Errorf("%s was not changed, %s; repair it with etcdctl: %w", name, note, sources.ErrInvalid)
	}
	b, from := wrapped(r.key, r.value)
	if doc, err := flagdef.Parse(b); err != nil || !single(doc, r.key, r.value) {
		was := alone(source, r.key, r.value)
		if c.Seen != "" && c.Seen != was.Revision {
			return nil, sources.Changed(&was)
		}
		return nil, fmt.Errorf("%s was not changed, %s; repair it with etcdctl: %w", name, was.Note, sources.ErrInvalid)
	}
	d, err := flagdef.NewDraftAlone(source, b, c)
	if err != nil {
		return nil, err
	}
	end := len(d.Bytes) - len(tail)
	if end < from || !bytes.Equal(d.Bytes[:from], b[:from]) || string(d.Bytes[end:]) != tail {
		return nil, fmt.Errorf("%s was not changed, the edit would leave its value: %w", name, sources.ErrInvalid)
	}
	return &draft{planned: d.Planned, value: d.Bytes[from:end], same: d.Same, refused: d.Refused}, nil
}

// sum is a mark of a whole set that can be kept up as single rows change.
type sum [2]uint64

func (s *sum) add(o sum) { s[0] += o[0]; s[1] += o[1] }
func (s *sum) sub(o sum) { s[0] -= o[0]; s[1] -= o[1] }

func (s *sum) revision() sources.Revision {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], s[0])
	binary.BigEndian.PutUint64(b[8:], s[1])
	return sources.Revision(hex.EncodeToString(b[:]))
}

// part is one flag's part of the set's mark: of its key and its revision, which
// stands for its definition.
func part(f *sources.Flag) sum { return sumOf(f.ID.Key, string(f.Revision)) }

// sumOf is one key's part of the set's mark; the document's has no key.
func sumOf(key, content string) sum {
	var some [128]byte // enough for most keys
	b := binary.BigEndian.AppendUint64(some[:0], uint64(len(key)))
	out := sha256.Sum256(append(append(b, key...), content...))
	return sum{binary.BigEndian.Uint64(out[:8]), binary.BigEndian.Uint64(out[8:16])}
}
