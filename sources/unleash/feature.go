package unleash

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"relctl-tui/sources"
)

// gradual is the one kind of strategy that is a percentage.
const gradual = "flexibleRollout"

// strategy is one strategy as the Admin API gives it. What is acted upon is kept as
// it came, so that fields which this version does not know count as well.
type strategy struct {
	ID          string                     `json:"id"`
	Name        string                     `json:"name"`
	Disabled    bool                       `json:"disabled"`
	Parameters  map[string]json.RawMessage `json:"parameters"`
	Constraints []json.RawMessage          `json:"constraints"`
	Segments    []json.RawMessage          `json:"segments"`
	Variants    []json.RawMessage          `json:"variants"`
}

// feature is one flag in the environment that is shown.
type feature struct {
	Name, Description, Type string
	Stale                   bool
	Enabled                 bool
	Strategies              []strategy
	Parents                 []string // flags that this one depends on
}

// param is a parameter as text, whatever JSON type it has; false when it is absent.
func (s *strategy) param(name string) (string, bool) {
	raw, ok := s.Parameters[name]
	if !ok || string(raw) == "null" {
		return "", false
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text, true
	}
	return string(raw), true
}

// rollout is the strategy's percentage, or why it cannot be told: Unleash takes any
// text, and the SDKs differ in what they make of one that is no whole number.
func (s *strategy) rollout() (sources.Percent, string) {
	text, ok := s.param("rollout")
	if !ok {
		return 0, "the rollout strategy has no percentage"
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > 100 || text != strconv.Itoa(n) {
		return 0, "rollout " + strconv.Quote(sources.Clean(text, 20)) + " is no whole number from 0 to 100, SDKs differ in what they make of it"
	}
	return sources.Pct(n), ""
}

// inOrder sorts what Unleash gives in any order.
func (f *feature) inOrder() {
	slices.SortStableFunc(f.Strategies, func(a, b strategy) int { return cmp.Compare(a.ID, b.ID) })
	slices.Sort(f.Parents)
}

// active is the strategies that are evaluated.
func (f *feature) active() []*strategy {
	var out []*strategy
	for i := range f.Strategies {
		if !f.Strategies[i].Disabled {
			out = append(out, &f.Strategies[i])
		}
	}
	return out
}

// ramped is the one strategy that the flag's percentage is, or nil and why there is
// no such one.
func (f *feature) ramped() (*strategy, string) {
	on := f.active()
	switch {
	case len(f.Strategies) == 0:
		return nil, "no strategy: on is on for everybody, add a gradual rollout in Unleash to ramp it"
	case len(on) == 0:
		return nil, "every strategy is disabled, enable one in Unleash"
	case len(on) > 1:
		return nil, fmt.Sprintf("%d strategies, one of which is enough: %s", len(on), list(on))
	case on[0].Name != gradual || len(on[0].Constraints) > 0 || len(on[0].Segments) > 0:
		return nil, list(on)
	}
	return on[0], ""
}

// list names strategies and what narrows them.
func list(all []*strategy) string {
	var out []string
	for _, s := range all[:min(len(all), 10)] {
		text := sources.Clean(s.Name, 60)
		if p, ok := s.param("rollout"); ok {
			text += " " + sources.Clean(p, 20) + "%"
		}
		var narrowed []string
		for _, c := range s.Constraints[:min(len(s.Constraints), 5)] {
			var con struct{ ContextName, Operator string }
			_ = json.Unmarshal(c, &con)
			narrowed = append(narrowed, sources.Clean(strings.TrimSpace(con.ContextName+" "+con.Operator), 60))
		}
		if more := len(s.Constraints) - len(narrowed); more > 0 {
			narrowed = append(narrowed, fmt.Sprintf("%d more constraints", more))
		}
		if n := len(s.Segments); n > 0 {
			narrowed = append(narrowed, plural(n, "segment"))
		}
		if len(narrowed) > 0 {
			text += " where " + strings.Join(narrowed, " and ")
		}
		out = append(out, text)
	}
	if more := len(all) - len(out); more > 0 {
		out = append(out, fmt.Sprintf("%d more", more))
	}
	return strings.Join(out, ", ")
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// flag is the feature as every store shows one, without when it was changed.
func (s *Store) flag(f *feature) sources.Flag {
	out := sources.Flag{
		ID:   sources.FlagID{Source: s.name, Key: f.Name},
		Name: sources.Clean(f.Name, sources.MaxName), Description: sources.Clean(f.Description, sources.MaxName),
		Pinned: f.Type == "kill-switch", Killed: !f.Enabled, Revision: f.revision(),
	}
	one, why := f.ramped()
	var at sources.Percent
	state := sources.FlagCustom
	if one != nil {
		if at, why = one.rollout(); why != "" {
			state = sources.FlagBroken
		}
	}
	switch {
	case why == "":
		out.State, out.Rollout, out.Stored = sources.FlagOn, sources.Some(at), sources.Some(at)
		if at == 0 {
			out.State = sources.FlagOff
		}
	case len(f.Strategies) == 0:
		out.State, out.Custom, out.Rollout = sources.FlagOn, true, sources.Some(sources.Full)
	default:
		out.State = state
	}
	if out.Killed {
		out.State, out.Rollout = sources.FlagOff, sources.Some(sources.Percent(0))
		out.Custom = why != ""
	}
	out.Note = sources.Clean(strings.Join(append(nonEmpty(why), f.remarks()...), "; "), 2*sources.MaxName)
	return out
}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// remarks is what else one has to know before touching the flag.
func (f *feature) remarks() (out []string) {
	if len(f.Parents) > 0 {
		out = append(out, "depends on "+sources.Clean(strings.Join(f.Parents, ", "), 100))
	}
	on := f.active()
	for _, s := range on {
		if n := len(s.Variants); n > 0 {
			var names []string
			for _, raw := range s.Variants[:min(n, 5)] {
				var v struct{ Name string }
				_ = json.Unmarshal(raw, &v)
				names = append(names, sources.Clean(v.Name, 40))
			}
			out = append(out, plural(n, "variant")+" "+strings.Join(names, ", "))
		}
	}
	if off := len(f.Strategies) - len(on); off > 0 && len(on) > 0 {
		word := "disabled strategies"
		if off == 1 {
			word = "disabled strategy"
		}
		out = append(out, strconv.Itoa(off)+" "+word)
	}
	if f.Stale {
		out = append(out, "stale")
	}
	return out
}

// revision marks what is acted upon: whether the environment is on, and its strategies.
func (f *feature) revision() sources.Revision {
	return sources.Revision(fmt.Sprintf("%t-%s", f.Enabled, f.shape("")))
}

// shape is a hash of all strategies, without the rollout of the one with that id.
func (f *feature) shape(without string) string {
	h := sha256.New()
	for i := range f.Strategies {
		s := &f.Strategies[i]
		parameters := map[string]string{}
		for k := range s.Parameters {
			if k == "rollout" && s.ID == without {
				continue
			}
			if v, ok := s.param(k); ok {
				parameters[k] = v
			}
		}
		_ = json.NewEncoder(h).Encode([]any{ // strings, booleans and canonical JSON cannot fail
			s.ID, s.Name, s.Disabled, parameters, canonical(s.Constraints), canonical(s.Segments), canonical(s.Variants),
		})
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// canonical is values in one spelling, so that equal content has an equal hash.
func canonical(values []json.RawMessage) []string {
	out := make([]string, len(values))
	for i, raw := range values {
		out[i] = string(raw)
		var v any
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		if d.Decode(&v) == nil {
			if b, err := json.Marshal(v); err == nil {
				out[i] = string(b)
			}
		}
	}
	return out
}

// with is the feature after a write: nothing of f is shared that is changed.
func (f *feature) with(enabled bool, strategyID, rollout string) *feature {
	out := *f
	out.Enabled = enabled
	out.Strategies = slices.Clone(f.Strategies)
	for i := range out.Strategies {
		s := &out.Strategies[i]
		if s.ID != strategyID {
			continue
		}
		parameters := make(map[string]json.RawMessage, len(s.Parameters)+1)
		for k, v := range s.Parameters {
			parameters[k] = v
		}
		parameters["rollout"], _ = json.Marshal(rollout) // a string cannot fail
		s.Parameters = parameters
	}
	return &out
}
