package control

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"relctl-tui/sources"
	"relctl-tui/sources/journal"
)

// errInexact stops a write that would not bring back the definition that was meant.
var errInexact = fmt.Errorf("the store cannot bring back exactly what was: %w", sources.ErrUnsupported)

// state is what a flag was at some time.
type state struct {
	words    string // "25%"
	revision sources.Revision
	restore  []byte // its definition as the store keeps it, nil where nobody has it
}

// stateAfter is the state that the i-th of a flag's entries left, and stateBefore the
// one that it found. Its definition is on record with every change that found it.
func stateAfter(entries []journal.Entry, i int) state {
	return found(entries, state{words: entries[i].New, revision: entries[i].NewRevision})
}

func stateBefore(entries []journal.Entry, i int) state {
	e := &entries[i]
	return found(entries, state{words: e.Old, revision: e.OldRevision, restore: e.Restore})
}

func found(entries []journal.Entry, s state) state {
	for i := range entries {
		if e := &entries[i]; len(s.restore) == 0 && s.revision != "" && e.OldRevision == s.revision {
			s.restore = e.Restore
		}
	}
	return s
}

// ofFlag is a flag's own entries out of its store's record, newest first, each with an
// ID to name it by, and what could not be read.
func (c *Controller) ofFlag(s *Store, id sources.FlagID) (es []journal.Entry, warnings []string) {
	es, warnings = s.journalled(historyWindow)
	if a, ok := s.Driver.(sources.Auditor); ok {
		recorded, err := s.audit.read(a, c.opts.Now)
		if err != nil {
			warnings = append(warnings, sources.Sentence(err))
		}
		es = withRecord(es, recorded, s.Name)
	}
	es = slices.DeleteFunc(es, func(e journal.Entry) bool { return e.Flag != id })
	for i := range es {
		if es[i].ID == "" { // a store that gives none: the moment will do
			es[i].ID = "at-" + strconv.FormatInt(es[i].At.UnixMilli(), 36)
		}
	}
	return es, warnings
}

// FlagHistory is everything on record of one flag: the journal together with what its
// store has on record itself, and the states that nobody has on record but that a later
// change found. Where a part cannot be read the rest is given, with a warning. An error
// means that the store is not known.
func (c *Controller) FlagHistory(ctx context.Context, id sources.FlagID) (sources.History, error) {
	h := sources.History{Flag: sources.Flag{ID: id, Name: sources.Clean(id.Key, sources.MaxName)}, ReadAt: c.opts.Now()}
	s, err := c.store(id.Source)
	if err != nil {
		return h, err
	}
	s.audit.forget()
	f, err := s.read(ctx, id)
	if err == nil {
		f.Migration = c.migration(id)
		h.Flag = f
	}
	es, warnings := c.ofFlag(s, id)
	if err != nil {
		warnings = append(warnings, sources.Sentence(err))
	}
	h.Warnings = warnings
	p := past{c: c, flag: &h.Flag, es: es, undone: c.undone(ctx, es), by: map[string]*journal.Entry{}, here: s.switcher() == nil && s.silencer() == nil}
	for i := range es {
		if e := &es[i]; e.Kind == sources.Undo && e.Undoes != "" && p.undone[e.Undoes] && p.by[e.Undoes] == nil {
			p.by[e.Undoes] = e
		}
	}
	h.Past = p.lines()
	return h, nil
}

// past makes the lines of a history.
type past struct {
	c      *Controller
	flag   *sources.Flag
	es     []journal.Entry
	undone map[string]bool
	by     map[string]*journal.Entry // the undo that is in force, by what it undid
	here   bool                      // the store has flags, which can be returned
}

func (p *past) lines() (lines []sources.PastChange) {
	now := p.flag.Revision // what the next older entry should have left
	var newer *journal.Entry
	at := -1
	for i := range p.es {
		e := &p.es[i]
		open := e.Outcome == sources.Pending || e.Outcome == sources.Unconfirmed
		lost := open && e.NewRevision != now && e.OldRevision == now // it was never written, or is undone
		if !e.Outcome.Void() && !lost && string(e.Kind) != sources.KindSigned {
			if e.NewRevision != "" && now != "" && e.NewRevision != now {
				lines = append(lines, p.gap(newer, at, e))
			}
			now, newer, at = e.OldRevision, e, i
		}
		lines = append(lines, p.line(i))
	}
	if newer != nil && newer.Old != "" {
		lines = append(lines, p.gap(newer, at, nil))
	}
	p.inForce(lines)
	return lines
}

