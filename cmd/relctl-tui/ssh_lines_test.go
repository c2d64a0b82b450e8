package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// sshLines is OpenSSH's client without a terminal, as a screen reader or a job has it.
type sshLines struct {
	t     *testing.T
	cmd   *exec.Cmd
	typed io.WriteCloser
	gone  chan struct{}

	mu  sync.Mutex
	out bytes.Buffer
}

// Write takes what the server sends.
func (f *sshLines) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.out.Write(p)
}

func (f *sshLines) text() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.out.String()
}

func (b *sshBench) follow(t *testing.T, who string, args ...string) *sshLines {
	t.Helper()
	f := &sshLines{t: t, cmd: b.client(who, append([]string{"-T", "127.0.0.1"}, args...)...), gone: make(chan struct{})}
	var err error
	f.typed, err = f.cmd.StdinPipe()
	require.NoError(t, err)
	f.cmd.Stdout, f.cmd.Stderr = f, f
	require.NoError(t, f.cmd.Start())
	go func() { _ = f.cmd.Wait(); close(f.gone) }()
	t.Cleanup(func() { _ = f.cmd.Process.Kill(); <-f.gone })
	return f
}

func (f *sshLines) say(line string) {
	f.t.Helper()
	_, err := io.WriteString(f.typed, line+"\n")
	require.NoError(f.t, err)
}

func (f *sshLines) await(parts ...string) {
	f.t.Helper()
	require.Eventually(f.t, func() bool { return lineWith(f.text(), parts...) != "" }, patience, 20*time.Millisecond, "a line with %v", parts)
}

func (f *sshLines) awaitExit() int {
	f.t.Helper()
	select {
	case <-f.gone:
	case <-time.After(patience):
		f.t.Fatalf("the client is still there; it was sent\n%s", f.text())
	}
	return f.cmd.ProcessState.ExitCode()
}

func TestWithoutATerminalThereAreLinesOfTextAndTheRoleIsTheKeys(t *testing.T) {
	t.Parallel()
	path := flagFile(t, fleetFile)
	b := serveSSHTo(t, "--flags", "flagd:"+path, "--max-sessions", "3")
	ana, bo, job := b.follow(t, "ana"), b.follow(t, "bo"), b.follow(t, "bo")
	require.NoError(t, job.typed.Close()) // a job types nothing, and follows all the same
	for _, f := range []*sshLines{ana, bo, job} {
		f.await("flag checkout-v2: 25%")
	}
	require.NotZero(t, b.ssh("ana", "status").code, "each is one of those that there may be")
	b.awaitLog("refused", "the server is full")

	bo.say("kill checkout-v2")
	bo.await("your key is a viewer's, and kill needs an operator's: nothing was changed")
	require.Equal(t, fleetFile, read(t, path))
	bo.say("flags export -o /tmp/x")
	bo.await("flags export is not served over SSH")
	bo.say("rm -rf /")
	bo.await(`no verb "rm", and no shell`)

	ana.say("kill checkout-v2 --reason 'too slow'")
	for _, f := range []*sshLines{ana, bo, job} {
		f.await("flag checkout-v2: 25% to killed by ana@example, confirmed, because: too slow")
	}
	require.Contains(t, read(t, path), `"DISABLED"`)
	ana.say("undo")
	job.await("flag checkout-v2: killed to 25% by ana@example, confirmed")
	require.Equal(t, fleetFile, read(t, path), "byte for byte")
	ana.say("help")
	ana.await("kill FLAG", "switch a flag off")
	bo.say("help")
	bo.await("quit", "leave")
	require.NotContains(t, bo.text(), "kill FLAG", "what a key may not is not offered to it")

	ana.say("quit")
	require.Zero(t, ana.awaitExit())
	for _, f := range []*sshLines{ana, bo, job} {
		require.NotRegexp(t, "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", f.text())
	}
	require.NoError(t, bo.cmd.Process.Kill())
	require.Eventually(t, func() bool { return strings.Count(b.logged(), "ended") >= 2 }, patience, 20*time.Millisecond, "who is gone keeps no place:\n%s", b.logged())
	require.Zero(t, b.stop())
	job.await("the server is being stopped")
}

func TestLinesFollowTheContextThatWasAskedForAndEndWhenNothingIsTypedForLong(t *testing.T) {
	t.Parallel()
	config, _, staging := twoContexts(t, "")
	require.NoError(t, os.WriteFile(config, []byte(strings.Replace(read(t, config), "staging: {", "staging: {confirm: true, ", 1)), 0o600))
	b := serveSSHTo(t, "--config", config, "--idle", "15s") // longer than anybody needs to type the lines below
	s := b.follow(t, "ana", "staging")
	s.await("flag checkout-v2: 5%")
	s.say("kill checkout-v2")
	s.await("Kill checkout-v2", "(yes or no)")
	s.say("yes")
	require.Eventually(t, func() bool {
		b, err := os.ReadFile(staging)
		return err == nil && strings.Contains(string(b), "DISABLED")
	}, patience, 20*time.Millisecond)
	s.await("no key was pressed for too long")
	require.Zero(t, s.awaitExit())

	dumb := b.client("ana", "-t", "127.0.0.1")
	dumb.Env = append(dumb.Env, "TERM=dumb")
	d := openCommand(t, 80, 24, dumb)
	d.awaitText("ssh -T follows")
	require.Zero(t, d.awaitExit())
}
