package record

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"relctl-tui/sources"
)

// longest is the most runes of a string that a recording may hold: more than any
// source lets through.
const longest = 4000

var errShape = errors.New("is not what a recording holds")

// changed is the value that a change leads to. What was is not written to, and what
// did not change is shared with it.
func changed(was reflect.Value, raw json.RawMessage) (reflect.Value, error) {
	is := reflect.New(was.Type()).Elem()
	is.Set(was)
	return is, apply(is, raw)
}

// apply changes a value in place. What it points to is replaced, never written to.
func apply(v reflect.Value, raw json.RawMessage) error {
	switch t := v.Type(); {
	case t == timeType:
		return applyTime(v, raw)
	case t == trendType:
		return applyTrend(v, raw)
	case t == freeze:
		return applyFreeze(v, raw)
	}
	switch v.Kind() {
	case reflect.Struct:
		return applyFields(v, raw)
	case reflect.Array:
		return each(raw, func(key string, raw json.RawMessage) error {
			i, err := strconv.Atoi(key)
			if err != nil || i < 0 || i >= v.Len() {
				return errShape
			}
			return apply(v.Index(i), raw)
		})
	case reflect.Pointer:
		return applyPointer(v, raw)
	case reflect.Slice:
		return applyList(v, raw)
	case reflect.Map:
		return applyTable(v, raw)
	default:
		return applyScalar(v, raw)
	}
}

func none(raw json.RawMessage) bool { return string(raw) == "null" }

func each(raw json.RawMessage, do func(key string, raw json.RawMessage) error) error {
	var parts map[string]json.RawMessage
	if err := json.Unmarshal(raw, &parts); err != nil {
		return errShape
	}
	for key, part := range parts {
		if err := do(key, part); err != nil {
			return err
		}
	}
	return nil
}

func applyFields(v reflect.Value, raw json.RawMessage) error {
	t := v.Type()
	columns := shapeOf(t).byName
	err := each(raw, func(key string, raw json.RawMessage) error {
		i, known := columns[key]
		if !known {
			return nil // a later version's
		}
		if t == flagID && key == "Key" {
			s, err := text(raw)
			v.Field(i).SetString(s) // as the store spells it: it is never printed
			return err
		}
		if err := apply(v.Field(i), raw); err != nil {
			return fmt.Errorf("%s: %w", t.Field(i).Name, err)
		}
		return nil
	})
	if err == nil && t == migration {
		return checkMigration(as[*sources.Migration](v.Addr()))
	}
	return err
}

// checkMigration refuses stages that would lead past the end of the list.
func checkMigration(m *sources.Migration) error {
	if n := len(m.Stages); n < 3 || n > sources.MaxStages || m.Compared <= 0 || m.Compared >= m.NoReturn || m.NoReturn >= n {
		return errShape
	}
	return nil
}

func applyPointer(v reflect.Value, raw json.RawMessage) error {
	if none(raw) {
		v.SetZero()
		return nil
	}
	was := reflect.Zero(v.Type().Elem())
	if !v.IsNil() {
		was = v.Elem()
	}
	is, err := changed(was, raw)
	if err != nil {
		return err
	}
	v.Set(is.Addr())
	return nil
}

func applyList(v reflect.Value, raw json.RawMessage) error {
	if none(raw) {
		v.SetZero()
		return nil
	}
	if identities[v.Type().Elem()] != nil {
		return applyRows(v, raw)
	}
	var parts []json.RawMessage
	if err := json.Unmarshal(raw, &parts); err != nil {
		return errShape
	}
	list := reflect.MakeSlice(v.Type(), len(parts), len(parts))
	for i, part := range parts {
		if none(part) {
			continue
		}
		if err := apply(list.Index(i), part); err != nil {
			return err
		}
	}
	v.Set(list)
	return nil
}

