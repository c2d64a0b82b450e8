package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/themes"
)

// breakersPage is a page with breakers whose numbers never change. None of them is open,
// not even by half: what may have done it would be looked for, and a line says so later.
func breakersPage(t *testing.T) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "# TYPE resilience4j_circuitbreaker_state gauge\n")
		for name, state := range map[string]string{"payments": "closed", "search": "closed", "geo": "disabled"} {
			_, _ = io.WriteString(w, `resilience4j_circuitbreaker_state{name="`+name+`",state="`+state+`"} 1`+"\n")
		}
	}))
	t.Cleanup(srv.Close)
	return "scrape+" + srv.URL + "/metrics"
}

// matrixBoard is one board that looks the same wherever it is opened: each has a flag file
// of its own, since boards of one file show each other.
type matrixBoard struct{ breakers string }

func newMatrixBoard(t *testing.T) matrixBoard {
	t.Helper()
	return matrixBoard{breakersPage(t)}
}

func (b matrixBoard) args(t *testing.T) []string {
	t.Helper()
	return []string{"--flags", "flagd:" + flagFile(t, fleetFile), "--breakers", b.breakers}
}

func (b matrixBoard) open(t *testing.T, env []string, more ...string) *screen {
	t.Helper()
	return open(t, 100, 30, env, append(b.args(t), more...)...)
}

var (
	aTime = regexp.MustCompile(`\d\d:\d\d|127\.0\.0\.1:\d+`)
	anAge = regexp.MustCompile(`<1m|\b\dm\b`)
)

// seenAs is a screen without what differs from one moment, and one port, to the next.
func seenAs(text string) string {
	return anAge.ReplaceAllString(aTime.ReplaceAllStringFunc(text, func(s string) string { return strings.Repeat("0", len(s)) }), " - ")
}

// whole waits until everything has been read and drawn, and is the screen then.
func (s *screen) whole() string {
	return seenAs(s.awaitText("checkout-v2", "25%", "pricing", "Breakers 3", "payments", "disabled", "no histogram matches", "nothing has changed", "q quit"))
}

// twins are the ASCII signs that stand for each sign.
func twins(t *testing.T) map[rune]string {
	t.Helper()
	th, err := themes.New(themes.Options{})
	require.NoError(t, err)
	ascii, err := themes.New(themes.Options{ASCII: true})
	require.NoError(t, err)
	out := map[rune]string{}
	u, a := reflect.ValueOf(th.Glyphs), reflect.ValueOf(ascii.Glyphs)
	for i := range u.NumField() {
		if u.Field(i).Kind() == reflect.String {
			out[[]rune(u.Field(i).String())[0]] += a.Field(i).String()
		}
	}
	return out
}

// requireTwins holds a screen in ASCII against the same one with all signs: the same text
// in the same cells, and a twin where a sign stands.
func requireTwins(t *testing.T, signs, ascii string) {
	t.Helper()
	of := twins(t)
	u, a := []rune(signs), []rune(ascii)
	require.Len(t, a, len(u))
	for i := range u {
		require.True(t, u[i] == a[i] || strings.ContainsRune(of[u[i]], a[i]), "%q where %q stands:\n%s", a[i], u[i], ascii)
	}
}

// depth is how many colours a row may send.
type depth int

const (
	noColours depth = iota
	sixteen
	hundreds
	millions
)

var colourCodes = regexp.MustCompile(`\x1b\[([0-9;:]*)m`)

// deepest is the most that was sent.
func deepest(t *testing.T, raw string) (most depth) {
	t.Helper()
	for _, m := range colourCodes.FindAllStringSubmatch(raw, -1) {
		words := strings.FieldsFunc(m[1], func(r rune) bool { return r == ';' || r == ':' })
		for i := 0; i < len(words); i++ {
			n, err := strconv.Atoi(words[i])
			require.NoError(t, err)
			switch {
			case n == 38 || n == 48:
				if words[i+1] == "2" {
					most = millions
				} else {
					most = max(most, hundreds)
				}
				i = len(words) // its numbers are no codes
			case n >= 30 && n <= 47 && n != 39, n >= 90 && n <= 107:
				most = max(most, sixteen)
			}
		}
	}
	return most
}

