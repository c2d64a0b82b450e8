package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources/sourcetest"
)

// prompt is what the shell of a test says when it is ready.
const prompt = "ready>"

// resume brings the board back, as a person types it: what a slow terminal answered to
// the board after its stop is the shell's input by then, and is struck out first.
const (
	resume         = "\x15fg\r"
	clearAndResume = "\x15clear; fg\r"
)

// inShell types the program into an interactive shell with job control, and
// returns the terminal with the board on it.
func inShell(t *testing.T, args ...string) *screen {
	t.Helper()
	bash := sourcetest.RealTool(t, "bash", "apt-get install bash")
	cmd := exec.Command(bash, "--norc", "--noprofile", "-i")
	pidFile := filepath.Join(t.TempDir(), "pid")
	cmd.Env = append(terminalEnv(t), "PS1="+prompt, "PIDFILE="+pidFile, "HISTFILE=", "BOARD="+binary+" "+strings.Join(args, " "))
	s := openCommand(t, 100, 30, cmd)
	s.awaitText(prompt)
	// The board's own process id, whichever process of the job it is.
	s.send("sh -c 'echo $$ >$PIDFILE; exec $BOARD'\r")
	return s
}

// board is the process id of the board that inShell started.
func (s *screen) board() int {
	s.t.Helper()
	for _, v := range s.cmd.Env {
		if path, ok := strings.CutPrefix(v, "PIDFILE="); ok {
			text := s.awaitFile(path, has("\n"))
			pid, err := strconv.Atoi(strings.TrimSpace(text))
			require.NoError(s.t, err)
			return pid
		}
	}
	s.t.Fatal("no shell")
	return 0
}

// awaitStopped waits until the shell has its terminal back and says so.
func (s *screen) awaitStopped(times int) {
	s.t.Helper()
	s.await("the shell's word of a stopped job", func(text string) bool {
		return strings.Count(text, "Stopped") >= times && !strings.Contains(text, "Flags")
	})
}

func TestCtrlZGivesTheShellItsTerminalAndFgBringsTheWholeBoardBack(t *testing.T) {
	t.Parallel()
	path := flagFile(t, fleetFile)
	s := inShell(t, "--flags", "flagd:"+path)
	s.awaitText("checkout-v2", "dark-mode", "pricing", "0/1", "nothing has changed", "q quit")
	pause(time.Second) // until every frame of the start has come
	before := s.text()
	s.send("\x1a")
	s.awaitStopped(1)
	s.send("stty -a\r")
	s.await("a terminal in line mode", func(text string) bool {
		return strings.Contains(text, " icanon") && strings.Contains(text, " echo ")
	})
	s.send(resume)
	s.await("the same board", func(text string) bool { return sameButTheClock(before, text) })
	pause(500 * time.Millisecond)
	s.press("?")
	s.awaitText("suspend, fg resumes")
	s.press("\x1b")
	s.await("the board", func(text string) bool { return !strings.Contains(text, "suspend, fg resumes") })
	s.press("q")
	s.awaitText("ready>fg")
	s.send("echo code $?\r")
	s.awaitText("code 0")
}

// sameButTheClock compares two screens without their first line's last word.
func sameButTheClock(a, b string) bool {
	cut := func(s string) string {
		head, rest, _ := strings.Cut(s, "\n")
		fields := strings.Fields(head)
		return strings.Join(fields[:max(0, len(fields)-1)], " ") + rest
	}
	return cut(a) == cut(b)
}

func TestAStopFromOutsideGivesTheTerminalBackAsWell(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGTSTP, syscall.SIGSTOP} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			s := inShell(t, "--flags", "flagd:"+flagFile(t, fleetFile))
			s.awaitText("checkout-v2", "Activity")
			pid := s.board()
			for range 2 { // what was done for the first time is in place for the second
				require.NoError(t, syscall.Kill(pid, sig))
				s.awaitText("Stopped")
				s.send("clear; stty -a\r")
				s.awaitText(" icanon", prompt)
				s.send(resume)
				s.await("the board", func(text string) bool {
					return strings.Contains(text, "checkout-v2") && strings.Contains(text, "Activity") && !strings.Contains(text, "icanon")
				})
			}
			pause(500 * time.Millisecond)
			s.press("q")
			s.await("the shell's screen", func(text string) bool { return !strings.Contains(text, "Activity") })
			s.send("clear; stty -a\r")
			s.awaitText(" icanon", " echo ")
		})
	}
}

