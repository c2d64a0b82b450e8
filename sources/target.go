package sources

import (
	"slices"
	"strings"
	"time"
)

// Targets is what a flag's rollout was at n moments, the first at from and step apart,
// as its changes tell: absent where none says it as a percentage, or where the flag is
// no rollout. changes may be in any order, and of other flags too; those that never
// happened do not count.
func Targets(f *Flag, changes []*Activity, from time.Time, step time.Duration, n int) []Value {
	own := slices.DeleteFunc(slices.Clone(changes), func(a *Activity) bool {
		return a.Flag != f.ID || a.Outcome.Void() || a.Outcome == Scheduled || a.Outcome == Pending
	})
	slices.SortStableFunc(own, func(a, b *Activity) int { return a.At.Compare(b.At) })
	out := make([]Value, n)
	was, next := targetOf(f.Brief()), 0
	now := was
	if len(own) > 0 {
		was = targetOf(own[0].Old)
		if last := own[len(own)-1]; targetOf(last.New) != now { // the record lacks a change
			lost := &Activity{At: last.At.Add(1), New: "at a moment that nobody knows"}
			if f.ChangedAt.After(last.At) {
				lost.At, lost.New = f.ChangedAt, f.Brief()
			}
			own = append(own, lost)
		}
	}
	for i := range out {
		for at := from.Add(time.Duration(i) * step); next < len(own) && !own[next].At.After(at); next++ {
			was = targetOf(own[next].New)
		}
		out[i] = was
	}
	if n > 0 && next == len(own) {
		out[n-1] = now
	}
	return out
}

// targetOf reads a flag in few words, as Brief and the record of changes have it.
func targetOf(brief string) Value {
	if brief == "killed" {
		return Some(0.0)
	}
	text, percent := strings.CutSuffix(brief, "%")
	p, err := ParsePercent(text)
	if !percent || err != nil {
		return Value{}
	}
	return Some(float64(p) / float64(Full))
}
