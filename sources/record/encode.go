package record

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"relctl-tui/sources"
)

// encoder writes what changed between two values as JSON. It may be used again after
// reset; it is one goroutine's.
type encoder struct {
	b     []byte
	cells int // changed cells written so far
	from  []int
	zeros map[reflect.Type]reflect.Value
}

// zero is an addressable zero value, to compare what is new with.
func (e *encoder) zero(t reflect.Type) reflect.Value {
	if z, ok := e.zeros[t]; ok {
		return z
	}
	if e.zeros == nil {
		e.zeros = map[reflect.Type]reflect.Value{}
	}
	z := reflect.New(t).Elem()
	e.zeros[t] = z
	return z
}

func (e *encoder) put(s string) { e.b = append(e.b, s...) }

// whole writes all of a value, {} for a struct of zeros.
func (e *encoder) whole(v reflect.Value) {
	if e.change(e.zero(v.Type()), v) {
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == timeType {
			e.put("null")
			return
		}
		e.put("{}")
	case reflect.Slice, reflect.Pointer, reflect.Map:
		e.put("null")
	default:
		e.scalar(v)
	}
}

// change writes what leads from one value to another of the same type; for equal ones
// it writes nothing and returns false.
func (e *encoder) change(was, is reflect.Value) bool {
	switch t := is.Type(); {
	case t == timeType:
		return e.time(was, is)
	case t == trendType:
		return e.trend(was, is)
	case t == freeze:
		return e.freeze(was, is)
	}
	switch is.Kind() {
	case reflect.Struct:
		return e.fields(was, is)
	case reflect.Pointer:
		return e.pointer(was, is)
	case reflect.Slice:
		return e.list(was, is)
	case reflect.Array:
		return e.array(was, is)
	case reflect.Map:
		return e.table(was, is)
	default:
		if same(was, is) {
			return false
		}
		e.cells++
		e.scalar(is)
		return true
	}
}

func same(a, b reflect.Value) bool {
	switch a.Kind() {
	case reflect.String:
		return a.String() == b.String()
	case reflect.Bool:
		return a.Bool() == b.Bool()
	case reflect.Float64, reflect.Float32: // a NaN equals itself, and -0 is not 0
		return math.Float64bits(a.Float()) == math.Float64bits(b.Float())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return a.Int() == b.Int()
	default:
		return a.Uint() == b.Uint()
	}
}

func (e *encoder) scalar(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		e.text(v.String())
	case reflect.Bool:
		e.b = strconv.AppendBool(e.b, v.Bool())
	case reflect.Float64:
		e.float(v.Float(), 64)
	case reflect.Float32:
		e.float(v.Float(), 32)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		e.b = strconv.AppendInt(e.b, v.Int(), 10)
	default:
		e.b = strconv.AppendUint(e.b, v.Uint(), 10)
	}
}

// float writes the shortest number that reads back as the same one.
func (e *encoder) float(f float64, bits int) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		e.b = strconv.AppendQuote(e.b, strconv.FormatFloat(f, 'g', -1, bits))
		return
	}
	e.b = strconv.AppendFloat(e.b, f, 'g', -1, bits)
}

func (e *encoder) time(was, is reflect.Value) bool {
	w, i := as[time.Time](was), as[time.Time](is)
	if w.Equal(i) {
		return false
	}
	e.cells++
	e.moment(i)
	return true
}

// as is a value whose type is known, without an allocation.
func as[T any](v reflect.Value) T {
	t, _ := reflect.TypeAssert[T](v)
	return t
}

func (e *encoder) moment(t time.Time) {
	switch {
	case t.IsZero():
		e.put("null")
	case !time.Unix(0, t.UnixNano()).Equal(t): // centuries away
		e.text(t.UTC().Format(time.RFC3339Nano))
	default:
		e.b = strconv.AppendInt(e.b, t.UnixNano(), 10)
	}
}

func (e *encoder) fields(was, is reflect.Value) bool {
	start := len(e.b)
	e.put("{")
	for _, c := range shapeOf(is.Type()).columns {
		before := len(e.b)
		if before > start+1 {
			e.put(",")
		}
		e.put(c.key)
		if !e.change(was.Field(c.index), is.Field(c.index)) {
			e.b = e.b[:before]
		}
	}
	return e.closed(start)
}