func TestNoKeyFromBeforeOrDuringAStopActsAfterIt(t *testing.T) {
	t.Parallel()
	for name, type_ := range map[string]func(s *screen){
		"typed behind fg": func(s *screen) {
			s.send("\x1a")
			s.awaitStopped(1)
			s.send(resume + "K")
		},
		"typed with ctrl+z": func(s *screen) {
			s.send("K\x1aK")
			s.awaitStopped(1)
			s.send(resume)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := flagFile(t, fleetFile)
			s := inShell(t, "--flags", "flagd:"+path)
			s.awaitText("checkout-v2", "Activity")
			pick(s, "checkout")
			type_(s)
			s.awaitText("checkout-v2", "Activity")
			pause(500 * time.Millisecond)
			got, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, fleetFile, string(got))
			s.press("K")
			s.awaitFile(path, has("DISABLED")) // the board is awake: a fresh key acts
		})
	}
}

func TestABoardThatNobodyCouldBringBackRefusesToStop(t *testing.T) {
	t.Parallel()
	for name, ask := range map[string]func(s *screen){
		"the key":    func(s *screen) { s.press("\x1a") },
		"the signal": func(s *screen) { require.NoError(s.t, s.cmd.Process.Signal(syscall.SIGTSTP)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, path := onFlag(t, 100, 30, "checkout") // leads its session, as the command of an ssh login does
			ask(s)
			s.awaitText("nothing could bring it back")
			s.press("K")
			s.awaitFile(path, has("DISABLED"))
			require.Zero(t, s.quit())
		})
	}
}

// killUnderWay is a board in a shell whose kill waits for the store's lock.
func killUnderWay(t *testing.T) (s *screen, path string, release func()) {
	t.Helper()
	path = flagFile(t, fleetFile)
	s = inShell(t, "--flags", "flagd:"+path)
	s.awaitText("checkout-v2", "Activity")
	pick(s, "checkout")
	release = lockStore(t, path)
	s.press("K")
	s.awaitText("killed: pending")
	return s, path, release
}

func TestAWriteUnderWayIsFinishedBeforeTheBoardStops(t *testing.T) {
	t.Parallel()
	s, path, release := killUnderWay(t)
	s.send("\x1a")
	s.awaitText("still writing checkout-v2")
	require.NotContains(t, s.text(), "Stopped")
	release()
	s.awaitText("Stopped")
	s.awaitFile(path, has("DISABLED"))
	lockStore(t, path) // a stopped board holds nobody up
	s.send(resume)
	s.awaitText("killed confirmed in")
}

func TestTheResultOfAChangeIsToldAlthoughTheBoardWasStoppedInTheMiddleOfIt(t *testing.T) {
	t.Parallel()
	s, _, release := killUnderWay(t)
	require.NoError(t, syscall.Kill(s.board(), syscall.SIGSTOP)) // which asks nobody
	s.awaitText("Stopped")
	s.send(clearAndResume)
	s.awaitText("checkout-v2", "Activity", "killed: pending")
	release()
	s.awaitText("killed confirmed in")
}

func TestAfterAStopWhatWasReadLongAgoIsNeverCalledFresh(t *testing.T) {
	t.Parallel()
	var hang atomic.Bool
	stop := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if hang.Load() {
			select {
			case <-stop:
			case <-r.Context().Done():
			}
			return
		}
		_, _ = fmt.Fprint(w, "# TYPE resilience4j_circuitbreaker_state gauge\n"+
			`resilience4j_circuitbreaker_state{name="pay",state="closed"} 1`+"\n")
	}))
	t.Cleanup(func() { close(stop); server.Close() })
	config := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(config, []byte(fmt.Sprintf(`default: prod
contexts:
  prod:
    stale_after: 3s
    flags: [{dsn: %q}]
    metrics: [{dsn: %q, name: pages, every: 1s}]
`, "flagd:"+flagFile(t, fleetFile), "scrape+"+server.URL+"/metrics")), 0o600))
	s := inShell(t, "--config", config)
	s.awaitText("pages fresh", "pay")
	s.send("\x1a")
	s.awaitStopped(1)
	hang.Store(true)
	pause(4 * time.Second) // longer than stale_after
	from := s.written()
	s.send(resume)
	s.awaitText("pages stale")
	require.NotContains(t, string(s.output(from)), "pages fresh")
	require.Contains(t, string(s.output(from)), "stale")
	hang.Store(false)
	s.awaitText("pages fresh") // and it heals by itself
}
