package sshserver_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"relctl-tui/ui/sshserver"
)

func TestAKeyActsUnderItsCommentWithItsRoleWhateverTheClientSays(t *testing.T) {
	t.Parallel()
	ana, anaLine := key(t, "ana@example")
	bo, boLine := key(t, "")
	d := opened(t, []string{"# people", "", `role="operator",no-pty-is-no-option`, `role="operator" ` + anaLine, boLine}, nil)
	c, err := dial(d, "root", ssh.PublicKeys(ana))
	require.NoError(t, err)
	defer c.Close()
	require.Equal(t, "ana@example|operator|root|80x24||status -o json", says(t, c, "status -o json"))
	require.Equal(t, ssh.FingerprintSHA256(bo.PublicKey())+"|viewer|me|80x24||who", says(t, d.enter(bo), "who"), "a key without a comment acts under its fingerprint")

	s, err := c.NewSession()
	require.NoError(t, err)
	defer s.Close()
	require.Error(t, s.Setenv("RELCTL_ACTOR", "mallory"))
	require.Error(t, s.Setenv("COLORTERM", "x\x1b[2J"))
	require.NoError(t, s.Setenv("COLORTERM", "truecolor"))
	require.NoError(t, s.RequestPty("xterm", 1<<20, 1<<20, nil))
	out, err := s.Output("x")
	require.NoError(t, err)
	require.Equal(t, "ana@example|operator|root|600x200|COLORTERM=truecolor|x\r\n", string(out), "sizes are bounded")
	d.awaitLog("refused", "variable RELCTL_ACTOR", "ana@example")
	require.Contains(t, d.logged(), "line 3 lets nobody in")
}

func TestWhatAClientsTerminalSaysOfItsLineIsHandedOn(t *testing.T) {
	t.Parallel()
	ana, line := key(t, "ana")
	d := opened(t, []string{line}, func(o *sshserver.Options) {
		o.Handle = func(_ context.Context, s *sshserver.Session) int {
			_, _ = fmt.Fprint(s.Out, s.Baud)
			return 0
		}
	})
	c := d.enter(ana)
	for want, modes := range map[string]ssh.TerminalModes{"9600": {ssh.TTY_OP_OSPEED: 9600, ssh.TTY_OP_ISPEED: 300}, "0": nil} {
		s, err := c.NewSession()
		require.NoError(t, err)
		require.NoError(t, s.RequestPty("xterm", 24, 80, modes))
		out, err := s.Output("")
		require.NoError(t, err)
		require.Equal(t, want, string(out))
	}
}

func TestAKeyThatWasOnlyOfferedLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	ana, anaLine := key(t, "ana")
	bo, boLine := key(t, "bo")
	d := opened(t, []string{`role="operator" ` + anaLine, boLine}, nil)
	// The client asks whether ana's key would do, and proves bo's.
	asked := offered{ana.PublicKey()}
	c, err := dial(d, "me", ssh.PublicKeys(bo), ssh.PublicKeys(asked))
	require.NoError(t, err)
	defer c.Close()
	require.Equal(t, "bo|viewer|me|80x24||x", says(t, c, "x"))
	c2, err := dial(d, "me", ssh.PublicKeysCallback(func() ([]ssh.Signer, error) { return []ssh.Signer{asked, bo}, nil }))
	if err == nil { // a client that gives up is as good
		defer c2.Close()
		require.Equal(t, "bo|viewer|me|80x24||x", says(t, c2, "x"))
	}
}

// offered is a public key whose private one the client does not have.
type offered struct{ key ssh.PublicKey }

func (o offered) PublicKey() ssh.PublicKey { return o.key }

func (o offered) Sign(io.Reader, []byte) (*ssh.Signature, error) {
	return &ssh.Signature{Format: o.key.Type(), Blob: make([]byte, 64)}, nil
}

func TestNobodyComesInWithoutAKeyThatIsInTheFile(t *testing.T) {
	t.Parallel()
	_, line := key(t, "ana")
	eve, _ := key(t, "eve")
	d := opened(t, []string{line}, func(o *sshserver.Options) { o.MaxAuthTries = 2 })
	for name, auth := range map[string][]ssh.AuthMethod{
		"another key":       {ssh.PublicKeys(eve)},
		"a password":        {ssh.Password("secret")},
		"answers":           {ssh.KeyboardInteractive(func(string, string, []string, []bool) ([]string, error) { return nil, nil })},
		"nothing":           {},
		"more keys than it": {ssh.PublicKeys(eve, eve, eve, eve, eve)},
	} {
		_, err := dial(d, "me", auth...)
		require.Error(t, err, name)
	}
	d.awaitLog("refused", "this key is not in the file", ssh.FingerprintSHA256(eve.PublicKey()))
	d.awaitLog("refused", "no key was accepted")
	require.LessOrEqual(t, d.lines("what=key"), 4, "one connection may offer two keys")
}

