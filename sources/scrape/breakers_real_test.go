package scrape_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	prom "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/sony/gobreaker/v2"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
	"relctl-tui/sources/scrape"
	"relctl-tui/sources/sourcetest"
)

const patience = time.Minute

// seen waits until the named breaker is in that state, and gives it back.
func seen(t *testing.T, s *scrape.Source, name string, want sources.BreakerState) (found sources.Breaker) {
	t.Helper()
	var last string
	require.Eventually(t, func() bool {
		set, err := s.Breakers(t.Context())
		last = fmt.Sprint(set.Breakers, err)
		for _, b := range set.Breakers {
			if b.Name == name && b.State == want {
				found = b
				return true
			}
		}
		return false
	}, patience, 20*time.Millisecond, "%s is not seen %s: %s", name, want, &last)
	return found
}

func reader(t *testing.T, url string, c metrics.Config) *scrape.Source {
	t.Helper()
	c.Window = 2 * time.Second
	s, err := scrape.New("real", []string{url}, scrape.Options{Metrics: c, MinInterval: time.Millisecond})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func get(t *testing.T, url string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
}

func TestARealOpossumIsSeenClosedOpenAndClosedAgainThoughNothingCountsItsHalfOpen(t *testing.T) {
	node := sourcetest.RealTool(t, "node", "apt-get install nodejs")
	dir, err := filepath.Abs("../../.ci/opossum")
	require.NoError(t, err)
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "opossum")); err != nil {
		sourcetest.RequireReal(t, "npm package opossum", "npm install --prefix .ci/opossum --no-package-lock")
	}
	cmd := exec.CommandContext(t.Context(), node, "--no-deprecation", "server.cjs", "700")
	cmd.Dir = dir
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	lines := bufio.NewScanner(out)
	require.True(t, lines.Scan(), "its port")
	base := "http://127.0.0.1:" + lines.Text()
	s := reader(t, base+"/metrics", metrics.Config{})

	get(t, base+"/call?ok=1")
	b := seen(t, s, "ledger", sources.BreakerClosed)
	require.True(t, b.Inferred)
	require.Equal(t, "opossum", b.Preset)
	for range 4 {
		get(t, base+"/call?ok=0")
	}
	require.Equal(t, "or half-open, which was never counted", seen(t, s, "ledger", sources.BreakerOpen).Note)
	pause(t, time.Second) // its reset timeout is over
	get(t, base+"/call?ok=1")
	seen(t, s, "ledger", sources.BreakerClosed)
	// A board that starts only now has seen none of that.
	seen(t, reader(t, base+"/metrics", metrics.Config{}), "ledger", sources.BreakerClosed)
	http.DefaultClient.CloseIdleConnections()
}

// turning is a breaker of a library without an exporter, as applications export it: a
// gauge of the library's own constant.
type turning struct {
	preset string
	value  func() float64
	fail   func()
	pass   func()
}

func gobreakers() turning {
	cb := gobreaker.NewCircuitBreaker[int](gobreaker.Settings{
		Name: "ledger", Timeout: 300 * time.Millisecond,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures > 2 },
	})
	call := func(err error) { _, _ = cb.Execute(func() (int, error) { return 0, err }) }
	return turning{"gobreaker", func() float64 { return float64(cb.State()) }, func() { call(errors.New("no")) }, func() { call(nil) }}
}

func failsafes() turning {
	cb := circuitbreaker.NewBuilder[any]().WithFailureThreshold(3).WithDelay(300 * time.Millisecond).WithSuccessThreshold(2).Build()
	return turning{
		"failsafe", func() float64 { return float64(cb.State()) },
		func() {
			if cb.TryAcquirePermit() {
				cb.RecordFailure()
			}
		},
		func() {
			if cb.TryAcquirePermit() {
				cb.RecordSuccess()
			}
		},
	}
}

func TestRealGobreakerAndFailsafeAreSeenInEachStateUnderTheirOwnConventions(t *testing.T) {
	for _, b := range []turning{gobreakers(), failsafes()} {
		t.Run(b.preset, func(t *testing.T) {
			reg := prom.NewRegistry()
			reg.MustRegister(prom.NewGaugeFunc(prom.GaugeOpts{Name: "app_breaker", Help: "x", ConstLabels: prom.Labels{"name": "ledger"}}, b.value))
			srv := httptest.NewServer(promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
			t.Cleanup(srv.Close)
			s := reader(t, srv.URL, metrics.Config{Breakers: []metrics.BreakerRule{{Preset: b.preset, Metric: "app_breaker"}}})
			seen(t, s, "ledger", sources.BreakerClosed)
			for range 3 {
				b.fail()
			}
			seen(t, s, "ledger", sources.BreakerOpen)
			pause(t, 350*time.Millisecond)
			if b.preset == "failsafe" { // it turns with a call, not with the clock, and wants two that pass
				b.pass()
			}
			seen(t, s, "ledger", sources.BreakerHalfOpen)
			b.pass()
			seen(t, s, "ledger", sources.BreakerClosed)
		})
	}
}

func pause(t *testing.T, d time.Duration) {
	t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Context().Done():
	}
}

func TestARealHAProxysServersAreSeenUpDownDrainedAndInMaintenance(t *testing.T) {
	haproxy := sourcetest.RealTool(t, "haproxy", "apt-get install haproxy")
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) }))
	t.Cleanup(backend.Close)
	dir, address := t.TempDir(), sourcetest.FreeAddress(t)
	socket := filepath.Join(dir, "s")
	conf := filepath.Join(dir, "haproxy.cfg")
	require.NoError(t, os.WriteFile(conf, fmt.Appendf(nil, `global
  stats socket %s mode 600 level admin
defaults
  mode http
  timeout connect 1s
  timeout client 5s
  timeout server 5s
frontend f
  bind %s
  http-request use-service prometheus-exporter if { path /metrics }
  default_backend api
backend api
  option httpchk GET /
  server stable %s check inter 100 fall 1 rise 1
  server canary %s
`, socket, address, backend.Listener.Addr(), backend.Listener.Addr()), 0o600))
	cmd := exec.CommandContext(t.Context(), haproxy, "-db", "-f", conf)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	tell := func(order string) {
		t.Helper()
		require.Eventually(t, func() bool {
			c, err := (&net.Dialer{}).DialContext(context.Background(), "unix", socket)
			if err != nil {
				return false
			}
			defer c.Close()
			_, err = fmt.Fprintln(c, order)
			return err == nil
		}, patience, 10*time.Millisecond)
	}
	s := reader(t, "http://"+address+"/metrics", metrics.Config{})
	b := seen(t, s, "api/stable", sources.BreakerClosed)
	require.Equal(t, "haproxy", b.Preset)
	tell("set server api/canary state drain")
	seen(t, s, "api/canary", sources.BreakerForcedOpen)
	tell("set server api/canary state ready")
	seen(t, s, "api/canary", sources.BreakerClosed)
	tell("disable server api/canary")
	seen(t, s, "api/canary", sources.BreakerForcedOpen)
	backend.CloseClientConnections()
	require.NoError(t, backend.Listener.Close())
	down := seen(t, s, "api/stable", sources.BreakerOpen)
	require.False(t, strings.Contains(down.Note, "unmapped"))
}
