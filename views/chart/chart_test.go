package chart_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/golden"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
	"relctl-tui/views/chart"
	"relctl-tui/views/viewtest"
)

func seconds(v float64) string { return views.Seconds(sources.Quantile{Seconds: v, OK: true}) }

var styles = map[string]chart.Style{"braille": chart.Braille, "block": chart.Block, "ascii": chart.ASCII}

// breach is an hour in which latency rises after a change, with a hole in what is known.
func breach(th *themes.Theme, points int) *chart.Chart {
	line := func(base float64) []float64 {
		out := make([]float64, points)
		for i := range out {
			at := float64(i) / float64(points)
			out[i] = base * (1 + .2*math.Sin(at*40))
			if at > .6 {
				out[i] *= 1 + 6*(at-.6)
			}
			if at > .3 && at < .38 {
				out[i] = math.NaN()
			}
		}
		return out
	}
	from := viewtest.Now().Add(-time.Hour)
	step := time.Hour / time.Duration(points-1)
	return &chart.Chart{
		From: from, Step: step, Unit: seconds, Limit: .5, Cursor: points * 4 / 5,
		Marks: []time.Time{from.Add(36 * time.Minute), from.Add(-time.Minute), from.Add(12 * time.Minute)},
		Lines: []chart.Line{
			{Ink: th.Quiet, Sign: '.', Values: line(.04)},
			{Ink: th.Text, Sign: 'o', Values: line(.15)},
			{Ink: th.Strong, Sign: '#', Values: line(.3)},
		},
	}
}

func TestGoldens(t *testing.T) {
	t.Parallel()
	for name, style := range styles {
		for _, w := range []int{60, 80, 120} {
			t.Run(fmt.Sprintf("%s/%d", name, w), func(t *testing.T) {
				t.Parallel()
				th := viewtest.Theme(t, "ansi", style == chart.ASCII)
				view := strings.Join(chart.Draw(th, style, breach(th, chart.Cells(w)), w, 12), "\n")
				viewtest.RequireFrame(t, view, w, 12)
				golden.RequireEqual(t, ansi.Strip(view))
			})
		}
	}
}

func TestAnASCIIChartIsPureASCII(t *testing.T) {
	t.Parallel()
	th := viewtest.Theme(t, "mono", true)
	for _, line := range chart.Draw(th, chart.StyleOf(th), breach(th, 70), 80, 12) {
		for _, r := range ansi.Strip(line) {
			require.Less(t, r, rune(0x7f), line)
		}
	}
}

func TestTheTerminalDecidesWithWhatLinesAreDrawn(t *testing.T) {
	t.Parallel()
	for want, o := range map[chart.Style]themes.Options{
		chart.Braille: {}, chart.Block: {Blocks: true}, chart.ASCII: {ASCII: true, Blocks: true},
	} {
		th, err := themes.New(o)
		require.NoError(t, err)
		require.Equal(t, want, chart.StyleOf(th))
	}
}

// body is the plot of a chart without its axes, as a person sees it.
func body(lines []string) []string {
	out := make([]string, 0, len(lines)-1)
	for _, l := range lines[:len(lines)-1] {
		out = append(out, string([]rune(ansi.Strip(l))[chart.Gutter:]))
	}
	return out
}

func TestNothingIsDrawnOverAGap(t *testing.T) {
	t.Parallel()
	th := viewtest.Theme(t, "mono", true)
	for name, style := range styles {
		values := make([]float64, 40)
		for i := range values {
			values[i] = 1
			if i >= 10 && i < 30 {
				values[i] = math.NaN()
			}
		}
		c := &chart.Chart{Step: time.Minute, Cursor: -1, Lines: []chart.Line{{Sign: '*', Values: values}}}
		rows := body(chart.Draw(th, style, c, chart.Gutter+40+1, 8))
		for x := range 40 {
			drawn := false
			for _, row := range rows {
				drawn = drawn || []rune(row)[x] != ' '
			}
			require.Equal(t, x < 10 || x >= 30, drawn, "%s: column %d", name, x)
		}
	}
}

func TestAPointIsAtTheHeightOfItsValue(t *testing.T) {
	t.Parallel()
	th := viewtest.Theme(t, "mono", true)
	for k := range 11 {
		c := &chart.Chart{Step: time.Minute, Cursor: -1, Top: 1, Lines: []chart.Line{{Sign: '*', Values: []float64{float64(k) / 10, math.NaN()}}}}
		rows := body(chart.Draw(th, chart.ASCII, c, 40, 12))
		for y, row := range rows {
			require.Equal(t, y == 10-k, strings.Contains(row, "*"), "%d/10 in row %d", k, y)
		}
	}
}

