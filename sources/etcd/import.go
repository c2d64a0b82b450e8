package etcd

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"relctl-tui/sources"
)

const (
	batchOps   = 120 // of one transaction; etcd takes 128 where nobody changed that
	batchFlags = batchOps / 2
	batchBytes = 512 << 10 // etcd takes requests of 1.5 MiB
	batchTries = 5
)

// move is one flag that an import writes.
type move struct {
	at    int  // in the result's flags
	want  *row // nil to remove it
	have  *row // as it is now, nil when it is not there
	entry string
}

// Import writes a document's flags, each together with its entry in the journal.
// A batch of up to 60 flags is one transaction, which compares the ModRevision of
// each: it is written as a whole or not at all. When somebody changes a flag of a
// batch meanwhile, the batch is worked out anew. When an import breaks off, the
// result says how many flags were written; importing again does the rest.
func (s *Store) Import(ctx context.Context, in sources.Import) (sources.ImportResult, error) {
	w, err := s.read(in.Document)
	if err != nil {
		return sources.ImportResult{}, s.fault(err, "nothing was written")
	}
	lctx, cancel := s.timed(ctx)
	l, err := s.list(lctx)
	cancel()
	if err != nil {
		return sources.ImportResult{}, s.fault(err, "nothing was written")
	}
	i := importer{s: s, in: in, want: w, have: l}
	i.plan()
	if in.DryRun {
		return i.result, nil
	}
	err = i.write(ctx)
	if len(i.moves) > 0 {
		s.bg.Go(s.trim)
	}
	return i.result, err
}

// importer is one import under way.
type importer struct {
	s      *Store
	in     sources.Import
	want   *wanted
	have   *listing
	result sources.ImportResult
	moves  []move
}

// plan compares the document with what is there.
func (i *importer) plan() {
	want, have := i.want.flags, i.have.rows
	for len(want) > 0 || len(have) > 0 {
		switch {
		case len(have) == 0 || len(want) > 0 && want[0].key < have[0].key:
			i.step(&want[0], nil)
			want = want[1:]
		case len(want) == 0 || have[0].key < want[0].key:
			i.step(nil, &have[0])
			have = have[1:]
		default:
			i.step(&want[0], &have[0])
			want, have = want[1:], have[1:]
		}
	}
	switch old := i.have.document; {
	case i.want.document != nil:
		i.result.Document = !bytes.Equal(old, i.want.document)
	case i.in.Prune:
		i.result.Document = old != nil
	}
}

func (i *importer) step(want, have *row) {
	f := sources.ImportedFlag{Old: "absent", New: "absent", Step: sources.StepChanged}
	if have != nil {
		f.ID, f.Name, f.Old, f.Revision = have.flag.ID, have.flag.Name, have.flag.Brief(), have.flag.Revision
		f.New = f.Old
	}
	if want != nil {
		f.ID, f.Name, f.New, f.Revision = want.flag.ID, want.flag.Name, want.flag.Brief(), want.flag.Revision
		if want.flag.State == sources.FlagBroken {
			f.Note = want.flag.Note
		}
	}
	switch {
	case want == nil && i.in.Prune:
		f.Step, f.New, f.Revision = sources.StepRemoved, "absent", ""
	case want == nil:
		f.Step = sources.StepKept
	case have == nil:
		f.Step = sources.StepAdded
	case equal(want, have):
		f.Step = sources.StepUnchanged
	}
	if f.Step.Writes() {
		i.moves = append(i.moves, move{at: len(i.result.Flags), want: want, have: have})
	}
	i.result.Flags = append(i.result.Flags, f)
}

func equal(want, have *row) bool {
	return bytes.Equal(bytes.Trim(want.value, white), bytes.Trim(have.value, white))
}

// write carries the moves out, batch by batch; the document goes first, so that
// what the flags refer to is there before them.
func (i *importer) write(ctx context.Context) error {
	left := i.moves
	document := i.result.Document
	i.result.Document = false
	for document || len(left) > 0 {
		n := batchOf(left)
		b := batch{i: i, moves: slices.Clone(left[:n]), document: document}
		if err := b.run(ctx); err != nil {
			return err
		}
		i.result.Document = i.result.Document || document
		document = false
		left = left[n:]
	}
	return nil
}

func batchOf(moves []move) int {
	size := 0
	for n := range moves {
		if w := moves[n].want; w != nil {
			size += len(w.value)
		}
		if h := moves[n].have; h != nil {
			size += len(h.value)
		}
		if n > 0 && size > batchBytes || n == batchFlags {
			return n
		}
	}
	return len(moves)
}

// batch is the moves of one transaction.
type batch struct {
	i        *importer
	moves    []move
	document bool
	sent     bool // an answer was lost, so an earlier try may have gone through
}

