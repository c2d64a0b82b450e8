package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources/sourcetest"
)

// sshBench is serve ssh in a process of its own, with keys for an operator, a viewer
// and somebody who is not let in, and OpenSSH's client to come in with.
type sshBench struct {
	t         testing.TB
	dir, port string
	keys      string // the file of keys
	cmd       *exec.Cmd

	mu  sync.Mutex
	log strings.Builder
}

// serveSSHTo starts the server with args besides what makes it reachable.
func serveSSHTo(t testing.TB, args ...string) *sshBench {
	t.Helper()
	b := &sshBench{t: t, dir: t.TempDir()}
	for _, name := range []string{"ana", "bo", "eve"} {
		b.keygen("-t", "ed25519", "-N", "", "-C", name+"@example", "-f", filepath.Join(b.dir, name))
	}
	b.keys = filepath.Join(b.dir, "keys")
	b.letIn(`role="operator" `+b.public("ana"), b.public("bo"))
	b.start(append([]string{"--authorized-keys", b.keys, "--host-key", filepath.Join(b.dir, "host")}, args...)...)
	return b
}

func (b *sshBench) keygen(args ...string) {
	b.t.Helper()
	path := sourcetest.RealTool(b.t, "ssh-keygen", "apt-get install openssh-client")
	out, err := exec.Command(path, append([]string{"-q"}, args...)...).CombinedOutput()
	require.NoError(b.t, err, string(out))
}

func (b *sshBench) public(name string) string {
	b.t.Helper()
	return strings.TrimSpace(read(b.t, filepath.Join(b.dir, name+".pub")))
}

