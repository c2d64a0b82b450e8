package control

import (
	"context"
	"fmt"
	"slices"

	"relctl-tui/sources"
	"relctl-tui/sources/guarded"
)

// Frozen is what keeps a flag from being raised now by the calendar, or false.
func (c *Controller) Frozen(f *sources.Flag) (sources.Frost, bool) {
	return c.opts.Calendar.Of(f, c.opts.Now())
}

// thaw refuses a raise while the calendar is closed before anybody is asked anything
// else: a guard, comparisons, a name to type. What it cannot know yet, commit finds out.
func (a *attempt) thaw(ctx context.Context) error {
	switch a.intent.Kind {
	case sources.Ramp, sources.Set, sources.Move:
	default:
		return nil
	}
	if len(a.c.opts.Calendar) == 0 {
		return nil
	}
	f, err := a.read(ctx)
	if err != nil {
		return nil //nolint:nilerr // the write says so in better words
	}
	return a.frozen(&f, raises(&a.intent, &f))
}

// Barred is why the calendar would refuse an intent for a flag as somebody sees it, or nil,
// so that nobody is asked about what is refused after the answer. It promises nothing: what
// it does not know yet (a window may open while somebody thinks) is found out at the
// change itself.
func (c *Controller) Barred(in *sources.Intent, seen *sources.Flag) error {
	if in.Kind == sources.Guarded {
		return c.iced(seen)
	}
	return (&attempt{c: c, intent: *in}).frozen(seen, raises(in, seen))
}

// raises tells whether an intent would raise a flag as somebody sees it, as far as the
// intent says where it leads: an undo does not.
func raises(in *sources.Intent, seen *sources.Flag) bool {
	switch now := seen.Rollout.Or(0); in.Kind {
	case sources.Ramp, sources.Set:
		return in.To > now
	case sources.Restore:
		back := sources.BriefPercent(in.ToAs)
		return back.OK && back.V > now
	case sources.Move:
		m := seen.Migration
		if m == nil {
			return false
		}
		at, err := m.Position(seen)
		to := slices.Index(m.Stages, in.Stage)
		return err == nil && (to > at.Low || to > at.High)
	default:
		return false
	}
}

// iced is why a guarded ramp is not begun now by the calendar, or nil.
func (c *Controller) iced(f *sources.Flag) error {
	z, frozen := c.opts.Calendar.Of(f, c.opts.Now())
	if !frozen {
		return nil
	}
	return fmt.Errorf("%s stays at %s, %s: %w", f.Name, f.Brief(), z.Brief(c.opts.Now()), sources.ErrRefused)
}

// frozen is why a change is not made now by the calendar, or nil. It never concerns
// what lowers a flag, and not the undo of what was lowered in the same window: a kill by
// mistake must not last until Monday.
func (a *attempt) frozen(old *sources.Flag, raises bool) error {
	k := a.intent.Kind
	if !raises || a.thawed || k == sources.Kill || k == sources.Back || k.OfBreaker() || k == sources.SilenceAlert {
		return nil
	}
	now := a.c.opts.Now()
	z, frozen := a.c.opts.Calendar.Of(old, now)
	if !frozen || a.undoes != nil && !a.undoes.At.Before(z.From) {
		return nil
	}
	err := fmt.Errorf("%s stays at %s, %s", old.Name, old.Brief(), z.Brief(now))
	switch {
	case !z.Override || k == sources.Undo || k == sources.Restore:
		return fmt.Errorf("%w; kill and back go through: %w", err, sources.ErrRefused)
	case !a.intent.Override:
		return objection{err}
	case a.intent.Reason == "":
		return fmt.Errorf("raising %s during a freeze needs a reason, nothing was changed: %w", old.Name, sources.ErrInvalid)
	}
	a.thawed = true
	a.overrule(z.Brief(now))
	return nil
}

// overrule puts on record what was overridden, before the reason for it.
func (a *attempt) overrule(why string) {
	a.change.Reason = sources.Clean("OVERRIDE ("+why+"): "+a.change.Reason, maxSentence)
}

// hold keeps a guarded ramp from climbing while the calendar is closed, as what cannot
// be measured does. A breach still leads back.
func (r *Ramp) hold(look *guarded.Look, f *sources.Flag) {
	if f == nil || look.Verdict == sources.GuardBreach || r.state.At >= r.state.Goal() {
		return
	}
	now := r.c.opts.Now()
	if z, frozen := r.c.opts.Calendar.Of(f, now); frozen {
		look.Verdict, look.Why = sources.GuardUnknown, "it stays, "+z.Brief(now)
	}
}
