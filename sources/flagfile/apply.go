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
		if _, _, err := s.read(); err != nil {
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
	b, info, err := s.read()
	if err != nil {
		return receipt, false, err
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
		w.commit.start(d.Planned)
		receipt.Warning = sources.JoinClauses("nothing to change: "+d.Planned.Old.Name+" is "+d.Planned.Old.Brief()+" already", d.Planned.Warning)
		err = w.commit.wait()
		receipt.Accepted = s.now()
		return receipt, true, err
	}
	// Both reach the disk side by side, once there is something to bring there: a
	// commit under way would hold up the file's creation.
	tmp := prepare(w.target, d.Bytes, info, func() { w.commit.start(d.Planned) })
	if err := w.ready(ctx, &tmp); err != nil {
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

// ready waits for the intent to be durable and says whether the write may go on.
func (w *writer) ready(ctx context.Context, tmp *prepared) error {
	if err := w.commit.wait(); err != nil {
		return err
	}
	if tmp.err != nil {
		return w.s.wrap(tmp.err)
	}
	if err := ctx.Err(); err != nil {
		return w.s.wrap(fmt.Errorf("given up before the write, nothing was changed: %w: %w", sources.ErrUnavailable, err))
	}
	return nil
}

// committer calls Change.Commit exactly once, however often the write starts
// over.
type committer struct {
	run  func(sources.Planned) error
	done chan error
	err  error
}

func (c *committer) start(p sources.Planned) {
	if c.run == nil {
		return
	}
	run := c.run
	c.run, c.done = nil, make(chan error, 1)
	done := c.done
	go func() { done <- run(p) }()
}

func (c *committer) wait() error {
	if c.done != nil {
		c.err, c.done = <-c.done, nil
	}
	return c.err
}
