package detail

import (
	"cmp"
	"math"
	"slices"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/views"
	"relctl-tui/views/chart"
)

// spans are what a chart can show, the first at first: most is asked of what goes on now.
var spans = [...]time.Duration{15 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour}

// charting is which chart a flag's detail has. A latency's has always one.
type charting int

const (
	noChart charting = iota
	latencyChart
	exposureChart
)

// Plot is what a chart needs to be read: from which source, "" for whichever has it.
type Plot struct {
	Source string
	Query  sources.SeriesQuery
}

// charted is the chart in the pane.
type charted struct {
	of     charting
	zoom   int       // which of spans
	cursor time.Time // the crosshair's moment; zero for the newest

	about   Plot            // what series is of
	series  *sources.Series // nil until it has come
	err     string          // why the last attempt gave nothing; "" when it did
	shown   time.Duration   // the span of series
	reading bool
}

func (c *charted) span() time.Duration { return spans[c.zoom%len(spans)] }

// The bounds of a chart in the pane, in lines with its axis of time.
const (
	leastChart = 5
	mostChart  = 16
)

// chartLines is how high the chart is: what the pane has beside its title, the row of
// numbers and the lines that belong to the chart.
func (m *Model) chartLines() int { return min(m.height-6, mostChart) }

// Wants is what the chart in the pane is to be read of; false where there is none, or
// no room for it.
func (m *Model) Wants() (Plot, bool) {
	if m.brief || m.latency != nil && m.path.on || m.chartLines() < leastChart || !chart.Fits(m.width-2, leastChart) {
		return Plot{}, false
	}
	p := Plot{Query: sources.SeriesQuery{Span: m.chart.span(), Points: min(max(chart.Cells(m.width-2), 2), 300)}}
	switch {
	case m.latency != nil:
		p.Source, p.Query.Latency = m.latency.Source, m.latency.Name
	case m.flag != nil && m.chart.of == latencyChart:
		p.Query.Latency = m.flag.Metric
		if l := m.snap.Latency(m.flag.Metric); l != nil {
			p.Source = l.Source
		}
	case m.flag != nil && m.chart.of == exposureChart:
		p.Query.Flag, p.Query.Variant = m.flag.ID.Key, m.flag.Variant
	}
	return p, p.Query.Latency != "" || p.Query.Variant != ""
}

// Plotting says that a chart is being read. What was read of something else goes.
func (m *Model) Plotting(p Plot) {
	c := &m.chart
	c.reading = true
	if was := c.about; was.Source != p.Source || was.Query.Latency != p.Query.Latency || was.Query.Flag != p.Query.Flag || was.Query.Variant != p.Query.Variant {
		c.series, c.err = nil, ""
	}
	c.about = p
}

// SetSeries shows what was read of a chart. A failure keeps what was read before, with
// its age.
func (m *Model) SetSeries(s *sources.Series, err error) {
	m.chart.reading = false
	m.chart.err = sources.Sentence(err)
	if err == nil {
		m.chart.series, m.chart.shown = s, m.chart.about.Query.Span
	}
}

// chartKey answers to the keys of a chart, and tells whether it did.
func (m *Model) chartKey(press tea.KeyPressMsg) bool {
	c, path := &m.chart, m.latency != nil && m.path.on
	switch {
	case path && key.Matches(press, m.keys.Earlier):
		m.chooseMoment(+1)
	case path && key.Matches(press, m.keys.Later):
		m.chooseMoment(-1)
	case m.latency != nil && key.Matches(press, m.keys.Chart):
		m.path.on = !m.path.on
	case key.Matches(press, m.keys.Earlier):
		m.moveCursor(-1)
	case key.Matches(press, m.keys.Later):
		m.moveCursor(+1)
	case key.Matches(press, m.keys.Span):
		c.zoom = (c.zoom + 1) % len(spans)
	case key.Matches(press, m.keys.Chart):
		if m.flag != nil {
			m.nextChart()
		}
	default:
		return false
	}
	return true
}

// nextChart goes on from no chart to the linked latency's, to the exposure's and back,
// over those that the flag has not.
func (m *Model) nextChart() {
	c := &m.chart
	c.of = (c.of + 1) % 3
	if c.of == latencyChart && m.flag.Metric == "" {
		c.of = exposureChart
	}
	if c.of == exposureChart && m.flag.Variant == "" {
		c.of = noChart
	}
	c.cursor = time.Time{}
}

