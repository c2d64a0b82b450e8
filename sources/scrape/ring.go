package scrape

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"relctl-tui/sources/metrics"
)

// point is a series' value at one scrape. For counters it is the sum of all
// increases since the series was first seen, so that a restart of the process
// (the counter falls) costs nothing but what was lost between two scrapes.
type point struct {
	at  time.Time
	sum float64
}

// track is one series of one endpoint over time.
type track struct {
	labels metrics.Labels
	le     float64
	last   float64 // the raw value of the newest scrape
	points []point // oldest first
	seen   uint64  // number of the scrape that saw it last
	at     time.Time
}

// ring holds the tracks of one endpoint by metric name and series.
type ring struct {
	tracks  map[string]map[string]*track
	window  time.Duration
	scrapes uint64
	at      time.Time // of the newest scrape
	whole   bool      // the newest scrape left nothing out
	most    int       // the most series that a scrape ever held
}

func newRing(window time.Duration) *ring {
	return &ring{tracks: map[string]map[string]*track{}, window: window}
}

// longPause is how long the reader may sleep, whatever the window: a window of
// two seconds that is read each ten still has rates.
const longPause = 30 * time.Second

// add takes a scrape. A series that is new although the scrape before was whole
// was born in between and counted from 0, so its first increase is not lost. Of
// a series that is there twice the first counts, as it does in Prometheus.
func (r *ring) add(at time.Time, p *page, extra metrics.Labels) {
	if r.scrapes > 0 && (!at.After(r.at) || at.Sub(r.at) > max(r.window, longPause)) {
		// The clock went back, or nobody looked for longer than a rate may span:
		// states are still true, rates must begin anew.
		*r = *newRing(r.window)
	}
	r.scrapes++
	twice := 0
	for i := range p.samples {
		s := &p.samples[i]
		for k, v := range extra {
			if s.labels[k] == "" {
				s.labels[k] = v
			}
		}
		byKey := r.tracks[s.name]
		if byKey == nil {
			byKey = map[string]*track{}
			r.tracks[s.name] = byKey
		}
		k := seriesKey(s)
		t := byKey[k]
		switch {
		case t == nil:
			t = &track{labels: s.labels, le: s.le}
			if r.scrapes > 1 && r.whole {
				t.points = append(t.points, point{at: r.at})
			}
			byKey[k] = t
		case t.seen == r.scrapes:
			twice++
			continue
		}
		t.add(at, s.value, r.window)
		t.seen, t.at = r.scrapes, at
	}
	if twice > 0 {
		p.warnings = append(p.warnings, fmt.Sprintf("has %d series twice, the first counts", twice))
	}
	r.forget(at, len(p.samples)-twice)
	r.at, r.whole = at, !p.partial
}

// forget drops the series that the newest scrape does not hold once they are
// older than the window, or more than a scrape ever held. Until then they are in no
// answer, but a counter that comes back is known and not taken for a new one.
func (r *ring) forget(at time.Time, seen int) {
	r.most = max(r.most, seen)
	missing := -seen
	for _, byKey := range r.tracks {
		missing += len(byKey)
	}
	for name, byKey := range r.tracks {
		maps.DeleteFunc(byKey, func(_ string, t *track) bool {
			return t.seen != r.scrapes && (missing > r.most || at.Sub(t.at) > r.window)
		})
		if len(byKey) == 0 {
			delete(r.tracks, name)
		}
	}
}

// has reports whether the newest scrape holds a series of the name.
func (r *ring) has(name string) bool {
	name, quantiles := strings.CutSuffix(name, metrics.Summaries(""))
	for _, t := range r.tracks[name] {
		if t.seen == r.scrapes && quantiles == (t.labels[metrics.QuantileLabel] != "") {
			return true
		}
	}
	return false
}

func (t *track) add(at time.Time, v float64, window time.Duration) {
	n := len(t.points)
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		t.points, t.last = nil, math.NaN()
		return
	case n == 0:
		t.points = append(t.points, point{at: at})
	case v >= t.last:
		t.points = append(t.points, point{at: at, sum: t.points[n-1].sum + v - t.last})
	default: // reset: the counter began at 0 again
		t.points = append(t.points, point{at: at, sum: t.points[n-1].sum + v})
	}
	t.last = v
	t.prune(at, window)
}

// prune drops what lies wholly before the window, and thins what is denser than
// a thirtieth of it: sums of increases lose nothing by that.
func (t *track) prune(at time.Time, window time.Duration) {
	drop := 0
	for drop+2 < len(t.points) && !t.points[drop+1].at.After(at.Add(-window)) {
		drop++
	}
	t.points = slices.Delete(t.points, 0, drop)
	if n := len(t.points); n >= 4 && t.points[n-2].at.Sub(t.points[n-3].at) < window/30 {
		t.points = slices.Delete(t.points, n-2, n-1)
	}
}