func (b *batch) run(ctx context.Context) error {
	s := b.i.s
	for range batchTries {
		if err := b.record(); err != nil {
			return s.fault(err, b.sofar())
		}
		if len(b.moves) == 0 && !b.document {
			return nil
		}
		bctx, cancel := s.timed(ctx)
		var got *clientv3.TxnResponse
		err := s.call(bctx, func(ctx context.Context, cli *clientv3.Client) (err error) {
			got, err = b.txn(ctx, cli)
			if err != nil && transient(err) && !unsent(err) {
				b.sent = true
			}
			return err
		})
		cancel()
		if err != nil {
			b.i.result.InDoubt = b.sent
			return s.fault(err, b.sofar())
		}
		if err := s.sameCluster(got.Header.GetClusterId()); err != nil {
			return s.fault(err, b.sofar())
		}
		if got.Succeeded || b.ours(got) {
			b.done(got.Header.Revision)
			return nil
		}
		b.again(got)
	}
	return s.wrap(fmt.Errorf("others keep changing flags of this import, %s: %w", b.sofar(), sources.ErrConflict))
}

// sofar says what is written when a batch is not.
func (b *batch) sofar() string {
	if n := b.i.result.Written; n > 0 {
		return fmt.Sprintf("%d of %d flags were written before; import again for the rest", n, len(b.i.moves))
	}
	if b.sent {
		return "part of the import may be written; import again for the rest"
	}
	return "nothing was written"
}

// record writes the entries of the journal, and the changes' IDs.
func (b *batch) record() error {
	now := b.i.s.opts.Now()
	for n := range b.moves {
		m := &b.moves[n]
		f := &b.i.result.Flags[m.at]
		if f.Change == "" {
			f.Change = b.i.in.NewID()
		}
		c := sources.Change{ID: f.Change, Flag: f.ID, Kind: sources.Imported, Actor: b.i.in.Actor, Reason: b.i.in.Reason}
		p := sources.Planned{}
		if m.have != nil {
			p.Old = *m.have.flag
			if odd(m.have.key, m.have.value) == "" {
				p.Restore = bytes.Trim(m.have.value, white)
			}
		}
		if m.want != nil {
			p.New = *m.want.flag
		}
		rec := recordOf(&c, &p, now)
		var err error
		if m.entry, err = rec.encode(); err != nil {
			return err
		}
	}
	return nil
}

func (b *batch) txn(ctx context.Context, cli *clientv3.Client) (*clientv3.TxnResponse, error) {
	at := &b.i.s.at
	var ifs []clientv3.Cmp
	var then, other []clientv3.Op
	for n := range b.moves {
		m := &b.moves[n]
		flag, mod := at.flag(b.i.result.Flags[m.at].ID.Key), int64(0)
		if m.have != nil {
			mod = m.have.mod
		}
		ifs = append(ifs, clientv3.Compare(clientv3.ModRevision(flag), "=", mod))
		if m.want != nil {
			then = append(then, clientv3.OpPut(flag, string(m.want.value)))
		} else {
			then = append(then, clientv3.OpDelete(flag))
		}
		then = append(then, clientv3.OpPut(at.journal+b.i.result.Flags[m.at].Change, m.entry))
		other = append(other, clientv3.OpGet(flag))
	}
	if len(b.moves) > 0 {
		other = append(other, clientv3.OpGet(at.journal+b.i.result.Flags[b.moves[0].at].Change))
	}
	switch doc := b.i.want.document; {
	case b.document && doc != nil:
		then = append(then, clientv3.OpPut(at.document, string(doc)))
	case b.document:
		then = append(then, clientv3.OpDelete(at.document))
	}
	return cli.Txn(ctx).If(ifs...).Then(then...).Else(other...).Commit()
}

// ours says that the comparison failed because an earlier try of ours went through.
func (b *batch) ours(got *clientv3.TxnResponse) bool {
	if !b.sent || len(b.moves) == 0 {
		return false
	}
	journal := kvOf(got, len(b.moves))
	return journal != nil && string(journal.Value) == b.moves[0].entry
}

// again works the batch out anew from what the other branch read.
func (b *batch) again(got *clientv3.TxnResponse) {
	var left []move
	for n, m := range b.moves {
		f := &b.i.result.Flags[m.at]
		m.have = rowOf(b.i.s.name, f.ID.Key, kvOf(got, n))
		f.Old = "absent"
		if m.have != nil {
			f.Old = m.have.flag.Brief()
		}
		settled := m.have == nil && m.want == nil || m.have != nil && m.want != nil && equal(m.want, m.have)
		if settled {
			f.Step, f.Change = sources.StepUnchanged, ""
			continue
		}
		switch {
		case m.want == nil:
			f.Step = sources.StepRemoved
		case m.have == nil:
			f.Step = sources.StepAdded
		default:
			f.Step = sources.StepChanged
		}
		left = append(left, m)
	}
	b.moves = left
}

func rowOf(source, key string, kv *mvccpb.KeyValue) *row {
	if kv == nil {
		return nil
	}
	f := alone(source, key, kv.Value)
	return &row{key: key, value: kv.Value, mod: kv.ModRevision, flag: &f}
}

// done counts a batch that is written, and remembers its flags.
func (b *batch) done(rev int64) {
	b.i.result.Written += len(b.moves)
	for n := range b.moves {
		f := &b.i.result.Flags[b.moves[n].at]
		f.Written = true
		key := f.ID.Key
		if w := b.moves[n].want; w != nil {
			b.i.s.memory.put(key, w.value, rev, b.i.s.opts.Now())
		} else {
			b.i.s.memory.forget(key)
		}
	}
}
