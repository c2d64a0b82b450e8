package sshserver

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"charm.land/wish/v2"
	"github.com/charmbracelet/ssh"

	"relctl-tui/sources"
)

// What others may have of a file.
const (
	sharedRead os.FileMode = 0o022 // they may read it, never write
	secret     os.FileMode = 0o077 // nothing
)

// strict refuses a file that somebody else could change, or read where it is secret:
// whoever writes the list of keys lets in whom they like.
func strict(path string, forbidden os.FileMode) (fileState, error) {
	name := sources.Clean(path, sources.MaxName)
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return fileState{}, fmt.Errorf("%s: %w", name, plain(err))
	case !info.Mode().IsRegular():
		return fileState{}, fmt.Errorf("%s is no file", name)
	case permissions(info)&forbidden != 0 && forbidden == secret:
		return fileState{}, fmt.Errorf("%s can be read by others: chmod 600 it", name)
	case permissions(info)&forbidden != 0:
		return fileState{}, fmt.Errorf("%s can be written by others: chmod go-w it", name)
	}
	owner, ino := ownerOf(info)
	if owner != 0 && owner != os.Geteuid() && owner != -1 {
		return fileState{}, fmt.Errorf("%s belongs to somebody else: chown it to the user of this server, or to root", name)
	}
	dir, err := os.Stat(filepath.Dir(path))
	if err == nil && permissions(dir)&0o002 != 0 && dir.Mode()&fs.ModeSticky == 0 {
		return fileState{}, fmt.Errorf("the folder of %s can be written by everybody: chmod o-w it", name)
	}
	return fileState{info.ModTime(), info.Size(), ino, info.Mode()}, nil
}

func readBounded(path string, limit int64) ([]byte, error) {
	name := sources.Clean(path, sources.MaxName)
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, plain(err))
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, plain(err))
	case int64(len(b)) > limit:
		return nil, fmt.Errorf("%s has more than %d bytes", name, limit)
	}
	return b, nil
}

// plain is an error of a file without its path.
func plain(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// hostKey has the server prove itself with the key in a file, which is made where it
// is not there: a server that changes its key teaches people to wave warnings through.
func hostKey(path string) ssh.Option {
	if _, err := os.Stat(path); err == nil {
		if _, err := strict(path, secret); err != nil {
			return func(*ssh.Server) error { return err }
		}
	}
	load := wish.WithHostKeyPath(path)
	return func(s *ssh.Server) error {
		if err := load(s); err != nil {
			return fmt.Errorf("host key %s: %w", sources.Clean(path, sources.MaxName), plain(err))
		}
		return nil
	}
}
