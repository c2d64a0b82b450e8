package alerts_test

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
	"relctl-tui/views/alerts"
	"relctl-tui/views/viewtest"
)

func build(th *themes.Theme) viewtest.Pane {
	m := alerts.New(th, views.DefaultKeyMap())
	return &m
}

func TestEveryLineKeepsItsWidth(t *testing.T) {
	t.Parallel()
	viewtest.Sizes(t, build)
}

// rung is a snapshot with a source of alerts of that health.
func rung(h sources.Health, list ...sources.Alert) *sources.Snapshot {
	s := *viewtest.Snapshot(viewtest.OK)
	now := viewtest.Now()
	st := sources.SourceStatus{Name: "am", Kind: "alertmanager", Health: h, LastOK: now.Add(-time.Minute), Alerts: true}
	if h == sources.Unknown {
		st.LastOK, st.Err = time.Time{}, "am:9093 refuses connections"
	}
	s.Sources = append(s.Sources, st)
	s.Alerts = list
	return &s
}

func three() []sources.Alert {
	now := viewtest.Now()
	return []sources.Alert{
		{Source: "am", ID: "1", Name: "CheckoutErrors", State: sources.AlertFiring, Severity: "critical", Flag: "checkout-v2", Service: "payment", Since: now.Add(-7 * time.Minute), Summary: "5xx above 2 %"},
		{Source: "am", ID: "2", Name: "SlowLedger", State: sources.AlertPending, Severity: "warning", Service: "ledger", Since: now.Add(-40 * time.Second)},
		{Source: "am", ID: "3", Name: "DiskFull", State: sources.AlertSilenced, Service: "db", Since: now.Add(-3 * time.Hour), Summary: "disk", Why: "ben until 16:00: new disk is on its way"},
	}
}

func lines(s *sources.Snapshot, w, h int) []string {
	th, _ := themes.New(themes.Options{Name: "mono"})
	p := build(th)
	p.SetSize(w, h)
	p.SetSnapshot(s, viewtest.Now())
	var out []string
	for _, l := range strings.Split(ansi.Strip(p.View()), "\n") {
		out = append(out, strings.Join(strings.Fields(strings.Trim(l, "╌ ")), " "))
	}
	return out
}

func TestWhatFiresIsFirstAndWhatIsSilencedIsThereWithItsReason(t *testing.T) {
	t.Parallel()
	got := lines(rung(sources.Fresh, three()...), 140, 5)
	require.Contains(t, got[0], "Alerts 3")
	require.Contains(t, got[0], "1 firing")
	require.Equal(t, "✗ firing CheckoutErrors checkout-v2 critical 7m 5xx above 2 %", got[1])
	require.Equal(t, "◔ pending SlowLedger ledger warning <1m", got[2])
	require.Equal(t, "◌ silenced DiskFull db 3h ben until 16:00: new disk is on its way", got[3])
}

func TestOldAlertsAreNoAlarm(t *testing.T) {
	t.Parallel()
	got := lines(rung(sources.Stale, three()...), 120, 5)
	require.Contains(t, got[0], "1 firing when last seen")
}

func TestWhereNothingFiresTheTitleSaysSoAndWhereNobodyCanTellItSaysThat(t *testing.T) {
	t.Parallel()
	require.Contains(t, lines(rung(sources.Fresh), 100, 1)[0], "nothing fires")
	got := strings.Join(lines(rung(sources.Unknown), 100, 3), "\n")
	require.NotContains(t, got, "nothing fires")
	require.Contains(t, got, "am:9093 refuses connections")

	dead := rung(sources.Stale)
	dead.Sources[len(dead.Sources)-1].Err = "am:9093 refuses connections"
	for _, h := range []sources.Health{sources.Stale, sources.Unknown} {
		dead.Sources[len(dead.Sources)-1].Health = h
		got := lines(dead, 100, 4)
		require.Contains(t, got[0], "Alerts "+h.String()+" 1m")
		require.NotContains(t, got[0], "nothing fires", "nobody knows")
		require.Contains(t, got[1], "am:9093 refuses connections")
		require.Contains(t, strings.Join(got[2:], "\n"), "when last read: nothing fires")
	}
	tall := alerts.New(viewtest.Theme(t, "mono", false), views.DefaultKeyMap())
	tall.SetSnapshot(dead, viewtest.Now())
	require.Equal(t, 3, tall.Wants()+tall.TroubleLines(40), "two for the reason, and what was so")
	partly := rung(sources.Fresh)
	other := partly.Sources[len(partly.Sources)-1]
	other.Name, other.Health, other.Err = "am-2", sources.Stale, "am-2:9093 refuses connections"
	partly.Sources = append(partly.Sources, other)
	some := lines(partly, 100, 4)
	require.Contains(t, some[0], "Alerts stale 1m")
	require.NotContains(t, some[0], "nothing fires")
	require.Contains(t, strings.Join(some, "\n"), "as far as can be read: nothing fires")
	calm := rung(sources.Stale)
	require.Equal(t, 2, func() int {
		m := alerts.New(viewtest.Theme(t, "mono", false), views.DefaultKeyMap())
		m.SetSnapshot(calm, viewtest.Now())
		return m.Wants()
	}(), "room for the sentence")
}

