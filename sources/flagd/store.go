// Package flagd is the driver for flagd flag-definition files: the JSON that
// flagd and the in-process providers of every OpenFeature SDK evaluate.
//
// It needs no server. Edits are surgical: only the bytes of the edited values
// change, and an undo puts the file back byte for byte. Writers exclude each
// other by an advisory lock beside the file; readers never wait, because a new
// version takes the file's place in one rename.
package flagd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"relctl-tui/sources"
)

var (
	_ sources.FlagLister    = (*Store)(nil)
	_ sources.FlagGetter    = (*Store)(nil)
	_ sources.FlagWatcher   = (*Store)(nil)
	_ sources.FlagWriter    = (*Store)(nil)
	_ sources.JournalPlacer = (*Store)(nil)
)

// Defaults of the options.
const (
	DefaultPollInterval = 2 * time.Second
	DefaultReread       = 30 * time.Second
	DefaultPatience     = 500 * time.Millisecond
	DefaultMaxSize      = 32 << 20
)

// Store is one flag-definition file. It holds no content: every read is fresh.
// It is goroutine-safe; make it with New.
type Store struct {
	name, path string
	now        func() time.Time
	poll       time.Duration
	reread     time.Duration
	patience   time.Duration
	maxSize    int64
	notify     bool
	hang       time.Duration // after which Watch says that the file system does not answer
	stat       func(string) (fs.FileInfo, error)

	mu      sync.Mutex
	swept   time.Time // when leftovers of crashed writers were last removed
	sweptIn string
}

// Option changes a default of New.
type Option func(*Store)

// WithNow injects the clock.
func WithNow(now func() time.Time) Option { return func(s *Store) { s.now = now } }

// WithPollInterval sets how often Watch looks at the file where no
// notification arrives (network file systems); DefaultPollInterval otherwise.
func WithPollInterval(d time.Duration) Option {
	return func(s *Store) { s.poll = max(d, time.Millisecond) }
}

// WithReread sets how often Watch reads the whole file although its size, time
// and inode are unchanged; DefaultReread otherwise.
func WithReread(d time.Duration) Option {
	return func(s *Store) { s.reread = max(d, time.Millisecond) }
}

// WithPatience sets how long Watch reads a file again that stopped making sense
// before it says so, because editors truncate and then write; DefaultPatience
// otherwise.
func WithPatience(d time.Duration) Option { return func(s *Store) { s.patience = d } }

// WithMaxSize bounds the file in bytes; DefaultMaxSize otherwise.
func WithMaxSize(n int64) Option { return func(s *Store) { s.maxSize = n } }

// WithoutNotify makes Watch rely on its poll alone.
func WithoutNotify() Option { return func(s *Store) { s.notify = false } }

// New is the store of the file at path, under the name of its source. Nothing
// is opened yet, and the file need not exist.
func New(name, path string, opts ...Option) *Store {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	s := &Store{
		name: name, path: path, now: time.Now, notify: true,
		poll: DefaultPollInterval, reread: DefaultReread, patience: DefaultPatience, maxSize: DefaultMaxSize,
		hang: 10 * time.Second, stat: os.Stat,
	}
	for _, opt := range opts {
		opt(s)
	}
	return s
}

// JournalPath is where the changes of this file are journalled: beside the file
// that the path leads to, so that all who share the file share its journal.
func (s *Store) JournalPath() string { return beside(s.target(), ".jsonl") }

func beside(target, ending string) string {
	return filepath.Join(filepath.Dir(target), "."+filepath.Base(target)+".relctl"+ending)
}

// target is the file behind all symbolic links; the path itself while it is
// not there.
func (s *Store) target() string {
	if t, err := filepath.EvalSymlinks(s.path); err == nil {
		return t
	}
	return s.path
}

// Flags lists the file's flags, sorted by key.
func (s *Store) Flags(ctx context.Context) (sources.FlagSet, error) {
	return await(ctx, s, func() (sources.FlagSet, error) {
		b, _, err := s.read()
		if err != nil {
			return sources.FlagSet{}, err
		}
		return s.set(b)
	})
}

