package flagdef

import (
	"fmt"
	"math"

	"relctl-tui/sources"
)

// manyWay is a split of other than two ways: no one percentage, but where all of it
// is plain it is known who gets what.
func (r *reader) manyWay(args []span) reading {
	note := fmt.Sprintf("%d-way split", len(args))
	if len(args) > maxWays {
		return custom(note)
	}
	all, sum := make([]bucket, 0, len(args)), int64(0)
	for _, arg := range args {
		one, odd := r.bucket(arg)
		if odd != nil {
			return custom(note)
		}
		all, sum = append(all, one), sum+one.share
	}
	out := custom(note)
	if sum > 0 && sum <= math.MaxInt32 { // else evaluators fall back on defaultVariant
		out.serves = r.shares(all, sum)
	}
	return out
}

// maxWays bounds the ways of a split that are told apart.
const maxWays = 50

// shares is what a plain split serves, in its order, each variant once.
func (r *reader) shares(all []bucket, sum int64) []sources.Share {
	var out []sources.Share
	weights := map[string]int64{}
	for i := range all {
		m, _ := r.member(all[i].variant)
		name := r.name(m.key)
		if _, there := weights[name]; !there && all[i].share > 0 {
			out = append(out, sources.Share{Variant: name})
		}
		weights[name] += all[i].share
	}
	for i := range out {
		out[i].Of, _ = sources.PercentOf(weights[out[i].Variant], sum)
	}
	return out
}
