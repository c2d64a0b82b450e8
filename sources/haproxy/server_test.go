package haproxy_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/haproxy"
	"relctl-tui/sources/sourcetest"
)

const patience = time.Minute

// backends is the configuration that most tests share. %s are the addresses of two
// applications, the stable and the canary one.
const backends = `
backend api
  server stable %[1]s weight 75
  server canary %[2]s weight 25
backend legacy
  balance static-rr
  server stable %[1]s weight 10
  server canary %[2]s weight 10
backend single
  server canary %[2]s
backend three
  server s1 %[1]s weight 60
  server s2 %[2]s weight 20
  server s3 %[1]s weight 20
backend web
  balance leastconn
  server old %[1]s weight 50
  server new-Canary %[2]s weight 50
`

// proxy is one running HAProxy with two applications behind it.
type proxy struct {
	dir, tcp, front string
	socket          string // level admin; -operator and -user are beside it
	process         *os.Process
	apps            map[string]*httptest.Server
}

func app(t testing.TB, name string) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, name) }))
	t.Cleanup(srv.Close)
	return srv
}

// start runs HAProxy with the backends; its frontend is on api.
func start(t testing.TB, conf string) *proxy {
	t.Helper()
	program := sourcetest.RealTool(t, "haproxy", "apt-get install haproxy")
	dir, err := os.MkdirTemp("", "hap") // sockets have short names
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	p := &proxy{
		dir: dir, tcp: sourcetest.FreeAddress(t), front: sourcetest.FreeAddress(t), socket: filepath.Join(dir, "s"),
		apps: map[string]*httptest.Server{"stable": app(t, "stable"), "canary": app(t, "canary")},
	}
	file := filepath.Join(dir, "haproxy.cfg")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, `global
  stats socket %[1]s mode 600 level admin
  stats socket %[1]s-operator mode 600 level operator
  stats socket %[1]s-user mode 600 level user
  stats socket ipv4@%[2]s level admin
defaults
  mode http
  timeout connect 20s
  timeout client 20s
  timeout server 20s
frontend f
  bind %[3]s
  default_backend api
`+strings.NewReplacer("%[1]s", "%[4]s", "%[2]s", "%[5]s").Replace(conf),
		p.socket, p.tcp, p.front, p.apps["stable"].Listener.Addr(), p.apps["canary"].Listener.Addr()), 0o600))
	p.run(t, program, file)
	return p
}

func (p *proxy) run(t testing.TB, program, file string) {
	t.Helper()
	var out strings.Builder
	var mu sync.Mutex
	cmd := exec.Command(program, "-db", "-f", file)
	cmd.Stderr = writer(func(b []byte) { mu.Lock(); defer mu.Unlock(); out.Write(b) })
	require.NoError(t, cmd.Start())
	p.process = cmd.Process
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	require.Eventually(t, func() bool {
		for _, address := range []string{p.socket, p.socket + "-operator", p.socket + "-user", p.tcp, p.front} {
			network := "tcp"
			if strings.HasPrefix(address, "/") {
				network = "unix"
			}
			c, err := net.Dial(network, address)
			if err != nil {
				return false
			}
			c.Close()
		}
		return true
	}, patience, 5*time.Millisecond, "HAProxy does not start")
	t.Cleanup(func() {
		if t.Failed() {
			mu.Lock()
			defer mu.Unlock()
			t.Log(out.String())
		}
	})
}

type writer func([]byte)

func (w writer) Write(b []byte) (int, error) { w(b); return len(b), nil }

// tell is an administrator with a client of his own.
func (p *proxy) tell(t testing.TB, commands string) string {
	t.Helper()
	answer, err := bare(p.socket, commands)
	require.NoError(t, err)
	return answer
}

func bare(socket, commands string) (string, error) {
	c, err := net.Dial("unix", socket)
	if err != nil {
		return "", err
	}
	defer c.Close()
	if _, err = io.WriteString(c, commands+"\n"); err != nil {
		return "", err
	}
	b, err := io.ReadAll(c)
	return string(b), err
}

// ask sends n requests through the frontend and counts who answered.
func (p *proxy) ask(t testing.TB, n int, client *http.Client) map[string]int {
	t.Helper()
	got := map[string]int{}
	for range n {
		resp, err := client.Get("http://" + p.front)
		require.NoError(t, err)
		b, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			b = []byte(resp.Status)
		}
		got[string(b)]++
	}
	return got
}

func store(t testing.TB, address string, pairs ...haproxy.Pair) *haproxy.Store {
	t.Helper()
	s, err := haproxy.New("lb", address, haproxy.Options{Pairs: pairs, Every: 100 * time.Millisecond})
	require.NoError(t, err)
	return s
}

func id(key string) sources.FlagID { return sources.FlagID{Source: "lb", Key: key} }

func read(t testing.TB, s *haproxy.Store, key string) sources.Flag {
	t.Helper()
	f, err := s.Flag(t.Context(), id(key))
	require.NoError(t, err)
	return f
}

func apply(t testing.TB, s *haproxy.Store, key string, c sources.Change) sources.Receipt {
	t.Helper()
	c.ID, c.Flag = "c", id(key)
	r, err := s.Apply(t.Context(), c)
	require.NoError(t, err)
	return r
}

func set(t testing.TB, s *haproxy.Store, key string, to sources.Percent) sources.Receipt {
	t.Helper()
	return apply(t, s, key, sources.Change{Kind: sources.Set, To: to})
}

func TestHAProxyIsAFlagStore(t *testing.T) {
	sourcetest.Store(t, func(t *testing.T) sourcetest.Fixture {
		p := start(t, backends)
		return sourcetest.Fixture{
			Store: store(t, p.socket), Second: store(t, p.tcp),
			Split: id("api/canary"), Other: id("web/new-Canary"), Custom: id("legacy/canary"),
		}
	})
}

// stop ends a process and waits until its sockets are shut.
func (p *proxy) stop(t testing.TB) {
	t.Helper()
	require.NoError(t, p.process.Signal(syscall.SIGTERM))
	require.Eventually(t, func() bool {
		_, err := net.Dial("unix", p.socket)
		return err != nil
	}, patience, 5*time.Millisecond)
}
