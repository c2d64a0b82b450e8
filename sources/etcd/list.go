package etcd

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"

	"relctl-tui/sources"
)

const (
	pageRows = 3400
	leastRow = 1 // the smallest page, for a store of huge values
	maxFlags = 100_000
	restarts = 3 // of a list whose revision was compacted away under it
)

// listing is everything at one revision of the cluster.
type listing struct {
	rows     []row          // sorted by key
	flags    []sources.Flag // of the rows, in their order
	document []byte
	revision int64 // of the cluster
	sum      sum
	nameless bool // there is a flag whose key is empty
	complete bool
}

// Flags lists every flag at one revision of the cluster, as a quorum has it.
func (s *Store) Flags(ctx context.Context) (sources.FlagSet, error) {
	ctx, cancel := s.timed(ctx)
	defer cancel()
	l, err := s.list(ctx)
	if err != nil {
		return sources.FlagSet{}, s.fault(err, "")
	}
	return sources.FlagSet{
		Source: s.name, Revision: l.sum.revision(), Flags: l.flags, ReadAt: s.opts.Now(),
		Warnings: l.warnings(), ReadOnly: s.rights.why(ctx, s),
	}, nil
}

func (l *listing) warnings() (all []string) {
	if l.nameless {
		all = append(all, "there is a flag with an empty key, which is left out")
	}
	if _, ok := membersOf(l.document); !ok && l.document != nil {
		all = append(all, "the key document holds no JSON object, so an export is without it")
	}
	return all
}

// Flag reads one flag as a quorum has it.
func (s *Store) Flag(ctx context.Context, id sources.FlagID) (sources.Flag, error) {
	ctx, cancel := s.timed(ctx)
	defer cancel()
	r, err := s.row(ctx, id)
	if err != nil {
		return sources.Flag{}, s.fault(err, "")
	}
	return alone(s.name, r.key, r.value), nil
}

// row reads one flag without interpreting it.
func (s *Store) row(ctx context.Context, id sources.FlagID) (*row, error) {
	if id.Source != s.name || id.Key == "" || len(id.Key) > maxKey {
		if err := ctx.Err(); err != nil {
			return nil, timeUp{cause: err}
		}
		return nil, s.unknown(id.Key)
	}
	var got *clientv3.GetResponse
	err := s.call(ctx, func(ctx context.Context, cli *clientv3.Client) (err error) {
		got, err = cli.Get(ctx, s.at.flag(id.Key))
		return err
	})
	if err == nil {
		err = s.sameCluster(got.Header.GetClusterId())
	}
	if err != nil {
		return nil, err
	}
	if len(got.Kvs) == 0 {
		s.memory.forget(id.Key)
		return nil, s.unknown(id.Key)
	}
	kv := got.Kvs[0]
	s.memory.put(id.Key, kv.Value, kv.ModRevision, s.opts.Now())
	return &row{key: id.Key, value: kv.Value, mod: kv.ModRevision}, nil
}

func (s *Store) unknown(key string) error {
	return fmt.Errorf("there is no flag %s below %s: %w", sources.Clean(key, sources.MaxName), sources.Clean(s.at.prefix, 60), sources.ErrNotFound)
}

// sameCluster refuses answers of two clusters, say because one endpoint is
// another's: what is compared in one must not be written in the other.
func (s *Store) sameCluster(id uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cluster == 0 {
		s.cluster = id
	}
	if s.cluster == id {
		return nil
	}
	if len(s.opts.Endpoints) == 1 { // the cluster behind a single address was replaced
		s.cluster = id
		return nil
	}
	return fmt.Errorf("its endpoints belong to two clusters (%x and %x), so nothing is certain; name the members of one: %w", s.cluster, id, sources.ErrInvalid)
}

// list reads everything, in pages, and interprets each while the next is fetched.
func (s *Store) list(ctx context.Context) (*listing, error) {
	for try := 1; ; try++ {
		l, err := s.listOnce(ctx)
		if try == restarts || !is(err, rpctypes.ErrCompacted) {
			return l, err
		}
	}
}

type page struct {
	kvs  []*mvccpb.KeyValue
	all  int64 // how many keys there are in all, at the revision
	rev  int64
	last bool
	err  error
}

