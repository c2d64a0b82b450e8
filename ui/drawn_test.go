package ui

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/ui/wire"
	"relctl-tui/views/viewtest"
)

// page is a model that shows as many rows of a letter as it had messages.
type page struct{ seen int }

func (p *page) Init() tea.Cmd                       { return nil }
func (p *page) Update(tea.Msg) (tea.Model, tea.Cmd) { p.seen++; return p, nil }
func (p *page) View() tea.View {
	row := strings.Repeat(string(rune('a'+p.seen)), 50)
	return tea.NewView(strings.Repeat(row+"\n", 9) + row)
}

// paper keeps what is written.
type paper struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (p *paper) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.Write(b)
}

func (p *paper) rows(letter string) int {
	return strings.Count(p.text(), strings.Repeat(letter, 50))
}

func (p *paper) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.String()
}

func TestNumbersLeaveTheLineToWhatSomebodyWaitsFor(t *testing.T) {
	t.Parallel()
	base := viewtest.Snapshot(viewtest.OK)
	with := func(change func(*sources.Snapshot)) *sources.Snapshot {
		s := *base
		s.Latencies, s.Sources = slices.Clone(s.Latencies), slices.Clone(s.Sources)
		change(&s)
		return &s
	}
	for name, c := range map[string]struct {
		msg    tea.Msg
		atOnce int // rows of ten
	}{
		"a key":               {tea.KeyPressMsg{Code: 'j'}, 10},
		"an answer to one":    {ActionFinishedMsg{}, 10},
		"another's change":    {SnapshotPublishedMsg{with(func(s *sources.Snapshot) { s.FlagsSeq++ })}, 10},
		"a source that fails": {SnapshotPublishedMsg{with(func(s *sources.Snapshot) { s.Sources[0].Health++ })}, 10},
		"a latency's number":  {SnapshotPublishedMsg{with(func(s *sources.Snapshot) { s.Latencies[0].P99.Seconds++ })}, 1},
		"a clock":             {ClockTickedMsg{}, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			out := &paper{}
			terminal := wire.NewTerminal(wire.Options{Out: out})
			terminal.Resize(60, 10)
			go terminal.Run()
			defer terminal.End()
			d := &drawn{model: &page{}, terminal: terminal}
			_, _ = d.Update(SnapshotPublishedMsg{base})
			d.View()
			_, err := terminal.Write([]byte(ansi.SetModeAltScreenSaveCursor))
			require.NoError(t, err)
			<-time.After(time.Second)
			require.Equal(t, 10, out.rows("b"))
			_, _ = d.Update(c.msg)
			d.View()
			synctest.Wait()
			require.Equal(t, c.atOnce, out.rows("c"), name)
			<-time.After(time.Second)
			require.Equal(t, 10, out.rows("c"), name)
		})
	}
}

func TestARemoteTerminalThatSaysItsSpeedGetsFramesInPortions(t *testing.T) {
	t.Parallel()
	for baud, portions := range map[int]bool{0: false, 9600: true, 38_400: false} {
		synctest.Test(t, func(t *testing.T) {
			out := &paper{}
			o := Options{Output: out, Remote: &Remote{Baud: baud}}
			terminal, _ := o.terminal(60, 10)
			go terminal.Run()
			defer terminal.End()
			row := strings.Repeat("c", 50)
			terminal.Show(strings.Repeat(row+"\n", 9)+row, true)
			_, err := terminal.Write([]byte(ansi.SetModeAltScreenSaveCursor))
			require.NoError(t, err)
			require.Equal(t, portions, out.rows("c") < 10, "%d baud", baud)
			<-time.After(2 * time.Second)
			require.Equal(t, 10, strings.Count(out.text(), "c")/50)
		})
	}
}
