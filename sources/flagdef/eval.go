package flagdef

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/twmb/murmur3"

	"relctl-tui/sources"
)

// The reasons of a Resolution, in flagd's own words. A split is a
// TARGETING_MATCH to flagd, never a SPLIT.
const (
	ReasonStatic         = "STATIC"
	ReasonDefault        = "DEFAULT"
	ReasonDisabled       = "DISABLED"
	ReasonError          = "ERROR"
	ReasonTargetingMatch = "TARGETING_MATCH"
)

// The codes of a Resolution that is an ERROR, in OpenFeature's words.
const (
	CodeNotFound = "FLAG_NOT_FOUND"
	CodeParse    = "PARSE_ERROR" // the targeting is no rule
	CodeGeneral  = "GENERAL"     // the rule gives no variant
)

// Resolution is what a flag resolves to for one targeting key. Value is nil
// whenever flagd would leave the caller with the default in its code: for
// DISABLED, for ERROR, and for a DEFAULT without a default variant. Err is
// non-nil and Code is set exactly when Reason is ERROR.
type Resolution struct {
	Variant  string
	Value    any
	Reason   string
	Err      error
	Code     string
	Metadata map[string]any // the flag's, over those of the whole document; shared, never written to
}

// Evaluator evaluates the flags of one flagd flag-definition document as flagd
// does. A split by the targeting key, or by an expression of var and cat, is
// compiled, because that is what a fleet evaluates at rate; any other targeting is
// JsonLogic with flagd's operators (fractional, starts_with, ends_with, sem_ver),
// with $flagd.flagKey and $flagd.timestamp in its context and with the rules of
// $evaluators in place of their $ref. It is immutable and safe for use from any
// goroutine. The zero Evaluator knows no flags.
type Evaluator struct {
	flags map[string]*evalFlag
	keys  []string // sorted
	meta  map[string]any
	now   func() time.Time // nil for time.Now
}

// WithNow is the same Evaluator with another clock, which $flagd.timestamp reads.
func (e *Evaluator) WithNow(now func() time.Time) *Evaluator {
	other := *e
	other.now = now
	return &other
}

type evalFlag struct {
	disabled bool
	fallback string // the default variant; "" for none
	variants map[string]any
	meta     map[string]any
	split    *evalSplit // the targeting compiled; nil without, or when it is no plain split
	rule     any        // the targeting as JsonLogic; nil without
	err      error      // targeting that is no rule
}

// NewEvaluator reads a document. What makes flagd refuse a whole document (no
// JSON object, a state other than ENABLED and DISABLED, no variants, a default
// variant that is not among them) is ErrInvalid here too, so that a bad file
// can be told from a good one before it replaces anything.
func NewEvaluator(doc []byte) (*Evaluator, error) {
	// Maps, not structs: encoding/json matches struct fields regardless of
	// case, and flagd does not.
	var top map[string]json.RawMessage
	if err := json.Unmarshal(doc, &top); err != nil || top == nil {
		return nil, evalInvalid("flag definitions: not a JSON object", err)
	}
	var raw map[string]map[string]json.RawMessage
	if flags, ok := top["flags"]; ok {
		if err := json.Unmarshal(flags, &raw); err != nil {
			return nil, evalInvalid("flag definitions: flags is not an object of objects", err)
		}
	}
	var shared map[string]json.RawMessage
	if raw, ok := top["$evaluators"]; ok && json.Unmarshal(raw, &shared) != nil {
		return nil, evalInvalid("flag definitions: $evaluators is not an object", nil)
	}
	e := &Evaluator{flags: make(map[string]*evalFlag, len(raw)), meta: evalMetadata(top["metadata"], nil)}
	for key, fields := range raw {
		f, err := evalReadFlag(fields)
		if err != nil {
			return nil, fmt.Errorf("flag %q: %w", sources.Clean(key, sources.MaxName), err)
		}
		f.meta = evalMetadata(fields["metadata"], e.meta)
		f.target(fields["targeting"], shared)
		e.flags[key] = f
	}
	e.keys = slices.Sorted(maps.Keys(e.flags))
	return e, nil
}

// Keys is the key of every flag, sorted; shared, never written to.
func (e *Evaluator) Keys() []string { return e.keys }

// Metadata is that of the document as a whole; shared, never written to.
func (e *Evaluator) Metadata() map[string]any { return e.meta }

// evalMetadata is the scalars of a metadata object over those of base.
func evalMetadata(raw json.RawMessage, base map[string]any) map[string]any {
	var own map[string]any
	if len(raw) == 0 || json.Unmarshal(raw, &own) != nil || len(own) == 0 {
		return base
	}
	all := maps.Clone(base)
	if all == nil {
		all = make(map[string]any, len(own))
	}
	for k, v := range own {
		switch v.(type) {
		case bool, string, float64:
			all[k] = v
		}
	}
	return all
}

// Evaluate resolves a flag for one targeting key. The attributes are what
// {"var": …} reads; "targetingKey" and "$flagd.flagKey" are always there. A
// flag that is not in the document is an ERROR that wraps ErrNotFound.
func (e *Evaluator) Evaluate(flagKey, targetingKey string, attrs map[string]any) Resolution {
	f, ok := e.flags[flagKey]
	if !ok {
		r := evalFailed(flagKey, CodeNotFound, sources.ErrNotFound)
		r.Metadata = e.meta
		return r
	}
	r := f.evaluate(evalScope{flag: flagKey, key: targetingKey, attrs: attrs, now: e.now})
	r.Metadata = f.meta
	return r
}

