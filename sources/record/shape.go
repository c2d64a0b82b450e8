package record

import (
	"reflect"
	"strconv"
	"sync"
	"time"

	"relctl-tui/sources"
)

var (
	timeType  = reflect.TypeFor[time.Time]()
	trendType = reflect.TypeFor[sources.Trend]()
	flagID    = reflect.TypeFor[sources.FlagID]()
	percent   = reflect.TypeFor[sources.Percent]()
	migration = reflect.TypeFor[sources.Migration]()
	freeze    = reflect.TypeFor[sources.Freeze]()
)

// left is what is not recorded: numbers that every player counts anew, the time, which
// is each line's own, and what would let somebody act.
var left = map[reflect.Type][]string{
	reflect.TypeFor[sources.Snapshot]():   {"Seq", "FlagsSeq", "At"},
	reflect.TypeFor[sources.RampStatus](): {"Token"},
}

// words is the highest value of each type that stands for words, so that no file can
// bring one that nobody has a word for.
var words = map[reflect.Type]int64{
	reflect.TypeFor[sources.Health]():       int64(sources.Stale),
	reflect.TypeFor[sources.Role]():         int64(sources.StandsBy),
	reflect.TypeFor[sources.FlagState]():    int64(sources.FlagCustom),
	reflect.TypeFor[sources.Verdict]():      int64(sources.VerdictBurning),
	reflect.TypeFor[sources.BreakerState](): int64(sources.BreakerDisabled),
	reflect.TypeFor[sources.AlertState]():   int64(sources.AlertSilenced),
	reflect.TypeFor[sources.GuardVerdict](): int64(sources.GuardBreach),
}

// rowID is what a row of a list is told apart by.
type rowID struct {
	a, b, c string
	at      int64
}

// identities say what a row is told apart by, of the row. A list of anything else is
// recorded as a whole when it changes.
var identities = map[reflect.Type]func(row reflect.Value) rowID{
	reflect.TypeFor[sources.SourceStatus](): identity(func(s *sources.SourceStatus) rowID { return rowID{a: s.Name} }),
	reflect.TypeFor[sources.Flag]():         identity(func(f *sources.Flag) rowID { return rowID{a: f.ID.Source, b: f.ID.Key} }),
	reflect.TypeFor[sources.Breaker]():      identity(func(b *sources.Breaker) rowID { return rowID{a: b.Source, b: b.Name} }),
	reflect.TypeFor[sources.Latency]():      identity(func(l *sources.Latency) rowID { return rowID{a: l.Source, b: l.Name} }),
	reflect.TypeFor[sources.Alert]():        identity(func(a *sources.Alert) rowID { return rowID{a: a.Source, b: a.ID} }),
	reflect.TypeFor[sources.Deploy]():       identity(func(d *sources.Deploy) rowID { return rowID{a: d.Source, b: d.Service} }),
	reflect.TypeFor[sources.RampStatus]():   identity(func(r *sources.RampStatus) rowID { return rowID{a: r.Flag.Source, b: r.Flag.Key} }),
	reflect.TypeFor[sources.Activity]():     identity(activityID),
}

// identity reads a row where it is; it must be addressable, as elements of slices are.
func identity[T any](of func(*T) rowID) func(reflect.Value) rowID {
	return func(row reflect.Value) rowID { return of(as[*T](row.Addr())) }
}

// activityID is equal for the same thing that happened, whatever became of it.
func activityID(a *sources.Activity) rowID {
	if a.ID != "" {
		return rowID{a: a.ID, c: a.Kind}
	}
	return rowID{a: a.Name, b: a.New, c: a.Kind, at: a.At.UnixNano()}
}

// column is one recorded field of a struct.
type column struct {
	index int
	name  string // in the struct
	key   string // as it is written: quoted, with the colon
}

// shape is the recorded fields of a struct.
type shape struct {
	columns []column
	byName  map[string]int // to the index of the field
}

var shapes sync.Map // of reflect.Type to *shape

func shapeOf(t reflect.Type) *shape {
	if s, ok := shapes.Load(t); ok {
		known, _ := s.(*shape) // nothing else is stored
		return known
	}
	s := &shape{byName: map[string]int{}}
fields:
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() {
			continue
		}
		for _, name := range left[t] {
			if f.Name == name {
				continue fields
			}
		}
		s.columns = append(s.columns, column{i, f.Name, strconv.Quote(f.Name) + ":"})
		s.byName[f.Name] = i
	}
	shapes.Store(t, s)
	return s
}
