package detail_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
	"relctl-tui/views/detail"
	"relctl-tui/views/viewtest"
)

func id(key string) sources.FlagID { return sources.FlagID{Source: viewtest.Store, Key: key} }

func build(th *themes.Theme) viewtest.Pane {
	m := detail.New(th, views.DefaultKeyMap())
	m.SetSubject(views.FlagSubject(id("checkout-v2")))
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

func open(t *testing.T, key string) detail.Model {
	t.Helper()
	m := detail.New(viewtest.Theme(t, "ansi", false), views.DefaultKeyMap())
	m.SetSize(100, 24)
	m.SetSnapshot(viewtest.Snapshot(viewtest.OK), viewtest.Now())
	m.SetSubject(views.FlagSubject(id(key)))
	return m
}

func TestDetailMarksTheStepInForceAndSaysWhatTheKeysWouldDo(t *testing.T) {
	t.Parallel()
	m := open(t, "checkout-v2")
	screen := ansi.Strip(m.View())
	require.Contains(t, screen, "10 ╌ [25] ╌ 50")
	require.Contains(t, screen, "+ to 50%   - to 10%   K kill")
	require.Contains(t, screen, "database 800ms 25%")
}

func TestDetailOfAKilledFlagSaysWhatIsKept(t *testing.T) {
	t.Parallel()
	m := open(t, "legacy-export")
	screen := ansi.Strip(m.View())
	require.Contains(t, screen, "✗ killed")
	require.Contains(t, screen, "10% is kept")
	require.Contains(t, screen, "K nothing")
}

func TestDetailActsOnItsOwnFlagWithTheRevisionOnTheScreen(t *testing.T) {
	t.Parallel()
	m := open(t, "checkout-v2")
	_, cmd := m.Update(tea.KeyPressMsg{Code: 'K', Text: "K"})
	require.Equal(t, views.IntentMsg{Intent: sources.Intent{
		Kind: sources.Kill, Flag: id("checkout-v2"), Seen: "rev-checkout-v2", SeenAs: "25%",
	}}, cmd())
}

func TestDetailKeepsAFlagThatWentAwayOnTheScreenButActsNoMore(t *testing.T) {
	t.Parallel()
	m := open(t, "checkout-v2")
	gone := viewtest.Snapshot(viewtest.OK)
	gone.Flags = nil
	m.SetSnapshot(gone, viewtest.Now())
	require.Contains(t, ansi.Strip(m.View()), "no longer in "+viewtest.Store)
	_, cmd := m.Update(tea.KeyPressMsg{Code: '+', Text: "+"})
	require.IsType(t, views.RefusedMsg{}, cmd())
}

func TestDetailShowsTheBreakersOfTheLinkedLatencyAndNoOthers(t *testing.T) {
	t.Parallel()
	s := viewtest.Snapshot(viewtest.OK)
	s.Breakers = nil
	for _, name := range []string{"payment-api", "payment database", "database", "inventory database", "search"} {
		s.Breakers = append(s.Breakers, sources.Breaker{Source: viewtest.Metrics, Name: name, State: sources.BreakerOpen})
	}
	m := open(t, "checkout-v2")
	m.SetSnapshot(s, viewtest.Now())
	screen := ansi.Strip(m.View())
	for _, name := range []string{"payment-api", "payment database", "open database"} {
		require.Contains(t, screen, name)
	}
	require.NotContains(t, screen, "inventory database")
	require.NotContains(t, screen, "open search")
}

func TestDetailClosesOnEscape(t *testing.T) {
	t.Parallel()
	m := open(t, "checkout-v2")
	_, cmd := m.Update(tea.KeyPressMsg{Code: tea.KeyEscape})
	require.Equal(t, detail.ClosedMsg{}, cmd())
}

func TestDetailShowsAPendingChangeBesideTheValueInForce(t *testing.T) {
	t.Parallel()
	m := open(t, "checkout-v2")
	m.SetPending("25% ➔ 50%")
	screen := ansi.Strip(m.View())
	require.Contains(t, screen, "pending   25% ➔ 50%")
	require.Contains(t, screen, "25% get on")
}

func about(t *testing.T, s *sources.Snapshot, subject views.Subject) string {
	t.Helper()
	m := detail.New(viewtest.Theme(t, "ansi", false), views.DefaultKeyMap())
	m.SetSize(100, 24)
	m.SetSnapshot(s, viewtest.Now())
	m.SetSubject(subject)
	viewtest.RequireFrame(t, m.View(), 100, 24)
	return ansi.Strip(m.View())
}

func TestDetailOfABreakerSaysHowManyInstancesAreOpenAndWhereThatIsKnownFrom(t *testing.T) {
	t.Parallel()
	s := viewtest.Snapshot(viewtest.OK)
	b := sources.Breaker{
		Source: viewtest.Metrics, Name: "ledger", State: sources.BreakerOpen, Instances: 12, OpenInstances: 3,
		ErrorRatio: sources.Some(0.41), Rate: sources.Some(120.5), Inferred: true, Preset: "opossum",
	}
	s.Breakers = []sources.Breaker{b}
	screen := about(t, s, views.BreakerSubject(&b))
	require.Contains(t, screen, "ledger")
	require.Contains(t, screen, "3 of 12 instances")
	require.Contains(t, screen, "worked out from its counters")
	require.Contains(t, screen, "41%")
	require.Contains(t, screen, viewtest.Metrics)
}

func TestDetailOfALatencyNamesItsSLOAndTheBreakersInItsWay(t *testing.T) {
	t.Parallel()
	s := viewtest.Snapshot(viewtest.OK)
	screen := about(t, s, views.LatencySubject(s.Latency("payment API")))
	require.Contains(t, screen, "p99 within 500ms")
	require.Contains(t, screen, "database 800ms 25%")
	require.Contains(t, screen, "payment-api")
}

func TestDetailOfAnAlertIsLinkedByItsLabelsToTheFlagTheServiceAndTheBreakerOfThatName(t *testing.T) {
	t.Parallel()
	s := *viewtest.Snapshot(viewtest.OK)
	s.Alerts = []sources.Alert{{Source: "am", ID: "1", Name: "CheckoutErrors", State: sources.AlertFiring, Flag: "checkout-v2", Service: "payment API"}}
	m := detail.New(viewtest.Theme(t, "ansi", false), views.DefaultKeyMap())
	m.SetSize(110, 20)
	m.SetSnapshot(&s, viewtest.Now())
	m.SetSubject(views.AlertSubject(&s.Alerts[0]))
	view := ansi.Strip(m.View())
	require.Regexp(t, `flag +checkout-v2 25% in `+viewtest.Store, view)
	require.Regexp(t, `service +payment API, p99 \d`, view)
	require.Contains(t, view, "has no silences: name its Alertmanager under metrics", "why the key does nothing")
}

func TestDetailOfSeveralAlertsOfOneRuleListsEachWithWhatItIsAbout(t *testing.T) {
	t.Parallel()
	s := *viewtest.Snapshot(viewtest.OK)
	for _, service := range []string{"checkout", "ledger", "search"} {
		s.Alerts = append(s.Alerts, sources.Alert{
			Source: "am", ID: service, Name: "HighErrorRate", State: sources.AlertFiring, Service: service, Value: "0.07",
			Since: viewtest.Now().Add(-5 * time.Minute), Labels: map[string]string{"alertname": "HighErrorRate", "service": service, "pod": service + "-0"},
		})
	}
	m := detail.New(viewtest.Theme(t, "ansi", false), views.DefaultKeyMap())
	m.SetSize(110, 20)
	m.SetSnapshot(&s, viewtest.Now())
	m.SetSubject(views.GroupSubject(&s.Alerts[0]))
	view := ansi.Strip(m.View())
	require.Contains(t, view, "HighErrorRate x3")
	require.Regexp(t, `5m +checkout +0\.07 +pod=checkout-0`, view)
	require.Regexp(t, `5m +search +0\.07 +pod=search-0`, view)
}

func TestDetailOfASilencedAlertSaysByWhomAndUntilWhen(t *testing.T) {
	t.Parallel()
	s := viewtest.Snapshot(viewtest.OK)
	s.Alerts = []sources.Alert{{
		Source: viewtest.Metrics, ID: "1", Name: "LedgerSlow", State: sources.AlertSilenced, Severity: "page",
		Summary: "the ledger answers slowly", Flag: "checkout-v2", Labels: map[string]string{"job": "ledger"},
		Until: viewtest.Now().Add(time.Hour), Why: "ana: known",
	}}
	screen := about(t, s, views.AlertSubject(&s.Alerts[0]))
	require.Contains(t, screen, "the ledger answers slowly")
	require.Contains(t, screen, "ana: known, until ")
	require.Contains(t, screen, "job=ledger")
}

func TestDetailKeepsWhatWentAwayAndSaysSo(t *testing.T) {
	t.Parallel()
	s := viewtest.Snapshot(viewtest.OK)
	m := detail.New(viewtest.Theme(t, "ansi", false), views.DefaultKeyMap())
	m.SetSize(100, 24)
	m.SetSnapshot(s, viewtest.Now())
	m.SetSubject(views.LatencySubject(s.Latency("payment API")))
	without := *s
	without.Latencies = nil
	m.SetSnapshot(&without, viewtest.Now())
	require.Contains(t, ansi.Strip(m.View()), "no longer in "+viewtest.Metrics)
	require.Contains(t, ansi.Strip(m.View()), "payment API")
}

func TestDetailCallsASourceWhatTheHeaderCallsIt(t *testing.T) {
	t.Parallel()
	s := *viewtest.Snapshot(viewtest.OK)
	s.Sources = slices.Clone(s.Sources)
	for i := range s.Sources {
		st := &s.Sources[i]
		switch st.Name {
		case viewtest.Store:
			st.Err = "there is no such file"
		case viewtest.Metrics:
			st.Health, st.LastOK = sources.Stale, viewtest.Now().Add(-17*time.Second)
			st.Parts[sources.PartBreakers] = sources.PartStatus{Has: true, Health: sources.Fresh, LastOK: viewtest.Now()}
		}
	}
	s.Own = []sources.Breaker{{Source: viewtest.Metrics, Name: "relctl-tui/prometheus", State: sources.BreakerOpen, Instances: 1, Own: true}}
	require.Contains(t, about(t, &s, views.FlagSubject(id("checkout-v2"))), "prod.flagd.json  ! failing")
	require.Contains(t, about(t, &s, views.BreakerSubject(&s.Own[0])), "◔ stale, last read 17s ago",
		"it is around all that is read of it")
}

func TestTheDetailSaysWholeWhyItsSourceCannotBeRead(t *testing.T) {
	t.Parallel()
	why := "http://prometheus.example/api/v1/query: " + strings.Repeat("a proxy answered 502 Bad Gateway; ", 6) + "look whether it is up"
	s := *viewtest.Snapshot(viewtest.OK)
	s.Sources = slices.Clone(s.Sources)
	for i := range s.Sources {
		s.Sources[i].Err = why
	}
	for what, on := range map[string]views.Subject{
		"flag": views.FlagSubject(s.Flags[0].ID), "breaker": views.BreakerSubject(&s.Breakers[0]), "latency": views.LatencySubject(&s.Latencies[0]),
	} {
		for _, w := range []int{60, 80, 120} {
			m := detail.New(viewtest.Theme(t, "ansi", false), views.DefaultKeyMap())
			m.SetSize(w, 60)
			m.SetSnapshot(&s, viewtest.Now())
			m.SetSubject(on)
			require.Contains(t, strings.Join(strings.Fields(ansi.Strip(m.View())), " "), why, "%s at %d", what, w)
			viewtest.RequireFrame(t, m.View(), w, 60)
		}
	}
}