// closed ends an object or forgets it when nothing is in it.
func (e *encoder) closed(start int) bool {
	if len(e.b) == start+1 {
		e.b = e.b[:start]
		return false
	}
	e.put("}")
	return true
}

func (e *encoder) pointer(was, is reflect.Value) bool {
	switch {
	case was.Pointer() == is.Pointer():
		return false
	case is.IsNil():
		e.cells++
		e.put("null")
		return true
	case was.IsNil():
		e.whole(is.Elem())
		return true
	default:
		return e.change(was.Elem(), is.Elem())
	}
}

func (e *encoder) array(was, is reflect.Value) bool {
	start := len(e.b)
	e.put("{")
	for i := range is.Len() {
		before := len(e.b)
		if before > start+1 {
			e.put(",")
		}
		e.key(i)
		if !e.change(was.Index(i), is.Index(i)) {
			e.b = e.b[:before]
		}
	}
	return e.closed(start)
}

// list writes rows, or all of a list whose elements have no identity. What went into
// a snapshot is never written to, so the same array holds the same.
func (e *encoder) list(was, is reflect.Value) bool {
	if was.IsNil() == is.IsNil() && was.Len() == is.Len() && was.Pointer() == is.Pointer() {
		return false
	}
	if is.IsNil() {
		e.cells++
		e.put("null")
		return true
	}
	if of := identities[is.Type().Elem()]; of != nil {
		return e.rows(was, is, of)
	}
	start, cells := len(e.b), e.cells
	e.put("[")
	for i := range is.Len() {
		if i > 0 {
			e.put(",")
		}
		e.whole(is.Index(i))
	}
	e.put("]")
	if was.IsNil() || was.Len() != is.Len() || !reflect.DeepEqual(was.Interface(), is.Interface()) {
		e.cells = max(e.cells, cells+1)
		return true
	}
	e.b, e.cells = e.b[:start], cells
	return false
}

// sampleRows are the rows of a new list that tell how much room all of it takes: growing
// bit by bit leaves five times its size to the garbage collector, each minute anew.
const sampleRows = 64

func (e *encoder) rows(was, is reflect.Value, of func(reflect.Value) rowID) bool {
	from := e.match(was, is, of)
	start := len(e.b)
	e.put("{")
	if was.IsNil() || was.Len() != is.Len() || !inPlace(from) {
		e.put(`"o":[`)
		e.runs(from)
		e.put("]")
	}
	first, began := true, len(e.b)
	for i, j := range from {
		if i == sampleRows && from[0] < 0 {
			e.b = slices.Grow(e.b, (len(e.b)-began)/sampleRows*(len(from)-i)*9/8)
		}
		before := len(e.b)
		switch {
		case !first:
			e.put(",")
		case before > start+1:
			e.put(`,"c":{`)
		default:
			e.put(`"c":{`)
		}
		e.key(i)
		if j < 0 {
			e.whole(is.Index(i))
		} else if !e.change(was.Index(j), is.Index(i)) {
			e.b = e.b[:before]
			continue
		}
		first = false
	}
	if !first {
		e.put("}")
	}
	return e.closed(start)
}

// match says for each row which row of before it is, -1 for none.
func (e *encoder) match(was, is reflect.Value, of func(reflect.Value) rowID) []int {
	e.from = slices.Grow(e.from[:0], is.Len())[:is.Len()]
	used := make([]bool, was.Len())
	missed := false
	for i := range e.from {
		e.from[i] = -1
		if i < was.Len() && of(was.Index(i)) == of(is.Index(i)) {
			e.from[i], used[i] = i, true
		} else {
			missed = true
		}
	}
	if !missed {
		return e.from
	}
	at := make(map[rowID]int, was.Len())
	for j := range used {
		if !used[j] {
			at[of(was.Index(j))] = j
		}
	}
	for i := range e.from {
		if e.from[i] < 0 {
			id := of(is.Index(i))
			if j, ok := at[id]; ok {
				e.from[i] = j
				delete(at, id)
			}
		}
	}
	return e.from
}