func TestTheCrosshairAndTheChangesStandWhereTheyHappened(t *testing.T) {
	t.Parallel()
	th := viewtest.Theme(t, "mono", true)
	from := viewtest.Now()
	values := make([]float64, 40)
	values[39] = 1
	c := &chart.Chart{
		From: from, Step: time.Minute, Cursor: 7, Top: 1, Lines: []chart.Line{{Sign: '*', Values: values}},
		Marks: []time.Time{from.Add(20 * time.Minute), from.Add(-time.Second), from.Add(39*time.Minute + 1)},
	}
	row := body(chart.Draw(th, chart.ASCII, c, chart.Gutter+40+1, 6))[1]
	require.Equal(t, 7, strings.Index(row, "|"))
	require.Equal(t, 1, strings.Count(row, "|"))
	require.Equal(t, 20, strings.Index(row, ":"))
	require.Equal(t, 1, strings.Count(row, ":"), "what happened before or after is not in the chart")
}

// FuzzDraw: whatever the numbers and the size, every line has its width, and nothing
// panics.
func FuzzDraw(f *testing.F) {
	bits := func(values ...float64) (b []byte) {
		for _, v := range values {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		}
		return b
	}
	f.Add(bits(), 80, 12, 0, 0.5, 0.0, int64(time.Minute), int64(0))
	f.Add(bits(1), 80, 12, 0, 0.0, 0.0, int64(time.Minute), int64(3))
	f.Add(bits(math.NaN(), math.Inf(1), math.Inf(-1), -1, math.MaxFloat64, math.SmallestNonzeroFloat64), 60, 5, 3, math.Inf(1), math.NaN(), int64(1), int64(math.MaxInt64))
	f.Add(bits(0, 0, 0), 17, 3, -5, -1.0, math.SmallestNonzeroFloat64, int64(math.MinInt64), int64(math.MinInt64))
	f.Add(bits(1, 2, 3, 4, 5), 1, 1, 99, 3.0, 1e300, int64(math.MaxInt64), int64(9))
	f.Fuzz(func(t *testing.T, raw []byte, w, h, cursor int, limit, top float64, step, mark int64) {
		w, h = w%400, h%100
		var values []float64
		for ; len(raw) >= 8; raw = raw[8:] {
			values = append(values, math.Float64frombits(binary.LittleEndian.Uint64(raw)))
		}
		from := viewtest.Now()
		for name, style := range styles {
			th := viewtest.Theme(t, "ansi", style == chart.ASCII)
			c := &chart.Chart{
				From: from, Step: time.Duration(step), Cursor: cursor, Limit: limit, Top: top, Unit: seconds,
				Marks: []time.Time{from.Add(time.Duration(mark)), {}},
				Lines: []chart.Line{{Values: values}, {Values: values[len(values)/2:], Ink: th.Bad, Sign: 200}},
			}
			lines := chart.Draw(th, style, c, w, h)
			require.Len(t, lines, max(h, 0), name)
			for _, l := range lines {
				require.Equal(t, max(w, 0), ansi.StringWidth(l), name)
			}
			c.Empty()
		}
	})
}

// BenchmarkDraw is a whole chart against the least that could be done with its points:
// each put into a grid of runes, which is then written line by line, without joining
// points, axes, ink, marks or gaps.
func BenchmarkDraw(b *testing.B) {
	th, err := themes.New(themes.Options{Profile: colorprofile.ANSI256})
	require.NoError(b, err)
	for name, style := range styles {
		for _, w := range []int{80, 200} {
			b.Run(fmt.Sprintf("%s/%d", name, w), func(b *testing.B) {
				c := breach(th, chart.Cells(w))
				var ours, bare time.Duration
				b.ReportAllocs()
				for b.Loop() {
					began := time.Now()
					chart.Draw(th, style, c, w, 16)
					ours += time.Since(began)
					b.StopTimer()
					began = time.Now()
					plain(c, w, 16)
					bare += time.Since(began)
					b.StartTimer()
				}
				b.ReportMetric(float64(ours)/float64(bare), "x-grid")
			})
		}
	}
}

// plain is the points of a chart as stars in a grid.
func plain(c *chart.Chart, w, h int) string {
	grid := make([][]rune, h)
	for y := range grid {
		grid[y] = []rune(strings.Repeat(" ", w))
	}
	for _, l := range c.Lines {
		for i, v := range l.Values {
			if y := h - 1 - int(v*float64(h)); y >= 0 && y < h {
				grid[y][i*w/len(l.Values)] = '*'
			}
		}
	}
	var out strings.Builder
	for _, row := range grid {
		out.WriteString(string(row))
		out.WriteByte('\n')
	}
	return out.String()
}

func TestADottedLineIsToldFromAnotherWithoutColours(t *testing.T) {
	t.Parallel()
	th := viewtest.Theme(t, "mono", false)
	flat := make([]float64, 40)
	for i := range flat {
		flat[i] = .5
	}
	drawn := func(style chart.Style, dotted bool) string {
		c := &chart.Chart{Step: time.Minute, Cursor: -1, Top: 1, Lines: []chart.Line{{Sign: '-', Dotted: dotted, Values: flat}}}
		return strings.Join(body(chart.Draw(th, style, c, chart.Gutter+40+1, 8)), "\n")
	}
	for name, style := range styles {
		require.Equal(t, style == chart.ASCII, drawn(style, true) == drawn(style, false), name)
		require.NotEmpty(t, strings.TrimSpace(drawn(style, true)))
	}
}
