// Package flagd is the driver for flagd flag-definition files: the JSON that
// flagd and the in-process providers of every OpenFeature SDK evaluate.
//
// It needs no server. Edits are surgical: only the bytes of the edited values
// change, and an undo puts the file back byte for byte.
package flagd

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/flagdef"
	"relctl-tui/sources/flagfile"
)

var _ sources.Exporter = (*Store)(nil)

// Store is one file of flag definitions: a flagfile.Store that can be published,
// because what it holds is what evaluators read. It is goroutine-safe; make it
// with New.
type Store struct{ *flagfile.Store }

// New is the store of the file at path, under the name of its source. Nothing
// is opened yet, and the file need not exist.
func New(name, path string, opts ...flagfile.Option) *Store {
	return &Store{flagfile.New(name, path, format{}, opts...)}
}

// Export is the file's bytes, without a byte order mark, and the revision that
// FlagSet has for them. A file that is no flagd document is ErrInvalid.
func (s *Store) Export(ctx context.Context) ([]byte, sources.Revision, error) {
	b, rev, err := s.Content(ctx)
	if err != nil {
		return nil, "", err
	}
	if _, err := flagdef.Parse(b); err != nil {
		return nil, "", fmt.Errorf("source %s: the flag file: %w", sources.Clean(s.Name(), 60), err)
	}
	return bytes.TrimPrefix(b, []byte("\xEF\xBB\xBF")), rev, nil
}

// format is flagd's definitions in a file.
type format struct{}

func (format) Flags(source string, b []byte, _ time.Time) ([]sources.Flag, []string, error) {
	doc, err := flagdef.Parse(b)
	if err != nil {
		return nil, nil, err
	}
	return doc.Flags(source), doc.Warnings(), nil
}

func (format) Flag(source string, b []byte, key string, _ time.Time) (sources.Flag, error) {
	doc, err := flagdef.Parse(b)
	if err != nil {
		return sources.Flag{}, err
	}
	return doc.Flag(source, key)
}

func (format) Draft(source string, b []byte, c sources.Change, _ time.Time) (flagfile.Draft, error) {
	d, err := flagdef.NewDraft(source, b, c)
	if err != nil {
		return flagfile.Draft{}, err
	}
	return flagfile.Draft{Planned: d.Planned, Bytes: d.Bytes, Same: d.Same, Warning: d.Refused}, nil
}
