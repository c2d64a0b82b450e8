package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources/sourcetest"
)

// fleet is the headless demo in a process of its own.
type fleet struct{ flags, metrics string }

func startFleet(t testing.TB) fleet {
	t.Helper()
	cmd := exec.Command(binary, "demo", "--headless", "--seed", "7",
		"--flags-file", filepath.Join(t.TempDir(), "demo.flagd.json"))
	cmd.Env = cleanEnv(t)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Signal(os.Interrupt); _ = cmd.Wait() })
	var f fleet
	lines := bufio.NewScanner(out)
	for (f.flags == "" || f.metrics == "") && lines.Scan() {
		if v, ok := strings.CutPrefix(lines.Text(), "flags: "); ok {
			f.flags = v
		}
		if v, ok := strings.CutPrefix(lines.Text(), "metrics: "); ok {
			f.metrics = v
		}
	}
	require.NotEmpty(t, f.flags)
	require.NotEmpty(t, f.metrics)
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return f
}

// startPrometheus runs a real server that scrapes the fleet each second.
func startPrometheus(t testing.TB, fleetMetrics string) string {
	t.Helper()
	bin := sourcetest.RealTool(t, "prometheus", "apt-get install prometheus")
	dir := t.TempDir()
	target := strings.TrimSuffix(strings.TrimPrefix(fleetMetrics, "http://"), "/metrics")
	config := filepath.Join(dir, "prometheus.yml")
	require.NoError(t, os.WriteFile(config, []byte(fmt.Sprintf(
		"global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n- job_name: fleet\n  static_configs: [{targets: [%q]}]\n", target)), 0o600))
	addr := sourcetest.FreeAddress(t)
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, bin, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+addr, "--log.level=error")
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { cancel(); _ = cmd.Wait() })
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

// served is how many requests the fleet's new checkout path has answered.
func served(t testing.TB, metrics string) int {
	t.Helper()
	resp, err := http.Get(metrics)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	n := 0
	for _, m := range regexp.MustCompile(`(?m)^http_server_request_duration_seconds_count\{[^}]*http_route="/v2/[^}]*\} (\d+)`).FindAllStringSubmatch(string(body), -1) {
		v, _ := strconv.Atoi(m[1])
		n += v
	}
	return n
}

func TestARampBreaksTheFleetAndOneKeyHealsItUnderARealPrometheus(t *testing.T) {
	t.Parallel()
	f := startFleet(t)
	prom := startPrometheus(t, f.metrics)
	original, err := os.ReadFile(f.flags)
	require.NoError(t, err)
	config := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(config, []byte(fmt.Sprintf(`default: prod
contexts:
  prod:
    flags: [{dsn: %q}]
    metrics: [{dsn: %q, every: 1s, window: 10s}]
    breakers: [{preset: auto}]
    latency:
      - {name: payment API, preset: http_server, match: 'service="payment API"', slo: 500ms, calls: [database]}
      - {name: database, preset: http_server, match: 'service="database"', slo: 250ms}
`, "flagd:"+f.flags, prom)), 0o600))
	s := open(t, 120, 40, nil, "--config", config)

	// Healthy: the breaker is closed and the latency within its SLO.
	s.awaitLine("checkout-v2", "off")
	s.awaitLine("payment API", "closed")
	s.awaitLine("payment API", "ok")

	// Ramp to 50 %: the payment API breaches its SLO and its breaker opens.
	pick(s, "checkout-v2")
	s.press("=", "5", "0", "\r")
	ramped := s.awaitFile(f.flags, func(text string) bool { return text != string(original) })
	s.awaitLine("checkout-v2", "50")
	s.awaitLine("payment API", "open")
	s.awaitLine("payment API", "breached")
	require.Positive(t, served(t, f.metrics))

	// One key: the file says DISABLED, the new path is no longer served, the
	// breaker closes, p99 recovers.
	pause(500 * time.Millisecond)
	s.press("K")
	s.awaitFile(f.flags, has("DISABLED"))
	s.awaitLine("checkout-v2", "killed")
	require.Eventually(t, func() bool {
		before := served(t, f.metrics)
		pause(1500 * time.Millisecond)
		return served(t, f.metrics) == before
	}, patience, time.Millisecond, "the new path is still served")
	s.awaitLine("payment API", "closed")
	s.awaitLong("the payment API within its SLO again", func(text string) bool {
		return lineWith(text, "payment API", "ok") != ""
	}, 2*time.Minute)

	// Undo takes back the kill, then the ramp, byte for byte.
	s.press("u")
	s.awaitFile(f.flags, func(text string) bool { return text == ramped })
	pause(800 * time.Millisecond)
	s.press("u")
	s.awaitFile(f.flags, func(text string) bool { return text == string(original) })
	require.Zero(t, s.quit())
}
