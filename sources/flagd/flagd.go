// Package flagd is the driver for flagd flag-definition files: the JSON that
// flagd and the in-process providers of every OpenFeature SDK evaluate.
//
// It needs no server. Edits are surgical: only the bytes of the edited values
// change, and an undo puts the file back byte for byte.
package flagd

import (
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/flagdef"
	"relctl-tui/sources/flagfile"
)

// New is the store of the file at path, under the name of its source. Nothing
// is opened yet, and the file need not exist.
func New(name, path string, opts ...flagfile.Option) *flagfile.Store {
	return flagfile.New(name, path, format{}, opts...)
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
