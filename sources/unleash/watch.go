package unleash

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/web"
)

// rereadAtMost is how many changed flags are read one by one; for more the whole
// list costs less.
const rereadAtMost = 40

// Watch follows the environment. With a backend token it asks for the ETag of the
// client endpoint, which costs the server about a millisecond while nothing changes;
// without one it asks for the newest event. What changed is read flag by flag. The
// whole list is read at the start, when the log has more than can be read, and now
// and then when the log does not explain a change.
func (s *Store) Watch(ctx context.Context, from sources.Revision) (<-chan sources.FlagEvent, error) {
	w := &watch{s: s, out: make(chan sources.FlagEvent), last: from, log: newCursor(s)}
	go w.run(ctx)
	return w.out, nil
}

// watch is owned by its one goroutine.
type watch struct {
	s   *Store
	out chan sources.FlagEvent
	log *cursor

	features map[string]*feature // nil before the first list
	readOnly string
	warnings []string
	last     sources.Revision
	failed   string // the error reported last, "" for none

	etag     string
	listed   time.Time       // when the whole list was read
	unknown  bool            // something changed since that the log does not explain
	behind   bool            // something changed that could not be read yet
	owed     map[string]bool // flags that changed and were not read yet
	owesAll  bool            // so is the whole list
	newestID int64           // without a backend token: the newest event
}

func (w *watch) run(ctx context.Context) {
	defer close(w.out)
	for ctx.Err() == nil {
		written := w.s.written.Heard()
		wait := w.s.opts.Every
		if err := w.look(ctx); err != nil && ctx.Err() == nil {
			w.fail(ctx, err)
			if after, ok := sources.RetryAfter(err); ok {
				wait, written = max(wait, after), nil
			}
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-written:
			w.behind = true // the ETag may be a second late, the log is not
		case <-ctx.Done():
		}
		t.Stop()
	}
}

// look asks whether anything changed, and reads what did.
func (w *watch) look(ctx context.Context) error {
	if w.features == nil {
		return w.start(ctx)
	}
	changed, err := w.changed(ctx)
	if err != nil {
		return err
	}
	if !changed && !w.behind && (!w.unknown || !w.due()) {
		return w.well(ctx)
	}
	w.behind = true
	if err := w.catchUp(ctx); err != nil {
		return err
	}
	w.behind = false
	return w.send(ctx)
}

// start reads everything. What marks the state is asked for first: a change in
// between is then found again, and not lost.
func (w *watch) start(ctx context.Context) error {
	if err := w.log.begin(ctx); err != nil {
		return err
	}
	if _, err := w.changed(ctx); err != nil {
		return err
	}
	if err := w.relist(ctx); err != nil {
		return err
	}
	if err := w.send(ctx); err != nil {
		return err
	}
	w.log.past(ctx)
	return nil
}

func (w *watch) relist(ctx context.Context) error {
	rights := make(chan string, 1)
	go func() { rights <- w.s.mayNot(ctx) }()
	features, err := w.s.export(ctx)
	readOnly := <-rights
	if err != nil {
		return err
	}
	w.features, w.readOnly = features, readOnly
	w.listed, w.unknown = w.s.opts.Now(), false
	return nil
}

// due says that the list may be read again for changes that nothing explains.
func (w *watch) due() bool {
	age := w.s.opts.Now().Sub(w.listed)
	return age >= w.s.opts.Resync || age < 0
}

// changed asks the cheapest thing there is.
func (w *watch) changed(ctx context.Context) (bool, error) {
	if w.s.client == nil {
		return w.newEvents(ctx)
	}
	changed, err := w.newETag(ctx)
	if errors.Is(err, sources.ErrUnauthorized) || errors.Is(err, sources.ErrNotFound) {
		w.warnings = []string{"changes are followed by the event log: " + sources.Sentence(err)}
		return w.newEvents(ctx)
	}
	if err == nil {
		w.warnings = nil
	}
	return changed, err
}

// newETag asks for the mark of the environment. The prefix that no flag has keeps
// the flags themselves out of the answer; the mark is that of all of them.
func (w *watch) newETag(ctx context.Context) (bool, error) {
	r := web.Request{
		Method: http.MethodGet, Path: "/api/client/features", Accept304: true,
		Query: url.Values{"namePrefix": {"relctl-tui.asks.for.the.etag"}},
	}
	if w.etag != "" {
		r.Header = http.Header{"If-None-Match": {w.etag}}
	}
	resp, err := w.s.client.Do(ctx, r, nil)
	if err != nil || resp.Status == http.StatusNotModified {
		return false, err
	}
	w.etag = resp.Header.Get("ETag")
	return true, nil
}

// newEvents asks for the newest event alone.
func (w *watch) newEvents(ctx context.Context) (bool, error) {
	events, err := w.s.search(ctx, 1, 0, nil)
	if err != nil || len(events) == 0 {
		return false, err
	}
	changed := events[0].ID != w.newestID
	w.newestID = events[0].ID
	return changed, nil
}

// catchUp reads the flags that the log names since the last look. What could not be
// read stays owed: the log gives each event once.
func (w *watch) catchUp(ctx context.Context) error {
	found, err := w.log.read(ctx)
	if err != nil {
		return err
	}
	w.owe(found)
	if len(w.owed) == 0 && !w.owesAll {
		if w.unknown = true; !w.due() {
			return nil
		}
	}
	if w.owesAll || w.unknown && w.due() || len(w.owed) > rereadAtMost {
		err = w.relist(ctx)
	} else {
		err = w.reread(ctx)
	}
	if err == nil {
		w.owed, w.owesAll = nil, false
	}
	return err
}

// owe notes which flags events are about, or that they do not say.
func (w *watch) owe(found fresh) {
	w.owesAll = w.owesAll || found.gap
	if w.owed == nil {
		w.owed = map[string]bool{}
	}
	for i := range found.events {
		e := &found.events[i]
		switch {
		case w.s.concerns(e):
			w.owed[e.Feature] = true
		case e.Type == "features-imported" || e.Type == "project-environment-added" || e.Type == "project-environment-removed":
			w.owesAll = true
		}
	}
}

func (w *watch) reread(ctx context.Context) error {
	next := make(map[string]*feature, len(w.features)+len(w.owed))
	for k, f := range w.features {
		next[k] = f
	}
	for name := range w.owed {
		f, err := w.s.feature(ctx, sources.FlagID{Source: w.s.name, Key: name})
		switch {
		case errors.Is(err, sources.ErrNotFound):
			delete(next, name)
		case err != nil:
			return err
		default:
			next[name] = f
		}
	}
	w.features = next
	return nil
}

// send reports the set unless it is the one that was reported last.
func (w *watch) send(ctx context.Context) error {
	set := w.s.set(w.features, w.readOnly)
	set.Warnings = w.warnings
	if set.Revision == w.last && w.failed == "" {
		return nil
	}
	select {
	case w.out <- sources.FlagEvent{Set: &set}:
		w.last, w.failed = set.Revision, ""
	case <-ctx.Done():
	}
	return nil
}

// well reports the set after a failure though nothing changed.
func (w *watch) well(ctx context.Context) error {
	if w.failed == "" {
		return nil
	}
	return w.send(ctx)
}

// fail reports an error once.
func (w *watch) fail(ctx context.Context, err error) {
	if err.Error() == w.failed {
		return
	}
	select {
	case w.out <- sources.FlagEvent{Err: err}:
		w.failed = err.Error()
	case <-ctx.Done():
	}
}
