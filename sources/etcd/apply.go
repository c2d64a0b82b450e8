package etcd

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"relctl-tui/sources"
)

const (
	trimEvery = 64 // changes between two looks at the length of the journal
	races     = 20 // how often others may touch a flag without changing it
)

// Apply makes one change in one transaction, together with its entry in the
// journal. What is remembered of the flag saves the read before it; the comparison
// of its ModRevision in the transaction decides whether that was right. A restored
// flag must still be there: an undo never creates one.
func (s *Store) Apply(ctx context.Context, c sources.Change) (sources.Receipt, error) {
	ctx, cancel := s.timed(ctx)
	defer cancel()
	if err := ctx.Err(); err != nil {
		return sources.Receipt{}, s.fault(timeUp{cause: err}, "nothing was written")
	}
	d, r, err := s.plan(ctx, &c)
	if err != nil {
		return sources.Receipt{}, s.fault(err, "nothing was written")
	}
	receipt := sources.Receipt{
		Change: c.ID, Kind: c.Kind, Old: d.planned.Old, New: d.planned.New, Restore: d.planned.Restore,
	}
	refused := d.refused()
	if d.same {
		d.planned.Warning = refused
		receipt.Warning = sources.JoinClauses("nothing to change: "+d.planned.Old.Name+" is "+d.planned.Old.Brief()+" already", refused)
		receipt.Accepted = s.opts.Now()
		return receipt, commit(&c, d.planned)
	}
	entry, err := s.entry(&c, &d.planned)
	if err != nil {
		return sources.Receipt{}, s.fault(err, "nothing was written")
	}
	if err := commit(&c, d.planned); err != nil {
		return sources.Receipt{}, err
	}
	w := write{s: s, change: &c, row: r, draft: d, entry: entry}
	if err := w.run(ctx); err != nil {
		return sources.Receipt{}, err
	}
	receipt.Accepted, receipt.Warning = s.opts.Now(), refused
	s.written()
	return receipt, nil
}

func commit(c *sources.Change, p sources.Planned) error {
	if c.Commit == nil {
		return nil
	}
	return c.Commit(p)
}

// plan compares and works the change out, on what is remembered where that agrees.
// Only a fresh read may refuse a change or find that there is nothing to do.
func (s *Store) plan(ctx context.Context, c *sources.Change) (*draft, *row, error) {
	k, there, fresh := s.memory.get(c.Flag.Key, s.opts.Now())
	if there && c.Flag.Source == s.name && (fresh || c.Seen != "") {
		r := &row{key: c.Flag.Key, value: k.value, mod: k.mod}
		if d, err := draftOf(s.name, r, *c); err == nil && !d.same {
			return d, r, nil
		}
	}
	r, err := s.row(ctx, c.Flag)
	if err != nil {
		return nil, nil, err
	}
	d, err := draftOf(s.name, r, *c)
	return d, r, err
}

func (s *Store) entry(c *sources.Change, p *sources.Planned) (string, error) {
	if c.ID == "" {
		return "", fmt.Errorf("a change without an ID cannot be recorded: %w", sources.ErrInvalid)
	}
	rec := recordOf(c, p, s.opts.Now())
	return rec.encode()
}

// written looks after the length of the journal now and then, beside the changes.
func (s *Store) written() {
	if s.writes.Add(1)%trimEvery == 1 {
		s.bg.Go(s.trim)
	}
}

// write is one change on its way into the cluster.
type write struct {
	s      *Store
	change *sources.Change
	row    *row // what the draft was made of
	draft  *draft
	entry  string
	sent   bool // an answer was lost, so an earlier try may have gone through
}