func TestThereIsNoForwardingNoAgentNoFilesAndNoX11(t *testing.T) {
	t.Parallel()
	ana, line := key(t, "ana")
	d := opened(t, []string{`role="operator" ` + line}, nil)
	c := d.enter(ana)
	_, err := c.Dial("tcp", "127.0.0.1:1")
	require.ErrorContains(t, err, "nothing is forwarded here")
	_, err = c.Listen("tcp", "127.0.0.1:0")
	require.Error(t, err)
	_, err = c.ListenUnix("/tmp/nobody")
	require.Error(t, err)
	for _, kind := range []string{"direct-streamlocal@openssh.com", "tun@openssh.com", "auth-agent@openssh.com", "x11", "\x1b]0;x\a"} {
		_, _, err := c.OpenChannel(kind, nil)
		require.Error(t, err, kind)
	}
	s, err := c.NewSession()
	require.NoError(t, err)
	defer s.Close()
	require.Error(t, s.RequestSubsystem("sftp"))
	for _, kind := range []string{"auth-agent-req@openssh.com", "x11-req", "break", "xon-xoff"} {
		ok, err := s.SendRequest(kind, true, nil)
		require.NoError(t, err)
		require.False(t, ok, kind)
	}
	for _, what := range []string{"channel direct-tcpip", "request tcpip-forward", "request streamlocal-forward@openssh.com", "channel tun@openssh.com", "request subsystem sftp", "request auth-agent-req@openssh.com", "request x11-req"} {
		d.awaitLog("refused", what, "ana", "127.0.0.1")
	}
	require.NotContains(t, d.logged(), "\x1b", "the log is clean")
	require.Equal(t, "ana|operator|me|80x24||still here", says(t, c, "still here"))
}

func TestACommandIsWordsAndNothingOfItIsExpanded(t *testing.T) {
	t.Parallel()
	ana, line := key(t, "ana")
	d := opened(t, []string{line}, nil)
	c := d.enter(ana)
	require.Equal(t, "ana|viewer|me|80x24||kill a b $HOME `id` * ; ls", says(t, c, "kill 'a b' $HOME '`id`' * ';' ls"))
	for command, why := range map[string]string{
		"kill 'x":                 "quotes do not match",
		strings.Repeat("x", 5000): "too long",
		strings.Repeat("x ", 70):  "too many words",
		"kill x\x1b[2J":           "control characters",
		"kill x\nstatus":          "control characters",
		"kill \x00x":              "control characters",
	} {
		s, err := c.NewSession()
		require.NoError(t, err)
		out, err := s.CombinedOutput(command)
		var exit *ssh.ExitError
		require.ErrorAs(t, err, &exit)
		require.Equal(t, 2, exit.ExitStatus())
		require.Contains(t, string(out), why)
	}
}

func TestAThousandAttemptsAreRefusedAndLoggedAndTheServiceStaysUp(t *testing.T) {
	t.Parallel()
	ana, line := key(t, "ana")
	eve, _ := key(t, "eve")
	var mu sync.Mutex
	now := time.Now()
	d := opened(t, []string{line}, func(o *sshserver.Options) {
		o.StartingEach = 5
		o.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	})
	inside := stays(t, d.enter(ana), "wait")
	const attempts = 1000
	var wg sync.WaitGroup
	next := make(chan struct{}, attempts)
	for range attempts {
		next <- struct{}{}
	}
	close(next)
	for range 20 {
		wg.Go(func() {
			for range next {
				if c, err := dial(d, "root", ssh.PublicKeys(eve)); err == nil {
					_ = c.Close()
					t.Error("somebody came in")
				}
			}
		})
	}
	wg.Wait()
	// Each is logged or counted, and some are more than one line.
	require.Eventually(t, func() bool {
		mu.Lock()
		now = now.Add(time.Minute)
		mu.Unlock()
		return d.lines("msg=refused")+d.leftOut() >= attempts
	}, patience, 20*time.Millisecond, "%s", d.logged())
	require.Positive(t, d.lines("refused", "too many connections from your address"))
	require.Equal(t, "ana|viewer|me|80x24||x", says(t, d.enterSoon(ana), "x"))
	require.NoError(t, d.stop())
	rest, err := inside()
	require.ErrorContains(t, err, "7", "whoever was inside stayed until the end")
	require.Contains(t, rest, "the server is being stopped")
}

