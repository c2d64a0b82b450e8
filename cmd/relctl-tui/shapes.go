package main

import (
	"time"

	"relctl-tui/sources"
)

// The JSON shapes. Fields may be added, never renamed; an absent number is null.

type flagJSON struct {
	Source    string                       `json:"source"`
	Key       string                       `json:"key"`
	State     string                       `json:"state"`
	Rollout   sources.Opt[sources.Percent] `json:"rollout"`
	Exposure  sources.Value                `json:"exposure"`
	Variant   string                       `json:"variant"`
	Revision  sources.Revision             `json:"revision"`
	ChangedAt *string                      `json:"changed_at"`
	ChangedBy string                       `json:"changed_by"`
	Stale     bool                         `json:"stale"`
	Killed    bool                         `json:"killed"`
	Stored    sources.Opt[sources.Percent] `json:"stored_rollout"`
	Note      string                       `json:"note"`
	Metric    string                       `json:"metric"`
	Owner     string                       `json:"owner"`
	Stage     *string                      `json:"stage"`  // of a migration; null for any other flag, and where it cannot be told
	Stages    []stageJSON                  `json:"stages"` // of a migration, in order; null for any other flag
}

type stageJSON struct {
	Name  string                       `json:"name"`
	Share sources.Opt[sources.Percent] `json:"share"` // the part of the users who are there
}

// stagesShape is where a migration stands: the stage, or the highest of several, and
// who is at which.
func stagesShape(f *sources.Flag) (stage *string, stages []stageJSON) {
	m := f.Migration
	if m == nil {
		return nil, nil
	}
	at, err := m.Position(f)
	if err == nil {
		stage = &m.Stages[at.High]
	}
	for _, name := range m.Stages {
		s := stageJSON{Name: name}
		if err == nil {
			s.Share = sources.Some(sources.Percent(0))
		}
		for _, share := range f.Serves {
			if err == nil && share.Variant == name {
				s.Share = sources.Some(share.Of)
			}
		}
		stages = append(stages, s)
	}
	return stage, stages
}

func flagShape(f *sources.Flag, exposure sources.Value) flagJSON {
	if exposure.OK {
		exposure.V = round6(exposure.V * 100)
	}
	stage, stages := stagesShape(f)
	return flagJSON{
		Stage: stage, Stages: stages,
		Source: f.ID.Source, Key: f.ID.Key, State: f.State.String(),
		Rollout: f.Rollout, Exposure: exposure, Variant: f.Variant, Revision: f.Revision,
		ChangedAt: stamp(f.ChangedAt), ChangedBy: f.ChangedBy,
		Killed: f.Killed, Stored: f.Stored, Note: f.Note, Metric: f.Metric, Owner: f.Owner,
	}
}

type breakerJSON struct {
	Source        string        `json:"source"`
	Name          string        `json:"name"`
	State         string        `json:"state"`
	Instances     int           `json:"instances"`
	OpenInstances int           `json:"open_instances"`
	ErrorRatio    sources.Value `json:"error_ratio"`
	Rate          sources.Value `json:"rate"`
	RejectRate    sources.Value `json:"reject_rate"`
	Inferred      bool          `json:"inferred"`
	Stale         bool          `json:"stale"`
	Limit         bool          `json:"limit"`
	Preset        string        `json:"preset"`
	Note          string        `json:"note"`
	Also          string        `json:"also"` // another source that knows it; "" for none
}

func breakerShape(b *sources.Breaker) breakerJSON {
	return breakerJSON{
		Source: b.Source, Name: b.Name, State: b.State.String(),
		Instances: b.Instances, OpenInstances: b.OpenInstances,
		ErrorRatio: b.ErrorRatio, Rate: b.Rate, RejectRate: b.RejectRate,
		Inferred: b.Inferred, Limit: b.Limit, Preset: b.Preset, Note: b.Note, Also: b.Also,
	}
}

