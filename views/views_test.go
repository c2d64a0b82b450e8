package views_test

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/width"
	"pgregory.net/rapid"

	"relctl-tui/sources"
	"relctl-tui/views"
	"relctl-tui/views/viewtest"
)

func TestAgesAreCoarseUnlessFine(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration][2]string{
		-time.Hour: {"<1m", "0s"}, 0: {"<1m", "0s"}, 59 * time.Second: {"<1m", "59s"}, time.Minute: {"1m", "1m"},
		4*time.Minute + 59*time.Second: {"4m", "4m"}, time.Hour: {"1h", "1h"}, 26 * time.Hour: {"26h", "26h"},
		48 * time.Hour: {"2d", "2d"}, 400 * 24 * time.Hour: {"400d", "400d"},
	} {
		require.Equal(t, want[0], views.Age(d, false), d)
		require.Equal(t, want[1], views.Age(d, true), d)
	}
	require.Equal(t, views.Absent, views.AgeOf(time.Time{}, viewtest.Now(), true))
}

func TestClockTellsTheDayOnlyWhenItIsAnotherOne(t *testing.T) {
	t.Parallel()
	now := viewtest.Now()
	require.Equal(t, "14:31", views.Clock(now.Add(-47*time.Second), now))
	require.Equal(t, "13 Mar", views.Clock(now.Add(-26*time.Hour), now))
	require.Equal(t, "14 Mar", views.Clock(now.AddDate(-1, 0, 0), now), "the same day of another year")
	require.Equal(t, views.Absent, views.Clock(time.Time{}, now))
}

func TestSecondsHaveTwoFiguresAndAUnit(t *testing.T) {
	t.Parallel()
	for s, want := range map[float64]string{
		0: "0ms", 0.0004: "0.4ms", 0.0021: "2.1ms", 0.00999: "10ms", 0.034: "34ms", 0.82: "820ms", 0.9996: "1s",
		1: "1s", 3.2: "3.2s", 9.96: "10s", 64: "64s", 120: "2m", 7200: "2h", -1: "?",
	} {
		require.Equal(t, want, views.Seconds(sources.Quantile{Seconds: s, OK: true}), s)
	}
	require.Equal(t, ">10s", views.Seconds(sources.Quantile{Seconds: 10, OK: true, Over: true}))
	require.Equal(t, "no traffic", views.Seconds(sources.Quantile{}))
	require.Equal(t, "?", views.Seconds(sources.Quantile{Seconds: math.NaN(), OK: true}))
	require.Equal(t, views.Absent, views.ShortSeconds(sources.Quantile{}))
}

func TestRatesAndRatiosNeverShowSomethingAsNothing(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{
		0: "0/s", 0.01: "<0.1/s", 0.5: "0.5/s", 3: "3/s", 120.5: "120/s", 999.7: "1k/s", 1240: "1.2k/s", 12_400: "12k/s", 2e6: "2M/s",
	} {
		require.Equal(t, want, views.Rate(sources.Some(v)), v)
	}
	for v, want := range map[float64]string{0: "0%", 0.0004: "<0.1%", 0.003: "0.3%", 0.0996: "10%", 0.41: "41%", 1: "100%"} {
		require.Equal(t, want, views.Ratio(sources.Some(v)), v)
	}
	for v, want := range map[float64]string{0: "0%", 0.0001: "<0.1%", 0.247: "24.7%", 0.38: "38%", 1: "100%", 1.2: "100%"} {
		require.Equal(t, want, views.Share(sources.Some(v)), v)
	}
	for _, absent := range []string{views.Rate(sources.Value{}), views.Ratio(sources.Value{}), views.Share(sources.Value{})} {
		require.Equal(t, views.Absent, absent)
	}
	require.Equal(t, "?", views.Ratio(sources.Some(math.Inf(1))))
}

func TestABarNeverLooksLikeOffOrDoneWhenItIsNot(t *testing.T) {
	t.Parallel()
	th := viewtest.Theme(t, "ansi", true)
	require.Equal(t, "..........", views.Bar(th, 0, 10))
	require.Equal(t, "=.........", views.Bar(th, 1, 10))
	require.Equal(t, "##=.......", views.Bar(th, sources.Pct(25), 10))
	require.Equal(t, "#########=", views.Bar(th, sources.Full-1, 10))
	require.Equal(t, "##########", views.Bar(th, sources.Full, 10))
	require.Empty(t, views.Bar(th, sources.Full, 0))
}

