package suspects_test

import (
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
	"relctl-tui/views/suspects"
	"relctl-tui/views/viewtest"
)

func incident() *sources.Incident {
	now := viewtest.Now()
	return &sources.Incident{
		From: now.Add(-time.Hour), At: now, Changes: 3,
		Metrics: []sources.PastMetric{{Name: "payment API p99", Service: "payment API", Unit: "s"}},
		Breaches: []sources.Breach{
			{Metric: "payment API p99", Service: "payment API", Unit: "s", At: now.Add(-35 * time.Second), Before: .1, After: 3.2},
			{Metric: "payment API errors", Service: "payment API", At: now.Add(-30 * time.Second), Until: now.Add(-5 * time.Second), After: .41},
		},
		Suspects: []sources.Suspect{
			{
				Flag: sources.FlagID{Source: viewtest.Store, Key: "checkout-v2"}, Change: "1", Subject: "checkout-v2", What: "10% to 25%", Actor: "ana",
				At: now.Add(-47 * time.Second), Word: "strong", Score: 14, Lag: 12 * time.Second, Metric: "payment API p99", Service: "payment API", Metrics: 2,
				Why: "checkout-v2 10% to 25%, 12 s before payment API p99 rose from 100 ms to 3.2 s; it is on payment API; it moved 18 req/s; 2 metrics fit",
			},
			{
				Lane: sources.LaneDeploys, Change: "d", Subject: "payment", What: "2.14.0 to 2.14.1", At: now.Add(-4 * time.Minute), Word: "possible", Score: 2,
				Why: "payment 2.14.0 to 2.14.1, 3 min before payment API p99 rose from 100 ms to 3.2 s; what it moves is not known",
			},
			{
				Lane: sources.LaneBreakers, Change: "b", Subject: "ledger", What: "closed to forced-open", At: now.Add(-5 * time.Minute), Word: "possible", Score: 1,
				Why: "ledger closed to forced-open, 4 min before payment API p99 rose from 100 ms to 3.2 s; what it moves is not known",
			},
			{
				Flag: sources.FlagID{Source: viewtest.Store, Key: "legacy-export"}, Change: "2", Subject: "legacy-export", What: "0% to 10%", At: now.Add(-6 * time.Minute), Word: "likely", Score: 7,
				Why: "legacy-export 0% to 10%, 5 min before payment API p99 rose from 100 ms to 3.2 s; undone, and it has not recovered",
			},
		},
		Missing: []string{"search not looked at: prometheus did not answer"},
	}
}

func build(th *themes.Theme) viewtest.Pane {
	m := suspects.New(th, views.DefaultKeyMap())
	m.SetIncident(incident(), viewtest.Now())
	return &m
}

func TestGoldens(t *testing.T) {
	t.Parallel()
	viewtest.Goldens(t, 20, build)
}

func TestEveryLineKeepsItsWidth(t *testing.T) {
	t.Parallel()
	viewtest.Sizes(t, build)
}

func screen(m suspects.Model) string { return ansi.Strip(m.View()) }

func shown(t *testing.T) suspects.Model {
	t.Helper()
	m := suspects.New(viewtest.Theme(t, "ansi", false), views.DefaultKeyMap())
	m.SetSize(100, 24)
	m.SetSnapshot(viewtest.Snapshot(viewtest.OK), viewtest.Now())
	m.SetIncident(incident(), viewtest.Now())
	return m
}

func TestEachSuspectSaysWhyAndWhatCanBeDone(t *testing.T) {
	t.Parallel()
	text := screen(shown(t))
	for _, part := range []string{
		"strong   checkout-v2  10% ➔ 25%", "12 s before payment API p99 rose from 100 ms to 3.2 s; it is on payment API",
		"K kills it; it is 25% now", "a deploy: roll it back where it was rolled out",
		"a breaker: esc, then c on its row closes it again", "✓ killed now", "back at 14:32:05",
	} {
		require.Contains(t, text, part)
	}
	require.Equal(t, 1, strings.Count(text, "K kills it"), "what is killed already is not offered")
}

func TestTheCursorStaysOnItsSuspectWhateverBecomesOfTheOrder(t *testing.T) {
	t.Parallel()
	m := shown(t)
	appeared := m.MovedAt()
	require.Equal(t, viewtest.Now(), appeared, "the first one came under the cursor by itself")
	m, _ = m.Update(tea.KeyPressMsg{Code: 'j', Text: "j"})
	require.Equal(t, "payment", m.Selected().Subject)
	in := incident()
	in.Suspects[0], in.Suspects[1] = in.Suspects[1], in.Suspects[0]
	later := viewtest.Now().Add(time.Minute)
	m.SetIncident(in, later)
	require.Equal(t, "payment", m.Selected().Subject)
	require.Equal(t, appeared, m.MovedAt(), "nothing moved under the cursor")
	in = incident()
	in.Suspects = in.Suspects[:1]
	m.SetIncident(in, later)
	require.Equal(t, "checkout-v2", m.Selected().Subject)
	require.Equal(t, later, m.MovedAt())
}

func TestNoSuspectIsAnAnswerThatSaysWhatWasLookedAt(t *testing.T) {
	t.Parallel()
	m := shown(t)
	in := incident()
	in.Suspects = nil
	m.SetIncident(in, viewtest.Now())
	require.Nil(t, m.Selected())
	text := screen(m)
	require.Contains(t, strings.Join(strings.Fields(text), " "),
		"no suspect: payment API p99 rose at 14:31:35 from 100 ms to 3.2 s, and no change before it explains that, of 1 metric and 3 changes in the last 60 min")
	require.Contains(t, text, "search not looked at")
}

func TestTheSuspectUnderTheCursorIsAlwaysInSight(t *testing.T) {
	t.Parallel()
	m := shown(t)
	m.SetSize(60, 12)
	for range 3 {
		m, _ = m.Update(tea.KeyPressMsg{Code: 'j', Text: "j"})
	}
	require.Contains(t, screen(m), "legacy-export")
}