func applyRows(v reflect.Value, raw json.RawMessage) error {
	var rows struct {
		From    *[]int                     `json:"o"`
		Changes map[string]json.RawMessage `json:"c"`
	}
	if err := json.Unmarshal(raw, &rows); err != nil {
		return errShape
	}
	list, err := placed(v, rows.From, rows.Changes)
	if err != nil {
		return err
	}
	for key, part := range rows.Changes {
		i, err := strconv.Atoi(key)
		if err != nil || i < 0 || i >= list.Len() {
			return errShape
		}
		if err := apply(list.Index(i), part); err != nil {
			return err
		}
	}
	v.Set(list)
	return nil
}

// placed is the rows in their new places. Each old row may be taken once, and each new
// one must have a line of its own, so that a list is never longer than what was read.
func placed(v reflect.Value, from *[]int, changes map[string]json.RawMessage) (reflect.Value, error) {
	if from == nil {
		return reflect.AppendSlice(reflect.MakeSlice(v.Type(), 0, v.Len()), v), nil
	}
	list := reflect.MakeSlice(v.Type(), 0, min(v.Len()+len(changes), len(*from)*1000))
	used := make([]bool, v.Len())
	fresh := 0
	for pair := range slices.Chunk(*from, 2) {
		if len(pair) < 2 || pair[0] < -1 || pair[1] < 0 {
			return list, errShape
		}
		if pair[0] < 0 {
			if fresh += pair[1]; pair[1] > len(changes) || fresh > len(changes) {
				return list, errShape
			}
			list = reflect.AppendSlice(list, reflect.MakeSlice(v.Type(), pair[1], pair[1]))
			continue
		}
		first, end := pair[0], pair[0]+pair[1]
		if first > v.Len() || pair[1] > v.Len() || end > v.Len() {
			return list, errShape
		}
		for j := first; j < end; j++ {
			if used[j] {
				return list, errShape
			}
			used[j] = true
		}
		list = reflect.AppendSlice(list, v.Slice(first, end))
	}
	return list, nil
}

func applyTable(v reflect.Value, raw json.RawMessage) error {
	if none(raw) {
		v.SetZero()
		return nil
	}
	var rows struct {
		Changes map[string]json.RawMessage `json:"c"`
		Gone    []json.RawMessage          `json:"d"`
	}
	if err := json.Unmarshal(raw, &rows); err != nil {
		return errShape
	}
	table := reflect.MakeMapWithSize(v.Type(), v.Len()+len(rows.Changes))
	for it := v.MapRange(); it.Next(); {
		table.SetMapIndex(it.Key(), it.Value())
	}
	for _, part := range rows.Gone {
		key, err := text(part)
		if err != nil {
			return err
		}
		table.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), reflect.Value{})
	}
	for quoted, part := range rows.Changes {
		key, err := plain(quoted)
		if err != nil {
			return err
		}
		if v.Type().Elem().Kind() == reflect.String { // labels, which are shown
			key = sources.Clean(key, longest)
		}
		at := reflect.ValueOf(key).Convert(v.Type().Key())
		was := table.MapIndex(at)
		if !was.IsValid() {
			was = reflect.Zero(v.Type().Elem())
		}
		if none(part) {
			table.SetMapIndex(at, reflect.Zero(v.Type().Elem()))
			continue
		}
		is, err := changed(was, part)
		if err != nil {
			return err
		}
		table.SetMapIndex(at, is)
	}
	v.Set(table)
	return nil
}

func text(raw json.RawMessage) (string, error) {
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", errShape
	}
	return plain(s)
}

func plain(s string) (string, error) {
	if coded, ok := strings.CutPrefix(s, rawPrefix); ok {
		b, err := base64.StdEncoding.DecodeString(coded)
		if err != nil {
			return "", errShape
		}
		return string(b), nil
	}
	return s, nil
}