func (b *sshBench) letIn(lines ...string) {
	b.t.Helper()
	require.NoError(b.t, os.WriteFile(b.keys, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
}

func (b *sshBench) start(args ...string) {
	b.t.Helper()
	b.cmd = exec.Command(binary, append([]string{"serve", "ssh", "--listen", "127.0.0.1:0"}, args...)...)
	b.cmd.Env = cleanEnv(b.t)
	out, err := b.cmd.StdoutPipe()
	require.NoError(b.t, err)
	errs, err := b.cmd.StderrPipe()
	require.NoError(b.t, err)
	require.NoError(b.t, b.cmd.Start())
	b.t.Cleanup(func() { _ = b.cmd.Process.Kill(); _ = b.cmd.Wait() })
	go func() {
		sc := bufio.NewScanner(errs)
		for sc.Scan() {
			b.mu.Lock()
			b.log.WriteString(sc.Text() + "\n")
			b.mu.Unlock()
		}
	}()
	sc := bufio.NewScanner(out)
	require.True(b.t, sc.Scan(), "it says where it listens; it said %s", b.logged())
	words := strings.Fields(sc.Text())
	require.Equal(b.t, []string{"serving", "ssh"}, words[:2])
	b.port = words[2][strings.LastIndex(words[2], ":")+1:]
	go func() { _, _ = io.Copy(io.Discard, out) }()
}

func (b *sshBench) logged() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.log.String()
}

// awaitLog waits for one line of the log that has all parts.
func (b *sshBench) awaitLog(parts ...string) {
	b.t.Helper()
	require.Eventually(b.t, func() bool { return lineWith(b.logged(), parts...) != "" }, patience, 20*time.Millisecond, "a line with %v", parts)
}

// client is OpenSSH's, with the key of one of them and nothing of whoever runs the test.
func (b *sshBench) client(who string, args ...string) *exec.Cmd {
	b.t.Helper()
	path := sourcetest.RealTool(b.t, "ssh", "apt-get install openssh-client")
	cmd := exec.Command(path, append([]string{
		"-F", "none", "-p", b.port, "-i", filepath.Join(b.dir, who), "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
		"-o", "StrictHostKeyChecking=accept-new", "-o", "UserKnownHostsFile=" + filepath.Join(b.dir, "known"), "-o", "LogLevel=ERROR",
	}, args...)...)
	cmd.Env = append(terminalEnv(b.t), "RELCTL_ACTOR=mallory")
	return cmd
}

// ssh runs one command there.
func (b *sshBench) ssh(who string, args ...string) result {
	b.t.Helper()
	return b.run(who, append([]string{"127.0.0.1"}, args...)...)
}

// run is the client with any arguments.
func (b *sshBench) run(who string, args ...string) result {
	b.t.Helper()
	cmd := b.client(who, args...)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = patience
	_ = cmd.Run()
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// board opens a board there in a terminal.
func (b *sshBench) board(who string, w, h int, args ...string) *screen {
	b.t.Helper()
	return openCommand(b.t, w, h, b.client(who, append([]string{"-t", "127.0.0.1"}, args...)...))
}

func (b *sshBench) stop() int {
	b.t.Helper()
	require.NoError(b.t, b.cmd.Process.Signal(syscall.SIGTERM))
	_ = b.cmd.Wait()
	return b.cmd.ProcessState.ExitCode()
}

func TestAnOperatorKillsOverSSHAndTheRecordNamesTheKeyWhateverTheClientSays(t *testing.T) {
	t.Parallel()
	path := flagFile(t, fleetFile)
	b := serveSSHTo(t, "--flags", "flagd:"+path)
	ana, bo := b.board("ana", 100, 30, "-o", "SendEnv=RELCTL_ACTOR"), b.board("bo", 100, 30)
	ana.awaitText("you are ana@example, operator")
	bo.awaitText("you are bo@example, viewer")
	pick(ana, "checkout-v2")
	ana.press("K")
	ana.awaitText("killed confirmed in")
	bo.awaitLine("killed", "checkout-v2", "ana@exam") // at once, by the engine that both share
	require.Contains(t, read(t, path), `"DISABLED"`)
	log := b.ssh("bo", "log", "-o", "json")
	require.Zero(t, log.code, log.stderr)
	require.Contains(t, log.stdout, `"ana@example"`)
	require.NotContains(t, log.stdout, "mallory")

	pick(bo, "checkout-v2")
	before := read(t, path)
	for _, key := range []string{"+", "-", "K", "=", "u", "R", "p"} {
		bo.press(key)
		bo.awaitText("your key is a viewer's")
		bo.press("j")
		bo.await("the sentence gone", func(text string) bool { return !strings.Contains(text, "viewer's") })
	}
	require.Equal(t, before, read(t, path))
	require.Zero(t, bo.quit())
	ana.press("u")
	ana.awaitText("killed", "25% confirmed in")
	require.Equal(t, 0, b.stop())
	ana.awaitText("the server is being stopped")
	require.Zero(t, ana.awaitExit())
}

func TestOverSSHThereAreTheVerbsAndNoShellNoFilesNoForwarding(t *testing.T) {
	t.Parallel()
	path := flagFile(t, fleetFile)
	b := serveSSHTo(t, "--flags", "flagd:"+path)
	before := read(t, path)

	for _, verb := range []string{"kill checkout-v2", "ramp checkout-v2 50", "migrate next checkout-v2", "undo", "breakers open x", "alerts silence x", "--context x kill checkout-v2"} {
		got := b.ssh("bo", "--", verb)
		require.Equal(t, exitRefused, got.code, verb+got.stderr)
		require.Contains(t, got.stderr, "your key is a viewer's")
	}
	for command, code := range map[string]int{
		"sh": exitRefused, "/bin/sh -c id": exitRefused, "scp -f /etc/passwd": exitRefused, "internal-sftp": exitRefused, "rsync --server .": exitRefused,
		"flags export -o /tmp/x": exitRefused, "flags import /etc/passwd": exitRefused, "config init": exitRefused, "doctor": exitRefused,
		"serve ssh": exitRefused, "demo": exitRefused, "completion bash": exitRefused, "__complete kill ": exitRefused,
		"status --config /etc/passwd": exitUsage, "status --flags flagd:/etc/passwd": exitUsage, "kill checkout-v2 --actor eve": exitUsage,
		"ramp checkout-v2 --guarded": exitRefused, "status --context /etc/passwd": exitUsage,
		"help kil": exitUsage, "help": exitDone, "help kill": exitDone,
	} {
		got := b.ssh("ana", "--", command)
		require.Equal(t, code, got.code, command+": "+got.stderr)
		require.NotContains(t, got.stdout+got.stderr, "root:")
	}
	require.Equal(t, before, read(t, path))
	b.awaitLog("refused", "command /bin/sh -c id", "ana@example", "no shell")

	require.NotZero(t, b.ssh("eve", "status").code)
	b.awaitLog("refused", "this key is not in the file")
	require.NotZero(t, b.run("ana", "-s", "127.0.0.1", "sftp").code)
	b.awaitLog("refused", "subsystem sftp")
	got := b.run("ana", "-A", "-X", "-o", "ExitOnForwardFailure=yes", "-R", "127.0.0.1:0:127.0.0.1:1", "127.0.0.1", "status")
	require.NotZero(t, got.code)
	b.awaitLog("refused", "tcpip-forward")
	require.NotZero(t, b.run("ana", "-W", "127.0.0.1:"+b.port, "127.0.0.1").code)
	b.awaitLog("refused", "channel direct-tcpip")

	got = b.ssh("ana", "kill", "checkout-v2", "--reason", "'no money comes in'")
	require.Zero(t, got.code, got.stderr)
	require.Contains(t, read(t, path), `"DISABLED"`)
	require.Regexp(t, `undo with: undo \w+\)`, got.stdout)
	require.Contains(t, b.ssh("bo", "log").stdout, "no money comes in")
	require.Equal(t, exitFailed, b.ssh("ana", "kill nobody").code)
	require.Zero(t, b.ssh("ana", "undo").code)
	require.Equal(t, before, read(t, path))
}

func TestACertificateOfTheTeamsAuthorityActsUnderItsKeyID(t *testing.T) {
	t.Parallel()
	path := flagFile(t, fleetFile)
	b := serveSSHTo(t, "--flags", "flagd:"+path)
	b.keygen("-t", "ed25519", "-N", "", "-C", "CA", "-f", filepath.Join(b.dir, "ca"))
	b.keygen("-s", filepath.Join(b.dir, "ca"), "-I", "eve of the night shift", "-n", "oncall", "-V", "+1h", filepath.Join(b.dir, "eve.pub"))
	require.NotZero(t, b.ssh("eve", "status").code)
	b.letIn(`cert-authority,principals="oncall",role="operator" ` + b.public("ca"))
	got := b.ssh("eve", "kill", "checkout-v2")
	require.Zero(t, got.code, got.stderr)
	require.Contains(t, b.ssh("eve", "log").stdout, "eve of the night shift")
}

func TestAnotherContextOpensByItsNameAndByTheKeyAndTheSizeFollows(t *testing.T) {
	t.Parallel()
	config, _, staging := twoContexts(t, "")
	b := serveSSHTo(t, "--config", config)
	s := b.board("ana", 100, 24, "staging")
	s.awaitText("staging", "checkout-v2", "5%")
	s.press("e")
	s.awaitText("prod", "checkout-v2", "25%")
	s.press("e")
	s.awaitText("staging", "checkout-v2", "5%")
	pick(s, "checkout-v2") // not a key is lost between two boards
	s.resize(140, 40)
	s.await("the new width", func(text string) bool { return strings.Contains(text, strings.Repeat("╌", 101)) })
	s.send("\x1a")
	s.awaitText("there is nothing to stop: q leaves")
	s.press("K")
	s.awaitText("killed confirmed in")
	require.Contains(t, read(t, staging), "DISABLED")
	require.Contains(t, b.ssh("bo", "flags", "--context", "staging").stdout, "killed")
	written := string(s.output(0))
	for _, query := range []string{"\x1b[c", "\x1b[6n", "$p", "\x1b]11;?", "\x1b[>q"} {
		require.NotContains(t, written, query, "the terminal is asked nothing")
	}
	require.Zero(t, s.quit())
	requireGivenBack(t, string(s.output(0)), s.modes())
	got := b.ssh("ana", "nowhere")
	require.Equal(t, exitRefused, got.code)
	require.Contains(t, got.stderr, "contexts are prod, staging")
}

func TestAClientThatIsGoneCutsNoChangeAndLeavesNothingRunning(t *testing.T) {
	t.Parallel()
	path := flagFile(t, fleetFile)
	b := serveSSHTo(t, "--flags", "flagd:"+path)
	s := b.board("ana", 100, 24)
	s.awaitText("checkout-v2", "25%")
	pick(s, "checkout-v2")
	release := lockStore(t, path)
	s.press("K")
	s.awaitText("killed: pending")
	require.NoError(t, s.cmd.Process.Kill())
	release()
	s.awaitFile(path, has(`"DISABLED"`))
	b.awaitLog("ended", "ana@example")
	require.Contains(t, b.ssh("bo", "log").stdout, "confirmed")
}
