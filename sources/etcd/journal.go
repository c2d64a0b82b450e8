package etcd

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"

	clientv3 "go.etcd.io/etcd/client/v3"

	"relctl-tui/sources"
)

const (
	// keptChanges is how many entries of the journal are kept.
	keptChanges = 1000
	slack       = 64 // how many more there may be before they are trimmed
	historyPage = 100
	maxReason   = 500
	version     = 1
)

// record is an entry of the journal. Unknown fields of later versions are ignored.
type record struct {
	V           int                `json:"v"`
	ID          string             `json:"id"`
	At          time.Time          `json:"at"`
	Kind        sources.ChangeKind `json:"kind"`
	Key         string             `json:"key"`
	Actor       string             `json:"actor,omitempty"`
	Reason      string             `json:"reason,omitempty"`
	Old         string             `json:"old,omitempty"`
	New         string             `json:"new,omitempty"`
	OldRevision sources.Revision   `json:"old_revision,omitempty"`
	NewRevision sources.Revision   `json:"new_revision,omitempty"`
	Undoes      string             `json:"undoes,omitempty"`
	Group       string             `json:"group,omitempty"`
	Restore     string             `json:"restore,omitempty"`        // the definition before the change
	RestoreRaw  []byte             `json:"restore_base64,omitempty"` // the same, where it is no UTF-8 text
}

func recordOf(c *sources.Change, p *sources.Planned, now time.Time) record {
	r := record{
		V: version, ID: c.ID, At: now.UTC(), Kind: cmp.Or(c.As, c.Kind), Key: c.Flag.Key,
		Actor: sources.Clean(c.Actor, sources.MaxName), Reason: sources.Clean(c.Reason, maxReason),
		OldRevision: p.Old.Revision, NewRevision: p.New.Revision, Undoes: c.Undoes,
		Group: sources.Clean(c.Group, sources.MaxName),
	}
	if p.Old.Revision != "" {
		r.Old = words(&p.Old)
	}
	if p.New.Revision != "" {
		r.New = words(&p.New)
	}
	if utf8.Valid(p.Restore) {
		r.Restore = string(p.Restore)
	} else {
		r.RestoreRaw = p.Restore
	}
	return r
}

// words is a flag's value in few words: of a flag with variants which of them are
// served, for whoever looks back at a migration goes by that.
func words(f *sources.Flag) string {
	if len(f.Serves) > 0 && !f.Killed {
		return f.Serving()
	}
	return f.Brief()
}

func (r *record) encode() (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(r); err != nil {
		return "", fmt.Errorf("the change cannot be recorded (%w): %w", err, sources.ErrInvalid)
	}
	return string(bytes.TrimRight(b.Bytes(), "\n")), nil
}

// History is the newest changes on record, newest first, as they were written with
// the flags themselves. An entry that does not read is left out.
func (s *Store) History(ctx context.Context, limit int) ([]sources.Recorded, error) {
	ctx, cancel := s.timed(ctx)
	defer cancel()
	limit = min(limit, keptChanges)
	var all []sources.Recorded
	before := int64(0)
	for limit > 0 {
		page := min(historyPage, limit)
		opts := []clientv3.OpOption{
			clientv3.WithPrefix(), clientv3.WithLimit(int64(page)),
			clientv3.WithSort(clientv3.SortByModRevision, clientv3.SortDescend),
		}
		if before > 0 {
			opts = append(opts, clientv3.WithMaxModRev(before))
		}
		var got *clientv3.GetResponse
		err := s.call(ctx, func(ctx context.Context, cli *clientv3.Client) (err error) {
			got, err = cli.Get(ctx, s.at.journal, opts...)
			return err
		})
		if err != nil {
			return nil, s.fault(err, "")
		}
		for _, kv := range got.Kvs {
			if r, ok := s.recorded(kv.Value); ok {
				all = append(all, r)
			}
			before = kv.ModRevision - 1
		}
		limit -= len(got.Kvs)
		if len(got.Kvs) < page {
			break
		}
	}
	return all, nil
}

// recorded is an entry as the rest of the program knows it.
func (s *Store) recorded(value []byte) (sources.Recorded, bool) {
	var r record
	if err := json.Unmarshal(value, &r); err != nil || r.ID == "" || r.Key == "" {
		return sources.Recorded{}, false
	}
	restore := r.RestoreRaw
	if r.Restore != "" {
		restore = []byte(r.Restore)
	}
	return sources.Recorded{
		Activity: sources.Activity{
			ID: sources.Clean(r.ID, sources.MaxName), At: r.At, Kind: sources.Clean(string(r.Kind), 20),
			Flag: sources.FlagID{Source: s.name, Key: r.Key}, Name: sources.Clean(r.Key, sources.MaxName),
			Actor: sources.Clean(r.Actor, sources.MaxName), Reason: sources.Clean(r.Reason, maxReason),
			Old: sources.Clean(cmp.Or(r.Old, "absent"), sources.MaxName), New: sources.Clean(cmp.Or(r.New, "absent"), sources.MaxName),
			Outcome: sources.Confirmed, Revision: r.NewRevision,
		},
		OldRevision: r.OldRevision, Restore: restore, Undoes: sources.Clean(r.Undoes, sources.MaxName),
		Group: sources.Clean(r.Group, sources.MaxName),
	}, true
}

// trim deletes the oldest entries when there are too many. It runs beside the
// changes, and what it cannot do is left to the next one.
func (s *Store) trim() {
	ctx, cancel := s.timed(s.life)
	defer cancel()
	cli, err := s.client()
	if err != nil {
		return
	}
	got, err := cli.Get(ctx, s.at.journal, clientv3.WithPrefix(), clientv3.WithCountOnly())
	if err != nil || got.Count <= keptChanges+slack {
		return
	}
	// By the age of the entries, not by their names: a clock may have been wrong.
	got, err = cli.Get(ctx, s.at.journal, clientv3.WithPrefix(), clientv3.WithKeysOnly(),
		clientv3.WithSort(clientv3.SortByModRevision, clientv3.SortAscend), clientv3.WithLimit(got.Count-keptChanges))
	if err != nil {
		return
	}
	for len(got.Kvs) > 0 {
		n := min(len(got.Kvs), batchOps)
		ops := make([]clientv3.Op, n)
		for i := range ops {
			ops[i] = clientv3.OpDelete(string(got.Kvs[i].Key))
		}
		if _, err := cli.Txn(ctx).Then(ops...).Commit(); err != nil {
			return
		}
		got.Kvs = got.Kvs[n:]
	}
}
