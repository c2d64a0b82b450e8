package header_test

import (
	"slices"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
	"relctl-tui/views/header"
	"relctl-tui/views/viewtest"
)

func build(th *themes.Theme) viewtest.Pane {
	m := header.New(th, views.DefaultKeyMap())
	return &m
}

func TestGoldens(t *testing.T) {
	t.Parallel()
	viewtest.Goldens(t, 1, build)
}

func TestEveryLineKeepsItsWidth(t *testing.T) {
	t.Parallel()
	viewtest.Sizes(t, build)
}

func open(t *testing.T, state viewtest.State, w int) header.Model {
	t.Helper()
	m := header.New(viewtest.Theme(t, "ansi", false), views.DefaultKeyMap())
	m.SetSize(w, 1)
	m.SetSnapshot(viewtest.Snapshot(state), viewtest.Now())
	return m
}

func TestAnIdleMinuteChangesNoByteOfTheHeader(t *testing.T) {
	t.Parallel()
	m := open(t, viewtest.OK, 120)
	before := m.View()
	m.SetSnapshot(viewtest.Snapshot(viewtest.OK), viewtest.Now().Add(49*time.Second))
	require.Equal(t, before, m.View())
	m.SetSnapshot(viewtest.Snapshot(viewtest.OK), viewtest.Now().Add(50*time.Second))
	require.NotEqual(t, before, m.View(), "the next minute begins")
}

func TestAnOpenBreakerIsAnAlarmWhileItIsFreshAndAMemoryAfterwards(t *testing.T) {
	t.Parallel()
	th := viewtest.Theme(t, "ansi", false)
	require.Contains(t, open(t, viewtest.OK, 120).View(), th.Alarm.Paint(" ✗ 1 breaker open "))
	stale := open(t, viewtest.Stale, 120).View()
	require.NotContains(t, stale, th.Alarm.Open()+" ✗")
	require.Contains(t, ansi.Strip(stale), "1 breaker open, stale")
}

func TestBreachedSLOsAreCountedWhileTheyAreKnownAndLeaveTheRoomToWhatIsWorse(t *testing.T) {
	t.Parallel()
	shown := func(state viewtest.State, width int, change func(s *sources.Snapshot)) string {
		s := *viewtest.Snapshot(state)
		s.Latencies = slices.Clone(s.Latencies)
		change(&s)
		m := header.New(viewtest.Theme(t, "ansi", false), views.DefaultKeyMap())
		m.SetSize(width, 1)
		m.SetSnapshot(&s, viewtest.Now())
		return ansi.Strip(m.View())
	}
	asIs := func(*sources.Snapshot) {}
	calm := func(s *sources.Snapshot) { s.Breakers, s.Alerts = nil, nil }
	require.Contains(t, shown(viewtest.OK, 80, calm), "✗ 1 SLO breached 14:32")
	require.Contains(t, shown(viewtest.OK, 80, func(s *sources.Snapshot) {
		calm(s)
		for i := range s.Latencies {
			s.Latencies[i].Verdict = sources.VerdictBreached
		}
	}), " SLOs breached 14:32")
	require.Contains(t, shown(viewtest.OK, 120, asIs), "✗ 1 SLO breached 14:32")
	require.Contains(t, shown(viewtest.OK, 80, asIs), "✗ 1 breaker open   ✗ 1 SLO breached 14:32")
	require.NotContains(t, shown(viewtest.OK, 60, asIs), "breached", "an open breaker is worse")
	require.NotContains(t, shown(viewtest.Stale, 120, calm), "breached", "that is a memory")
	require.NotContains(t, shown(viewtest.OK, 120, func(s *sources.Snapshot) {
		for i := range s.Latencies {
			s.Latencies[i].Verdict = sources.VerdictOK
		}
	}), "breached")
}

func TestEverySourceThatIsNotFreshHasItsAge(t *testing.T) {
	t.Parallel()
	screen := ansi.Strip(open(t, viewtest.Stale, 120).View())
	require.Contains(t, screen, "◔ prod.flagd.json stale 32s")
	require.Contains(t, screen, "◔ prometheus stale 32s")
	require.Contains(t, ansi.Strip(open(t, viewtest.Loading, 120).View()), "? prometheus not read yet")
	require.Contains(t, ansi.Strip(open(t, viewtest.Never, 120).View()), "? prometheus never read")
}

func TestASourceWhoseLastReadFailedIsNotTickedThoughItsDataIsNotOldYet(t *testing.T) {
	t.Parallel()
	s := *viewtest.Snapshot(viewtest.OK)
	s.Sources = slices.Clone(s.Sources)
	s.Sources[0].Err = "prod.flagd.json: not JSON"
	m := header.New(viewtest.Theme(t, "ansi", false), views.DefaultKeyMap())
	m.SetSize(120, 1)
	m.SetSnapshot(&s, viewtest.Now())
	require.Contains(t, ansi.Strip(m.View()), "! prod.flagd.json failing")
	require.NotContains(t, ansi.Strip(m.View()), "✓ prod.flagd.json")
	s.Sources[1].Err = "no answer"
	m.SetSize(60, 1)
	require.Contains(t, ansi.Strip(m.View()), "! 2 sources failing")
}

