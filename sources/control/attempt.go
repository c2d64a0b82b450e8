package control

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/journal"
)

// errNothingToDo is how commit stops a write that would change nothing.
var errNothingToDo = errors.New("nothing to do")

// attempt is one intent being carried out.
type attempt struct {
	c      *Controller
	intent sources.Intent
	store  *Store
	writer sources.FlagWriter
	change sources.Change
	group  string         // see journal.Entry
	undoes *journal.Entry // the change being undone
	since  *journal.Entry // somebody else's change of that flag after it, nil for none
	goal   *state         // what a Restore returns to, nil for any other kind
	judged bool           // its guards were asked, or it needs none
	thawed bool           // a freeze was overridden, and the reason says so

	rule  *sources.Migration // of a flag that is a migration; nil otherwise
	past  sources.Past       // what the record knows of it
	proof *sources.Proof     // how the comparisons stand; nil when they were not asked for

	mu        sync.Mutex // commit may run on the driver's goroutine
	planned   *sources.Planned
	open      bool          // the driver may have written what was planned
	idle      *sources.Flag // set when there was nothing to do
	journaled bool
	endure    []func() error // what brings the intents of a kill to the disk, once it is done
	late      []<-chan begun // intents of a kill that were not written in time
	warnings  []string
}

// prepare finds the store and the writer, and checks what needs no flag.
func (a *attempt) prepare(ctx context.Context) (err error) {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("nothing was changed, the time was up before it began: %w: %w", err, sources.ErrUnavailable)
	}
	switch a.intent.Kind {
	case sources.Kill:
		a.change.Seen, a.change.To = "", 0
	case sources.ForceOpen:
		a.change.Seen = ""
	case sources.CloseBreaker, sources.Move:
	case sources.SilenceAlert:
		if err := a.prepareSilence(); err != nil {
			return err
		}
	case sources.Ramp, sources.Back, sources.Set:
		if a.intent.To < 0 || a.intent.To > sources.Full {
			return fmt.Errorf("%s%% is outside 0..100: %w", a.intent.To, sources.ErrInvalid)
		}
	case sources.Undo:
		if err := a.findUndo(ctx); err != nil {
			return err
		}
	case sources.Restore:
		if err := a.findState(); err != nil {
			return err
		}
	default:
		return fmt.Errorf("%q is nothing that can be done to a flag: %w", sources.Clean(string(a.intent.Kind), 20), sources.ErrInvalid)
	}
	if err := a.direct(); err != nil {
		return err
	}
	if a.store, err = a.c.store(a.change.Flag.Source); err != nil {
		return err
	}
	if a.writer, err = a.store.writer(ctx); err != nil {
		return err
	}
	if err := a.fits(); err != nil {
		return err
	}
	if err := a.aim(); err != nil {
		return err
	}
	a.learn(ctx)
	return nil
}

// fits says why the store has nothing of the kind that is to be changed, or nil.
func (a *attempt) fits() error {
	switch k := a.intent.Kind; {
	case k.OfBreaker() && a.store.switcher() == nil:
		return fmt.Errorf("%s has flags and no breakers: %w", a.store.Name, sources.ErrUnsupported)
	case k == sources.SilenceAlert && a.store.silencer() == nil:
		return fmt.Errorf("%s has no alerts that can be silenced: %w", a.store.Name, sources.ErrUnsupported)
	default:
		return nil
	}
}

func (a *attempt) run(ctx context.Context) (sources.Receipt, error) {
	r, err := a.write(ctx)
	a.mu.Lock()
	idle, planned, open := a.idle, a.planned, a.open
	a.mu.Unlock()
	switch {
	case idle != nil:
		if planned != nil { // an earlier try was recorded, then somebody else was quicker
			a.finish(nil, sources.Failed, fmt.Errorf("%s was already there", idle.Brief()))
		}
		return a.nothingToDo(*idle), nil
	case err == nil && planned == nil && r.Old.Revision == r.New.Revision:
		return a.nothingToDo(r.New), nil
	case err == nil && planned == nil: // the driver wrote without asking
		_ = a.commit(sources.Planned{Old: r.Old, New: r.New, Restore: r.Restore})
	case errors.As(err, new(partly)):
		a.finish(&r, sources.Unconfirmed, err)
		return r, err
	case err != nil && (!open || certain(err)):
		return sources.Receipt{}, a.failed(ctx, err)
	case err != nil:
		return a.settle(ctx, err)
	}
	return a.verify(ctx, r)
}

