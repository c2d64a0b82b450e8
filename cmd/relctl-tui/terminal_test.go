package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/creack/pty"
	"github.com/gofrs/flock"
	"github.com/stretchr/testify/require"
)

// modes is the terminal's state as a shell would find it.
func (s *screen) modes() *term.State {
	s.t.Helper()
	return modesOf(s.t, s.tty)
}

func modesOf(t testing.TB, tty *os.File) (st *term.State) {
	t.Helper()
	raw, err := tty.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, raw.Control(func(fd uintptr) { st, err = term.GetState(fd) }))
	require.NoError(t, err)
	return st
}

// pristine is a terminal that nobody has touched yet.
func pristine(t testing.TB) *term.State {
	t.Helper()
	ptmx, tty, err := pty.Open()
	require.NoError(t, err)
	defer tty.Close()
	defer ptmx.Close()
	return modesOf(t, ptmx)
}

// requireGivenBack holds what was written, and the terminal's modes, against a
// terminal that is as it was.
func requireGivenBack(t testing.TB, written string, modes *term.State) {
	t.Helper()
	require.Greater(t, strings.LastIndex(written, "\x1b[?1049l"), strings.LastIndex(written, "\x1b[?1049h"), "alternate screen left")
	require.Greater(t, strings.LastIndex(written, "\x1b[?25h"), strings.LastIndex(written, "\x1b[?25l"), "cursor shown")
	require.Greater(t, strings.LastIndex(written, "\x1b[?2004l"), strings.LastIndex(written, "\x1b[?2004h"), "bracketed paste off")
	require.Equal(t, pristine(t), modes, "modes as before")
}

func TestASignalEndsTheBoardWithExitCode0AndGivesTheTerminalBack(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			s := open(t, 80, 24, nil, "--flags", "flagd:"+flagFile(t, fleetFile))
			s.awaitLine("checkout-v2")
			require.NotEqual(t, pristine(t), s.modes(), "the board has the terminal for itself")
			require.NoError(t, s.cmd.Process.Signal(sig))
			require.Zero(t, s.awaitExit())
			requireGivenBack(t, string(s.output(0)), s.modes())
		})
	}
}

func TestABoardWhoseTerminalIsClosedEnds(t *testing.T) {
	t.Parallel()
	for name, leader := range map[string]bool{"with a hangup": true, "without a signal": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ptmx, tty, err := pty.Open()
			require.NoError(t, err)
			require.NoError(t, pty.Setsize(ptmx, &pty.Winsize{Cols: 80, Rows: 24}))
			cmd := exec.Command(binary, "--flags", "flagd:"+flagFile(t, fleetFile))
			cmd.Env, cmd.Stdin, cmd.Stdout = terminalEnv(t), tty, tty
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: leader}
			require.NoError(t, cmd.Start())
			require.NoError(t, tty.Close())
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			buf := make([]byte, 64<<10)
			for seen := ""; !strings.Contains(seen, "checkout-v2"); { // the board is up
				n, err := ptmx.Read(buf)
				require.NoError(t, err)
				seen += string(buf[:n])
			}
			require.NoError(t, ptmx.Close())
			select {
			case err := <-ended:
				require.NoError(t, err, "exit code 0")
			case <-time.After(patience):
				_ = cmd.Process.Kill()
				t.Fatal("the board goes on without a terminal")
			}
		})
	}
}

func TestWithoutATerminalOnStdinTheKeysComeFromTheControllingOne(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("sh", "-c", `exec "$0" "$@" </dev/null`, binary, "--flags", "flagd:"+flagFile(t, fleetFile))
	cmd.Env = terminalEnv(t)
	s := openCommand(t, 80, 24, cmd)
	s.awaitLine("checkout-v2")
	s.press("?")
	s.awaitText("ramp to the next step")
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGTERM))
	require.Zero(t, s.awaitExit())
	requireGivenBack(t, string(s.output(0)), s.modes())
}

// lockStore keeps everybody from writing the flag file until it is released.
func lockStore(t *testing.T, path string) (release func()) {
	t.Helper()
	l := flock.New(filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".relctl.lock"))
	require.NoError(t, l.Lock())
	t.Cleanup(func() { _ = l.Close() })
	return func() { require.NoError(t, l.Unlock()) }
}

func TestAWriteUnderWayIsFinishedBeforeTheBoardEnds(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(s *screen){
		"by the key":     func(s *screen) { s.send("q") },
		"by SIGTERM":     func(s *screen) { require.NoError(s.t, s.cmd.Process.Signal(syscall.SIGTERM)) },
		"by SIGHUP":      func(s *screen) { require.NoError(s.t, s.cmd.Process.Signal(syscall.SIGHUP)) },
		"by two SIGINTs": func(s *screen) { interruptTwice(s) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, path := onFlag(t, 100, 30, "checkout")
			release := lockStore(t, path)
			s.press("K")
			s.awaitText("killed: pending")
			end(s)
			s.awaitText("still writing checkout-v2 25%", "waiting for the result")
			requireGivenBack(t, string(s.output(0)), s.modes())
			select {
			case <-s.gone:
				t.Fatal("it ended before its write did")
			default:
			}
			release()
			require.Zero(t, s.awaitExit())
			s.awaitFile(path, has(`"state": "DISABLED"`))
			require.Contains(t, s.text(), "killed confirmed in")
		})
	}
}

// interruptTwice is what an impatient person does with a program that does not go.
func interruptTwice(s *screen) {
	require.NoError(s.t, s.cmd.Process.Signal(syscall.SIGINT))
	s.awaitText("still writing")
	require.NoError(s.t, s.cmd.Process.Signal(syscall.SIGINT))
}

func TestAWriteThatHangsHoldsTheBoardNoLongerThanItsTimeout(t *testing.T) {
	t.Parallel()
	s, path := onFlag(t, 100, 30, "checkout")
	lockStore(t, path)
	s.press("K")
	s.awaitText("killed: pending")
	s.send("q")
	s.awaitText("still writing checkout-v2")
	require.Zero(t, s.awaitExit())
	require.Contains(t, s.text(), "nothing")
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, fleetFile, string(got))
}

func TestAnActionThatStillWaitsOutItsHoldIsNotBegunWhenTheBoardEnds(t *testing.T) {
	t.Parallel()
	s, path := onFlag(t, 100, 30, "checkout")
	s.send("Kq")
	require.Zero(t, s.awaitExit())
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, fleetFile, string(got))
}
