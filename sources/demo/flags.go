package demo

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/flagdef"
)

//go:embed flags.json
var defaultFlags []byte

// DefaultFlags is the flag-definition file that the fleet starts with: 25 flags
// of a shop, checkout-v2 among them at 0 %. The caller owns the bytes.
func DefaultFlags() []byte { return slices.Clone(defaultFlags) }

const (
	recheck      = 100 * time.Millisecond // how old the view of the file may be
	maxFlagsFile = 16 << 20
)

// writeDefault creates the file with the default flags; one that is there stays
// as it is.
func writeDefault(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err == nil {
		_, err = f.Write(defaultFlags)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return fmt.Errorf("the demo's flags file %s cannot be written (%w): %w", sources.Clean(path, sources.MaxName), err, sources.ErrUnavailable)
	}
	return nil
}

// flagFile evaluates flags from a file as it is now, give or take recheck. A
// file that cannot be read or evaluated leaves the last good one in force, as
// flagd does. It is safe for use from any goroutine.
type flagFile struct {
	path string
	now  func() time.Time
	log  *slog.Logger
	good atomic.Pointer[flagdef.Evaluator]

	mu      sync.Mutex
	checked time.Time
	seen    os.FileInfo // of the content last looked at, good or bad
}

func openFlags(path string, now func() time.Time, log *slog.Logger) (*flagFile, error) {
	f := &flagFile{path: path, now: now, log: log, checked: now()}
	info, e, err := f.read()
	if err != nil {
		return nil, err
	}
	f.seen = info
	f.good.Store(e)
	return f, nil
}

// evaluator is the last good evaluator, after a look at the file if one is due.
func (f *flagFile) evaluator() *flagdef.Evaluator {
	// Whoever finds another at it goes on with what is there.
	if f.mu.TryLock() {
		if now := f.now(); now.Sub(f.checked) >= recheck {
			f.checked = now
			f.refresh()
		}
		f.mu.Unlock()
	}
	return f.good.Load()
}

func (f *flagFile) refresh() {
	info, err := os.Stat(f.path)
	if err == nil && f.seen != nil && os.SameFile(info, f.seen) && info.Size() == f.seen.Size() && info.ModTime().Equal(f.seen.ModTime()) {
		return
	}
	var e *flagdef.Evaluator
	if err == nil {
		info, e, err = f.read()
	}
	known := f.seen == nil && info == nil
	f.seen = info
	if err == nil {
		f.good.Store(e)
	} else if !known {
		f.log.Warn("the last good flags stay in force", "err", err)
	}
}

// read is the file's content and what it is of; the info is nil only when the
// file could not be opened.
func (f *flagFile) read() (os.FileInfo, *flagdef.Evaluator, error) {
	fail := func(info os.FileInfo, err, kind error) (os.FileInfo, *flagdef.Evaluator, error) {
		return info, nil, fmt.Errorf("the demo's flags file %s cannot be used (%w): %w", sources.Clean(f.path, sources.MaxName), err, kind)
	}
	file, err := os.Open(f.path)
	if err != nil {
		return fail(nil, err, sources.ErrUnavailable)
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return fail(nil, err, sources.ErrUnavailable)
	}
	doc, err := io.ReadAll(io.LimitReader(file, maxFlagsFile+1))
	if err != nil {
		return fail(info, err, sources.ErrUnavailable)
	}
	if len(doc) > maxFlagsFile {
		return fail(info, errors.New("larger than 16 MiB"), sources.ErrInvalid)
	}
	e, err := flagdef.NewEvaluator(doc)
	if err != nil {
		return fail(info, err, sources.ErrInvalid)
	}
	return info, e, nil
}
