package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// openLines starts the line mode in a terminal and waits for its status.
func openLines(t *testing.T, env []string, args ...string) (s *screen, path string) {
	t.Helper()
	path = flagFile(t, fleetFile)
	s = open(t, 120, 40, env, append(args, "--flags", "flagd:"+path)...)
	s.awaitText("flag checkout-v2: 25%")
	return s, path
}

// requireNoControls holds everything that was written against a device that knows lines
// and nothing else.
func requireNoControls(t *testing.T, s *screen) {
	t.Helper()
	require.NotContains(t, string(s.output(0)), "\x1b")
	require.NotRegexp(t, "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", string(s.output(0)))
}

func TestOnADumbTerminalVerbsAreTypedAndDoWhatTheKeysDo(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"TERM=dumb", "TERM="} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s, path := openLines(t, []string{kind})
			s.awaitText("so this is the line mode")
			s.send("kill checkout-v2 --reason 'too slow'\n")
			s.awaitText("flag checkout-v2: 25% to killed by ana, confirmed, because: too slow")
			s.awaitFile(path, has(`"state": "DISABLED"`))
			s.send("undo\n")
			s.awaitText("flag checkout-v2: killed to 25% by ana, confirmed")
			require.Equal(t, fleetFile, read(t, path), "byte for byte")
			s.send("kill chekout-v2\n")
			s.awaitText(`no flag "chekout-v2" (did you mean "checkout-v2"?), nothing was changed`)
			s.send("rm -rf /\n")
			s.awaitText(`no verb "rm"`)
			s.send("quit\n")
			require.Zero(t, s.awaitExit())
			requireNoControls(t, s)
			require.Equal(t, pristine(t), s.modes(), "the terminal was never touched")
		})
	}
}

func TestAPasteOfSeveralLinesDoesNothing(t *testing.T) {
	t.Parallel()
	s, path := openLines(t, nil, "--plain")
	s.send("kill checkout-v2\nkill checkout-v2\nundo\n")
	s.awaitText("3 lines within 30 ms look like a paste: nothing was done")
	s.send("status\n")
	s.await("the status again", func(text string) bool { return strings.Count(text, "flag checkout-v2: 25%") == 2 })
	require.Equal(t, fleetFile, read(t, path))
}

func TestALineIsAskedAboutWhereKeysAre(t *testing.T) {
	t.Parallel()
	path := flagFile(t, fleetFile)
	config := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(config, []byte("default: prod\ncontexts:\n  prod: {plain: true, confirm: true, flags: [{dsn: \"flagd:"+path+"\"}]}\n"), 0o600))
	s := open(t, 120, 40, nil, "--config", config)
	s.awaitText("context prod", "flag checkout-v2: 25%")
	s.send("ramp checkout-v2 50\n")
	s.awaitText("Set checkout-v2 from 25% to 50%? (yes or no)")
	s.send("kill checkout-v2\n")
	s.awaitText("nothing was done")
	require.Equal(t, fleetFile, read(t, path))
	s.send("kill checkout-v2\n")
	s.awaitText("Kill checkout-v2? (yes or no)")
	s.send("yes\n")
	s.awaitText("flag checkout-v2: 25% to killed by ana, confirmed")
	s.awaitFile(path, has(`"state": "DISABLED"`))
	s.send("\x04") // the end of what is typed
	require.Zero(t, s.awaitExit())
}

func TestAReadOnlyLineModeRefusesEveryChange(t *testing.T) {
	t.Parallel()
	s, path := openLines(t, nil, "--plain", "--read-only")
	s.send("kill checkout-v2\n")
	s.awaitText("read-only")
	s.send("help\n")
	s.awaitText("quit ")
	require.NotContains(t, s.text(), "switch a flag off")
	require.Equal(t, fleetFile, read(t, path))
}

