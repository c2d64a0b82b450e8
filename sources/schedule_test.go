package sources_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"relctl-tui/sources"
)

// runnerOf is a runner in the model: between its claim and what it says of it anything
// may come, and it may never say anything.
type runnerOf struct {
	claimed *sources.Schedule // the version that it holds
	wrote   bool
}

// plan is one schedule in a store, and everybody who works on it.
type plan struct {
	t       *rapid.T
	now     time.Time
	kept    sources.Schedule
	runners [3]runnerOf
	writes  []time.Time // when the change was made
	ended   sources.ScheduleState
	tokens  int
}

// keep is the store's compare-and-swap.
func (p *plan) keep(s sources.Schedule) bool {
	if s.Version != p.kept.Version+1 {
		return false
	}
	p.kept = s
	return true
}

func (p *plan) claim(r *runnerOf, seen sources.Schedule) {
	p.tokens++
	next, err := seen.Claimed(fmt.Sprint("token ", p.tokens), "somebody", p.now)
	if err == nil && p.keep(next) {
		*r = runnerOf{claimed: &next}
	}
}

// write is what control does under a claim: nothing at or after its end.
func (p *plan) write(r *runnerOf) {
	if r.claimed != nil && !r.wrote && p.now.Before(r.claimed.Until) {
		r.wrote = true
		p.writes = append(p.writes, p.now)
	}
}

func (p *plan) say(r *runnerOf) {
	if r.claimed == nil {
		return
	}
	var next sources.Schedule
	var err error
	if r.wrote {
		next, err = r.claimed.Finished(r.claimed.Claim, sources.ScheduleDone, "change", "", p.now)
		if p.kept.State == sources.ScheduleInDoubt { // it insists
			next.Version = p.kept.Version + 1
		}
	} else {
		next, err = r.claimed.Released(r.claimed.Claim, "the store did not answer", p.now.Add(15*time.Second))
	}
	require.NoError(p.t, err)
	p.keep(next)
	*r = runnerOf{}
}

func TestAScheduleIsMadeOnceAndInItsTimeWhateverBecomesOfItsRunners(t *testing.T) {
	t.Parallel()
	rounds := 50 // of the 100 sequences that one check tries
	if testing.Short() {
		rounds = 5
	}
	for range rounds {
		rapid.Check(t, tryPlan)
	}
}

// tryPlan is one random sequence of what runners, stores and clocks can do.
func tryPlan(t *rapid.T) {
	start := time.Date(2026, 12, 4, 9, 0, 0, 0, time.UTC)
	p := &plan{t: t, now: start, kept: sources.Schedule{
		ID: "1", Version: 1, Kind: sources.Set, At: start.Add(time.Minute), Expires: start.Add(10 * time.Minute), State: sources.ScheduleWaiting,
	}}
	seen := p.kept // what a slow reader still believes
	one := func() *runnerOf { return &p.runners[rapid.IntRange(0, 2).Draw(t, "runner")] }
	t.Repeat(map[string]func(*rapid.T){
		"time": func(t *rapid.T) {
			p.now = p.now.Add(time.Duration(rapid.IntRange(1, 40).Draw(t, "seconds")) * time.Second)
		},
		"read":  func(*rapid.T) { seen = p.kept },
		"claim": func(*rapid.T) { p.claim(one(), seen) },
		"write": func(*rapid.T) { p.write(one()) },
		"say":   func(*rapid.T) { p.say(one()) },
		"crash": func(*rapid.T) { *one() = runnerOf{} },
		"cancel": func(*rapid.T) {
			if next, err := seen.Cancelled("ana", p.now); err == nil {
				p.keep(next)
			}
		},
		"miss": func(*rapid.T) {
			if next, err := seen.Missed("m", p.now); err == nil {
				p.keep(next)
			}
		},
		"doubt": func(*rapid.T) {
			if next, err := seen.Doubted("d", "nobody knows", p.now); err == nil {
				p.keep(next)
			}
		},
		"": func(t *rapid.T) { p.check(t) },
	})
}

func (p *plan) check(t *rapid.T) {
	require.LessOrEqual(t, len(p.writes), 1, "never twice")
	for _, at := range p.writes {
		require.False(t, at.Before(p.kept.At), "never early")
		require.True(t, at.Before(p.kept.Expires), "never late")
	}
	switch p.kept.State {
	case sources.ScheduleMissed, sources.ScheduleCancelled, sources.ScheduleWaiting:
		require.Empty(t, p.writes, "what is said not to have happened has not")
	case sources.ScheduleDone:
		require.Len(t, p.writes, 1)
	default:
	}
	if p.ended.Ended() && p.ended != "" && p.kept.State != p.ended {
		require.Equal(t, sources.ScheduleInDoubt, p.ended, "an end is an end")
		require.Equal(t, sources.ScheduleDone, p.kept.State, "but for a doubt that its runner lifts")
	}
	p.ended = p.kept.State
}

func TestAScheduleThatMakesNoSenseIsRefused(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 12, 4, 9, 0, 0, 0, time.UTC)
	good := sources.Schedule{Kind: sources.Set, To: sources.Pct(25), At: now.Add(time.Hour), Expires: now.Add(90 * time.Minute)}
	require.NoError(t, good.Check(now))
	for want, change := range map[string]func(*sources.Schedule){
		"lies in the past":         func(s *sources.Schedule) { s.At = now },
		"more than a year ahead":   func(s *sources.Schedule) { s.At = now.AddDate(2, 0, 0); s.Expires = s.At.Add(time.Hour) },
		"from a minute to a day":   func(s *sources.Schedule) { s.Expires = s.At },
		"outside 0..100":           func(s *sources.Schedule) { s.To = sources.Full + 1 },
		"cannot be scheduled":      func(s *sources.Schedule) { s.Kind = sources.Undo },
		"only a percentage is rea": func(s *sources.Schedule) { s.Kind, s.Guarded = sources.Kill, true },
	} {
		s := good
		change(&s)
		err := s.Check(now)
		require.ErrorIs(t, err, sources.ErrInvalid)
		require.ErrorContains(t, err, want)
	}
}