func (s *Store) listOnce(ctx context.Context) (*listing, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	pages := make(chan page, 1)
	s.bg.Go(func() { s.fetch(ctx, pages) })
	l := &listing{}
	var reading reading // of the pages that are here, beside the fetching of the next
	defer reading.Wait()
	for p := range pages {
		if p.err != nil {
			return nil, p.err
		}
		l.revision, l.complete = p.rev, p.last
		if p.all > maxFlags+2 {
			return nil, fmt.Errorf("there are more than %d flags below %s; give it a prefix of its own: %w", maxFlags, sources.Clean(s.at.prefix, 60), sources.ErrInvalid)
		}
		reading.Wait() // for it may have to make room
		l.rows, l.flags = slices.Grow(l.rows, int(p.all)), slices.Grow(l.flags, int(p.all))
		from := len(l.rows)
		for _, kv := range p.kvs {
			s.take(l, kv)
		}
		l.flags = l.flags[:len(l.rows)]
		reading.start(s.name, l.rows[from:], l.flags[from:])
	}
	if !l.complete { // the time was up between two pages
		return nil, timeUp{cause: ctx.Err()}
	}
	reading.Wait()
	for i := range l.flags {
		l.rows[i].flag = &l.flags[i]
	}
	l.sum.add(reading.sum)
	s.memory.replace(l.rows, l.revision, s.opts.Now())
	return l, nil
}

// reading is rows being interpreted, on as many goroutines as there are processors.
type reading struct {
	sync.WaitGroup
	mu  sync.Mutex
	sum sum // of the flags that are read
}

func (r *reading) start(source string, rows []row, flags []sources.Flag) {
	share := max(fewRows, (len(rows)+runtime.GOMAXPROCS(0)-1)/runtime.GOMAXPROCS(0))
	for from := 0; from < len(rows); from += share {
		to := min(from+share, len(rows))
		r.Go(func() {
			interpret(source, rows[from:to], flags[from:to])
			var all sum
			for i := range flags[from:to] {
				all.add(part(&flags[from+i]))
			}
			r.mu.Lock()
			r.sum.add(all)
			r.mu.Unlock()
		})
	}
}

// take enters one key into the listing. Others than ours may lie in the range.
func (s *Store) take(l *listing, kv *mvccpb.KeyValue) {
	switch key, ok := s.at.keyOf(kv.Key); {
	case ok:
		l.rows = append(l.rows, row{key: key, value: kv.Value, mod: kv.ModRevision})
	case string(kv.Key) == s.at.document:
		l.document = kv.Value
		l.sum.add(sumOf("", string(kv.Value)))
	case string(kv.Key) == s.at.flags:
		l.nameless = true
	}
}

// fetch sends the pages of one list in order; the last has an error or is followed
// by the end of the channel.
func (s *Store) fetch(ctx context.Context, pages chan<- page) {
	defer close(pages)
	from, rev, limit := s.at.document, int64(0), int64(pageRows)
	for {
		var got *clientv3.GetResponse
		err := s.call(ctx, func(ctx context.Context, cli *clientv3.Client) (err error) {
			opts := []clientv3.OpOption{clientv3.WithRange(s.at.end), clientv3.WithLimit(limit)}
			if rev > 0 {
				opts = append(opts, clientv3.WithRev(rev))
			}
			got, err = cli.Get(ctx, from, opts...)
			return err
		})
		if codeOf(err) == codes.ResourceExhausted && limit > leastRow {
			limit = max(leastRow, limit/5)
			continue
		}
		if err == nil {
			err = s.sameCluster(got.Header.GetClusterId())
		}
		p := page{err: err}
		if err == nil {
			if rev == 0 {
				rev = got.Header.Revision
			}
			p.kvs, p.rev, p.last = got.Kvs, rev, !got.More || len(got.Kvs) == 0
			p.all = int64(len(got.Kvs))
			if from == s.at.document {
				p.all = got.Count
			}
		}
		select {
		case pages <- p:
		case <-ctx.Done():
			return
		}
		if err != nil || p.last {
			return
		}
		from = string(got.Kvs[len(got.Kvs)-1].Key) + "\x00"
	}
}
