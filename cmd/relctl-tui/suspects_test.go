package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/flagd"
	"relctl-tui/sources/journal"
	"relctl-tui/sources/sourcetest"
)

// anHour is a page of an hour of a payment whose calls were answered within 100 ms, and
// since broke take a second.
func anHour(end, broke time.Time) string {
	var om strings.Builder
	om.WriteString("# TYPE http_server_request_duration_seconds histogram\n")
	fast, all := 0, 0
	for at := end.Add(-time.Hour); at.Before(end.Add(2 * time.Minute)); at = at.Add(15 * time.Second) {
		if all += 300; at.Before(broke) {
			fast += 300
		}
		for _, b := range []struct {
			le string
			n  int
		}{{"0.1", fast}, {"1.0", all}, {"+Inf", all}} {
			fmt.Fprintf(&om, "http_server_request_duration_seconds_bucket{service=\"payment\",le=%q} %d %d\n", b.le, b.n, at.Unix())
		}
		fmt.Fprintf(&om, "http_server_request_duration_seconds_count{service=\"payment\"} %d %d\n", all, at.Unix())
	}
	return om.String() + "# EOF\n"
}

// prometheusOf runs a Prometheus with a given past.
func prometheusOf(t *testing.T, openMetrics string) string {
	t.Helper()
	server := sourcetest.RealTool(t, "prometheus", "apt-get install prometheus")
	tool := sourcetest.RealTool(t, "promtool", "apt-get install prometheus")
	dir := t.TempDir()
	past, data, config := filepath.Join(dir, "past.om"), filepath.Join(dir, "data"), filepath.Join(dir, "prometheus.yml")
	require.NoError(t, os.WriteFile(past, []byte(openMetrics), 0o600))
	require.NoError(t, os.WriteFile(config, []byte("global: {}\n"), 0o600))
	said, err := exec.CommandContext(t.Context(), tool, "tsdb", "create-blocks-from", "openmetrics", past, data).CombinedOutput()
	require.NoError(t, err, string(said))
	addr := sourcetest.FreeAddress(t)
	sourcetest.Run(t, server, "--config.file="+config, "--storage.tsdb.path="+data, "--web.listen-address="+addr, "--log.level=error")
	require.Eventually(t, func() bool {
		resp, err := http.Get("http://" + addr + "/-/ready")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}, patience, 50*time.Millisecond)
	return "http://" + addr
}

func TestTheSuspectsOfAnIncidentComeFromTheJournalAndARealPrometheus(t *testing.T) {
	t.Parallel()
	end := time.Now().Truncate(time.Second)
	broke := end.Add(-10 * time.Minute)
	prom := prometheusOf(t, anHour(end, broke))
	flags := flagFile(t, strings.Replace(fleetFile, `"targeting": {"fractional": [["on", 25]`, `"metadata": {"relctl.latency": "payment"}, "targeting": {"fractional": [["on", 25]`, 1))
	store := flagd.New("prod", flags)
	j := journal.Open(store.JournalPath(), journal.Options{})
	for id, c := range map[string]struct {
		flag, old, is string
		at            time.Time
	}{
		"c1": {"checkout-v2", "5%", "25%", broke.Add(-12 * time.Second)},
		"c2": {"dark-mode", "100%", "0%", broke.Add(-25 * time.Minute)},
	} {
		require.NoError(t, j.Intent(journal.Entry{
			ID: id, At: c.at, Kind: sources.Set, Flag: sources.FlagID{Source: "prod", Key: c.flag}, Actor: "ana", Old: c.old, New: c.is,
			OldRevision: "a", NewRevision: "b", Outcome: sources.Pending,
		}))
		require.NoError(t, j.Result(id, sources.Confirmed, "", c.at))
	}
	config := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(config, []byte(fmt.Sprintf(`default: prod
contexts:
  prod:
    flags: [{dsn: %q, name: prod}]
    metrics: [{dsn: %q}]
    latency: [{name: payment, preset: http_server, match: 'service="payment"', slo: 500ms}]
`, "flagd:"+flags, prom)), 0o600))

	text, code := run(t, nil, "suspects", "--config", config, "-o", "json")
	require.Zero(t, code, text)
	var got struct {
		Incident struct {
			Answer   string
			Metrics  int
			Changes  int
			Missing  []string
			Breaches []struct {
				Metric, Unit string
				At           time.Time
				Until        *time.Time
			}
			Suspects []struct {
				Kind, Source, Key, Change, Word, Actor, Why string
				Lag                                         float64 `json:"lag_s"`
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(text), &got), text)
	in := got.Incident
	require.NotEmpty(t, in.Suspects, text)
	s := in.Suspects[0]
	require.Equal(t, []string{"flag", "prod", "checkout-v2", "c1", "ana"}, []string{s.Kind, s.Source, s.Key, s.Change, s.Actor})
	require.Contains(t, s.Why, "before payment p99 rose")
	require.Contains(t, s.Why, "it is on payment")
	require.Equal(t, 2, in.Changes)
	require.Equal(t, "payment p99", in.Breaches[0].Metric)
	require.WithinDuration(t, broke, in.Breaches[0].At, time.Minute)
	require.Nil(t, in.Breaches[0].Until)

	text, code = run(t, nil, "suspects", "--config", config)
	require.Zero(t, code, text)
	require.Regexp(t, `(?m)^(strong|likely) +flag +checkout-v2 +5% to 25% +ana `, text)
	require.Contains(t, text, "1. checkout-v2 5% to 25%, ")
}

func TestSuspectsWithoutAPastSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	page := scrapable(t, "http_server_request_duration_seconds_count{service=\"payment\"} 10\n")
	text, code := run(t, nil, "suspects", "--metrics", "scrape+"+page)
	require.Zero(t, code, text)
	require.Contains(t, text, "no suspect")

	text, code = run(t, nil, "suspects", "--metrics", "scrape+http://127.0.0.1:1/metrics")
	require.Equal(t, exitFailed, code, text)

	text, code = run(t, nil, "suspects", "--since", "5s", "--metrics", "scrape+"+page)
	require.Equal(t, exitUsage, code)
	require.Contains(t, text, "suspects: --since wants 60 s to 7d, not \"5s\"")
	text, code = run(t, nil, "suspects", "--flags", "flagd:"+flagFile(t, fleetFile))
	require.Equal(t, exitUsage, code)
	require.Contains(t, text, "no metrics are configured")
}

// scrapable is a server with one page of metrics.
func scrapable(t *testing.T, page string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = fmt.Fprint(w, page)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/metrics"
}
