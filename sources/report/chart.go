package report

import (
	"cmp"
	"math"
	"slices"
	"time"

	"relctl-tui/sources"
)

// Chart is how one number went over the span.
type Chart struct {
	Name   string
	Of     string  // the service whose it is
	Unit   string  // "s" for seconds, "" for a ratio
	Limit  float64 // above it the metric breaches; 0 for none
	From   time.Time
	Step   time.Duration
	Points []float64 // NaN is a gap

	Before, Worst, After sources.Value // at the begin of the span, at its worst, at its end
	WorstAt              time.Time
	Above                time.Duration // how long it was above Limit
	Marks                []Mark
	Missing              []Gap
	Known                time.Time // of the first sample
}

// Mark is a moment on a chart's time axis.
type Mark struct {
	At    time.Time
	Label string
}

// Gap is a span without samples, or one above a limit.
type Gap struct{ From, To time.Time }

// leastGap is how many points in a row are missing before that is worth a word.
const leastGap = 3

func (c *Chart) at(i int) time.Time { return c.From.Add(time.Duration(i) * c.Step) }

// charts makes a chart of each metric that was read, those that breached longest first.
func (b *builder) charts() {
	for i := range b.Incident.Metrics {
		m := &b.Incident.Metrics[i]
		c := Chart{Name: m.Name, Of: m.Service, Unit: m.Unit, Limit: m.Limit, From: m.Start.UTC(), Step: m.Step, Points: m.Points}
		c.measure()
		if !c.Worst.OK {
			b.unmeasured = append(b.unmeasured, c.Name)
			continue
		}
		b.doc.Charts = append(b.doc.Charts, c)
	}
	slices.SortStableFunc(b.doc.Charts, func(x, y Chart) int { return cmp.Compare(y.Above, x.Above) })
	if n := len(b.doc.Charts) - maxMetrics; n > 0 {
		b.doc.Charts = b.doc.Charts[:maxMetrics]
		b.Gaps = append(b.Gaps, plural(n, "metric")+" that kept within bounds left out")
	}
}

// measure works out the figures of a chart from its points.
func (c *Chart) measure() {
	edge := max(1, len(c.Points)/20) // a twentieth of the span at either end
	c.Before, c.After = median(c.Points[:min(edge, len(c.Points))]), median(c.Points[max(0, len(c.Points)-edge):])
	missing := math.MinInt // what was before the first sample is no gap
	for i, v := range c.Points {
		if math.IsNaN(v) {
			missing++
			continue
		}
		c.gap(i, missing)
		missing = 0
		if c.Known.IsZero() {
			c.Known = c.at(i)
		}
		if !c.Worst.OK || v > c.Worst.V {
			c.Worst, c.WorstAt = sources.Some(v), c.at(i)
		}
		if c.above(i) {
			c.Above += c.Step
		}
	}
	c.gap(len(c.Points), missing)
}

// gap notes that n points before the one at end are missing.
func (c *Chart) gap(end, n int) {
	if n >= leastGap {
		c.Missing = append(c.Missing, Gap{c.at(end - n), c.at(min(end, len(c.Points)-1))})
	}
}

func (c *Chart) above(i int) bool { return c.Limit > 0 && c.Points[i] > c.Limit }

// breaches are the spans above the limit. Two points below end one; a single one is
// noise, and so is a gap.
func (c *Chart) breaches() (out []Gap) {
	open, below := false, 0
	var first time.Time // of the points below
	for i := range c.Points {
		switch {
		case c.above(i) && !open:
			out, open, below = append(out, Gap{From: c.at(i)}), true, 0
		case c.above(i):
			below = 0
		case open && !math.IsNaN(c.Points[i]):
			if below == 0 {
				first = c.at(i)
			}
			if below++; below == 2 {
				out[len(out)-1].To, open = first, false
			}
		}
	}
	if open && below > 0 { // which is the last that is known
		out[len(out)-1].To = first
	}
	return out
}

// level is the median between two moments.
func (c *Chart) level(from, to time.Time) sources.Value {
	var in []float64
	for i := range c.Points {
		if t := c.at(i); !t.Before(from) && t.Before(to) {
			in = append(in, c.Points[i])
		}
	}
	return median(in)
}

// settling is where the metric went between two moments: its level in the last third of
// what is known of that time.
func (c *Chart) settling(from, to time.Time) sources.Value {
	if end := c.at(len(c.Points)); end.Before(to) {
		to = end
	}
	return c.level(to.Add(-to.Sub(from)/3), to)
}

func median(points []float64) sources.Value {
	known := slices.DeleteFunc(slices.Clone(points), math.IsNaN)
	if len(known) == 0 {
		return sources.Value{}
	}
	slices.Sort(known)
	return sources.Some(known[len(known)/2])
}
