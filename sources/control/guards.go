package control

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"relctl-tui/sources"
)

// ErrGuarded means that a guard refused to let a flag be raised.
var ErrGuarded = errors.New("refused by a guard")

// objection is a sentence that is ErrGuarded without saying so.
type objection struct{ error }

func (o objection) Is(target error) bool { return target == ErrGuarded }
func (o objection) Unwrap() error        { return o.error }

// guardTime bounds the questions of all guards of a flag together.
const guardTime = 4 * time.Second

// Guards are the conditions on which flags are raised, and who measures them.
type Guards struct {
	Rules []sources.Guard
	// Snapshot is what the board reads, for the presets and for the flag itself. It
	// may do I/O where there is no board. nil for nothing.
	Snapshot func(context.Context) (*sources.Snapshot, error)
	// Readers answer queries; the first that can be reached does.
	Readers []sources.GuardReader
}

// Before is what guards compare with that look at the time before a ramp.
type Before struct {
	At     time.Time                // when it began; zero when that is not known
	Values map[string]sources.Value // of presets, by the guard's name
}

// of are the guards that hold for a flag.
func (g *Guards) of(f *sources.Flag) []*sources.Guard {
	var all []*sources.Guard
	for i := range g.Rules {
		if g.Rules[i].For(f) {
			all = append(all, &g.Rules[i])
		}
	}
	return all
}

// Guarded says how many guards hold for a flag.
func (c *Controller) Guarded(f *sources.Flag) int { return len(c.opts.Guards.of(f)) }

// Judge asks every guard of a flag once, all at the same time: at most one query for
// each. It changes nothing and always answers within some seconds: what could not be
// measured by then is unknown.
func (c *Controller) Judge(ctx context.Context, id sources.FlagID, before Before) (*sources.Flag, []sources.GuardResult, error) {
	ctx, cancel := context.WithTimeout(ctx, guardTime)
	defer cancel()
	g := &c.opts.Guards
	if g.Snapshot == nil {
		return nil, nil, nil
	}
	snap, err := g.Snapshot(ctx)
	if err != nil {
		return nil, nil, err
	}
	f := snap.Flag(id)
	if f == nil {
		return nil, nil, fmt.Errorf("%s is not among the flags that were read: %w", sources.Clean(id.Key, sources.MaxName), sources.ErrNotFound)
	}
	rules := g.of(f)
	out := make([]sources.GuardResult, len(rules))
	var wg sync.WaitGroup
	for i, rule := range rules {
		if rule.Query == "" {
			out[i] = snap.Preset(rule, f, before.Values[rule.Name], c.opts.Now())
			continue
		}
		wg.Go(func() { out[i] = g.query(ctx, rule, f, before.At) })
	}
	wg.Wait()
	return f, out, nil
}

// query measures a guard by the first reader that can be reached.
func (g *Guards) query(ctx context.Context, rule *sources.Guard, f *sources.Flag, before time.Time) sources.GuardResult {
	m := sources.Measurement{Value: rule.Expand(rule.Query, f), Count: rule.Expand(rule.Count, f)}
	switch rule.Against {
	case sources.AgainstBaseline:
		m.Label, m.Variant, m.Baseline = rule.Label, f.Variant, rule.Baseline
	case sources.AgainstBefore:
		m.Before = before
	}
	var sample sources.GuardSample
	err := fmt.Errorf("no source answers queries: %w", sources.ErrUnsupported)
	for _, r := range g.Readers {
		if sample, err = measure(ctx, r, m); err == nil || !errors.Is(err, sources.ErrUnavailable) {
			break
		}
	}
	return rule.Judge(f, sample, err)
}

func measure(ctx context.Context, r sources.GuardReader, m sources.Measurement) (s sources.GuardSample, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the driver failed (%v): %w", p, sources.ErrUnavailable)
		}
	}()
	return r.Measure(ctx, m)
}

