package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"relctl-tui/sources"
)

const (
	firstWindow = 64 << 10
	maxWindow   = 16 << 20 // the most that is read of one file, whatever is asked for
	maxText     = 500      // runes kept of a reason or an error
)

// Read returns the newest entries, newest first and at most limit of them; a
// limit of 0 or less means all. What a guard refused comes along and does not count, for
// a key that is pressed again and again must not push changes out of undo's sight. Only the tail that is needed is read, and never
// more than 16 MiB of a file. A journal that does not exist is empty. Lines that
// are no records are skipped and reported in the warnings, which are cleaned
// sentences; an error wraps ErrUnavailable.
func (j *Journal) Read(limit int) ([]Entry, []string, error) {
	s := &scan{disk: j.opts.Disk, limit: limit, seen: map[string]bool{}, results: map[string]record{}, told: map[[2]string]bool{}}
	err := s.file(j.path)
	if err == nil && s.torn {
		// Most likely a line that is being written at this moment: look again
		// when its writer is done.
		unlock, _ := j.opts.Disk.Lock(j.path + ".lock")
		unlock()
		*s = scan{disk: j.opts.Disk, limit: limit, seen: map[string]bool{}, results: map[string]record{}, told: map[[2]string]bool{}}
		err = s.file(j.path)
	}
	if err == nil && !s.full() {
		err = s.file(j.path + ".1")
	}
	if err != nil {
		err = fmt.Errorf("journal %s cannot be read (%w), check its permissions: %w", j.path, cause(err), sources.ErrUnavailable)
	}
	return s.entries, s.warnings(j.path), err
}

// scan gathers entries from the end of the newest file backwards, so that it
// meets a result before its intent.
type scan struct {
	disk    Disk
	limit   int
	entries []Entry
	seen    map[string]bool // a rotation while reading shows lines twice
	results map[string]record
	told    map[[2]string]bool // by change and outlet: was it told
	garbage int
	refused int // of entries
	torn    bool
}

func (s *scan) full() bool { return s.limit > 0 && len(s.entries)-s.refused >= s.limit }

func (s *scan) warnings(path string) []string {
	var w []string
	if s.torn {
		w = append(w, sources.Clean("the last line of journal "+path+" is incomplete and was skipped", maxText))
	}
	if s.garbage > 0 {
		w = append(w, sources.Clean(fmt.Sprintf("%d line(s) of journal %s are no records and were skipped", s.garbage, path), maxText))
	}
	return w
}

func (s *scan) file(path string) error {
	f, err := s.disk.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // nothing was written
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	before := *s
	for window := int64(firstWindow); ; window *= 4 {
		window = min(window, size, maxWindow)
		tail := make([]byte, window)
		if _, err := f.ReadAt(tail, size-window); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		s.restart(before)
		s.lines(tail, window == size)
		if s.full() || window == size || window == maxWindow {
			return nil
		}
	}
}

// restart goes back to what was known before this file, for a wider look at it.
func (s *scan) restart(before scan) {
	for i := range s.entries[len(before.entries):] {
		delete(s.seen, s.entries[len(before.entries)+i].ID)
	}
	s.entries, s.garbage, s.refused, s.torn = s.entries[:len(before.entries)], before.garbage, before.refused, before.torn
}

// lines takes lines from the end of tail. The first line counts only when it is
// whole, which it is at the start of the file.
func (s *scan) lines(tail []byte, whole bool) {
	if n := len(tail); n > 0 && tail[n-1] != '\n' {
		cut := bytes.LastIndexByte(tail, '\n') + 1
		if cut > 0 || whole {
			s.torn = true
		}
		tail = tail[:cut]
	}
	for len(tail) > 0 && !s.full() {
		tail = tail[:len(tail)-1]
		start := bytes.LastIndexByte(tail, '\n') + 1
		if start == 0 && !whole {
			return
		}
		s.line(bytes.TrimSpace(tail[start:]))
		tail = tail[:start]
	}
}

func (s *scan) line(line []byte) {
	if len(line) == 0 {
		return
	}
	var r record
	if len(line) > maxLine || json.Unmarshal(line, &r) != nil || r.V < 1 || r.ID == "" {
		s.garbage++
		return
	}
	id := sources.Clean(r.ID, sources.MaxName)
	switch {
	case r.Type == typeResult:
		newest, known := s.results[id]
		if !known {
			newest = r
		}
		newest.At = r.At // of the first one, in the end
		s.results[id] = newest
	case r.Type == typeTold:
		key := [2]string{id, sources.Clean(r.Outlet, sources.MaxName)}
		s.told[key] = s.told[key] || r.Err == ""
	case r.Type == typeIntent && r.Flag != nil:
		if !s.seen[id] {
			s.seen[id] = true
			e := r.entry(id, s.results[id])
			for key, ok := range s.told {
				if !ok && key[0] == id {
					e.Untold = append(e.Untold, key[1])
				}
			}
			slices.Sort(e.Untold)
			if e.Outcome == sources.Refused {
				s.refused++
			}
			s.entries = append(s.entries, e)
		}
	case r.V <= version:
		s.garbage++
	}
}

func (r *record) entry(id string, result record) Entry {
	e := Entry{
		ID: id, At: r.At, Kind: sources.ChangeKind(sources.Clean(string(r.Kind), 20)), Flag: *r.Flag,
		Actor:       sources.Clean(r.Actor, sources.MaxName),
		Reason:      sources.Clean(r.Reason, maxText),
		Old:         sources.Clean(r.Old, sources.MaxName),
		New:         sources.Clean(r.New, sources.MaxName),
		OldRevision: r.OldRevision, NewRevision: r.NewRevision, Restore: r.Restore,
		To:      sources.Clean(r.To, 20),
		Undoes:  sources.Clean(r.Undoes, sources.MaxName),
		Group:   sources.Clean(r.Group, sources.MaxName),
		Outcome: sources.Pending,
	}
	if result.ID != "" {
		e.Outcome = sources.Outcome(sources.Clean(string(result.Outcome), 20))
		e.Err = sources.Clean(result.Err, maxText)
		e.Settled, e.Done, e.Effective = result.Settled, result.At, result.Effective
	}
	return e
}

// Activity is the entry as a line of what happened.
func (e *Entry) Activity() sources.Activity {
	return sources.Activity{
		ID: e.ID, At: e.At, Kind: string(e.Kind), Flag: e.Flag,
		Name:  sources.Clean(e.Flag.Key, sources.MaxName),
		Actor: e.Actor, Reason: e.Reason, Old: e.Old, New: e.New,
		Outcome: e.Outcome, Err: e.Err, Revision: e.NewRevision,
		Done: e.Done, Effective: e.Effective, Untold: strings.Join(e.Untold, ", "),
	}
}

// Compare orders entries newest first: by time, then by ID, which is sortable.
func Compare(a, b Entry) int {
	if c := b.At.Compare(a.At); c != 0 {
		return c
	}
	if a.ID == b.ID {
		return 0
	}
	if a.ID > b.ID {
		return -1
	}
	return 1
}
