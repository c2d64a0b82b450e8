package main

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"relctl-tui/sources"
)

// GuardConfig is one condition on which flags may be raised.
type GuardConfig struct {
	Name     Text     `yaml:"name" doc:"Name on screen. Default: what it measures."`
	Flags    []Text   `yaml:"flags" doc:"Keys of the flags that it holds for. Default: all, or those with one of the tags."`
	Tags     []Text   `yaml:"tags" doc:"Tags of the flags that it holds for."`
	Preset   Text     `yaml:"preset" doc:"What is measured, from what the board reads: error_ratio, p99, slo_burn or breaker (none is open)."`
	Of       Text     `yaml:"of" doc:"Name of the latency or breaker. Default: the latency that the flag is expected to move."`
	Query    Text     `yaml:"query" doc:"PromQL in place of a preset: an instant vector of one series; $flag, $variant and $window are filled in."`
	Count    Text     `yaml:"count" doc:"PromQL for the number of samples behind the query."`
	Against  Text     `yaml:"against" doc:"limit (default), baseline (the cohort with the other variant) or before (the time before the ramp)."`
	Max      Text     `yaml:"max" doc:"The most that passes, such as 500ms, 2% or 0.02; with baseline and before how many times that, such as 1.2."`
	Slack    Text     `yaml:"slack" doc:"With baseline and before: a difference that never matters, such as 20ms or 0.5%."`
	Label    Text     `yaml:"label" doc:"With baseline: the label of the query that names the variant."`
	Baseline Text     `yaml:"baseline" doc:"With baseline: the label's value for the other cohort, such as off."`
	Window   Duration `yaml:"window" doc:"Window of a query, and over which a preset's requests are counted. Default 1m."`
	Least    Text     `yaml:"min_requests" doc:"Samples below which nothing is said."`
}

// RampConfig is how guarded ramps climb.
type RampConfig struct {
	Hold     Duration `yaml:"hold" doc:"How long a flag stays at each step, such as 10m. Default 5m."`
	OnBreach Text     `yaml:"on_breach" doc:"What a breached guard leads to: ask (default), back (one step) or kill."`
}

// rampRule is RampConfig, read.
type rampRule struct {
	hold     time.Duration
	onBreach sources.OnBreach
}

func (r *RampConfig) rule() rampRule {
	return rampRule{hold: r.Hold.D, onBreach: sources.OnBreach(r.OnBreach.S)}
}

// rampOf is how a flag is ramped under guard.
func (s *setup) rampOf(key string) rampRule {
	own := s.rules[key].ramp
	return rampRule{
		hold:     cmp.Or(own.hold, s.ramp.hold),
		onBreach: cmp.Or(own.onBreach, s.ramp.onBreach, sources.AskOnBreach),
	}
}

var (
	againstWords = []string{"limit", string(sources.AgainstBaseline), string(sources.AgainstBefore)}
	breachWords  = []string{string(sources.AskOnBreach), string(sources.BackOnBreach), string(sources.KillOnBreach)}
)

func guardPresets() (words []string) {
	for _, p := range sources.GuardPresets() {
		words = append(words, string(p))
	}
	return words
}

func (c *Config) validateRamp(r *RampConfig) error {
	return c.oneOf(r.OnBreach, "answer to a breach", breachWords)
}

// oneOf checks a word that may be left out.
func (c *Config) oneOf(t Text, what string, known []string) error {
	if t.S == "" || slices.Contains(known, t.S) {
		return nil
	}
	return c.errAt(t.at, "unknown %s %s%s", what, quote(t.S), didYouMean(t.S, "words", slices.Clone(known)))
}

func (c *Config) validateGuards(list []GuardConfig, own bool) error {
	for i := range list {
		g := &list[i]
		if err := c.oneOf(g.Preset, "guard preset", guardPresets()); err != nil {
			return err
		}
		if err := c.oneOf(g.Against, "comparison", againstWords); err != nil {
			return err
		}
		at := firstPos(g.Preset.at, g.Query.at, g.Name.at, g.Of.at, g.Max.at)
		if own && len(g.Flags)+len(g.Tags) > 0 {
			return c.errAt(at, "a guard under a flag's rules holds for that flag: write flags and tags under guards")
		}
		if fault := g.fault(); fault != "" {
			return c.errAt(at, "%s", fault)
		}
		if _, bad := g.rule(nil); bad.S != "" {
			return c.errAt(bad.at, "%s is no number for this guard: write one such as 0.02, 2%% or, for p99, 500ms", quote(bad.S))
		}
	}
	return nil
}