func (p *past) line(i int) sources.PastChange {
	e := &p.es[i]
	l := sources.PastChange{Activity: e.Activity(), Group: e.Group, Undoes: e.Undoes}
	if u := p.by[e.ID]; u != nil {
		l.Undone, l.UndoneBy = u.ID, cmp.Or(u.Actor, "somebody")
	}
	st := stateAfter(p.es, i)
	l.Exact, l.Cannot = len(st.restore) > 0, p.cannot(e, &st)
	return l
}

// gap is what happened past every record between two changes; newer is nil when it is
// the last that happened, and older nil for what was at first.
func (p *past) gap(newer *journal.Entry, at int, older *journal.Entry) sources.PastChange {
	l := sources.PastChange{Activity: sources.Activity{
		Kind: string(sources.Edited), Flag: p.flag.ID, Name: p.flag.Name, Outcome: sources.Seen, New: p.flag.Brief(), Revision: p.flag.Revision,
	}}
	if older != nil {
		l.Old = older.New
	}
	if newer == nil {
		return l
	}
	l.ID, l.Before, l.New, l.Revision = newer.ID, true, newer.Old, newer.OldRevision
	st := stateBefore(p.es, at)
	l.Exact, l.Cannot = len(st.restore) > 0, p.cannot(newer, &st)
	return l
}

// inForce marks the newest line whose state the flag has now.
func (p *past) inForce(lines []sources.PastChange) {
	for i := range lines {
		l := &lines[i]
		same := l.Revision != "" && l.Revision == p.flag.Revision || l.Revision == "" && l.New == p.flag.Brief()
		if !l.Outcome.Void() && l.Kind != sources.KindSigned && same {
			l.InForce = true
			return
		}
	}
}

func (p *past) cannot(e *journal.Entry, st *state) string {
	switch {
	case !p.here:
		return "only flags are returned to earlier states"
	case string(e.Kind) == sources.KindSigned:
		return "a sign-off is no state of the flag"
	case e.Outcome == sources.Refused:
		return "a guard refused that change, so it never happened"
	case e.Outcome.Void():
		return "that change never happened"
	case len(st.restore) > 0:
		return ""
	}
	_, err := st.change(p.flag.Migration)
	return sources.Sentence(err)
}

// change is the write that makes a flag what its record says in words.
func (s *state) change(m *sources.Migration) (sources.Change, error) {
	to := sources.BriefPercent(s.words)
	switch {
	case m != nil && slices.Contains(m.Stages, s.words):
		return sources.Change{Kind: sources.Move, Variant: s.words}, nil
	case m == nil && s.words == "killed":
		return sources.Change{Kind: sources.Kill}, nil
	case m == nil && to.OK:
		return sources.Change{Kind: sources.Set, To: to.V}, nil
	default:
		return sources.Change{}, fmt.Errorf("nobody has its definition of then on record, and %q alone does not say what to write: %w", cmp.Or(s.words, "nothing"), sources.ErrUnsupported)
	}
}

// findState finds what a Restore returns to.
func (a *attempt) findState() error {
	s, err := a.c.store(a.intent.Flag.Source)
	if err != nil {
		return err
	}
	if s.switcher() != nil || s.silencer() != nil {
		return fmt.Errorf("only flags are returned to earlier states, and %s has none: %w", s.Name, sources.ErrUnsupported)
	}
	s.audit.forget()
	es, warnings := a.c.ofFlag(s, a.intent.Flag)
	i := slices.IndexFunc(es, func(e journal.Entry) bool { return e.ID == a.intent.Change })
	name := sources.Clean(a.intent.Flag.Key, sources.MaxName)
	switch {
	case i < 0 && len(warnings) > 0:
		return fmt.Errorf("no change %s of %s is on record, nothing was changed (%s): %w", sources.Clean(a.intent.Change, 64), name, warnings[0], sources.ErrNotFound)
	case i < 0:
		return fmt.Errorf("no change %s of %s is on record, nothing was changed: %w", sources.Clean(a.intent.Change, 64), name, sources.ErrNotFound)
	case es[i].Outcome.Void() && !a.intent.Before:
		return fmt.Errorf("change %s of %s never happened, so there is no state after it: %w", es[i].ID, name, sources.ErrInvalid)
	case string(es[i].Kind) == sources.KindSigned:
		return fmt.Errorf("%s is a sign-off, which is no state of %s: %w", es[i].ID, name, sources.ErrInvalid)
	}
	st := stateAfter(es, i)
	if a.intent.Before {
		st = stateBefore(es, i)
	}
	a.goal, a.change.As = &st, sources.Restore
	return nil
}

