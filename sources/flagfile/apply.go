package flagfile

import (
	"context"
	"fmt"
	"os"

	"relctl-tui/sources"
)

// editorsRace is how often a write starts over because the file changed under
// it, by somebody who does not take the lock, without touching this flag.
const editorsRace = 5

// Apply makes one change under the file's lock. The receipt's Accepted is the
// moment at which file and directory were on disk. A restored flag must still
// be in the file: an undo never creates one.
func (s *Store) Apply(ctx context.Context, c sources.Change) (sources.Receipt, error) {
	if err := ctx.Err(); err != nil {
		return sources.Receipt{}, s.wrap(fmt.Errorf("nothing was written: %w: %w", sources.ErrUnavailable, err))
	}
	target := s.target()
	if info, err := os.Stat(target); err != nil || !info.Mode().IsRegular() {
		// No lock file is left beside what is no flag file.
		if _, err := s.read(); err != nil {
			return sources.Receipt{}, err
		}
	}
	unlock, err := s.lock(ctx, target)
	if err != nil {
		return sources.Receipt{}, err
	}
	defer unlock()
	defer s.sweep(target) // still under the lock, but nobody's kill waits for it
	w := writer{s: s, target: target, change: c, commit: committer{run: c.Commit}}
	for range editorsRace {
		receipt, done, err := w.attempt(ctx)
		if err != nil {
			return sources.Receipt{}, err
		}
		if done {
			return receipt, nil
		}
	}
	return sources.Receipt{}, s.wrap(fmt.Errorf("somebody keeps rewriting the file without its lock, nothing was written: %w", sources.ErrConflict))
}

// writer is one Apply while it holds the lock.
type writer struct {
	s      *Store
	target string
	change sources.Change
	commit committer
	seen   sources.Revision // what the first attempt compared and committed to
}

// attempt reads, compares and writes once. It is not done when the file was
// rewritten meanwhile by somebody who does not take the lock.
func (w *writer) attempt(ctx context.Context) (receipt sources.Receipt, done bool, err error) {
	s := w.s
	if err := s.holds(w.target, &w.change); err != nil {
		return receipt, false, err
	}
	old, err := s.open()
	if err != nil {
		return receipt, false, err
	}
	defer old.Close() //nolint:errcheck // nothing was written
	b, info, err := s.readFrom(old)
	if err != nil {
		return receipt, false, err
	}
	if !keptOpen(old) {
		_ = old.Close()
	}
	d, err := s.format.Draft(s.name, b, w.change, s.now())
	if err != nil {
		return receipt, false, s.wrap(err)
	}
	if w.seen != "" && w.seen != d.Planned.Old.Revision {
		return receipt, false, s.wrap(sources.Changed(&d.Planned.Old))
	}
	w.seen = d.Planned.Old.Revision
	receipt = sources.Receipt{
		Change: w.change.ID, Kind: w.change.Kind,
		Old: d.Planned.Old, New: d.Planned.New, Restore: d.Planned.Restore,
	}
	if d.Same {
		d.Planned.Warning = d.warning()
		receipt.Warning = sources.JoinClauses("nothing to change: "+d.Planned.Old.Name+" is "+d.Planned.Old.Brief()+" already", d.Planned.Warning)
		err = w.commit.commit(d.Planned)
		receipt.Accepted = s.now()
		return receipt, true, err
	}
	// Both reach the disk side by side, once there is something to bring there: a
	// commit under way would hold up the file's creation.
	tmp := prepare(w.target, d.Bytes, info)
	defer tmp.close()
	if err := w.ready(ctx, &tmp, d.Planned); err != nil {
		tmp.drop()
		return receipt, false, err
	}
	if !sameFile(w.target, info) {
		tmp.drop()
		return receipt, false, nil
	}
	if err := swap(&tmp, w.target, func() { receipt.Visible = s.now() }); err != nil {
		return receipt, false, s.wrap(err)
	}
	receipt.Accepted = s.now()
	receipt.Warning = sources.JoinClauses(d.warning(), tmp.warning)
	return receipt, true, nil
}

// ready brings the temporary file and the intent to the disk, and says whether the write
// may go on. What could not be prepared is not put on record.
func (w *writer) ready(ctx context.Context, tmp *prepared, p sources.Planned) error {
	if tmp.err != nil {
		return w.s.wrap(tmp.err)
	}
	var err error
	var failed any // of a fault in it, which is the caller's
	committed := make(chan struct{})
	go func() {
		defer close(committed)
		defer func() { failed = recover() }()
		err = w.commit.commit(p)
	}()
	tmp.sync(w.target) // here, since it takes a while to begin on another goroutine
	if <-committed; failed != nil {
		panic(failed)
	}
	switch {
	case err != nil:
		return err
	case tmp.err != nil:
		return w.s.wrap(tmp.err)
	case ctx.Err() != nil:
		return w.s.wrap(fmt.Errorf("given up before the write, nothing was changed: %w: %w", sources.ErrUnavailable, ctx.Err()))
	}
	return nil
}

// committer calls Change.Commit exactly once, however often the write starts over.
type committer struct {
	run func(sources.Planned) error
	err error
}

func (c *committer) commit(p sources.Planned) error {
	if run := c.run; run != nil {
		c.run = nil
		c.err = run(p)
	}
	return c.err
}
