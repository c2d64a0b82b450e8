package report_test

import (
	"bytes"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/report"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var two = time.Date(2026, 3, 1, 14, 0, 0, 0, time.UTC)

// incident is an hour in which ben raised a flag, the payment API broke, and ana killed
// the flag.
func incident() report.Input {
	id := sources.FlagID{Source: "flags", Key: "checkout-v2"}
	raised, killed := two.Add(20*time.Minute), two.Add(30*time.Minute)
	points := make([]float64, 121)
	for i := range points {
		switch at := two.Add(time.Duration(i) * 30 * time.Second); {
		case i >= 90 && i < 100:
			points[i] = math.NaN()
		case at.After(raised) && at.Before(killed.Add(time.Minute)):
			points[i] = 1.2
		default:
			points[i] = 0.2
		}
	}
	return report.Input{
		Context: "prod", Zone: time.FixedZone("CET", 3600),
		Incident: sources.Incident{
			From: two, At: two.Add(time.Hour),
			Metrics: []sources.PastMetric{{
				Name: "payment API p99", Service: "payment API", Unit: "s", Start: two, Step: 30 * time.Second, Points: points, Limit: 0.5,
			}},
			Events: []sources.Event{
				{Lane: sources.LaneDeploys, At: two.Add(5 * time.Minute), Name: "payment", Text: "2.14.0 to 2.14.1"},
				{Lane: sources.LaneFlags, At: raised, Name: "checkout-v2", Flag: id, Text: "5% to 50%, ben"},
				{Lane: sources.LaneBreakers, At: raised.Add(time.Minute), Until: killed.Add(50 * time.Second), Bad: true, Name: "payment", Text: "closed to open"},
			},
			Breaches: []sources.Breach{{
				Metric: "payment API p99", Service: "payment API", Unit: "s", At: raised.Add(20 * time.Second), Until: killed.Add(time.Minute),
				Before: 0.2, After: 1.2,
			}},
			Suspects: []sources.Suspect{{
				Lane: sources.LaneFlags, Flag: id, Subject: "checkout-v2", What: "5% to 50%", At: raised, Word: "strong",
				Why: "checkout-v2 went from 5% to 50% 20 s before payment API p99 rose from 200 ms to 1.2 s",
			}},
		},
		Changes: []sources.Activity{
			{
				ID: "02", At: killed, Kind: string(sources.Kill), Flag: id, Name: "checkout-v2", Actor: "ana", Reason: "payments fail",
				Old: "50%", New: "killed", Outcome: sources.Confirmed, Revision: "r3",
				Done: killed.Add(120 * time.Millisecond), Effective: killed.Add(900 * time.Millisecond),
			},
			{
				ID: "01", At: raised, Kind: string(sources.Ramp), Flag: id, Name: "checkout-v2", Actor: "ben",
				Old: "5%", New: "50%", Outcome: sources.Confirmed, Revision: "r2", Done: raised.Add(100 * time.Millisecond),
			},
			{ID: "03", At: two.Add(40 * time.Minute), Kind: string(sources.Back), Flag: id, Name: "checkout-v2", Actor: "ana", Reason: "r", Outcome: sources.Unconfirmed, Old: "killed", New: "1%"},
			{ID: "00", At: two.Add(-time.Minute), Kind: string(sources.Kill), Name: "long-ago", Outcome: sources.Confirmed},
		},
		Flags:  []sources.Flag{{ID: id, Name: "checkout-v2", Metric: "payment API", Variant: "on"}},
		Alerts: []sources.Alert{{Name: "PaymentErrors", State: sources.AlertFiring}},
		Gaps:   []string{"audit log of flags could not be read"},
	}
}

func written(t *testing.T, write func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, write(&b))
	return b.String()
}

func TestGoldens(t *testing.T) {
	t.Parallel()
	d := report.Build(incident())
	for name, write := range map[string]func(io.Writer) error{"incident.md": d.Markdown, "incident.html": d.HTML, "incident.json": d.JSON} {
		got, path := written(t, write), filepath.Join("testdata", name)
		if *update {
			require.NoError(t, os.MkdirAll("testdata", 0o755))
			require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
		}
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(want), got, name)
	}
}