// write applies the change; a kill goes on until it wins or ctx ends.
func (a *attempt) write(ctx context.Context) (sources.Receipt, error) {
	for pause := firstRetry; ; pause = min(2*pause, lastRetry) {
		r, err := a.apply(ctx)
		if errors.Is(err, errInexact) && a.byValue() == nil {
			r, err = a.apply(ctx)
		}
		if err == nil || a.intent.Kind != sources.Kill || !errors.Is(err, sources.ErrConflict) {
			return r, err
		}
		a.mu.Lock()
		a.open = false // what was planned is overtaken
		a.mu.Unlock()
		select {
		case <-ctx.Done():
			return r, err
		case <-time.After(pause):
		}
	}
}

// apply keeps a driver's panic from taking the board down with it.
func (a *attempt) apply(ctx context.Context) (r sources.Receipt, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the driver of %s failed while writing (%v): %w", a.store.Name, p, sources.ErrUnavailable)
		}
	}()
	r, err = a.writer.Apply(ctx, a.change)
	r.Old.Migration, r.New.Migration = a.rule, a.rule
	return r, err
}

// commit runs between the compare and the swap: rules first, then the journal.
func (a *attempt) commit(p sources.Planned) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	p.Old.Migration, p.New.Migration = a.rule, a.rule
	err := a.allowed(&p)
	if until := a.intent.Until; err == nil && !until.IsZero() && !a.c.opts.Now().Before(until) {
		err = fmt.Errorf("%s was not written in its time, nothing was changed: %w", p.Old.Name, sources.ErrUnavailable)
	}
	if err == nil {
		err = a.frozen(&p.Old, sources.Raises(&p.Old, &p.New))
	}
	if err != nil {
		if errors.Is(err, errNothingToDo) {
			a.idle = &p.Old
			if p.Warning != "" {
				a.warnings = append(a.warnings, p.Warning)
			}
		}
		return err
	}
	now := a.c.opts.Now()
	if j := a.store.Journal; j != nil {
		if err := a.record(j, a.entry(&p, now)); err != nil {
			return fmt.Errorf("nothing was changed because it could not be recorded: %w", err)
		}
	}
	a.planned, a.open = &p, true
	a.c.opts.Observe(a.activity(&p, now, sources.Pending, nil))
	return nil
}

// allowed holds a change against the flag as the store has it at this moment.
func (a *attempt) allowed(p *sources.Planned) error {
	old := &p.Old
	switch a.intent.Kind {
	case sources.Kill:
		switch {
		case a.killed(old):
			return errNothingToDo
		case a.rule != nil:
			return a.allowedMove(p)
		}
		return nil
	case sources.Move:
		return a.allowedMove(p)
	case sources.Restore:
		return a.allowedRestore(p)
	case sources.Undo:
		return a.allowedUndo(p)
	case sources.SilenceAlert:
		return nil
	case sources.ForceOpen, sources.CloseBreaker:
		if old.Revision == p.New.Revision {
			return errNothingToDo
		}
		return nil
	}
	if err := old.CanRamp(); err != nil {
		return err
	}
	to, now := a.change.To, old.Rollout.Or(0)
	switch {
	case old.Revision != "" && old.Revision == p.New.Revision:
		return errNothingToDo
	case to > now && !a.judged:
		return fmt.Errorf("%s is at %s%% now, so this would raise it and its guards were not asked, nothing was written; look again and repeat: %w", old.Name, now, sources.ErrConflict)
	case a.intent.Kind == sources.Ramp && to < now:
		return fmt.Errorf("%s is at %s%% already, a ramp to %s%% would lower it: %w", old.Name, now, to, sources.ErrInvalid)
	case a.intent.Kind == sources.Back && to > now:
		return fmt.Errorf("%s is at %s only, a step back to %s%% would raise it: %w", old.Name, old.Brief(), to, sources.ErrInvalid)
	}
	return nil
}