func applyScalar(v reflect.Value, raw json.RawMessage) error {
	var err error
	switch v.Kind() {
	case reflect.String:
		var s string
		s, err = text(raw)
		v.SetString(sources.Clean(s, longest))
	case reflect.Bool:
		var b bool
		err = json.Unmarshal(raw, &b)
		v.SetBool(b)
	case reflect.Float64, reflect.Float32:
		var f float64
		f, err = float(raw, v.Type().Bits())
		v.SetFloat(f)
	default:
		return applyInt(v, raw)
	}
	if err != nil {
		return errShape
	}
	return nil
}

func float(raw json.RawMessage, bits int) (float64, error) {
	s := string(raw)
	switch s {
	case `"NaN"`, `"+Inf"`, `"-Inf"`:
		s = strings.Trim(s, `"`)
	}
	f, err := strconv.ParseFloat(s, bits)
	if err != nil {
		return 0, errShape
	}
	return f, nil
}

func applyInt(v reflect.Value, raw json.RawMessage) error {
	if v.CanUint() {
		n, err := strconv.ParseUint(string(raw), 10, v.Type().Bits())
		if err != nil {
			return errShape
		}
		v.SetUint(n)
		return nil
	}
	n, err := strconv.ParseInt(string(raw), 10, v.Type().Bits())
	if err != nil {
		return errShape
	}
	if most, ok := words[v.Type()]; ok && (n < 0 || n > most) {
		return errShape
	}
	if v.Type() == percent {
		n = int64(sources.Percent(n).Clamp())
	}
	v.SetInt(n)
	return nil
}

func applyTime(v reflect.Value, raw json.RawMessage) error {
	t, err := readTime(raw)
	if err != nil {
		return err
	}
	v.Set(reflect.ValueOf(t))
	return nil
}

func readTime(raw json.RawMessage) (time.Time, error) {
	if none(raw) {
		return time.Time{}, nil
	}
	if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
		return time.Unix(0, n), nil
	}
	s, err := text(raw)
	if err != nil {
		return time.Time{}, err
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}, errShape
	}
	return t.Local(), nil
}

func applyTrend(v reflect.Value, raw json.RawMessage) error {
	var ring struct {
		Added  []json.RawMessage `json:"+"`
		Head   int               `json:"h"`
		Len    int               `json:"n"`
		Points []json.RawMessage `json:"p"`
	}
	if err := json.Unmarshal(raw, &ring); err != nil || len(ring.Added) > sources.TrendLen {
		return errShape
	}
	t := as[sources.Trend](v)
	if ring.Points != nil {
		if len(ring.Points) != sources.TrendLen || ring.Head < 0 || ring.Head >= sources.TrendLen || ring.Len < 0 || ring.Len > sources.TrendLen {
			return errShape
		}
		t.Head, t.Len = ring.Head, ring.Len
	}
	for i, part := range ring.Points {
		f, err := float(part, 32)
		if err != nil {
			return err
		}
		t.Points[i] = float32(f)
	}
	for _, part := range ring.Added {
		f, err := float(part, 32)
		if err != nil {
			return err
		}
		t = t.Add(f)
	}
	v.Set(reflect.ValueOf(t))
	return nil
}

func applyFreeze(v reflect.Value, raw json.RawMessage) error {
	var f frozen
	if err := json.Unmarshal(raw, &f); err != nil {
		return errShape
	}
	from, rest, _ := strings.Cut(f.Window, " to ")
	at := strings.LastIndexByte(rest, ' ')
	if at < 0 {
		return errShape
	}
	loc, err := time.LoadLocation(rest[at+1:])
	if err != nil {
		return fmt.Errorf("%w: no time zone %s is known here", errShape, sources.Clean(rest[at+1:], 40))
	}
	z, err := sources.NewFreeze(from, rest[:at], loc)
	if err != nil {
		return errShape
	}
	z.Reason, z.Override = sources.Clean(f.Reason, longest), f.Override
	z.Flags, z.Tags = f.Flags, f.Tags
	for i := range z.Tags {
		z.Tags[i] = sources.Clean(z.Tags[i], longest)
	}
	v.Set(reflect.ValueOf(z))
	return nil
}
