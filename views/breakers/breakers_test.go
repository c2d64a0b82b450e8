package breakers_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
	"relctl-tui/views/breakers"
	"relctl-tui/views/viewtest"
)

func build(th *themes.Theme) viewtest.Pane {
	m := breakers.New(th, views.DefaultKeyMap())
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

func open(t *testing.T, state viewtest.State, h int) breakers.Model {
	t.Helper()
	m := breakers.New(viewtest.Theme(t, "ansi", false), views.DefaultKeyMap())
	m.SetSize(100, h)
	m.SetSnapshot(viewtest.Snapshot(state), viewtest.Now())
	return m
}

func TestTheWorstBreakerIsInTheFirstRowWithAllItsNumbers(t *testing.T) {
	t.Parallel()
	m := open(t, viewtest.OK, 3)
	row := strings.Fields(strings.Split(ansi.Strip(m.View()), "\n")[1])
	require.Equal(t, []string{"✗", "open", "payment-api", "3/12", "41%", "120/s", "44/s", "1m"}, row)
}

func TestABreakerThatDoesNotProtectIsAWarning(t *testing.T) {
	t.Parallel()
	th := viewtest.Theme(t, "ansi", false)
	m := open(t, viewtest.OK, 8)
	require.Contains(t, m.View(), th.Warn.Paint("⊘ disabled"))
}

func TestAStateThatWasWorkedOutIsMarked(t *testing.T) {
	t.Parallel()
	require.Contains(t, ansi.Strip(open(t, viewtest.OK, 8).View()), "closed?")
}

func TestStaleBreakersAreNeverPaintedAsAnAlarm(t *testing.T) {
	t.Parallel()
	th := viewtest.Theme(t, "ansi", false)
	for _, state := range []viewtest.State{viewtest.Stale, viewtest.Failed} {
		screen := open(t, state, 8).View()
		require.NotContains(t, screen, th.Alarm.Open(), state)
		require.NotContains(t, screen, th.Bad.Open(), state)
		require.NotContains(t, screen, th.Good.Open(), state)
		require.Contains(t, ansi.Strip(screen), "1 open when last seen", state)
	}
}

func TestKeysScrollToTheLastBreakerAndNoFurther(t *testing.T) {
	t.Parallel()
	m := open(t, viewtest.OK, 3)
	m.SetFocused(true)
	for range 20 {
		m, _ = m.Update(tea.KeyPressMsg{Code: 'j', Text: "j"})
	}
	lines := strings.Split(ansi.Strip(m.View()), "\n")
	require.Contains(t, lines[2], "relctl-tui/prometheus")
	m, _ = m.Update(tea.KeyPressMsg{Code: 'g', Text: "g"})
	require.Contains(t, strings.Split(ansi.Strip(m.View()), "\n")[1], "payment-api")
}

func TestTheLastRowIsReachedBelowAWarningToo(t *testing.T) {
	t.Parallel()
	s := viewtest.Snapshot(viewtest.Stale)
	s.Sources[1].Err = "the server answered 503"
	s.Breakers = nil
	for i := range 30 {
		s.Breakers = append(s.Breakers, sources.Breaker{Source: viewtest.Metrics, Name: fmt.Sprintf("breaker-%02d", i), State: sources.BreakerClosed})
	}
	m := open(t, viewtest.Stale, 10)
	m.SetSnapshot(s, viewtest.Now())
	m.SetFocused(true)
	m, _ = m.Update(tea.KeyPressMsg{Code: 'G', Text: "G"})
	screen := ansi.Strip(m.View())
	require.Contains(t, screen, "503")
	require.Contains(t, screen, "breaker-29")
}

func TestTheBoardsOwnOpenBreakerIsARowButNoAlarm(t *testing.T) {
	t.Parallel()
	s := *viewtest.Snapshot(viewtest.OK)
	s.Own = []sources.Breaker{{
		Source: viewtest.Metrics, Name: "relctl-tui/prometheus", State: sources.BreakerOpen,
		Instances: 1, OpenInstances: 1, Own: true, Note: "not read after 5 failures",
	}}
	m := open(t, viewtest.OK, 10)
	m.SetSize(140, 10)
	m.SetSnapshot(&s, viewtest.Now())
	screen := ansi.Strip(m.View())
	lines := strings.Split(screen, "\n")
	require.Contains(t, lines[0], "Breakers 6 ∙  1 open  ∙ 1 half-open ∙ 1 of this board's own open")
	require.Contains(t, lines[1], "payment-api", "the system's come first")
	require.Contains(t, lines[2], "relctl-tui/prometheus")
	require.Contains(t, lines[2], "not read after 5 failures")
}

func TestWithoutBreakersOfASystemTheHintStandsAboveTheBoardsOwn(t *testing.T) {
	t.Parallel()
	s := *viewtest.Snapshot(viewtest.OK)
	s.Sources, s.Breakers = s.Sources[:1], nil
	m := open(t, viewtest.OK, 6)
	m.SetSnapshot(&s, viewtest.Now())
	lines := strings.Split(ansi.Strip(m.View()), "\n")
	require.Contains(t, lines[1], "start with --metrics")
	require.Contains(t, lines[2], "relctl-tui/")
}

func TestThePaneWantsALineForEachOpenBreakerOfTheBoardsOwnAndNoneForClosedOnes(t *testing.T) {
	t.Parallel()
	m := open(t, viewtest.OK, 10)
	require.Equal(t, 6, m.Wants())
	m.SetSnapshot(viewtest.Snapshot(viewtest.Never), viewtest.Now())
	require.Equal(t, 4, m.Wants(), "the reason and both of its own")
	m.SetSize(100, 1+m.Wants())
	require.Contains(t, ansi.Strip(m.View()), "relctl-tui/prometheus")
}

func TestTheSelectionStaysOnItsBreakerWhereverTheOrderTakesIt(t *testing.T) {
	t.Parallel()
	row := func(name string, state sources.BreakerState) sources.Breaker {
		return sources.Breaker{Source: viewtest.Metrics, Name: name, State: state}
	}
	s := viewtest.Snapshot(viewtest.OK)
	s.Own, s.Breakers = nil, []sources.Breaker{row("a", sources.BreakerOpen), row("b", sources.BreakerClosed), row("c", sources.BreakerClosed)}
	m := open(t, viewtest.OK, 5)
	m.SetSnapshot(s, viewtest.Now())
	require.Equal(t, views.NoSubject, m.Selected().Kind, "nothing is selected before the pane has had the keys")
	m.SetFocused(true)
	m, _ = m.Update(tea.KeyPressMsg{Code: 'j', Text: "j"})
	require.Equal(t, "b", m.Selected().ID)

	worse := viewtest.Snapshot(viewtest.OK)
	worse.Own, worse.Breakers = nil, []sources.Breaker{row("c", sources.BreakerOpen), row("a", sources.BreakerOpen), row("b", sources.BreakerClosed)}
	m.SetSnapshot(worse, viewtest.Now())
	require.Equal(t, "b", m.Selected().ID)
	_, cmd := m.Update(tea.KeyPressMsg{Code: tea.KeyEnter})
	require.Equal(t, views.DetailMsg{Subject: views.BreakerSubject(&worse.Breakers[2])}, cmd())

	worse.Breakers = worse.Breakers[:2]
	m.SetSnapshot(worse, viewtest.Now())
	require.Equal(t, "a", m.Selected().ID, "a breaker that is gone leaves the cursor where it was")
}

func TestAPaneWithoutTheKeysShowsTheWorstAndNoCursor(t *testing.T) {
	t.Parallel()
	m := open(t, viewtest.OK, 3)
	m.SetFocused(true)
	m, _ = m.Update(tea.KeyPressMsg{Code: 'G', Text: "G"})
	m.SetFocused(false)
	lines := strings.Split(ansi.Strip(m.View()), "\n")
	require.Contains(t, lines[1], "payment-api")
	require.NotContains(t, m.View(), viewtest.Theme(t, "ansi", false).Glyphs.Cursor)
}

func TestTheTitleNeverReadsOnIntoTheHeadingsOfTheColumns(t *testing.T) {
	t.Parallel()
	s := *viewtest.Snapshot(viewtest.OK)
	s.Own = []sources.Breaker{{Source: "etcd", Name: "relctl-tui/etcd", State: sources.BreakerOpen, Own: true}}
	s.Breakers = slices.DeleteFunc(slices.Clone(s.Breakers), func(b sources.Breaker) bool { return b.State != sources.BreakerClosed })
	headings := 0
	for w := 44; w <= 200; w++ {
		m := breakers.New(viewtest.Theme(t, "ansi", false), views.DefaultKeyMap())
		m.SetSize(w, 6)
		m.SetSnapshot(&s, viewtest.Now())
		title := strings.SplitN(ansi.Strip(m.View()), "\n", 2)[0]
		require.Contains(t, title, "1 of this board's own open", "%d cells", w)
		require.NotRegexp(t, `own open ?[a-z]`, title, "%d cells", w)
		if strings.Contains(title, " errors ") {
			headings++
		}
	}
	require.Positive(t, headings, "and there are headings beside it")
}

func TestWhyBreakersCannotBeReadIsToldWholeWhereNoRowNeedsTheLine(t *testing.T) {
	t.Parallel()
	const why = "answered 502 Bad Gateway for http://prometheus.monitoring.svc.cluster.example:9090/api/v1/query: look whether the proxy before it is up"
	s := *viewtest.Snapshot(viewtest.OK)
	s.Breakers, s.Own, s.Sources = s.Breakers[:2], nil, slices.Clone(s.Sources)
	for i := range s.Sources {
		if s.Sources[i].Metrics {
			s.Sources[i].Health, s.Sources[i].Err = sources.Stale, why
		}
	}
	view := func(h int) string {
		m := breakers.New(viewtest.Theme(t, "ansi", false), views.DefaultKeyMap())
		m.SetSize(80, h)
		m.SetSnapshot(&s, viewtest.Now())
		viewtest.RequireFrame(t, m.View(), 80, h)
		return strings.Join(strings.Fields(ansi.Strip(m.View())), " ")
	}
	require.Contains(t, view(1+2+3), why, "a line more than the height alone allows")
	require.Contains(t, view(1+2+3), s.Breakers[1].Name)
	require.Contains(t, view(1+2), s.Breakers[1].Name, "rows come first")
}
