package detail_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/views"
	"relctl-tui/views/detail"
	"relctl-tui/views/viewtest"
)

// charted is the detail of the payment API with a chart of 15 minutes, whose p99 is 10 ms
// times its point.
func charted(t *testing.T, ascii bool, w, h int) (detail.Model, detail.Plot) {
	t.Helper()
	m := detail.New(viewtest.Theme(t, "mono", ascii), views.DefaultKeyMap())
	m.SetSize(w, h)
	s := viewtest.Snapshot(viewtest.OK)
	m.SetSnapshot(s, viewtest.Now())
	m.SetSubject(views.LatencySubject(s.Latency("payment API")))
	want, ok := m.Wants()
	require.True(t, ok)
	m.Plotting(want)
	series := seriesOf(want)
	m.SetSeries(&series, nil)
	return m, want
}

func seriesOf(p detail.Plot) sources.Series {
	n := p.Query.Points
	s := sources.Series{
		Source: p.Source, Step: p.Query.Step(), Over: time.Minute, ReadAt: viewtest.Now(),
		From: viewtest.Now().Add(-time.Duration(n-1) * p.Query.Step()),
		P50:  make([]sources.Quantile, n), P95: make([]sources.Quantile, n), P99: make([]sources.Quantile, n), Rate: make([]sources.Value, n),
	}
	for i := range n {
		if i == 1 {
			continue // a gap
		}
		at := func(f float64) sources.Quantile { return sources.Quantile{Seconds: f * float64(i) / 100, OK: true} }
		s.P50[i], s.P95[i], s.P99[i], s.Rate[i] = at(.1), at(.5), at(1), sources.Some(float64(i))
	}
	return s
}

func keyed(m detail.Model, keys ...string) detail.Model {
	for _, k := range keys {
		msg := tea.KeyPressMsg{Code: []rune(k)[0], Text: k}
		if k == "left" {
			msg = tea.KeyPressMsg{Code: tea.KeyLeft}
		}
		m, _ = m.Update(msg)
	}
	return m
}

func TestTheCrosshairReadsTheValuesOfItsMomentAndNamesTheNearestChange(t *testing.T) {
	t.Parallel()
	m, want := charted(t, false, 100, 26)
	last := want.Query.Points - 1
	screen := ansi.Strip(m.View())
	require.Contains(t, screen, "newest")
	require.Contains(t, screen, views.ShortSeconds(sources.Quantile{Seconds: float64(last) / 100, OK: true})+"  "+views.Rate(sources.Some(float64(last))))
	require.Contains(t, screen, "last 15m, each point over 1m")
	m.SetSnapshot(viewtest.Snapshot(viewtest.OK), viewtest.Now().Add(31*time.Second))
	require.Contains(t, ansi.Strip(m.View()), views.Rate(sources.Some(float64(last)))+"  31s ago", "the newest point can be another than the row's number")
	m.SetSnapshot(viewtest.Snapshot(viewtest.OK), viewtest.Now())
	m = keyed(m, "left", "h", "h", "l")
	screen = ansi.Strip(m.View())
	at := viewtest.Now().Add(-2 * want.Query.Step())
	require.Contains(t, screen, at.Format("15:04:05"))
	require.Contains(t, screen, views.Rate(sources.Some(float64(last-2))))
	require.Contains(t, screen, "change")
	for range last {
		m = keyed(m, "h")
	}
	require.Contains(t, ansi.Strip(m.View()), "0/s", "it stops at the first")
	m = keyed(m, "l")
	require.Contains(t, ansi.Strip(m.View()), "no samples", "a gap is no number")
}

func TestTheChangeIsNamedWithItsTimeFromTheCrosshair(t *testing.T) {
	t.Parallel()
	m, want := charted(t, false, 100, 26)
	s := viewtest.Snapshot(viewtest.OK)
	change := func(key string, ago time.Duration, o sources.Outcome) sources.Activity {
		return sources.Activity{At: viewtest.Now().Add(-ago), Kind: string(sources.Ramp), Flag: id(key), Name: key, Actor: "ana", Old: "10%", New: "25%", Outcome: o}
	}
	s.Activity = []sources.Activity{
		change("failed-one", time.Minute, sources.Failed), change("near", 5*time.Minute, sources.Confirmed),
		change("far", 10*time.Minute, sources.Seen), change("out-of-sight", 3*time.Hour, sources.Confirmed),
	}
	m.SetSnapshot(s, viewtest.Now())
	require.Contains(t, ansi.Strip(m.View()), "5m before  near 10% ➔ 25% by ana")
	for range int(11 * time.Minute / want.Query.Step()) {
		m = keyed(m, "h")
	}
	require.Contains(t, ansi.Strip(m.View()), "after  far 10% ➔ 25%")
	s.Activity = append([]sources.Activity{{At: viewtest.Now().Add(-9 * time.Minute), Kind: sources.KindDeploy, Name: "payment", Old: "2.14.0", New: "2.14.1", Outcome: sources.Seen}}, s.Activity[3:]...)
	m.SetSnapshot(s, viewtest.Now())
	require.Contains(t, ansi.Strip(m.View()), "deploy payment 2.14.0 ➔ 2.14.1", "a deploy is a change, and no flag's")
	s.Activity = s.Activity[1:]
	m.SetSnapshot(s, viewtest.Now())
	require.Contains(t, ansi.Strip(m.View()), "none is known in this time")
}

