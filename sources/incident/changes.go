package incident

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"relctl-tui/sources"
)

// before is how long before the first point that is looked at a change may lie and
// still be of interest.
const before = 30 * time.Minute

// mostChanges bounds the changes that are weighed; the newest are kept.
const mostChanges = 1000

// change is one of the changes that are weighed.
type change struct {
	sources.Activity
	lane     sources.Lane
	services []string // that it is expected to move, by the names of latencies; none where that is not known
}

// changesOf is what was changed, by anybody: flags, what runs, breakers by hand. Oldest
// first, each once.
func changesOf(q *Question) []change {
	from := q.Now.Add(-q.Span - before)
	known := map[string]bool{}
	var out []sources.Activity
	for _, list := range [][]sources.Activity{q.Snapshot.Activity, q.History} {
		for i := range list {
			a := &list[i]
			if !changes(a) || a.At.Before(from) || (a.ID != "" && known[a.ID]) {
				continue
			}
			known[a.ID] = true
			out = append(out, *a)
		}
	}
	slices.SortStableFunc(out, func(a, b sources.Activity) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	out = out[max(0, len(out)-mostChanges):]
	metrics := make(map[sources.FlagID]string, len(q.Snapshot.Flags))
	for i := range q.Snapshot.Flags {
		metrics[q.Snapshot.Flags[i].ID] = q.Snapshot.Flags[i].Metric
	}
	all := make([]change, len(out))
	for i := range out {
		all[i] = change{Activity: out[i], lane: laneOf(&out[i])}
		all[i].services = services(&all[i], q.Snapshot, metrics)
	}
	return all
}

// changes says that something was changed: not only seen, asked for or planned.
func changes(a *sources.Activity) bool {
	switch a.Outcome {
	case sources.Failed, sources.Refused, sources.Awaiting, sources.Scheduled:
		return false
	default:
	}
	switch a.Kind {
	case sources.KindDeploy:
		return true
	case sources.KindSigned, sources.KindUpcoming, string(sources.SilenceAlert):
		return false
	default:
		return a.Flag.Key != ""
	}
}

// laneOf is where a change belongs.
func laneOf(a *sources.Activity) sources.Lane {
	switch {
	case a.Kind == sources.KindDeploy:
		return sources.LaneDeploys
	case ofBreaker(a):
		return sources.LaneBreakers
	default:
		return sources.LaneFlags
	}
}

// ofBreaker says that a change is one of a breaker: by its kind, and of an undo by what
// it came to.
func ofBreaker(a *sources.Activity) bool {
	if sources.ChangeKind(a.Kind).OfBreaker() {
		return true
	}
	word, _, _ := strings.Cut(a.New, " ")
	for state := sources.BreakerClosed; state <= sources.BreakerDisabled; state++ {
		if a.Kind == string(sources.Undo) && word == state.String() {
			return true
		}
	}
	return false
}

// share is how much of the traffic a flag's value in words reaches, 0..1; false where
// the words do not say.
func share(brief string) (float64, bool) {
	switch brief {
	case "killed", "off", "removed", "":
		return 0, true
	case "on":
		return 1, true
	}
	if number, ok := strings.CutSuffix(brief, "%"); ok {
		if p, err := sources.ParsePercent(number); err == nil {
			return p.Float() / 100, true
		}
	}
	return 0, false
}

// what is a change in words: "10% to 50%".
func what(a *sources.Activity) string {
	old := a.Old
	if old == "" {
		return "to " + a.New
	}
	return old + " to " + a.New
}

// services is what a change is expected to move, given the metric of each flag.
func services(a *change, s *sources.Snapshot, metrics map[sources.FlagID]string) []string {
	switch a.lane {
	case sources.LaneFlags:
		if m := metrics[a.Flag]; m != "" {
			return []string{m}
		}
	case sources.LaneDeploys:
		d := sources.Deploy{Service: a.Name}
		var out []string
		for i := range s.Latencies {
			if d.Of(s.Latencies[i].Name) {
				out = append(out, s.Latencies[i].Name)
			}
		}
		return slices.Compact(out)
	case sources.LaneBreakers:
		if s.Latency(a.Name) != nil {
			return []string{a.Name}
		}
	default:
	}
	return nil
}