func inPlace(from []int) bool {
	for i, j := range from {
		if i != j {
			return false
		}
	}
	return true
}

// runs writes where rows come from: pairs of a first row and how many follow it.
func (e *encoder) runs(from []int) {
	for i := 0; i < len(from); {
		n := 1
		for i+n < len(from) && ((from[i] < 0 && from[i+n] < 0) || (from[i] >= 0 && from[i+n] == from[i]+n)) {
			n++
		}
		if i > 0 {
			e.put(",")
		}
		e.b = strconv.AppendInt(e.b, int64(from[i]), 10)
		e.put(",")
		e.b = strconv.AppendInt(e.b, int64(n), 10)
		i += n
	}
}

func (e *encoder) table(was, is reflect.Value) bool {
	if was.Pointer() == is.Pointer() {
		return false
	}
	if is.IsNil() {
		e.cells++
		e.put("null")
		return true
	}
	start := len(e.b)
	e.put("{")
	if was.IsNil() { // an empty table is another thing than none
		e.put(`"c":{`)
	}
	first := was.IsNil()
	opened := first
	n := 0
	for _, k := range sortedKeys(is) {
		before := len(e.b)
		if n > 0 {
			e.put(",")
		} else if !opened {
			e.put(`"c":{`)
		}
		e.text(k.String())
		e.put(":")
		old := was.MapIndex(k)
		if !old.IsValid() {
			e.whole(is.MapIndex(k))
		} else if !e.change(old, is.MapIndex(k)) {
			e.b = e.b[:before]
			continue
		}
		n++
	}
	if n > 0 || opened {
		e.put("}")
	}
	gone := 0
	for _, k := range sortedKeys(was) {
		if is.MapIndex(k).IsValid() {
			continue
		}
		switch {
		case gone > 0:
			e.put(",")
		case len(e.b) > start+1:
			e.put(`,"d":[`)
		default:
			e.put(`"d":[`)
		}
		e.text(k.String())
		gone++
	}
	if gone > 0 {
		e.put("]")
	}
	return e.closed(start)
}

func sortedKeys(m reflect.Value) []reflect.Value {
	keys := m.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	return keys
}

// trend writes the points that were added, or else the whole ring.
func (e *encoder) trend(was, is reflect.Value) bool {
	w, i := as[sources.Trend](was), as[sources.Trend](is)
	if equal(&w, &i) {
		return false
	}
	added := (i.Head - w.Head + sources.TrendLen) % sources.TrendLen
	after := w
	for k := range added {
		after = after.Add(float64(i.Points[(w.Head+k)%sources.TrendLen]))
	}
	ring, key := added, `{"+":[`
	first := w.Head
	if !equal(&after, &i) {
		ring, key, first = sources.TrendLen, `{"h":`+strconv.Itoa(i.Head)+`,"n":`+strconv.Itoa(i.Len)+`,"p":[`, 0
	}
	e.put(key)
	for k := range ring {
		if k > 0 {
			e.put(",")
		}
		e.float(float64(i.Points[(first+k)%sources.TrendLen]), 32)
		e.cells++
	}
	e.put("]}")
	return true
}

func equal(a, b *sources.Trend) bool {
	if a.Head != b.Head || a.Len != b.Len {
		return false
	}
	for i := range a.Points {
		if math.Float32bits(a.Points[i]) != math.Float32bits(b.Points[i]) {
			return false
		}
	}
	return true
}

// frozen is a freeze as it is written down: its window is the one text that it has.
type frozen struct {
	Reason, Window string
	Flags, Tags    []string
	Override       bool
}

func (e *encoder) freeze(was, is reflect.Value) bool {
	z := as[sources.Freeze](is)
	if reflect.DeepEqual(was.Interface(), z) {
		return false
	}
	text, _ := json.Marshal(frozen{z.Reason, z.String(), z.Flags, z.Tags, z.Override}) // cannot fail
	e.b = append(e.b, text...)
	e.cells++
	return true
}
