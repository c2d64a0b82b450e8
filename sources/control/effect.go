package control

import (
	"context"
	"errors"
	"fmt"
	"time"

	"relctl-tui/sources"
)

// ErrNotEffective means that a change was written and read back, but that the
// side that evaluates did not have it in the time it was given.
var ErrNotEffective = errors.New("not effective")

// ErrOvertaken means that the flag was changed again before the change was seen
// to be effective, so that nobody can see it any more.
var ErrOvertaken = errors.New("changed again before it was effective")

// notEffective is a sentence that is ErrNotEffective without saying so.
type notEffective struct{ error }

func (n notEffective) Is(target error) bool { return target == ErrNotEffective }
func (n notEffective) Unwrap() error        { return n.error }

const (
	firstLook  = 100 * time.Millisecond
	lastLook   = time.Second
	oneLook    = 10 * time.Second // of one question to one evaluator
	longestAsk = 5 * time.Second  // between two questions, however long an evaluator wants to be left alone
)

// CanVerify says whether somebody can be asked if a change of that source's flags
// is in force where they are evaluated.
func (c *Controller) CanVerify(source string) bool {
	s, err := c.store(source)
	return err == nil && len(s.evaluators()) > 0
}

// evaluators are all who are asked: those configured, and the store itself where
// it has a side that evaluates.
func (s *Store) evaluators() []sources.Verifier {
	if v, ok := s.Driver.(sources.Verifier); ok {
		return append([]sources.Verifier{v}, s.Evaluators...)
	}
	return s.Evaluators
}

// Effect waits until every evaluator of the flag's store evaluates it as r.New, for
// at most within, and gives r back with Effective filled in. It changes nothing. It
// ends early with ErrOvertaken when the flag is changed again and with ctx. It is
// sources.ErrUnsupported where nobody is there who could tell, or where somebody cannot
// tell of this very change and all others have it. ErrNotEffective, when the time is up, says who
// does not have the change, or could not be asked.
func (c *Controller) Effect(ctx context.Context, r sources.Receipt, within time.Duration) (sources.Receipt, error) {
	s, err := c.store(r.New.ID.Source)
	if err != nil {
		return r, err
	}
	p := proof{open: s.evaluators()}
	if len(p.open) == 0 {
		return r, fmt.Errorf("nobody is named who evaluates flags of %s, so the effect is not known: %w", s.Name, sources.ErrUnsupported)
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for pause := firstLook; ; pause = min(2*pause, lastLook) {
		wait := pause
		p.ask(ctx, r)
		switch {
		case len(p.open) == 0 && p.untold != nil:
			return r, fmt.Errorf("whether %s is effective cannot be told: %w", r.New.Name, p.untold)
		case len(p.open) == 0:
			r.Effective = p.last.At
			s.recordEffect(&r)
			c.opts.Effective(r.Change, r.Effective)
			return r, nil
		}
		if after, ok := sources.RetryAfter(p.why); ok {
			wait = max(wait, min(after, longestAsk))
		}
		if now, err := s.read(ctx, r.New.ID); err == nil && now.Revision != r.New.Revision {
			return r, fmt.Errorf("%s is %s now: %w", now.Name, now.Brief(), ErrOvertaken)
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			if errors.Is(context.Cause(ctx), context.Canceled) {
				return r, fmt.Errorf("stopped before %s was seen to be effective: %w", r.New.Name, context.Canceled)
			}
			return r, missed(r, within, p.last, p.why)
		}
	}
}

// recordEffect keeps when a change was seen to be effective, for those who ask afterwards
// how long it took. A journal that cannot be written takes nothing from the answer.
func (s *Store) recordEffect(r *sources.Receipt) {
	if s.Journal == nil || r.Change == "" || r.Old.Revision == r.New.Revision {
		return
	}
	_ = patiently(s.Journal, func() error { return s.Journal.Effective(r.Change, r.Effective) })
}

// proof is how far the question has come whether a change is in force.
type proof struct {
	open   []sources.Verifier // who did not have the change when last asked
	last   sources.Evidence   // the newest
	why    error              // why the last of them gave none
	untold error              // why one who is not asked again cannot tell
}

// ask puts the question once to each who is open. Who can never tell is asked no more, but
// the others are, for they may say that the change is not in force. A question that was
// cut short by the end of the time says nothing.
func (p *proof) ask(ctx context.Context, r sources.Receipt) {
	var still []sources.Verifier
	for _, v := range p.open {
		e, err := askOne(ctx, v, r)
		switch {
		case err != nil && ctx.Err() != nil:
			still = append(still, v)
		case errors.Is(err, sources.ErrUnsupported):
			p.untold = err
		case err != nil:
			still, p.why = append(still, v), err
		case !e.Effective:
			still, p.last, p.why = append(still, v), e, nil
		case len(still) == 0:
			p.last, p.why = e, nil
		}
	}
	p.open = still
}

func askOne(ctx context.Context, v sources.Verifier, r sources.Receipt) (e sources.Evidence, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the question about the effect failed (%v): %w", p, sources.ErrUnavailable)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, oneLook)
	defer cancel()
	return v.Verify(ctx, r)
}

func missed(r sources.Receipt, within time.Duration, last sources.Evidence, why error) error {
	detail := last.Detail
	if why != nil {
		detail = "it could not be asked: " + sources.Sentence(why)
	}
	if detail != "" {
		detail = ": " + detail
	}
	return notEffective{fmt.Errorf("%s was written, but is NOT effective after %s%s", r.New.Name, within, detail)}
}