func (m *Model) moveCursor(by int) {
	c := &m.chart
	if c.series == nil || c.series.Len() == 0 {
		return
	}
	last := c.series.Len() - 1
	i := min(max(c.point()+by, 0), last)
	if c.cursor = c.series.At(i); i == last {
		c.cursor = time.Time{} // it stays with what is newest
	}
}

// point is the point under the crosshair.
func (c *charted) point() int {
	last := c.series.Len() - 1
	if c.cursor.IsZero() || c.series.Step <= 0 {
		return last
	}
	return min(max(int(math.Round(float64(c.cursor.Sub(c.series.From))/float64(c.series.Step))), 0), last)
}

// drawing is the series as a chart.
func (m *Model) drawing() *chart.Chart {
	s, th := m.chart.series, m.th
	d := &chart.Chart{From: s.From.In(m.now.Location()), Step: s.Step, Cursor: -1}
	if !m.chart.cursor.IsZero() {
		d.Cursor = m.chart.point()
	}
	for _, a := range m.chartChanges() {
		d.Marks = append(d.Marks, a.At)
	}
	if s.Share != nil {
		values := make([]float64, len(s.Share))
		for i, v := range s.Share {
			values[i] = v.Or(math.NaN())
		}
		d.Top, d.Unit = 1, func(v float64) string { return views.Share(sources.Some(v)) }
		d.Lines = []chart.Line{{Ink: th.Accent, Sign: '#', Values: values}}
		if t := m.targets(); t != nil { // below, so that where both are one the share is seen
			target := chart.Line{Ink: th.Warn, Sign: '-', Dotted: true, Values: make([]float64, len(t))}
			for i, v := range t {
				target.Values[i] = v.Or(math.NaN())
			}
			d.Lines = []chart.Line{target, d.Lines[0]}
		}
		return d
	}
	d.Unit = func(v float64) string { return views.Seconds(sources.Quantile{Seconds: v, OK: true}) }
	if l := m.charted(); l != nil {
		d.Limit = l.SLO.Seconds()
	}
	d.Lines = []chart.Line{
		{Ink: th.Quiet, Sign: '.', Values: secondsOf(s.P50)},
		{Ink: th.Text, Sign: 'o', Values: secondsOf(s.P95)},
		{Ink: th.Strong, Sign: '#', Values: secondsOf(s.P99)},
	}
	return d
}

// targets is the flag's rollout at the points of its exposure's chart; nil where there
// is none to tell of.
func (m *Model) targets() []sources.Value {
	s := m.chart.series
	if m.flag == nil || s == nil || s.Share == nil {
		return nil
	}
	list := sources.Targets(m.flag, m.chartChanges(), s.From, s.Step, s.Len())
	if !slices.ContainsFunc(list, func(v sources.Value) bool { return v.OK }) {
		return nil
	}
	return list
}

// charted is the latency that is drawn, nil for an exposure.
func (m *Model) charted() *sources.Latency {
	p := m.chart.about
	if p.Query.Latency == "" {
		return nil
	}
	if p.Source != "" {
		return m.snap.LatencyOf(p.Source, p.Query.Latency)
	}
	return m.snap.Latency(p.Query.Latency)
}

func secondsOf(list []sources.Quantile) []float64 {
	out := make([]float64, len(list))
	for i, q := range list {
		out[i] = math.NaN()
		if q.OK {
			out[i] = q.Seconds
		}
	}
	return out
}

// chartChanges are the deploys and the changes of flags that are known, of the flag alone
// in its own detail: newest first.
func (m *Model) chartChanges() (out []*sources.Activity) {
	if m.snap == nil {
		return nil
	}
	for i := range m.snap.Activity {
		a := &m.snap.Activity[i]
		ofFlag := a.Flag.Key != "" && !a.Outcome.Void() && a.Outcome != sources.Scheduled && (m.flag == nil || a.Flag == m.flag.ID)
		if ofFlag || a.Kind == sources.KindDeploy {
			out = append(out, a)
		}
	}
	return out
}

// nearest is the change nearest to a moment among those in the chart.
func (m *Model) nearest(at time.Time) *sources.Activity {
	s := m.chart.series
	in := slices.DeleteFunc(m.chartChanges(), func(a *sources.Activity) bool {
		return a.At.Before(s.From) || a.At.After(s.At(s.Len()-1).Add(s.Step))
	})
	if len(in) == 0 {
		return nil
	}
	return slices.MinFunc(in, func(a, b *sources.Activity) int {
		return cmp.Compare(a.At.Sub(at).Abs(), b.At.Sub(at).Abs())
	})
}
