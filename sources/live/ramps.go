package live

import (
	"cmp"
	"slices"

	"relctl-tui/sources"
)

// ObserveRamp shows how far a guarded ramp of this process is.
func (e *Engine) ObserveRamp(r sources.RampStatus) {
	r.Own = true
	e.update(func(s *state) { s.setRamp(r) })
}

// ObserveLeases shows the guarded ramps that others run in a store, in the place of
// those shown before. What this process runs itself stays as it is.
func (e *Engine) ObserveLeases(source string, others []sources.RampStatus) {
	e.update(func(s *state) {
		now := slices.DeleteFunc(slices.Clone(s.ramps), func(r sources.RampStatus) bool {
			return r.Flag.Source == source && !r.Own
		})
		for _, r := range others {
			i := slices.IndexFunc(now, func(has sources.RampStatus) bool { return has.Flag == r.Flag })
			switch {
			case i < 0:
				now = append(now, r)
			case now[i].Phase.Ended():
				now[i] = r
			}
		}
		sortRamps(now)
		if !slices.EqualFunc(now, s.ramps, sameRamp) {
			s.ramps, s.dirty = now, true
		}
	})
}

func (s *state) setRamp(r sources.RampStatus) {
	now := slices.Clone(s.ramps)
	i := slices.IndexFunc(now, func(has sources.RampStatus) bool { return has.Flag == r.Flag })
	switch {
	case i < 0:
		now = append(now, r)
	case sameRamp(now[i], r):
		return
	default:
		now[i] = r
	}
	sortRamps(now)
	s.ramps, s.dirty = now, true
}

func sortRamps(all []sources.RampStatus) {
	slices.SortFunc(all, func(a, b sources.RampStatus) int {
		return cmp.Or(cmp.Compare(a.Flag.Source, b.Flag.Source), cmp.Compare(a.Flag.Key, b.Flag.Key))
	})
}

func sameRamp(a, b sources.RampStatus) bool {
	return a.Flag == b.Flag && a.At == b.At && a.Phase == b.Phase && a.Own == b.Own && a.Owner == b.Owner && a.Token == b.Token &&
		a.Due.Equal(b.Due) && a.Left == b.Left && a.Verdict == b.Verdict && a.Why == b.Why && a.Astray == b.Astray &&
		slices.Equal(a.Steps, b.Steps) && slices.EqualFunc(a.Guards, b.Guards, func(x, y sources.GuardResult) bool {
		return x.Name == y.Name && x.Verdict == y.Verdict && x.Text == y.Text
	})
}
