package wire_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/charmbracelet/colorprofile"
	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/vt"
	"github.com/stretchr/testify/require"

	"relctl-tui/ui/wire"
)

// seen is what a person sees of an emulator: each cell with its look.
func seen(e *vt.Emulator) string {
	var b strings.Builder
	for y := range e.Height() {
		for x := range e.Width() {
			c := e.CellAt(x, y)
			if c == nil || c.Content == "" || c.Content == " " {
				bg := ""
				if c != nil {
					bg = (&uv.Style{Bg: c.Style.Bg, Attrs: c.Style.Attrs & uv.AttrReverse}).String()
				}
				fmt.Fprintf(&b, "[%q ]", bg)
				continue
			}
			fmt.Fprintf(&b, "[%q%s]", c.Style.String(), c.Content)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// fresh is a frame on a terminal on which nothing else was drawn.
func fresh(frame string, w, h int) string {
	e := vt.NewEmulator(w, h)
	_, _ = e.Write([]byte("\x1b[44;5m" + strings.Repeat("rubbish ", w*h/8)))
	s := wire.NewScreen(colorprofile.TrueColor, false)
	s.Resize(w, h)
	out, _ := s.Draw(nil, frame, nil, wire.Unlimited)
	_, _ = e.Write(out)
	return seen(e)
}

// TestAFreshFrameIsWhatItsLinesSay holds the first frame against Charm's own reading of
// styled text, so that the other tests may compare with it.
func TestAFreshFrameIsWhatItsLinesSay(t *testing.T) {
	t.Parallel()
	const frame = "plain \x1b[1;31mred\x1b[m and \x1b[38;5;200mpink \x1b[48;2;1;2;3mground\x1b[0m.\n" +
		"\x1b[7m reversed  \x1b[27m\x1b[4mlined\x1b[24m 日本 e\u0301 ●▂⣿\n" +
		"a line that is far too long for the terminal that it is drawn on"
	e := vt.NewEmulator(40, 4)
	s := wire.NewScreen(colorprofile.TrueColor, false)
	s.Resize(40, 4)
	out, left := s.Draw(nil, frame, nil, wire.Unlimited)
	require.Equal(t, wire.None, left)
	_, _ = e.Write(out)
	b := uv.NewScreenBuffer(40, 4)
	for y, line := range strings.Split(frame, "\n") {
		uv.NewStyledString(line).Draw(b, uv.Rect(0, y, 40, 1))
	}
	for y := range 4 {
		for x := range 40 {
			want, got := b.CellAt(x, y), e.CellAt(x, y)
			require.Equal(t, strings.TrimSpace(want.Content), strings.TrimSpace(got.Content), "column %d of row %d", x, y)
			if want.Content != "" && want.Content != " " {
				require.Equal(t, want.Style.String(), got.Style.String(), "column %d of row %d", x, y)
			}
		}
	}
}

// anyFrame is a board of dice: few styles, so that neighbours are alike, and some text
// that terminals measure differently.
func anyFrame(r *rand.Rand, before string, w, h int) string {
	lines := strings.Split(before, "\n")
	for len(lines) < h {
		lines = append(lines, "")
	}
	switch r.IntN(6) {
	case 0: // it scrolls, all of it or a part
		n := 1 + r.IntN(3)
		top := r.IntN(h / 2)
		if r.IntN(2) == 0 {
			copy(lines[top:], lines[top+n:])
		} else {
			copy(lines[top+n:], append([]string{}, lines[top:len(lines)-n]...))
		}
	case 1: // nothing is left
		clear(lines)
	}
	for range r.IntN(5) {
		lines[r.IntN(h)] = anyLine(r, w)
	}
	return strings.Join(lines[:h], "\n")
}

func anyLine(r *rand.Rand, w int) string {
	words := []string{
		"     ", "checkout-v2", "25%", "●", "▂▃▅▇", " ", "           ", "x", "日本語", "e\u0301", "\u2764\ufe0f", "closed", "1.234",
	}
	styles := []string{"", "", "\x1b[m", "\x1b[m", "\x1b[31m", "\x1b[1m", "\x1b[2;32m", "\x1b[7m", "\x1b[44m", "\x1b[38;5;9m", "\x1b[4m", "\x1b[38;2;9;8;7m"}
	var b strings.Builder
	for b.Len() < r.IntN(3*w) {
		b.WriteString(styles[r.IntN(len(styles))])
		b.WriteString(words[r.IntN(len(words))])
	}
	b.WriteString("\x1b[m")
	return b.String()
}

func TestWhateverFrameFollowsAnotherTheTerminalShowsIt(t *testing.T) {
	t.Parallel()
	const w, h = 50, 12
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		e := vt.NewEmulator(w, h)
		s := wire.NewScreen(colorprofile.TrueColor, seed%3 == 0)
		s.Resize(w, h)
		frame := ""
		for step := range 25 {
			frame = anyFrame(r, frame, w, h)
			if r.IntN(15) == 0 {
				_, _ = e.Write([]byte("\x1b[5;5H\x1b[35mnoise"))
				s.Forget()
			}
			rank := func(y int) wire.Rank { return wire.Rank((y + h/2) % 4) }
			for left, still := wire.Answer, 0; left != wire.None; {
				var out []byte
				out, left = s.Draw(nil, frame, rank, wire.Limits{All: 1 + r.IntN(60), Unasked: r.IntN(60)})
				_, _ = e.Write(out)
				if still++; len(out) > 0 {
					still = 0
				}
				require.Less(t, still, 30, "it comes to an end")
			}
			want, got := strings.Split(fresh(frame, w, h), "\n"), strings.Split(seen(e), "\n")
			for y := range want {
				require.Equal(t, want[y], got[y], "seed %d, step %d, row %d", seed, step, y)
			}
			out, _ := s.Draw(nil, frame, nil, wire.Unlimited)
			require.Empty(t, out, "a frame that is shown takes nothing")
		}
	}
}

// five is a terminal with five rows that shows a frame.
func five(frame string) (*wire.Screen, *vt.Emulator) {
	e := vt.NewEmulator(40, 5)
	s := wire.NewScreen(colorprofile.ANSI, false)
	s.Resize(40, 5)
	out, _ := s.Draw(nil, frame, nil, wire.Unlimited)
	_, _ = e.Write(out)
	return s, e
}

func TestADrawWithALimitBeginsWithTheRowsThatAreAskedFor(t *testing.T) {
	t.Parallel()
	s, e := five("one\ntwo\nthree\nfour\nfive")
	rank := func(y int) wire.Rank {
		return []wire.Rank{wire.Number, wire.Number, wire.Asked, wire.Answer, wire.Number}[y]
	}
	const frame = "ONE\nTWO\nTHREE\nFOUR\nFIVE"
	for _, want := range []struct {
		limits wire.Limits
		left   wire.Rank
		screen string
	}{
		{wire.Limits{All: 8}, wire.Asked, "one\ntwo\nthree\nFOUR\nfive"},
		{wire.Limits{All: 100}, wire.Number, "one\ntwo\nTHREE\nFOUR\nfive"},
		{wire.Limits{All: 100}, wire.Number, "one\ntwo\nTHREE\nFOUR\nfive"},
		{wire.Limits{All: 100, Unasked: 7}, wire.Number, "ONE\ntwo\nTHREE\nFOUR\nfive"},
		{wire.Unlimited, wire.None, "ONE\nTWO\nTHREE\nFOUR\nFIVE"},
	} {
		out, left := s.Draw(nil, frame, rank, want.limits)
		_, _ = e.Write(out)
		require.LessOrEqual(t, len(out), want.limits.All)
		require.Equal(t, want.left, left)
		require.Equal(t, want.screen, strings.TrimRight(e.String(), " \n"))
	}
}

func TestALimitNeverLeavesHalfOfANumberBesideHalfOfTheOldOne(t *testing.T) {
	t.Parallel()
	s, e := five("error rate 199 of 1999 calls")
	seen := map[string]bool{}
	for left := wire.Answer; left != wire.None; {
		var out []byte
		out, left = s.Draw(nil, "error rate 200 of 2000 calls", nil, wire.Limits{All: 12})
		require.LessOrEqual(t, len(out), 12)
		_, _ = e.Write(out)
		seen[strings.TrimSpace(e.String())] = true
	}
	require.Equal(t, map[string]bool{"error rate 200 of 1999 calls": true, "error rate 200 of 2000 calls": true}, seen)
}

func TestRowsThatTradePlacesAreNeverSeenWithEachOthersNumbers(t *testing.T) {
	t.Parallel()
	rows := []string{"checkout    18ms  79/s  0%", "inventory   13ms  80/s  1%", "payment    153ms  53/s  9%", "database     7ms 196/s  2%", "orders       3ms 107/s  3%"}
	s, e := five(strings.Join(rows, "\n"))
	after := []string{rows[2], rows[0], rows[3], rows[1], rows[4]}
	draws := 0
	for left := wire.Answer; left != wire.None; draws++ {
		var out []byte
		out, left = s.Draw(nil, strings.Join(after, "\n"), func(int) wire.Rank { return wire.Word }, wire.Limits{All: 1000, Unasked: 10})
		require.Less(t, len(out), 2*len(rows[0]), "one row")
		_, _ = e.Write(out)
		for seen := range strings.Lines(strings.TrimSpace(e.String())) {
			require.Contains(t, rows, strings.TrimSpace(seen))
		}
	}
	require.Greater(t, draws, 1)
	require.Equal(t, strings.Join(after, "\n"), strings.TrimRight(e.String(), " \n"), "all there in the end")
}

func TestAWordThatIsLongerThanTheLimitGoesInParts(t *testing.T) {
	t.Parallel()
	s, e := five("")
	word := strings.Repeat("0123456789", 4)
	draws := 0
	for left := wire.Answer; left != wire.None; draws++ {
		var out []byte
		out, left = s.Draw(nil, word, nil, wire.Limits{All: 12})
		require.LessOrEqual(t, len(out), 12)
		_, _ = e.Write(out)
	}
	require.Greater(t, draws, 3)
	require.Equal(t, word, strings.TrimSpace(e.String()))
}

func TestWhatAScrollOfNumbersLaysBareIsFilledAtOnce(t *testing.T) {
	t.Parallel()
	rows := make([]string, 5)
	for i := range rows {
		rows[i] = strings.Repeat(fmt.Sprintf("row %d ", i), 6)
	}
	s, e := five(strings.Join(rows, "\n"))
	rows = append(rows[1:], strings.Repeat("a new ", 6))
	out, left := s.Draw(nil, strings.Join(rows, "\n"), func(int) wire.Rank { return wire.Number }, wire.Limits{All: 1000, Unasked: 10})
	_, _ = e.Write(out)
	require.Equal(t, wire.None, left)
	require.Contains(t, string(out), "M", "lines are deleted")
	require.Contains(t, e.String(), "a new a new")
}

func TestATerminalWithoutColoursIsSentNone(t *testing.T) {
	t.Parallel()
	s := wire.NewScreen(colorprofile.ASCII, false)
	s.Resize(20, 1)
	out, _ := s.Draw(nil, "\x1b[1;31mred\x1b[m \x1b[38;2;1;2;3mblue\x1b[m", nil, wire.Unlimited)
	require.Equal(t, "\x1b[H\x1b[m\x1b[K\x1b[1mred \x1b[mblue", string(out))
}

func BenchmarkDraw(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	s := wire.NewScreen(colorprofile.ANSI256, false)
	s.Resize(120, 40)
	var frames [2]string
	frames[0] = strings.Repeat(anyLine(r, 100)+"\n", 40)
	frames[1] = strings.Replace(frames[0], "\n", " 12.5%\n", 5)
	var out []byte
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		out, _ = s.Draw(out[:0], frames[i%2], nil, wire.Unlimited)
	}
}

// TestSignsHaveOneColumnHoweverTheyAreMeasured holds what a Screen takes for granted of the
// runes that states, frames and charts are drawn with: it asks no library about them.
func TestSignsHaveOneColumnHoweverTheyAreMeasured(t *testing.T) {
	t.Parallel()
	for r := '\u2190'; r <= '\u2bff'; r++ {
		sign := string(r)
		if ansi.StringWidth(sign) != 1 {
			continue
		}
		for _, next := range []string{"a", "·", "⣿", "☃", "☝", "\x1b[m"} {
			for _, decode := range []func(string, byte, *ansi.Parser) (string, int, int, byte){ansi.DecodeSequence[string], ansi.DecodeSequenceWc[string]} {
				seq, width, _, _ := decode(sign+next, 0, nil)
				require.Equal(t, sign, seq)
				require.Equal(t, 1, width, "%q", sign)
			}
		}
	}
}
