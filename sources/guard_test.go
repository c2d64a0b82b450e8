package sources_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
)

func guardFlag(rollout int) *sources.Flag {
	return &sources.Flag{
		ID: sources.FlagID{Source: "prod", Key: `a"b\c`}, Name: "ab", Variant: "on", Metric: "payment API",
		Tags: []string{"payments"}, Rollout: sources.Some(sources.Pct(rollout)), State: sources.FlagOn,
	}
}

func TestAGuardHoldsForTheFlagsAndTagsItNames(t *testing.T) {
	t.Parallel()
	f := guardFlag(25)
	require.True(t, (&sources.Guard{}).For(f), "one that names nothing holds for all")
	require.True(t, (&sources.Guard{Flags: []string{"x", `a"b\c`}}).For(f))
	require.True(t, (&sources.Guard{Flags: []string{"x"}, Tags: []string{"payments"}}).For(f))
	require.False(t, (&sources.Guard{Flags: []string{"x"}}).For(f))
	require.False(t, (&sources.Guard{Tags: []string{"search"}}).For(f))
}

func TestAKeyCannotBreakOutOfAQuery(t *testing.T) {
	t.Parallel()
	g := sources.Guard{Window: 90 * time.Second}
	require.Equal(t, `rate(x{flag="a\"b\\c",variant="on"}[1m30s])`, g.Expand(`rate(x{flag="$flag",variant="$variant"}[$window])`, guardFlag(1)))
}

func TestWhatAGuardComparesWith(t *testing.T) {
	t.Parallel()
	some := func(v float64) sources.Value { return sources.Some(v) }
	for name, c := range map[string]struct {
		guard   sources.Guard
		rollout int
		sample  sources.GuardSample
		verdict sources.GuardVerdict
		text    string
	}{
		"twice the baseline": {
			sources.Guard{Against: sources.AgainstBaseline, Limit: 1.5, MinCount: 10},
			25,
			sources.GuardSample{Value: some(2), Base: some(1), Count: some(50), BaseCount: some(50)},
			sources.GuardBreach, "g 2, more than the 1.5 the other cohort allows (n 50)",
		},
		"a little more than a baseline of nothing": {
			sources.Guard{Against: sources.AgainstBaseline, Limit: 1.5, Slack: 0.01},
			25,
			sources.GuardSample{Value: some(0.005), Base: some(0)},
			sources.GuardPass, "g 0.005, within the 0.01 the other cohort allows",
		},
		"a baseline of too few": {
			sources.Guard{Against: sources.AgainstBaseline, Limit: 1.5, MinCount: 10, Baseline: "off"},
			25,
			sources.GuardSample{Value: some(2), Base: some(1), Count: some(50), BaseCount: some(3)},
			sources.GuardInsufficient, "g has too few samples of off to compare with (n 50)",
		},
		"no baseline": {
			sources.Guard{Against: sources.AgainstBaseline, Limit: 1.5},
			25,
			sources.GuardSample{Value: some(2)},
			sources.GuardUnknown, "g is unknown: there is nothing to compare with",
		},
		"before the first step": {
			sources.Guard{Against: sources.AgainstBefore, Limit: 1.5},
			0,
			sources.GuardSample{Value: some(2)},
			sources.GuardInsufficient, "g has nothing to compare with before the ramp begins",
		},
		"worse than before": {
			sources.Guard{Against: sources.AgainstBefore, Limit: 1.2, Preset: sources.GuardP99},
			25,
			sources.GuardSample{Value: some(0.5), Base: some(0.4)},
			sources.GuardBreach, "g 500 ms, more than the 480 ms before the ramp allows",
		},
		"nobody came": {
			sources.Guard{Limit: 1},
			25,
			sources.GuardSample{Count: some(0)},
			sources.GuardInsufficient, "g has too few samples to judge (1 wanted) (n 0)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.guard.Name = "g"
			r := c.guard.Judge(guardFlag(c.rollout), c.sample, nil)
			require.Equal(t, c.text, r.Text)
			require.Equal(t, c.verdict, r.Verdict)
		})
	}
}

// measured is a snapshot in which payment API and its breaker are as given.
func measured(health sources.Health, l sources.Latency, breaker sources.BreakerState) (*sources.Snapshot, time.Time) {
	now := time.Unix(1_800_000_000, 0)
	l.Source, l.Name, l.Calls = "prom", "payment API", []string{"ledger"}
	return &sources.Snapshot{
		Sources:   []sources.SourceStatus{{Name: "prom", Metrics: true, Health: health, LastOK: now.Add(-40 * time.Second)}},
		Latencies: []sources.Latency{l},
		Breakers:  []sources.Breaker{{Source: "prom", Name: "ledger", State: breaker}, {Source: "prom", Name: "search", State: sources.BreakerOpen}},
	}, now
}

