package control

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/journal"
)

// recordPatience is how long the record of changes may keep a move, or a kill,
// waiting. Beyond it the flag's name has to be typed where a gap would matter.
const recordPatience = time.Second

// migration is the rule of a flag that is a migration, nil for any other.
func (c *Controller) migration(id sources.FlagID) *sources.Migration {
	return c.opts.Migrations[id.Key]
}

// direct makes of an intent on a migration what the store is to do: there is no
// percentage, and a kill leads to the first stage, for a flag that is disabled as a
// whole would leave the stage to the default in the applications' code.
func (a *attempt) direct() error {
	if a.intent.Kind.OfBreaker() || a.intent.Kind == sources.SilenceAlert {
		return nil
	}
	m := a.c.migration(a.change.Flag)
	a.rule = m
	switch a.intent.Kind {
	case sources.Kill:
		if m != nil {
			a.change.Kind, a.change.Variant = sources.Move, m.Stages[0]
		}
	case sources.Ramp, sources.Back, sources.Set:
		if m != nil {
			return fmt.Errorf("%s is a migration, which moves from stage to stage and has no percentage: %w", sources.Clean(a.change.Flag.Key, sources.MaxName), sources.ErrUnsupported)
		}
	case sources.Move:
		switch {
		case m == nil:
			return fmt.Errorf("%s is no migration, so there is no stage to move it to: the config makes it one under rules: %w", sources.Clean(a.change.Flag.Key, sources.MaxName), sources.ErrUnsupported)
		case !slices.Contains(m.Stages, a.intent.Stage):
			return fmt.Errorf("%q is none of the stages %s: %w", sources.Clean(a.intent.Stage, 40), strings.Join(m.Stages, ", "), sources.ErrInvalid)
		}
		a.change.Variant = a.intent.Stage
	default:
	}
	return nil
}

// learn finds out what a move is judged by, before anybody's lock is held: the
// record, and for what may lead forward the comparisons. A kill asks no query.
func (a *attempt) learn(ctx context.Context) {
	if a.rule == nil {
		return
	}
	a.past = a.c.past(ctx, a.store, a.rule, a.change.Flag)
	if a.intent.Kind == sources.Kill {
		return
	}
	if f, err := a.read(ctx); err == nil {
		at, err := a.rule.Position(&f)
		to := slices.Index(a.rule.Stages, a.stage())
		lower := to >= 0 && to <= at.Low
		if err != nil || lower || !a.rule.Proves(at) {
			return
		}
	}
	a.proof = a.c.prove(ctx, a.rule, a.past)
}

// past is what the record knows of a migration.
func (c *Controller) past(ctx context.Context, s *Store, m *sources.Migration, id sources.FlagID) sources.Past {
	p, _ := c.remembered(ctx, s, m, id)
	return p
}

// remembered is the same, with what was signed.
func (c *Controller) remembered(ctx context.Context, s *Store, m *sources.Migration, id sources.FlagID) (sources.Past, []sources.Signed) {
	type record struct {
		entries []journal.Entry
		failed  bool
	}
	done := make(chan record, 1)
	go func() {
		var r record
		r.entries, r.failed = c.recordOf(s)
		done <- r
	}()
	limit := time.NewTimer(recordPatience)
	defer limit.Stop()
	select {
	case r := <-done:
		p, signed := pastOf(m, id, r.entries)
		p.Unread = r.failed
		return p, signed
	case <-limit.C:
	case <-ctx.Done():
	}
	return sources.Past{Unread: true}, nil
}

func (c *Controller) recordOf(s *Store) (es []journal.Entry, failed bool) {
	if s.Journal != nil {
		var err error
		es, _, err = s.Journal.Read(historyWindow)
		es, failed = s.own(es), err != nil
	}
	if a, ok := s.Driver.(sources.Auditor); ok {
		recorded, err := s.audit.read(a, c.opts.Now)
		failed = failed || err != nil
		es = withRecord(es, recorded, s.Name)
	}
	return es, failed
}

// pastOf reads entries, newest first.
func pastOf(m *sources.Migration, id sources.FlagID, entries []journal.Entry) (p sources.Past, signed []sources.Signed) {
	open := true // nobody has signed, later than what is looked at, that the gap was filled
	for i := range entries {
		e := &entries[i]
		if e.Flag != id || e.Outcome.Void() {
			continue
		}
		if string(e.Kind) == sources.KindSigned {
			signed = append(signed, sources.Signed{Item: e.New, By: e.Actor, Reason: e.Reason, At: e.At})
			open = open && e.New != sources.SignRefillOld
			continue
		}
		if p.Entered.IsZero() {
			p.Entered = e.At
		}
		was, is := furthest(m, e.Old), furthest(m, e.New)
		if !open || (was < m.NoReturn && is < m.NoReturn) {
			continue
		}
		p.Gap = true
		if was < m.NoReturn && p.Since.IsZero() {
			p.Since = e.At
		}
	}
	return p, signed
}

// furthest is the highest stage that a value in few words names, -1 for none.
func furthest(m *sources.Migration, brief string) int {
	far := -1
	for word := range strings.FieldsSeq(brief) {
		far = max(far, slices.Index(m.Stages, word))
	}
	return max(far, slices.Index(m.Stages, brief)) // a stage's name may hold a space
}

// prove asks the readers in their order until one knows the comparisons.
func (c *Controller) prove(ctx context.Context, m *sources.Migration, past sources.Past) *sources.Proof {
	p := m.Prove(nil, time.Time{}, c.opts.Now())
	switch {
	case m.Mismatch == "":
		p.Why = "the config names no mismatch to go by"
		return &p
	case len(c.opts.Ratios) == 0:
		p.Why = "no metrics source is configured that could measure it"
		return &p
	}
	var why error
	for _, r := range c.opts.Ratios {
		samples, err := ratiosOf(ctx, r, m)
		if err != nil {
			if why == nil {
				why = err
			}
			continue
		}
		now := c.opts.Now()
		p = m.Prove(samples, past.Entered, now)
		if p.Verdict != sources.ProofUnknown {
			return &p
		}
	}
	if why != nil {
		p.Why = sources.Sentence(why)
	}
	return &p
}

