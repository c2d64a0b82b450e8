package flagdef

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/diegoholiveira/jsonlogic/v3"
	"golang.org/x/mod/semver"

	"relctl-tui/sources"
)

// JsonLogic is evaluated by the library that flagd itself uses, with flagd's four
// operators added to it. They are its only global state.
func init() {
	jsonlogic.AddOperator("fractional", logicFractional)
	jsonlogic.AddOperator("starts_with", logicCompare(strings.HasPrefix))
	jsonlogic.AddOperator("ends_with", logicCompare(strings.HasSuffix))
	jsonlogic.AddOperator("sem_ver", logicSemVer)
}

// logicMaxDepth bounds a rule, so that evaluating it cannot exhaust the stack.
const logicMaxDepth = maxDepth

// logicRule decodes a rule and puts the shared rules in place of its references.
func logicRule(raw json.RawMessage, shared map[string]json.RawMessage) (any, error) {
	var rule any
	if err := json.Unmarshal(raw, &rule); err != nil {
		return nil, evalInvalid("targeting is no JSON", nil)
	}
	r := logicResolver{shared: shared}
	rule = r.resolve(rule, 0)
	if r.err != nil {
		return nil, r.err
	}
	if !jsonlogic.ValidateJsonLogic(rule) {
		return nil, fmt.Errorf("the targeting has an operator that flagd does not have: %w", sources.ErrInvalid)
	}
	return rule, nil
}

// logicMaxShared bounds how much text references may stand for: a few rules that
// each name another twice grow without end.
const logicMaxShared = 100_000

type logicResolver struct {
	shared map[string]json.RawMessage
	put    int
	err    error
}

// resolve replaces {"$ref": name} wherever it stands, also in what is put there.
func (r *logicResolver) resolve(v any, depth int) any {
	if depth > logicMaxDepth && r.err == nil {
		r.err = evalInvalid("the targeting is nested too deeply, or refers to itself", nil)
	}
	if r.err != nil {
		return nil
	}
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = r.resolve(v[i], depth+1)
		}
	case map[string]any:
		if name, ok := v["$ref"].(string); ok && len(v) == 1 {
			return r.refer(name, depth)
		}
		for k := range v {
			v[k] = r.resolve(v[k], depth+1)
		}
	}
	return v
}

func (r *logicResolver) refer(name string, depth int) any {
	raw, ok := r.shared[name]
	var rule any
	r.put++
	switch {
	case !ok || json.Unmarshal(raw, &rule) != nil:
		r.err = evalInvalid("the targeting refers to a shared rule "+quotedName(name)+" that is not there", nil)
	case r.put > logicMaxShared:
		r.err = evalInvalid("the targeting's shared rules are too large together", nil)
	default:
		return r.resolve(rule, depth+1)
	}
	return nil
}

func quotedName(name string) string { return fmt.Sprintf("%q", sources.Clean(name, 40)) }

// logicPick is the variant that a rule gives, false for the default one.
func logicPick(rule any, s evalScope) (variant string, ok bool, err error) {
	defer func() {
		// The library panics with whatever its type assertions meet.
		if p := recover(); p != nil {
			variant, ok, err = "", false, fmt.Errorf("the targeting cannot be evaluated (%s): %w", sources.Clean(fmt.Sprint(p), 120), sources.ErrInvalid)
		}
	}()
	data := make(map[string]any, len(s.attrs)+2)
	for k, v := range s.attrs {
		data[k] = v
	}
	if s.key != "" {
		data["targetingKey"] = s.key
	}
	data["$flagd"] = map[string]any{"flagKey": s.flag, "timestamp": float64(s.seconds())}
	got, err := jsonlogic.ApplyInterface(rule, data)
	if err != nil {
		return "", false, fmt.Errorf("the targeting cannot be evaluated (%s): %w", sources.Clean(err.Error(), 120), sources.ErrInvalid)
	}
	switch got := got.(type) {
	case nil:
		return "", false, nil
	case string:
		return got, true, nil
	case bool, float64, int:
		b, err := json.Marshal(got)
		if err != nil { // no number, or infinity
			return "", false, fmt.Errorf("the targeting gives %v, which is no variant: %w", got, sources.ErrInvalid)
		}
		return string(b), true, nil
	default:
		return "", false, fmt.Errorf("the targeting gives a list or an object, which is no variant: %w", sources.ErrInvalid)
	}
}

// logicFractional is a split whose parts were evaluated already.
func logicFractional(values, data any) any {
	args, ok := values.([]any)
	scope, inside := data.(map[string]any)
	if !ok || !inside || len(args) == 0 {
		return nil
	}
	flagd, ok := scope["$flagd"].(map[string]any)
	if !ok { // within map or filter
		return nil
	}
	by, ok := args[0].(string)
	if ok {
		args = args[1:]
	} else {
		key, ok := scope["targetingKey"].(string)
		if !ok || key == "" {
			return nil
		}
		by = fmt.Sprint(flagd["flagKey"], key)
	}
	shares := make([]evalShare, len(args))
	total := uint64(0)
	for i, arg := range args {
		if shares[i], ok = logicShare(arg); !ok {
			return nil
		}
		total = min(total+shares[i].weight, 2*evalMaxWeight)
	}
	if total > evalMaxWeight {
		return nil
	}
	bucket, sum := evalBucket(by, total), uint64(0)
	for _, s := range shares {
		if sum += s.weight; sum > bucket {
			if s.null {
				return nil
			}
			return s.variant
		}
	}
	return nil
}

func logicShare(arg any) (s evalShare, ok bool) {
	entry, ok := arg.([]any)
	if !ok || len(entry) == 0 || len(entry) > 2 {
		return s, false
	}
	s.null, s.weight = entry[0] == nil, 1
	switch v := entry[0].(type) {
	case nil:
	case string:
		s.variant = v
	case bool, float64:
		b, err := json.Marshal(v)
		if err != nil {
			return s, false
		}
		s.variant = string(b)
	default:
		return s, false
	}
	if len(entry) == 2 {
		w, ok := entry[1].(float64)
		if !ok || w != math.Trunc(w) || math.IsInf(w, 0) {
			return s, false
		}
		s.weight = uint64(max(0, min(w, 2*evalMaxWeight)))
	}
	return s, true
}

func logicCompare(compare func(s, part string) bool) func(values, data any) any {
	return func(values, _ any) any {
		args, ok := values.([]any)
		if !ok || len(args) != 2 {
			return nil
		}
		s, isText := args[0].(string)
		part, also := args[1].(string)
		if !isText || !also {
			return nil
		}
		return compare(s, part)
	}
}

func logicSemVer(values, _ any) any {
	args, ok := values.([]any)
	if !ok || len(args) != 3 {
		return nil
	}
	a, b := logicVersion(args[0]), logicVersion(args[2])
	op, ok := args[1].(string)
	if !ok || a == "" || b == "" {
		return nil
	}
	c := semver.Compare(a, b)
	switch op {
	case "=":
		return c == 0
	case "!=":
		return c != 0
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">=":
		return c >= 0
	case ">":
		return c > 0
	case "^":
		return semver.Major(a) == semver.Major(b)
	case "~":
		return semver.MajorMinor(a) == semver.MajorMinor(b)
	default:
		return nil
	}
}

// logicVersion is a version as the semver package wants it, "" for none.
func logicVersion(v any) string {
	s, ok := evalText(v)
	if !ok {
		return ""
	}
	if strings.HasPrefix(s, "v") || strings.HasPrefix(s, "V") {
		s = s[1:]
	}
	if s = "v" + s; !semver.IsValid(s) {
		return ""
	}
	return s
}
