package flagd

import (
	"bytes"
	"context"
	"fmt"
	"os"

	"relctl-tui/sources"
)

// editorsRace is how often a write starts over because the file changed under
// it, by somebody who does not take the lock, without touching this flag.
const editorsRace = 5

// draft is a change worked out on one version of the file.
type draft struct {
	planned sources.Planned
	bytes   []byte
	same    bool      // nothing to write
	old     *document // what it was worked out on
	def     *definition
	now     reading // of the flag after the change
}

// refused is the sentence for a change that is written but that no application
// will see: flagd takes no file of which it refuses one flag, and goes on with the
// definitions that it had. "" when there is no such flag.
func (d *draft) refused() string {
	r := newReader(d.old)
	for i := range d.old.defs {
		def, got := &d.old.defs[i], d.now
		if def != d.def {
			got = r.read(def)
		}
		if got.refused {
			return fmt.Sprintf("applications will not see this change until %s is mended in the file: %s", sources.Clean(def.key, 100), got.note)
		}
	}
	return ""
}

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
	b, info, err := s.read()
	if err != nil {
		return receipt, false, err
	}
	d, err := s.draft(b, w.change)
	if err != nil {
		return receipt, false, err
	}
	if w.seen != "" && w.seen != d.planned.Old.Revision {
		return receipt, false, s.wrap(conflict(&d.planned.Old))
	}
	w.seen = d.planned.Old.Revision
	receipt = sources.Receipt{
		Change: w.change.ID, Kind: w.change.Kind,
		Old: d.planned.Old, New: d.planned.New, Restore: d.planned.Restore,
	}
	if d.same {
		d.planned.Warning = d.refused()
		w.commit.start(d.planned)
		receipt.Warning = "nothing to change: " + d.planned.Old.Name + " is " + d.planned.Old.Brief() + " already"
		if d.planned.Warning != "" {
			receipt.Warning = join(receipt.Warning, d.planned.Warning)
		}
		err = w.commit.wait()
		receipt.Accepted = s.now()
		return receipt, true, err
	}
	// Both reach the disk side by side, once there is something to bring there: a
	// commit under way would hold up the file's creation.
	tmp := prepare(w.target, d.bytes, info, func() { w.commit.start(d.planned) })
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
	if receipt.Warning = d.refused(); tmp.warning != "" {
		receipt.Warning = join(receipt.Warning, tmp.warning)
	}
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

func conflict(now *sources.Flag) error {
	return fmt.Errorf("%s has changed since you saw it and is %s now, nothing was written; look again and repeat: %w", now.Name, now.Brief(), sources.ErrConflict)
}

// draft compares and works out the new bytes.
func (s *Store) draft(b []byte, c sources.Change) (draft, error) {
	doc, err := scan(b)
	if err != nil {
		return draft{}, s.wrap(err)
	}
	def, err := s.find(doc, c.Flag)
	if err != nil {
		return draft{}, err
	}
	r := newReader(doc)
	got := r.read(def)
	old := r.flag(s.name, def, got)
	if c.Seen != "" && c.Seen != old.Revision {
		return draft{}, s.wrap(conflict(&old))
	}
	e := editor{doc: doc, def: def, got: got}
	edits, err := e.edits(c, &old)
	if err != nil {
		return draft{}, s.wrap(fmt.Errorf("%s was not changed: %w", old.Name, err))
	}
	d := draft{old: doc, def: def, planned: sources.Planned{Old: old, Restore: bytes.Clone(doc.bytes(def.at))}}
	d.bytes = apply(b, edits)
	d.same = bytes.Equal(b, d.bytes)
	if d.planned.New, d.now, err = s.check(d.bytes, def, doc, c); err != nil {
		return draft{}, s.wrap(err)
	}
	return d, nil
}

func (e *editor) edits(c sources.Change, old *sources.Flag) ([]edit, error) {
	switch c.Kind {
	case sources.Kill:
		return e.kill()
	case sources.Ramp, sources.Back, sources.Set:
		if err := old.CanRamp(); err != nil {
			return nil, err
		}
		return e.ramp(c.To)
	case sources.Undo:
		return e.restore(c.Restore)
	default:
		return nil, fmt.Errorf("%q is no change that can be made: %w", sources.Clean(string(c.Kind), 40), sources.ErrUnsupported)
	}
}

// check reads the new bytes back before they are written: what would not read
// as intended is refused.
func (s *Store) check(b []byte, was *definition, old *document, c sources.Change) (sources.Flag, reading, error) {
	doc, def, err := reread(b, was, old)
	if err != nil {
		return sources.Flag{}, reading{}, err
	}
	r := newReader(doc)
	got := r.read(def)
	f := r.flag(s.name, def, got)
	ok := true
	switch c.Kind {
	case sources.Kill:
		ok = f.Killed
	case sources.Ramp, sources.Back, sources.Set:
		ok = !f.Killed && f.Rollout == sources.Some(c.To)
	case sources.Undo:
		ok = bytes.Equal(doc.bytes(def.at), c.Restore)
	}
	if !ok {
		return sources.Flag{}, got, fmt.Errorf("%s would not read as intended after the edit, nothing was written: %w", f.Name, sources.ErrInvalid)
	}
	return f, got, nil
}
