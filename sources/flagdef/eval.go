package flagdef

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

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
// does. It covers state, default variant and fractional splits (bucketed by
// the targeting key, or by an expression of var and cat); any other targeting
// resolves to ERROR rather than to a guess. It is immutable and safe for use
// from any goroutine. The zero Evaluator knows no flags.
type Evaluator struct {
	flags map[string]*evalFlag
	keys  []string // sorted
	meta  map[string]any
}

type evalFlag struct {
	disabled bool
	fallback string // the default variant; "" for none
	variants map[string]any
	meta     map[string]any
	split    *evalSplit // nil without targeting
	err      error      // targeting that is not evaluated here
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
	e := &Evaluator{flags: make(map[string]*evalFlag, len(raw)), meta: evalMetadata(top["metadata"], nil)}
	for key, fields := range raw {
		f, err := evalReadFlag(fields)
		if err != nil {
			return nil, fmt.Errorf("flag %q: %w", sources.Clean(key, sources.MaxName), err)
		}
		f.meta = evalMetadata(fields["metadata"], e.meta)
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
	r := f.evaluate(evalScope{flag: flagKey, key: targetingKey, attrs: attrs})
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
	if f.split != nil {
		reason = ReasonDefault
		v, ok, err := f.split.pick(s)
		if err != nil {
			return evalFailed(s.flag, CodeGeneral, err)
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
	f.split, f.err = evalReadTargeting(fields["targeting"])
	return f, nil
}

// evalReadTargeting compiles a fractional split; nil without targeting.
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

// evalForeign is targeting that flagd may well evaluate and this does not.
func evalForeign(what string) error {
	return fmt.Errorf("%s is not evaluated here: %w", what, sources.ErrUnsupported)
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