// fault is what does not fit together in a guard; "" for nothing.
func (g *GuardConfig) fault() string {
	breaker := g.Preset.S == string(sources.GuardBreaker)
	baseline := g.Against.S == string(sources.AgainstBaseline)
	query := g.Query.S != ""
	switch {
	case (g.Preset.S == "") != query:
		return "a guard needs a preset or a query, and not both"
	case breaker && (g.Max.S != "" || g.Against.S != ""):
		return "a guard of a breaker takes neither max nor against: it holds while none is open"
	case !breaker && g.Max.S == "":
		return "a guard needs a max"
	case baseline && (!query || g.Label.S == "" || g.Baseline.S == ""):
		return "against baseline needs a query, its label and the baseline's value of it"
	case !query && g.Count.S != "":
		return "count goes with a query: a preset counts its requests itself"
	case query && g.Count.S == "" && g.Least.S != "":
		return "min_requests of a query needs a count"
	default:
		return ""
	}
}

// rule is the guard itself, for the given flags besides its own; bad is a number that
// is none.
func (g *GuardConfig) rule(flags []string) (out sources.Guard, bad Text) {
	texts := func(list []Text) (out []string) {
		for _, t := range list {
			out = append(out, t.S)
		}
		return out
	}
	out = sources.Guard{
		Flags: append(texts(g.Flags), flags...), Tags: texts(g.Tags),
		Preset: sources.GuardPreset(g.Preset.S), Of: sources.Clean(g.Of.S, sources.MaxName), Query: g.Query.S, Count: g.Count.S,
		Against: sources.Against(g.Against.S), Label: g.Label.S, Baseline: g.Baseline.S, Window: g.Window.D,
	}
	if g.Against.S == "limit" {
		out.Against = sources.AgainstLimit
	}
	out.Name = sources.Clean(cmp.Or(g.Name.S, map[sources.GuardPreset]string{
		sources.GuardErrors: "errors", sources.GuardP99: "p99", sources.GuardBurn: "burn", sources.GuardBreaker: "breakers",
	}[out.Preset], "query"), 40)
	if out.Of != "" && g.Name.S == "" {
		out.Name += " of " + out.Of
	}
	inUnit := out.Preset == sources.GuardP99
	for _, n := range []struct {
		t       Text
		dst     *float64
		seconds bool
	}{
		{g.Max, &out.Limit, inUnit && out.Against == sources.AgainstLimit},
		{g.Slack, &out.Slack, inUnit},
		{g.Least, &out.MinCount, false},
	} {
		v, ok := amount(n.t.S, n.seconds)
		if !ok {
			return out, n.t
		}
		*n.dst = v
	}
	return out, Text{}
}

// amount reads 0.02, 2% or, where seconds are meant, 500ms; nothing is 0.
func amount(text string, seconds bool) (float64, bool) {
	if text == "" {
		return 0, true
	}
	if seconds {
		d, err := time.ParseDuration(text)
		return d.Seconds(), err == nil && d > 0
	}
	num, percent := strings.CutSuffix(text, "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(num), 64)
	if percent {
		v /= 100
	}
	return v, err == nil && v >= 0 && v < 1e15
}

// guardsOf are all guards of a context.
func guardsOf(ctx *ContextConfig) (all []sources.Guard) {
	for i := range ctx.Guards {
		g, _ := ctx.Guards[i].rule(nil)
		all = append(all, g)
	}
	for _, key := range keysOf(ctx.Rules) {
		for i := range ctx.Rules[key].Guards {
			g, _ := ctx.Rules[key].Guards[i].rule([]string{key})
			all = append(all, g)
		}
	}
	return all
}
