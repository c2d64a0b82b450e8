package suspect

import (
	"cmp"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"relctl-tui/sources"
)

// Change is one change that may have been the cause: of a flag, or a deploy.
type Change struct {
	ID       string
	Subject  string    // what was changed: a flag's key, a service that was deployed
	What     string    // in words: "10% to 50%", "2.14.0 to 2.14.1"
	At       time.Time // when it was in force
	Services []string  // what it is expected to move; none when unknown
	From, To float64   // share of traffic that it reached before and after, 0..1
	Was, Is  string    // the version before and after, of a deploy; "" of what is no deploy
	Rate     float64   // requests per second at its services; 0 when unknown
}

// moved is the share of traffic that the change moved.
func (c *Change) moved() float64 { return math.Abs(c.To - c.From) }

// Suspect is a change that may have been the cause.
type Suspect struct {
	Change  int     // index of the change
	Series  int     // index of the series that speaks most for it
	Score   float64 // decibans: 10 is ten to one for it, 20 a hundred to one
	Lag     time.Duration
	Undone  time.Time // when it was taken back; zero when it was not
	Healed  bool      // the metric recovered when it was
	Metrics int       // how many of the breaching metrics it explains
	Why     string    // in one sentence, with its numbers
}

// Word is how strong the case is: possible from even odds, likely from four to one,
// strong from sixteen to one.
func (s *Suspect) Word() string {
	switch {
	case s.Score >= 12:
		return "strong"
	case s.Score >= 6:
		return "likely"
	default:
		return "possible"
	}
}

// Result is what is known of an incident.
type Result struct {
	Onsets   []Onset   // the earliest first
	Suspects []Suspect // the most likely first; empty is an answer
}

// The weights, in decibans.
const (
	sameService  = 9.0
	calledBy     = 5.0   // a service that the breaching one calls
	elsewhere    = -9.0  // it says what it moves, and that is something else
	calmThere    = -5.0  // a service that the breaching one calls, which is measured and well
	lowered      = -4.0  // fewer got it than before: mostly that heals
	healed       = 10.0  // undone, and the metric recovered
	notHealed    = -10.0 // undone, and it did not
	prior        = 3.0   // any change shortly before a breach is worth a look
	leastScore   = 0.0   // even odds
	maxSuspects  = 10
	fullMove     = 4.0 // all of the traffic moved
	leastMove    = -5.0
	anotherOne   = 0.35 // of what further metrics say is counted: they are not independent
	halfLag      = 2 * time.Minute
	clocksDiffer = 20 * time.Second // clocks of stores and metrics, and the points' own spacing
	healsWithin  = 5 * time.Minute
	showsWithin  = 90 * time.Second // what is read in windows of a minute cannot have fallen sooner
)

// Rank finds the onsets of what breaches in the series, and the changes that may
// have caused them. Nothing is returned that came after the breach it should
// explain. Series may overlap in time or not; NaN points are gaps.
func Rank(series []Series, changes []Change) Result {
	var r Result
	r.Onsets = onsets(series)
	if len(r.Onsets) == 0 {
		return r
	}
	undone := undos(changes)
	for i := range changes {
		if s, ok := weigh(series, changes, i, undone[i], r.Onsets); ok {
			r.Suspects = append(r.Suspects, s)
		}
	}
	slices.SortStableFunc(r.Suspects, func(a, b Suspect) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Lag, b.Lag), cmp.Compare(changes[a.Change].ID, changes[b.Change].ID))
	})
	r.Suspects = r.Suspects[:min(len(r.Suspects), maxSuspects)]
	for i := range r.Suspects {
		r.Suspects[i].Why = why(series, changes, &r, &r.Suspects[i])
	}
	return r
}

// onsets looks at the series side by side: each is independent of the others.
func onsets(series []Series) []Onset {
	found := make([]*Onset, len(series))
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), max(len(series), 1)) {
		wg.Go(func() {
			for i := range next {
				if o, ok := onset(i, &series[i]); ok {
					found[i] = &o
				}
			}
		})
	}
	for i := range series {
		next <- i
	}
	close(next)
	wg.Wait()
	var out []Onset
	for _, o := range found {
		if o != nil {
			out = append(out, *o)
		}
	}
	slices.SortStableFunc(out, func(a, b Onset) int { return a.At.Compare(b.At) })
	return out
}

// undos is, for each change, when the next change of its subject took it back.
func undos(changes []Change) []time.Time {
	out := make([]time.Time, len(changes))
	type subject struct {
		name   string
		deploy bool // a service may be called as a flag is
	}
	bySubject := map[subject][]int{}
	for i := range changes {
		c := &changes[i]
		of := subject{c.Subject, c.Is != ""}
		bySubject[of] = append(bySubject[of], i)
	}
	for _, list := range bySubject {
		slices.SortStableFunc(list, func(a, b int) int { return changes[a].At.Compare(changes[b].At) })
		for n, i := range list {
			c := &changes[i]
			for _, j := range list[n+1:] {
				if takesBack(&changes[j], c) {
					out[i] = changes[j].At
					break
				}
			}
		}
	}
	return out
}

// takesBack tells whether a later change of the same subject undid an earlier one.
func takesBack(later, c *Change) bool {
	if c.Is != "" {
		return c.Was != "" && c.Was != c.Is && later.Is == c.Was
	}
	return c.moved() > 0 && math.Abs(later.To-c.From) <= math.Abs(later.To-c.To)
}