func TestAReadOnlyBoardSaysSo(t *testing.T) {
	t.Parallel()
	m := open(t, viewtest.OK, 120)
	m.SetReadOnly(true)
	require.Contains(t, ansi.Strip(m.View()), "read-only")
}

func TestTheHeaderSaysWhichSourceOfAGroupSpeaks(t *testing.T) {
	t.Parallel()
	s := *viewtest.Snapshot(viewtest.OK)
	prom := s.Sources[1]
	prom.Name, prom.Role, prom.Health = "prom-a", sources.Replaced, sources.Stale
	prom.Err, prom.LastOK = "prom-a: refuses connections", viewtest.Now().Add(-34*time.Second)
	next := s.Sources[1]
	next.Name, next.Role = "prom-b", sources.Speaks
	idle := s.Sources[1]
	idle.Name, idle.Role, idle.Health, idle.LastOK = "page", sources.StandsBy, sources.Unknown, time.Time{}
	s.Sources = []sources.SourceStatus{s.Sources[0], prom, next, idle}
	m := header.New(viewtest.Theme(t, "ansi", false), views.DefaultKeyMap())
	m.SetSize(120, 1)
	m.SetSnapshot(&s, viewtest.Now())
	line := ansi.Strip(m.View())
	require.Contains(t, line, "◔ prom-a stale 34s")
	require.Contains(t, line, "✓ prom-b speaks")
	m.SetSize(80, 1)
	require.Contains(t, ansi.Strip(m.View()), "prom-b speaks")
	require.NotContains(t, line, "page", "what is not asked is nothing to worry about")
}

func TestSourcesThatSpeakTogetherAreNeverTickedWhenOneOfThemIsOld(t *testing.T) {
	t.Parallel()
	s := *viewtest.Snapshot(viewtest.OK)
	page := s.Sources[1]
	page.Role = sources.Speaks
	s.Sources = s.Sources[:1]
	for _, name := range []string{"page-1", "page-2", "page-3", "page-4"} {
		page.Name = name
		s.Sources = append(s.Sources, page)
	}
	m := header.New(viewtest.Theme(t, "ansi", false), views.DefaultKeyMap())
	m.SetSize(140, 1)
	m.SetSnapshot(&s, viewtest.Now())
	require.Contains(t, ansi.Strip(m.View()), "✓ 4 sources speak")
	s.Sources[1].Health, s.Sources[1].LastOK = sources.Stale, viewtest.Now().Add(-40*time.Second)
	m.SetSnapshot(&s, viewtest.Now())
	require.Contains(t, ansi.Strip(m.View()), "◔ page-1 stale 40s, speaks")
	require.Contains(t, ansi.Strip(m.View()), "✓ 3 sources speak")
}

func TestAFreezeIsInTheHeaderWithItsEndWhileItLasts(t *testing.T) {
	t.Parallel()
	s := *viewtest.Snapshot(viewtest.OK)
	z, err := sources.NewFreeze("Sat 08:00", "Mon 06:00", time.UTC) // the tests' day is a Saturday
	require.NoError(t, err)
	z.Reason = "peak weekend"
	s.Calendar = sources.Calendar{z}
	m := header.New(viewtest.Theme(t, "ansi", false), views.DefaultKeyMap())
	for _, w := range []int{80, 120} {
		m.SetSize(w, 1)
		m.SetSnapshot(&s, viewtest.Now())
		require.Contains(t, ansi.Strip(m.View()), "freeze until Mon 06:00: peak weekend")
		m.SetSnapshot(&s, viewtest.Now().Add(48*time.Hour))
		require.NotContains(t, ansi.Strip(m.View()), "freeze")
	}
	s.Calendar[0].Tags = []string{"payments"}
	m.SetSnapshot(&s, viewtest.Now())
	require.Contains(t, ansi.Strip(m.View()), "partly frozen until Mon 06:00")
}

func TestOthersOnTheSameFlagsAreNamedOrCountedByTheRoomThereIs(t *testing.T) {
	t.Parallel()
	shown := func(w int, self string, here ...sources.Person) string {
		m := header.New(viewtest.Theme(t, "ansi", false), views.DefaultKeyMap())
		s := *viewtest.Snapshot(viewtest.OK)
		s.Here = here
		m.SetSelf(self)
		m.SetSize(w, 1)
		m.SetSnapshot(&s, viewtest.Now())
		return ansi.Strip(m.View())
	}
	ana, ben, eve := sources.Person{Name: "ana", Boards: 1}, sources.Person{Name: "ben", Boards: 1}, sources.Person{Name: "eve", Watching: true, Boards: 1}
	require.Contains(t, shown(120, "", ana), "with ana  ")
	require.Contains(t, shown(120, "ana", ana, ben, eve), "with ben, eve (watching)  ")
	require.NotContains(t, shown(120, "ana", ana), "with")
	require.Contains(t, shown(120, "ana", sources.Person{Name: "ana", Boards: 2}), "with ana", "another board of one's own")
	require.Contains(t, shown(120, "", ana, ben, eve, sources.Person{Name: "f"}, sources.Person{Name: "g"}), "with 5 others")
	require.Contains(t, shown(80, "", sources.Person{Name: "somebody of a long name"}, sources.Person{Name: "another with a long name"}), "with 2 others")
}