func TestZoomAsksForAnotherSpanAndKeepsTheMomentUnderTheCrosshair(t *testing.T) {
	t.Parallel()
	m, want := charted(t, false, 100, 26)
	m = keyed(m, "h", "h", "h")
	at := viewtest.Now().Add(-3 * want.Query.Step())
	var spans []time.Duration
	for range 4 {
		m = keyed(m, "w")
		now, ok := m.Wants()
		require.True(t, ok)
		spans = append(spans, now.Query.Span)
		m.Plotting(now)
		require.Contains(t, ansi.Strip(m.View()), "reading", "the old picture says that it is old")
		s := seriesOf(now)
		m.SetSeries(&s, nil)
	}
	require.Equal(t, []time.Duration{time.Hour, 6 * time.Hour, 24 * time.Hour, 15 * time.Minute}, spans)
	require.Contains(t, ansi.Strip(m.View()), at.Format("15:04:05"))
}

func TestAChartThatCannotBeReadAgainStaysWithItsAgeAndOneThatNeverCouldSaysWhy(t *testing.T) {
	t.Parallel()
	m, want := charted(t, false, 100, 26)
	down := fmt.Errorf("prom is down: %w", sources.ErrUnavailable)
	m.SetSeries(nil, down)
	m.SetSnapshot(viewtest.Snapshot(viewtest.OK), viewtest.Now().Add(4*time.Minute))
	screen := ansi.Strip(m.View())
	require.Contains(t, screen, "last 15m")
	require.Contains(t, screen, "The chart was read 4m ago")
	other := want
	other.Query.Latency = "database"
	m.Plotting(other)
	require.Contains(t, ansi.Strip(m.View()), "reading", "what is of something else is not shown")
	m.SetSeries(nil, down)
	screen = ansi.Strip(m.View())
	require.Contains(t, screen, "cannot be read")
	require.Contains(t, screen, "prom is down")
}

func TestAFlagsDetailHasTheChartOfItsLatencyThenOfItsExposureThenNone(t *testing.T) {
	t.Parallel()
	m := open(t, "checkout-v2")
	_, ok := m.Wants()
	require.False(t, ok, "nothing is asked for that nobody looks at")
	m = keyed(m, "v")
	latency, ok := m.Wants()
	require.True(t, ok)
	require.NotEmpty(t, latency.Query.Latency)
	require.NotEmpty(t, latency.Source)
	m = keyed(m, "v")
	exposure, ok := m.Wants()
	require.True(t, ok)
	require.Equal(t, "checkout-v2", exposure.Query.Flag)
	require.Equal(t, "on", exposure.Query.Variant)
	m.Plotting(exposure)
	shares := make([]sources.Value, exposure.Query.Points)
	for i := range shares {
		shares[i] = sources.Some(.247)
	}
	m.SetSeries(&sources.Series{From: viewtest.Now().Add(-time.Duration(len(shares)-1) * exposure.Query.Step()), Step: exposure.Query.Step(), Over: time.Minute, ReadAt: viewtest.Now(), Share: shares}, nil)
	require.Contains(t, ansi.Strip(m.View()), "24.7% seen, target 25%")
	require.Contains(t, ansi.Strip(m.View()), "dotted the target")
	for range 40 { // to before the ramp that the snapshot tells of
		m = keyed(m, "h")
	}
	require.Contains(t, ansi.Strip(m.View()), "24.7% seen, target 10%", "what it was to be then")
	m = keyed(m, "v")
	_, ok = m.Wants()
	require.False(t, ok)
}

func TestAChartKeepsItsFrameAtEverySize(t *testing.T) {
	t.Parallel()
	for _, ascii := range []bool{false, true} {
		m, _ := charted(t, ascii, 100, 26)
		for w := 1; w <= 160; w += 7 {
			for h := range 30 {
				m.SetSize(w, h)
				viewtest.RequireFrame(t, m.View(), w, h)
				if want, ok := m.Wants(); ok {
					require.NoError(t, want.Query.Check())
				}
			}
		}
		m.SetSize(100, 26)
		if ascii {
			require.Equal(t, -1, strings.IndexFunc(m.View(), func(r rune) bool { return r >= 0x80 }))
		}
	}
}

func TestASeriesOfNothingSaysSoInsteadOfAnEmptyPlot(t *testing.T) {
	t.Parallel()
	m, want := charted(t, false, 100, 26)
	s := seriesOf(want)
	for i := range s.P99 {
		s.P50[i], s.P95[i], s.P99[i] = sources.Quantile{}, sources.Quantile{Seconds: math.NaN(), OK: true}, sources.Quantile{}
	}
	m.SetSeries(&s, nil)
	require.Contains(t, ansi.Strip(m.View()), "no samples in all of this time")
}