func TestAReportSaysTheChangeTheOnsetTheKillAndTheTimeToEffect(t *testing.T) {
	t.Parallel()
	d := report.Build(incident())
	require.Len(t, d.Actions, 3, "what lies outside of the span is left out")
	kill := d.Actions[1]
	require.Equal(t, "ana", kill.Who)
	require.Equal(t, "payments fail", kill.Why)
	require.Equal(t, 120*time.Millisecond, kill.Written)
	require.Equal(t, 900*time.Millisecond, kill.Effective)
	require.Equal(t, time.Minute, kill.Recovered)
	require.Equal(t, sources.Some(1.2), kill.Before)
	require.Equal(t, sources.Some(0.2), kill.After)
	require.Equal(t, map[string]string{
		"feature_flag.key": "checkout-v2", "feature_flag.provider.name": "flags", "feature_flag.version": "r3", "feature_flag.result.variant": "on",
		"deployment.environment.name": "prod", "user.name": "ana", "relctl.change.id": "02", "relctl.change.kind": "kill",
		"relctl.change.old": "50%", "relctl.change.new": "killed", "relctl.change.reason": "payments fail", "relctl.change.outcome": "confirmed",
		"relctl.change.effective_at": "2026-03-01T14:30:00.9Z",
	}, kill.Attributes)
	text := written(t, d.Markdown)
	for _, want := range []string{
		"14:20:00 | 15:20:00 | change | 1. ben: ramp checkout-v2, 5% to 50%",
		"14:20:20 | 15:20:20 | onset | payment API p99 left its level: 200 ms to 1.2 s",
		"ana: kill checkout-v2, 50% to killed; payment API p99 was within its limit 1 min later",
		"First suspect (strong): checkout-v2",
		"deploys | payment: 2.14.0 to 2.14.1", "breaker | payment: closed to open",
	} {
		require.Contains(t, text, want)
	}
	require.NotContains(t, text, "long-ago")
}

func TestWhatIsNotKnownIsAnOpenQuestion(t *testing.T) {
	t.Parallel()
	d := report.Build(incident())
	require.Equal(t, []string{
		"Change 1 (ramp checkout-v2: 5% to 50%) by ben has no reason on record.",
		"Change 3 (back checkout-v2: killed to 1%) is unconfirmed: is it in force?",
		"No samples from 14:45:00 to 14:50:00 UTC (5 min): payment API p99.",
		"Alert PaymentErrors still fires.",
		"audit log of flags could not be read.",
	}, d.Questions)
	none := report.Build(report.Input{Incident: sources.Incident{From: two, At: two.Add(time.Hour)}})
	require.Equal(t, []string{"No source of metrics keeps a past, so it is not known what users felt."}, none.Questions)
	require.Contains(t, written(t, none.Markdown), "Nobody changed anything.")
	require.Contains(t, written(t, none.HTML), "No source of metrics keeps a past.")
	require.Contains(t, written(t, none.JSON), `"actions": []`)
}

func TestHostileTextIsNoMarkupAndThePageLoadsNothing(t *testing.T) {
	t.Parallel()
	const hostile = "<script>alert(1)</script> | ![x](http://evil/) `code`\n# head \x1b[31m \u202e &amp; <img src=x onerror=y>"
	in := incident()
	in.Context, in.Gaps = hostile, []string{hostile}
	for i := range in.Changes {
		c := &in.Changes[i]
		c.Name, c.Actor, c.Reason, c.Old, c.New, c.Err = hostile, hostile, hostile, hostile, hostile, hostile
	}
	in.Incident.Metrics[0].Name, in.Incident.Suspects[0].Why, in.Incident.Events[0].Text = hostile, hostile, hostile
	d := report.Build(in)

	page := written(t, d.HTML)
	for _, never := range []string{"<script", "<img", "src=", "href=", "\x1b", "\u202e", "@import", "url("} {
		require.NotContains(t, strings.ReplaceAll(page, "&lt;img src=x", ""), never)
	}
	require.Contains(t, page, "default-src 'none'")
	text := written(t, d.Markdown)
	for _, never := range []string{"<script", "<img", "\x1b", "\u202e", "![x]"} {
		require.NotContains(t, strings.ReplaceAll(strings.ReplaceAll(text, `\<script`, ""), `\<img`, ""), never)
	}
	for line := range strings.Lines(text) {
		require.False(t, strings.HasPrefix(line, "# head"))
		if strings.HasPrefix(line, "| 1 ") {
			require.Equal(t, 13, strings.Count(strings.ReplaceAll(line, `\|`, ""), "|"), "a cell stays a cell")
		}
	}
	require.NotContains(t, written(t, d.JSON), "<script")
}