// questions are what a terminal would answer.
var questions = regexp.MustCompile(`\x1b\[[>=?]?[0-9;]*[cn]|\x1b\[>[0-9]*q|\x1b\[\?[0-9;]*\$p|\x1b\[\?u|\x1b\](4;[0-9]+|1[0-9]|52;[a-z]*);\?|\x1bP\+q|\x1b\[1[0-9]t`)

func TestEveryTerminalShowsTheSameScreenInTheColoursItHas(t *testing.T) {
	t.Parallel()
	b := newMatrixBoard(t)
	signs := b.open(t, nil).whole()
	ascii := b.open(t, nil, "--ascii").whole()
	requireTwins(t, signs, ascii)
	for _, row := range []struct {
		env   string
		args  string
		ascii bool
		depth depth
		asks  bool // it answers at once, and may be asked what it can do
	}{
		{env: "TERM=xterm-256color COLORTERM=truecolor", depth: millions, asks: true},
		{env: "TERM=xterm-256color", depth: hundreds, asks: true},
		{env: "TERM=xterm", depth: sixteen, asks: true},
		{env: "TERM=xterm-kitty", depth: millions, asks: true},
		{env: "TERM=screen", depth: hundreds},
		{env: "TERM=screen-256color", depth: hundreds},
		{env: "TERM=tmux-256color", depth: hundreds, asks: true},
		{env: "TERM=linux", ascii: true, depth: sixteen},
		{env: "TERM=vt100", depth: noColours},
		{env: "TERM=xterm-256color", args: "--theme mono", depth: noColours, asks: true},
		{env: "TERM=xterm-256color", args: "--ascii", ascii: true, depth: hundreds, asks: true},
		{env: "TERM=xterm-256color NO_COLOR=1", depth: noColours, asks: true},
		{env: "TERM=xterm-256color COLORTERM=truecolor NO_COLOR=yes", depth: noColours, asks: true},
		{env: "TERM=xterm-256color LANG=C", ascii: true, depth: hundreds, asks: true},
		{env: "TERM=xterm-256color LC_ALL=POSIX", ascii: true, depth: hundreds, asks: true},
		{env: "TERM=xterm-256color LANG=de_DE.UTF-8", depth: hundreds, asks: true},
		{env: "TERM=xterm-256color COLORTERM=truecolor SSH_TTY=/dev/pts/1", depth: millions},
		{env: "TERM=xterm-kitty SSH_TTY=/dev/pts/1 SSH_CONNECTION=1", depth: millions},
		{env: "TERM=alacritty SSH_CONNECTION=1 WT_SESSION=1", depth: millions},
		{env: "TERM=linux SSH_TTY=/dev/pts/1", ascii: true, depth: sixteen},
	} {
		t.Run(row.env+" "+row.args, func(t *testing.T) {
			t.Parallel()
			args := strings.Fields(row.args)
			if row.args != "--theme mono" {
				args = append(args, "--theme", "dark") // which has a colour of its own for each depth
			}
			s := b.open(t, strings.Fields(row.env), args...)
			want := signs
			if row.ascii {
				want = ascii
			}
			s.await("the screen that others show", func(text string) bool { return seenAs(text) == want })
			require.Zero(t, s.quit())
			raw := string(s.output(0))
			require.Equal(t, row.depth, deepest(t, raw))
			asked := slices.DeleteFunc(questions.FindAllString(raw, -1), func(q string) bool {
				return row.asks && slices.Contains([]string{"\x1b[?2026$p", "\x1b[?2027$p", "\x1b[?u"}, q) // no answer to these is a key
			})
			require.Empty(t, asked)
			if row.ascii {
				require.NotRegexp(t, `[^\x00-\x7f]`, raw)
			}
		})
	}
}

