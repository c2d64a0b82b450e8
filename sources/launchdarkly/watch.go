package launchdarkly

import (
	"context"
	"math/rand/v2"
	"net/url"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/web"
)

// relist is how often the whole list is read although nothing tells of a change.
const relist = 2 * time.Minute

// Watch polls. A poll asks for the newest entry of the audit log about the project's
// flags, and reads the list when that is another one, when the log may not be read,
// every two minutes in any case, and after each write of this Store. After a failure
// the next poll waits as long as the service wants to be left alone.
func (s *Store) Watch(ctx context.Context, from sources.Revision) (<-chan sources.FlagEvent, error) {
	w := &watch{s: s, last: from, out: make(chan sources.FlagEvent)}
	go func() {
		defer close(w.out)
		for ctx.Err() == nil {
			written := s.written.Heard()
			err := w.look(ctx)
			if ctx.Err() != nil {
				return
			}
			w.wait(ctx, err, written)
		}
	}()
	return w.out, nil
}

type watch struct {
	s      *Store
	out    chan sources.FlagEvent
	last   sources.Revision // of the set that the listener has
	failed bool             // the listener was told of a failure last
	cursor string           // newest entry of the audit log before the last list; "" for none
	listed time.Time
}

// look sends what is new since the last look, and returns a failure that it told.
func (w *watch) look(ctx context.Context) error {
	// Before the list: what happens between the two is seen again, never missed.
	cursor, err := w.s.newest(ctx)
	now := w.s.opts.Now()
	age := now.Sub(w.listed)
	if err == nil && !w.failed && cursor == w.cursor && !w.listed.IsZero() && age >= 0 && age < relist {
		return nil
	}
	if _, busy := sources.RetryAfter(err); busy {
		return w.fail(ctx, err)
	}
	set, err := w.s.Flags(ctx)
	if err != nil {
		return w.fail(ctx, err)
	}
	w.cursor, w.listed = cursor, now
	if set.Revision == w.last && !w.failed {
		return nil
	}
	w.last, w.failed = set.Revision, false
	w.send(ctx, sources.FlagEvent{Set: &set})
	return nil
}

func (w *watch) fail(ctx context.Context, err error) error {
	w.failed = true
	w.send(ctx, sources.FlagEvent{Err: err})
	return err
}

func (w *watch) send(ctx context.Context, e sources.FlagEvent) {
	select {
	case w.out <- e:
	case <-ctx.Done():
	}
}

// newest is the mark of the last change of any flag of the project, in whichever
// environment: a flag can also be renamed, archived or made.
func (s *Store) newest(ctx context.Context) (string, error) {
	var log wireAudit
	_, err := s.do(ctx, web.Request{Path: "/api/v2/auditlog", Query: url.Values{
		"limit": {"1"}, "spec": {"proj/" + s.opts.Project + ":env/*:flag/*"},
	}}, &log)
	if err != nil || len(log.Items) == 0 {
		return "", err
	}
	return log.Items[0].ID, nil
}

// wait is until the next look, which reads the list when something was written here: the
// audit log may know of that later.
func (w *watch) wait(ctx context.Context, failed error, written <-chan struct{}) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if _, busy := sources.RetryAfter(failed); !busy {
		go func() {
			select {
			case <-written:
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	w.s.opts.Wait(ctx, w.s.pause(failed))
	select {
	case <-written:
		w.listed = time.Time{}
	default:
	}
}

// pause is how long to wait after a look.
func (s *Store) pause(err error) time.Duration {
	d := s.opts.Poll
	if after, ok := sources.RetryAfter(err); ok {
		d = max(d, after)
	}
	return d + s.opts.Random(d/10+1)
}

func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

func random(below time.Duration) time.Duration {
	return rand.N(below) //nolint:gosec // spreads polls, protects nothing
}
