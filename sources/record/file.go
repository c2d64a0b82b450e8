package record

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"relctl-tui/sources"
)

// File is what a Flight records, in a file as well: the bytes of the one encoding, from
// its beginning on. What happens to the file is nothing to the Flight. It is
// goroutine-safe; make it with Create.
type File struct {
	path string

	mu   sync.Mutex
	f    *os.File
	at   place
	kept Stats // what the file holds
	end  error // why nothing more is written
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
	return &File{path: path, f: f}, nil
}

// cause is an error of a file without the path, which the sentence names already.
func cause(err error) error {
	var at *os.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// Copy writes what was recorded since the last Copy. The first failure ends the
// recording: what is in the file by then can be replayed.
func (r *File) Copy(from *Flight) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.copy(from, false)
	return r.end
}

func (r *File) copy(from *Flight, last bool) {
	if r.end != nil {
		return
	}
	data, stats, err := from.since(&r.at, last)
	if err == nil && len(data) > 0 {
		_, err = r.f.Write(data)
	}
	if r.end = r.failed(err); r.end == nil {
		r.kept = stats
	}
}

func (r *File) failed(err error) error {
	if err == nil {
		return nil
	}
	kept := "nothing of it can be replayed"
	if to := r.kept.To; !to.IsZero() {
		kept = "it can be replayed until about " + to.Local().Format(time.TimeOnly)
	}
	return fmt.Errorf("recording to %s has stopped (%w): %s, and the board goes on", sources.Clean(filepath.Base(r.path), 60), cause(err), kept)
}

// Close writes the last of it, ends the recording and says what it holds; err is why it
// ended before.
func (r *File) Close(from *Flight) (Stats, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.f == nil {
		return r.kept, r.end
	}
	r.copy(from, true)
	if err := r.f.Close(); r.end == nil {
		r.end = r.failed(err)
	}
	r.f = nil
	if r.end == nil {
		r.end = os.ErrClosed
		return r.kept, nil
	}
	return r.kept, r.end
}
