package publish

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/flagdef"
)

const (
	exportTimeout = 10 * time.Second
	firstRetry    = 250 * time.Millisecond
	lastRetry     = 5 * time.Second
)

// edition is one version of the definitions, ready to be served. It never changes.
type edition struct {
	doc      []byte
	etag     string
	revision sources.Revision
	eval     *flagdef.Evaluator
	left     []flagdef.Left
}

// view is what the feed knows at one moment.
type view struct {
	edition *edition
	changed chan struct{} // closed when there is another edition, or the store begins to fail or heals
	failure error         // why the store cannot be read, nil when it can
	since   time.Time     // since when
}

// feed follows the store for everybody.
type feed struct {
	store Store
	now   func() time.Time
	read  func(ok bool) // told of each read of the store

	mu      sync.Mutex
	current view
	looked  chan struct{} // closed when the store was read, or failed to be, once
	once    sync.Once
}

func newFeed(store Store, now func() time.Time) *feed {
	return &feed{
		store: store, now: now, read: func(bool) {},
		current: view{changed: make(chan struct{})}, looked: make(chan struct{}),
	}
}

func (f *feed) view() view {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.current
}

// follow watches the store until ctx ends.
func (f *feed) follow(ctx context.Context) {
	retry := firstRetry
	for ctx.Err() == nil {
		events, err := f.store.Watch(ctx, "")
		if err == nil {
			retry = firstRetry
			f.take(ctx, events)
		} else {
			f.failed(err)
		}
		pause(ctx, retry)
		retry = min(2*retry, lastRetry)
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// take handles a watch's events until it is over. While the store fails it is read
// again by itself, so that what heals does not depend on another event.
func (f *feed) take(ctx context.Context, events <-chan sources.FlagEvent) {
	wait := firstRetry
	again := time.NewTimer(time.Hour)
	defer again.Stop()
	for {
		ok := true
		select {
		case <-ctx.Done():
			return
		case <-again.C:
			ok = f.export(ctx)
		case e, open := <-events:
			switch {
			case !open:
				return
			case e.Err != nil:
				f.failed(e.Err)
				ok = false
			case !f.has(e.Set.Revision):
				ok = f.export(ctx)
			default:
				f.reached()
			}
		}
		if ok {
			wait = firstRetry
			again.Reset(time.Hour)
			continue
		}
		again.Reset(wait)
		wait = min(2*wait, lastRetry)
	}
}

// has says whether the edition is of that revision already.
func (f *feed) has(rev sources.Revision) bool {
	v := f.view()
	return v.edition != nil && v.edition.revision == rev
}

// export reads the store and makes an edition of what it holds.
func (f *feed) export(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, exportTimeout)
	defer cancel()
	doc, rev, err := f.store.Export(ctx)
	f.read(err == nil)
	var e *edition
	if err == nil {
		e, err = newEdition(doc, rev)
	}
	if err != nil {
		f.failed(err)
		return false
	}
	f.publish(e)
	return true
}

func newEdition(doc []byte, rev sources.Revision) (*edition, error) {
	b, left, err := flagdef.Servable(doc)
	if err != nil {
		return nil, fmt.Errorf("what the store holds cannot be served: %w", err)
	}
	eval, err := flagdef.NewEvaluator(b)
	if err != nil {
		return nil, fmt.Errorf("what the store holds cannot be served: %w", err)
	}
	return &edition{doc: b, etag: etagOf(b), revision: rev, eval: eval, left: left}, nil
}

// etagOf is a strong entity tag of content.
func etagOf(b []byte) string {
	sum := sha256.Sum256(b)
	return `"` + hex.EncodeToString(sum[:16]) + `"`
}

func (f *feed) publish(e *edition) {
	f.mu.Lock()
	defer f.mu.Unlock()
	old := f.current.edition
	news := old == nil || old.etag != e.etag || f.current.failure != nil
	f.current.edition, f.current.failure, f.current.since = e, nil, time.Time{}
	f.tell(news)
}

func (f *feed) reached() {
	f.mu.Lock()
	defer f.mu.Unlock()
	news := f.current.failure != nil
	f.current.failure, f.current.since = nil, time.Time{}
	f.tell(news)
}

func (f *feed) failed(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	news := f.current.failure == nil
	if news {
		f.current.since = f.now()
	}
	f.current.failure = err
	f.tell(news)
}

// tell wakes whoever waits for news. The caller holds the lock.
func (f *feed) tell(news bool) {
	if news {
		close(f.current.changed)
		f.current.changed = make(chan struct{})
	}
	f.once.Do(func() { close(f.looked) })
}
