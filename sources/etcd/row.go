package etcd

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"relctl-tui/sources"
	"relctl-tui/sources/flagdef"
)

const (
	maxValue  = 1 << 20 // bytes of one definition that are read
	chunkRows = 256     // flags read as one document
)

// row is one flag as the cluster has it.
type row struct {
	key   string
	value []byte
	mod   int64 // ModRevision
	flag  sources.Flag
}

// white is what JSON allows around a value; etcdctl leaves a line break there.
const white = " \t\r\n"

// interpret works out the flags of rows, which are sorted by key. Many are read as
// one document, because that costs a third; when they do not read back as what
// they are, each is read alone, so that a bad one spoils no other.
func interpret(source string, rows []row) {
	for chunk := range slices.Chunk(rows, chunkRows) {
		if !together(source, chunk) {
			for i := range chunk {
				chunk[i].flag = alone(source, chunk[i].key, chunk[i].value)
			}
		}
	}
}

func together(source string, rows []row) bool {
	var b bytes.Buffer
	size := 16
	for i := range rows {
		if odd(rows[i].key, rows[i].value) != "" {
			return false
		}
		size += len(rows[i].key) + len(rows[i].value) + 8
	}
	b.Grow(size)
	b.WriteString(`{"flags":{`)
	for i := range rows {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(quoted(rows[i].key))
		b.WriteByte(':')
		b.Write(rows[i].value)
	}
	b.WriteString(`}}`)
	doc, err := flagdef.Parse(b.Bytes())
	if err != nil {
		return false
	}
	n := 0
	doc.Raw(func(key string, definition []byte) {
		if n >= 0 && n < len(rows) && rows[n].key == key && bytes.Equal(bytes.Trim(rows[n].value, white), definition) {
			n++
		} else {
			n = -1
		}
	})
	flags := doc.Flags(source)
	if n != len(rows) || len(flags) != len(rows) {
		return false
	}
	for i := range rows {
		rows[i].flag = flags[i]
	}
	return true
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

// alone reads one value. What is no definition becomes a broken flag.
func alone(source, key string, value []byte) sources.Flag {
	note := odd(key, value)
	if note == "" {
		b, _ := wrapped(key, value)
		if doc, err := flagdef.Parse(b); err == nil && single(doc, key, value) {
			if f, err := doc.Flag(source, key); err == nil {
				return f
			}
		}
		note = "its value in etcd is no JSON text"
		if json.Valid(value) {
			note = "its value in etcd is no flag definition"
		}
	}
	return sources.Flag{
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
	d, err := flagdef.NewDraft(source, b, c)
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

// sumOf is one key's part of the set's mark.
func sumOf(key string, value []byte) sum {
	h := sha256.New()
	var size [8]byte
	binary.BigEndian.PutUint64(size[:], uint64(len(key)))
	h.Write(size[:])
	h.Write([]byte(key))
	h.Write(value)
	var out [sha256.Size]byte
	h.Sum(out[:0])
	return sum{binary.BigEndian.Uint64(out[:8]), binary.BigEndian.Uint64(out[8:16])}
}