func TestPresetsAreJudgedOnWhatTheBoardReads(t *testing.T) {
	t.Parallel()
	busy := sources.Latency{P99: sources.Quantile{Seconds: 0.6, OK: true}, ErrorRatio: sources.Some(0.01), Rate: sources.Some(20.0)}
	over := busy
	over.P99 = sources.Quantile{Seconds: 0.3, OK: true, Over: true}
	idle := sources.Latency{Rate: sources.Some(0.0)}
	p99 := sources.Guard{Name: "p99", Preset: sources.GuardP99, Limit: 0.5, MinCount: 100}
	errs := sources.Guard{Name: "errors", Preset: sources.GuardErrors, Limit: 0.02}
	brk := sources.Guard{Name: "breakers", Preset: sources.GuardBreaker}
	elsewhere := p99
	elsewhere.Of = "checkout"
	for name, c := range map[string]struct {
		guard   sources.Guard
		health  sources.Health
		l       sources.Latency
		breaker sources.BreakerState
		verdict sources.GuardVerdict
		text    string
	}{
		"slow":              {p99, sources.Fresh, busy, 0, sources.GuardBreach, "p99 600 ms, more than the 500 ms (n 1200)"},
		"errors":            {errs, sources.Fresh, busy, 0, sources.GuardPass, "errors 1%, within the 2% (n 1200)"},
		"above all buckets": {p99, sources.Fresh, over, 0, sources.GuardUnknown, "p99 is unknown: p99 is above the last bucket, 300 ms"},
		"nobody came":       {p99, sources.Fresh, idle, 0, sources.GuardInsufficient, "p99 has too few samples to judge (100 wanted) (n 0)"},
		"stale":             {p99, sources.Stale, busy, 0, sources.GuardUnknown, "p99 is unknown: prom is 40s old"},
		"not measured":      {elsewhere, sources.Fresh, busy, 0, sources.GuardUnknown, "p99 is unknown: checkout is not measured"},
		"closed":            {brk, sources.Fresh, busy, sources.BreakerClosed, sources.GuardPass, "breakers: ledger closed"},
		"open":              {brk, sources.Fresh, busy, sources.BreakerOpen, sources.GuardBreach, "breakers: ledger is open"},
		"nobody knows":      {brk, sources.Fresh, busy, sources.BreakerUnknown, sources.GuardUnknown, "breakers is unknown: ledger (its state is not known)"},
		"breaker stale":     {brk, sources.Stale, busy, sources.BreakerClosed, sources.GuardUnknown, "breakers is unknown: ledger (prom is 40s old)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, now := measured(c.health, c.l, c.breaker)
			r := s.Preset(&c.guard, guardFlag(25), sources.Value{}, now)
			require.Equal(t, c.text, r.Text)
			require.Equal(t, c.verdict, r.Verdict)
		})
	}
}

func TestTheBurningOfABudgetIsAPreset(t *testing.T) {
	t.Parallel()
	g := sources.Guard{Name: "burn", Preset: sources.GuardBurn, Limit: 2}
	l := sources.Latency{Rate: sources.Some(10.0), Budget: sources.Budget{Objective: 0.999, Burns: []sources.Burn{{Over: 5 * time.Minute, Rate: 3}, {Over: time.Hour, Rate: 1}}}}
	s, now := measured(sources.Fresh, l, sources.BreakerClosed)
	r := s.Preset(&g, guardFlag(25), sources.Value{}, now)
	require.Equal(t, sources.GuardBreach, r.Verdict)
	require.Equal(t, "burn 3, more than the 2 (n 600)", r.Text)
	g.Window = time.Hour
	require.Equal(t, sources.GuardPass, s.Preset(&g, guardFlag(25), sources.Value{}, now).Verdict)
	g.Window = 42 * time.Minute
	require.Equal(t, sources.GuardUnknown, s.Preset(&g, guardFlag(25), sources.Value{}, now).Verdict, "nobody reads that span")
	s, now = measured(sources.Fresh, sources.Latency{Rate: sources.Some(10.0)}, sources.BreakerClosed)
	r = s.Preset(&g, guardFlag(25), sources.Value{}, now)
	require.Equal(t, "burn is unknown: no objective is set for payment API", r.Text)
}

func TestTheNextStepIsExplainedInTrafficAndWhatIsMissingReadsUnknown(t *testing.T) {
	t.Parallel()
	busy := sources.Latency{Rate: sources.Some(4800.0), SLO: 500 * time.Millisecond, P99: sources.Quantile{Seconds: 0.32, OK: true}}
	slow := busy
	slow.P99.Seconds = 3.2
	for name, c := range map[string]struct {
		health  sources.Health
		l       sources.Latency
		breaker sources.BreakerState
		want    string
	}{
		"all is known":      {sources.Fresh, busy, sources.BreakerClosed, "about +1.2k req/s on payment API; p99 budget left 180 ms; breaker ledger closed"},
		"over the budget":   {sources.Fresh, slow, sources.BreakerOpen, "about +1.2k req/s on payment API; p99 over its budget by 2.7 s; breaker ledger open"},
		"nothing is known":  {sources.Fresh, sources.Latency{SLO: time.Second}, sources.BreakerUnknown, "traffic on payment API unknown; p99 budget unknown; breaker ledger unknown"},
		"the source is old": {sources.Stale, busy, sources.BreakerClosed, "traffic on payment API unknown: prom is 40s old"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, now := measured(c.health, c.l, c.breaker)
			require.Equal(t, c.want, s.Explain(guardFlag(25), sources.Pct(50), now))
		})
	}
	s, now := measured(sources.Fresh, busy, sources.BreakerClosed)
	f := guardFlag(25)
	f.Metric = ""
	require.Equal(t, "what it moves is unknown: no latency is named for it", s.Explain(f, sources.Pct(50), now))
	f.Metric = "search"
	require.Equal(t, "traffic unknown: search is not measured", s.Explain(f, sources.Pct(50), now))
}
