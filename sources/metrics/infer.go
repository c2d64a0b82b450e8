package metrics

import (
	"math"
	"sync"

	"relctl-tui/sources"
)

// infer works out the states that nothing exports.
func (r *breakerRead) infer(plan *Plan, k [2]string, g *breakerGroup) {
	for id, inst := range g.instances {
		switch r.preset.How {
		case ByEvents:
			inst.state, inst.note = plan.events.last([4]string{r.metric, k[0], k[1], id}, inst.tells)
		case ByTime:
			inst.state = fastest(inst.tells)
			if inst.state == sources.BreakerUnknown {
				inst.note = "no time passed in any state"
			}
		case ByRejects:
			inst.state = sources.BreakerClosed
			if inst.tells[sources.BreakerOpen] > 0 {
				inst.state = sources.BreakerOpen
			}
		case ByMembers:
			inst.state = ejected(inst.out)
		case ByLabel, ByValue:
			continue
		}
		inst.seen = true
	}
}

// fastest is the state whose time runs.
func fastest(rates map[sources.BreakerState]float64) (state sources.BreakerState) {
	best := 0.0
	for s, v := range rates {
		if v > best || v == best && v > 0 && s.Severity() > state.Severity() {
			state, best = s, v
		}
	}
	return state
}

// ejected is the state of a cluster with so many members out.
func ejected(out float64) sources.BreakerState {
	switch {
	case math.IsNaN(out):
		return sources.BreakerUnknown
	case out <= 0:
		return sources.BreakerClosed
	default:
		return sources.BreakerOpen
	}
}

// members makes a cluster's hosts the instances of its row: as the proxy sees them
// that has the most of them out.
func (g *breakerGroup) members(b *sources.Breaker) {
	var worst *instanceState
	for _, inst := range g.instances {
		if worst == nil || inst.out > worst.out || inst.out == worst.out && inst.of > worst.of {
			worst = inst
		}
	}
	b.Instances, b.OpenInstances = whole(max(worst.of, worst.out)), whole(worst.out)
}

const mostMembers = 1e6

// whole is a gauge as a count; what is no number is none.
func whole(v float64) int {
	if !(v > 0) {
		return 0
	}
	return int(math.Round(min(v, mostMembers)))
}

// transitions remembers what the counters of a breaker's transitions said, so that
// the one that grew last is known. The zero value remembers nothing. It is
// goroutine-safe.
type transitions struct {
	mu   sync.Mutex
	seen map[[4]string]transition
}

type transition struct {
	counts map[sources.BreakerState]float64
	state  sources.BreakerState
	known  bool
}

const maxTransitions = 10_000

// last is the state that a breaker is in by its counters of transitions: by which of
// them grew since they were last read, else by what they say together.
func (t *transitions) last(k [4]string, counts map[sources.BreakerState]float64) (sources.BreakerState, string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	before, had := t.seen[k]
	now := transition{counts: counts}
	switch {
	case had && equalCounts(before.counts, counts):
		now.state, now.known = before.state, before.known
	case had && !fell(before.counts, counts):
		now.state, now.known = grew(before.counts, counts)
	}
	if !now.known {
		now.state, now.known = settledBy(counts)
	}
	if had || len(t.seen) < maxTransitions {
		if t.seen == nil {
			t.seen = map[[4]string]transition{}
		}
		t.seen[k] = now
	}
	switch {
	case !now.known:
		return sources.BreakerUnknown, "its counters do not tell its state until it next turns"
	case now.state == sources.BreakerOpen && counts[sources.BreakerHalfOpen] == 0:
		return now.state, "or half-open, which was never counted"
	}
	return now.state, ""
}

func equalCounts(a, b map[sources.BreakerState]float64) bool {
	for s, v := range b {
		if a[s] != v {
			return false
		}
	}
	return len(a) == len(b)
}

// fell says that a process began anew.
func fell(before, now map[sources.BreakerState]float64) bool {
	for s, v := range before {
		if now[s] < v {
			return true
		}
	}
	return false
}

// grew is the state whose counter alone grew.
func grew(before, now map[sources.BreakerState]float64) (state sources.BreakerState, ok bool) {
	for s, v := range now {
		if v > before[s] {
			if ok {
				return sources.BreakerUnknown, false // more than one turn between two looks
			}
			state, ok = s, true
		}
	}
	return state, ok
}

// settledBy is the state that follows from the counters alone, which begin at 0 with
// a closed breaker. As many closings as openings is closed. Where half-opens are
// counted, each opening is followed by one, so one opening more than half-opens is
// open, and no closing at all is half-open. Where they are not, as with opossum's
// exporter, no closing at all is open as far as can be seen. Anything between may be
// one thing or another.
func settledBy(counts map[sources.BreakerState]float64) (sources.BreakerState, bool) {
	opened, half, closed := counts[sources.BreakerOpen], counts[sources.BreakerHalfOpen], counts[sources.BreakerClosed]
	switch {
	case half > 0 && opened > half:
		return sources.BreakerOpen, true
	case closed >= opened:
		return sources.BreakerClosed, true
	case closed == 0 && half > 0:
		return sources.BreakerHalfOpen, true
	case closed == 0:
		return sources.BreakerOpen, true
	default:
		return sources.BreakerUnknown, false
	}
}
