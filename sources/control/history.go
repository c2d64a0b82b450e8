package control

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"relctl-tui/sources"
	"relctl-tui/sources/journal"
)

// History is what the journals of all stores know, newest first and at most
// limit lines (0 or less: as much as undo looks back over), with warnings about
// what could not be read.
func (c *Controller) History(limit int) ([]sources.Activity, []string) {
	entries, warnings := c.entries(limit)
	if limit > 0 && len(entries) > limit {
		entries = entries[:limit]
	}
	acts := make([]sources.Activity, len(entries))
	for i := range entries {
		acts[i] = entries[i].Activity()
	}
	return acts, warnings
}

// entries merges the newest entries of all journals, and what the stores have on
// record themselves.
func (c *Controller) entries(limit int) (all []journal.Entry, warnings []string) {
	if limit <= 0 {
		limit = historyWindow
	}
	lists := make([][]journal.Entry, 0, len(c.opts.Stores))
	for i := range c.opts.Stores {
		s := &c.opts.Stores[i]
		es, ws := s.journalled(limit)
		if a, ok := s.Driver.(sources.Auditor); ok {
			recorded, err := s.audit.read(a, c.opts.Now)
			if err != nil {
				ws = append(ws, sources.Sentence(err))
			}
			es = withRecord(es, recorded, s.Name)
		}
		warnings = append(warnings, ws...)
		lists = append(lists, es)
	}
	return merge(lists), warnings
}

// journalled is the newest entries of the store's journal.
func (s *Store) journalled(limit int) (es []journal.Entry, warnings []string) {
	if s.Journal == nil {
		return nil, nil
	}
	es, warnings, err := s.Journal.Read(limit)
	if err != nil {
		warnings = append(warnings, sources.Sentence(err))
	}
	return s.own(es), warnings
}

// own is the entries that speak for this store: those under its name, or all of
// them where the driver says that the journal is its system's alone. The same file
// has another name without a config, or in another operator's.
func (s *Store) own(es []journal.Entry) []journal.Entry {
	if d, ok := s.Driver.(sources.JournalPlacer); ok && d.JournalPath() == s.Journal.Path() {
		for i := range es {
			es[i].Flag.Source = s.Name
		}
		return es
	}
	return slices.DeleteFunc(es, func(e journal.Entry) bool { return e.Flag.Source != s.Name })
}

// merge puts lists that are newest first together by time, but leaves each in its
// own order: a journal is in the order of the writes, whatever a clock that was
// set back says.
func merge(lists [][]journal.Entry) (all []journal.Entry) {
	for {
		var next *[]journal.Entry
		for i := range lists {
			if len(lists[i]) > 0 && (next == nil || journal.Compare(lists[i][0], (*next)[0]) < 0) {
				next = &lists[i]
			}
		}
		if next == nil {
			return all
		}
		all = append(all, (*next)[0])
		*next = (*next)[1:]
	}
}

// findUndo fills the change with what takes another one back.
func (a *attempt) findUndo(ctx context.Context) error {
	for i := range a.c.opts.Stores {
		a.c.opts.Stores[i].audit.forget()
	}
	entries, warnings := a.c.entries(0)
	undone := a.c.undone(ctx, entries)
	var found *journal.Entry
	if a.intent.Change != "" {
		i := slices.IndexFunc(entries, func(e journal.Entry) bool { return e.ID == a.intent.Change })
		if i < 0 {
			return fmt.Errorf("no change %s is recorded: %w", sources.Clean(a.intent.Change, 64), sources.ErrNotFound)
		}
		found = &entries[i]
	} else {
		found = a.c.last(ctx, entries, undone, a.intent.Actor)
	}
	if found == nil {
		return nothingLeft(warnings)
	}
	if found.Outcome.Void() {
		return fmt.Errorf("change %s was never made (%s), there is nothing to undo: %w", found.ID, found.Outcome, sources.ErrInvalid)
	}
	if found.NewRevision == "" || len(found.Restore) == 0 {
		return fmt.Errorf("the record of change %s does not say how to undo it: %w", found.ID, sources.ErrUnsupported)
	}
	a.undoes, a.since = found, othersSince(entries, found, undone)
	a.change.Flag, a.change.Seen, a.change.Restore, a.change.To = found.Flag, found.NewRevision, found.Restore, 0
	a.change.Undoes = found.ID
	if found.Group != "" && a.group == "" {
		a.warnings = append(a.warnings, "that was one flag of a group; the whole of it: relctl-tui undo "+found.Group)
	}
	return nil
}

func nothingLeft(warnings []string) error {
	err := fmt.Errorf("there is nothing left to undo: %w", sources.ErrNotFound)
	if len(warnings) > 0 {
		err = fmt.Errorf("%w (%s)", err, warnings[0])
	}
	return err
}

// last is the actor's newest change that is in force, nil for none.
func (c *Controller) last(ctx context.Context, entries []journal.Entry, undone map[string]bool, actor string) *journal.Entry {
	for i := range entries {
		if e := &entries[i]; e.Actor == actor && e.Kind != sources.Undo && string(e.Kind) != sources.KindSigned && !undone[e.ID] && c.happened(ctx, e) {
			return e
		}
	}
	return nil
}