func (f *evalFlag) evaluate(s evalScope) Resolution {
	switch {
	case f.disabled:
		return Resolution{Reason: ReasonDisabled}
	case f.err != nil:
		return evalFailed(s.flag, CodeParse, f.err)
	}
	variant, reason := f.fallback, ReasonStatic
	if f.rule != nil {
		reason = ReasonDefault
		v, ok, err := f.pick(s)
		if err != nil {
			return evalFailed(s.flag, CodeParse, err)
		}
		if ok {
			variant, reason = v, ReasonTargetingMatch
		}
	}
	if variant == "" && reason != ReasonTargetingMatch {
		return Resolution{Reason: ReasonDefault}
	}
	value, ok := f.variants[variant]
	if !ok {
		return evalFailed(s.flag, CodeGeneral, fmt.Errorf("variant %q is not defined: %w", sources.Clean(variant, sources.MaxName), sources.ErrInvalid))
	}
	return Resolution{Variant: variant, Value: value, Reason: reason}
}

func evalFailed(flagKey, code string, err error) Resolution {
	return Resolution{Reason: ReasonError, Code: code, Err: fmt.Errorf("flag %q: %w", sources.Clean(flagKey, sources.MaxName), err)}
}

func evalReadFlag(fields map[string]json.RawMessage) (*evalFlag, error) {
	f := &evalFlag{}
	var state string
	if json.Unmarshal(fields["state"], &state) != nil || (state != "ENABLED" && state != "DISABLED") {
		return nil, evalInvalid("state is neither ENABLED nor DISABLED", nil)
	}
	f.disabled = state == "DISABLED"
	if json.Unmarshal(fields["variants"], &f.variants) != nil || f.variants == nil {
		return nil, evalInvalid("variants is not an object", nil)
	}
	if raw, ok := fields["defaultVariant"]; ok && json.Unmarshal(raw, &f.fallback) != nil {
		return nil, evalInvalid("defaultVariant is not a string", nil)
	}
	if _, ok := f.variants[f.fallback]; f.fallback != "" && !ok {
		return nil, evalInvalid("defaultVariant is not among the variants", nil)
	}
	return f, nil
}

// pick is the variant that the targeting gives, false for the default one.
func (f *evalFlag) pick(s evalScope) (string, bool, error) {
	if f.split != nil {
		v, ok, err := f.split.pick(s)
		if !errors.Is(err, sources.ErrUnsupported) {
			return v, ok, err
		}
	}
	return logicPick(f.rule, s)
}

// target reads the targeting; {} and null are none to flagd.
func (f *evalFlag) target(raw json.RawMessage, shared map[string]json.RawMessage) {
	if len(raw) == 0 {
		return
	}
	var members map[string]json.RawMessage
	switch err := json.Unmarshal(raw, &members); {
	case err != nil:
		f.err = evalInvalid("the targeting is not an object", nil)
		return
	case len(members) == 0:
		return
	case len(members) > 1:
		f.err = evalInvalid("the targeting has several rules side by side", nil)
		return
	}
	if f.rule, f.err = logicRule(raw, shared); f.err != nil {
		f.rule = nil
		return
	}
	if _, ok := members["$ref"]; ok {
		b, err := json.Marshal(f.rule)
		if err != nil {
			return
		}
		raw = b
	}
	// What is no plain split is left to the rule.
	if split, err := evalReadTargeting(raw); err == nil {
		f.split = split
	}
}

// evalReadTargeting compiles a fractional split.
func evalReadTargeting(raw json.RawMessage) (*evalSplit, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	var rule map[string]json.RawMessage
	if err := json.Unmarshal(raw, &rule); err != nil {
		return nil, evalForeign("targeting that is not an object")
	}
	if len(rule) == 0 {
		return nil, nil // {} and null are no targeting to flagd
	}
	body, ok := rule["fractional"]
	if !ok || len(rule) != 1 {
		return nil, evalForeign("targeting other than one fractional split")
	}
	var args []json.RawMessage
	if err := json.Unmarshal(body, &args); err != nil || args == nil {
		return nil, evalForeign("a fractional that is not a list")
	}
	return evalReadSplit(args)
}

// evalForeign is what a compiled split does not cover.
func evalForeign(what string) error {
	return fmt.Errorf("%s is no plain split: %w", what, sources.ErrUnsupported)
}

func evalInvalid(what string, cause error) error {
	if cause != nil {
		return fmt.Errorf("%s (%s): %w", what, sources.Clean(cause.Error(), sources.MaxName), sources.ErrInvalid)
	}
	return fmt.Errorf("%s: %w", what, sources.ErrInvalid)
}

// evalBucket is where flagd puts a string among total weights: the high half of
// a 32x32 bit product, which keeps those at 10 % within those at 30 %.
func evalBucket(by string, total uint64) uint64 {
	return uint64(murmur3.StringSum32(by)) * total >> 32
}

// evalScope is what an expression can see.
type evalScope struct {
	flag, key string
	attrs     map[string]any
	now       func() time.Time
}

// seconds is the time of the evaluation.
func (s evalScope) seconds() int64 {
	if s.now == nil {
		return time.Now().Unix()
	}
	return s.now().Unix()
}

// lookup follows a dotted path as JSON Logic's var does; nil when nothing is there.
func (s evalScope) lookup(path string) any {
	switch path {
	case "targetingKey":
		if s.key == "" {
			return nil
		}
		return s.key
	case "$flagd.flagKey":
		return s.flag
	}
	var at any = s.attrs
	for step := range strings.SplitSeq(path, ".") {
		m, ok := at.(map[string]any)
		if !ok {
			return nil
		}
		at = m[step]
	}
	return at
}
