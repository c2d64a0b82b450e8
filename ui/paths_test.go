package ui

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
)

// pathKeeper counts who asks for call paths.
type pathKeeper struct {
	pastKeeper
	paths []sources.CallsQuery
}

func (p *pathKeeper) Calls(_ context.Context, q sources.CallsQuery) (sources.Calls, error) {
	p.paths = append(p.paths, q)
	edges := []sources.CallEdge{{To: q.Service, Rate: 5, Busy: 2}, {From: q.Service, To: "ledger", Rate: 5, Busy: 1.5}}
	return sources.Calls{Source: "past", Service: q.Service, From: "a graph", Over: time.Minute, Now: edges, ReadAt: time.Now()}, p.err
}

func (p *pathKeeper) Exemplars(context.Context, sources.ExemplarQuery) (sources.ExemplarSet, error) {
	return sources.ExemplarSet{Exemplars: []sources.Exemplar{{TraceID: "4bf92f3577b34da6", Seconds: 2, At: time.Now()}}}, nil
}

func TestACallPathIsReadWhenItIsOpenedAndThenSeldomAndItsTraceIsCopied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pathKeeper{}
		r := plotBoard(t, p)
		_, open := r.m.Update(tea.KeyPressMsg{Code: tea.KeyEnter})
		r.work(func() tea.Cmd { _, cmd := r.m.Update(open()); return cmd }())
		require.Empty(t, p.paths, "nobody looks at it")
		r.shows("v path", "w span")
		_, cmd := r.m.Update(tea.KeyPressMsg{Code: 'v', Text: "v"})
		require.Empty(t, p.paths, "Update reads nothing")
		r.shows("v chart")
		r.hides("w span") // a path has none
		r.work(cmd)
		require.Len(t, p.paths, 1)
		require.Equal(t, sources.CallsQuery{Service: "api", Ago: 15 * time.Minute}, p.paths[0])
		r.shows("ledger", "4bf92f3577b34da6", "15m ago")
		n := len(p.asked)
		for range 60 {
			r.second()
		}
		require.LessOrEqual(t, len(p.paths), 5, "not at each refresh")
		require.GreaterOrEqual(t, len(p.paths), 4)
		require.Len(t, p.asked, n, "the chart is not shown, so it is not read")

		_, cmd = r.m.Update(tea.KeyPressMsg{Code: 'h', Text: "h"})
		pass(time.Second)
		r.work(cmd)
		require.Equal(t, time.Hour, p.paths[len(p.paths)-1].Ago)
		_, cmd = r.m.Update(tea.KeyPressMsg{Code: 'y', Text: "y"})
		require.Contains(t, fmt.Sprint(messages(cmd)), "4bf92f3577b34da6", "to the clipboard")
		r.shows("copied: 4bf92f3577b34da6")
		r.deliver(tea.KeyPressMsg{Code: tea.KeyEscape})
		n = len(p.paths)
		for range 60 {
			r.second()
		}
		require.Len(t, p.paths, n)
	})
}

// messages are what a command and those that it batches say.
func messages(cmd tea.Cmd) (out []tea.Msg) {
	if cmd == nil {
		return nil
	}
	switch msg := cmd().(type) {
	case tea.BatchMsg:
		for _, c := range msg {
			out = append(out, messages(c)...)
		}
	default:
		out = append(out, msg)
	}
	return out
}

func TestTheNameUnderTheCursorIsCopiedInEachPane(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := plotBoard(t, &pathKeeper{})
		_, cmd := r.m.Update(tea.KeyPressMsg{Code: 'y', Text: "y"})
		require.Contains(t, fmt.Sprint(messages(cmd)), "api")
		r.shows("copied: api")
		for r.m.focus != paneFlags {
			r.deliver(tea.KeyPressMsg{Code: tea.KeyTab})
		}
		_, cmd = r.m.Update(tea.KeyPressMsg{Code: 'y', Text: "y"})
		require.Contains(t, fmt.Sprint(messages(cmd)), "checkout-v2")
	})
}