func TestThePaneIsWantedOnlyWhereASourceHasAlerts(t *testing.T) {
	t.Parallel()
	th, err := themes.New(themes.Options{Name: "mono"})
	require.NoError(t, err)
	m := alerts.New(th, views.DefaultKeyMap())
	m.SetSnapshot(viewtest.Snapshot(viewtest.OK), viewtest.Now())
	require.Equal(t, -1, m.Wants())
	m.SetSnapshot(rung(sources.Fresh), viewtest.Now())
	require.Zero(t, m.Wants())
	m.SetSnapshot(rung(sources.Fresh, three()...), viewtest.Now())
	require.Equal(t, 3, m.Wants())
	m.SetSnapshot(rung(sources.Unknown), viewtest.Now())
	require.Equal(t, 2, m.Wants(), "room for the reason")
}

// many is alerts of one rule about several services, of which the last is silenced.
func many() []sources.Alert {
	now := viewtest.Now()
	var list []sources.Alert
	for i, service := range []string{"checkout", "checkout", "ledger", "search", "search"} {
		pod := string(rune('a' + i))
		list = append(list, sources.Alert{
			Source: "am", ID: pod, Name: "HighErrorRate", Service: service, Severity: "critical", Since: now.Add(-time.Duration(i+1) * time.Minute),
			Labels: map[string]string{"alertname": "HighErrorRate", "service": service, "pod": pod}, Summary: "5xx above 2 %",
		})
	}
	list[4].State, list[4].Why = sources.AlertSilenced, "silenced by ben: known"
	return list
}

// sorted is alerts as a snapshot has them.
func sorted(list []sources.Alert) []sources.Alert {
	slices.SortFunc(list, sources.CompareAlerts)
	return list
}

func key(code rune) tea.KeyPressMsg { return tea.KeyPressMsg{Code: code, Text: string(code)} }

func TestManyAlertsOfOneRuleAreOneRowThatUnfoldsAndWhatIsSilencedStaysInSight(t *testing.T) {
	t.Parallel()
	th, _ := themes.New(themes.Options{Name: "mono"})
	m := alerts.New(th, views.DefaultKeyMap())
	m.SetSize(140, 10)
	m.SetFocused(true)
	m.SetSnapshot(rung(sources.Fresh, sorted(append(many(), three()[1:]...))...), viewtest.Now())
	shown := func() (out []string) {
		for _, l := range strings.Split(ansi.Strip(m.View()), "\n") {
			if l = strings.Join(strings.Fields(strings.Trim(l, "╍╌ ")), " "); l != "" {
				out = append(out, l)
			}
		}
		return out
	}
	folded := shown()
	require.Contains(t, folded[0], "Alerts 7")
	require.Contains(t, folded[0], "4 firing", "what is folded counts")
	require.Equal(t, []string{
		"▸ ✗ firing HighErrorRate x4 3 services critical 4m 5xx above 2 %",
		"◔ pending SlowLedger ledger warning <1m",
		"◌ silenced HighErrorRate search critical 5m silenced by ben: known",
		"◌ silenced DiskFull db 3h ben until 16:00: new disk is on its way",
	}, folded[1:])
	require.Equal(t, 4, m.Wants(), "as many lines as there are rows")
	require.NotEmpty(t, m.Folded())

	m, cmd := m.Update(tea.KeyPressMsg{Code: tea.KeyEnter})
	require.Nil(t, cmd, "the detail is for one alert")
	require.Equal(t, []string{
		"▸ ✗ firing HighErrorRate x4 3 services critical 4m 5xx above 2 %",
		"✗ firing pod=a checkout critical 1m 5xx above 2 %",
		"✗ firing pod=b checkout critical 2m 5xx above 2 %",
		"✗ firing pod=c ledger critical 3m 5xx above 2 %",
		"✗ firing pod=d search critical 4m 5xx above 2 %",
	}, shown()[1:6])
	m, _ = m.Update(key('j'))
	require.Empty(t, m.Folded())
	require.Equal(t, views.Subject{Kind: views.AnAlert, Source: "am", ID: "a"}, m.Selected())

	// It is silenced under the cursor, which stays on it.
	list := many()
	list[0].State = sources.AlertSilenced
	m.SetSnapshot(rung(sources.Fresh, sorted(list)...), viewtest.Now())
	require.Equal(t, "a", m.Selected().ID)
	m, _ = m.Update(key('g'))
	m, _ = m.Update(tea.KeyPressMsg{Code: tea.KeyEnter})
	require.Equal(t, "✗ firing HighErrorRate x3 3 services critical 4m 5xx above 2 %", strings.TrimPrefix(shown()[1], "▸ "))
}

func TestAnAlertThatIsBeingSilencedIsMarkedAsPending(t *testing.T) {
	t.Parallel()
	th, _ := themes.New(themes.Options{Name: "mono"})
	m := alerts.New(th, views.DefaultKeyMap())
	m.SetSize(120, 5)
	a := three()[0]
	m.SetPending(map[sources.FlagID]string{{Source: "am", Key: a.Key()}: "CheckoutErrors firing ➔ silenced for 1h"})
	m.SetSnapshot(rung(sources.Fresh, a), viewtest.Now())
	require.Contains(t, ansi.Strip(m.View()), "◔ pending")
}

func TestASummaryHasTheRoomThatSaysNothing(t *testing.T) {
	t.Parallel()
	long := "the queue of charges is longer than its workers can take"
	bare := sources.Alert{Source: "am", ID: "1", Name: "QueueGrows", State: sources.AlertFiring, Severity: "critical", Summary: long}
	seen := lines(rung(sources.Fresh, bare), 120, 6)
	require.NotContains(t, seen[0], "about", "no alert says what it is about")
	require.Contains(t, seen[1], "the queue of charges is longer than its work")

	named := bare
	named.ID, named.Service = "2", "payment"
	seen = lines(rung(sources.Fresh, bare, named), 120, 6)
	require.Contains(t, seen[0], "about")
	require.Contains(t, seen[2], "payment critical")
}
