package control

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/journal"
)

const (
	auditTimeout = 2 * time.Second        // of one look at a store's own record
	auditFor     = 500 * time.Millisecond // a look serves whoever asks in this time
	auditedTwice = 10 * time.Second       // a journal's entry and a store's record this near are one change
)

// audit is a store's own record of changes. Looks share one another's answer, for
// several parts of the board ask at once.
type audit struct {
	changes atomic.Uint64 // how often something has changed

	mu   sync.Mutex // held while the store is asked
	at   time.Time
	seen uint64 // of changes, before the last look
	last []sources.Recorded
	err  error
}

// read is the newest changes that a store has on record, as far as undo looks back.
// When it cannot be read, what was read before is given back with the error.
func (a *audit) read(from sources.Auditor, now func() time.Time) ([]sources.Recorded, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	seen := a.changes.Load()
	if seen == a.seen && !a.at.IsZero() && now().Sub(a.at).Abs() < auditFor {
		return a.last, a.err
	}
	ctx, cancel := context.WithTimeout(context.Background(), auditTimeout)
	defer cancel()
	recorded, err := from.History(ctx, historyWindow)
	if err == nil {
		a.last = recorded
	}
	a.err, a.at, a.seen = err, now(), seen
	return a.last, err
}

// forget makes the next look a fresh one: something has changed. It waits for no look
// that is under way, for a kill's receipt waits for it.
func (a *audit) forget() { a.changes.Add(1) }

// withRecord adds to the entries of a journal what only the store has on record:
// the changes of other operators, and our own where the journal has lost their end.
// Both lists are newest first.
func withRecord(es []journal.Entry, recorded []sources.Recorded, store string) []journal.Entry {
	known := make(map[string]*journal.Entry, len(es))
	for i := range es {
		known[es[i].ID] = &es[i]
	}
	var others []journal.Entry
	for i := range recorded {
		r := &recorded[i]
		if e := known[r.ID]; r.ID != "" && e != nil {
			if e.Outcome == sources.Pending || e.Outcome == sources.Unconfirmed {
				e.Outcome, e.Err = sources.Confirmed, ""
			}
			continue
		}
		if r.ID == "" && slices.ContainsFunc(es, func(e journal.Entry) bool { return sameChange(&e, r) }) {
			continue
		}
		flag := r.Flag
		flag.Source = store
		others = append(others, journal.Entry{
			ID: sources.Clean(r.ID, sources.MaxName), At: r.At, Kind: sources.ChangeKind(sources.Clean(r.Kind, 20)), Flag: flag,
			Actor: sources.Clean(r.Actor, sources.MaxName), Reason: sources.Clean(r.Reason, maxSentence),
			Old: sources.Clean(r.Old, sources.MaxName), New: sources.Clean(r.New, sources.MaxName), OldRevision: r.OldRevision, NewRevision: r.Revision, Restore: r.Restore,
			Undoes: r.Undoes, Group: sources.Clean(r.Group, sources.MaxName), Outcome: sources.Confirmed,
		})
	}
	return merge([][]journal.Entry{es, others})
}

// sameChange says that a record without an ID is what the journal knows already.
func sameChange(e *journal.Entry, r *sources.Recorded) bool {
	return e.Flag.Key == r.Flag.Key && e.New == r.New && e.At.Sub(r.At).Abs() < auditedTwice && !e.Outcome.Void()
}
