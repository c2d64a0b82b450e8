package etcd

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"relctl-tui/sources"
)

const (
	paceSets   = 50 * time.Millisecond // between two sets of one watch
	relistTime = 1500 * time.Millisecond
	fewChanges = 8 // up to which single flags are replaced in place
)

// Watch lists at a revision of the cluster and follows the changes behind it. When
// the connection is lost, the cluster has no leader, or the revision was compacted
// away, it lists anew and goes on from there, so that nothing is missed. Sets that
// follow each other quickly are sent as one; the last is always sent.
func (s *Store) Watch(ctx context.Context, from sources.Revision) (<-chan sources.FlagEvent, error) {
	f := &follower{s: s, sent: from, wake: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(s.life, cancel)
	out := make(chan sources.FlagEvent)
	var wg sync.WaitGroup
	wg.Go(func() { f.follow(ctx) })
	wg.Go(func() { f.deliver(ctx, out) })
	s.bg.Go(func() {
		wg.Wait()
		stop()
		cancel()
		close(out)
	})
	return out, nil
}

// follower keeps one watcher's flags. Two goroutines share it: follow hears of
// changes and deliver sends what there is to send.
type follower struct {
	s    *Store
	wake chan struct{}

	mu       sync.Mutex
	flags    []sources.Flag // sorted by key
	sum      sum            // of flags and the document
	document sum            // the document's part of it
	readOnly string
	warnings []string
	have     bool
	err      error
	told     string           // the error told last, "" since the last set
	sent     sources.Revision // of the set sent last
	shared   bool             // flags were handed out and must not be written to
}

// follow lists and watches until ctx ends.
func (f *follower) follow(ctx context.Context) {
	for pause := firstPause; ctx.Err() == nil; {
		rev, err := f.relist(ctx)
		if err != nil {
			f.fail(err)
		} else if f.hear(ctx, rev) {
			pause = firstPause
			continue
		}
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
		}
		pause = min(2*pause, lastPause)
	}
}

// relist reads everything anew.
func (f *follower) relist(ctx context.Context) (int64, error) {
	limit := f.s.opts.Timeout
	f.mu.Lock()
	if f.have { // it worked before: say soon that it does not
		limit = min(limit, relistTime)
	}
	f.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	l, err := f.s.list(ctx)
	if err != nil {
		return 0, err
	}
	why := f.s.rights.why(ctx, f.s)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.flags, f.sum, f.document, f.readOnly, f.warnings = l.flags, l.sum, partOf(l.document), why, l.warnings()
	f.have, f.shared, f.err = true, false, nil
	f.stir()
	return l.revision, nil
}

// stir tells deliver that there may be something to send.
func (f *follower) stir() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

func (f *follower) fail(err error) {
	if err = f.s.fault(err, ""); err == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
	f.stir()
}

// hear follows the changes behind a revision until the watch ends: compacted, no
// leader, cancelled, or silent. A new list mends it, or says what is wrong. It
// returns whether anything was heard.
func (f *follower) hear(ctx context.Context, rev int64) (heardAny bool) {
	cli, err := f.s.client()
	if err != nil {
		return false
	}
	f.s.memory.follow(1)
	defer f.s.memory.follow(-1)
	// Without a leader, a member would go on serving a watch that hears nothing.
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
	var asks sync.WaitGroup
	defer asks.Wait()
	defer cancel()
	opened := make(chan clientv3.WatchChan, 1)
	asks.Go(func() {
		opened <- cli.Watch(ctx, f.s.at.document, clientv3.WithRange(f.s.at.end),
			clientv3.WithRev(rev+1), clientv3.WithProgressNotify())
	})
	var events clientv3.WatchChan
	silence := f.s.opts.Silence
	heard := time.Now() // how long it is silent is real time, whatever Now says
	ask := time.NewTicker(silence / 3)
	defer ask.Stop()
	for {
		select {
		case <-ctx.Done():
			return heardAny
		case events = <-opened:
		case r, ok := <-events:
			if !ok || r.Err() != nil {
				return heardAny
			}
			heardAny, heard = true, time.Now()
			if len(r.Events) > 0 {
				f.apply(r.Events)
			}
		case <-ask.C:
			if time.Since(heard) > silence {
				return heardAny
			}
			asks.Go(func() {
				ctx, cancel := context.WithTimeout(ctx, silence)
				defer cancel()
				_ = cli.RequestProgress(ctx) // its answer counts, and that does not come here
			})
		}
	}
}

