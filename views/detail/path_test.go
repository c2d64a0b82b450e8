package detail_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/golden"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/views"
	"relctl-tui/views/detail"
	"relctl-tui/views/viewtest"
)

// pathed is the detail of the payment API with its call path open.
func pathed(t *testing.T, ascii bool, w, h int) detail.Model {
	t.Helper()
	m := detail.New(viewtest.Theme(t, "mono", ascii), views.DefaultKeyMap())
	m.SetSize(w, h)
	s := viewtest.Snapshot(viewtest.OK)
	m.SetSnapshot(s, viewtest.Now())
	m.SetSubject(views.LatencySubject(s.Latency("payment API")))
	m = keyed(m, "v")
	want, ok := m.WantsPath()
	require.True(t, ok)
	_, charts := m.Wants()
	require.False(t, charts, "what is not shown is not read")
	m.ReadingPath(want)
	return m
}

func slowPayment() *sources.Calls {
	edge := func(from, to string, rate, mean, failed float64) sources.CallEdge {
		return sources.CallEdge{From: from, To: to, Rate: rate, Busy: rate * mean, Failed: sources.Some(failed * rate)}
	}
	return &sources.Calls{
		Source: viewtest.Metrics, Service: "payment-api", From: "a service graph", Over: time.Minute, ReadAt: viewtest.Now(),
		Now: []sources.CallEdge{
			edge("checkout", "payment-api", 120.5, 0.9, 0.41), edge("payment-api", "database", 361, 0.25, 0.02), edge("payment-api", "fraud", 120.5, 0.03, 0),
			edge("checkout", "database", 40, 0.01, 0),
		},
		Then: []sources.CallEdge{
			edge("checkout", "payment-api", 118, 0.11, 0), edge("payment-api", "database", 118, 0.02, 0), edge("payment-api", "fraud", 118, 0.03, 0),
		},
	}
}

func slowTraces() *sources.ExemplarSet {
	return &sources.ExemplarSet{Source: viewtest.Metrics, ReadAt: viewtest.Now(), Exemplars: []sources.Exemplar{
		{TraceID: "4bf92f3577b34da6a3ce929d0e0e4736", Seconds: 3.4, At: viewtest.Now().Add(-12 * time.Second)},
		{TraceID: "0af7651916cd43dd8448eb211c80319c", Seconds: 0.4, At: viewtest.Now().Add(-4 * time.Minute)},
	}}
}

func TestTheCallPathOfALatencyMarksTheHopThatMovedMost(t *testing.T) {
	t.Parallel()
	for _, ascii := range []bool{false, true} {
		for _, w := range []int{60, 80, 120} {
			t.Run(fmt.Sprintf("%t/%d", ascii, w), func(t *testing.T) {
				t.Parallel()
				m := pathed(t, ascii, w, 15)
				m.SetPath(slowPayment(), nil)
				m.SetSlow(slowTraces(), nil)
				viewtest.RequireFrame(t, m.View(), w, 15)
				golden.RequireEqual(t, ansi.Strip(m.View()))
			})
		}
	}
	m := pathed(t, false, 100, 20)
	m.SetPath(slowPayment(), nil)
	screen := ansi.Strip(m.View())
	require.Regexp(t, `database\s+250ms\s+250ms\s+83%.*\+729ms most, shared`, screen)
	require.Regexp(t, `since\s+14:31.*checkout-v2`, screen)
}

func TestTheMomentOfTheComparisonIsChosenAmongChangesAndSpans(t *testing.T) {
	t.Parallel()
	m := pathed(t, false, 100, 20)
	want, _ := m.WantsPath()
	require.Equal(t, viewtest.Now().Add(-47*time.Second), want.At, "the newest change of a flag")
	require.Equal(t, 48*time.Second, (&want).Query(viewtest.Now()).Ago)
	seen := map[detail.PathWant]bool{}
	for range 30 {
		m = keyed(m, "h")
		w, _ := m.WantsPath()
		seen[w] = true
	}
	last, _ := m.WantsPath()
	require.Equal(t, 24*time.Hour, last.Ago, "the earliest")
	require.True(t, seen[detail.PathWant{Source: want.Source, Latency: want.Latency, Ago: time.Hour}])
	for range 30 {
		m = keyed(m, "l")
	}
	newest, _ := m.WantsPath()
	require.Equal(t, want, newest)
}

func TestCopyTakesOneTraceAfterTheOtherAndANameWhereThereIsNone(t *testing.T) {
	t.Parallel()
	m := pathed(t, false, 80, 16)
	require.Equal(t, "payment API", m.Copied())
	m.SetPath(nil, errors.New("prod: nothing tells what it calls"))
	require.Contains(t, ansi.Strip(m.View()), "prod: nothing tells what it calls")
	m.SetSlow(slowTraces(), nil)
	require.Equal(t, "4bf92f3577b34da6a3ce929d0e0e4736", m.Copied())
	require.Equal(t, "0af7651916cd43dd8448eb211c80319c", m.Copied())
	require.Equal(t, "4bf92f3577b34da6a3ce929d0e0e4736", m.Copied())
}
