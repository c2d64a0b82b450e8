package haproxy

import (
	"fmt"

	"relctl-tui/sources"
)

const maxWeight = 256

// express gives two weights that are p of their sum, to the thousandth of a percent
// that a Percent has. The sum that the two have now is kept where it can be, since
// other servers of the backend are weighed against it; else it is that of the
// configured weights, then 100, then the least from 100 on, then the largest below.
// ErrInvalid names the nearest percentage that weights of at most 256 can express.
func (n *pair) express(p sources.Percent) (canary, stable int, err error) {
	if n.hashes() { // what is taken even where hash-type is map-based
		for _, w := range [][2]int{{n.canary.iweight, n.stable.iweight}, {0, n.stable.iweight}, {n.canary.iweight, 0}} {
			if got, _ := sources.PercentOf(int64(w[0]), int64(w[0]+w[1])); got == p && w[0]+w[1] > 0 {
				return w[0], w[1], nil
			}
		}
	}
	sums := []int{n.canary.uweight + n.stable.uweight, n.canary.iweight + n.stable.iweight, 100}
	for sum := 100; sum <= 2*maxWeight; sum++ {
		sums = append(sums, sum)
	}
	for sum := 99; sum > 0; sum-- {
		sums = append(sums, sum)
	}
	// An exact pair is looked for first: 33.333 % is 1/3 only when nothing is it exactly.
	nearest := sources.Percent(-1)
	for _, exactly := range []bool{true, false} {
		for _, sum := range sums {
			canary, got, exact := share(p, sum)
			if canary < 0 {
				continue
			}
			if got == p && (exact || !exactly) {
				return canary, sum - canary, nil
			}
			if nearest < 0 || distance(got, p) < distance(nearest, p) {
				nearest = got
			}
		}
	}
	return 0, 0, fmt.Errorf("%s%% cannot be set: HAProxy's weights are whole numbers up to %d, the nearest is %s%%: %w", p, maxWeight, nearest, sources.ErrInvalid)
}

// share is the part of sum that is nearest to p, and what it is; -1 where the two
// parts do not fit into weights.
func share(p sources.Percent, sum int) (part int, is sources.Percent, exact bool) {
	if sum <= 0 {
		return -1, 0, false
	}
	part = int((int64(p)*int64(sum)*2 + int64(sources.Full)) / (2 * int64(sources.Full)))
	if part > maxWeight || sum-part > maxWeight {
		return -1, 0, false
	}
	is, exact = sources.PercentOf(int64(part), int64(sum))
	return part, is, exact
}

// step is one command.
type step struct {
	what    string // for a sentence
	command string
	to      setting // how the pair stands after it
}

// steps is the commands from one setting to another, in the order in which the pair
// never stands above both in between, nor serves nobody, if there is such an order.
func (p Pair) steps(from, to setting) []step {
	var best []int
	least := -1
	moves := []int{moveCanary, moveStable, moveAdmin}
	for _, order := range orders(moves) {
		at, cost := from, 0
		for _, m := range order {
			at = at.moved(m, to)
			cost += at.harm(from, to)
		}
		if least < 0 || cost < least {
			best, least = order, cost
		}
	}
	var out []step
	at := from
	for _, m := range best {
		next := at.moved(m, to)
		if next != at {
			out = append(out, p.step(m, next))
		}
		at = next
	}
	return out
}

const (
	moveCanary = iota
	moveStable
	moveAdmin
)

func (p Pair) step(move int, to setting) step {
	canary, stable := p.Backend+"/"+p.Canary, p.Backend+"/"+p.Stable
	switch move {
	case moveCanary:
		return step{fmt.Sprintf("set the weight of %s to %d", canary, to.canary), fmt.Sprintf("set weight %s %d", canary, to.canary), to}
	case moveStable:
		return step{fmt.Sprintf("set the weight of %s to %d", stable, to.stable), fmt.Sprintf("set weight %s %d", stable, to.stable), to}
	default:
		return step{"set " + canary + " to " + to.admin, "set server " + canary + " state " + to.admin, to}
	}
}

func (s setting) moved(move int, to setting) setting {
	switch move {
	case moveCanary:
		s.canary = to.canary
	case moveStable:
		s.stable = to.stable
	case moveAdmin:
		s.admin = to.admin
	}
	return s
}

// served is the canary's share of the requests; false when nobody serves.
func (s setting) served() (share float64, anybody bool) {
	switch {
	case s.admin != ready:
		return 0, s.stable > 0
	case s.canary+s.stable == 0:
		return 0, false
	default:
		return float64(s.canary) / float64(s.canary+s.stable), true
	}
}

// harm weighs a setting in between: serving nobody is worst, then more of the canary
// than before and after, then less.
func (s setting) harm(from, to setting) int {
	share, anybody := s.served()
	a, before := from.served()
	b, after := to.served()
	const slack = 1e-12
	switch {
	case !anybody && (before || after):
		return 10_000
	case share > max(a, b)+slack:
		return 100
	case share < min(a, b)-slack:
		return 1
	default:
		return 0
	}
}

// orders is every order of three.
func orders(m []int) [][]int {
	a, b, c := m[0], m[1], m[2]
	return [][]int{{a, b, c}, {b, a, c}, {a, c, b}, {b, c, a}, {c, a, b}, {c, b, a}}
}

func distance(a, b sources.Percent) sources.Percent { return max(a-b, b-a) }
