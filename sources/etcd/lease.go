package etcd

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	clientv3 "go.etcd.io/etcd/client/v3"

	"relctl-tui/sources"
)

var _ sources.Leaser = (*Store)(nil)

const maxLease = 64 << 10 // bytes of one ramp's status that are read

// Leases are those in force: etcd itself ends the others.
func (s *Store) Leases(ctx context.Context) ([]sources.Lease, error) {
	ctx, cancel := s.timed(ctx)
	defer cancel()
	var got *clientv3.TxnResponse
	err := s.call(ctx, func(ctx context.Context, cli *clientv3.Client) (err error) {
		got, err = cli.Txn(ctx).Then(
			clientv3.OpGet(s.at.owners, clientv3.WithPrefix()), clientv3.OpGet(s.at.ramps, clientv3.WithPrefix()),
		).Commit()
		return err
	})
	if err != nil {
		return nil, s.fault(err, "the leases were not read")
	}
	said := map[string][]byte{}
	for _, kv := range got.Responses[1].GetResponseRange().GetKvs() {
		said[strings.TrimPrefix(string(kv.Key), s.at.ramps)] = kv.Value
	}
	var all []sources.Lease
	for _, kv := range got.Responses[0].GetResponseRange().GetKvs() {
		key := strings.TrimPrefix(string(kv.Key), s.at.owners)
		all = append(all, s.leaseOf(key, string(kv.Value), said[key]))
	}
	return all, nil
}

// leaseOf is a lease as it stands in the cluster. One whose status makes no sense is
// still a lease.
func (s *Store) leaseOf(key, token string, status []byte) sources.Lease {
	var l sources.Lease
	if len(status) > maxLease || json.Unmarshal(status, &l) != nil {
		l = sources.Lease{Owner: "an unknown runner"}
	}
	l.Flag, l.Token = sources.FlagID{Source: s.name, Key: key}, token
	if l.Ramp != nil {
		l.Ramp.Flag = l.Flag
	}
	l.Until = s.opts.Now().Add(sources.LeaseFor) // it is in force, and etcd has the clock
	return l
}

// TakeLease takes or renews a lease: the owner's token and the status of its ramp are
// two keys that end with one lease of etcd, so that a write can compare the token
// however often the status changes.
func (s *Store) TakeLease(ctx context.Context, l sources.Lease, over string) error {
	ctx, cancel := s.timed(ctx)
	defer cancel()
	owner, ramp := s.at.owners+l.Flag.Key, s.at.ramps+l.Flag.Key
	shown := l
	shown.Token = ""
	status, err := json.Marshal(shown)
	if err != nil {
		return s.wrap(fmt.Errorf("the lease cannot be written (%w): %w", err, sources.ErrInvalid))
	}
	for range races {
		var got *clientv3.TxnResponse
		var closed error // why it cannot be taken
		err := s.call(ctx, func(ctx context.Context, cli *clientv3.Client) error {
			now, err := cli.Txn(ctx).Then(clientv3.OpGet(owner), clientv3.OpGet(ramp)).Commit()
			if err != nil {
				return err
			}
			var held *sources.Lease
			compare := clientv3.Compare(clientv3.CreateRevision(owner), "=", 0)
			if kv := kvOf(now, 0); kv != nil {
				var said []byte
				if r := kvOf(now, 1); r != nil {
					said = r.Value
				}
				h := s.leaseOf(l.Flag.Key, string(kv.Value), said)
				held, compare = &h, clientv3.Compare(clientv3.ModRevision(owner), "=", kv.ModRevision)
			}
			if closed = l.Open(held, over, s.opts.Now()); closed != nil {
				return nil //nolint:nilerr // it is an answer, and no failure of the cluster
			}
			term, err := cli.Grant(ctx, int64(sources.LeaseFor.Seconds()))
			if err != nil {
				return err
			}
			got, err = cli.Txn(ctx).If(compare).Then(
				clientv3.OpPut(owner, l.Token, clientv3.WithLease(term.ID)), clientv3.OpPut(ramp, string(status), clientv3.WithLease(term.ID)),
			).Commit()
			return err
		})
		switch {
		case err != nil:
			return s.fault(err, "the lease was not taken")
		case closed != nil:
			return s.wrap(closed)
		case got.Succeeded:
			return nil
		}
	}
	return s.wrap(fmt.Errorf("others keep taking %s: %w", sources.Clean(l.Flag.Key, sources.MaxName), sources.ErrConflict))
}

// DropLease ends a lease.
func (s *Store) DropLease(ctx context.Context, id sources.FlagID, token string) error {
	ctx, cancel := s.timed(ctx)
	defer cancel()
	owner, ramp := s.at.owners+id.Key, s.at.ramps+id.Key
	err := s.call(ctx, func(ctx context.Context, cli *clientv3.Client) error {
		_, err := cli.Txn(ctx).If(clientv3.Compare(clientv3.Value(owner), "=", token)).
			Then(clientv3.OpDelete(owner), clientv3.OpDelete(ramp)).Commit()
		return err
	})
	if err != nil {
		return s.fault(err, "the lease runs out by itself")
	}
	return nil
}

// owned is what a transaction compares besides the flag for a change under a lease.
func (w *write) owned() []clientv3.Cmp {
	if w.change.Lease == "" {
		return nil
	}
	return []clientv3.Cmp{clientv3.Compare(clientv3.Value(w.s.at.owners+w.row.key), "=", w.change.Lease)}
}

// dispossessed says that the lease of a change is not in force: what the failed
// transaction read says so.
func (w *write) dispossessed(got *clientv3.TxnResponse) error {
	if w.change.Lease == "" {
		return nil
	}
	if kv := kvOf(got, 2); kv != nil && string(kv.Value) == w.change.Lease {
		return nil
	}
	return w.s.wrap(fmt.Errorf("the guarded ramp of %s is not this runner's any more, nothing was written: %w", w.draft.planned.Old.Name, sources.ErrConflict))
}
