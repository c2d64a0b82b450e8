package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"relctl-tui/sources"
)

// Disk is the files that journals lie in. It is goroutine-safe. A model that tries a
// hundred thousand sequences of changes keeps them in memory, and has all of a journal's
// own logic over that.
type Disk interface {
	Size(path string) (int64, error)           // fs.ErrNotExist where there is no such file
	MakeFolder(path string) error              // with its parents, where it is missing
	Append(path string) (File, error)          // for reading, and writing at its end; made where it is missing
	Open(path string) (File, error)            // for reading; fs.ErrNotExist where there is no such file
	Rename(from, to string) error              // replaces
	Lock(path string) (unlock func(), ok bool) // against other processes; false when it was not to be had in time
}

// File is an open file; Sync makes what was written to it durable.
type File interface {
	io.ReaderAt
	io.WriteSeeker
	io.Closer
	Sync() error
}

const (
	lockWait  = time.Second
	lockRetry = 2 * time.Millisecond
)

// system is the files of the operating system.
type system struct{}

func (system) Size(path string) (int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (system) MakeFolder(path string) error { return os.MkdirAll(path, 0o700) }

func (system) Rename(from, to string) error { return os.Rename(from, to) }

func (system) Lock(path string) (unlock func(), ok bool) {
	// Reading the lock file is how it is taken, and it holds nothing.
	// O_NONBLOCK changes nothing about a plain file, but spares four calls of the
	// system that os.OpenFile makes without it.
	l := flock.New(path, flock.SetPermissions(0o644), flock.SetFlag(os.O_RDONLY|os.O_CREATE|syscall.O_NONBLOCK))
	ctx, cancel := context.WithTimeout(context.Background(), lockWait)
	defer cancel()
	if ok, err := l.TryLockContext(ctx, lockRetry); err != nil || !ok {
		_ = l.Close()
		return func() {}, false
	}
	return func() { _ = l.Close() }, true
}

func (system) Append(path string) (File, error) {
	if err := regular(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	f, err := openExisting(path)
	if err == nil {
		return f, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	f, err = os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	share(f)
	syncDir(filepath.Dir(path))
	return f, nil
}

func (system) Open(path string) (File, error) {
	if err := regular(path); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// regular refuses what is not a plain file: opening a pipe would wait for ever.
func regular(path string) error {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file: %w", path, sources.ErrInvalid)
	}
	return err
}

// syncDir makes a new file's name durable; file systems that cannot do it are
// left to their own ways.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}
