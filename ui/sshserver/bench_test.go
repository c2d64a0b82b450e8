package sshserver_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"relctl-tui/ui/sshserver"
)

// patience is how long a test waits for what must come.
const patience = time.Minute

// key is a new key, and its line in a file of keys.
func key(t testing.TB, comment string) (ssh.Signer, string) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	signer, err := ssh.NewSignerFromKey(private)
	require.NoError(t, err)
	return signer, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey()))) + " " + comment
}

// door is a server in this process whose sessions say who came in, then do what the
// test wants.
type door struct {
	t             testing.TB
	addr          string
	keys, hostKey string
	stop          func() error // ends the server and returns what Serve did

	mu  sync.Mutex
	log bytes.Buffer
}

// Write takes the log.
func (d *door) Write(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.log.Write(b)
}

func (d *door) logged() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.log.String()
}

// awaitLog waits until some line of the log has all parts.
func (d *door) awaitLog(parts ...string) {
	d.t.Helper()
	require.Eventually(d.t, func() bool { return d.lines(parts...) > 0 }, patience, 5*time.Millisecond, "a line with %v; the log is\n%s", parts, d.logged())
}

// lines counts those of the log that have all parts.
func (d *door) lines(parts ...string) (n int) {
next:
	for line := range strings.Lines(d.logged()) {
		for _, p := range parts {
			if !strings.Contains(line, p) {
				continue next
			}
		}
		n++
	}
	return n
}

// opened is a server that lets in whom lines name. change may be nil.
func opened(t testing.TB, lines []string, change func(*sshserver.Options)) *door {
	t.Helper()
	dir := t.TempDir()
	d := &door{t: t, keys: filepath.Join(dir, "keys"), hostKey: filepath.Join(dir, "host")}
	d.letIn(lines...)
	o := sshserver.Options{
		AuthorizedKeys: d.keys, HostKey: d.hostKey, Pace: 10 * time.Millisecond,
		Log: slog.New(slog.NewTextHandler(d, &slog.HandlerOptions{Level: slog.LevelInfo})), Handle: answering,
	}
	if change != nil {
		change(&o)
	}
	srv, err := sshserver.New(o)
	require.NoError(t, err)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	d.addr = ln.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(ctx, ln) }()
	d.stop = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() { require.NoError(t, d.stop()) })
	return d
}

func (d *door) letIn(lines ...string) {
	d.t.Helper()
	next := d.keys + ".new"
	require.NoError(d.t, os.WriteFile(next, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
	require.NoError(d.t, os.Rename(next, d.keys))
}

// answering says who came in and how, and for "wait" stays until it is told to end.
func answering(ctx context.Context, s *sshserver.Session) int {
	w, h := s.Size()
	_, _ = fmt.Fprintf(s.Out, "%s|%s|%s|%dx%d|%s|%s\n", s.Name, s.Role, s.Login, w, h, strings.Join(s.Environ, ","), strings.Join(s.Command, " "))
	switch {
	case len(s.Command) == 0:
		return 0
	case s.Command[0] == "wait":
		<-ctx.Done()
		return 7
	case s.Command[0] == "panic":
		panic("token=s3cret")
	case s.Command[0] == "echo":
		b := make([]byte, 100)
		for r := s.Keys(ctx); ; {
			n, err := r.Read(b)
			_, _ = s.Out.Write(b[:n])
			if err != nil {
				return 0
			}
		}
	case s.Command[0] == "flood", s.Command[0] == "complain":
		to := map[string]io.Writer{"flood": s.Out, "complain": s.Err}[s.Command[0]]
		for ctx.Err() == nil {
			if _, err := to.Write(make([]byte, 32<<10)); err != nil {
				return 1
			}
		}
	}
	return 0
}

func dial(d *door, login string, auth ...ssh.AuthMethod) (*ssh.Client, error) {
	return ssh.Dial("tcp", d.addr, &ssh.ClientConfig{
		User: login, Auth: auth, HostKeyCallback: ssh.InsecureIgnoreHostKey(), Timeout: patience,
	})
}

func (d *door) enter(signers ...ssh.Signer) *ssh.Client {
	d.t.Helper()
	c, err := dial(d, "me", ssh.PublicKeys(signers...))
	require.NoError(d.t, err, d.logged())
	d.t.Cleanup(func() { _ = c.Close() })
	return c
}

// enterSoon is enter where others have just left, whose places are given back in a moment.
func (d *door) enterSoon(signer ssh.Signer) (c *ssh.Client) {
	d.t.Helper()
	require.Eventually(d.t, func() (in bool) {
		var err error
		c, err = dial(d, "me", ssh.PublicKeys(signer))
		return err == nil
	}, patience, 20*time.Millisecond, "%s", d.logged())
	d.t.Cleanup(func() { _ = c.Close() })
	return c
}

// says runs a command and returns its first line.
func says(t testing.TB, c *ssh.Client, command string) string {
	t.Helper()
	s, err := c.NewSession()
	require.NoError(t, err)
	defer s.Close()
	out, err := s.Output(command)
	require.NoError(t, err)
	line, _, _ := strings.Cut(string(out), "\n")
	return line
}

// stays begins a session that lasts, and returns when it has begun. wait gives what
// became of it.
func stays(t testing.TB, c *ssh.Client, command string) (wait func() (rest string, err error)) {
	t.Helper()
	s, err := c.NewSession()
	require.NoError(t, err)
	var errs bytes.Buffer
	s.Stderr = &errs
	out, err := s.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, s.Start(command))
	one := make([]byte, 1)
	for one[0] != '\n' {
		_, err := out.Read(one)
		require.NoError(t, err)
	}
	return func() (string, error) {
		_, _ = io.Copy(io.Discard, out)
		err := s.Wait()
		return errs.String(), err
	}
}
