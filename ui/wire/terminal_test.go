package wire_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/vt"
	"github.com/stretchr/testify/require"

	"relctl-tui/ui/wire"
)

const patience = 30 * time.Second

// glass is a terminal that keeps each write, and takes none while it is held.
type glass struct {
	mu     sync.Mutex
	emu    *vt.Emulator
	writes []string
	held   chan struct{} // a write waits until it is closed; nil for none
}

func newGlass() *glass { return &glass{emu: vt.NewEmulator(30, 6)} }

func (g *glass) Write(b []byte) (int, error) {
	g.mu.Lock()
	g.writes = append(g.writes, string(b))
	held := g.held
	g.mu.Unlock()
	if held != nil {
		<-held
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.emu.Write(b)
}

func (g *glass) text() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return strings.TrimSpace(g.emu.String())
}

func (g *glass) written() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]string{}, g.writes...)
}

func (g *glass) hold(until chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.held = until
}

// on is a terminal that draws on the glass, whose alternate screen a program entered.
func on(t *testing.T, g *glass, o wire.Options, frame string) *wire.Terminal {
	t.Helper()
	o.Out = g
	term := wire.NewTerminal(o)
	term.Resize(30, 6)
	go term.Run()
	t.Cleanup(term.End)
	term.Show(frame, false)
	_, err := term.Write([]byte(ansi.SetModeAltScreenSaveCursor))
	require.NoError(t, err)
	return term
}

func (g *glass) await(t *testing.T, text string) {
	t.Helper()
	require.Eventually(t, func() bool { return g.text() == text }, patience, time.Millisecond, "waiting for %q", text)
}

func TestTheFirstFrameComesWithTheAlternateScreenInOneWrite(t *testing.T) {
	t.Parallel()
	g := newGlass()
	on(t, g, wire.Options{}, "hello")
	require.Len(t, g.written(), 1)
	require.Equal(t, "hello", g.text())
}

func TestOutsideTheAlternateScreenNothingIsDrawnAndThePenIsGivenBack(t *testing.T) {
	t.Parallel()
	g := newGlass()
	term := on(t, g, wire.Options{}, "\x1b[31mhello")
	_, err := term.Write([]byte(ansi.ResetModeAltScreenSaveCursor))
	require.NoError(t, err)
	last := len(g.written())
	require.Equal(t, "\x1b[m\x1b[6;1H"+ansi.ResetModeAltScreenSaveCursor, g.written()[last-1], "what follows stands below where there is no other screen")
	term.Show("good bye", true)
	term.End()
	require.Len(t, g.written(), last)
}

func TestFramesThatANewerOneOvertakesAreNeverSent(t *testing.T) {
	t.Parallel()
	g := newGlass()
	term := on(t, g, wire.Options{}, "0")
	busy := make(chan struct{})
	g.hold(busy)
	term.Show("1", false)
	require.Eventually(t, func() bool { return len(g.written()) == 2 }, patience, time.Millisecond, "the line is busy with a frame")
	for _, frame := range []string{"2", "3", "4"} {
		term.Show(frame, true) // and does not wait for it
	}
	g.hold(nil)
	close(busy)
	g.await(t, "4")
	sent := strings.Join(g.written()[1:], "")
	require.NotContains(t, sent, "2")
	require.NotContains(t, sent, "3")
}

func TestAScreenThatSomebodyErasedIsDrawnAgain(t *testing.T) {
	t.Parallel()
	g := newGlass()
	term := on(t, g, wire.Options{}, "one\ntwo")
	_, err := term.Write([]byte("\x1b[H\x1b[2J"))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return strings.Contains(strings.Join(g.written()[1:], ""), "one") }, patience, time.Millisecond)
	for _, w := range g.written() {
		require.NotContains(t, w, "\x1b[2J", "nobody sees it empty")
	}
	require.Equal(t, "one\ntwo", g.text())
}

func TestAFrameThatIsShownAlreadyIsNotSentAgain(t *testing.T) {
	t.Parallel()
	g := newGlass()
	term := on(t, g, wire.Options{}, "one")
	term.Show("one", true)
	term.Resize(30, 6)
	_, err := term.Write([]byte("\x1b]2;a title\a"))
	require.NoError(t, err)
	term.Show("two", false)
	g.await(t, "two")
	require.Len(t, g.written(), 3)
}

func TestOnASlowLineAFrameGoesInPortionsAndAKeysAnswerFirst(t *testing.T) {
	t.Parallel()
	g := newGlass()
	term := on(t, g, wire.Options{Speed: 600}, "a\nb\nc\nd\ne\nf")
	began := len(g.written())
	long := strings.Repeat("new text ", 3)
	rows := []string{long, long, long, long, long, "f"}
	term.Show(strings.Join(rows, "\n"), false)
	rows[5] = "answered"
	term.Show(strings.Join(rows, "\n"), true)
	g.await(t, strings.TrimSpace(strings.Join([]string{
		strings.TrimSpace(long), strings.TrimSpace(long), strings.TrimSpace(long), strings.TrimSpace(long), strings.TrimSpace(long), "answered",
	}, "\n")))
	portions := g.written()[began:]
	require.Greater(t, len(portions), 1)
	for i, p := range portions {
		require.LessOrEqual(t, len(p), 48, "a portion")
		if strings.Contains(p, "answered") {
			require.LessOrEqual(t, i, 1, "at most one portion was under way")
		}
	}
}

