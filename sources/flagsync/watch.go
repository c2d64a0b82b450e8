package flagsync

import (
	"context"
	"time"

	"relctl-tui/sources"
)

const (
	// longestPause bounds the pause after failures.
	longestPause = 15 * time.Second
	// shortestPause is between two questions of which the first waited: a source that
	// says so but answers at once must not be asked without end.
	shortestPause = 20 * time.Millisecond
	// strikes is after how many failures of waiting, where asking at once works, a
	// source is only polled: something in between does not let it wait.
	strikes = 2
)

// Watch follows the source. A source that cannot read its own store is an error too,
// for what it gives may be old.
func (s *Store) Watch(ctx context.Context, from sources.Revision) (<-chan sources.FlagEvent, error) {
	w := &watch{s: s, last: from, out: make(chan sources.FlagEvent)}
	go w.run(ctx)
	return w.out, nil
}

// watch is owned by its one goroutine.
type watch struct {
	s    *Store
	out  chan sources.FlagEvent
	last sources.Revision // reported last

	etag    string
	failed  string // the error that was reported, "" for none
	strikes int
}

func (w *watch) run(ctx context.Context) {
	defer close(w.out)
	failures := 0
	for ctx.Err() == nil {
		asked := w.waits()
		a, err := w.ask(ctx)
		pause := w.s.opts.Poll
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			w.fail(ctx, err)
			failures++
			pause = min(pause<<min(failures-1, 10), longestPause)
			if after, ok := sources.RetryAfter(err); ok {
				pause = max(pause, after)
			}
		default:
			failures = 0
			news := w.tell(ctx, a)
			// The next question takes its time, or tells that the source does not wait.
			if a.waited || w.waits() && (news || !asked) {
				pause = shortestPause
			}
		}
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
		}
	}
}

// waits says whether the next question is one that waits.
func (w *watch) waits() bool {
	return w.s.opts.Wait > 0 && w.etag != "" && w.failed == "" && w.strikes < strikes
}

// ask asks, waiting where the source lets it. When waiting fails it asks at once, so
// that a proxy which cuts long answers off is no fault of the source's.
func (w *watch) ask(ctx context.Context) (*answer, error) {
	var wait time.Duration
	if w.waits() {
		wait = w.s.opts.Wait
	}
	etag := w.etag
	if w.failed != "" {
		etag = "" // whoever was told of the fault is told what came after
	}
	a, err := w.s.ask(ctx, etag, wait)
	if err == nil || wait <= 0 || ctx.Err() != nil {
		return a, err
	}
	if _, told := sources.RetryAfter(err); told {
		return nil, err
	}
	a, again := w.s.ask(ctx, etag, 0)
	if again != nil {
		return nil, again
	}
	w.strikes++
	return a, nil
}

// tell reports an answer if there is anything new in it, and says whether there was.
func (w *watch) tell(ctx context.Context, a *answer) (news bool) {
	w.etag = a.etag
	if a.doc != nil {
		set, err := w.s.set(a)
		if err != nil {
			w.etag = ""
			w.fail(ctx, err)
			return false
		}
		stale := w.s.behind(a)
		news = set.Revision != w.last
		if news || w.failed != "" && stale == nil {
			w.send(ctx, sources.FlagEvent{Set: &set})
			w.last = set.Revision
			if stale == nil {
				w.failed = ""
			}
		}
	}
	if err := w.s.behind(a); err != nil {
		w.fail(ctx, err)
	}
	return news
}

// fail reports an error once, until it is another.
func (w *watch) fail(ctx context.Context, err error) {
	if text := err.Error(); text != w.failed {
		w.failed = text
		w.send(ctx, sources.FlagEvent{Err: err})
	}
}

func (w *watch) send(ctx context.Context, e sources.FlagEvent) {
	select {
	case w.out <- e:
	case <-ctx.Done():
	}
}
