// Package flagfile keeps flags in one file, whatever its format. It needs no
// server. Writers exclude each other by an advisory lock beside the file and
// compare before they swap; readers never wait, because a new version takes the
// file's place in one rename. It is no driver: those of flagd and of GO Feature
// Flag are this with a Format.
package flagfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
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

// Format is how one kind of flag file is read and edited. It is pure and
// goroutine-safe. Its errors are clauses without the file's name that wrap a
// sentinel. now matters only to formats in which time does.
type Format interface {
	// Flags is every flag in b, sorted by key and each key once, with cleaned
	// sentences about what is odd. One that cannot be evaluated is a broken flag.
	Flags(source string, b []byte, now time.Time) ([]sources.Flag, []string, error)
	// Flag is one flag; a key that is not there is sources.ErrNotFound.
	Flag(source string, b []byte, key string, now time.Time) (sources.Flag, error)
	// Draft compares c.Seen with the flag in b and works out the new bytes, which
	// differ only within that flag, and have been read back.
	Draft(source string, b []byte, c sources.Change, now time.Time) (Draft, error)
}

// Mover is a Format in which a flag's percentage changes with time alone.
type Mover interface {
	// Moves is when the flags of b will next read otherwise though nobody edits
	// them, the zero time for never. It is the same for every now up to then.
	Moves(b []byte, now time.Time) time.Time
}

// Draft is a change worked out on one version of the file.
type Draft struct {
	Planned sources.Planned
	Bytes   []byte        // the whole file after the change
	Same    bool          // the file is as the change would leave it
	Warning func() string // what keeps the change from being in force, asked after the write; nil for nothing
}

func (d *Draft) warning() string {
	if d.Warning == nil {
		return ""
	}
	return d.Warning()
}

// Store is one flag file. It holds no content: every read is fresh. It is
// goroutine-safe; make it with New.
type Store struct {
	format     Format
	name, path string
	now        func() time.Time
	poll       time.Duration
	reread     time.Duration
	patience   time.Duration
	maxSize    int64
	notify     bool
	hang       time.Duration // after which Watch says that the file system does not answer
	stat       func(string) (fs.FileInfo, error)

	reads     chan struct{} // a token for each read under way
	attending sync.Mutex    // one word at a time about who is here

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

// WithStat sets how Watch looks at the file, and after what time without an answer
// it says that the file system hangs; os.Stat and ten seconds otherwise.
func WithStat(stat func(string) (fs.FileInfo, error), hang time.Duration) Option {
	return func(s *Store) { s.stat, s.hang = stat, hang }
}

// New is the store of the file at path in that format, under the name of its
// source. Nothing is opened yet, and the file need not exist.
func New(name, path string, format Format, opts ...Option) *Store {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	s := &Store{
		format: format, name: name, path: path, now: time.Now, notify: true,
		poll: DefaultPollInterval, reread: DefaultReread, patience: DefaultPatience, maxSize: DefaultMaxSize,
		hang: 10 * time.Second, stat: os.Stat, reads: make(chan struct{}, mostReads),
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
		b, err := s.read()
		if err != nil {
			return sources.FlagSet{}, err
		}
		return s.set(b)
	})
}

// Name is the name of the source.
func (s *Store) Name() string { return s.name }

// Content is the file's bytes as they are now, and the revision that the set of
// its flags has. It does not look into them.
func (s *Store) Content(ctx context.Context) ([]byte, sources.Revision, error) {
	b, err := await(ctx, s, func() ([]byte, error) {
		b, err := s.read()
		return b, err
	})
	if err != nil {
		return nil, "", err
	}
	return b, s.revision(b, s.now()), nil
}

// Flag reads one flag.
func (s *Store) Flag(ctx context.Context, id sources.FlagID) (sources.Flag, error) {
	return await(ctx, s, func() (sources.Flag, error) {
		b, err := s.read()
		if err != nil {
			return sources.Flag{}, err
		}
		if id.Source != s.name {
			return sources.Flag{}, s.wrap(fmt.Errorf("there is no flag %s in it: %w", sources.Clean(id.Key, sources.MaxName), sources.ErrNotFound))
		}
		f, err := s.format.Flag(s.name, b, id.Key, s.now())
		if err != nil {
			return sources.Flag{}, s.wrap(err)
		}
		return f, nil
	})
}

// set turns the file's bytes into its flags.
func (s *Store) set(b []byte) (sources.FlagSet, error) {
	now := s.now()
	flags, warnings, err := s.format.Flags(s.name, b, now)
	if err != nil {
		return sources.FlagSet{}, s.wrap(err)
	}
	return sources.FlagSet{
		Source: s.name, Revision: s.revision(b, now), Flags: flags, ReadAt: now, Warnings: warnings,
	}, nil
}

// revision is that of the whole set: of the bytes, and of the time where it matters.
func (s *Store) revision(b []byte, now time.Time) sources.Revision {
	rev := sources.RevisionOf(b)
	if m, ok := s.format.(Mover); ok {
		if at := m.Moves(b, now); !at.IsZero() {
			rev += sources.Revision("@" + strconv.FormatInt(at.UnixMilli(), 36))
		}
	}
	return rev
}

// moving says whether a file may read otherwise without having been touched.
func (s *Store) moving() bool {
	_, ok := s.format.(Mover)
	return ok
}

// wrap names the source and the file in an error's sentence.
func (s *Store) wrap(err error) error {
	return fmt.Errorf("source %s: %s: %w", sources.Clean(s.name, 60), sources.Clean(s.path, 300), err)
}

// mostReads bounds the reads under way. Where a file system hangs, each keeps a thread for
// ever; whoever looks every other second would have used up all that a process may have
// within hours, and that ends it.
const mostReads = 16

// await runs read on the side, so that a file system that hangs does not hang
// whoever asked. A fault in it is the caller's.
func await[T any](ctx context.Context, s *Store, read func() (T, error)) (T, error) {
	type result struct {
		v      T
		err    error
		failed any
	}
	var zero T
	if err := ctx.Err(); err != nil {
		return zero, s.wrap(fmt.Errorf("not read: %w: %w", sources.ErrUnavailable, err))
	}
	late := func() (T, error) {
		return zero, s.wrap(fmt.Errorf("reading did not end in time: %w: %w", sources.ErrUnavailable, ctx.Err()))
	}
	select {
	case s.reads <- struct{}{}:
	case <-ctx.Done():
		return late()
	}
	done := make(chan result, 1)
	go func() {
		defer func() { <-s.reads }()
		var r result
		defer func() {
			r.failed = recover()
			done <- r
		}()
		r.v, r.err = read()
	}()
	select {
	case r := <-done:
		if r.failed != nil {
			panic(r.failed)
		}
		return r.v, r.err
	case <-ctx.Done():
		return late()
	}
}

// read is the file's content.
func (s *Store) read() ([]byte, error) {
	f, err := s.open()
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // nothing was written
	b, _, err := s.readFrom(f)
	return b, err
}

func (s *Store) open() (*os.File, error) {
	// O_NONBLOCK: opening a named pipe must not wait for its other end.
	f, err := os.OpenFile(s.path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, s.wrap(openError(err))
	}
	return f, nil
}

// readFrom is an open file's content and what it was like when it was opened.
func (s *Store) readFrom(f *os.File) ([]byte, fs.FileInfo, error) {
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
