package main

import (
	"errors"
	"slices"
	"strings"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
)

// breakerStates is the words that breakers.values may give a number.
var breakerStates = []string{"closed", "half-open", "open", "forced-open", "forced-closed", "disabled", "unknown"}

func (c *Config) validatePresets(ctx *ContextConfig) error {
	for i := range ctx.Latency {
		l := &ctx.Latency[i]
		if err := c.validatePreset(l.Preset, metrics.LatencyPresets(ctx.latencies)); err != nil {
			return err
		}
		if l.SLI.S != "" && l.SLI.S != "errors" && l.SLI.S != "latency" {
			return c.errAt(l.SLI.at, "unknown sli %s: write latency or errors", quote(l.SLI.S))
		}
		rule := metrics.Config{Latency: []metrics.LatencyRule{l.rule()}, Latencies: ctx.latencies}
		if err := rule.Validate(); err != nil {
			return c.errAt(firstPos(l.Match.at, l.Name.at), "%s", trimInvalid(err))
		}
	}
	for i := range ctx.Breakers {
		b := &ctx.Breakers[i]
		if err := c.validatePreset(b.Preset, metrics.BreakerPresets(ctx.presets)); err != nil {
			return err
		}
		for _, num := range keysOf(b.Values) {
			if word := b.Values[num]; !slices.Contains(breakerStates, word.S) {
				return c.errAt(word.at, "unknown breaker state %s%s", quote(word.S), didYouMean(word.S, "states", slices.Clone(breakerStates)))
			}
		}
		rule := metrics.Config{Breakers: []metrics.BreakerRule{b.rule()}, Presets: ctx.presets}
		if err := rule.Validate(); err != nil {
			return c.errAt(firstPos(b.Preset.at, b.Metric.at, b.Match.at, b.NameLabel.at), "%s", trimInvalid(err))
		}
	}
	for i := range ctx.Deploys {
		d := &ctx.Deploys[i]
		rule := metrics.Config{Versions: []metrics.VersionRule{d.rule()}}
		if err := rule.Validate(); err != nil {
			return c.errAt(firstPos(d.Metric.at, d.Match.at), "%s", trimInvalid(err))
		}
	}
	return nil
}

func (d *DeployConfig) rule() metrics.VersionRule {
	return metrics.VersionRule{Metric: d.Metric.S, Version: d.Version.S, Service: d.Service.S, Match: d.Match.S}
}

func (c *Config) validatePreset(t Text, known []string) error {
	if known = append([]string{"auto"}, known...); t.S == "" || slices.Contains(known, t.S) {
		return nil
	}
	return c.errAt(t.at, "unknown preset %s%s", quote(t.S), didYouMean(t.S, "presets", known))
}

func (l *LatencyConfig) rule() metrics.LatencyRule {
	calls := make([]string, len(l.Calls))
	for i, name := range l.Calls {
		calls[i] = name.S
	}
	return metrics.LatencyRule{
		Name: l.Name.S, Preset: l.Preset.S, Match: l.Match.S, SLO: l.SLO.D, Calls: calls,
		Objective: l.Objective.V, Window: l.Window.D, Errors: l.SLI.S == "errors",
	}
}

func (b *BreakerConfig) rule() metrics.BreakerRule {
	values := make(map[string]string, len(b.Values))
	for num, word := range b.Values {
		values[num] = word.S
	}
	return metrics.BreakerRule{
		Preset: b.Preset.S, Metric: b.Metric.S, Match: b.Match.S, Values: values, NameLabel: b.NameLabel.S,
	}
}

// metricsConfig is what the context says about metrics, for the drivers.
func (c *ContextConfig) metricsConfig() metrics.Config {
	out := metrics.Config{Presets: c.presets, Latencies: c.latencies, Ratios: c.ratios()}
	for i := range c.Latency {
		out.Latency = append(out.Latency, c.Latency[i].rule())
	}
	for i := range c.Breakers {
		out.Breakers = append(out.Breakers, c.Breakers[i].rule())
	}
	for i := range c.Deploys {
		out.Versions = append(out.Versions, c.Deploys[i].rule())
	}
	return out
}

// schemaEnums is the words that a key is limited to, for editors; nil for any.
func schemaEnums(field string) []string {
	switch field {
	case "ContextConfig.accent":
		return accentNames
	case "ContextConfig.motion":
		return motionWords
	case "ContextConfig.notify":
		return callWords
	case "ContextConfig.title":
		return titleWords
	case "OutletConfig.type":
		return outletTypes
	case "GuardConfig.preset":
		return guardPresets()
	case "GuardConfig.against":
		return againstWords
	case "RampConfig.on_breach":
		return breachWords
	case "LatencyConfig.preset", "BreakerConfig.preset":
		return nil // a file of the operator's own may add to them
	default:
		return nil
	}
}

func firstPos(places ...pos) pos {
	for _, p := range places {
		if p.line > 0 {
			return p
		}
	}
	return pos{}
}

// trimInvalid is the sentence without the sentinel's word at its end.
func trimInvalid(err error) string {
	s, _ := strings.CutSuffix(err.Error(), ": "+sources.ErrInvalid.Error())
	if !errors.Is(err, sources.ErrInvalid) {
		s = err.Error()
	}
	return cleanMsg(s)
}
