package ui

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	uv "github.com/charmbracelet/ultraviolet"
	"github.com/stretchr/testify/require"
)

func TestAMouseReportThatIsTornAnywhereNeverBecomesKeysThatAct(t *testing.T) {
	t.Parallel()
	const report = "\x1b[<0;33;12M"
	for i := 1; i < len(report); i++ {
		var f replies
		at := time.Unix(1, 0)
		for _, piece := range []string{"j" + report[:i], report[i:] + "k"} {
			at = at.Add(time.Second) // long after Bubble Tea has taken for keys what it has
			rest := f.pass([]byte(piece), at)
			for len(rest) > 0 {
				var d uv.EventDecoder
				n, event := d.Decode(rest)
				if k, ok := event.(uv.KeyPressEvent); ok {
					require.Contains(t, []string{"j", "k", "esc"}, k.String(), "cut after %d", i)
				}
				rest = rest[n:]
			}
		}
	}
}

// rowOf is the line of the screen on which a text stands.
func (r *rig) rowOf(text string) int {
	r.t.Helper()
	for y, line := range strings.Split(r.look(), "\n") {
		if strings.Contains(line, text) {
			return y
		}
	}
	r.t.Fatalf("%q is not on the screen:\n%s", text, r.look())
	return 0
}

func TestAClickMovesAndOpensAndNeverActs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := board(t, func(o *Options) { o.Mouse = true })
		before, first := r.file(), r.m.selected
		other := ""
		for i := range r.m.snapshot.Flags {
			if f := &r.m.snapshot.Flags[i]; f.ID != first {
				other = f.Name
			}
		}
		y := r.rowOf(other)
		r.deliver(tea.MouseClickMsg{X: 5, Y: y, Button: tea.MouseLeft})
		r.deliver(tea.MouseReleaseMsg{X: 5, Y: y, Button: tea.MouseLeft})
		require.Equal(t, other, r.m.selected.Key, "the row under the pointer")
		require.False(t, r.m.detailed)
		r.deliver(tea.MouseClickMsg{X: 5, Y: y, Button: tea.MouseRight})
		require.False(t, r.m.detailed, "the right button is nobody's")
		r.deliver(tea.MouseClickMsg{X: 5, Y: y, Button: tea.MouseLeft})
		require.True(t, r.m.detailed, "a second click opens")
		r.press("esc")
		r.deliver(tea.MouseWheelMsg{X: 5, Y: y, Button: tea.MouseWheelUp})
		require.Equal(t, first, r.m.selected, "the wheel moves back")
		r.deliver(tea.MouseClickMsg{X: 5, Y: r.rowOf("Breakers"), Button: tea.MouseLeft})
		require.Equal(t, paneBreakers, r.m.focus)
		require.Equal(t, before, r.file())
	})
}

func TestATitleLineIsDraggedWithinBoundsAndStaysWhereItWasPut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := board(t, func(o *Options) { o.Mouse = true })
		y := r.rowOf("Activity")
		r.deliver(tea.MouseClickMsg{X: 2, Y: y, Button: tea.MouseLeft})
		r.deliver(tea.MouseMotionMsg{X: 2, Y: y + 3, Button: tea.MouseLeft})
		require.Equal(t, y+3, r.rowOf("Activity"))
		r.deliver(tea.MouseMotionMsg{X: 2, Y: 0, Button: tea.MouseLeft})
		for p, s := range r.m.layout.panes {
			if s.h > 0 {
				require.GreaterOrEqual(t, s.h, leastPane, "pane %d keeps its least", p)
			}
		}
		r.deliver(tea.MouseReleaseMsg{X: 2, Y: 0, Button: tea.MouseLeft})
		put := r.rowOf("Activity")
		require.Less(t, put, y+3)
		r.deliver(tea.MouseMotionMsg{X: 2, Y: y + 2, Button: tea.MouseLeft})
		require.Equal(t, put, r.rowOf("Activity"), "nothing is held any more")
		require.Len(t, strings.Split(r.look(), "\n"), 30)
		r.press("tab", ">")
		require.Len(t, strings.Split(r.look(), "\n"), 30)
	})
}

func TestBelowBreakersAndLatencyTheDetailsTitleFollowsThePointerToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := board(t, func(o *Options) { o.Mouse = true })
		r.deliver(tea.WindowSizeMsg{Width: 200, Height: 60})
		r.press("enter")
		y := 0
		for i, line := range strings.Split(r.look(), "\n") {
			if strings.Contains(line, "╌╌ "+r.m.selected.Key) {
				y = i
			}
		}
		require.Greater(t, y, r.rowOf("Breakers"))
		r.deliver(tea.MouseClickMsg{X: 2, Y: y, Button: tea.MouseLeft})
		for _, to := range []int{y + 3, y + 1, y} {
			r.deliver(tea.MouseMotionMsg{X: 2, Y: to, Button: tea.MouseLeft})
			require.Contains(t, strings.Split(r.look(), "\n")[to], "╌╌ "+r.m.selected.Key)
		}
	})
}

func TestWithoutTheOptionTheTerminalKeepsTheMouse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := board(t, nil)
		require.Equal(t, tea.MouseModeNone, r.m.View().MouseMode)
		before := r.m.selected
		r.deliver(tea.MouseWheelMsg{X: 5, Y: 3, Button: tea.MouseWheelDown})
		require.Equal(t, before, r.m.selected)
		r = board(t, func(o *Options) { o.Mouse = true })
		require.Equal(t, tea.MouseModeCellMotion, r.m.View().MouseMode)
	})
}