// weigh scores one change against all onsets; false where it is no suspect.
func weigh(series []Series, changes []Change, index int, undone time.Time, all []Onset) (Suspect, bool) {
	c := &changes[index]
	s := Suspect{Change: index, Undone: undone, Score: math.Inf(-1)}
	scores := make([]float64, 0, len(all))
	for i := range all {
		o := &all[i]
		related := relation(series, all, o, c)
		if related == elsewhere && undone.IsZero() {
			continue // nothing that could still be said for it outweighs that
		}
		score, ok := explains(&series[o.Series], c, o)
		if !ok {
			continue
		}
		score += related
		heals := false
		if !undone.IsZero() && !undone.Before(o.At) {
			switch heals = recovered(o, undone); {
			case heals:
				score += healed
			case o.Until.IsZero() && len(o.falls) == 0 && settled(&series[o.Series], undone):
				score += notHealed
			}
		}
		scores = append(scores, score)
		if score > s.Score {
			s.Score, s.Series, s.Lag, s.Healed = score, o.Series, max(0, o.At.Sub(c.At)), heals
		}
	}
	best := s.Score
	for _, score := range scores {
		if score > 0 {
			s.Metrics++
			s.Score += anotherOne * score
		}
	}
	s.Score -= anotherOne * max(best, 0)
	return s, best >= leastScore
}

// explains is how well a change explains one onset; false where it came after it.
func explains(s *Series, c *Change, o *Onset) (float64, bool) {
	near := 0.0
	for _, r := range o.rises {
		lag := r.at.Sub(c.At)
		if lag < 0 && c.To < c.From {
			continue // who lowers what broke just now reacts to it, whatever the clocks say
		}
		near += r.share * closeness(lag)
	}
	if near <= 0 || o.rises[len(o.rises)-1].at.Add(clocksDiffer).Before(c.At) {
		return 0, false
	}
	score := prior + 10*math.Log10(near)
	if c.To < c.From {
		score += lowered
	}
	// What reaches few cannot move much; what is not known to reach anybody is in
	// the middle.
	switch moved := c.moved(); {
	case moved > 0:
		score += max(leastMove, fullMove+4*math.Log10(moved))
	default:
		score += leastMove / 2
	}
	if s.Rate > 0 && c.Rate > 0 {
		score += max(-4, min(0, 4*math.Log10(c.Rate*max(c.moved(), 0.01)/s.Rate)))
	}
	return score, true
}

// closeness is the likelihood of a lag between a change and what it causes, 1 at 0:
// half after two minutes, with a long tail, for what only shows under load or after
// a cache has run dry. A change that seems to come just after the rise may have
// been before it by another clock.
func closeness(lag time.Duration) float64 {
	switch {
	case lag < -clocksDiffer:
		return 0
	case lag < 0:
		return 0.6
	default:
		x := lag.Seconds() / halfLag.Seconds()
		return 1 / (1 + x*x)
	}
}

// relation is what is known of the change's services and the metric's.
func relation(series []Series, all []Onset, o *Onset, c *Change) float64 {
	s := &series[o.Series]
	if len(c.Services) == 0 || s.Service == "" {
		return 0
	}
	best := elsewhere
	for _, service := range c.Services {
		switch {
		case service == s.Service:
			best = max(best, sameService)
		case !slices.Contains(s.Calls, service):
		case measured(series, service) && !suffers(series, all, service):
			best = max(best, calmThere)
		default:
			best = max(best, calledBy)
		}
	}
	return best
}

func measured(series []Series, service string) bool {
	return slices.ContainsFunc(series, func(s Series) bool { return s.Service == service })
}

func suffers(series []Series, all []Onset, service string) bool {
	return slices.ContainsFunc(all, func(o Onset) bool { return series[o.Series].Service == service })
}

// settled tells whether a change was undone long enough ago for the metric to show it.
func settled(s *Series, undone time.Time) bool {
	return s.At(len(s.Points)-1).Sub(undone) >= showsWithin
}

// recovered tells whether a metric fell soon after a change was undone.
func recovered(o *Onset, undone time.Time) bool {
	for _, at := range o.falls {
		if lag := at.Sub(undone); lag >= -clocksDiffer && lag <= healsWithin {
			return true
		}
	}
	return false
}

// why is the case against a change in one sentence.
func why(series []Series, changes []Change, r *Result, s *Suspect) string {
	c, m := &changes[s.Change], &series[s.Series]
	var o *Onset
	for i := range r.Onsets {
		if r.Onsets[i].Series == s.Series {
			o = &r.Onsets[i]
		}
	}
	var b strings.Builder
	went := "rose"
	if m.Unit == "breaker" {
		went = "went"
	}
	fmt.Fprintf(&b, "%s %s, %s before %s %s from %s to %s",
		c.Subject, c.What, sources.Span(s.Lag), m.Name, went, sources.Amount(o.Before, m.Unit), sources.Amount(o.After, m.Unit))
	switch {
	case slices.Contains(c.Services, m.Service) && m.Service != "":
		fmt.Fprintf(&b, "; it is on %s", m.Service)
	case len(c.Services) == 0:
		b.WriteString("; what it moves is not known")
	default:
		for _, service := range c.Services {
			if slices.Contains(m.Calls, service) {
				fmt.Fprintf(&b, "; it is on %s, which %s calls", service, m.Service)
				break
			}
		}
	}
	if c.Rate > 0 && c.moved() > 0 {
		fmt.Fprintf(&b, "; it moved %.3g req/s", c.Rate*c.moved())
	}
	if s.Metrics > 1 {
		fmt.Fprintf(&b, "; %d metrics fit", s.Metrics)
	}
	switch {
	case s.Healed:
		b.WriteString("; undone, and it recovered")
	case !s.Undone.IsZero() && !s.Undone.Before(o.At) && !settled(m, s.Undone):
		b.WriteString("; undone just now")
	case !s.Undone.IsZero() && !s.Undone.Before(o.At):
		b.WriteString("; undone, and it has not recovered")
	}
	return b.String()
}