func TestASparklineOverwritesInPlaceWithAGapInFront(t *testing.T) {
	t.Parallel()
	th := viewtest.Theme(t, "mono", true)
	var trend sources.Trend
	for range sources.TrendLen + 10 {
		trend = trend.Add(0.1)
	}
	before := ansi.Strip(views.Spark(th, trend, 30, 0, th.Text, th.Bad))
	after := ansi.Strip(views.Spark(th, trend.Add(0.1), 30, 0, th.Text, th.Bad))
	require.Len(t, before, 30)
	changed := 0
	for i := range before {
		if before[i] != after[i] {
			changed++
		}
	}
	require.LessOrEqual(t, changed, 2, "one point changes its own cell and moves the gap")
}

func TestASparklinePaintsOnlyTheBreachBad(t *testing.T) {
	t.Parallel()
	th := viewtest.Theme(t, "ansi", true)
	var trend sources.Trend
	for i := range 20 {
		trend = trend.Add(map[bool]float64{true: 0.9, false: 0.1}[i >= 10])
	}
	got := views.Spark(th, trend, 30, 500*time.Millisecond, th.Quiet, th.Bad)
	require.Equal(t, th.Quiet.Paint("_____")+th.Bad.Paint("#####")+th.Quiet.Paint(strings.Repeat(" ", 20)), got)
}

func TestASparklineShowsAMissingPointAsAGap(t *testing.T) {
	t.Parallel()
	th := viewtest.Theme(t, "mono", true)
	trend := sources.Trend{}.Add(1).Add(1).Add(math.NaN()).Add(math.NaN()).Add(1).Add(1)
	require.Equal(t, "# #"+strings.Repeat(" ", 27), ansi.Strip(views.Spark(th, trend, 30, 0, th.Text, th.Bad)))
}

func TestFitIsExactlyAsWideAsAsked(t *testing.T) {
	t.Parallel()
	require.Equal(t, "abc  ", views.Fit("abc", 5))
	require.Equal(t, "ab⋯", views.Fit("abcdef", 3))
	require.Equal(t, "日⋯ ", views.Fit("日本語", 4))
	require.Empty(t, views.Fit("abc", 0))
}

func TestWhateverTextIsWrittenALineKeepsItsWidth(t *testing.T) {
	t.Parallel()
	th := viewtest.Theme(t, "ansi", false)
	rapid.Check(t, func(rt *rapid.T) {
		w, h := rapid.IntRange(0, 40).Draw(rt, "width"), rapid.IntRange(0, 3).Draw(rt, "height")
		p := views.NewPen(th, w, h)
		for range rapid.IntRange(0, 8).Draw(rt, "cells") {
			s := sources.Clean(rapid.String().Draw(rt, "text"), 60)
			n := rapid.IntRange(-1, 20).Draw(rt, "cell")
			switch rapid.IntRange(0, 4).Draw(rt, "how") {
			case 0:
				p.Text(th.Text, s)
				p.Gap(1)
			case 1:
				p.Cell(th.Bad, s, n)
			case 2:
				p.CellRight(th.Text, s, n)
			case 3:
				p.Fill(th.Select, s, n)
			default:
				p.End()
			}
		}
		viewtest.RequireFrame(t, p.String(), w, h)
	})
}

func TestColumnsNeverOverlapAtAnyWidth(t *testing.T) {
	t.Parallel()
	columns := []views.Column{{Min: 9}, {Min: 10, Max: 30}, {Min: 7, Right: true, From: 40}, {Min: 8, Max: 20, Tight: true, From: 60}}
	for w := range 200 {
		table := views.Lay(columns, w)
		x := 0
		for i := range columns {
			if !table.Has(i) {
				require.Less(t, w, columns[i].From)
				continue
			}
			require.GreaterOrEqual(t, table.Starts[i], x)
			x = table.Starts[i] + table.Widths[i]
		}
		if w >= 24 {
			require.LessOrEqual(t, x, w)
		}
	}
}

