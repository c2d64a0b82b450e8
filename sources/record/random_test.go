package record_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"time"

	"relctl-tui/sources"
)

var start = time.Date(2026, 3, 14, 14, 0, 0, 0, time.UTC)

// world makes snapshots by chance, each sharing with the one before what did not
// change, as the live engine does. It fills in every field there is, so that a field
// which is new to a snapshot is covered from its first day.
type world struct {
	r *rand.Rand
	s sources.Snapshot
}

func newWorld(seed uint64) *world {
	return &world{r: rand.New(rand.NewPCG(seed, 1)), s: sources.Snapshot{At: start}}
}

// next changes some of the snapshot's fields and returns another one.
func (w *world) next() *sources.Snapshot {
	s := w.s
	s.Seq++
	s.At = s.At.Add(time.Duration(1+w.r.IntN(2e9)) * time.Nanosecond)
	v := reflect.ValueOf(&s).Elem()
	for i := range v.NumField() {
		switch name := v.Type().Field(i).Name; {
		case name == "Seq", name == "FlagsSeq", name == "At", w.r.IntN(3) > 0:
		default:
			v.Field(i).Set(w.other(v.Field(i), 0))
		}
	}
	w.s = s
	return &s
}

// other is another value, of a list most often the same rows with some of their cells
// changed, some gone, some new and some elsewhere.
func (w *world) other(v reflect.Value, depth int) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	if v.Kind() != reflect.Slice || v.Len() == 0 || w.r.IntN(5) == 0 {
		w.fill(out, depth)
		return out
	}
	for i := range v.Len() {
		row := reflect.New(v.Type().Elem()).Elem()
		row.Set(v.Index(i))
		switch w.r.IntN(6) {
		case 0: // gone
			continue
		case 1: // changed in one cell
			if row.Kind() == reflect.Struct && row.NumField() > 0 {
				f := row.Field(w.r.IntN(row.NumField()))
				if f.CanSet() {
					w.fill(f, depth+1)
				}
			}
		case 2: // another one
			w.fill(row, depth+1)
		default:
		}
		out.Set(reflect.Append(out, row))
	}
	w.r.Shuffle(out.Len(), func(i, j int) {
		if w.r.IntN(4) == 0 {
			reflect.Swapper(out.Interface())(i, j)
		}
	})
	return out
}

var texts = []string{"", "checkout-v2", "payment API", "größer ⋯ 25%", "a \"quoted\" \\ name", "<b>&", "∙∙", "x"}

var bounds = map[reflect.Type]int{
	reflect.TypeFor[sources.Health](): 3, reflect.TypeFor[sources.Role](): 4, reflect.TypeFor[sources.FlagState](): 4,
	reflect.TypeFor[sources.Verdict](): 6, reflect.TypeFor[sources.BreakerState](): 7, reflect.TypeFor[sources.AlertState](): 3,
	reflect.TypeFor[sources.GuardVerdict](): 4, reflect.TypeFor[sources.Percent](): int(sources.Full) + 1,
}

func (w *world) fill(v reflect.Value, depth int) {
	switch v.Type() {
	case reflect.TypeFor[time.Time]():
		if w.r.IntN(4) > 0 {
			v.Set(reflect.ValueOf(time.Unix(0, start.UnixNano()+w.r.Int64N(1e13))))
		} else {
			v.SetZero()
		}
		return
	case reflect.TypeFor[sources.Trend]():
		t := v.Interface().(sources.Trend)
		for range 1 + w.r.IntN(3) {
			t = t.Add(w.r.ExpFloat64())
		}
		v.Set(reflect.ValueOf(t))
		return
	case reflect.TypeFor[*sources.Migration]():
		m, _ := sources.NewMigration(sources.Migration{Mismatch: texts[w.r.IntN(len(texts))], Limit: w.r.Float64()}, "", "")
		v.Set(reflect.ValueOf(m))
		return
	case reflect.TypeFor[sources.Freeze]():
		windows := [][2]string{{"2026-12-18 18:00", "2027-01-04 06:00"}, {"Fri 18:00", "Mon 06:00"}, {"22:00", "06:00"}}
		at := windows[w.r.IntN(len(windows))]
		loc, _ := time.LoadLocation([]string{"UTC", "Local", "Europe/Berlin"}[w.r.IntN(3)])
		z, _ := sources.NewFreeze(at[0], at[1], loc)
		z.Reason, z.Override = texts[w.r.IntN(len(texts))], w.r.IntN(2) == 0
		v.Set(reflect.ValueOf(z))
		return
	case reflect.TypeFor[sources.FlagID]():
		v.Set(reflect.ValueOf(sources.FlagID{Source: "demo", Key: fmt.Sprintf("key\x1b\xff%d", w.r.IntN(30))}))
		return
	}
	w.fillKind(v, depth)
}

func (w *world) fillKind(v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() && w.r.IntN(4) > 0 {
				w.fill(f, depth+1)
			}
		}
	case reflect.String:
		v.SetString(texts[w.r.IntN(len(texts))])
	case reflect.Bool:
		v.SetBool(w.r.IntN(2) == 0)
	case reflect.Float64, reflect.Float32:
		v.SetFloat(w.r.NormFloat64() * 100)
	case reflect.Int, reflect.Int32, reflect.Int64:
		n := 1 << 20
		if most, ok := bounds[v.Type()]; ok {
			n = most
		}
		v.SetInt(int64(w.r.IntN(n)))
	case reflect.Slice:
		n := w.r.IntN(8)
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			w.fill(v.Index(i), depth+1)
		}
	case reflect.Array:
		for i := range v.Len() {
			w.fill(v.Index(i), depth+1)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range w.r.IntN(5) {
			e := reflect.New(v.Type().Elem()).Elem()
			w.fill(e, depth+1)
			v.SetMapIndex(reflect.ValueOf(texts[w.r.IntN(len(texts))]), e)
		}
	case reflect.Pointer:
		if w.r.IntN(4) > 0 {
			p := reflect.New(v.Type().Elem())
			w.fill(p.Elem(), depth+1)
			v.Set(p)
		} else {
			v.SetZero()
		}
	default:
		panic("a snapshot holds a kind of value that no recording does: " + v.Type().String())
	}
}
