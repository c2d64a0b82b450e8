package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAContextWhoseFilesDoNotAnswerKeepsNobodyFromTheOthers(t *testing.T) {
	t.Parallel()
	dir, flags := t.TempDir(), flagFile(t, fleetFile)
	// A pipe that nobody writes to is what a dead network file system is to whoever reads.
	dead := filepath.Join(dir, "ca.pem")
	require.NoError(t, syscall.Mkfifo(dead, 0o600))
	config := filepath.Join(dir, "c.yaml")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, `default: prod
contexts:
  prod: {flags: [{dsn: "flagd:%s"}]}
  staging: {metrics: [{dsn: "https://127.0.0.1:1", ca_file: "%s"}]}
`, flags, dead), 0o600))
	b := serveSSHTo(t, "--config", config)
	waits := b.client("bo", "127.0.0.1", "status", "--context", "staging")
	var said strings.Builder
	waits.Stderr = &said
	require.NoError(t, waits.Start())
	b.awaitLog("began", "bo@example", "staging")

	got := b.ssh("ana", "kill", "checkout-v2")
	require.Zero(t, got.code, got.stderr)
	require.Contains(t, read(t, flags), "DISABLED")
	require.Contains(t, b.ssh("bo", "flags").stdout, "killed")
	require.Error(t, waits.Wait())
	require.Contains(t, said.String(), `context "staging" has not opened within 10s`)
}
