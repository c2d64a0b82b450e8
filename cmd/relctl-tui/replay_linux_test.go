package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAReplayOfAPipeWaitsForNobodyAtItsOtherEnd(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	text, code := run(t, nil, "replay", pipe)
	require.Equal(t, exitUsage, code)
	require.Contains(t, text, "is no file")
}

func TestAReplayOfAFileThatTakesHoursToReadCanBeLeft(t *testing.T) {
	t.Parallel()
	var one bytes.Buffer // of what a few bytes stand for a lot of
	zip := gzip.NewWriter(&one)
	_, _ = fmt.Fprintln(zip, `{"relctl-tui":"recording","version":1,"at":"2026-01-01T00:00:00Z"}`)
	_, err := zip.Write(bytes.Repeat([]byte("{\"t\":1000000000,\"gap\":1}\n"), 400_000))
	require.NoError(t, err)
	require.NoError(t, zip.Close())
	path := filepath.Join(t.TempDir(), "long.jsonl.gz")
	require.NoError(t, os.WriteFile(path, bytes.Repeat(one.Bytes(), 2000), 0o600))

	var out bytes.Buffer
	cmd := exec.Command(binary, "replay", path)
	cmd.Env, cmd.Stdout, cmd.Stderr = cleanEnv(t), &out, &out
	require.NoError(t, cmd.Start())
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	require.Eventually(t, func() bool {
		open, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", cmd.Process.Pid))
		for _, fd := range open {
			if to, err := os.Readlink(fd); err == nil && to == path {
				return true
			}
		}
		return false
	}, patience, time.Millisecond, "it reads")
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	select {
	case err := <-done:
		require.Error(t, err)
		require.Contains(t, out.String(), "was not read to its end")
	case <-time.After(patience):
		t.Fatal("it reads on")
	}
}