// allowedUndo holds an undo against what was done to the flag since.
func (a *attempt) allowedUndo(p *sources.Planned) error {
	if l := a.since; l != nil {
		return fmt.Errorf("%s is %s again because %s made it so after that change, so it was not undone: %w",
			p.Old.Name, p.Old.Brief(), cmp.Or(l.Actor, "somebody"), sources.ErrConflict)
	}
	if a.rule != nil {
		return a.allowedMove(p)
	}
	return nil
}

func (a *attempt) entry(p *sources.Planned, now time.Time) journal.Entry {
	e := journal.Entry{
		ID: a.change.ID, At: now, Kind: a.intent.Kind, Flag: a.change.Flag,
		Actor: a.change.Actor, Reason: a.change.Reason,
		Old: p.Old.Brief(), New: p.New.Brief(),
		OldRevision: p.Old.Revision, NewRevision: p.New.Revision, Restore: p.Restore,
		Group: a.group,
	}
	switch a.intent.Kind {
	case sources.Ramp, sources.Back, sources.Set:
		e.To = a.change.To.String()
	case sources.Move:
		e.To = a.change.Variant
	case sources.Restore:
		e.To = a.goal.words
	case sources.Undo:
		e.Undoes = a.undoes.ID
	}
	return e
}

func (a *attempt) activity(p *sources.Planned, at time.Time, o sources.Outcome, err error) sources.Activity {
	e := a.entry(p, at)
	act := e.Activity()
	act.Actor = sources.Clean(act.Actor, sources.MaxName)
	act.Reason = sources.Clean(act.Reason, maxSentence)
	act.Outcome, act.Variant = o, sources.Clean(p.New.Variant, sources.MaxName)
	if err != nil {
		act.Err = sources.Sentence(err)
	}
	return act
}

// nothingToDo is the receipt of a change that the store has already.
func (a *attempt) nothingToDo(f sources.Flag) sources.Receipt {
	warning := f.Name + " is " + f.Brief() + " already, nothing was written"
	if a.intent.Kind == sources.Kill && a.rule == nil {
		warning = f.Name + " was already killed"
	}
	for _, w := range a.warnings {
		warning += ", but " + w
	}
	now := a.c.opts.Now()
	return sources.Receipt{
		Change: a.change.ID, Kind: a.intent.Kind, Old: f, New: f, Accepted: now, Reread: now,
		Warning: sources.Clean(warning, maxSentence),
	}
}

// finish records the outcome, tells the board and completes the receipt.
func (a *attempt) finish(r *sources.Receipt, o sources.Outcome, cause error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.c.opts.Now()
	a.awaitLate()
	if a.journaled {
		j := a.store.Journal
		if err := patiently(j, func() error { return j.Result(a.change.ID, o, sources.Sentence(cause), now) }); err != nil {
			a.warnings = append(a.warnings, "the result could not be recorded: "+sources.Sentence(err))
		}
		for _, endure := range a.endure {
			if err := patiently(j, endure); err != nil {
				a.warnings = append(a.warnings, sources.Sentence(err))
			}
		}
		a.endure = nil
	}
	a.store.audit.forget()
	if a.planned != nil {
		a.c.opts.Observe(a.activity(a.planned, now, o, cause))
	}
	if r == nil {
		return
	}
	for _, w := range a.warnings {
		if r.Warning != "" {
			r.Warning += "; "
		}
		r.Warning += w
	}
	r.Warning = sources.Clean(r.Warning, maxSentence)
}
