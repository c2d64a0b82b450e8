package latency_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
	"relctl-tui/views/latency"
	"relctl-tui/views/viewtest"
)

func build(th *themes.Theme) viewtest.Pane {
	m := latency.New(th, views.DefaultKeyMap())
	return &m
}

func TestGoldens(t *testing.T) {
	t.Parallel()
	viewtest.Goldens(t, 8, build)
}

func TestEveryLineKeepsItsWidth(t *testing.T) {
	t.Parallel()
	viewtest.Sizes(t, build)
}

func open(t *testing.T, state viewtest.State, w int) latency.Model {
	t.Helper()
	m := latency.New(viewtest.Theme(t, "ansi", false), views.DefaultKeyMap())
	m.SetSize(w, 8)
	m.SetSnapshot(viewtest.Snapshot(state), viewtest.Now())
	return m
}

func TestTheBreachedLatencyIsFirstWithTheShareOfWhatItCalls(t *testing.T) {
	t.Parallel()
	row := strings.Split(ansi.Strip(open(t, viewtest.OK, 120).View()), "\n")[1]
	require.Contains(t, row, "✗ breached")
	require.Contains(t, row, "payment API")
	require.Contains(t, row, "3.2s")
	require.Contains(t, row, "database 800ms 25%")
}

func TestNoTrafficIsAWordAndNeverAZero(t *testing.T) {
	t.Parallel()
	lines := strings.Split(ansi.Strip(open(t, viewtest.OK, 120).View()), "\n")
	require.Contains(t, lines[5], "◌ no traffic")
	require.NotContains(t, lines[5], "0ms")
}

func TestStaleLatenciesHaveNoVerdict(t *testing.T) {
	t.Parallel()
	th := viewtest.Theme(t, "ansi", false)
	screen := open(t, viewtest.Stale, 120).View()
	require.NotContains(t, screen, th.Bad.Open())
	require.NotContains(t, screen, th.Good.Open())
	require.Contains(t, ansi.Strip(screen), "◔ stale")
}

func TestACallThatIsNotMeasuredSaysSo(t *testing.T) {
	t.Parallel()
	s := viewtest.Snapshot(viewtest.OK)
	l := *s.Latency("payment API")
	l.Calls = []string{"ledger", "reports", "database"}
	require.Equal(t, "ledger unknown, reports no traffic, database 800ms 25%", latency.Shares(s, &l))
	l.P99 = sources.Quantile{}
	l.Calls = []string{"database"}
	require.Equal(t, "database 800ms", latency.Shares(s, &l), "no share of what is not known")
}

func TestACallThatIsSlowerThanItsCallerIsNoShareOfIt(t *testing.T) {
	t.Parallel()
	q := func(s float64) sources.Quantile { return sources.Quantile{Seconds: s, OK: true} }
	s := &sources.Snapshot{Latencies: []sources.Latency{
		{Name: "api", P99: q(0.03), Calls: []string{"database"}},
		{Name: "batch", P99: q(0.3), Calls: []string{"database"}},
		{Name: "database", P99: q(0.075)},
	}}
	require.Equal(t, "database 75ms", latency.Shares(s, &s.Latencies[0]))
	require.Equal(t, "database 75ms 25%", latency.Shares(s, &s.Latencies[1]))
}

func TestABudgetFarOverspentIsNeverHalfANumber(t *testing.T) {
	t.Parallel()
	for left, want := range map[float64]string{-0.99: "✗ breached -99%  api", -1.2: "✗ breached       api", -10.27: "✗ breached       api"} {
		m := latency.New(viewtest.Theme(t, "ansi", false), views.DefaultKeyMap())
		m.SetSize(120, 3)
		m.SetSnapshot(&sources.Snapshot{
			Sources: []sources.SourceStatus{{Name: "prometheus", Health: sources.Fresh}},
			Latencies: []sources.Latency{{
				Name: "api", Source: "prometheus", Verdict: sources.VerdictBreached,
				Budget: sources.Budget{Objective: 0.999, Left: sources.Some(left)},
			}},
		}, viewtest.Now())
		require.Contains(t, ansi.Strip(m.View()), want)
	}
}

func TestARowCallsItsSourceWhatTheHeaderCallsIt(t *testing.T) {
	t.Parallel()
	for health, word := range map[sources.Health]string{sources.Stale: "stale", sources.Unknown: "unknown"} {
		p := build(viewtest.Theme(t, "ansi", false))
		p.SetSize(100, 10)
		s := *viewtest.Snapshot(viewtest.OK)
		s.Sources = slices.Clone(s.Sources)
		for i := range s.Sources {
			s.Sources[i].Health, s.Sources[i].LastOK = health, viewtest.Now().Add(-4*time.Minute)
		}
		p.SetSnapshot(&s, viewtest.Now())
		lines := strings.Split(ansi.Strip(p.View()), "\n")
		require.Contains(t, lines[0], word+" 4m", "the title")
		require.Regexp(t, `^. . `+word+` +payment API `, lines[1], "a row")
		other := map[string]string{"stale": "unknown", "unknown": "stale"}[word]
		require.NotContains(t, ansi.Strip(p.View()), other)
	}
}

func TestWhatALatencyIsMadeOfIsReadToItsEndAndTheRestIsCounted(t *testing.T) {
	t.Parallel()
	s := *viewtest.Snapshot(viewtest.OK)
	s.Latencies = slices.Clone(s.Latencies)
	for i := range s.Latencies {
		if l := &s.Latencies[i]; l.Name == "payment API" {
			l.Calls = []string{"database", "search", "inventory"}
		}
	}
	for w, want := range map[int]string{115: "database 800ms 25% +2", 122: "database 800ms 25% +2", 200: "database 800ms 25%, search 120ms 3.8%, inventory 14ms 0.4%"} {
		p := build(viewtest.Theme(t, "ansi", false))
		p.SetSize(w, 10)
		p.SetSnapshot(&s, viewtest.Now())
		viewtest.RequireFrame(t, p.View(), w, 10)
		require.Contains(t, ansi.Strip(p.View()), want, "%d cells", w)
	}
}

func TestNumbersThatChangeMoveNoColumn(t *testing.T) {
	t.Parallel()
	for w := 110; w < 200; w++ {
		var heads []string
		for _, p99 := range []time.Duration{time.Millisecond, 987 * time.Millisecond} {
			s := *viewtest.Snapshot(viewtest.OK)
			s.Latencies = slices.Clone(s.Latencies)
			for i := range s.Latencies {
				l := &s.Latencies[i]
				l.P99 = sources.Quantile{Seconds: p99.Seconds(), OK: true}
				if l.Name == "payment API" {
					l.Calls = []string{"database", "search"}
				}
			}
			p := build(viewtest.Theme(t, "ansi", false))
			p.SetSize(w, 10)
			p.SetSnapshot(&s, viewtest.Now())
			heads = append(heads, strings.SplitN(ansi.Strip(p.View()), "\n", 2)[0])
		}
		require.Equal(t, heads[0], heads[1])
	}
}