func TestAServerThatIsStoppedLetsItsClientsReadHowTheirSessionsEnded(t *testing.T) {
	t.Parallel()
	ana, line := key(t, "ana")
	d := opened(t, []string{line}, nil)
	c := d.enter(ana)
	inside := stays(t, c, "wait")
	stopped := make(chan error, 1)
	go func() { stopped <- d.stop() }()
	_, err := inside()
	require.ErrorContains(t, err, "7")
	// What OpenSSH sends last, once it has read that; to a closed connection it would fail.
	_, _, err = c.SendRequest("keepalive@openssh.com", true, nil)
	require.NoError(t, err)
	require.NoError(t, c.Close())
	require.NoError(t, <-stopped)
}

func TestHalfOpenConnectionsAreClosedAndKeepNobodyOut(t *testing.T) {
	t.Parallel()
	ana, line := key(t, "ana")
	d := opened(t, []string{line}, func(o *sshserver.Options) { o.LoginGrace, o.StartingEach = time.Second, 4 })
	var held []net.Conn
	for i := range 8 {
		c, err := net.Dial("tcp", d.addr)
		require.NoError(t, err)
		defer c.Close()
		switch i % 4 {
		case 1:
			_, _ = io.WriteString(c, "SSH-2.0-slow\r\n")
		case 2:
			_, _ = io.WriteString(c, "GET / HTTP/1.1\r\n\r\n")
		case 3:
			_, _ = c.Write(make([]byte, 300))
		}
		held = append(held, c)
	}
	d.awaitLog("refused", "what=connection", "from your address")
	for _, c := range held { // each is closed by the server
		_ = c.SetReadDeadline(time.Now().Add(patience))
		_, err := io.Copy(io.Discard, c)
		require.False(t, errors.Is(err, os.ErrDeadlineExceeded), "still open")
	}
	d.awaitLog("refused", "no key was accepted within 1s")
	require.Equal(t, "ana|viewer|me|80x24||x", says(t, d.enterSoon(ana), "x"))

	idle := d.enterSoon(ana) // comes in and asks for nothing
	done := make(chan struct{})
	go func() { _ = idle.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatal("a connection without a session stays open")
	}
}

func TestSessionsAreBoundedInAllByAddressAndByConnection(t *testing.T) {
	t.Parallel()
	ana, line := key(t, "ana")
	d := opened(t, []string{line}, func(o *sshserver.Options) { o.MaxSessions, o.MaxEach = 5, 2 })
	one, two := d.enter(ana), d.enter(ana)
	_, err := dial(d, "me", ssh.PublicKeys(ana))
	if err == nil {
		d.awaitLog("refused", "what=login", "too many connections from your address")
	}
	for range 4 {
		stays(t, one, "wait")
	}
	_, err = one.NewSession()
	require.ErrorContains(t, err, "too many sessions of one connection")
	stays(t, two, "wait")
	_, err = two.NewSession()
	require.ErrorContains(t, err, "as many sessions are open as this server allows")
	require.NoError(t, one.Close())
	require.Eventually(t, func() bool {
		s, err := two.NewSession()
		if err == nil {
			_ = s.Close()
		}
		return err == nil
	}, patience, 5*time.Millisecond, "a place that is given back can be had")
}

func TestHoweverManyLookAnOperatorGetsIn(t *testing.T) {
	t.Parallel()
	ana, anaLine := key(t, "ana")
	bo, boLine := key(t, "bo")
	d := opened(t, []string{`role="operator" ` + anaLine, boLine}, func(o *sshserver.Options) { o.MaxSessions = 10 })
	for range 3 {
		c := d.enter(bo)
		for range 3 {
			stays(t, c, "wait")
		}
	}
	_, err := d.enter(bo).NewSession()
	require.ErrorContains(t, err, "as many sessions are open as this server allows")
	c := d.enter(ana)
	stays(t, c, "wait")
	_, err = c.NewSession()
	require.ErrorContains(t, err, "as many sessions are open as this server allows")
}

