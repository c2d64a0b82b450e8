package flagdef

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"relctl-tui/sources"
)

// edit replaces the bytes of a span; an empty span inserts.
type edit struct {
	at  span
	new string
}

func (e *edit) place() (from, to int, text string) { return e.at.from, e.at.to, e.new }

// editor works out the edits for one flag.
type editor struct {
	doc *document
	def *definition
	got reading
}

// kill sets state to DISABLED and keeps the split behind it.
func (e *editor) kill() ([]edit, error) {
	switch {
	case e.def.same > 0:
		return nil, fmt.Errorf("its key stands in the file %d times, so it is not certain which to kill; remove one by hand: %w", e.def.same+1, sources.ErrInvalid)
	case !e.def.known:
		return nil, fmt.Errorf("its definition is not an object, so there is no state to set; repair the file by hand: %w", sources.ErrInvalid)
	case e.def.twice == "state":
		return nil, fmt.Errorf("its state stands there twice, so it is not certain which to set; remove one by hand: %w", sources.ErrInvalid)
	}
	return e.state("DISABLED"), nil
}

// state sets the member state, which is put first where it is missing.
func (e *editor) state(word string) []edit {
	if e.def.state.present() {
		if is(e.doc.b, e.def.state, word) {
			return nil
		}
		return []edit{{e.def.state, strconv.Quote(word)}}
	}
	style := e.style()
	text := `"state"` + style.colon + strconv.Quote(word)
	if e.def.count == 0 {
		return []edit{{span{e.def.at.from + 1, e.def.at.from + 1}, text}}
	}
	at := e.def.first.key.from
	return []edit{{span{at, at}, text + "," + style.gap}}
}

// ramp sets the percentage and switches a killed flag on again.
func (e *editor) ramp(to sources.Percent) ([]edit, error) {
	if to < 0 || to > sources.Full {
		return nil, fmt.Errorf("%s%% is outside 0..100: %w", to, sources.ErrInvalid)
	}
	edits := e.state("ENABLED")
	switch e.got.shape {
	case shapeSwitch:
		return append(edits, e.rampSwitch(to)...), nil
	case shapeSplit:
		return append(edits, e.rampSplit(to)...), nil
	default:
		return nil, fmt.Errorf("%s: %w", e.got.note, sources.ErrUnsupported)
	}
}

// rampSwitch swaps defaultVariant for the whole steps and writes a split for
// what lies between.
func (e *editor) rampSwitch(to sources.Percent) []edit {
	switch {
	case to == e.got.percent:
		return nil
	case to == 0:
		return []edit{{e.def.fallback, e.spelled(e.got.off)}}
	case to == sources.Full:
		return []edit{{e.def.fallback, e.spelled(e.got.on)}}
	}
	style := e.style()
	on, off := weights(to)
	value := style.split([2]string{e.spelled(e.got.on), e.spelled(e.got.off)}, [2]string{on, off})
	if e.def.targeting.present() {
		return []edit{{e.def.targeting, value}}
	}
	at := e.def.fallback.to
	return []edit{{span{at, at}, "," + style.gap + `"targeting"` + style.colon + value}}
}

// rampSplit replaces the two weights and nothing else.
func (e *editor) rampSplit(to sources.Percent) []edit {
	sum := e.got.on.share + e.got.off.share
	if e.got.on.share*int64(sources.Full) == int64(to)*sum {
		return nil
	}
	on, off := weights(to)
	return []edit{e.weigh(e.got.on, on), e.weigh(e.got.off, off)}
}

func (e *editor) weigh(b bucket, to string) edit {
	if b.weight.present() {
		return edit{b.weight, to}
	}
	comma := ", "
	if !strings.HasSuffix(e.style().colon, " ") {
		comma = ","
	}
	return edit{span{b.variant.to, b.variant.to}, comma + to}
}

// move serves one variant to everybody: it becomes defaultVariant, targeting is emptied
// and a killed flag is switched on. What stood there is in the restored bytes alone.
func (e *editor) move(to string) ([]edit, error) {
	switch {
	case e.def.same > 0 || e.def.twice != "" || !e.def.known:
		return nil, fmt.Errorf("%s: %w", e.got.note, sources.ErrUnsupported)
	case e.got.refused:
		return nil, fmt.Errorf("%s; repair it by hand: %w", e.got.note, sources.ErrUnsupported)
	}
	key, err := e.variant(to)
	if err != nil {
		return nil, err
	}
	edits := e.state("ENABLED")
	r := newReader(e.doc)
	if r.targeted(e.def.targeting) {
		edits = append(edits, edit{e.def.targeting, "{}"})
	}
	spelled := string(e.doc.bytes(key))
	switch {
	case !e.def.fallback.present():
		at, style := e.def.variants.to, e.style()
		edits = append(edits, edit{span{at, at}, "," + style.gap + `"defaultVariant"` + style.colon + spelled})
	case string(e.doc.bytes(e.def.fallback)) != spelled:
		edits = append(edits, edit{e.def.fallback, spelled})
	}
	return edits, nil
}

