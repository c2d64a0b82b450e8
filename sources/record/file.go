package record

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"relctl-tui/sources"
)

// File is a recording that is being written to a file. It is goroutine-safe; make it
// with Create.
type File struct {
	path string

	mu  sync.Mutex
	f   *os.File
	w   *Writer
	end error // why nothing more is written
}

// Create makes a file, readable by its owner alone, that is not there yet.
func Create(path string) (*File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("%s is there already, and a recording overwrites nothing: name another file: %w", sources.Clean(path, sources.MaxName), sources.ErrConflict)
	}
	if err != nil {
		return nil, fmt.Errorf("%s cannot be recorded to: %w", sources.Clean(path, sources.MaxName), cause(err))
	}
	return &File{path: path, f: f, w: NewWriter(func() io.Writer { return f })}, nil
}

// cause is an error of a file without the path, which the sentence names already.
func cause(err error) error {
	var at *os.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// Add writes a snapshot; lost is how many were missed before it. The first failure
// ends the recording: what is in the file by then can be replayed.
func (r *File) Add(s *sources.Snapshot, lost uint64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.end == nil {
		r.end = r.failed(r.w.Add(s, lost))
	}
	return r.end
}

// Flush writes out what was added.
func (r *File) Flush() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.end == nil {
		r.end = r.failed(r.w.Flush())
	}
	return r.end
}

func (r *File) failed(err error) error {
	if err == nil {
		return nil
	}
	kept := "nothing of it can be replayed"
	if to := r.w.Stats().To; !to.IsZero() {
		kept = "it can be replayed until about " + to.Local().Format(time.TimeOnly)
	}
	return fmt.Errorf("recording to %s has stopped (%w): %s, and the board goes on", sources.Clean(filepath.Base(r.path), 60), cause(err), kept)
}

// Close ends the recording and says what it holds; err is why it ended before.
func (r *File) Close() (Stats, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.f == nil {
		return r.w.Stats(), r.end
	}
	if r.end == nil {
		r.end = r.failed(r.w.Close())
	}
	if err := r.f.Close(); r.end == nil {
		r.end = r.failed(err)
	}
	r.f = nil
	if r.end == nil {
		r.end = os.ErrClosed
		return r.w.Stats(), nil
	}
	return r.w.Stats(), r.end
}
