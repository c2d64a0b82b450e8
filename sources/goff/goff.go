// Package goff is the driver for GO Feature Flag's configuration files: YAML,
// and JSON as far as it is YAML.
//
// What it shows is what GO Feature Flag's evaluator makes of a file at a moment:
// schedules are applied as it applies them, and a progressive rollout has the
// percentage that it has reached. Edits are surgical: comments, order, quotes,
// indentation and line ends stay, and an undo puts the file back byte for byte.
//
// Files are read with the parser that GO Feature Flag itself uses, so that what
// is a flag, a duplicate, a date or a boolean is never a matter of opinion.
package goff

import (
	"bytes"
	"sync"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/flagfile"
)

var (
	_ flagfile.Format = (*format)(nil)
	_ flagfile.Mover  = (*format)(nil)
)

// New is the store of the file at path, under the name of its source. Nothing
// is opened yet, and the file need not exist.
func New(name, path string, opts ...flagfile.Option) *flagfile.Store {
	return flagfile.New(name, path, &format{}, opts...)
}

// format reads and edits. It remembers the last content that it was given,
// because a file in which time matters is looked at again and again.
type format struct {
	mu   sync.Mutex
	last *document
}

func (f *format) parse(b []byte) (*document, error) {
	f.mu.Lock()
	last := f.last
	f.mu.Unlock()
	if last != nil && bytes.Equal(last.b, b) {
		return last, nil
	}
	d, err := parse(bytes.Clone(b))
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	f.last = d
	f.mu.Unlock()
	return d, nil
}

// Flags is every flag of b as it is at now.
func (f *format) Flags(source string, b []byte, now time.Time) ([]sources.Flag, []string, error) {
	d, err := f.parse(b)
	if err != nil {
		return nil, nil, err
	}
	flags := make([]sources.Flag, len(d.entries))
	for i := range d.entries {
		flags[i] = d.entries[i].flag(source, now)
	}
	return flags, d.warnings, nil
}

// Flag is one flag of b as it is at now.
func (f *format) Flag(source string, b []byte, key string, now time.Time) (sources.Flag, error) {
	d, err := f.parse(b)
	if err != nil {
		return sources.Flag{}, err
	}
	e, err := d.known(key)
	if err != nil {
		return sources.Flag{}, err
	}
	return e.flag(source, now), nil
}

// Draft works a change out; see flagfile.Format.
func (f *format) Draft(source string, b []byte, c sources.Change, now time.Time) (flagfile.Draft, error) {
	d, err := f.parse(b)
	if err != nil {
		return flagfile.Draft{}, err
	}
	return draft(source, d, c, now)
}

// Moves is when a schedule, a progressive rollout or an experiment next changes
// what one of the flags reads.
func (f *format) Moves(b []byte, now time.Time) time.Time {
	d, err := f.parse(b)
	if err != nil {
		return time.Time{}
	}
	var next time.Time
	for i := range d.entries {
		next = earlier(next, d.entries[i].moves(now))
	}
	return next
}

// earlier is the first of two times of which the zero one is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
