package ui

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// unasked is what terminals say, mostly because somebody asked.
var unasked = []string{
	"\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\", "\x1b]10;rgb:ff/ff/ff\a", "\x1b]4;1;rgb:KK/uu/RR\x1b\\", "\x1b]52;c;S0tL\a",
	"\x1b[?1;2c", "\x1b[>41;354;0c", "\x1b[24;80R", "\x1b[?24;80R", "\x1b[0n", "\x1b[?997;1n", "\x1b[?0u",
	"\x1b[?2026;2$y", "\x1b[8;24;80t", "\x1bP>|Konsole 23.08K\x1b\\", "\x1bP1+r524742=38\x1b\\", "\x1bP!|4B4445\x1b\\", "\x1bP1$r0K\x1b\\",
	"\x1b_Gi=31;OK\x1b\\",
}

var (
	wholeCSI = regexp.MustCompile(`\x1b\[[ -?]*[@-~]`)
	lonely   = regexp.MustCompile(`\x1b`)
)

func TestWhatATerminalSaysIsNoKeyWhereverASlowLinkCutsIt(t *testing.T) {
	t.Parallel()
	for _, reply := range unasked {
		for i := 1; i <= len(reply); i++ {
			for j := i; j <= len(reply); j++ {
				var f replies
				now, out := t0, ""
				for _, part := range []string{reply[:i], reply[i:j], reply[j:]} {
					if part == "" {
						continue
					}
					now = now.Add(2 * time.Second)
					out += string(f.pass([]byte(part), now))
				}
				keys := lonely.ReplaceAllString(wholeCSI.ReplaceAllString(out, ""), "")
				require.Empty(t, keys, "%q in %q, %q, %q", reply, reply[:i], reply[i:j], reply[j:])
				require.Equal(t, "KK", string(f.pass([]byte("KK"), now.Add(time.Second))), "and the next key counts")
			}
		}
	}
}

func TestKeysPassAsTheyCome(t *testing.T) {
	t.Parallel()
	for _, keys := range []string{
		"K", "+", "\x1b", "\x1b[A", "\x1b[1;5C", "\x1bOA", "\x1b[200~kill\x1b[201~", "\x1bx", "\x1b\x1b[A", "\x03", "\r", "ü", "\x1b[97;5u", "\x1b[<0;3;4M", "\x1b[[A", "\x1b[Z",
	} {
		var f replies
		require.Equal(t, keys, string(f.pass([]byte(keys), t0)))
	}
}

func TestAnArrowKeyThatASlowLinkCutsIsStillOne(t *testing.T) {
	t.Parallel()
	var f replies
	require.Empty(t, f.pass([]byte("\x1b["), t0))
	require.Equal(t, "\x1b[A", string(f.pass([]byte("A"), t0.Add(time.Second))))
}

func TestAltWithABracketKeepsNoLaterKeyFromCounting(t *testing.T) {
	t.Parallel()
	for _, alt := range []string{"\x1b]", "\x1b[", "\x1bP", "\x1b_"} {
		var f replies
		got := string(f.pass([]byte(alt), t0))
		got += string(f.pass([]byte("K"), t0.Add(5*time.Second)))
		require.Equal(t, alt+"K", got)
	}
	var f replies
	require.Equal(t, "\x1b]K", string(f.pass([]byte("\x1b]"), t0))+string(f.pass([]byte("K"), t0.Add(time.Second))))
}

func TestAStringWithoutAnEndDoesNotMakeTheBoardDeaf(t *testing.T) {
	t.Parallel()
	var f replies
	require.Empty(t, f.pass([]byte("\x1b]11;rgb:"), t0))
	require.Equal(t, "q", string(f.pass([]byte("q"), t0.Add(5*time.Second))))
	require.Empty(t, f.pass([]byte("\x1b]11;rgb:"), t0.Add(6*time.Second)))
	require.Equal(t, "\x03", string(f.pass([]byte("\x03"), t0.Add(7*time.Second))), "ctrl+c ends it")
	require.Equal(t, "\x1b[201~", string(f.pass([]byte("\x1b]0;x\x1b[201~"), t0.Add(8*time.Second))), "and so does another sequence")
}

func TestNoBytesMakeMoreOfThemOrAreKeptForEver(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOf(rapid.SliceOfN(rapid.SampledFrom([]byte("\x1b[]P_\\\a?0;cRKG\x03")), 1, 80)).Draw(t, "parts")
		var f replies
		now, in, out := t0, 0, 0
		for _, p := range parts {
			in += len(p)
			out += len(f.pass(p, now))
			require.LessOrEqual(t, len(f.held), longestCSI)
		}
		require.LessOrEqual(t, out, in)
		tail := string(f.pass([]byte("q"), now.Add(time.Minute)))
		require.True(t, strings.HasSuffix(tail, "q"), "%q", tail)
	})
}
