package live

import (
	"fmt"
	"slices"
	"time"

	"relctl-tui/sources"
)

// setDeploys takes what runs of each service. A change of that is activity, also one
// from before the board was opened.
func (s *state) setDeploys(i int, set sources.DeploySet, now time.Time) {
	st := s.sources[i]
	s.warn(st, sources.PartDeploys, set.Warnings)
	if !slices.EqualFunc(st.deploys, set.Deploys, sameDeploy) {
		s.metricsDirty, s.dirty = true, true
	}
	st.deploys = slices.Clone(set.Deploys)
	if st.silent() {
		return
	}
	for _, d := range set.Changes {
		s.merge(sources.Activity{
			ID: fmt.Sprintf("deploy %s %s %d", d.Service, d.New, d.At.Unix()), At: d.At, Kind: sources.KindDeploy,
			Name: d.Service, Old: d.Old, New: d.New, Outcome: sources.Seen,
		}, now, true)
	}
}

func sameDeploy(a, b sources.Deploy) bool {
	return a.Service == b.Service && a.Namespace == b.Namespace && slices.Equal(a.Versions, b.Versions) && a.Updated == b.Updated && a.Desired == b.Desired &&
		a.Weight == b.Weight && a.Phase == b.Phase && a.Preset == b.Preset
}

// mergeDeploys puts all sources' services together, each once, those under way first.
func (s *state) mergeDeploys() []sources.Deploy {
	var sets [][]sources.Deploy
	for _, st := range s.sources {
		if !st.silent() && st.caps[sources.PartDeploys].health != sources.Unknown {
			sets = append(sets, st.deploys)
		}
	}
	return sources.JoinDeploys(sets)
}
