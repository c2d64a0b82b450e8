// Package incident looks at what broke: it reads how numbers went, on demand and within
// bounds, puts together what happened meanwhile, and has package suspect say which
// change may have been the cause. It changes nothing.
package incident

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"relctl-tui/sources"
)

// Reader reads the past, as the live engine does.
type Reader interface {
	// Series is sources.SeriesReader's, of the named source.
	Series(ctx context.Context, source string, q sources.SeriesQuery) (sources.Series, error)

	// Past is what is on record of alerts and breakers over a span that ends now, oldest
	// first, with a sentence for each source that could not tell.
	Past(ctx context.Context, span time.Duration) ([]sources.Event, []string)
}

// Question is what to look at.
type Question struct {
	Snapshot *sources.Snapshot  // what is known now; required
	History  []sources.Activity // changes that the snapshot may have forgotten, in any order
	Now      time.Time
	Span     time.Duration // how far back; 0 for DefaultSpan, within sources' bounds

	// Near asks only about what breaches and what it calls or is called by: a look that
	// nobody asked for costs less.
	Near bool
}

// DefaultSpan is the span of a Question that names none.
const DefaultSpan = time.Hour

// The bounds of one look.
const (
	mostMetrics = 24 // latencies that are read
	mostNear    = 8  // the same, for a look that nobody asked for
	atOnce      = 4  // questions under way
	points      = 361
	finest      = 450
)

// Read looks. It ends early with ctx, with what it has by then. What cannot be read is
// in Missing and fails nothing.
func Read(ctx context.Context, r Reader, q Question) sources.Incident {
	q.Span = min(max(cmp.Or(q.Span, DefaultSpan), sources.MinSeriesSpan), sources.MaxSeriesSpan)
	in := sources.Incident{From: q.Now.Add(-q.Span), At: q.Now}
	latencies := chosen(&q)
	var past []sources.Event
	var missing []string
	var wg sync.WaitGroup
	wg.Go(func() { past, missing = r.Past(ctx, q.Span) })
	lines := read(ctx, r, latencies, q.Span, points)
	if narrow, ok := known(lines, q.Now, q.Span); ok { // a short memory is worth a finer look
		finer := read(ctx, r, latencies, narrow, finest)
		for i := range lines {
			if finer[i].err == nil {
				lines[i] = finer[i]
			}
		}
	}
	wg.Wait()
	in.Missing = slices.Concat(unread(latencies, lines), young(lines, in.From, q.Now), missing)
	changes := changesOf(&q)
	in.Events = events(&q, past, changes, latencies, lines)
	rank(&in, &q, changes, latencies, lines)
	return in
}

// chosen is the latencies to look at, those that breach first.
func chosen(q *Question) []sources.Latency {
	all := slices.Clone(q.Snapshot.Latencies) // worst first
	if q.Near {
		near := map[string]bool{}
		for i := range all {
			if l := &all[i]; broken(q.Snapshot, l) {
				near[l.Name] = true
				for _, name := range l.Calls {
					near[name] = true
				}
			}
		}
		for i := range all {
			l := &all[i]
			if slices.ContainsFunc(l.Calls, func(c string) bool { return near[c] && broken(q.Snapshot, q.Snapshot.Latency(c)) }) {
				near[l.Name] = true
			}
		}
		all = slices.DeleteFunc(all, func(l sources.Latency) bool { return !near[l.Name] })
	}
	slices.SortStableFunc(all, func(a, b sources.Latency) int {
		return cmp.Compare(rankOf(q.Snapshot, &a), rankOf(q.Snapshot, &b))
	})
	most := mostMetrics
	if q.Near {
		most = mostNear
	}
	return all[:min(len(all), most)]
}

func rankOf(s *sources.Snapshot, l *sources.Latency) int {
	if broken(s, l) {
		return 0
	}
	return 1
}