// shaped is a line of so many bytes a second to a terminal, in the time of a bubble.
type shaped struct {
	glass
	rate int
	free time.Time
	busy int // bytes at most that were on it at once
}

func (s *shaped) Write(b []byte) (int, error) {
	s.mu.Lock()
	if now := time.Now(); s.free.Before(now) {
		s.free = now
	}
	s.free = s.free.Add(time.Duration(len(b)) * time.Second / time.Duration(s.rate))
	s.busy = max(s.busy, int(time.Until(s.free).Seconds()*float64(s.rate)))
	s.mu.Unlock()
	return s.glass.Write(b)
}

// clears is in how long all that was written is at the other end.
func (s *shaped) clears() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(0, time.Until(s.free))
}

// fleet is a board of ten rows of numbers, the first of which says where a cursor is.
func fleet(numbers, cursor int) string {
	rows := []string{fmt.Sprintf("cursor %d", cursor)}
	for y := range 9 {
		n := numbers*7919 + y*104729
		rows = append(rows, fmt.Sprintf("flag-%d  %6.2f%%  p99 %4d ms  %5d calls", y, float64(n%10_000)/100, n%997, n%99_991))
	}
	return strings.Join(rows, "\n")
}

// overLine is a terminal of 60x10 at the end of a line.
func overLine(t *testing.T, bytesPerSecond int, o wire.Options) (*shaped, *wire.Terminal) {
	t.Helper()
	s := &shaped{glass: glass{emu: vt.NewEmulator(60, 10)}, rate: bytesPerSecond}
	o.Out, o.Every = s, time.Second/120
	term := wire.NewTerminal(o)
	term.Resize(60, 10)
	go term.Run()
	term.Show(fleet(0, 0), false)
	_, err := term.Write([]byte(ansi.SetModeAltScreenSaveCursor))
	require.NoError(t, err)
	<-time.After(time.Minute)
	return s, term
}

func TestAKeysAnswerHasAtMostAPortionBeforeItWhateverTheLineSays(t *testing.T) {
	t.Parallel()
	for name, speed := range map[string]int{"a line that says its speed": 960, "a line that does not": 0} {
		synctest.Test(t, func(t *testing.T) {
			s, term := overLine(t, 960, wire.Options{Speed: speed})
			defer term.End()
			dice := rand.New(rand.NewPCG(1, 1))
			seconds, cursor := 0, 0
			for range 200 { // numbers come each second, a key whenever
				<-time.After(time.Second)
				seconds++
				term.Show(fleet(seconds, cursor), false)
				<-time.After(time.Duration(dice.IntN(700)) * time.Millisecond)
				cursor++
				term.Show(fleet(seconds, cursor), true)
				pressed := time.Now()
				for !strings.Contains(s.text(), fmt.Sprintf("cursor %d", cursor)) {
					<-time.After(time.Millisecond)
				}
				require.Less(t, time.Since(pressed)+s.clears(), 110*time.Millisecond, name)
			}
		})
	}
}

func TestWhatChangedByItselfGoesInSipsWordsFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, term := overLine(t, 1_000_000, wire.Options{})
		defer term.End()
		before := len(s.written())
		broken := strings.Replace(fleet(1, 0), "flag-8  ", "broken  ", 1)
		term.Show(broken, false)
		synctest.Wait()
		require.Contains(t, s.text(), "broken")
		require.Contains(t, s.text(), strings.Split(fleet(0, 0), "\n")[5], "still as it was")
		<-time.After(500 * time.Millisecond)
		require.Equal(t, broken, s.text())
		for _, w := range s.written()[before:] {
			require.LessOrEqual(t, len(w), 64)
		}
	})
}

func TestManyNumbersDoNotFallBehindOnAFastLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &shaped{glass: glass{emu: vt.NewEmulator(200, 60)}, rate: 1_000_000}
		term := wire.NewTerminal(wire.Options{Out: s})
		defer term.End()
		term.Resize(200, 60)
		go term.Run()
		full := func(n int) string {
			return strings.TrimSpace(strings.Repeat(strings.Repeat(fmt.Sprintf("%06d ", n), 28)+"\n", 60))
		}
		term.Show(full(100_001), false)
		_, err := term.Write([]byte(ansi.SetModeAltScreenSaveCursor))
		require.NoError(t, err)
		require.Contains(t, s.text(), "100001 100001", "what nobody has seen yet is no number that can wait")
		<-time.After(time.Second)
		term.Show(full(222_222), false)
		<-time.After(time.Second)
		require.Zero(t, strings.Count(s.text(), "100001"))
	})
}

func TestWhatIsAwaitedGoesAtOnceAsAWhole(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, term := overLine(t, 1_000_000, wire.Options{})
		defer term.End()
		term.Show(fleet(1, 0), false)
		synctest.Wait()
		require.NotEqual(t, fleet(1, 0), s.text(), "a sip")
		term.Show(fleet(2, 7), true)
		<-time.After(time.Second / 120)
		synctest.Wait()
		require.Equal(t, fleet(2, 7), s.text())
	})
}
