package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources/sourcetest"
)

// balancer is a real HAProxy over two applications, of which each answers its name.
type balancer struct{ socket, front string }

func balance(t *testing.T) *balancer {
	t.Helper()
	return balanceOver(t, fmt.Sprintf("server s1 %s\n  server s2 %s", answering(t, "s1"), answering(t, "s2")))
}

// balanceOver is one over those servers.
func balanceOver(t *testing.T, servers string) *balancer {
	t.Helper()
	program := sourcetest.RealTool(t, "haproxy", "apt-get install haproxy")
	dir, err := os.MkdirTemp("", "hap") // sockets have short names
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	b := &balancer{socket: filepath.Join(dir, "lb"), front: sourcetest.FreeAddress(t)}
	conf := filepath.Join(dir, "haproxy.cfg")
	require.NoError(t, os.WriteFile(conf, fmt.Appendf(nil, `global
  stats socket %s mode 600 level admin
defaults
  mode http
  timeout connect 20s
  timeout client 20s
  timeout server 20s
frontend f
  bind %s
  default_backend api
backend api
  %s
`, b.socket, b.front, servers), 0o600))
	sourcetest.Run(t, program, "-db", "-f", conf)
	require.Eventually(t, func() bool {
		c, err := net.Dial("unix", b.socket)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	}, patience, 10*time.Millisecond)
	return b
}

// answering is the address of an application that answers its name.
func answering(t *testing.T, name string) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, name) }))
	t.Cleanup(srv.Close)
	return srv.Listener.Addr().String()
}

// tell is an administrator with a client of his own.
func (b *balancer) tell(t *testing.T, command string) string {
	t.Helper()
	c, err := net.Dial("unix", b.socket)
	require.NoError(t, err)
	defer c.Close()
	_, err = io.WriteString(c, command+"\n")
	require.NoError(t, err)
	answer, err := io.ReadAll(c)
	require.NoError(t, err)
	return string(answer)
}

// admin is what is set for a server, as HAProxy says it.
func (b *balancer) admin(t *testing.T, server string) string {
	t.Helper()
	for line := range strings.Lines(b.tell(t, "show servers state api")) {
		if f := strings.Fields(line); len(f) > 6 && f[3] == server {
			return f[6]
		}
	}
	return "no such server"
}

// ask counts who answers n requests.
func (b *balancer) ask(t *testing.T, n int) map[string]int {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	got := map[string]int{}
	for range n {
		resp, err := client.Get("http://" + b.front)
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		got[string(body)]++
	}
	return got
}

// onServer is a board on the servers of HAProxy, with the keys in their pane, and the
// server that the cursor is on.
func onServer(t *testing.T, b *balancer, more ...string) (s *screen, server string) {
	t.Helper()
	s = open(t, 110, 30, []string{"RELCTL_ACTOR=ana"}, append([]string{"--flags", "flagd:" + flagFile(t, fleetFile), "--breakers", "haproxy:" + b.socket}, more...)...)
	s.awaitLine("api/s1", "closed")
	s.awaitLine("api/s2", "closed")
	s.press("\t")
	line := s.awaitLine("▸", "api/s")
	pause(500 * time.Millisecond) // of grace
	server = "s1"
	if strings.Contains(line, "api/s2") {
		server = "s2"
	}
	return s, server
}

