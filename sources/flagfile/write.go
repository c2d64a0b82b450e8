package flagfile

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"relctl-tui/sources"
)

// lockRetry is how often a taken lock is tried again.
const lockRetry = time.Millisecond

// plain changes nothing about how files and directories are read and written, but
// tells os.OpenFile that it need not switch them to this mode and back, which is
// four calls of the system for each file that a kill opens.
const plain = syscall.O_NONBLOCK

// lock takes the advisory lock beside the file. It excludes other processes
// and, because each call opens the lock file anew, other goroutines.
func (s *Store) lock(ctx context.Context, target string) (unlock func(), err error) {
	// Whoever may read the flags may take the lock: an exclusive flock needs no
	// right to write, and two operators need not be in one group for it.
	path := beside(target, ".lock")
	l := flock.New(path, flock.SetPermissions(0o644), flock.SetFlag(os.O_RDONLY|os.O_CREATE|plain))
	ok, err := l.TryLockContext(ctx, lockRetry)
	switch {
	case ok:
		// One operator's strict umask must not lock the others out.
		if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o444 != 0o444 {
			_ = os.Chmod(path, 0o644) //nolint:gosec // it holds nothing; reading it is how the lock is taken
		}
		return func() { _ = l.Close() }, nil
	case ctx.Err() != nil:
		return nil, s.wrap(fmt.Errorf("another writer holds the file's lock, nothing was written: %w: %w", sources.ErrUnavailable, ctx.Err()))
	default:
		return nil, s.wrap(writeError(err))
	}
}

// writeError puts a failure to write beside the file into words.
func writeError(err error) error {
	cause := err
	var pe *fs.PathError
	if errors.As(err, &pe) {
		cause = pe.Err
	}
	var le *os.LinkError
	if errors.As(err, &le) {
		cause = le.Err
	}
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("its directory cannot be written (%w), so the flags are read-only for you: %w", cause, sources.ErrReadOnly)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("its disk is full (%w), nothing was changed; free some space and repeat: %w", cause, sources.ErrUnavailable)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("its directory is gone: %w", sources.ErrNotFound)
	default:
		return fmt.Errorf("writing failed (%w), nothing was changed: %w", cause, sources.ErrUnavailable)
	}
}

// Temporary files are called .NAME.relctl-<26 letters>.tmp, so that a leftover
// of a crashed writer is told from anything else.
const tempEnding = ".tmp"

func tempPrefix(target string) string { return "." + filepath.Base(target) + ".relctl-" }

// sweep removes leftovers of crashed writers. The caller holds the lock; the
// age spares a writer on a file system where the lock does not work.
func (s *Store) sweep(target string) {
	now := s.now()
	s.mu.Lock()
	due := s.sweptIn != target || now.Sub(s.swept) > time.Minute
	if due {
		s.swept, s.sweptIn = now, target
	}
	s.mu.Unlock()
	if !due {
		return
	}
	dir := filepath.Dir(target)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		middle, ours := strings.CutPrefix(e.Name(), tempPrefix(target))
		middle, ends := strings.CutSuffix(middle, tempEnding)
		if !ours || !ends || len(middle) != 26 || strings.Trim(middle, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != "" {
			continue
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && time.Since(info.ModTime()) > time.Minute {
			_ = os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// prepared is a written and synced temporary file, ready to take the place of
// the target.
type prepared struct {
	path    string
	file    *os.File // itself, until it is synced
	dir     *os.File // the directory to sync, nil where it may not be opened
	warning string
	err     error
}

func (p *prepared) drop() {
	if p.path != "" {
		_ = os.Remove(p.path)
	}
	p.close()
}

func (p *prepared) close() {
	for _, f := range []**os.File{&p.file, &p.dir} {
		if *f != nil {
			_ = (*f).Close() // what is written was synced, the rest is only there
			*f = nil
		}
	}
}

// prepare writes b to a temporary file beside target, with the mode and owner of old.
func prepare(target string, b []byte, old fs.FileInfo) (p prepared) {
	path := filepath.Join(filepath.Dir(target), tempPrefix(target)+rand.Text()+tempEnding)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|plain, 0o600)
	if err != nil {
		return prepared{err: writeError(err)}
	}
	p.path, p.file = path, f
	var mode fs.FileMode
	p.warning, mode = keepOwner(f, old)
	_, err = f.Write(b)
	// Chmod after chown, which may clear bits.
	err = errors.Join(err, f.Chmod(mode))
	if mode == old.Mode().Perm() { // else it is of another group, which the list was not meant for
		p.warning = strings.TrimSuffix(sources.JoinClauses(p.warning, keepACL(f, target)), "; ")
	}
	if err != nil {
		p.drop()
		p.err = writeError(err)
	}
	return p
}

// TryWrite does what a change would do up to the moment at which it shows, and takes it
// back: an error is what would keep any change from the file right now.
func (s *Store) TryWrite(ctx context.Context) error {
	_, err := await(ctx, s, func() (struct{}, error) {
		target := s.target()
		unlock, err := s.lock(ctx, target)
		if err != nil {
			return struct{}{}, err
		}
		defer unlock()
		f, err := s.open()
		if err != nil {
			return struct{}{}, err
		}
		defer f.Close() //nolint:errcheck // nothing was written
		b, info, err := s.readFrom(f)
		if err != nil {
			return struct{}{}, err
		}
		tmp := prepare(target, b, info)
		if tmp.err != nil {
			return struct{}{}, s.wrap(tmp.err)
		}
		tmp.drop()
		return struct{}{}, nil
	})
	return err
}

// sync brings it to the disk and makes ready what the swap needs.
func (p *prepared) sync(target string) {
	err := errors.Join(p.file.Sync(), p.file.Close())
	p.file = nil
	if err != nil {
		p.drop()
		p.err = writeError(err)
		return
	}
	// Now, while the intent may be on its way to the disk, rather than after the rename.
	// A directory may be entered but not listed: then the rename stands.
	p.dir = openDir(filepath.Dir(target))
}

// swap makes the temporary file the target, says that it is visible and waits
// until the directory says so on disk. The caller closes it.
func swap(p *prepared, target string, visible func()) error {
	if err := rename(p.path, target); err != nil {
		p.drop()
		return writeError(err)
	}
	visible()
	if p.dir == nil {
		return nil
	}
	if err := p.dir.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) {
		return fmt.Errorf("written, but the disk did not confirm it (%w): %w", err, sources.ErrUnavailable)
	}
	return nil
}

// sameFile reports whether nobody replaced or rewrote the file since then.
func sameFile(target string, then fs.FileInfo) bool {
	now, err := os.Stat(target)
	return err == nil && os.SameFile(now, then) && now.Size() == then.Size() && now.ModTime().Equal(then.ModTime())
}
