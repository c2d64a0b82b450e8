package control_test

import (
	"errors"
	"io"
	"io/fs"
	"sync"

	"relctl-tui/sources/journal"
)

// memory is the disk of journals in a model that tries a hundred thousand sequences: all
// of the journal's own logic runs over it, without a disk to wait for. full makes it
// refuse what is written, torn break off the next line in its middle.
type memory struct {
	mu         sync.Mutex
	files      map[string]*pages
	full, torn bool
	trouble    bool // there was, or is, some
}

// pages is what one file holds.
type pages struct{ b []byte }

func newMemory() *memory { return &memory{files: map[string]*pages{}} }

func (m *memory) set(full, torn bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.full, m.torn, m.trouble = full, torn, full || torn
}

// broken says that something was in the way of what was written since set.
func (m *memory) broken() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.trouble
}

func (m *memory) Size(path string) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.files[path]
	if f == nil {
		return 0, fs.ErrNotExist
	}
	return int64(len(f.b)), nil
}

func (*memory) MakeFolder(string) error { return nil }

func (*memory) Lock(string) (func(), bool) { return func() {}, true }

func (m *memory) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.files[to] = m.files[from]
	delete(m.files, from)
	return nil
}

func (m *memory) Append(path string) (journal.File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.files[path] == nil {
		m.files[path] = &pages{}
	}
	return &opened{m, m.files[path]}, nil
}

func (m *memory) Open(path string) (journal.File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.files[path] == nil {
		return nil, fs.ErrNotExist
	}
	return &opened{m, m.files[path]}, nil
}

// opened is one file that somebody has open.
type opened struct {
	m *memory
	f *pages
}

var errDiskFull = errors.New("no space left on device")

func (o *opened) Write(b []byte) (int, error) {
	o.m.mu.Lock()
	defer o.m.mu.Unlock()
	if o.m.torn {
		o.m.torn = false
		n := len(b) / 2
		o.f.b = append(o.f.b, b[:n]...)
		return n, errDiskFull
	}
	if o.m.full {
		return 0, errDiskFull
	}
	o.f.b = append(o.f.b, b...)
	return len(b), nil
}

func (o *opened) ReadAt(b []byte, at int64) (int, error) {
	o.m.mu.Lock()
	defer o.m.mu.Unlock()
	if at > int64(len(o.f.b)) {
		return 0, io.EOF
	}
	n := copy(b, o.f.b[at:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// Seek is asked for the end alone.
func (o *opened) Seek(int64, int) (int64, error) {
	o.m.mu.Lock()
	defer o.m.mu.Unlock()
	return int64(len(o.f.b)), nil
}

func (*opened) Sync() error  { return nil }
func (*opened) Close() error { return nil }