// apply takes a batch of changes in: the last one of each key counts.
func (f *follower) apply(events []*clientv3.Event) {
	rows, gone, document, has := f.sort(events)
	interpret(f.s.name, rows, make([]sources.Flag, len(rows)))
	f.mu.Lock()
	defer f.mu.Unlock()
	if has {
		f.sum.sub(f.document)
		f.document = partOf(document)
		f.sum.add(f.document)
	}
	if len(gone) > 0 || len(rows) > fewChanges || !f.replace(rows) {
		f.merge(rows, gone)
	}
	f.stir()
}

// sort splits a batch into what is there now, sorted by key, and what is gone.
func (f *follower) sort(events []*clientv3.Event) (rows []row, gone []string, document []byte, has bool) {
	last := make(map[string]*clientv3.Event, len(events))
	for _, e := range events {
		last[string(e.Kv.Key)] = e
	}
	for at, e := range last {
		deleted := e.Type == clientv3.EventTypeDelete
		key, ok := f.s.at.keyOf([]byte(at))
		switch {
		case ok && deleted:
			f.s.memory.forget(key)
			gone = append(gone, key)
		case ok:
			f.s.memory.put(key, e.Kv.Value, e.Kv.ModRevision, f.s.opts.Now())
			rows = append(rows, row{key: key, value: e.Kv.Value, mod: e.Kv.ModRevision})
		case at == f.s.at.document:
			has = true
			if document = e.Kv.Value; deleted {
				document = nil
			} else if document == nil {
				document = []byte{}
			}
		}
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.key, b.key) })
	slices.Sort(gone)
	return rows, gone, document, has
}

// partOf is the document's part of the set's mark; nothing where there is none.
func partOf(document []byte) sum {
	if document == nil {
		return sum{}
	}
	return sumOf("", string(document))
}

// replace writes a few changed flags in place; false when one of them is new.
func (f *follower) replace(rows []row) bool {
	at := make([]int, len(rows))
	for i := range rows {
		n, ok := slices.BinarySearchFunc(f.flags, rows[i].key, func(x sources.Flag, key string) int { return strings.Compare(x.ID.Key, key) })
		if !ok {
			return false
		}
		at[i] = n
	}
	if f.shared {
		f.flags, f.shared = slices.Clone(f.flags), false
	}
	for i, n := range at {
		f.sum.sub(part(&f.flags[n]))
		f.flags[n] = *rows[i].flag
		f.sum.add(part(&f.flags[n]))
	}
	return true
}

// merge walks both lists once, however many changes there are.
func (f *follower) merge(rows []row, gone []string) {
	out := make([]sources.Flag, 0, len(f.flags)+len(rows))
	old := f.flags
	take := func() {
		f.sum.add(part(rows[0].flag))
		out, rows = append(out, *rows[0].flag), rows[1:]
	}
	for len(old) > 0 || len(rows) > 0 {
		switch {
		case len(old) == 0 || len(rows) > 0 && rows[0].key < old[0].ID.Key:
			take()
		case len(rows) > 0 && rows[0].key == old[0].ID.Key:
			f.sum.sub(part(&old[0]))
			take()
			old = old[1:]
		default:
			if _, is := slices.BinarySearch(gone, old[0].ID.Key); is {
				f.sum.sub(part(&old[0]))
			} else {
				out = append(out, old[0])
			}
			old = old[1:]
		}
	}
	f.flags, f.shared = out, false
}

// deliver sends what there is, not faster than the pace; the first after a pause
// goes out at once.
func (f *follower) deliver(ctx context.Context, out chan<- sources.FlagEvent) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.wake:
		}
		e, ok := f.next()
		if !ok {
			continue
		}
		select {
		case out <- e:
		case <-ctx.Done():
			return
		}
		f.stir() // something else may have happened meanwhile
		if e.Set == nil {
			continue
		}
		t := time.NewTimer(paceSets)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return
		}
	}
}

// next is what to send now: the set when it is another, or why there is none.
func (f *follower) next() (sources.FlagEvent, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		if text := f.err.Error(); text != f.told {
			f.told = text
			return sources.FlagEvent{Err: f.err}, true
		}
		return sources.FlagEvent{}, false
	}
	rev := f.sum.revision()
	if !f.have || f.told == "" && rev == f.sent {
		return sources.FlagEvent{}, false
	}
	f.sent, f.told, f.shared = rev, "", true
	return sources.FlagEvent{Set: &sources.FlagSet{
		Source: f.s.name, Revision: rev, Flags: f.flags, ReadAt: f.s.opts.Now(),
		Warnings: f.warnings, ReadOnly: f.readOnly,
	}}, true
}
