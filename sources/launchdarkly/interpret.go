package launchdarkly

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"relctl-tui/sources"
)

// reading is a flag as it is understood: what is shown, and what a change needs.
type reading struct {
	flag sources.Flag
	wire *wireFlag
	env  *wireEnvs // nil when the flag has no configuration in the environment
	on   int       // index of the variation that is counted, of two; -1 when there is none
}

// other is the index of the variation that is not counted.
func (r *reading) other() int { return 1 - r.on }

// read understands a flag. It never fails: what makes no sense is a broken flag.
func (s *Store) read(w *wireFlag) reading {
	r := reading{wire: w, env: w.Environments[s.opts.Environment], on: -1}
	r.flag = sources.Flag{
		ID: sources.FlagID{Source: s.name, Key: w.Key}, Name: sources.Clean(w.Key, sources.MaxName),
		Description: describe(w), Owner: owner(w), Revision: revision(w, r.env),
	}
	f := &r.flag
	if r.env == nil {
		f.Custom, f.Note = true, "no configuration in environment "+s.opts.Environment
		return r
	}
	if ms := r.env.LastModified; ms > 0 && ms < 1<<47 {
		f.ChangedAt = time.UnixMilli(ms).UTC()
	}
	var percent sources.Percent
	var why string
	r.on, why = counted(w, r.env)
	broken := why != ""
	if !broken {
		percent, why, broken = r.percent()
	}
	simple := why == ""
	switch {
	case r.env.On == nil:
		f.Custom, f.Note = true, "it does not say whether it is on"
		return r
	case !*r.env.On:
		f.State, f.Killed, f.Rollout = sources.FlagOff, true, sources.Some(sources.Percent(0))
	case broken:
		f.State = sources.FlagBroken
	case !simple:
		f.State = sources.FlagCustom
	case percent > 0:
		f.State, f.Rollout = sources.FlagOn, sources.Some(percent)
	default:
		f.State, f.Rollout = sources.FlagOff, sources.Some(percent)
	}
	f.Custom, f.Note = !simple, notes(why, w, &r)
	if simple {
		f.Stored = sources.Some(percent)
		f.Variant = sources.Clean(string(w.Variations[r.on].Value), sources.MaxName)
	}
	return r
}

// counted is the variation whose share is the rollout: of a boolean flag the one that
// is not served while it is off, which is true nearly always.
func counted(w *wireFlag, env *wireEnvs) (index int, broken string) {
	n := len(w.Variations)
	if n == 0 {
		return -1, "there are no variations"
	}
	if off := env.OffVariation; off != nil && (*off < 0 || *off >= n) {
		return -1, fmt.Sprintf("the off variation %d is none of %d", *off, n)
	}
	if w.Kind != "boolean" || n != 2 {
		return -1, ""
	}
	yes := slices.IndexFunc(w.Variations, func(v wireVariation) bool { return string(bytes.TrimSpace(v.Value)) == "true" })
	no := slices.IndexFunc(w.Variations, func(v wireVariation) bool { return string(bytes.TrimSpace(v.Value)) == "false" })
	switch {
	case yes < 0 || no < 0:
		return -1, "the variations of a boolean flag are not true and false"
	case env.OffVariation != nil && *env.OffVariation == yes:
		return no, ""
	default:
		return yes, ""
	}
}

