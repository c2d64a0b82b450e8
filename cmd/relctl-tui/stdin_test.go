package main

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFlagsAreImportedFromStandardInput(t *testing.T) {
	t.Parallel()
	b := newEtcdBench(t)
	cmd := exec.Command(binary, "--flags", b.dsn, "flags", "import", "-")
	cmd.Env, cmd.Stdin = b.env, strings.NewReader(twoFlags)
	said, err := cmd.CombinedOutput()
	require.NoError(t, err, string(said))
	require.Contains(t, string(said), "4 added")
}

func TestTheCheckOfKeysSeesThatTheTerminalHasFlowControl(t *testing.T) {
	t.Parallel()
	env := cleanEnv(t)
	s := inside(t, 120, 20, func(ctx context.Context, tty *os.File) error {
		cmd := exec.CommandContext(ctx, binary, "keys", "--check")
		cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = env, tty, tty, tty
		return cmd.Run()
	})
	s.awaitText("ctrl+s", "the terminal takes it for flow control")
}