func ratiosOf(ctx context.Context, r sources.RatioReader, m *sources.Migration) (samples []sources.RatioSample, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("reading the mismatch failed (%v): %w", p, sources.ErrUnavailable)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, oneLook)
	defer cancel()
	return r.Ratios(ctx, m.Mismatch, m.Span())
}

// allowedMove holds a move of a migration against the flag as the store has it.
func (a *attempt) allowedMove(p *sources.Planned) error {
	old := &p.Old
	if old.Revision != "" && old.Revision == p.New.Revision {
		return errNothingToDo
	}
	course, err := a.rule.Judge(a.intent.Kind, old, &p.New, a.past)
	switch {
	case err != nil:
		return err
	case course.Forward && !a.judged:
		return fmt.Errorf("%s is at %s now, so this would take it forward and its guards were not asked, nothing was written; look again and repeat: %w", old.Name, old.Brief(), sources.ErrConflict)
	case course.Proof && a.proof == nil:
		return fmt.Errorf("%s stays at %s: the comparisons were not looked at, press again: %w", old.Name, old.Brief(), sources.ErrRefused)
	case course.Proof && a.proof.Verdict != sources.ProofPass:
		return fmt.Errorf("%s stays at %s: %s: %w", old.Name, old.Brief(), a.proof.Sentence(), sources.ErrRefused)
	case course.Name != "" && a.intent.Confirm == "":
		return sources.WithName(fmt.Errorf("%s %s to %s: %s: %w", old.Name, old.Brief(), p.New.Brief(), course.Name, sources.ErrConfirm), old.ID)
	case course.Name != "" && a.intent.Confirm != old.Name && a.intent.Confirm != old.ID.Key:
		return fmt.Errorf("%q is not the name of %s, so it was not moved: %w", sources.Clean(a.intent.Confirm, 60), old.Name, sources.ErrRefused)
	default:
		return nil
	}
}

// stage is the stage that a change leads a migration to by its name, "" where none is
// named.
func (a *attempt) stage() string {
	switch a.intent.Kind {
	case sources.Move:
		return a.intent.Stage
	case sources.Restore:
		return a.goal.words
	case sources.Undo:
		return a.undoes.Old
	default:
		return ""
	}
}

// killed says that a kill is in force on a flag.
func (a *attempt) killed(f *sources.Flag) bool {
	if a.rule == nil {
		return f.Killed
	}
	at, err := a.rule.Position(f)
	return err == nil && at == sources.Position{}
}

// read is the flag as the store has it now, with what the config says of it.
func (a *attempt) read(ctx context.Context) (sources.Flag, error) {
	f, err := a.store.read(ctx, a.change.Flag)
	f.Migration = a.rule
	return f, err
}

// Standing is how a migration stands: its flag as the store has it, the comparisons
// and what the record knows. It changes nothing. A flag that is no migration is
// ErrUnsupported.
func (c *Controller) Standing(ctx context.Context, id sources.FlagID) (sources.Standing, error) {
	m := c.migration(id)
	if m == nil {
		return sources.Standing{}, fmt.Errorf("%s is no migration: the config makes it one under rules: %w", sources.Clean(id.Key, sources.MaxName), sources.ErrUnsupported)
	}
	s, err := c.store(id.Source)
	if err != nil {
		return sources.Standing{}, err
	}
	out := sources.Standing{At: c.opts.Now()}
	if out.Flag, err = s.read(ctx, id); err != nil {
		return out, err
	}
	out.Flag.Migration = m
	out.Past, out.Signed = c.remembered(ctx, s, m, id)
	out.Proof = *c.prove(ctx, m, out.Past)
	return out, nil
}

// Sign records that somebody did, outside, what the checklist of a migration asks
// for. It changes no flag, and nothing takes it back.
func (c *Controller) Sign(ctx context.Context, id sources.FlagID, item, actor, reason string) error {
	m := c.migration(id)
	switch {
	case c.opts.ReadOnly:
		return fmt.Errorf("this session is read-only, nothing was signed: %w", sources.ErrReadOnly)
	case m == nil:
		return fmt.Errorf("%s is no migration: %w", sources.Clean(id.Key, sources.MaxName), sources.ErrUnsupported)
	}
	s, err := c.store(id.Source)
	if err != nil {
		return err
	}
	f, err := s.read(ctx, id)
	if err != nil {
		return err
	}
	if err := m.CanSign(&f, item); err != nil {
		return err
	}
	if s.Journal == nil {
		return fmt.Errorf("%s has no journal to sign in: %w", s.Name, sources.ErrUnsupported)
	}
	now := c.opts.Now()
	e := journal.Entry{
		ID: c.opts.NewID(), At: now, Kind: sources.ChangeKind(sources.KindSigned), Flag: id, New: item,
		Actor: sources.Clean(actor, sources.MaxName), Reason: sources.Clean(reason, maxSentence),
		OldRevision: f.Revision, NewRevision: f.Revision,
	}
	err = patiently(s.Journal, func() error {
		return errors.Join(s.Journal.Intent(e), s.Journal.Result(e.ID, sources.Confirmed, "", now))
	})
	if err != nil {
		return fmt.Errorf("%s was not signed: %w", item, err)
	}
	act := e.Activity()
	act.Outcome = sources.Confirmed
	c.opts.Observe(act)
	return nil
}
