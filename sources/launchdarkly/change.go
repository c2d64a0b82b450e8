package launchdarkly

import (
	"bytes"
	"encoding/json"
	"fmt"

	"relctl-tui/sources"
)

// draft is a change worked out: what it asks of the service, what the flag will be,
// and how to take it back.
type draft struct {
	planned      sources.Planned
	instructions []instruction // none when nothing would change
}

// restore is how to return to what a change replaced; only what it replaced is there.
type restore struct {
	Environment string   `json:"environment"`
	On          *bool    `json:"on,omitempty"`
	Serve       *outcome `json:"fallthrough,omitempty"`
}

// outcome is a default rule with variations by ID, which outlive their order.
type outcome struct {
	VariationID string           `json:"variation,omitempty"`
	Weights     map[string]int64 `json:"weights,omitempty"`
	BucketBy    string           `json:"bucketBy,omitempty"`
	ContextKind string           `json:"contextKind,omitempty"`
}

// draft compares with what the operator saw and works the change out.
func (s *Store) draft(w *wireFlag, c *sources.Change) (*draft, error) {
	r := s.read(w)
	if c.Seen != "" && c.Seen != r.flag.Revision {
		return nil, fmt.Errorf("%s: %w", s.name, sources.Changed(&r.flag))
	}
	if r.env == nil {
		return nil, fmt.Errorf("%s: %s has no configuration in environment %s, so there is nothing to change: %w", s.name, r.flag.Name, s.opts.Environment, sources.ErrInvalid)
	}
	want, err := s.wanted(&r, c)
	if err != nil {
		return nil, err
	}
	next, back := *r.env, restore{Environment: s.opts.Environment}
	d := &draft{}
	if want.Serve != nil {
		if back.Serve, err = r.outcome(); err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		if next.Fallthrough, err = r.serve(want.Serve); err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		if !same(next.Fallthrough, r.env.Fallthrough) {
			d.instructions = append(d.instructions, instruction{
				Kind: "updateFallthroughVariationOrRollout", VariationID: want.Serve.VariationID,
				Weights: want.Serve.Weights, BucketBy: want.Serve.BucketBy, ContextKind: want.Serve.ContextKind,
			})
		}
	}
	if want.On != nil {
		back.On, next.On = r.env.On, want.On
		if r.env.On == nil || *r.env.On != *want.On {
			d.instructions = append(d.instructions, turn(*want.On))
		}
	}
	after := *w
	after.Environments = map[string]*wireEnvs{s.opts.Environment: &next}
	d.planned.Old, d.planned.New = r.flag, s.read(&after).flag
	if d.planned.Restore, err = json.Marshal(back); err != nil {
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	return d, nil
}

func turn(on bool) instruction {
	if on {
		return instruction{Kind: "turnFlagOn"}
	}
	return instruction{Kind: "turnFlagOff"}
}

func same(a, b *wireServe) bool {
	x, errX := json.Marshal(canonical(a))
	y, errY := json.Marshal(canonical(b))
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// wanted is what a change wants to be, in the form of a restore.
func (s *Store) wanted(r *reading, c *sources.Change) (restore, error) {
	on, off := true, false
	switch c.Kind {
	case sources.Kill:
		return restore{On: &off}, nil
	case sources.Ramp, sources.Back, sources.Set:
		if c.To < 0 || c.To > sources.Full {
			return restore{}, fmt.Errorf("%s: %s%% is no percentage from 0 to 100: %w", s.name, c.To, sources.ErrInvalid)
		}
		if err := r.flag.CanRamp(); err != nil {
			return restore{}, fmt.Errorf("%s: %w", s.name, err)
		}
		a, b := r.wire.Variations[r.on].ID, r.wire.Variations[r.other()].ID
		if a == "" || b == "" || a == b {
			return restore{}, fmt.Errorf("%s: the variations of %s have no IDs, so it cannot be ramped: %w", s.name, r.flag.Name, sources.ErrUnsupported)
		}
		serve := &outcome{Weights: map[string]int64{a: int64(c.To), b: int64(sources.Full - c.To)}}
		if roll := r.env.Fallthrough.Rollout; roll != nil {
			// Left out, the service would bucket by its default, and deal everybody anew.
			serve.BucketBy, serve.ContextKind = roll.BucketBy, roll.ContextKind
		}
		return restore{On: &on, Serve: serve}, nil
	case sources.Undo:
		return s.restored(r, c)
	case sources.Move:
		return restore{}, sources.CannotMove(s.name)
	default:
		return restore{}, fmt.Errorf("%s: a change of kind %q cannot be made: %w", s.name, sources.Clean(string(c.Kind), 40), sources.ErrUnsupported)
	}
}

func (s *Store) restored(r *reading, c *sources.Change) (restore, error) {
	var want restore
	switch err := json.Unmarshal(c.Restore, &want); {
	case err != nil || want.On == nil && want.Serve == nil:
		return want, fmt.Errorf("%s: what is on record about %s is not enough to undo it: %w", s.name, r.flag.Name, sources.ErrInvalid)
	case want.Environment != s.opts.Environment:
		return want, fmt.Errorf("%s: the change of %s was one in environment %s, and this is %s: %w",
			s.name, r.flag.Name, sources.Clean(want.Environment, 60), s.opts.Environment, sources.ErrInvalid)
	}
	return want, nil
}

// outcome is the default rule by IDs.
func (r *reading) outcome() (*outcome, error) {
	serve := r.env.Fallthrough
	id := func(i int) (string, error) {
		if i < 0 || i >= len(r.wire.Variations) || r.wire.Variations[i].ID == "" {
			return "", fmt.Errorf("the default rule of %s names a variation without an ID: %w", r.flag.Name, sources.ErrUnsupported)
		}
		return r.wire.Variations[i].ID, nil
	}
	if serve == nil || serve.Variation == nil && serve.Rollout == nil {
		return nil, fmt.Errorf("%s has no default rule that an undo could return to: %w", r.flag.Name, sources.ErrUnsupported)
	}
	if serve.Variation != nil {
		v, err := id(*serve.Variation)
		return &outcome{VariationID: v}, err
	}
	out := &outcome{Weights: map[string]int64{}, BucketBy: serve.Rollout.BucketBy, ContextKind: serve.Rollout.ContextKind}
	for _, w := range serve.Rollout.Variations {
		v, err := id(w.Variation)
		if err != nil {
			return nil, err
		}
		out.Weights[v] += w.Weight
	}
	return out, nil
}

// serve is an outcome as the flag will have it. A variation that is gone, and weights
// that are not a whole, are ErrInvalid.
func (r *reading) serve(o *outcome) (*wireServe, error) {
	index := map[string]int{}
	for i, v := range r.wire.Variations {
		index[v.ID] = i
	}
	gone := fmt.Errorf("%s does not have the variations any more that it had, so it cannot be undone; set a percentage instead: %w", r.flag.Name, sources.ErrInvalid)
	if o.VariationID != "" {
		i, ok := index[o.VariationID]
		if !ok {
			return nil, gone
		}
		return &wireServe{Variation: &i}, nil
	}
	roll := &wireRollout{BucketBy: o.BucketBy, ContextKind: o.ContextKind}
	for id, weight := range o.Weights {
		i, ok := index[id]
		if !ok {
			return nil, gone
		}
		roll.Variations = append(roll.Variations, wireWeight{Variation: i, Weight: weight})
	}
	out := &wireServe{Rollout: roll}
	if why, broken := check(out, len(r.wire.Variations)); broken {
		return nil, fmt.Errorf("%s cannot be set so, %s: %w", r.flag.Name, why, sources.ErrInvalid)
	}
	return canonical(out), nil
}