// percent is the share of the counted variation, or why it is not one percentage, and
// whether that is because the definition makes no sense.
func (r *reading) percent() (p sources.Percent, why string, broken bool) {
	env := r.env
	if why, broken := check(env.Fallthrough, len(r.wire.Variations)); broken {
		return 0, why, true
	}
	var parts []string
	if r.on < 0 {
		parts = append(parts, fmt.Sprintf("%d variations, kind %s", len(r.wire.Variations), sources.Clean(r.wire.Kind, 40)))
	}
	parts = append(parts, env.targeting()...)
	if roll := env.Fallthrough.Rollout; roll != nil {
		if len(roll.Experiment) > 0 && string(roll.Experiment) != "null" {
			parts = append(parts, "an experiment on the default rule")
		} else if roll.Seed != nil {
			// A patch cannot hand a seed on, so that a ramp would deal everybody anew.
			parts = append(parts, "a seed in the default rule")
		}
	}
	if len(parts) > 0 {
		return 0, sources.Clean(strings.Join(parts, ", "), sources.MaxName), false
	}
	if v := env.Fallthrough.Variation; v != nil {
		if *v == r.on {
			return sources.Full, "", false
		}
		return 0, "", false
	}
	var share int64
	for _, v := range env.Fallthrough.Rollout.Variations {
		if v.Variation == r.on {
			share += v.Weight
		}
	}
	return sources.Percent(share), "", false
}

// check says what makes no sense in a rule's outcome.
func check(serve *wireServe, variations int) (why string, broken bool) {
	switch {
	case serve == nil || serve.Variation == nil && serve.Rollout == nil:
		return "there is no default rule", true
	case serve.Variation != nil && serve.Rollout != nil:
		return "the default rule has a variation and a split", true
	case serve.Variation != nil:
		if v := *serve.Variation; v < 0 || v >= variations {
			return fmt.Sprintf("the default rule's variation %d is none of %d", v, variations), true
		}
		return "", false
	}
	var sum int64
	for _, v := range serve.Rollout.Variations {
		if v.Variation < 0 || v.Variation >= variations {
			return fmt.Sprintf("the split's variation %d is none of %d", v.Variation, variations), true
		}
		if v.Weight < 0 || v.Weight > int64(sources.Full) {
			return fmt.Sprintf("the split has a weight of %d", v.Weight), true
		}
		sum += v.Weight
	}
	if sum != int64(sources.Full) {
		return fmt.Sprintf("the split's weights sum to %d, not to %d", sum, sources.Full), true
	}
	return "", false
}

// targeting lists what decides before the default rule does.
func (e *wireEnvs) targeting() []string {
	var parts []string
	count := func(n int, one string) {
		switch {
		case n == 1:
			parts = append(parts, "1 "+one)
		case n > 1:
			parts = append(parts, fmt.Sprintf("%d %ss", n, one))
		}
	}
	keys := map[string]bool{}
	for _, list := range [][]wireTarget{e.Targets, e.ContextTargets} {
		for _, t := range list {
			for _, v := range t.Values {
				// The same target stands in both lists when its context is a user.
				keys[cmp.Or(t.ContextKind, "user")+"\x00"+v] = true
			}
		}
	}
	count(len(keys), "target")
	rules := 0
	for i := range e.Rules {
		if !e.Rules[i].Disabled {
			rules++
		}
	}
	count(rules, "rule")
	for i, p := range e.Prerequisites {
		if i == 3 {
			parts = append(parts, fmt.Sprintf("%d prerequisites more", len(e.Prerequisites)-i))
			break
		}
		parts = append(parts, "prerequisite "+sources.Clean(p.Key, 60))
	}
	if e.Summary != nil && e.summarised() {
		count(e.Summary.rulesAndTargets(), "rule or target")
	}
	if e.Summary != nil && e.Prerequisites == nil {
		count(e.Summary.Prerequisites, "prerequisite")
	}
	return parts
}

// summarised reports whether rules and targets were only counted, against what was
// asked for. A list that is there and empty is none.
func (e *wireEnvs) summarised() bool {
	return e.Rules == nil && e.Targets == nil && e.ContextTargets == nil
}

func notes(why string, w *wireFlag, r *reading) string {
	var parts []string
	if why != "" {
		parts = append(parts, why)
	}
	if w.Deprecated {
		parts = append(parts, "deprecated")
	}
	if r.on >= 0 && string(bytes.TrimSpace(w.Variations[r.on].Value)) == "false" {
		parts = append(parts, "serves true while it is off")
	}
	return strings.Join(parts, "; ")
}

