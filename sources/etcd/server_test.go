package etcd_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"relctl-tui/sources"
	"relctl-tui/sources/etcd"
	"relctl-tui/sources/sourcetest"
)

const (
	patience = 30 * time.Second
	hint     = "apt-get install etcd-server, and for a current one: cd .ci/etcd && go build -o bin/etcd go.etcd.io/etcd/server/v3"
)

// TestMain lets more tests run at once than there are processors: they wait for
// elections, timeouts and expiries most of the time.
func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		_ = flag.Set("test.parallel", "6")
	}
	os.Exit(m.Run())
}

// binaries are the servers that tests run against: the one on PATH, and the
// current one that CI builds. RELCTL_ETCD names others, separated by colons.
func binaries(t testing.TB) map[string]string {
	t.Helper()
	found := map[string]string{}
	if list := os.Getenv("RELCTL_ETCD"); list != "" {
		for i, path := range filepath.SplitList(list) {
			found[fmt.Sprintf("%s-%d", filepath.Base(path), i)] = path
		}
		return found
	}
	if path, err := exec.LookPath("etcd"); err == nil {
		found["debian"] = path
	}
	if path, err := filepath.Abs("../../.ci/etcd/bin/etcd"); err == nil {
		if _, err := os.Stat(path); err == nil {
			found["current"] = path
		}
	}
	if len(found) == 0 || os.Getenv(sourcetest.RequireRealEnv) == "1" && len(found) < 2 {
		sourcetest.RequireReal(t, "etcd", hint)
	}
	return found
}

// each runs a test against each server; against the newest alone when time is short.
func each(t *testing.T, test func(t *testing.T, binary string)) {
	t.Helper()
	if testing.Short() {
		test(t, oneBinary(t))
		return
	}
	for name, path := range binaries(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, path)
		})
	}
}

// oneBinary is for what does not depend on the version.
func oneBinary(t testing.TB) string {
	t.Helper()
	found := binaries(t)
	if path, ok := found["current"]; ok {
		return path
	}
	for _, path := range found {
		return path
	}
	return ""
}

// member is one running server.
type member struct {
	t              testing.TB
	binary, name   string
	client, peer   string // host:port
	scheme         string
	args           []string
	mu             sync.Mutex
	cmd            *exec.Cmd
	log            *sourcetest.Output
	waited         chan struct{}
	initialCluster string
}

func (m *member) url() string { return m.scheme + "://" + m.client }

// start runs the server; its data stays where it was.
func (m *member) start() {
	m.t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	args := append([]string{
		"--name", m.name, "--listen-client-urls", m.url(), "--advertise-client-urls", m.url(),
		"--listen-peer-urls", "http://" + m.peer, "--initial-advertise-peer-urls", "http://" + m.peer,
		"--initial-cluster", m.initialCluster, "--logger", "zap", "--log-level", "error",
		"--heartbeat-interval", "50", "--election-timeout", "500",
	}, m.args...)
	m.log = &sourcetest.Output{}
	m.cmd = exec.Command(m.binary, args...)
	m.cmd.Stdout, m.cmd.Stderr = m.log, m.log
	sourcetest.DiesWithTest(m.cmd)
	require.NoError(m.t, m.cmd.Start())
	cmd, waited := m.cmd, make(chan struct{})
	m.waited = waited
	go func() { _ = cmd.Wait(); close(waited) }()
}

// kill ends the server as a power failure would.
func (m *member) kill() {
	m.mu.Lock()
	cmd, waited := m.cmd, m.waited
	m.mu.Unlock()
	if cmd != nil {
		_ = cmd.Process.Kill()
		<-waited
	}
}

// pause stops the server in its tracks, with its connections open.
func (m *member) pause() {
	m.t.Helper()
	require.NoError(m.t, m.cmd.Process.Signal(syscall.SIGSTOP))
	stat := fmt.Sprintf("/proc/%d/stat", m.cmd.Process.Pid)
	if _, err := os.Stat(stat); err != nil {
		return // a system that does not tell
	}
	require.Eventually(m.t, func() bool {
		b, err := os.ReadFile(stat)
		return err == nil && strings.Contains(string(b), ") T ")
	}, patience, time.Millisecond, "%s is not stopped", stat)
}

func (m *member) resume() { _ = m.cmd.Process.Signal(syscall.SIGCONT) }

// cluster is n members.
type cluster struct {
	t       testing.TB
	members []*member
}

func startCluster(t testing.TB, binary string, n int, args ...string) *cluster {
	t.Helper()
	c := &cluster{t: t}
	var list []string
	for i := range n {
		m := &member{t: t, binary: binary, name: fmt.Sprintf("m%d", i), client: sourcetest.FreeAddress(t), peer: sourcetest.FreeAddress(t), scheme: "http"}
		m.args = append([]string{"--data-dir", t.TempDir()}, args...)
		list = append(list, m.name+"=http://"+m.peer)
		c.members = append(c.members, m)
	}
	for _, m := range c.members {
		m.initialCluster = strings.Join(list, ",")
		m.start()
		t.Cleanup(m.kill)
	}
	c.ready()
	return c
}

func (c *cluster) endpoints() []string {
	var out []string
	for _, m := range c.members {
		out = append(out, m.url())
	}
	return out
}

// ready waits until the cluster answers as a whole.
func (c *cluster) ready() {
	c.t.Helper()
	cli := c.client()
	defer cli.Close()
	require.Eventually(c.t, func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, err := cli.Get(ctx, "ready")
		return err == nil
	}, patience, 20*time.Millisecond, "etcd does not answer: %s", c.members[0].log)
}

// client is a plain client, as another tool has it.
func (c *cluster) client() *clientv3.Client {
	c.t.Helper()
	cli, err := clientv3.New(clientv3.Config{Endpoints: c.endpoints(), DialTimeout: 5 * time.Second, Logger: zap.NewNop()})
	require.NoError(c.t, err)
	return cli
}

// plain is a client that ends with the test.
func (c *cluster) plain() *clientv3.Client {
	cli := c.client()
	c.t.Cleanup(func() { _ = cli.Close() })
	return cli
}

// leader is the member that leads now.
func (c *cluster) leader() *member {
	c.t.Helper()
	var found *member
	cli := c.client()
	defer cli.Close()
	require.Eventually(c.t, func() bool {
		for _, m := range c.members {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			st, err := cli.Status(ctx, m.url())
			cancel()
			if err == nil && st.Leader == st.Header.MemberId {
				found = m
				return true
			}
		}
		return false
	}, patience, 20*time.Millisecond, "there is no leader")
	return found
}

func (c *cluster) store(opts ...func(*etcd.Options)) *etcd.Store {
	c.t.Helper()
	o := etcd.Options{Endpoints: c.endpoints(), Prefix: "test"}
	for _, set := range opts {
		set(&o)
	}
	s, err := etcd.New("prod", o)
	require.NoError(c.t, err)
	c.t.Cleanup(func() { require.NoError(c.t, s.Close()) })
	return s
}

func prefix(p string) func(*etcd.Options) { return func(o *etcd.Options) { o.Prefix = p } }

const (
	split    = `{"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off", "targeting": {"fractional": [["on", 25], ["off", 75]]}}`
	switched = `{"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off"}`
)

func put(t testing.TB, cli *clientv3.Client, prefix string, flags map[string]string) {
	t.Helper()
	for key, value := range flags {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		_, err := cli.Put(ctx, prefix+"/flags/"+key, value)
		cancel()
		require.NoError(t, err)
	}
}

func id(key string) sources.FlagID { return sources.FlagID{Source: "prod", Key: key} }
