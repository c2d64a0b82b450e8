package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
)

func TestAReportHasWhatWasChangedAndSaysWhatIsNotKnown(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	require.Zero(t, b.run("kill", "checkout-v2", "--reason", "payments <fail>").code)
	require.Zero(t, b.run("undo").code)

	r := b.run("report")
	require.Zero(t, r.code, r.stderr)
	require.Contains(t, r.stdout, `| ana | kill checkout-v2: 25% to killed | payments \<fail\> | confirmed |`)
	require.Contains(t, r.stdout, "by ana has no reason on record.")
	require.Contains(t, r.stdout, "No source of metrics keeps a past, so it is not known what users felt.")

	r = b.run("report", "-o", "json", "--since", "10m")
	require.Zero(t, r.code, r.stderr)
	var doc struct {
		Actions []struct{ Attributes map[string]string }
	}
	require.NoError(t, json.Unmarshal([]byte(r.stdout), &doc))
	require.Len(t, doc.Actions, 2)
	require.Equal(t, "checkout-v2", doc.Actions[0].Attributes["feature_flag.key"])
	require.Equal(t, "on", doc.Actions[0].Attributes["feature_flag.result.variant"])

	page := filepath.Join(t.TempDir(), "incident.html")
	require.Zero(t, b.run("report", "-o", "html", "--file", page).code)
	info, err := os.Stat(page)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	r = b.run("report", "-o", "html", "--file", page)
	require.Equal(t, exitFailed, r.code)
	require.Contains(t, r.stderr, "is there already, name another file")
}

func TestAReportWithABadSpanOrFormIsAUsageError(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for want, args := range map[string][]string{
		"60 s": {"--since", "3s"}, "7d": {"--since", "8d"}, "no duration": {"--since", "yesterday"}, "write -o md, -o html or -o json": {"-o", "pdf"},
	} {
		r := b.run(append([]string{"report"}, args...)...)
		require.Equal(t, exitUsage, r.code, args)
		require.Contains(t, r.stderr, want)
	}
}

func TestAReportKeepsTheSuspectThatTheBoardFoundInTheMinuteOfTheIncident(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC)
	breach := func(metric string, after time.Duration) sources.Breach {
		return sources.Breach{Metric: metric, At: from.Add(after)}
	}
	earlier := &sources.Incident{
		Breaches: []sources.Breach{breach("payment API p99", time.Hour), breach("checkout errors", time.Hour)},
		Suspects: []sources.Suspect{{Subject: "checkout-v2"}},
	}

	late := sources.Incident{From: from, Breaches: []sources.Breach{breach("checkout errors", time.Hour+time.Second)}}
	remember(&late, earlier)
	require.Equal(t, earlier.Suspects, late.Suspects)
	require.Equal(t, []sources.Breach{breach("payment API p99", time.Hour), breach("checkout errors", time.Hour+time.Second)}, late.Breaches)

	own := sources.Incident{From: from, Suspects: []sources.Suspect{{Subject: "wallet-pay"}}}
	remember(&own, earlier)
	require.Equal(t, "wallet-pay", own.Suspects[0].Subject, "what the report finds itself stands")
	require.Empty(t, own.Breaches)

	other := sources.Incident{From: from.Add(90 * time.Minute)}
	remember(&other, earlier)
	require.Empty(t, other.Suspects, "an incident of before is another one")

	none := sources.Incident{From: from}
	remember(&none, nil)
	remember(&none, &sources.Incident{Breaches: earlier.Breaches})
	require.Empty(t, none.Breaches)
}
