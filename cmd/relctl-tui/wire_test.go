package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/vt"
	"github.com/stretchr/testify/require"

	drawing "relctl-tui/ui/wire"
)

// someBoard is a board of dice: rows of names, states and numbers as the panes have them.
func someBoard(dice *rand.Rand, cursor, from int) string {
	var b strings.Builder
	for y := range 40 {
		mark, state := "  ", "\x1b[32m\u2713 closed\x1b[m"
		if y == cursor {
			mark = "\x1b[1;36m\u25b8 \x1b[m"
		}
		if (from+y)%7 == 0 {
			state = "\x1b[1;31m\u2717 open  \x1b[m"
		}
		p99 := (from + y) * 37 % 900
		if dice.IntN(8) == 0 {
			p99 = dice.IntN(900)
		}
		fmt.Fprintf(&b, "%s%s  \x1b[1mflag-%05d\x1b[m   \x1b[36m%s\x1b[m  %3d%%   \x1b[2m%dms\x1b[m\n",
			mark, state, from+y, strings.Repeat("\u28ff", (from+y)%18), (from+y)%100, p99)
	}
	return b.String()
}

func TestABoardSendsHardlyMoreThanItsFramesNeed(t *testing.T) {
	t.Parallel()
	dice := rand.New(rand.NewPCG(3, 8))
	screen := drawing.NewScreen(colorprofile.ANSI256, false)
	screen.Resize(120, 40)
	emu := vt.NewEmulator(120, 40)
	least := bound{at: spot{-1, -1}}
	before, sent, needed := frame(nil), 0, 0
	for i := range 120 {
		cursor, from := i%40, 0
		if i > 60 { // it scrolls by half a page
			from = i / 20 * 20
		}
		out, left := screen.Draw(nil, someBoard(dice, cursor, from), nil, drawing.Unlimited)
		require.Equal(t, drawing.None, left)
		_, err := emu.Write(out)
		require.NoError(t, err)
		now := frameOf(emu)
		if i > 0 { // the first has a terminal to clear of which nothing is known
			n, _ := least.add(before, now)
			sent, needed = sent+len(out), needed+n
		}
		before = now
	}
	require.LessOrEqual(t, float64(sent), 1.15*float64(needed), "%d bytes, of which %d were needed", sent, needed)
	t.Logf("%d bytes, %d needed", sent, needed)
}