func TestOneKeyTakesAServerOfARealHAProxyOutAndUndoBringsItBack(t *testing.T) {
	t.Parallel()
	b := balance(t)
	require.Equal(t, map[string]int{"s1": 4, "s2": 4}, b.ask(t, 8))
	s, server := onServer(t, b)
	s.awaitText("o open", "c close") // the keys of this pane, in the footer
	s.press("o")
	s.awaitText("api/" + server + " closed ➔ forced-open confirmed")
	s.awaitLine("api/"+server, "forced-open", "1/1")
	require.Equal(t, "1", b.admin(t, server), "maintenance, in HAProxy's own words")
	other := map[string]string{"s1": "s2", "s2": "s1"}[server]
	require.Equal(t, map[string]int{other: 8}, b.ask(t, 8), "traffic goes elsewhere")
	s.awaitLine("ana", "api/"+server, "closed ➔ forced-op", "confirmed")
	s.press("u")
	s.awaitText("undone: api/" + server + " forced-open ➔ closed confirmed")
	require.Equal(t, "0", b.admin(t, server), "ready")
	require.Equal(t, map[string]int{"s1": 4, "s2": 4}, b.ask(t, 8))
	require.Zero(t, s.quit())
}

func TestUndoBringsBackTheDrainThatAnAdministratorHadSet(t *testing.T) {
	t.Parallel()
	b := balance(t)
	s, server := onServer(t, b)
	b.tell(t, "set server api/"+server+" state drain")
	s.awaitLine("api/"+server, "forced-open")
	pause(600 * time.Millisecond) // of grace
	s.press("o")
	s.awaitText("forced-open ➔ forced-open confirmed")
	require.Equal(t, "1", b.admin(t, server))
	s.press("u")
	s.awaitText("undone: api/" + server)
	require.Equal(t, "8", b.admin(t, server), "drain")
}

func TestABreakersKeyNeverActsInAPasteWithoutTheRightOrFromAnotherPane(t *testing.T) {
	t.Parallel()
	b := balance(t)
	s, server := onServer(t, b)
	s.send("oooooo")
	s.awaitText("look like a paste: nothing was done")
	s.send("\x1b[200~o\x1b[201~")
	pause(300 * time.Millisecond)
	require.Equal(t, "0", b.admin(t, server))
	s.press("\t") // the latencies
	pause(100 * time.Millisecond)
	s.press("o")
	s.awaitText("tab to the breakers")
	require.Equal(t, "0", b.admin(t, server))
	require.Zero(t, s.quit())

	looking, server := onServer(t, b, "--read-only")
	looking.press("o")
	looking.awaitText("read-only: this board was started without the right to change anything")
	require.Equal(t, "0", b.admin(t, server))
	require.NotContains(t, looking.text(), "o open", "what cannot be done is not offered")
	require.Zero(t, looking.quit())
}

func TestTheDetailOfABreakerNamesItsInstancesAndAKeySwitchesThemAll(t *testing.T) {
	t.Parallel()
	dsn, apps := twoApps(t, "CLOSED")
	apps[0].Turn("payments", "OPEN")
	s := open(t, 110, 34, []string{"RELCTL_ACTOR=ana"}, "--breakers", dsn)
	s.awaitLine("payments", "open", "1/2")
	s.press("\t")
	s.awaitLine("▸", "payments")
	s.press("\r")
	s.awaitLine(apps[0].Host(), "✗ open", "62% errors", "8 calls, 5 failed")
	s.awaitLine(apps[1].Host(), "✓ closed", "3 calls, 1 failed")
	s.awaitLine("opens at", "50% failed")
	s.awaitLine("history", "no turn since")
	apps[1].Turn("payments", "OPEN")
	s.awaitLine(apps[1].Host(), "✗ open") // read again, for its row has changed
	pause(500 * time.Millisecond)         // of grace
	apps[1].Refuse(http.StatusForbidden)
	s.press("o")
	s.awaitText("DONE IN PART: payments: done on 1 of 2 instances", apps[1].Host())
	s.awaitLine(apps[0].Host(), "⊗ forced-open")
	require.Equal(t, "FORCED_OPEN", apps[0].State("payments"))
	s.press("u")
	s.awaitText("undone: payments")
	require.Equal(t, "CLOSED", apps[0].State("payments"), "what was open cannot be set, and comes back closed")
	require.Equal(t, "OPEN", apps[1].State("payments"))
	require.Zero(t, s.quit())
}
