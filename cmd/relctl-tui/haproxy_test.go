package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources/sourcetest"
)

func TestTheWeightsOfARealHAProxyAreRampedKilledAndUndoneByTheVerbs(t *testing.T) {
	t.Parallel()
	program := sourcetest.RealTool(t, "haproxy", "apt-get install haproxy")
	dir := t.TempDir()
	socket, conf := filepath.Join(dir, "s"), filepath.Join(dir, "haproxy.cfg")
	require.NoError(t, os.WriteFile(conf, fmt.Appendf(nil, `global
  stats socket %s mode 600 level admin
defaults
  mode http
  timeout connect 1s
  timeout client 1s
  timeout server 1s
backend api
  server stable 127.0.0.1:1 weight 75
  server canary 127.0.0.1:1 weight 25
`, socket), 0o600))
	cmd := exec.Command(program, "-db", "-f", conf)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	require.Eventually(t, func() bool {
		c, err := net.Dial("unix", socket)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	}, patience, 10*time.Millisecond)

	env := append(cleanEnv(t), "RELCTL_ACTOR=ana")
	use := func(args ...string) result {
		return runIn(t, env, append(args, "--flags", "haproxy:"+socket)...)
	}
	require.Regexp(t, `(?m)^api/canary +on +25`, use("flags").stdout)
	require.Contains(t, use("ramp", "api/canary", "50").stdout, "api/canary 25% → 50% confirmed")
	require.Contains(t, use("kill", "api/canary").stdout, "api/canary 50% → killed confirmed")
	require.Contains(t, use("undo").stdout, "api/canary killed → 50% confirmed")
	named := runIn(t, env, "flags", "--flags", "haproxy:"+socket+"?backend=api&stable=canary&canary=stable")
	require.Regexp(t, `api/stable +on +50`, named.stdout)
	require.Equal(t, exitUsage, runIn(t, env, "flags", "--flags", "haproxy:"+socket+"?backend=api").code)
	gone := runIn(t, env, "flags", "--flags", "haproxy:"+filepath.Join(dir, "nowhere"))
	require.Equal(t, exitFailed, gone.code)
}