// broken says that a latency breaches, or that the breaker of its name is open.
func broken(s *sources.Snapshot, l *sources.Latency) bool {
	if l == nil {
		return false
	}
	if l.Verdict == sources.VerdictBreached || l.Verdict == sources.VerdictBurning {
		return true
	}
	return slices.ContainsFunc(s.Breakers, func(b sources.Breaker) bool { return b.Name == l.Name && b.Broken() })
}

// line is one latency's past, or why there is none.
type line struct {
	series sources.Series
	err    error
}

// read asks for all latencies, a few at once.
func read(ctx context.Context, r Reader, latencies []sources.Latency, span time.Duration, n int) []line {
	out, next := make([]line, len(latencies)), make(chan int)
	var wg sync.WaitGroup
	for range min(atOnce, len(latencies)) {
		wg.Go(func() {
			for i := range next {
				l := &latencies[i]
				out[i].series, out[i].err = r.Series(ctx, l.Source, sources.SeriesQuery{Latency: l.Name, Span: span, Points: n})
			}
		})
	}
	for i := range latencies {
		next <- i
	}
	close(next)
	wg.Wait()
	return out
}

// known is the span in which anything is known, with some room, where that is far less
// than what was asked for.
func known(lines []line, now time.Time, span time.Duration) (time.Duration, bool) {
	first := now
	for i := range lines {
		s := &lines[i].series
		for p := range s.P99 {
			if s.P99[p].OK || at(s.Rate, p).OK {
				if s.At(p).Before(first) {
					first = s.At(p)
				}
				break
			}
		}
	}
	narrow := max((now.Sub(first) * 5 / 4).Truncate(time.Second), sources.MinSeriesSpan)
	return narrow, first.Before(now) && narrow <= span/2
}

func at(list []sources.Value, i int) sources.Value {
	if i < len(list) {
		return list[i]
	}
	return sources.Value{}
}

// unread is a sentence for each reason why latencies could not be read.
func unread(latencies []sources.Latency, lines []line) (out []string) {
	names := map[string][]string{}
	for i := range lines {
		if err := lines[i].err; err != nil {
			why := sources.Sentence(err)
			if errors.Is(err, sources.ErrNotFound) {
				why = "nothing is known of their past"
			}
			if names[why] == nil {
				out = append(out, why)
			}
			names[why] = append(names[why], latencies[i].Name)
		}
	}
	for i, why := range out {
		list := names[why]
		text := strings.Join(list[:min(len(list), 3)], ", ")
		if n := len(list) - 3; n > 0 {
			text += fmt.Sprintf(" and %d more", n)
		}
		out[i] = text + " not looked at: " + why
	}
	return out
}

// young is a sentence for each source that began to remember in the time that is looked at.
func young(lines []line, from, now time.Time) (out []string) {
	for i := range lines {
		s := &lines[i].series
		if lines[i].err != nil || s.Since.Before(from.Add(time.Minute)) {
			continue
		}
		text := s.Source + " knows nothing before " + s.Since.In(now.Location()).Format("15:04:05")
		if !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}

// seconds is a quantile's line, NaN where it is not known.
func seconds(list []sources.Quantile) []float64 {
	out := make([]float64, len(list))
	for i, q := range list {
		if out[i] = math.NaN(); q.OK {
			out[i] = q.Seconds
		}
	}
	return out
}

func ratios(list []sources.Value) []float64 {
	out := make([]float64, len(list))
	for i, v := range list {
		out[i] = v.Or(math.NaN())
	}
	return out
}

// Broken is the names of what is broken: latencies that breach their SLO or burn their
// budget, and breakers that nobody opened by hand.
func Broken(s *sources.Snapshot) (names []string) {
	for i := range s.Latencies {
		if l := &s.Latencies[i]; l.Verdict == sources.VerdictBreached || l.Verdict == sources.VerdictBurning {
			names = append(names, l.Name)
		}
	}
	for i := range s.Breakers {
		if b := &s.Breakers[i]; b.State == sources.BreakerOpen || b.State == sources.BreakerHalfOpen {
			names = append(names, b.Name)
		}
	}
	return names
}
