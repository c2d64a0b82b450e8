package control

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"relctl-tui/sources"
)

// ErrNotEffective means that a change was written and read back, but that the
// side that evaluates did not have it in the time it was given.
var ErrNotEffective = errors.New("not effective")

// ErrUntold means that a change was written and read back, and that nobody could be
// asked in the time that was given whether it is in force: it may well be.
var ErrUntold = errors.New("not told whether it is effective")

// ErrOvertaken means that the flag was changed again before the change was seen
// to be effective, so that nobody can see it any more.
var ErrOvertaken = errors.New("changed again before it was effective")

// EffectError tells an error of Effect, whose change was written and read back, from one of
// the change itself.
func EffectError(err error) bool {
	return errors.Is(err, ErrNotEffective) || errors.Is(err, ErrUntold) || errors.Is(err, ErrOvertaken)
}

// unproven is a sentence that is ErrNotEffective or ErrUntold without saying so.
type unproven struct {
	error
	is error
}

func (u unproven) Is(target error) bool { return target == u.is }
func (u unproven) Unwrap() error        { return u.error }

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
// tell of this very change, or cannot be asked for want of a secret, and all others have it.
// When the time is up it is ErrNotEffective where somebody answered and did not have the
// change, and ErrUntold where who is left could not be asked at all; both say why.
func (c *Controller) Effect(ctx context.Context, r sources.Receipt, within time.Duration) (sources.Receipt, error) {
	s, err := c.store(r.New.ID.Source)
	if err != nil {
		return r, err
	}
	p := proofBy(s.evaluators())
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
			return r, p.missed(&r, within)
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
	open   []asked          // who did not have the change when last asked
	last   sources.Evidence // the newest of who has it
	why    error            // why the last question had no answer; nil where it had one
	untold error            // why one who is not asked again cannot tell
}

// asked is one who is asked, and what came of it so far.
type asked struct {
	sources.Verifier
	answered bool   // it has answered, which was that it does not have the change
	denied   string // in these words, when it last did
	why      error  // why its last question had no answer; nil where it had one
}

func proofBy(all []sources.Verifier) proof {
	var p proof
	for _, v := range all {
		p.open = append(p.open, asked{Verifier: v})
	}
	return p
}

// ask puts the question once to each who is open. Who can never tell is asked no more, but
// the others are, for they may say that the change is not in force. A question that was
// cut short by the end of the time says nothing.
func (p *proof) ask(ctx context.Context, r sources.Receipt) {
	var still []asked
	for _, v := range p.open {
		e, err := askOne(ctx, v, r)
		switch {
		case err != nil && ctx.Err() != nil:
			still = append(still, v)
		case errors.Is(err, sources.ErrNoSecret):
			p.untold = fmt.Errorf("%w: %w", err, sources.ErrUnsupported)
		case errors.Is(err, sources.ErrUnsupported):
			p.untold = err
		case err != nil:
			v.why, p.why = err, err
			still = append(still, v)
		case !e.Effective:
			v.answered, v.denied, v.why, p.why = true, e.Detail, nil, nil
			still = append(still, v)
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

// missed is what to say when the time is up. Only an answer can be that the change is not in
// force: who could not be asked has said nothing, and whoever reads that a kill failed acts on it.
func (p *proof) missed(r *sources.Receipt, within time.Duration) error {
	mute := ""
	for i := range p.open {
		v := &p.open[i]
		if !v.answered {
			mute = cmp.Or(mute, sources.Sentence(v.why))
			continue
		}
		detail := v.denied
		if v.why != nil {
			detail = cmp.Or(detail, "it was so at first") + ", and then it could not be asked any more: " + sources.Sentence(v.why)
		}
		if detail != "" {
			detail = ": " + detail
		}
		return unproven{fmt.Errorf("%s was written, but is NOT effective after %s%s", r.New.Name, within, detail), ErrNotEffective}
	}
	return unproven{fmt.Errorf("%s was written and confirmed in the store, but whether it is effective could not be told after %s: %s; look at its evaluator (verify)",
		r.New.Name, within, cmp.Or(mute, "no answer came in that time")), ErrUntold}
}