// Flag reads one flag.
func (s *Store) Flag(ctx context.Context, id sources.FlagID) (sources.Flag, error) {
	return await(ctx, s, func() (sources.Flag, error) {
		b, _, err := s.read()
		if err != nil {
			return sources.Flag{}, err
		}
		doc, err := scan(b)
		if err != nil {
			return sources.Flag{}, s.wrap(err)
		}
		def, err := s.find(doc, id)
		if err != nil {
			return sources.Flag{}, err
		}
		r := newReader(doc)
		return r.flag(s.name, def, r.read(def)), nil
	})
}

func (s *Store) find(doc *document, id sources.FlagID) (*definition, error) {
	if id.Source == s.name {
		if def := doc.find(id.Key); def != nil {
			return def, nil
		}
	}
	return nil, s.wrap(fmt.Errorf("there is no flag %s in it: %w", sources.Clean(id.Key, sources.MaxName), sources.ErrNotFound))
}

// set turns the file's bytes into its flags.
func (s *Store) set(b []byte) (sources.FlagSet, error) {
	doc, err := scan(b)
	if err != nil {
		return sources.FlagSet{}, s.wrap(err)
	}
	r := newReader(doc)
	flags := make([]sources.Flag, len(doc.defs))
	for i := range doc.defs {
		def := &doc.defs[i]
		flags[i] = r.flag(s.name, def, r.read(def))
	}
	return sources.FlagSet{
		Source: s.name, Revision: revisionOf(b), Flags: flags, ReadAt: s.now(), Warnings: doc.warnings,
	}, nil
}

// wrap names the source and the file in an error's sentence.
func (s *Store) wrap(err error) error {
	return fmt.Errorf("source %s: %s: %w", sources.Clean(s.name, 60), sources.Clean(s.path, 300), err)
}

// await runs read on the side, so that a file system that hangs does not hang
// whoever asked.
func await[T any](ctx context.Context, s *Store, read func() (T, error)) (T, error) {
	type result struct {
		v   T
		err error
	}
	var zero T
	if err := ctx.Err(); err != nil {
		return zero, s.wrap(fmt.Errorf("not read: %w: %w", sources.ErrUnavailable, err))
	}
	done := make(chan result, 1)
	go func() {
		v, err := read()
		done <- result{v, err}
	}()
	select {
	case r := <-done:
		return r.v, r.err
	case <-ctx.Done():
		return zero, s.wrap(fmt.Errorf("reading did not end in time: %w: %w", sources.ErrUnavailable, ctx.Err()))
	}
}

// read is the file's content and what it was like when it was opened.
func (s *Store) read() ([]byte, fs.FileInfo, error) {
	// O_NONBLOCK: opening a named pipe must not wait for its other end.
	f, err := os.OpenFile(s.path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, s.wrap(openError(err))
	}
	defer f.Close() //nolint:errcheck // nothing was written
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, nil, s.wrap(openError(err))
	case info.IsDir():
		return nil, nil, s.wrap(fmt.Errorf("that is a directory; name the flag file in it: %w", sources.ErrInvalid))
	case !info.Mode().IsRegular():
		return nil, nil, s.wrap(fmt.Errorf("that is no regular file: %w", sources.ErrInvalid))
	case info.Size() > s.maxSize:
		return nil, nil, s.wrap(fmt.Errorf("the file has %d bytes, the most that is read is %d: %w", info.Size(), s.maxSize, sources.ErrInvalid))
	}
	b := make([]byte, info.Size()+1)
	n, err := io.ReadFull(f, b)
	if err == nil {
		// It grew while it was read: somebody is writing in place.
		return nil, nil, s.wrap(fmt.Errorf("the file is being written: %w", sources.ErrUnavailable))
	}
	if !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, nil, s.wrap(openError(err))
	}
	return b[:n], info, nil
}

// openError puts a file error into words. The path is left out: wrap has it.
func openError(err error) error {
	var pe *fs.PathError
	cause := err
	if errors.As(err, &pe) {
		cause = pe.Err
	}
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("there is no such file; create it or name another: %w", sources.ErrNotFound)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("you may not read it; ask its owner: %w", sources.ErrUnauthorized)
	case errors.Is(err, syscall.ELOOP), errors.Is(err, syscall.ENAMETOOLONG):
		return fmt.Errorf("that path leads nowhere (%w): %w", cause, sources.ErrInvalid)
	default:
		return fmt.Errorf("it cannot be read (%w): %w", cause, sources.ErrUnavailable)
	}
}