type latencyJSON struct {
	Source     string        `json:"source"`
	Name       string        `json:"name"`
	P50        sources.Value `json:"p50_s"`
	P95        sources.Value `json:"p95_s"`
	P99        sources.Value `json:"p99_s"`
	P50Over    sources.Value `json:"p50_over_s"`
	P95Over    sources.Value `json:"p95_over_s"`
	P99Over    sources.Value `json:"p99_over_s"`
	Rate       sources.Value `json:"rate"`
	ErrorRatio sources.Value `json:"error_ratio"`
	SLO        sources.Value `json:"slo_s"`
	Verdict    string        `json:"verdict"`
	Stale      bool          `json:"stale"`
	Calls      []string      `json:"calls"`
	Note       string        `json:"note"`
	Objective  sources.Value `json:"objective"`
	Window     sources.Value `json:"objective_window_s"`
	Left       sources.Value `json:"budget_left"`
	Burn       sources.Value `json:"burn_1h"`
}

func latencyShape(l *sources.Latency) latencyJSON {
	out := latencyJSON{
		Source: l.Source, Name: l.Name, Rate: l.Rate, ErrorRatio: l.ErrorRatio,
		Verdict: l.Verdict.String(), Calls: append([]string{}, l.Calls...), Note: l.Note,
	}
	out.P50, out.P50Over = quantileShape(l.P50)
	out.P95, out.P95Over = quantileShape(l.P95)
	out.P99, out.P99Over = quantileShape(l.P99)
	if l.SLO > 0 {
		out.SLO = sources.Some(l.SLO.Seconds())
	}
	if b := &l.Budget; b.Set() {
		out.Objective, out.Window = sources.Some(b.Objective), sources.Some(b.Window.Seconds())
		out.Left, out.Burn = b.Left, b.Burn(time.Hour)
	}
	return out
}

// quantileShape keeps "above the last bucket" apart from a number: the second
// value is the bound that the quantile lies above.
func quantileShape(q sources.Quantile) (exact, over sources.Value) {
	switch {
	case !q.OK:
		return
	case q.Over:
		return exact, sources.Some(q.Seconds)
	default:
		return sources.Some(q.Seconds), over
	}
}

type sourceJSON struct {
	Name     string   `json:"name"`
	Kind     string   `json:"kind"`
	Health   string   `json:"health"`
	LastOK   *string  `json:"last_ok"`
	Error    string   `json:"error"`
	Warnings []string `json:"warnings"`
}

type changeJSON struct {
	ID        string  `json:"id"`
	At        *string `json:"at"`
	Kind      string  `json:"kind"`
	Source    string  `json:"source"`
	Key       string  `json:"key"`
	Actor     string  `json:"actor"`
	Reason    string  `json:"reason"`
	Old       string  `json:"old"`
	New       string  `json:"new"`
	Outcome   string  `json:"outcome"`
	Error     string  `json:"error"`
	Accepted  *string `json:"accepted_at,omitempty"`
	Reread    *string `json:"reread_at,omitempty"`
	Effective *string `json:"effective_at,omitempty"`
	Warning   string  `json:"warning,omitempty"`
}

func activityShape(a *sources.Activity) changeJSON {
	return changeJSON{
		ID: a.ID, At: stamp(a.At), Kind: a.Kind, Source: a.Flag.Source, Key: a.Flag.Key,
		Actor: a.Actor, Reason: a.Reason, Old: a.Old, New: a.New,
		Outcome: string(a.Outcome), Error: a.Err,
	}
}

func receiptShape(r *sources.Receipt, in sources.Intent, outcome sources.Outcome, now time.Time) changeJSON {
	at := r.Accepted
	if at.IsZero() {
		at = now
	}
	return changeJSON{
		ID: r.Change, At: stamp(at), Kind: string(r.Kind), Source: r.New.ID.Source, Key: r.New.ID.Key,
		Actor: in.Actor, Reason: in.Reason, Old: r.Old.Brief(), New: r.New.Brief(), Outcome: string(outcome),
		Accepted: stamp(r.Accepted), Reread: stamp(r.Reread), Effective: stamp(r.Effective), Warning: r.Warning,
	}
}
