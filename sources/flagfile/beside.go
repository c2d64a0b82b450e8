package flagfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// This file is how what lies beside the flags (leases, schedules) is read and written.

// readBeside is what a file beside target holds, up to so many bytes; nil where there
// is no such file.
func (s *Store) readBeside(target, ending string, most int64) ([]byte, error) {
	f, err := os.OpenFile(beside(target, ending), os.O_RDONLY|syscall.O_NONBLOCK, 0)
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
	name := path + tempEnding // one is enough: the caller has the lock
	_ = os.Remove(name)
	tmp, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // whoever reads the flags may see who ramps them, and what becomes of them
	if err != nil {
		return s.wrap(writeError(err))
	}
	p := prepared{path: name}
	_, err = tmp.Write(b)
	if err == nil && durably {
		err = tmp.Sync()
		p.dir, _ = os.Open(filepath.Dir(path)) // a directory may be entered but not listed: then the rename stands
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		p.drop()
		return s.wrap(writeError(err))
	}
	if err := swap(&p, path, func() {}); err != nil {
		return s.wrap(err)
	}
	return nil
}
