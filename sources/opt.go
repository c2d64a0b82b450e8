package sources

import (
	"encoding/json"
	"math"
)

// Opt is a value that may be absent. The zero Opt is absent, so that a number
// which nobody filled in can never be mistaken for a measured 0. It marshals to
// null when absent.
type Opt[T any] struct {
	V  T
	OK bool
}

// Value is a measured number that may be absent.
type Value = Opt[float64]

// Some is a present Opt.
func Some[T any](v T) Opt[T] { return Opt[T]{V: v, OK: true} }

// Measured is a Value that is absent when v is NaN, which is how metric
// backends say "no samples".
func Measured(v float64) Value {
	if math.IsNaN(v) {
		return Value{}
	}
	return Some(v)
}

// Or is the value, or fallback where it is absent.
func (o Opt[T]) Or(fallback T) T {
	if o.OK {
		return o.V
	}
	return fallback
}

// either is the value, or the other one where it is absent.
func (o Opt[T]) either(other Opt[T]) Opt[T] {
	if o.OK {
		return o
	}
	return other
}

// MarshalJSON writes null for an absent value, and for a float that JSON cannot
// carry (infinities).
func (o Opt[T]) MarshalJSON() ([]byte, error) {
	if !o.OK {
		return []byte("null"), nil
	}
	if f, ok := any(o.V).(float64); ok && (math.IsNaN(f) || math.IsInf(f, 0)) {
		return []byte("null"), nil
	}
	return json.Marshal(o.V)
}

// UnmarshalJSON reads null as absent, and leaves what it cannot read absent.
func (o *Opt[T]) UnmarshalJSON(b []byte) error {
	*o = Opt[T]{}
	if string(b) == "null" {
		return nil
	}
	var v T
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	*o = Some(v)
	return nil
}
