package sources_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
)

func inState(states ...sources.BreakerState) (list []sources.BreakerInstance) {
	for i, s := range states {
		list = append(list, sources.BreakerInstance{Name: string(rune('a' + i)), State: s})
	}
	return list
}

func TestABreakerOverItsInstancesIsTheWorstOfThemInFewWords(t *testing.T) {
	t.Parallel()
	const closed, open, half, forced, disabled = sources.BreakerClosed, sources.BreakerOpen, sources.BreakerHalfOpen, sources.BreakerForcedOpen, sources.BreakerDisabled
	for words, list := range map[string][]sources.BreakerInstance{
		"closed":          inState(closed, closed),
		"open 1/3":        inState(closed, open, half),
		"forced-open 2/3": inState(forced, open, forced),
		"open 2/3":        inState(open, open, forced),
		"forced-open 1/2": inState(forced, open),
		"half-open 1/2":   inState(half, disabled),
		"disabled 1/2":    inState(disabled, closed),
		"unknown":         nil,
	} {
		require.Equal(t, words, sources.BriefInstances(list))
	}
	gone := append(inState(closed, closed), sources.BreakerInstance{Name: "z", Err: "refuses connections"})
	require.Equal(t, "closed 2/3, 1 not read", sources.BriefInstances(gone))
	b := sources.GatherBreaker(gone)
	require.Equal(t, sources.BreakerClosed, b.State, "what could not be read decides nothing")
	require.Equal(t, 3, b.Instances)
	require.Equal(t, sources.BreakerUnknown, sources.GatherBreaker(gone[2:]).State)
}

func TestOnlyTheVerySameNameOnBothSidesIsOneBreaker(t *testing.T) {
	t.Parallel()
	switches := func(source string) bool { return source == "app" || source == "app2" }
	names := func(list ...sources.Breaker) (out []string) {
		for _, b := range sources.JoinBreakers(list, switches) {
			out = append(out, b.Source+" "+b.Name+" "+b.Also)
		}
		return out
	}
	at := func(source, name string) sources.Breaker { return sources.Breaker{Source: source, Name: name} }
	require.Equal(t, []string{"app a prom"}, names(at("prom", "a"), at("app", "a")))
	require.Equal(t, []string{"prom orders/a ", "app a "}, names(at("prom", "orders/a"), at("app", "a")))
	require.Equal(t, []string{"app a ", "app2 a ", "prom a "}, names(at("app", "a"), at("app2", "a"), at("prom", "a")), "which of the two it is nobody can say")
	require.Equal(t, []string{"app a ", "prom a ", "scrape a "}, names(at("app", "a"), at("prom", "a"), at("scrape", "a")))
}

func TestWhoDecidesAStateIsToldApart(t *testing.T) {
	t.Parallel()
	for s, want := range map[sources.BreakerState]sources.Forcing{
		sources.BreakerClosed: sources.ForcedNot, sources.BreakerOpen: sources.ForcedNot, sources.BreakerHalfOpen: sources.ForcedNot,
		sources.BreakerForcedOpen: sources.ForcedOpen, sources.BreakerDisabled: sources.ForcedShut, sources.BreakerForcedClosed: sources.ForcedShut,
		sources.BreakerUnknown: sources.ForcedUnknown,
	} {
		require.Equal(t, want, s.Forcing())
		require.Equal(t, s, sources.BreakerStateOf(s.String()))
	}
}