// happened says whether an entry's change is in the store: a confirmed one is, a
// failed one is not, and for the rest the store is asked.
func (c *Controller) happened(ctx context.Context, e *journal.Entry) bool {
	switch {
	case e.Outcome == sources.Confirmed:
		return true
	case e.Outcome.Void():
		return false
	}
	s, err := c.store(e.Flag.Source)
	if err != nil {
		return false
	}
	f, err := s.read(ctx, e.Flag)
	if err == nil && s.switcher() != nil && e.Kind != sources.Undo && f.Revision != e.OldRevision {
		return true // on some instances at least, and undo finds out on which
	}
	return err == nil && e.NewRevision != "" && f.Revision == e.NewRevision
}

// undone is the changes that are taken back at the moment: undone by an undo that
// is not itself undone. Entries come newest first, and an undo is always newer
// than what it undoes, so one pass settles it.
func (c *Controller) undone(ctx context.Context, entries []journal.Entry) map[string]bool {
	undone := map[string]bool{}
	for i := range entries {
		e := &entries[i]
		if e.Kind != sources.Undo || e.Undoes == "" || undone[e.ID] {
			continue
		}
		// A crash may have kept the result of an undo from being recorded.
		// An undo that not all instances of a breaker took is open, so that it can be
		// pressed again.
		s, _ := c.store(e.Flag.Source)
		if e.Outcome == sources.Unconfirmed && (s == nil || s.switcher() == nil) || c.happened(ctx, e) {
			undone[e.Undoes] = true
		}
	}
	return undone
}

// othersSince is somebody else's latest change of the same flag after found, nil
// for none. A value that came back by their hand is theirs, though its revision
// is the one that found had left, and where nobody knows whether that write was made,
// it was: the value was another before it. What was undone meanwhile does not count,
// nor does its undo.
func othersSince(entries []journal.Entry, found *journal.Entry, undone map[string]bool) *journal.Entry {
	later := map[string]bool{}
	var all []*journal.Entry
	for i := range entries {
		e := &entries[i]
		if e.ID == found.ID {
			break
		}
		if e.Flag != found.Flag || e.Outcome.Void() || string(e.Kind) == sources.KindSigned {
			continue
		}
		later[e.ID] = true
		if e.Outcome == sources.Confirmed || e.NewRevision == found.NewRevision {
			all = append(all, e)
		}
	}
	for _, e := range all {
		cancelled := undone[e.ID] || (e.Kind == sources.Undo && later[e.Undoes])
		if !cancelled && e.Actor != found.Actor {
			return e
		}
	}
	return nil
}

// InDoubt is the changes of which nobody knows the end, newest first: those whose
// result was never recorded, because a process died in between, and those that
// were written but could not be read back. Each is held against the store:
// Confirmed when the change is in force or was built upon, Failed when the old
// value is still there, Unconfirmed when neither can be said; Err explains it.
// Verdicts on changes older than a minute are recorded, so that they are reported
// once.
func (c *Controller) InDoubt() []sources.Activity {
	ctx, cancel := context.WithTimeout(context.Background(), doubtTimeout)
	defer cancel()
	entries, _ := c.entries(0)
	var doubts []sources.Activity
	for i := range entries {
		e := &entries[i]
		open := e.Outcome == sources.Pending || (e.Outcome == sources.Unconfirmed && !e.Settled)
		if !open || c.isRunning(e.ID) {
			continue
		}
		outcome, why, settled := c.verdict(ctx, e, entries[:i])
		act := e.Activity()
		act.Outcome, act.Err = outcome, sources.Clean(why, maxSentence)
		doubts = append(doubts, act)
		if settled && c.opts.Now().Sub(e.At) > inFlight {
			c.settle(e, outcome, why)
		}
	}
	return doubts
}

// verdict compares an entry with the store and with the entries after it.
func (c *Controller) verdict(ctx context.Context, e *journal.Entry, later []journal.Entry) (o sources.Outcome, why string, settled bool) {
	s, err := c.store(e.Flag.Source)
	if err != nil {
		return sources.Unconfirmed, sources.Sentence(err), false
	}
	open := "no result was recorded"
	if e.Outcome == sources.Unconfirmed {
		open = "it could not be read back at the time"
	}
	for i := len(later) - 1; i >= 0; i-- { // the next change of the flag found it so or so
		l := &later[i]
		switch {
		case l.Flag != e.Flag:
			continue
		case l.OldRevision == e.NewRevision:
			return sources.Confirmed, open + ", but a later change was made on top of it", true
		case l.OldRevision == e.OldRevision:
			return sources.Failed, open + ", and a later change found the old value still there", true
		}
		break
	}
	f, err := s.read(ctx, e.Flag)
	switch {
	case err != nil && !errors.Is(err, sources.ErrNotFound):
		return sources.Unconfirmed, open + " and the store cannot be read: " + sources.Sentence(err), false
	case err != nil:
		return sources.Unconfirmed, open + " and the flag is gone", true
	case f.Revision == e.NewRevision:
		return sources.Confirmed, open + ", but the change is in force", true
	case f.Revision == e.OldRevision:
		return sources.Failed, open + " and the store still has the old value", true
	default:
		return sources.Unconfirmed, open + " and the flag is " + f.Brief() + " now", true
	}
}

// settle keeps a verdict, where this controller may write.
func (c *Controller) settle(e *journal.Entry, o sources.Outcome, why string) {
	if c.opts.ReadOnly {
		return
	}
	if s, err := c.store(e.Flag.Source); err == nil && s.Journal != nil && !s.ReadOnly {
		_ = s.Journal.Settle(e.ID, o, why, c.opts.Now()) // asked again next time when it cannot be kept
	}
}