// aim fills the change of a Restore: with the definition where somebody has it, else
// with what the record says in words.
func (a *attempt) aim() error {
	switch {
	case a.goal == nil:
		return nil
	case len(a.goal.restore) > 0:
		a.change.Kind, a.change.Restore = sources.Undo, a.goal.restore
		return nil
	}
	return a.byValue()
}

func (a *attempt) byValue() error {
	c, err := a.goal.change(a.rule)
	if err != nil {
		return fmt.Errorf("%s cannot be returned to that state: %w", sources.Clean(a.change.Flag.Key, sources.MaxName), err)
	}
	a.change.Kind, a.change.To, a.change.Variant, a.change.Restore = c.Kind, c.To, c.Variant, nil
	a.mu.Lock()
	a.goal.restore, a.goal.revision = nil, ""
	a.mu.Unlock()
	return nil
}

// allowedRestore holds a return against the flag as the store has it.
func (a *attempt) allowedRestore(p *sources.Planned) error {
	old := &p.Old
	switch {
	case old.Revision != "" && old.Revision == p.New.Revision:
		return errNothingToDo
	case len(a.goal.restore) > 0 && a.goal.revision != "" && p.New.Revision != a.goal.revision:
		return errInexact
	case a.rule != nil:
		return a.allowedMove(p)
	case !a.judged && (!p.New.Rollout.OK || !old.Rollout.OK || p.New.Rollout.V > old.Rollout.V):
		return fmt.Errorf("%s is at %s now, so this would raise it and its guards were not asked, nothing was written; look again and repeat: %w", old.Name, old.Brief(), sources.ErrConflict)
	default:
		return nil
	}
}

// Clash is why an undo or a return was a conflict, and what would be done all the same
// by somebody who has seen it.
type Clash struct {
	Flag    sources.Flag   // as it is now
	By      string         // who made it so, "" when nobody knows
	Was     string         // what the operator thought it was, in few words; "" when that is not known
	To      string         // what it would be returned to, in few words
	Instead sources.Intent // returns it directly, from what it is now and from nothing else
}

// clashed is an error with its Clash.
type clashed struct {
	error
	clash Clash
}

func (c clashed) Unwrap() error { return c.error }

// ClashOf is what an undo or a return that was a conflict clashed with; false where
// that is not what err is.
func ClashOf(err error) (Clash, bool) {
	var c clashed
	return c.clash, errors.As(err, &c)
}

// clash adds to a conflict of an undo or a return what it clashed with.
func (a *attempt) clash(ctx context.Context, err error) error {
	if !errors.Is(err, sources.ErrConflict) || a.intent.Kind != sources.Undo && a.intent.Kind != sources.Restore || a.store.switcher() != nil || a.store.silencer() != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleGrace)
	defer cancel()
	now, rerr := a.read(ctx)
	if rerr != nil {
		return err
	}
	c := Clash{Flag: now, By: now.ChangedBy, Instead: sources.Intent{
		Kind: sources.Restore, Flag: now.ID, Seen: now.Revision, SeenAs: now.Brief(), Change: a.intent.Change, Before: a.intent.Before, Reason: a.intent.Reason,
	}}
	if a.goal != nil {
		c.Was, c.To = sources.Clean(a.intent.SeenAs, sources.MaxName), a.goal.words
	} else {
		c.Was, c.To = a.undoes.New, a.undoes.Old
		c.Instead.Change, c.Instead.Before = a.undoes.ID, true
	}
	es, _ := a.c.ofFlag(a.store, now.ID)
	for i := range es {
		if e := &es[i]; !e.Outcome.Void() && e.NewRevision == now.Revision {
			c.By = cmp.Or(e.Actor, c.By)
			break
		}
	}
	return clashed{err, c}
}