// raises says whether a change may give more users the new code: what cannot be told
// may.
func (a *attempt) raises(ctx context.Context) bool {
	to := sources.Some(a.change.To)
	switch a.intent.Kind {
	case sources.Ramp:
		return true
	case sources.Restore:
		to = sources.BriefPercent(a.goal.words)
	case sources.Move:
	}
	f, err := a.read(ctx)
	if err != nil {
		return true
	}
	if a.rule != nil {
		at, err := a.rule.Position(&f)
		stage := slices.Index(a.rule.Stages, a.stage())
		return err != nil || stage < 0 || stage > at.Low
	}
	return !to.OK || !f.Rollout.OK || to.V > f.Rollout.V
}

// guard asks the guards of a change that raises a flag. It comes before the write
// and outside of the store's lock, and never for a kill, a step back or an undo, but for
// one that would take a migration forward: that is a move like any other.
func (a *attempt) guard(ctx context.Context) error {
	switch k := a.intent.Kind; {
	case k == sources.Ramp, k == sources.Set, k == sources.Move, k == sources.Restore, k == sources.Undo && a.rule != nil:
	default:
		a.judged = true
		return nil
	}
	switch {
	case len(a.c.opts.Guards.Rules) == 0 || a.c.opts.Guards.Snapshot == nil:
		a.judged = true
		return nil
	case !a.raises(ctx):
		return nil // it lowers; should it not any more, the write is refused
	}
	f, results, err := a.c.Judge(ctx, a.change.Flag, a.c.sinceRaise(ctx, a.change.Flag))
	if err != nil {
		return fmt.Errorf("its guards could not be asked, so nothing was changed: %w", err)
	}
	a.judged = true
	v := sources.Worst(results)
	if !v.Refuses() {
		a.c.remember(f, results)
		return nil
	}
	why := sources.Objections(results, v)
	if !a.intent.Override {
		now := *f // which is shared
		now.Migration = a.rule
		a.refuse(&now, why)
		return objection{fmt.Errorf("%s stays at %s: %s", now.Name, now.Brief(), why)}
	}
	if a.intent.Reason == "" {
		return fmt.Errorf("raising %s against its guards needs a reason, nothing was changed: %w", f.Name, sources.ErrInvalid)
	}
	a.overrule(why)
	a.c.remember(f, results)
	return nil
}

// refuse puts on record that guards refused a raise: what was tried, and on which
// numbers. Nothing was changed, so there is nothing to undo. A schedule's own end says it.
func (a *attempt) refuse(now *sources.Flag, why string) {
	if !a.intent.Until.IsZero() {
		return
	}
	p, at := sources.Planned{Old: *now, New: *now}, a.c.opts.Now()
	e := a.entry(&p, at)
	e.New, e.NewRevision, e.Restore = cmp.Or(a.stage(), a.change.To.String()+"%"), "", nil
	if j := a.store.Journal; j != nil {
		_ = patiently(j, func() error {
			return errors.Join(j.Intent(e), j.Settle(e.ID, sources.Refused, why, at))
		}) // whoever asked is told all the same
	}
	act := e.Activity()
	act.Outcome, act.Err = sources.Refused, sources.Clean(why, maxSentence)
	a.c.opts.Observe(act)
}

// sinceRaise is what guards compare with for a change by hand: the values before the
// flag was last raised from here, else the moment of its last change.
func (c *Controller) sinceRaise(ctx context.Context, id sources.FlagID) Before {
	c.mu.Lock()
	b, ok := c.before[id]
	c.mu.Unlock()
	if ok {
		return b
	}
	if snap, err := c.opts.Guards.Snapshot(ctx); err == nil {
		if f := snap.Flag(id); f != nil && f.Rollout.Or(0) > 0 {
			return Before{At: f.ChangedAt}
		}
	}
	return Before{}
}

// remember keeps what was measured before the first raise, for those after it.
func (c *Controller) remember(f *sources.Flag, results []sources.GuardResult) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.before[f.ID]; ok && f.Rollout.Or(0) > 0 {
		return
	}
	c.before[f.ID] = beforeOf(results, c.opts.Now())
}

func beforeOf(results []sources.GuardResult, now time.Time) Before {
	b := Before{At: now, Values: map[string]sources.Value{}}
	for i := range results {
		b.Values[results[i].Name] = results[i].Value
	}
	return b
}
