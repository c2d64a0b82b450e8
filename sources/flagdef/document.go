package flagdef

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"

	"relctl-tui/sources"
)

var bom = []byte{0xEF, 0xBB, 0xBF}

// definition is where one flag stands in the file. Spans are zero when absent.
type definition struct {
	key   string
	at    span // the whole value
	close int  // offset of the closing brace

	state, fallback, variants, targeting, metadata span

	first  member // the first member: its spacing is the style for inserting
	gap    span   // the white space between the first comma and the second key
	count  int    // members
	twice  string // a member that stands there twice, "" for none
	known  bool   // it is an object
	same   int    // how many more definitions have this key
	depth  int    // how deep the definition lies in the file
	named  bool   // its key is a member of its own, as in a list
	parted bool   // its parts were read with it, and lie in its reader
}

// document is one scanned file. Definitions are sorted by key, one per key.
type document struct {
	b        []byte
	defs     []definition
	warnings []string
	alone    bool // around one value of a store that keeps each flag by itself
}

const largeFile = 64 << 10 // bytes from which it is worth counting the flags first

// scan reads a whole file. The error is one clear sentence part without the
// file's name, wrapping sources.ErrInvalid.
func scan(b []byte) (*document, error) {
	d := &document{b: b}
	if len(b) > largeFile { // growing by doubling would copy its definitions many times
		d.defs = make([]definition, 0, min(bytes.Count(b, []byte(`"variants"`)), 1<<20))
	}
	s := scanner{b: b}
	if bytes.HasPrefix(b, bom) {
		s.at = len(bom)
		d.warnings = append(d.warnings, "the file starts with a byte order mark, which some evaluators refuse")
	}
	s.space()
	if s.at >= len(b) {
		return nil, fmt.Errorf("the file is empty; a flag definition is at least {\"flags\": {}}: %w", sources.ErrInvalid)
	}
	if err := d.top(&s); err != nil {
		return nil, d.explain(err)
	}
	d.sort()
	d.merge()
	return d, nil
}

// errShape marks errors about valid JSON that is no flag definition.
var errShape = errors.New("no flagd flag definition")

func (d *document) explain(err error) error {
	var syn *syntaxError
	if errors.As(err, &syn) {
		line, col := position(d.b, syn.at)
		return fmt.Errorf("not JSON: line %d, column %d: %s: %w", line, col, sources.Clean(syn.what, 200), sources.ErrInvalid)
	}
	return fmt.Errorf("%w: %w", err, sources.ErrInvalid)
}

func (d *document) top(s *scanner) error {
	found := 0
	visit := func(key span) error {
		if !is(d.b, key, "flags") {
			_, err := s.skip()
			return err
		}
		if found++; found > 1 {
			_, err := s.skip()
			return err
		}
		switch s.peek() {
		case '{':
			return d.keyed(s)
		case '[':
			return d.listed(s)
		default:
			_, err := s.skip()
			return cmp.Or(err, fmt.Errorf("%w: \"flags\" is neither an object nor a list", errShape))
		}
	}
	var err error
	if s.peek() == '{' {
		_, err = s.object(visit)
	} else if _, err = s.skip(); err == nil {
		err = fmt.Errorf("%w: the top level is not an object with \"flags\"", errShape)
	}
	if err != nil {
		return err
	}
	if s.space(); s.at < len(d.b) {
		return s.unexpected("the end of the file")
	}
	switch found {
	case 0:
		return fmt.Errorf("%w: there is no \"flags\" in it", errShape)
	case 1:
		return nil
	default:
		return fmt.Errorf("%w: \"flags\" stands there %d times, so no flag is certain", errShape, found)
	}
}

// keyed reads "flags": {"key": {...}}.
func (d *document) keyed(s *scanner) error {
	_, err := s.object(func(key span) error {
		def, err := d.definition(s, nil)
		if err != nil {
			return err
		}
		def.key, _ = text(d.b, key)
		d.defs = append(d.defs, def)
		return nil
	})
	return err
}

// listed reads "flags": [{"key": ...}], which flagd itself accepts too.
func (d *document) listed(s *scanner) error {
	nameless := 0
	_, err := s.array(func() error {
		var key span
		def, err := d.definition(s, &key)
		if err != nil {
			return err
		}
		var ok bool
		if def.key, ok = text(d.b, key); !ok || def.key == "" {
			nameless++
			return nil
		}
		d.defs = append(d.defs, def)
		return nil
	})
	d.warnings = append(d.warnings, "\"flags\" is a list, which flagd reads but in-process providers do not")
	if nameless > 0 {
		d.warnings = append(d.warnings, fmt.Sprintf("%d flags have no \"key\" and are left out", nameless))
	}
	return err
}

// definition scans one flag's value. When named is not nil it gets the span of
// the member "key".
func (d *document) definition(s *scanner, named *span) (definition, error) {
	if s.peek() != '{' {
		at, err := s.skip()
		return definition{at: at, depth: s.depth, named: named != nil}, err
	}
	def := definition{known: true, depth: s.depth, named: named != nil}
	at, err := s.object(func(key span) error {
		def.count++
		if def.count == 2 {
			def.gap = spaceBefore(d.b, key.from)
		}
		value, err := s.skip()
		if err != nil {
			return err
		}
		if def.count == 1 {
			def.first = member{key, value}
		}
		if slot := def.slot(d.b, key, named); slot != nil {
			if slot.present() {
				def.twice, _ = text(d.b, key)
			}
			*slot = value
		}
		return nil
	})
	def.at, def.close = at, at.to-1
	return def, err
}

func (f *definition) slot(b []byte, key span, named *span) *span {
	switch string(bare(b, key)) {
	case "state":
		return &f.state
	case "defaultVariant":
		return &f.fallback
	case "variants":
		return &f.variants
	case "targeting":
		return &f.targeting
	case "metadata":
		return &f.metadata
	case "key":
		return named
	default:
		return nil
	}
}

// sort orders by key. Definitions are large, so their places are sorted and each
// is moved once; most files need no more than the look.
func (d *document) sort() {
	byKey := func(a, b definition) int { return cmp.Compare(a.key, b.key) }
	if slices.IsSortedFunc(d.defs, byKey) {
		return
	}
	order := make([]int32, len(d.defs))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(d.defs[a].key, d.defs[b].key) })
	sorted := make([]definition, len(order))
	for i, from := range order {
		sorted[i] = d.defs[from]
	}
	d.defs = sorted
}

// merge keeps one definition per key and counts the others.
func (d *document) merge() {
	kept := d.defs[:0]
	for _, def := range d.defs {
		if n := len(kept); n > 0 && kept[n-1].key == def.key {
			kept[n-1].same++
			continue
		}
		kept = append(kept, def)
	}
	d.defs = kept
}

func (d *document) find(key string) *definition {
	i, ok := slices.BinarySearchFunc(d.defs, key, func(def definition, k string) int { return cmp.Compare(def.key, k) })
	if !ok {
		return nil
	}
	return &d.defs[i]
}

func (d *document) bytes(at span) []byte { return d.b[at.from:at.to] }

// spaceBefore is the white space that ends at an offset.
func spaceBefore(b []byte, at int) span {
	from := at
	for from > 0 && (b[from-1] == ' ' || b[from-1] == '\t' || b[from-1] == '\n' || b[from-1] == '\r') {
		from--
	}
	return span{from, at}
}
