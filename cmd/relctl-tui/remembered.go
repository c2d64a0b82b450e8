package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gofrs/flock"

	"relctl-tui/sources"
	"relctl-tui/views"
)

// This file is what the board remembers of whoever uses it, under the state directory.

// firstTime tells whether this person has never seen the board's tour, and takes note that
// they have now: of several boards that ask at once one is told so. Where no note can be
// kept nobody is told, for they would be each time.
func firstTime() bool {
	if os.MkdirAll(stateDir(), 0o700) != nil {
		return false
	}
	f, err := os.OpenFile(filepath.Join(stateDir(), "toured"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	return err == nil && f.Close() == nil
}

// savedFilters is the file of the filters that this person has saved by name: a JSON object
// of names and filters. Boards that write it at once do so one after the other.
type savedFilters struct{ path string }

func ownFilters() savedFilters { return savedFilters{filepath.Join(stateDir(), "filters.json")} }

// Bounds of the file, and of the wait for another board that writes it.
const (
	maxFiltersFile = 64 << 10
	filtersWait    = 2 * time.Second
	filtersRetry   = 20 * time.Millisecond
)

// All are the filters by name; a file that is not there holds none.
func (s savedFilters) All() (map[string]string, error) {
	all, err := s.read()
	if err != nil {
		return nil, fmt.Errorf("your saved filters cannot be read: %w", err)
	}
	return all, nil
}

func (s savedFilters) read() (map[string]string, error) {
	shown := sources.Clean(s.path, maxPath)
	f, err := os.Open(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]string{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %s", shown, whyNot(err))
	}
	defer f.Close() //nolint:errcheck // it is only read
	b, err := io.ReadAll(io.LimitReader(f, maxFiltersFile+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %s", shown, whyNot(err))
	}
	all := map[string]string{}
	if len(b) > maxFiltersFile {
		return nil, fmt.Errorf("%s has more than %d bytes: mend or remove it", shown, maxFiltersFile)
	}
	if err := json.Unmarshal(b, &all); err != nil || all == nil {
		return nil, fmt.Errorf("%s is no JSON object of names and filters: mend or remove it", shown)
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if err := views.NamedFilter(name, all[name]); err != nil {
			return nil, fmt.Errorf("%s: %w: mend or remove it", shown, err)
		}
	}
	return all, nil
}

// Save saves a filter by a name, over another one of that name.
func (s savedFilters) Save(name, filter string) (map[string]string, error) {
	return s.change("saved", func(all map[string]string) error {
		if all[name] = filter; len(all) > maxFilters {
			return fmt.Errorf("%d filters are saved already, forget one first", maxFilters)
		}
		return views.NamedFilter(name, filter)
	})
}

// Forget takes one away; one that is not there is none.
func (s savedFilters) Forget(name string) (map[string]string, error) {
	return s.change("forgotten", func(all map[string]string) error {
		delete(all, name)
		return nil
	})
}

// change reads the file, lets do change what it holds and puts it back, while no other
// board does the same.
func (s savedFilters) change(did string, do func(map[string]string) error) (all map[string]string, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("nothing was %s: %w", did, err)
		}
	}()
	if err := os.MkdirAll(filepath.Dir(s.path), 0o700); err != nil {
		return nil, fmt.Errorf("%s: %s", sources.Clean(s.path, maxPath), whyNot(err))
	}
	lock := flock.New(s.path+".lock", flock.SetPermissions(0o600))
	ctx, cancel := context.WithTimeout(context.Background(), filtersWait)
	defer cancel()
	if ok, err := lock.TryLockContext(ctx, filtersRetry); !ok {
		if errors.Is(err, context.DeadlineExceeded) {
			return nil, fmt.Errorf("another board holds %s: try again", sources.Clean(s.path, maxPath))
		}
		return nil, fmt.Errorf("%s: %s", sources.Clean(s.path, maxPath), whyNot(err))
	}
	defer lock.Close() //nolint:errcheck // it is given back whatever is said
	if all, err = s.read(); err != nil {
		return nil, err
	}
	if err := do(all); err != nil {
		return nil, err
	}
	if err := s.write(all); err != nil {
		return nil, err
	}
	return all, nil
}

// whyNot is an error of a file without the file, which the sentence around it names.
func whyNot(err error) string {
	var at *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &at):
		err = at.Err
	case errors.As(err, &link):
		err = link.Err
	}
	return cleanMsg(err.Error())
}

// write replaces the file, so that nobody ever reads half of it.
func (s savedFilters) write(all map[string]string) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false) // rollout>10 is for people to read
	if err := enc.Encode(all); err != nil {
		return err
	}
	return wholeFile(s.path, b.Bytes(), 0o600)
}
