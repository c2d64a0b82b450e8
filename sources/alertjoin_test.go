package sources_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
)

func TestTheSourceThatKnowsOfSilencesSpeaksForAnAlertThatAnotherHasToo(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	prom := sources.AlertOf("prom", map[string]string{"alertname": "A"}, nil)
	prom.Value, prom.Since = "7", began
	am := sources.AlertOf("am", map[string]string{"alertname": "A"}, nil)
	am.State, am.Since = sources.AlertSilenced, began.Add(time.Minute)
	silences := func(s string) bool { return s == "am" }
	for _, sets := range [][][]sources.Alert{{{prom}, {am}}, {{am}, {prom}}} {
		got := sources.JoinAlerts(sets, silences)
		require.Len(t, got, 1)
		require.Equal(t, "am", got[0].Source)
		require.Equal(t, "prom", got[0].Also)
		require.Equal(t, sources.AlertSilenced, got[0].State)
		require.Equal(t, "7", got[0].Value, "what only the other one says is kept")
		require.Equal(t, began, got[0].Since)
	}
}

func TestSeveritiesAreComparedWithoutRegardToCase(t *testing.T) {
	t.Parallel()
	of := func(severity string) sources.Alert {
		return sources.AlertOf("s", map[string]string{"alertname": "A", "severity": severity}, nil)
	}
	require.Negative(t, sources.CompareAlerts(of("CRITICAL"), of("warning")))
	require.Zero(t, sources.CompareAlerts(of("Info"), of("Info")))
	require.Negative(t, sources.CompareAlerts(of("warning"), of("INFO")))
}

func TestAnAlertSaysWhatItMeansAtLengthWhatToDoAndHowManyLabelsItLacks(t *testing.T) {
	t.Parallel()
	labels := map[string]string{"alertname": "A", "empty": ""}
	for i := range 60 {
		labels["l"+string(rune('a'+i%26))+string(rune('a'+i/26))] = "v"
	}
	a := sources.AlertOf("s", labels, map[string]string{"summary": "short", "description": "long\x1b[31m text", "runbook_url": "https://r/\u202e"})
	require.Equal(t, "short", a.Summary)
	require.NotContains(t, a.Description+a.Runbook, "\x1b")
	require.NotContains(t, a.Runbook, "\u202e")
	require.Contains(t, a.Description, "long")
	require.Len(t, a.Labels, 40)
	require.Equal(t, 21, a.Cut, "61 that are not empty, of which 40 are kept")
	a = sources.AlertOf("s", nil, map[string]string{"description": "only this"})
	require.Equal(t, "only this", a.Summary)
	require.Empty(t, a.Description, "it is not said twice")
}