// run sends the transaction until it is known what became of it. Sending it again
// is safe: it compares the ModRevision, so it goes through at most once, and when
// it does not, its other branch reads the journal, where the entry of an earlier
// try stands if that one did.
func (w *write) run(ctx context.Context) error {
	s := w.s
	for range races {
		var got *clientv3.TxnResponse
		err := s.call(ctx, func(ctx context.Context, cli *clientv3.Client) (err error) {
			got, err = w.txn(ctx, cli)
			if err != nil && transient(err) && !unsent(err) {
				w.sent = true
			}
			return err
		})
		switch {
		case err != nil && w.sent:
			return s.doubt(err)
		case err != nil:
			return s.fault(err, "nothing was written")
		case got.Succeeded:
			s.memory.put(w.row.key, w.draft.value, got.Header.Revision, s.opts.Now())
			return nil
		}
		done, err := w.lost(got)
		if done || err != nil {
			return err
		}
	}
	return s.wrap(fmt.Errorf("others keep writing %s, nothing was changed: %w", w.draft.planned.Old.Name, sources.ErrConflict))
}

func (w *write) txn(ctx context.Context, cli *clientv3.Client) (*clientv3.TxnResponse, error) {
	flag, journal := w.s.at.flag(w.row.key), w.s.at.journal+w.change.ID
	return cli.Txn(ctx).
		If(append(w.owned(), clientv3.Compare(clientv3.ModRevision(flag), "=", w.row.mod))...).
		Then(clientv3.OpPut(flag, string(w.draft.value)), clientv3.OpPut(journal, w.entry)).
		Else(clientv3.OpGet(flag), clientv3.OpGet(journal), clientv3.OpGet(w.s.at.owners+w.row.key)).
		Commit()
}

// lost finds out why the comparison failed: an earlier try of ours went through,
// or somebody else wrote. When that left the flag's content alone, the next try
// starts from there; otherwise it is a conflict and nothing was written.
func (w *write) lost(got *clientv3.TxnResponse) (done bool, err error) {
	s := w.s
	if err := s.sameCluster(got.Header.GetClusterId()); err != nil {
		return false, s.fault(err, "nothing was written")
	}
	flag, journal := kvOf(got, 0), kvOf(got, 1)
	if w.sent && journal != nil && journal.ModRevision > w.row.mod && string(journal.Value) == w.entry {
		if flag != nil {
			s.memory.put(w.row.key, flag.Value, flag.ModRevision, s.opts.Now())
		}
		return true, nil
	}
	if err := w.dispossessed(got); err != nil {
		return false, err
	}
	if flag == nil {
		s.memory.forget(w.row.key)
		return false, s.fault(fmt.Errorf("%s was deleted meanwhile, nothing was written: %w", w.draft.planned.Old.Name, sources.ErrNotFound), "")
	}
	s.memory.put(w.row.key, flag.Value, flag.ModRevision, s.opts.Now())
	now := &row{key: w.row.key, value: flag.Value, mod: flag.ModRevision}
	again := *w.change
	again.Seen = w.draft.planned.Old.Revision // what was compared and committed to
	d, err := draftOf(s.name, now, again)
	if err != nil {
		return false, s.fault(err, "")
	}
	if !bytes.Equal(d.planned.Restore, w.draft.planned.Restore) {
		return false, s.fault(sources.Changed(&d.planned.Old), "")
	}
	w.row, w.draft = now, d
	return false, nil
}

// kvOf is what the i-th read of a transaction found, nil for nothing.
func kvOf(got *clientv3.TxnResponse, i int) *mvccpb.KeyValue {
	if i >= len(got.Responses) {
		return nil
	}
	if kvs := got.Responses[i].GetResponseRange().GetKvs(); len(kvs) > 0 {
		return kvs[0]
	}
	return nil
}

// doubt is the error of a write of which it is not known whether it went through.
// It never wraps a sentinel that would say that it did not.
func (s *Store) doubt(err error) error {
	why, _ := s.because(err)
	why = s.wrap(errors.New(why)).Error()
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s; the change may or may not be written: %w: %w", why, sources.ErrUnavailable, context.Canceled)
	}
	return fmt.Errorf("%s; the change may or may not be written: %w", why, sources.ErrUnavailable)
}
