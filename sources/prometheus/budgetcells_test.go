package prometheus_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
	"relctl-tui/sources/prometheus"
)

// budgetCells is one objective of the recording, and what PromQL is asked instead of
// each of its cells.
type budgetCells struct {
	rule metrics.LatencyRule
	burn func(span time.Duration) string
}

// budgets is for each preset with buckets two objectives of how fast, of which one lies
// between two buckets, and for each preset one of how many fail.
func budgets() (all []budgetCells) {
	const objective, allowed = 0.99, "(1 - 0.99)"
	for i := range everyPreset {
		m := &everyPreset[i]
		if m.summary {
			continue // says of no call how long it took
		}
		sel := fmt.Sprintf("%s=%q%s", m.service, m.preset+"-a", m.more)
		counter := m.metric + "_count"
		if m.counter != "" {
			counter = m.counter
		}
		sum := func(selector string, span time.Duration) string {
			return fmt.Sprintf("sum(rate(%s[%ds]))", selector, int(span.Seconds()))
		}
		every := func(span time.Duration) string { return sum(counter+"{"+sel+"}", span) }
		unit := time.Second
		if m.unit == "0.001" {
			unit = time.Millisecond
		}
		add := func(name string, slo time.Duration, errors bool, burn func(span time.Duration) string) {
			all = append(all, budgetCells{burn: burn, rule: metrics.LatencyRule{
				Name: name + m.preset, Preset: m.preset, Match: fmt.Sprintf("%s=%q", m.service, m.preset+"-a"),
				SLO: slo, Objective: objective, Window: 4 * time.Hour, Errors: errors,
			}})
		}
		slow := func(span time.Duration) string {
			good := sum(m.metric+"_bucket{"+sel+`,le="0.25"}`, span)
			return "clamp_min(" + every(span) + " - " + good + ", 0) / " + every(span) + " / " + allowed
		}
		add("fast ", unit/4, false, slow)
		add("between ", unit*3/10, false, slow)
		add("works ", 0, true, func(span time.Duration) string {
			return share(sum(fmt.Sprintf("%s{%s,%s=%q}", counter, sel, m.outcome, m.bad), span), every(span)) + " / " + allowed
		})
	}
	return all
}

func TestEveryCellOfTheBudgetsIsPromQLsOwnAnswer(t *testing.T) {
	t.Parallel()
	r := newRecording()
	r.latencies()
	url, a := backfilled(t, r, "")
	all := budgets()
	var rules []metrics.LatencyRule
	for i := range all {
		rules = append(rules, all[i].rule)
	}
	told := 0
	for _, at := range moments {
		s := open(t, url, prometheus.Options{Metrics: metrics.Config{Latency: rules}, Transport: pinned{at: at}})
		var set sources.BudgetSet
		for more := true; more; more = set.More {
			var err error
			set, err = s.Budgets(t.Context())
			require.NoError(t, err)
			require.Empty(t, set.Warnings)
		}
		require.Len(t, set.Budgets, len(all))
		for i := range all {
			c := &all[i]
			b := set.Budgets[c.rule.Name]
			for _, span := range sources.BurnSpans() {
				cell := fmt.Sprintf("%s over %s at %s", c.rule.Name, span, at)
				sameNumber(t, a, at, c.burn(span), b.Burn(span), cell)
				if b.Burn(span).V > 0 {
					told++
				}
			}
			sameNumber(t, a, at, "1 - "+c.burn(c.rule.Window), b.Left, c.rule.Name+": left")
		}
	}
	require.Greater(t, told, len(all), "nothing burns, so that nothing was compared")
}
