package flagdef

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// evalMaxWeight is the most that the weights of one split may sum to in flagd.
const evalMaxWeight = math.MaxInt32

type evalSplit struct {
	by      evalExpr // nil: bucketed by flag key and targeting key
	shares  []evalShare
	total   uint64
	invalid bool // flagd serves the default variant to everybody
}

type evalShare struct {
	variant string
	null    bool // a null variant: its share gets the default
	weight  uint64
}

// evalReadSplit compiles the arguments of fractional. What flagd itself refuses
// makes a split that picks nothing; what flagd could evaluate and this cannot
// is an error.
func evalReadSplit(args []json.RawMessage) (*evalSplit, error) {
	s := &evalSplit{}
	if len(args) > 0 && !evalIsList(args[0]) {
		by, err := evalReadExpr(args[0])
		if err != nil {
			return nil, err
		}
		s.by, args = by, args[1:]
	}
	for _, raw := range args {
		var entry []json.RawMessage
		if !evalIsList(raw) || json.Unmarshal(raw, &entry) != nil {
			if evalIsObject(raw) {
				return nil, evalForeign("a computed bucket")
			}
			s.invalid = true
			continue
		}
		share, ok, err := evalReadShare(entry)
		if err != nil {
			return nil, err
		}
		s.invalid = s.invalid || !ok
		s.shares = append(s.shares, share)
		// Clamped per step: a sum past the limit stays past it and cannot wrap.
		s.total = min(s.total+share.weight, 2*evalMaxWeight)
	}
	s.invalid = s.invalid || s.total > evalMaxWeight
	return s, nil
}

func evalReadShare(entry []json.RawMessage) (share evalShare, ok bool, err error) {
	if len(entry) == 0 || len(entry) > 2 {
		return share, false, nil
	}
	if evalIsObject(entry[0]) || (len(entry) == 2 && evalIsObject(entry[1])) {
		return share, false, evalForeign("a computed variant or weight")
	}
	var variant any
	if evalIsList(entry[0]) {
		return share, false, nil
	}
	if err := json.Unmarshal(entry[0], &variant); err != nil {
		return share, false, evalForeign("this variant")
	}
	share.null, share.weight = variant == nil, 1
	if share.variant, ok = evalText(variant); !ok && !share.null {
		return share, false, evalForeign("this number as a variant")
	}
	if len(entry) == 2 {
		w, whole := evalWeight(entry[1])
		if !whole {
			return share, false, nil
		}
		share.weight = w
	}
	return share, true, nil
}

// evalWeight is a weight as flagd counts it, and whether it is a whole number.
func evalWeight(raw json.RawMessage) (uint64, bool) {
	var w *float64
	if err := json.Unmarshal(raw, &w); err != nil || w == nil || *w != math.Trunc(*w) {
		return 0, false
	}
	return uint64(max(0, min(*w, 2*evalMaxWeight))), true // below 0 is 0 to flagd
}

// pick is the variant for what the scope is bucketed by; false for the default.
func (s *evalSplit) pick(scope evalScope) (string, bool, error) {
	by := scope.flag + scope.key
	if s.by != nil {
		v, err := s.by(scope)
		if err != nil {
			return "", false, err
		}
		text, ok := v.(string)
		if !ok {
			return "", false, nil // flagd takes what is no string for a malformed bucket
		}
		by = text
	} else if scope.key == "" {
		return "", false, nil
	}
	if s.invalid {
		return "", false, nil
	}
	bucket, sum := evalBucket(by, s.total), uint64(0)
	for _, share := range s.shares {
		if sum += share.weight; sum > bucket {
			return share.variant, !share.null, nil
		}
	}
	return "", false, nil
}

// evalExpr is a compiled bucketing expression.
type evalExpr func(evalScope) (any, error)

func evalReadExpr(raw json.RawMessage) (evalExpr, error) {
	if !evalIsObject(raw) {
		if evalIsList(raw) {
			return nil, evalForeign("a list in a bucketing expression")
		}
		var v any
		if err := json.Unmarshal(raw, &v); err != nil {
			return nil, evalForeign("a bucketing expression that is no JSON")
		}
		return func(evalScope) (any, error) { return v, nil }, nil
	}
	var rule map[string]json.RawMessage
	if err := json.Unmarshal(raw, &rule); err != nil || len(rule) != 1 {
		return nil, evalForeign("a bucketing expression with several operators")
	}
	for op, body := range rule {
		args := []json.RawMessage{body}
		if evalIsList(body) && json.Unmarshal(body, &args) != nil {
			break
		}
		switch op {
		case "var":
			return evalReadVar(args)
		case "cat":
			return evalReadCat(args)
		}
	}
	return nil, evalForeign("a bucketing expression of other than var and cat")
}

func evalReadVar(args []json.RawMessage) (evalExpr, error) {
	var path string
	if len(args) == 0 || len(args) > 2 || json.Unmarshal(args[0], &path) != nil ||
		path == "" || path == "$flagd" || path == "$flagd.timestamp" {
		return nil, evalForeign("this var in a bucketing expression")
	}
	var fallback any
	if len(args) == 2 && (evalIsList(args[1]) || evalIsObject(args[1]) || json.Unmarshal(args[1], &fallback) != nil) {
		return nil, evalForeign("a computed default of var")
	}
	return func(s evalScope) (any, error) {
		if v := s.lookup(path); v != nil {
			return v, nil
		}
		return fallback, nil
	}, nil
}

func evalReadCat(args []json.RawMessage) (evalExpr, error) {
	parts := make([]evalExpr, len(args))
	for i, raw := range args {
		part, err := evalReadExpr(raw)
		if err != nil {
			return nil, err
		}
		parts[i] = part
	}
	return func(s evalScope) (any, error) {
		var b strings.Builder
		for _, part := range parts {
			v, err := part(s)
			if err != nil {
				return nil, err
			}
			text, ok := evalText(v)
			if !ok {
				// flagd's own implementations disagree: "null" in one, "" in another.
				return nil, evalForeign("cat of a missing attribute")
			}
			b.WriteString(text)
		}
		return b.String(), nil
	}, nil
}

// evalText is a scalar as text; false for what flagd's implementations do not
// all write alike (null, numbers that need an exponent, lists and objects).
func evalText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case int:
		return strconv.Itoa(v), true
	case float64:
		abs := math.Abs(v)
		return strconv.FormatFloat(v, 'f', -1, 64), abs == 0 || (abs >= 1e-6 && abs < 1e21)
	default:
		return "", false
	}
}

func evalIsList(raw json.RawMessage) bool   { return len(raw) > 0 && raw[0] == '[' }
func evalIsObject(raw json.RawMessage) bool { return len(raw) > 0 && raw[0] == '{' }
