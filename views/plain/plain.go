// Package plain says in lines of text what the board shows as a screen: how things stand,
// and then what becomes of them, each fact once. It is for screen readers, logs and CI.
package plain

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"relctl-tui/sources"
)

// most is how many lines are told at once; of a storm the rest is counted.
const most = 20

// again is how long after a line about something the next one about it comes: a number
// that goes up and down around its limit is told now and then, and how it ended always.
const again = 10 * time.Second

// settles is how long a change may take to be what it is: most that are pending are confirmed
// by then, and what shows in the store before its record was read has its name. Either
// would be a line about the same change, and the one without a name a wrong one.
const settles = 2 * time.Second

// forgotten is how old a change must be that turns up late, as when a store's record is
// read for the first time, to be history and no news.
const forgotten = 2 * time.Minute

// claim is one thing that is so at the moment.
type claim struct {
	about string    // what it is about, unique in its snapshot
	state string    // what is so of it, to be compared
	calm  string    // what it is taken for where it was never worth a line; "" for state
	rank  int       // of a storm the lowest ranks are told
	news  bool      // it is worth a line the first time that it is seen
	once  bool      // each of its states is told at once and once: what happened, not how it stands
	from  time.Time // before then it is not told: it may yet become something else
	said  func(was string) string
	gone  string // what is said when it is no more; "" for nothing
}

// The ranks of claims.
const (
	aChange = iota // made through relctl-tui
	aState
	aSight // a change that somebody made elsewhere, a deploy
)

// told is what was said last of one thing.
type told struct {
	state, gone string
	at          time.Time // zero when it was never worth a line
	once        bool
}

// known is a claim as somebody knows it who was never told of it.
func (c *claim) known() told {
	state := c.state
	if c.calm != "" && !c.news {
		state = c.calm
	}
	return told{state: state, gone: c.gone, once: c.once}
}

// Teller tells what is new in snapshots. It is not for concurrent use; make it with New.
type Teller struct{ told map[string]told }

// New is a Teller for whoever knows this snapshot already, as from Status.
func New(s *sources.Snapshot, now time.Time) *Teller {
	t := &Teller{told: map[string]told{}}
	for _, c := range claims(s, now) {
		t.told[c.about] = c.known()
	}
	return t
}

// News is a line for each thing of which something else is so than was told, at most 20
// and then one that counts the others. What was told of less than 10 s ago waits for a
// later call, but for changes.
func (t *Teller) News(s *sources.Snapshot, now time.Time) (lines []string) {
	all := claims(s, now)
	slices.SortStableFunc(all, func(a, b claim) int { return cmp.Compare(a.rank, b.rank) })
	here := make(map[string]bool, len(all))
	more := 0
	say := func(text string) {
		if text == "" {
			return
		}
		if len(lines) < most {
			lines = append(lines, text)
			return
		}
		more++
	}
	for _, c := range all {
		here[c.about] = true
		was, known := t.told[c.about]
		switch {
		case known && was.state == c.state:
			was.gone = c.gone
			t.told[c.about] = was
		case now.Before(c.from), known && !c.once && !was.at.IsZero() && now.Sub(was.at) < again:
			// later
		case !known && !c.news:
			t.told[c.about] = c.known()
		default:
			if text := c.said(was.state); text != "" {
				say(text)
				t.told[c.about] = told{state: c.state, gone: c.gone, at: now, once: c.once}
			}
		}
	}
	for about, was := range t.told {
		if here[about] {
			continue
		}
		if !was.once && was.gone != "" && !was.at.IsZero() && now.Sub(was.at) < again {
			continue
		}
		say(was.gone)
		delete(t.told, about)
	}
	if more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more changes: status says how things stand", more))
	}
	return lines
}

// Status is how things stand: where one is, what is under way and what is unhealthy.
func Status(s *sources.Snapshot, now time.Time) []string {
	lines := []string{where(s)}
	for i := range s.Sources {
		st := &s.Sources[i]
		if st.Role != sources.StandsBy {
			lines = append(lines, sourceSaid(st)(""))
		}
	}
	lines = append(lines, flagLines(s, now)...)
	for _, list := range [][]claim{breakerClaims(s), latencyClaims(s), alertClaims(s), rampClaims(s), freezeClaims(s, now)} {
		var said []string
		for _, c := range list {
			if c.news {
				said = append(said, c.said(""))
			}
		}
		lines = append(lines, bounded(said)...)
	}
	return append(lines, healthy(s)...)
}

// alike is how many lines of one kind a status has.
const alike = 10

// bounded is at most so many lines, the last of which counts the others.
func bounded(lines []string) []string {
	if len(lines) <= alike {
		return lines
	}
	return append(slices.Clone(lines[:alike-1]), fmt.Sprintf("and %d more of these", len(lines)-alike+1))
}

// claims is all that can be told of a snapshot.
func claims(s *sources.Snapshot, now time.Time) []claim {
	all := sourceClaims(s)
	all = append(all, changeClaims(s, now)...)
	all = append(all, breakerClaims(s)...)
	all = append(all, latencyClaims(s)...)
	all = append(all, alertClaims(s)...)
	all = append(all, rampClaims(s)...)
	return append(all, freezeClaims(s, now)...)
}