func TestWhatATerminalSaysByItselfNeverActs(t *testing.T) {
	t.Parallel()
	said := []string{
		"\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\", "\x1b]10;rgb:ff/ff/ff\a", "\x1b[?1;2c", "\x1b[>41;354;0c", "\x1b[24;80R", "\x1b[1;2R",
		"\x1bP>|Konsole 23.08\x1b\\", "\x1b[?0u", "\x1b[?2026;2$y", "\x1bP1+r524742\x1b\\", "\x1b]52;c;S0tL\a", "\x1b[I", "\x1b[O", "\x1b[0n",
	}
	for _, env := range []string{"TERM=xterm-256color", "TERM=xterm-256color SSH_TTY=/dev/pts/1", "TERM=screen"} {
		for name, cut := range map[string]func(string) int{
			"whole": func(string) int { return 0 }, "without its ESC": func(string) int { return 1 },
			"in two": func(r string) int { return len(r) / 2 }, "without its last letter": func(r string) int { return len(r) - 1 },
		} {
			t.Run(env+" "+name, func(t *testing.T) {
				t.Parallel()
				path := flagFile(t, fleetFile)
				s := open(t, 100, 30, strings.Fields(env), "--flags", "flagd:"+path)
				before := seenAs(s.awaitText("checkout-v2", "25%", "0/1", "nothing has changed", "q quit"))
				for _, reply := range said {
					if at := cut(reply); at > 0 {
						s.says(reply[:at], reply[at:])
						continue
					}
					s.says(reply)
				}
				pause(300 * time.Millisecond) // for a key in one read with a reply is a part of it
				s.press("?")                  // and keys still count
				s.awaitText("ramp to the next step")
				s.press("?")
				s.await("the board as it was", func(text string) bool { return seenAs(text) == before })
				require.Equal(t, fleetFile, read(t, path))
				require.Zero(t, s.quit())
				require.NoFileExists(t, filepath.Join(filepath.Dir(path), ".prod.flagd.json.relctl.jsonl"), "nothing was even intended")
			})
		}
	}
}

func TestAStormOfResizesEndsInTheRightScreen(t *testing.T) {
	t.Parallel()
	b := newMatrixBoard(t)
	want := b.open(t, nil).whole()
	s := b.open(t, nil)
	s.whole()
	for i := range 200 {
		s.resize(1+(i*37)%160, 1+(i*13)%60)
	}
	s.resize(1, 1)
	s.resize(100, 30)
	s.await("the screen of a board that was never resized", func(text string) bool { return seenAs(text) == want })
	require.Zero(t, s.quit())
}

func TestARealTmuxShowsTheSameScreenAndTakesTitleAndClipboard(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("tmux"); err != nil {
		if os.Getenv("RELCTL_REQUIRE_REAL") != "" {
			t.Fatal("tmux is missing: apt-get install tmux")
		}
		t.Skip("tmux is missing: apt-get install tmux")
	}
	b := newMatrixBoard(t)
	want := b.open(t, nil).whole()
	ascii := b.open(t, nil, "--ascii").whole()
	socket := filepath.Join(t.TempDir(), "s")
	tmux := func(args ...string) string {
		cmd := exec.Command("tmux", append([]string{"-u", "-f", "/dev/null", "-S", socket}, args...)...)
		cmd.Env = append(cleanEnv(t), "TERM=xterm-256color", "LANG=C.UTF-8")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		return string(out)
	}
	tmux("new-session", "-d", "-x", "100", "-y", "30", "sh")
	t.Cleanup(func() { tmux("kill-server") })
	tmux("set", "-g", "set-clipboard", "on")
	home := strings.Join(cleanEnv(t), " ")
	for kind, screen := range map[string]string{"screen": want, "screen-256color": want, "tmux-256color": want, "linux": ascii} {
		args := []string{"new-window", "-n", kind, "env " + home + " LANG=C.UTF-8 TERM=" + kind + " " + binary + " '" + strings.Join(b.args(t), "' '") + "'"}
		tmux(args...)
		require.Eventually(t, func() bool {
			return seenAs(strings.TrimRight(tmux("capture-pane", "-p", "-t", ":"+kind), "\n")) == strings.TrimRight(trimLines(screen), "\n")
		}, patience, 50*time.Millisecond, "TERM=%s shows:\n%s", kind, tmux("capture-pane", "-p", "-t", ":"+kind))
	}
	require.Eventually(t, func() bool {
		return strings.Contains(tmux("display", "-p", "-t", ":tmux-256color", "#{pane_title}"), "relctl-tui: ok")
	}, patience, 50*time.Millisecond, "the title")
	tmux("send-keys", "-t", ":screen", "y")
	require.Eventually(t, func() bool {
		return strings.Contains(tmux("list-buffers"), "checkout-v2")
	}, patience, 50*time.Millisecond, "OSC 52 reaches tmux from a TERM=screen")
}

// trimLines is text as tmux gives it, without spaces at the ends of lines.
func trimLines(text string) string {
	var out []string
	for line := range strings.Lines(text) {
		out = append(out, strings.TrimRight(line, " \n"))
	}
	return strings.Join(out, "\n")
}