// rate is the increase per second over what the ring spans; false while there
// is only one scrape.
func (t *track) rate() (float64, bool) {
	n := len(t.points)
	if n < 2 {
		return 0, false
	}
	span := t.points[n-1].at.Sub(t.points[0].at).Seconds()
	if span <= 0 {
		return 0, false
	}
	return (t.points[n-1].sum - t.points[0].sum) / span, true
}

func seriesKey(s *sample) string {
	var b strings.Builder
	for _, n := range slices.Sorted(maps.Keys(s.labels)) {
		b.WriteString(n)
		b.WriteByte(0xff)
		b.WriteString(s.labels[n])
		b.WriteByte(0xff)
	}
	if !math.IsNaN(s.le) {
		b.WriteString(strconv.FormatFloat(s.le, 'g', -1, 64))
	}
	return b.String()
}

// answer works one query out over the given rings.
func answer(q *metrics.Query, rings []*ring) metrics.Answer {
	name := q.Metric
	switch q.Kind {
	case metrics.Buckets:
		name += "_bucket"
	case metrics.Count:
		name += "_count"
	case metrics.Sum:
		name += "_sum"
	case metrics.Gauge, metrics.Rate, metrics.Instances:
	}
	var out metrics.Answer
	groups := map[string]*group{}
	for _, r := range rings {
		for _, name := range r.names(q, name) {
			out.Pending = r.gather(groups, q, name) || out.Pending
		}
	}
	for _, k := range slices.Sorted(maps.Keys(groups)) {
		g := groups[k]
		if q.Kind == metrics.Buckets {
			out.Hists = append(out.Hists, g.hist())
		} else {
			out.Series = append(out.Series, metrics.Series{Labels: g.labels, Value: g.value})
		}
	}
	return out
}

// names is the names of the series that a query is about.
func (r *ring) names(q *metrics.Query, name string) []string {
	if !q.Suffix {
		return append([]string{name}, q.Also...)
	}
	var out []string
	for known := range r.tracks {
		if known == name || strings.HasSuffix(known, "_"+name) {
			out = append(out, known)
		}
	}
	return out
}

// gather puts the series of one name into their groups. Pending says that one of
// them needs another sample.
func (r *ring) gather(groups map[string]*group, q *metrics.Query, name string) (pending bool) {
	for _, t := range r.tracks[name] {
		if t.seen != r.scrapes || !metrics.MatchAny(q.Any, t.labels) {
			continue
		}
		v, ok := t.last, true
		if q.Kind != metrics.Gauge && q.Kind != metrics.Instances {
			v, ok = t.rate()
		}
		switch {
		case !ok && math.IsNaN(t.last):
			v = math.NaN() // and so is the sum that it belongs to
		case !ok:
			pending = true
			continue
		}
		groupOf(groups, q, name, t).take(q.Kind, t.le, v)
	}
	return pending
}

// group is the series with the same values in the query's labels.
type group struct {
	labels metrics.Labels
	value  float64
	filled bool
	le     map[float64]float64
}

func groupOf(groups map[string]*group, q *metrics.Query, name string, t *track) *group {
	value := func(label string) string {
		if label == metrics.NameLabel {
			return name
		}
		return t.labels[label]
	}
	var b strings.Builder
	for _, n := range q.By {
		b.WriteString(value(n))
		b.WriteByte(0xff)
	}
	k := b.String()
	g := groups[k]
	if g == nil {
		g = &group{labels: make(metrics.Labels, len(q.By)), le: map[float64]float64{}}
		for _, n := range q.By {
			if v := value(n); v != "" {
				g.labels[n] = v
			}
		}
		groups[k] = g
	}
	return g
}

func (g *group) take(kind metrics.Kind, le, v float64) {
	switch kind {
	case metrics.Buckets:
		if !math.IsNaN(le) {
			g.le[le] += v
		}
	case metrics.Gauge:
		if !g.filled || v > g.value || math.IsNaN(g.value) {
			g.value = v
		}
	case metrics.Rate, metrics.Count, metrics.Sum:
		g.value += v
	case metrics.Instances:
		g.value++
	}
	g.filled = true
}

func (g *group) hist() metrics.Hist {
	h := metrics.Hist{Labels: g.labels}
	for _, le := range slices.Sorted(maps.Keys(g.le)) {
		h.Classic = append(h.Classic, metrics.Bucket{Upper: le, Count: g.le[le]})
	}
	return h
}
