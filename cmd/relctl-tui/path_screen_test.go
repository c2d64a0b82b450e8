package main

import (
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheCallPathOfARealFleetIsOnTheScreenAndASlowCallsTraceInTheClipboard(t *testing.T) {
	if testing.Short() {
		t.Skip("a fleet has to run for some seconds")
	}
	t.Parallel()
	s := open(t, 80, 24, terminalEnv(t), "demo", "--seed", "3")
	s.awaitText("checkout-v2", "payment API")
	s.press("\t", "\t")
	s.awaitLine("▸", "ms") // of a latency: before its row is there, enter opens nothing
	s.press("\r")
	s.awaitText("chart     p50 below", "v path")
	s.press("v")
	text := s.awaitLong("the fleet's calls, indented by who calls them, and a trace", func(text string) bool {
		return strings.Contains(text, "own    mean") && regexp.MustCompile(`(?m)^    +database .*ms`).MatchString(text) &&
			strings.Contains(text, "y copies")
	}, patience)
	trace := regexp.MustCompile(`[0-9a-f]{32}`).FindString(text)
	require.NotEmpty(t, trace)
	from := s.written()
	s.press("y")
	said := s.awaitText("copied: ")
	copied := regexp.MustCompile(`copied: ([0-9a-f]{32})`).FindStringSubmatch(said)
	require.Len(t, copied, 2, said)
	clipboard := "\x1b]52;c;" + base64.StdEncoding.EncodeToString([]byte(copied[1]))
	s.await("it in the clipboard", func(string) bool { return strings.Contains(string(s.output(from)), clipboard) })
	require.Zero(t, s.quit())
}

func TestTheLatencyVerbPrintsTheCallPathOfALatencyAsATableAndAsJSON(t *testing.T) {
	t.Parallel()
	_, metrics, stop := headless(t)
	defer stop()
	args := []string{"latency", "--metrics", "scrape+" + metrics, "--path", "checkout"}
	r := runIn(t, cleanEnv(t), args...)
	require.Zero(t, r.code, r.stderr)
	require.Regexp(t, `(?m)^CALL +OWN +MEAN +SHARE +RATE`, r.stdout)
	require.Regexp(t, `(?m)^    database .*shared$`, r.stdout)
	require.Contains(t, r.stdout, "own: mean without what it calls")
	require.Contains(t, r.stderr, "nothing is known of the calls 15 min ago")

	r = runIn(t, cleanEnv(t), append(args, "-o", "json", "--ago", "1m")...)
	require.Zero(t, r.code, r.stderr)
	var got struct {
		Service string
		Hops    []struct {
			Name  string
			Depth int
			Own   *float64 `json:"own_s"`
			Moved *float64 `json:"moved_s"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(r.stdout), &got))
	require.Equal(t, "checkout", got.Service)
	require.GreaterOrEqual(t, len(got.Hops), 3)
	require.NotNil(t, got.Hops[0].Own)
	require.Nil(t, got.Hops[0].Moved, "nobody knows what was a minute ago")

	r = runIn(t, cleanEnv(t), "latency", "--metrics", "scrape+"+metrics, "--path", "nonesuch")
	require.Equal(t, exitFailed, r.code)
	require.Contains(t, r.stderr, "the service graph has no nonesuch, it has checkout, database")
	r = runIn(t, cleanEnv(t), "latency", "--metrics", "scrape+"+metrics, "--ago", "5m")
	require.Equal(t, exitUsage, r.code)
	require.Contains(t, r.stderr, "name one with --path NAME")
	r = runIn(t, cleanEnv(t), "latency", "--metrics", "scrape+"+metrics, "--path", "checkout", "--ago", "1s")
	require.Equal(t, exitUsage, r.code)
}
