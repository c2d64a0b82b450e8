package flagfile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"relctl-tui/sources"
)

var _ sources.Attender = (*Store)(nil)

// Who looks at a file is in a folder beside it, one small file for each process, whose
// time is the last beat. There is no lock, so no beat holds up a change; and the folder
// of the flags, which every board watches, does not stir.
const (
	hereEnding = ".here"
	hereFile   = ".json"
	maxHere    = 1000     // names in the folder that are looked at
	maxCard    = 64 << 10 // bytes of one file
	leftBehind = 10 * sources.PresentFor
)

// Attend says who looks at the file through a process.
func (s *Store) Attend(ctx context.Context, a sources.Attendance) error {
	if !validID(a.ID) {
		return s.wrap(fmt.Errorf("%q is no name of a process: %w", sources.Clean(a.ID, 64), sources.ErrInvalid))
	}
	_, err := await(ctx, s, func() (struct{}, error) {
		s.attending.Lock() // a beat that nobody waits for any more ends before a goodbye
		defer s.attending.Unlock()
		dir := beside(s.target(), hereEnding)
		if len(a.People) == 0 {
			_ = os.Remove(filepath.Join(dir, a.ID+hereFile))
			_ = os.Remove(dir) // which fails while others are there
			return struct{}{}, nil
		}
		if err := s.beat(dir, a); err != nil {
			return struct{}{}, s.wrap(fmt.Errorf("who looks at it: %w", presenceError(err)))
		}
		return struct{}{}, nil
	})
	return err
}

// validID keeps a name from leading anywhere else.
func validID(id string) bool {
	return id != "" && len(id) <= 64 && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789") == ""
}

// beat writes a process's file, so that no reader sees half of it.
func (s *Store) beat(dir string, a sources.Attendance) error {
	a.People = a.People[:min(len(a.People), sources.MaxPeople)]
	b, err := json.Marshal(a)
	if err != nil || len(b) > maxCard {
		return fmt.Errorf("it is too long to be kept: %w", sources.ErrInvalid)
	}
	path := filepath.Join(dir, a.ID+hereFile)
	err = s.card(path, b)
	if errors.Is(err, fs.ErrNotExist) { // nobody is here yet, or the last one just left
		if err = openHouse(dir); err == nil {
			err = s.card(path, b)
		}
	}
	s.clearOut(dir)
	return err
}

func (s *Store) card(path string, b []byte) error {
	tmp, err := spare(path, b, false)
	if err != nil {
		return err
	}
	if err = os.Chtimes(tmp, time.Time{}, s.now()); err == nil {
		err = rename(tmp, path)
	}
	if err != nil {
		_ = os.Remove(tmp)
	}
	return err
}

// openHouse makes the folder. Whoever may write where the flags are may write in it.
func openHouse(dir string) error {
	if err := os.Mkdir(dir, 0o755); err != nil { //nolint:gosec // see above
		if errors.Is(err, fs.ErrExist) {
			return nil
		}
		return err
	}
	made, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer made.Close() //nolint:errcheck // nothing was written
	parent, err := os.Stat(filepath.Dir(dir))
	if err != nil {
		return err
	}
	_, mode := keepOwner(made, parent)
	return made.Chmod(mode | parent.Mode()&(fs.ModeSticky|fs.ModeSetgid))
}

// clearOut removes what processes left behind that were killed: long after it said
// anything, so that clocks which differ remove nobody.
func (s *Store) clearOut(dir string) {
	for _, e := range lookIn(dir) {
		info, err := e.Info()
		if err == nil && info.Mode().IsRegular() && s.now().Sub(info.ModTime()).Abs() > leftBehind &&
			(strings.HasSuffix(e.Name(), hereFile) || strings.HasSuffix(e.Name(), hereFile+tempEnding)) {
			_ = os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// lookIn is what a folder holds, in no order; nothing where it cannot be read.
func lookIn(dir string) []fs.DirEntry {
	f, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer f.Close() //nolint:errcheck // nothing was written
	list, _ := f.ReadDir(maxHere)
	return list
}

// Attending is who looks at the file. What makes no sense is nobody.
func (s *Store) Attending(ctx context.Context) ([]sources.Attendance, error) {
	return await(ctx, s, func() (all []sources.Attendance, _ error) {
		dir := beside(s.target(), hereEnding)
		for _, e := range lookIn(dir) {
			if a, ok := s.visitor(dir, e); ok {
				if all = append(all, a); len(all) == sources.MaxBoards {
					break
				}
			}
		}
		return all, nil
	})
}

func (s *Store) visitor(dir string, e fs.DirEntry) (a sources.Attendance, ok bool) {
	id, ok := strings.CutSuffix(e.Name(), hereFile)
	if !ok || !validID(id) {
		return a, false
	}
	info, err := e.Info()
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxCard || s.now().Sub(info.ModTime()).Abs() > sources.PresentFor {
		return a, false
	}
	b, err := readBeside(filepath.Join(dir, e.Name()), maxCard)
	if err != nil || json.Unmarshal(b, &a) != nil {
		return sources.Attendance{}, false
	}
	a.ID, a.People = id, a.People[:min(len(a.People), sources.MaxPeople)]
	return a, true
}

// presenceError puts a failure into words that say what it means: next to nothing.
func presenceError(err error) error {
	cause := err
	var pe *fs.PathError
	var le *os.LinkError
	switch {
	case errors.As(err, &pe):
		cause = pe.Err
	case errors.As(err, &le):
		cause = le.Err
	}
	if errors.Is(err, sources.ErrInvalid) {
		return err
	}
	return fmt.Errorf("it cannot be kept beside the file (%w), so other boards do not see this one; flags are not concerned: %w", cause, sources.ErrUnavailable)
}
