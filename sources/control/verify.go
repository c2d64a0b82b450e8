package control

import (
	"context"
	"errors"
	"fmt"

	"relctl-tui/sources"
)

// certain says that after this error of a writer nothing was written; any other
// (a timeout, a lost connection) leaves that open.
func certain(err error) bool {
	for _, e := range []error{
		sources.ErrConflict, sources.ErrNotFound, sources.ErrUnsupported, sources.ErrUnauthorized,
		sources.ErrReadOnly, sources.ErrApprovalNeeded, sources.ErrInvalid, sources.ErrRefused, sources.ErrConfirm,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// failed closes a change of which nothing was written.
func (a *attempt) failed(ctx context.Context, err error) error {
	outcome := sources.Failed
	switch {
	case errors.Is(err, sources.ErrConflict):
		err = a.clash(ctx, a.conflict(ctx, err))
	case errors.Is(err, sources.ErrApprovalNeeded):
		outcome = sources.Awaiting
	}
	a.finish(nil, outcome, err)
	return err
}

// conflict says what the flag is now and what it should have been: what the
// operator saw, or for an undo what the change had left. It asks even when the
// time is up, for that is how a kill ends that never wins.
func (a *attempt) conflict(ctx context.Context, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleGrace)
	defer cancel()
	now, rerr := a.read(ctx)
	switch {
	case rerr != nil:
		return err
	case a.intent.Kind == sources.Kill:
		return fmt.Errorf("%s keeps being changed by somebody else and is %s now, so it was not killed; press kill again: %w", now.Name, now.Brief(), sources.ErrConflict)
	case a.undoes != nil && now.Revision == a.undoes.NewRevision, a.undoes == nil && now.Revision == a.intent.Seen:
		return err // the value is right, and it says what is not
	case a.undoes != nil:
		return fmt.Errorf("%s is %s now and not %s as the change left it, so it was not undone: %w", now.Name, now.Brief(), a.undoes.New, sources.ErrConflict)
	}
	was := "changed since you looked"
	switch seen := sources.Clean(a.intent.SeenAs, sources.MaxName); {
	case seen == now.Brief():
		was = "as you saw it, but was edited since"
	case seen != "":
		was = "and was " + seen + " when you looked"
	}
	to := a.change.To.String() + "%"
	switch {
	case a.goal != nil:
		to = a.goal.words
	case a.rule != nil:
		to = a.change.Variant
	}
	return fmt.Errorf("%s is %s now, %s, so it was not set to %s; look again and repeat: %w", now.Name, now.Brief(), was, to, sources.ErrConflict)
}

// settle finds out what became of a write whose answer was lost.
func (a *attempt) settle(ctx context.Context, cause error) (sources.Receipt, error) {
	r := sources.Receipt{
		Change: a.change.ID, Kind: a.intent.Kind,
		Old: a.planned.Old, New: a.planned.New, Restore: a.planned.Restore,
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleGrace)
	defer cancel()
	got, err := a.read(ctx)
	switch {
	case err == nil && got.Revision == a.planned.New.Revision:
		r.New, r.Accepted, r.Reread = got, a.c.opts.Now(), a.c.opts.Now()
		r.Warning = "written, though the store answered: " + cause.Error()
		a.finish(&r, sources.Confirmed, nil)
		return r, nil
	case err == nil && got.Revision == a.planned.Old.Revision:
		a.finish(nil, sources.Failed, cause)
		return sources.Receipt{}, cause
	case err == nil:
		cause = unconfirmed{fmt.Errorf("%s may have been changed and is %s now, look before you go on: %w", got.Name, got.Brief(), cause)}
	default:
		cause = unconfirmed{fmt.Errorf("%s may have been changed and cannot be read back: %w", a.planned.Old.Name, cause)}
	}
	a.finish(&r, sources.Unconfirmed, cause)
	return r, cause
}

// verify reads back what the store accepted. Another value than ours is
// somebody's later change, since the write was durable: it is confirmed, with a
// warning. Two exceptions: the old value still there, and a kill that is not in
// force, are never called done.
func (a *attempt) verify(ctx context.Context, r sources.Receipt) (sources.Receipt, error) {
	r.Change, r.Kind = a.change.ID, a.intent.Kind
	if r.Accepted.IsZero() {
		r.Accepted = a.c.opts.Now()
	}
	got, err := a.read(ctx)
	name := sources.Clean(a.change.Flag.Key, sources.MaxName)
	switch {
	case err != nil:
		err = unconfirmed{fmt.Errorf("%s was written but could not be read back: %w", name, err)}
	case got.Revision == r.New.Revision:
		r.Reread = a.c.opts.Now()
	case got.Revision == r.Old.Revision:
		err = unconfirmed{fmt.Errorf("%s was written but still reads %s, look before you go on", name, got.Brief())}
	case a.intent.Kind == sources.Kill && !a.killed(&got):
		err = unconfirmed{fmt.Errorf("%s was killed but somebody made it %s right after, press kill again", name, got.Brief())}
	case a.intent.Kind == sources.ForceOpen:
		err = unconfirmed{fmt.Errorf("%s was forced open but somebody made it %s right after, press it again", name, got.Brief())}
	case a.store.switcher() != nil:
		r.Reread = a.c.opts.Now()
		a.warn(fmt.Sprintf("%s is %s again: its calls fail, or somebody else changed it right after", name, got.Brief()))
	default:
		r.Reread = a.c.opts.Now()
		a.warn(fmt.Sprintf("%s was changed again right after by somebody else and is %s now", name, got.Brief()))
	}
	if err != nil {
		a.finish(&r, sources.Unconfirmed, err)
		return r, err
	}
	a.finish(&r, sources.Confirmed, nil)
	return r, nil
}

func (a *attempt) warn(sentence string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.warnings = append(a.warnings, sentence)
}
