package ui

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/live"
)

// pastKeeper is a source of one latency that counts who asks for its past, and answers
// when it is told to.
type pastKeeper struct {
	asked []sources.SeriesQuery
	gone  int // that were cancelled
	hang  bool
	err   error
}

func (p *pastKeeper) Series(ctx context.Context, q sources.SeriesQuery) (sources.Series, error) {
	p.asked = append(p.asked, q)
	if p.hang {
		<-ctx.Done()
		p.gone++
		return sources.Series{}, ctx.Err()
	}
	s := sources.Series{Source: "past", Step: q.Step(), Over: time.Minute, ReadAt: time.Now(), From: time.Now().Add(-time.Duration(q.Points-1) * q.Step())}
	for range q.Points {
		s.P99 = append(s.P99, sources.Quantile{Seconds: .123, OK: true})
		s.P50, s.P95, s.Rate = s.P99, s.P99, append(s.Rate, sources.Some(7.0))
	}
	return s, p.err
}

// plotBoard is a board whose latency pane has the keys, in a bubble.
func plotBoard(t *testing.T, driver any) *rig {
	t.Helper()
	r := board(t, nil)
	r.m.engine = live.New(live.Options{Now: time.Now, Sources: []live.Source{{Name: "past", Kind: "prometheus", Driver: driver}}})
	s := *r.m.snapshot
	s.Latencies = []sources.Latency{{Source: "past", Name: "api", SLO: 500 * time.Millisecond}, {Source: "past", Name: "db"}}
	r.m.setSnapshot(&s)
	for r.m.focus != paneLatency {
		r.deliver(tea.KeyPressMsg{Code: tea.KeyTab})
	}
	return r
}

// second is a second of the clock.
func (r *rig) second() {
	pass(time.Second)
	r.m.now = r.m.opts.Now()
	r.m.refresh()
	r.deliver(PendingExpiredMsg{}) // any message: the chart is looked after at each
}

func (r *rig) shows(parts ...string) {
	r.t.Helper()
	r.m.frame = ""
	screen := ansi.Strip(r.m.View().Content)
	for _, p := range parts {
		require.Contains(r.t, screen, p)
	}
}

func (r *rig) hides(part string) {
	r.t.Helper()
	r.m.frame = ""
	require.NotContains(r.t, ansi.Strip(r.m.View().Content), part)
}

func TestAChartIsReadInACommandWhenItOpensAndThenSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pastKeeper{}
		r := plotBoard(t, p)
		r.second()
		require.Empty(t, p.asked, "nobody looks at a chart")
		_, open := r.m.Update(tea.KeyPressMsg{Code: tea.KeyEnter})
		_, cmd := r.m.Update(open())
		require.Empty(t, p.asked, "Update reads nothing")
		r.work(cmd)
		require.Len(t, p.asked, 1)
		r.shows("p99 123ms", "last 15m")
		for range 60 {
			r.second()
		}
		require.LessOrEqual(t, len(p.asked), 5, "not at each refresh")
		require.GreaterOrEqual(t, len(p.asked), 4)
		r.deliver(tea.KeyPressMsg{Code: tea.KeyEscape})
		n := len(p.asked)
		for range 60 {
			r.second()
		}
		require.Len(t, p.asked, n, "a closed chart is not read")
	})
}

func TestZoomAndResizeCancelTheReadingUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pastKeeper{hang: true}
		r := plotBoard(t, p)
		_, open := r.m.Update(tea.KeyPressMsg{Code: tea.KeyEnter})
		_, first := r.m.Update(open())
		go first()
		synctest.Wait()
		require.Len(t, p.asked, 1)
		_, second := r.m.Update(tea.KeyPressMsg{Code: 'w', Text: "w"})
		synctest.Wait()
		require.Equal(t, 1, p.gone, "the zoom has cancelled it")
		_, third := r.m.Update(tea.WindowSizeMsg{Width: 80, Height: 24})
		require.Nil(t, second())
		require.Len(t, p.asked, 1, "what is outdated before it began is never asked")
		p.hang = false
		r.work(third)
		require.Equal(t, time.Hour, p.asked[len(p.asked)-1].Span)
		r.shows("p99 123ms", "last 1h")
	})
}

func TestAChartThatFailsSaysSoAndTheBoardGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pastKeeper{}
		r := plotBoard(t, p)
		r.deliver(tea.KeyPressMsg{Code: tea.KeyEnter})
		p.err = fmt.Errorf("past: the server is down: %w", sources.ErrUnavailable)
		pass(time.Minute)
		r.second()
		r.shows("p99 123ms", "the server is down", "read 1m ago")
	})
}

func TestASourceWithoutAPastSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := plotBoard(t, struct{}{})
		r.deliver(tea.KeyPressMsg{Code: tea.KeyEnter})
		r.shows("keeps no past")
	})
}

func TestWhoRunsThroughAListAsksForTheRowHeRestsOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pastKeeper{}
		r := plotBoard(t, p)
		r.deliver(tea.KeyPressMsg{Code: tea.KeyEnter})
		var cmds []tea.Cmd
		for _, k := range []rune{'j', 'k', 'j'} {
			_, cmd := r.m.Update(tea.KeyPressMsg{Code: k, Text: string(k)})
			cmds = append(cmds, cmd)
		}
		for _, cmd := range cmds {
			r.work(cmd)
		}
		require.Len(t, p.asked, 2)
		require.Equal(t, "db", p.asked[1].Latency)
	})
}
