package metrics

import "slices"

// Waits reports whether something that the plan wants is not exported yet, so
// that looking again soon is worth a question: a rule without its metric, a
// breaker without its counters, or nothing at all of a kind. A plan of autos
// wants one preset of each kind, not all there are.
func (p *Plan) Waits(found map[string]bool) bool {
	return p.latencyWaits(found) || p.breakersWait(found) || !slices.ContainsFunc(exposurePresets, func(e ExposurePreset) bool {
		return found[e.Metric]
	})
}

func (p *Plan) latencyWaits(found map[string]bool) bool {
	exported := func(l *LatencyPreset) bool { _, ok := l.exists(found); return ok }
	auto := slices.ContainsFunc(p.latencies, func(l LatencyPreset) bool { return l.Auto != Never && exported(&l) })
	if len(p.latency) == 0 {
		return !auto
	}
	return slices.ContainsFunc(p.latency, func(r latencyRule) bool {
		if r.preset == nil {
			return !auto
		}
		return !exported(r.preset)
	})
}

func (p *Plan) breakersWait(found map[string]bool) bool {
	autos, seen := false, false
	for i := range p.breakers {
		r := &p.breakers[i]
		exported := slices.ContainsFunc(r.preset.Metric, func(m string) bool { return found[m] })
		autos, seen = autos || r.auto, seen || (r.auto && exported)
		if !exported && !r.auto {
			return true
		}
		if exported && slices.ContainsFunc(extras(&r.preset), func(m string) bool { return !found[m] }) {
			return true
		}
	}
	return autos && !seen
}
