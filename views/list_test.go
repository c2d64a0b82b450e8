package views_test

import (
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/views"
	"relctl-tui/views/activity"
	"relctl-tui/views/alerts"
	"relctl-tui/views/breakers"
	"relctl-tui/views/latency"
	"relctl-tui/views/viewtest"
)

// narrowed is a pane that a filter narrows.
type narrowed interface {
	SetSize(w, h int)
	SetSnapshot(*sources.Snapshot, time.Time)
	SetFilter(text string)
	View() string
}

func withAlerts() *sources.Snapshot {
	s, now := *viewtest.Snapshot(viewtest.OK), viewtest.Now()
	s.Sources = append(s.Sources, sources.SourceStatus{Name: "am", Kind: "alertmanager", Health: sources.Fresh, LastOK: now, Alerts: true})
	for i, service := range []string{"payment", "search", "email", "ledger"} {
		s.Alerts = append(s.Alerts, sources.Alert{
			Source: "am", ID: service, Name: "HighErrors", State: sources.AlertFiring, Severity: []string{"critical", "page"}[i%2], Service: service, Since: now.Add(-time.Hour),
		})
	}
	return &s
}

func TestEveryPaneIsNarrowedByOneLanguageAndSaysOfHowMany(t *testing.T) {
	t.Parallel()
	th, keys := viewtest.Theme(t, "mono", false), views.DefaultKeyMap()
	brk, lat, act, alr := breakers.New(th, keys), latency.New(th, keys), activity.New(th, keys), alerts.New(th, keys)
	for _, c := range []struct {
		pane        narrowed
		filter      string
		title       string
		has, hasNot string
	}{
		{&brk, "inv", "Breakers 1 of 8 ∙ /inv ∙  1 open ", "inventory", "payment-api"},
		{&brk, "!inventory !relctl", "Breakers 5 of 8", "payment-api", "inventory"},
		{&brk, "state:closed changed>1h", "Breakers 2 of 8", "search", "payment-api"},
		{&brk, "state:open", "Breakers 1 of 8", "payment-api", "email"},
		{&brk, "state:own", "Breakers 2 of 8", "relctl-tui/", "email"},
		{&brk, "nobody", "Breakers 0 of 8 ∙ /nobody ∙  1 open ", "nothing matches /nobody (esc shows all 8)", "payment-api"},
		{&brk, "rollout>10", "Breakers 0 of 8", "nothing matches", "payment-api"},
		{&lat, "srch", "Latency 1 of 5 ∙ /srch", "search", "payment API"},
		{&lat, "state:no", "Latency", "reports", "payment API"},
		{&act, "by:ben", "Activity 2 of 5 ∙ /by:ben", "legacy-export", "checkout-v2"},
		{&act, "state:killed", "Activity 1 of 5", "10% ➔ killed", "25%"},
		{&act, "state:breaker", "Activity 1 of 5", "payment-api", "ana"},
		{&alr, "ledger", "Alerts 1 of 4 ∙ /ledger ∙  4 firing", "ledger", "x4"},
		{&alr, "!ledger", "Alerts 3 of 4", "x3", "x4"},
		{&alr, "#crit", "Alerts 2 of 4", "email", "search"},
		{&alr, "nobody", "Alerts 0 of 4", "nothing matches /nobody (esc shows all 4)", "HighErrors"},
	} {
		c.pane.SetSize(140, 10)
		c.pane.SetSnapshot(withAlerts(), viewtest.Now())
		all := ansi.Strip(c.pane.View())
		c.pane.SetFilter(c.filter)
		title, body, _ := strings.Cut(ansi.Strip(c.pane.View()), "\n")
		require.Contains(t, title, c.title, c.filter)
		require.Contains(t, body, c.has, c.filter)
		require.NotContains(t, body, c.hasNot, c.filter)
		c.pane.SetFilter("")
		require.Equal(t, all, ansi.Strip(c.pane.View()), c.filter)
	}
}

func TestTheCursorOfANarrowedPaneStaysOnItsRowAndNeverOnAHiddenOne(t *testing.T) {
	t.Parallel()
	m := breakers.New(viewtest.Theme(t, "mono", false), views.DefaultKeyMap())
	m.SetSize(100, 8)
	m.SetSnapshot(viewtest.Snapshot(viewtest.OK), viewtest.Now())
	m.SetFocused(true)
	m, _ = m.Update(tea.KeyPressMsg{Code: 'j', Text: "j"})
	require.Equal(t, "inventory", m.Breaker().Name)
	m.SetFilter("inv")
	require.Equal(t, "inventory", m.Breaker().Name)
	m.SetFilter("s")
	require.Equal(t, "database", m.Breaker().Name, "the first of those that are left")
	require.True(t, m.Point(2))
	require.Equal(t, "search", m.Breaker().Name, "a click counts the rows that are seen")
	require.Contains(t, strings.Split(ansi.Strip(m.View()), "\n")[2], "▸")
	m.SetFilter("nobody")
	require.Nil(t, m.Breaker())
	m.SetFilter("")
	require.NotNil(t, m.Breaker())
}
