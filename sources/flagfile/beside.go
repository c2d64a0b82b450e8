package flagfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// This file is how what lies beside the flags (leases, schedules, who is here) is read
// and written.

// readBeside is what a file beside the flags holds, up to so many bytes; nil where there
// is no such file.
func readBeside(path string, most int64) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, openError(err)
	}
	defer f.Close() //nolint:errcheck // nothing was written
	b, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return nil, openError(err)
	}
	return b, nil
}

// replaceBeside puts b in the place of the file at path, so that no reader sees half of
// it; durably means that it waits for the disk. The caller has the lock of the flags.
func (s *Store) replaceBeside(path string, b []byte, durably bool) error {
	name, err := spare(path, b, durably)
	if err != nil {
		return s.wrap(writeError(err))
	}
	p := prepared{path: name}
	if durably {
		p.dir = openDir(filepath.Dir(path))
	}
	defer p.close()
	if err := swap(&p, path, func() {}); err != nil {
		return s.wrap(err)
	}
	return nil
}

// spare writes b to the one temporary file that goes with path: nobody else writes there,
// for the caller has the lock, or path is its process's alone.
func spare(path string, b []byte, durably bool) (name string, err error) {
	name = path + tempEnding
	_ = os.Remove(name)
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // whoever reads the flags may see who ramps them, who looks at them, and what becomes of them
	if err != nil {
		return "", err
	}
	_, err = f.Write(b)
	if err == nil && durably {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(name)
		return "", err
	}
	return name, nil
}
