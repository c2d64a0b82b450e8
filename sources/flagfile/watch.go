package flagfile

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"

	"relctl-tui/sources"
)

// settle is how long a file that is written in place may take before it is
// read; one that was renamed into place is read at once.
const settle = 10 * time.Millisecond

// Watch follows the file by notification and, for network file systems, by a
// slow poll. An error is reported once, until it changes or the file is well
// again. It returns no error of its own: a missing file is an event.
func (s *Store) Watch(ctx context.Context, from sources.Revision) (<-chan sources.FlagEvent, error) {
	w := &watch{s: s, out: make(chan sources.FlagEvent), last: from}
	if s.notify {
		// Without inotify instances left the poll alone does the work.
		w.files, _ = fsnotify.NewWatcher()
	}
	out := make(chan sources.FlagEvent)
	go w.run(ctx)
	go w.guard(ctx, out)
	return out, nil
}

// watch is owned by its one goroutine, but for vigil.
type watch struct {
	vigil
	s     *Store
	out   chan sources.FlagEvent
	files *fsnotify.Watcher // nil for poll alone
	dirs  []string          // watched by files

	last   sources.Revision
	failed string // the error reported last, "" for none
	looked mark
	readAt time.Time
	bad    time.Time // since when it makes no sense; zero when it does
	named  bool      // a notification named the file itself: read it whatever its mark says
}

// mark tells without reading whether a file may have changed.
type mark struct {
	info fs.FileInfo
	gone bool
}

func (m mark) same(o mark) bool {
	if m.info == nil || o.info == nil {
		return m.info == nil && o.info == nil && m.gone == o.gone
	}
	return os.SameFile(m.info, o.info) && m.info.Size() == o.info.Size() && m.info.ModTime().Equal(o.info.ModTime())
}

func (w *watch) run(ctx context.Context) {
	var events chan fsnotify.Event
	var errs chan error
	if w.files != nil {
		defer w.files.Close() //nolint:errcheck // read only
		events, errs = w.files.Events, w.files.Errors
	}
	poll := time.NewTicker(w.s.poll)
	defer poll.Stop()
	again := time.NewTimer(time.Hour)
	defer again.Stop()
	w.named = true
	w.begin()
	w.follow()
	w.look(ctx, again)
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-poll.C:
			w.look(ctx, again)
		case <-again.C:
			w.look(ctx, again)
		case e, ok := <-events:
			if !ok {
				events = nil
			} else if w.concerns(e) {
				w.wake(again, e)
			}
		case _, ok := <-errs: // a lost notification: look
			if !ok {
				errs = nil
			} else {
				w.named = true
				again.Reset(settle)
			}
		}
	}
}

// wake looks at once after a rename, and a moment later after a write in place.
// A neighbour's event costs a stat only: the directory may be a busy one.
func (w *watch) wake(again *time.Timer, e fsnotify.Event) {
	w.begin()
	defer w.end()
	if name := filepath.Base(e.Name); name == filepath.Base(w.s.path) || name == filepath.Base(w.s.target()) {
		w.named = true
	}
	if e.Has(fsnotify.Create) || e.Has(fsnotify.Rename) || e.Has(fsnotify.Remove) {
		again.Reset(0)
		return
	}
	again.Reset(settle)
}

// concerns drops the events that our own lock, journal and temporary files make.
func (w *watch) concerns(e fsnotify.Event) bool {
	name := filepath.Base(e.Name)
	return !strings.HasPrefix(name, ".") || !strings.Contains(name, ".relctl")
}

// follow watches the directory of the path and that of the file behind its
// links, which may be another one after each change.
func (w *watch) follow() {
	if w.files == nil {
		return
	}
	want := []string{filepath.Dir(w.s.path)}
	if dir := filepath.Dir(w.s.target()); dir != want[0] {
		want = append(want, dir)
	}
	for _, dir := range w.dirs {
		if !slices.Contains(want, dir) {
			_ = w.files.Remove(dir)
		}
	}
	w.dirs = want
	for _, dir := range want {
		_ = w.files.Add(dir) // no matter when it is watched already; poll helps when it fails
	}
}

// look reads the file if it may have changed and reports what is new.
func (w *watch) look(ctx context.Context, again *time.Timer) {
	w.begin()
	defer w.end()
	if w.hung.Swap(false) { // whoever was told so is told what came after
		w.failed, w.named = "it hung", true
	}
	info, err := w.s.stat(w.s.path)
	now := mark{info: info, gone: errors.Is(err, fs.ErrNotExist)}
	if !w.named && now.same(w.looked) && w.bad.IsZero() && time.Since(w.readAt) < w.s.reread && !w.s.moving() {
		return
	}
	if !now.same(w.looked) {
		w.follow()
	}
	w.looked, w.readAt, w.named = now, time.Now(), false
	set, err := w.read(ctx)
	switch {
	case ctx.Err() != nil:
	case err == nil:
		w.bad = time.Time{}
		if set != nil {
			w.send(ctx, sources.FlagEvent{Set: set})
		}
	case w.patient(err):
		again.Reset(2 * settle)
	default:
		w.fail(ctx, err)
	}
}

// read is the file's flags, or nil when they are the ones reported last.
func (w *watch) read(ctx context.Context) (*sources.FlagSet, error) {
	return await(ctx, w.s, func() (*sources.FlagSet, error) {
		b, err := w.s.read()
		if err != nil {
			return nil, err
		}
		if w.failed == "" && w.s.revision(b, w.s.now()) == w.last {
			return nil, nil
		}
		set, err := w.s.set(b)
		return &set, err
	})
}

// patient reports whether an error may be a file caught half written.
func (w *watch) patient(err error) bool {
	if w.failed != "" || (w.last == "" && w.bad.IsZero() && !errors.Is(err, sources.ErrUnavailable)) {
		return false // reported already, or the first look: say it at once
	}
	if w.bad.IsZero() {
		w.bad = time.Now()
	}
	return time.Since(w.bad) < w.s.patience
}

func (w *watch) fail(ctx context.Context, err error) {
	w.bad = time.Time{}
	if err.Error() == w.failed {
		return
	}
	w.failed = err.Error()
	w.send(ctx, sources.FlagEvent{Err: err})
}

func (w *watch) send(ctx context.Context, e sources.FlagEvent) {
	w.end() // a slow listener is no slow file system
	if e.Set != nil {
		w.last, w.failed = e.Set.Revision, ""
	}
	select {
	case w.out <- e:
	case <-ctx.Done():
	}
}