func TestInALocaleWithoutUTF8LinesAreASCII(t *testing.T) {
	t.Parallel()
	s, _ := openLines(t, []string{"LANG=C"}, "--plain")
	s.send("kill checkout-v2\n")
	s.awaitText("confirmed")
	s.send("log\n")
	s.awaitText("WHO ")
	require.NotRegexp(t, `[^\x00-\x7f]`, string(s.output(0)))
}

// follower is the line mode behind a pipe.
func follower(t *testing.T) (cmd *exec.Cmd, out *bufio.Reader, pipe io.Closer, path string) {
	t.Helper()
	path = flagFile(t, fleetFile)
	cmd = exec.Command(binary, "--plain", "--flags", "flagd:"+path)
	cmd.Env = append(cleanEnv(t), "RELCTL_ACTOR=ana", "TERM=xterm-256color", "LANG=C.UTF-8")
	p, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	limit := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() }) // ends what reads from it
	t.Cleanup(func() { limit.Stop(); _ = cmd.Process.Kill() })
	return cmd, bufio.NewReader(p), p, path
}

// awaitOut reads lines up to one that matches.
func awaitOut(t *testing.T, out *bufio.Reader, pattern string) {
	t.Helper()
	for seen := ""; ; {
		line, err := out.ReadString('\n')
		seen += line
		require.NoError(t, err, "before %s came:\n%s", pattern, seen)
		require.NotContains(t, line, "\x1b")
		if regexp.MustCompile(pattern).MatchString(strings.TrimSpace(line)) {
			return
		}
	}
}

func TestBehindAPipeItFollowsWithDatesAndEndsWith0WhenItIsTold(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			cmd, out, _, path := follower(t)
			awaitOut(t, out, `^flag checkout-v2: 25%`)
			require.NoError(t, os.WriteFile(path, []byte(strings.ReplaceAll(fleetFile, `["on", 25], ["off", 75]`, `["on", 30], ["off", 70]`)), 0o600))
			awaitOut(t, out, `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S+ flag checkout-v2: 25% to 30% by somebody$`)
			require.NoError(t, cmd.Process.Signal(sig))
			require.NoError(t, cmd.Wait(), "exit code 0")
		})
	}
}

func TestAReaderThatIsGoneEndsItQuietly(t *testing.T) {
	t.Parallel()
	cmd, out, pipe, path := follower(t)
	awaitOut(t, out, `^flag checkout-v2: 25%`)
	require.NoError(t, pipe.Close())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for i := 30; ; i++ { // what it then writes finds nobody
		n := []string{"31", "69", "32", "68"}[i%2*2:]
		require.NoError(t, os.WriteFile(path, []byte(strings.ReplaceAll(fleetFile, `["on", 25], ["off", 75]`, `["on", `+n[0]+`], ["off", `+n[1]+`]`)), 0o600))
		select {
		case err := <-ended:
			require.NoError(t, err, "exit code 0 and no signal")
			return
		case <-time.After(100 * time.Millisecond):
			require.Less(t, i, 300, "it goes on without a reader")
		}
	}
}

func TestALineIsNotAskedAboutWhereAFreezeRefusesItAnyhow(t *testing.T) {
	t.Parallel()
	path := flagFile(t, fleetFile)
	config := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(config, []byte(`contexts:
  prod:
    plain: true
    confirm: true
    flags: [{dsn: "flagd:`+path+`"}]
    freeze: [{from: "2020-01-01 00:00", to: "2099-01-04 06:00", zone: UTC, reason: peak}]
`), 0o600))
	s := open(t, 120, 40, nil, "--config", config)
	s.awaitText("context prod", "flag checkout-v2: 25%")
	s.send("ramp checkout-v2 50\n")
	s.awaitText("checkout-v2 stays at 25%, freeze until 4 Jan 2099 06:00: peak; kill and back go through")
	require.NotContains(t, s.text(), "(yes or no)")
	s.send("kill checkout-v2\n")
	s.awaitText("Kill checkout-v2? (yes or no)")
	s.send("yes\n")
	s.awaitFile(path, has(`"state": "DISABLED"`))
}
