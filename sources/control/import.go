package control

import (
	"context"
	"fmt"

	"relctl-tui/sources"
)

// Import takes a whole flagd document into the named store and reads it back. Each
// changed flag has an entry in the store's own record, from which History tells and
// Undo takes back what was changed (but not what was added or removed: an undo
// never creates or deletes a flag). It returns nil only when all of it was written
// and read back, or when there was nothing to do. ErrUnconfirmed means that at
// least a part was written, or may have been; the result then says which flags.
// DryRun writes nothing and is allowed everywhere.
func (c *Controller) Import(ctx context.Context, store string, in sources.Import) (sources.ImportResult, error) {
	s, err := c.store(store)
	switch {
	case err != nil:
		return sources.ImportResult{}, err
	case c.opts.ReadOnly && !in.DryRun:
		return sources.ImportResult{}, fmt.Errorf("this session is read-only, nothing was imported: %w", sources.ErrReadOnly)
	case s.ReadOnly && !in.DryRun:
		return sources.ImportResult{}, fmt.Errorf("%s is read-only, nothing was imported: %w", s.Name, sources.ErrReadOnly)
	}
	if now := c.opts.Now(); !in.DryRun {
		z, frozen := c.opts.Calendar.Of(nil, now)
		if !frozen {
			z, frozen = c.opts.Calendar.Partly(now)
		}
		if frozen { // which of its flags would be raised is known only when it is done
			return sources.ImportResult{}, fmt.Errorf("nothing was imported, %s; a dry run goes through: %w", z.Brief(now), sources.ErrRefused)
		}
	}
	importer, ok := s.Driver.(sources.Importer)
	if !ok {
		return sources.ImportResult{}, fmt.Errorf("%s takes no import; copy the file instead: %w", s.Name, sources.ErrUnsupported)
	}
	in.NewID = c.opts.NewID
	in.Actor, in.Reason = sources.Clean(in.Actor, sources.MaxName), sources.Clean(in.Reason, maxSentence)
	r, err := importer.Import(ctx, in)
	if in.DryRun {
		return r, err
	}
	s.audit.forget()
	c.tell(&in, &r)
	switch {
	case err != nil && (r.Written > 0 || r.InDoubt):
		return r, unconfirmed{err}
	case err != nil:
		return r, err
	case r.Written == 0:
		return r, nil
	}
	return c.confirmImport(ctx, s, r)
}

// confirmImport reads the store back. What reads otherwise was changed again by
// somebody else, since the import was durable.
func (c *Controller) confirmImport(ctx context.Context, s *Store, r sources.ImportResult) (sources.ImportResult, error) {
	lister, ok := s.Driver.(sources.FlagLister)
	if !ok {
		return r, unconfirmed{fmt.Errorf("%s was written to but cannot be read back: %w", s.Name, sources.ErrUnsupported)}
	}
	set, err := lister.Flags(ctx)
	if err != nil {
		return r, unconfirmed{fmt.Errorf("%s was written to but could not be read back: %w", s.Name, err)}
	}
	now := make(map[string]sources.Revision, len(set.Flags))
	for i := range set.Flags {
		now[set.Flags[i].ID.Key] = set.Flags[i].Revision
	}
	for i := range r.Flags {
		if f := &r.Flags[i]; f.Written && now[f.ID.Key] != f.Revision {
			f.Note = "changed again right after by somebody else"
		}
	}
	return r, nil
}

// tell lets the board know of what was written.
func (c *Controller) tell(in *sources.Import, r *sources.ImportResult) {
	for i := range r.Flags {
		f := &r.Flags[i]
		if !f.Written {
			continue
		}
		c.opts.Observe(sources.Activity{
			ID: f.Change, At: c.opts.Now(), Kind: string(sources.Imported), Flag: f.ID, Name: f.Name,
			Actor: in.Actor, Reason: in.Reason, Old: f.Old, New: f.New, Outcome: sources.Confirmed, Revision: f.Revision,
		})
	}
}