func TestNoKeyMeansTwoThings(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, g := range views.DefaultKeyMap().Groups() {
		for _, b := range g.Keys {
			require.Equal(t, b.Help().Key == "", b.Help().Desc == "", "a key without words is told with the one before it")
			for _, k := range b.Keys() {
				require.Empty(t, seen[k], "%s is bound twice", k)
				seen[k] = b.Help().Desc
			}
		}
	}
}

func TestKeysMatchWhatATerminalSends(t *testing.T) {
	t.Parallel()
	k := views.DefaultKeyMap()
	require.True(t, key.Matches(tea.KeyPressMsg{Code: '=', ShiftedCode: '+', Mod: tea.ModShift, Text: "+"}, k.Ramp))
	require.True(t, key.Matches(tea.KeyPressMsg{Code: '+', Text: "+"}, k.Ramp))
	require.True(t, key.Matches(tea.KeyPressMsg{Code: 'k', ShiftedCode: 'K', Mod: tea.ModShift, Text: "K"}, k.Kill))
	require.False(t, key.Matches(tea.KeyPressMsg{Code: 'k', Text: "k"}, k.Kill))
	require.True(t, key.Matches(tea.KeyPressMsg{Code: tea.KeyTab, Mod: tea.ModShift}, k.PrevPane))
	require.True(t, key.Matches(tea.KeyPressMsg{Code: 'c', Mod: tea.ModCtrl}, k.Quit))
	require.False(t, key.Matches(tea.KeyPressMsg{Code: '+', Text: "+"}, k.ReadOnly().Ramp))
}

func TestNoPaneDrawsARuneThatSomeTerminalsMakeWide(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*/testdata/TestGoldens/*/*.golden")
	require.NoError(t, err)
	require.Greater(t, len(files), 100, "the goldens must be there, or this proves nothing")
	for _, file := range files {
		// Blocks are drawn on the Linux console alone (themes.Options.Blocks), whose font
		// has them and no braille, and on which every rune of them takes one cell.
		if strings.HasPrefix(file, "chart/testdata/TestGoldens/block/") {
			continue
		}
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, r := range string(text) {
			if k := width.LookupRune(r).Kind(); r >= 0x80 && k != width.Neutral && k != width.EastAsianNarrow {
				t.Errorf("%s holds %q (%U)", file, r, r)
			}
		}
	}
}

func TestTroubleIsOneSentenceWithSourceTimeAndReason(t *testing.T) {
	t.Parallel()
	now := viewtest.Now()
	s := viewtest.Snapshot(viewtest.Failed)
	require.Equal(t, "cannot read prod.flagd.json since 14:02: permission denied. The last good data is shown.",
		views.Trouble(&s.Sources[0], s.Sources[0].Part(sources.PartFlags), now))
	st := sources.SourceStatus{Name: "a.json", Err: "a.json is a directory: invalid", Since: now}
	require.Equal(t, "a.json is a directory: invalid (since 14:32). The board keeps trying.", views.Trouble(&st, st.Part(sources.PartFlags), now))
}

func TestTroubleNamesItsSourceOnce(t *testing.T) {
	t.Parallel()
	for err, want := range map[string]string{
		"prom:9090: prom:9090 refuses connections":                "prom:9090 refuses connections.",
		"prom:9090: no answer within 5s":                          "cannot read prom:9090: no answer within 5s.",
		"source prom:9090: /srv/prom:9090: there is no such file": "/srv/prom:9090: there is no such file.",
	} {
		st := sources.SourceStatus{Name: "prom:9090", Err: err, Health: sources.Fresh, LastOK: viewtest.Now()}
		require.Equal(t, want+" The last good data is shown.", views.Trouble(&st, st.Part(sources.PartFlags), viewtest.Now()))
	}
}

func TestAnOptionIsNotBrokenInTwoAtItsHyphens(t *testing.T) {
	t.Parallel()
	th := viewtest.Theme(t, "ansi", false)
	const sentence = "no breakers: no metrics source is configured, start with --metrics"
	require.Equal(t, []string{"no breakers: no metrics source is configured, start with", "--metrics"},
		views.WrapLines(th, sentence, 58, 3))
	p := views.NewPen(th, 60, 2)
	p.Say(th.Quiet, sentence)
	require.Contains(t, p.String(), "--metrics")
}