func TestASessionEndsWhenItIsIdleOrItsKeyIsTakenOut(t *testing.T) {
	t.Parallel()
	ana, anaLine := key(t, "ana")
	bo, boLine := key(t, "bo")
	var mu sync.Mutex
	now := time.Now()
	d := opened(t, []string{anaLine, boLine}, func(o *sshserver.Options) {
		o.Idle = time.Hour
		o.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	})
	removed, stayed := stays(t, d.enter(ana), "wait"), d.enter(bo)
	s, err := stayed.NewSession()
	require.NoError(t, err)
	require.NoError(t, s.RequestPty("xterm", 24, 80, nil))
	out, err := s.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, s.Start("wait"))
	sc := bufio.NewScanner(out)
	require.True(t, sc.Scan())

	d.letIn(`role="operator" `+anaLine, boLine)
	rest, err := removed()
	require.Error(t, err)
	require.Contains(t, rest, "your key is not let in any more, or its role has changed")
	require.Equal(t, "ana|operator|me|80x24||x", says(t, d.enter(ana), "x"), "the file is read anew")

	mu.Lock()
	now = now.Add(2 * time.Hour)
	mu.Unlock()
	require.Error(t, s.Wait(), "the idle one ended with its handler's status")
}

func TestAFileOfKeysThatOthersCanWriteLetsNobodyIn(t *testing.T) {
	t.Parallel()
	ana, line := key(t, "ana")
	d := opened(t, []string{line}, nil)
	inside := stays(t, d.enter(ana), "wait")
	require.NoError(t, os.Chmod(d.keys, 0o666))
	_, err := dial(d, "me", ssh.PublicKeys(ana))
	require.Error(t, err)
	d.awaitLog("refused", "can be written by others: chmod go-w it")
	require.NoError(t, os.Remove(d.keys))
	_, err = dial(d, "me", ssh.PublicKeys(ana))
	require.Error(t, err)
	d.letIn(line)
	require.Equal(t, "ana|viewer|me|80x24||x", says(t, d.enter(ana), "x"))
	require.NoError(t, d.stop())
	rest, _ := inside()
	require.Contains(t, rest, "the server is being stopped", "a file that is gone for a moment ends no session")
}

func TestAServerWhoseFilesCannotBeTrustedDoesNotStart(t *testing.T) {
	t.Parallel()
	_, line := key(t, "ana")
	d := opened(t, []string{line}, nil)
	info, err := os.Stat(d.hostKey)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	before, err := os.ReadFile(d.hostKey)
	require.NoError(t, err)
	start := func() error {
		_, err := sshserver.New(sshserver.Options{AuthorizedKeys: d.keys, HostKey: d.hostKey})
		return err
	}
	require.NoError(t, start())
	again, err := os.ReadFile(d.hostKey)
	require.NoError(t, err)
	require.Equal(t, before, again, "the host key is kept")
	require.NoError(t, os.Chmod(d.hostKey, 0o644))
	require.ErrorContains(t, start(), "can be read by others: chmod 600 it")
	require.NoError(t, os.WriteFile(d.hostKey, []byte("no key"), 0o600))
	require.NoError(t, os.Chmod(d.hostKey, 0o600))
	require.ErrorContains(t, start(), "host key")
	require.NoError(t, os.Chmod(d.keys, 0o620))
	require.ErrorContains(t, start(), "can be written by others")
	require.NoError(t, os.Remove(d.keys))
	require.ErrorContains(t, start(), "no such file")
}

func TestOneSessionsPanicEndsThatSessionAlone(t *testing.T) {
	t.Parallel()
	ana, line := key(t, "ana")
	d := opened(t, []string{line}, nil)
	other := d.enter(ana)
	s, err := d.enter(ana).NewSession()
	require.NoError(t, err)
	out, err := s.CombinedOutput("panic")
	var exit *ssh.ExitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, 1, exit.ExitStatus())
	require.Contains(t, string(out), "the others go on")
	require.NotContains(t, string(out)+d.logged(), "s3cret")
	require.Equal(t, "ana|viewer|me|80x24||x", says(t, other, "x"))
}

func TestAClientThatTakesNothingKeepsTheServerFromNothing(t *testing.T) {
	t.Parallel()
	ana, line := key(t, "ana")
	d := opened(t, []string{line}, nil)
	c := d.enter(ana)
	ch, requests, err := c.OpenChannel("session", nil)
	require.NoError(t, err)
	go ssh.DiscardRequests(requests)
	ok, err := ch.SendRequest("exec", true, ssh.Marshal(struct{ C string }{"flood"}))
	require.NoError(t, err)
	require.True(t, ok)
	d.awaitLog("began", "flood") // and its window fills up, for nobody reads
	for range 100 {              // sizes that nobody waits for hold nothing up either
		_, err := ch.SendRequest("window-change", false, ssh.Marshal(struct{ W, H, X, Y uint32 }{100, 30, 0, 0}))
		require.NoError(t, err)
	}
	require.Equal(t, "ana|viewer|me|80x24||x", says(t, c, "x"), "the same connection has room for another session")
	require.NoError(t, d.stop())
}