// variant is where the one variant of a cleaned name is spelled.
func (e *editor) variant(name string) (span, error) {
	all, _ := members(e.doc.b, e.def.variants, nil)
	var found span
	for _, v := range all {
		raw, _ := text(e.doc.b, v.key)
		if sources.Clean(raw, sources.MaxName) != name {
			continue
		}
		if found.present() {
			return span{}, fmt.Errorf("two of its variants read %s: %w", sources.Clean(name, 40), sources.ErrUnsupported)
		}
		found = v.key
	}
	if !found.present() {
		return span{}, fmt.Errorf("%q is none of its variants: %w", sources.Clean(name, 40), sources.ErrUnsupported)
	}
	return found, nil
}

// restore puts back the definition as it was before a change.
func (e *editor) restore(raw []byte) ([]edit, error) {
	if e.def.same > 0 {
		return nil, fmt.Errorf("its key stands in the file %d times, so it is not certain which to restore: %w", e.def.same+1, sources.ErrInvalid)
	}
	s := scanner{b: raw}
	if _, err := s.skip(); err != nil || s.at != len(raw) || len(raw) == 0 {
		return nil, fmt.Errorf("what was kept to restore it is no definition: %w", sources.ErrInvalid)
	}
	return []edit{{e.def.at, string(raw)}}, nil
}

func (e *editor) spelled(b bucket) string { return string(e.doc.bytes(b.variant)) }

// weights is a percentage as two whole numbers: they sum to 100, or to the
// smallest power of ten above it in which the percentage is whole.
func weights(p sources.Percent) (on, off string) {
	part, sum := int(p), int(sources.Full)
	for sum > 100 && part%10 == 0 {
		part, sum = part/10, sum/10
	}
	return strconv.Itoa(part), strconv.Itoa(sum - part)
}

// style is how a definition is laid out, so that what is inserted looks like
// what stands around it.
type style struct {
	gap   string // between a comma and the next member
	colon string
	line  string // "\n" or "\r\n"; "" on one line
	base  string // indentation of members
	unit  string // one level of indentation
	tight bool   // no white space at all
}

func (e *editor) style() style {
	b := e.doc.b
	if e.def.count == 0 {
		return style{gap: " ", colon: ": "}
	}
	s := style{colon: string(b[e.def.first.key.to:e.def.first.value.from])}
	gap := e.def.gap
	if !gap.present() && e.def.count == 1 {
		gap = spaceBefore(b, e.def.first.key.from)
	}
	s.gap = string(b[gap.from:gap.to])
	s.tight = s.gap == "" && !strings.ContainsAny(s.colon, " \t\r\n")
	cut := strings.LastIndexByte(s.gap, '\n')
	if cut < 0 {
		return s
	}
	s.line, s.base = "\n", s.gap[cut+1:]
	if strings.HasSuffix(s.gap[:cut+1], "\r\n") {
		s.line = "\r\n"
	}
	end := spaceBefore(b, e.def.close)
	outer := b[end.from:end.to]
	outer = outer[bytes.LastIndexByte(outer, '\n')+1:]
	if s.unit = strings.TrimPrefix(s.base, string(outer)); s.unit == "" || len(s.unit) == len(s.base) && len(outer) > 0 {
		s.unit = "  "
	}
	return s
}

// split writes a two-way fractional as a targeting value.
func (s style) split(names, shares [2]string) string {
	comma := ", "
	if s.tight {
		comma = ","
	}
	first := "[" + names[0] + comma + shares[0] + "]"
	second := "[" + names[1] + comma + shares[1] + "]"
	if s.line == "" {
		return `{"fractional"` + s.colon + "[" + first + comma + second + "]}"
	}
	in1 := s.line + s.base + s.unit
	in2 := in1 + s.unit
	return "{" + in1 + `"fractional"` + s.colon + "[" + in2 + first + "," + in2 + second + in1 + "]" + s.line + s.base + "}"
}