func describe(w *wireFlag) string {
	text := w.Description
	if text == "" && w.Name != w.Key {
		text = w.Name
	}
	if w.Temporary {
		return sources.Clean(strings.TrimSpace(text+" (temporary)"), 500)
	}
	return sources.Clean(text, 500)
}

func owner(w *wireFlag) string {
	if t := w.MaintainerTeam; t != nil && t.Name != "" {
		return sources.Clean(t.Name, sources.MaxName)
	}
	if m := w.Maintainer; m != nil {
		return sources.Clean(cmp.Or(strings.TrimSpace(m.FirstName+" "+m.LastName), m.Email), sources.MaxName)
	}
	return sources.Clean(w.MaintainerTeamK, sources.MaxName)
}

// revision marks what a flag does in the environment: equal content, equal revision,
// so that an undo gives the one before. The service's own version is left out: it
// grows with every change of any environment. What the service may spell in two ways
// for the same meaning is brought into one.
func revision(w *wireFlag, env *wireEnvs) sources.Revision {
	type content struct {
		Key, Kind  string
		Variations []wireVariation
		On         *bool
		Off        *int
		Serve      *wireServe
		Targets    []wireTarget
		Rules      []wireRule
		Prereqs    []wirePrereq
		Left       int
	}
	c := content{Key: w.Key, Kind: w.Kind}
	for _, v := range w.Variations {
		c.Variations = append(c.Variations, wireVariation{ID: v.ID, Value: normal(v.Value)})
	}
	if env != nil {
		c.On, c.Off, c.Serve, c.Prereqs = env.On, env.OffVariation, canonical(env.Fallthrough), slices.Clone(env.Prerequisites)
		c.Targets = slices.Concat(env.Targets, env.ContextTargets)
		for _, rule := range env.Rules {
			if serve := canonical(&rule.wireServe); serve != nil {
				rule.wireServe = *serve
			}
			rule.Clauses = slices.Clone(rule.Clauses)
			for i := range rule.Clauses {
				values := slices.Clone(rule.Clauses[i].Values)
				for j := range values {
					values[j] = normal(values[j])
				}
				rule.Clauses[i].Values = values
			}
			c.Rules = append(c.Rules, rule)
		}
		if env.Summary != nil && env.summarised() {
			c.Left = env.Summary.rulesAndTargets()
		}
	}
	b, err := json.Marshal(c)
	if err != nil { // raw values were parsed before
		return sources.Revision("unreadable-" + w.Key)
	}
	sum := sha256.Sum256(b)
	return sources.Revision(hex.EncodeToString(sum[:12]))
}

// canonical is a rule's outcome with defaults filled in and shares in order; who has
// no share is left out.
func canonical(s *wireServe) *wireServe {
	if s == nil || s.Rollout == nil {
		return s
	}
	roll := *s.Rollout
	roll.Experiment = normal(roll.Experiment)
	roll.BucketBy, roll.ContextKind = cmp.Or(roll.BucketBy, "key"), cmp.Or(roll.ContextKind, "user")
	roll.Variations = slices.DeleteFunc(slices.Clone(roll.Variations), func(v wireWeight) bool { return v.Weight == 0 })
	slices.SortStableFunc(roll.Variations, func(a, b wireWeight) int { return cmp.Compare(a.Variation, b.Variation) })
	return &wireServe{Variation: s.Variation, Rollout: &roll}
}

// normal is JSON without blanks and with its members in order; numbers and strings stay
// as they are written.
func normal(raw json.RawMessage) json.RawMessage {
	if len(raw) > 0 && raw[0] != '{' && raw[0] != '[' {
		return raw // as it is already, and most values are
	}
	var v any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if dec.Decode(&v) != nil {
		return nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return b
}
