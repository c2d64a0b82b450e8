package main

import (
	"cmp"
	"fmt"
	"strconv"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
)

// MigrationConfig makes a flag a dual-write migration.
type MigrationConfig struct {
	Stages   []Text          `yaml:"stages" doc:"The flag's variants in order. Default: off, dualwrite, shadow, live, rampdown, complete."`
	Compared Text            `yaml:"compared" doc:"First stage in which both sides are compared: from here on a step forward needs a proof. Default: shadow."`
	NoReturn Text            `yaml:"no_return" doc:"First stage in which the old side is not written any more. Default: rampdown."`
	Mismatch *MismatchConfig `yaml:"mismatch" doc:"How often the two sides differ, and what still counts as equal. Without it no compared stage is left forward."`
	Old      Text            `yaml:"old" doc:"Name of the latency of the old side."`
	New      Text            `yaml:"new" doc:"Name of the latency of the new side."`
}

// MismatchConfig is the comparisons of a migration.
type MismatchConfig struct {
	Metric  Text     `yaml:"metric" doc:"Counter of comparisons, such as orders_comparisons_total."`
	Match   Text     `yaml:"match" doc:"Label matchers that narrow it, such as job=\"orders\"."`
	Bad     Text     `yaml:"bad" doc:"Label matchers of those that differ, such as result=\"mismatch\"."`
	Query   Text     `yaml:"query" doc:"PromQL whose value is the ratio from 0 to 1, in place of metric; needs a Prometheus."`
	Limit   Text     `yaml:"limit" doc:"The highest part that may differ, such as 0.1%. Default 0%."`
	Window  Duration `yaml:"window" doc:"For how long it must have stayed within the limit. Default 5m."`
	AtLeast Text     `yaml:"at_least" doc:"Comparisons that the window must hold, where they are counted. Default 100."`
}

const (
	verifyWindow  = 5 * time.Minute
	comparedOften = 100
)

// rule is the migration of the flag of that key; nil where there is none.
func (c *MigrationConfig) rule(key string) (*sources.Migration, error) {
	if c == nil {
		return nil, nil
	}
	m := sources.Migration{Old: c.Old.S, New: c.New.S, Window: verifyWindow, AtLeast: comparedOften}
	for _, s := range c.Stages {
		m.Stages = append(m.Stages, s.S)
	}
	if mm := c.Mismatch; mm != nil {
		m.Mismatch, m.Window = key, cmp.Or(mm.Window.D, verifyWindow)
		limit, err := sources.ParsePercent(cmp.Or(mm.Limit.S, "0"))
		if err != nil {
			return nil, fmt.Errorf("limit: %w", err)
		}
		m.Limit = limit.Float() / 100
		if mm.AtLeast.S != "" {
			n, err := strconv.ParseUint(mm.AtLeast.S, 10, 32)
			if err != nil {
				return nil, fmt.Errorf("at_least: %s is no number of comparisons: %w", quote(mm.AtLeast.S), sources.ErrInvalid)
			}
			m.AtLeast = float64(n)
		}
	}
	return sources.NewMigration(m, c.Compared.S, c.NoReturn.S)
}

// ratios is where the comparisons of all migrations are read.
func (c *ContextConfig) ratios() (out []metrics.RatioRule) {
	for _, key := range keysOf(c.Rules) {
		m, err := c.Rules[key].Migration.rule(key)
		if m == nil || err != nil || m.Mismatch == "" {
			continue
		}
		mm := c.Rules[key].Migration.Mismatch
		out = append(out, metrics.RatioRule{Name: key, Metric: mm.Metric.S, Match: mm.Match.S, Bad: mm.Bad.S, Query: mm.Query.S, Span: m.Span()})
	}
	return out
}

func (c *Config) validateMigration(key string, m *MigrationConfig) error {
	if m == nil {
		return nil
	}
	at := firstPos(m.Compared.at, m.NoReturn.at, m.Old.at, m.New.at)
	if len(m.Stages) > 0 {
		at = firstPos(at, m.Stages[0].at)
	}
	if mm := m.Mismatch; mm != nil {
		at = firstPos(mm.Limit.at, mm.Window.at, mm.AtLeast.at, mm.Metric.at, mm.Query.at, at)
	}
	rule, err := m.rule(key)
	if err != nil {
		return c.errAt(at, "migration of %s: %s", quote(key), trimInvalid(err))
	}
	if rule.Mismatch == "" {
		return nil
	}
	mm := m.Mismatch
	check := metrics.Config{Ratios: []metrics.RatioRule{{Name: key, Metric: mm.Metric.S, Match: mm.Match.S, Bad: mm.Bad.S, Query: mm.Query.S}}}
	if err := check.Validate(); err != nil {
		return c.errAt(firstPos(mm.Metric.at, mm.Query.at, mm.Bad.at, mm.Match.at, at), "%s", trimInvalid(err))
	}
	return nil
}
