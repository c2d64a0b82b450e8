// Package journal keeps the durable record of changes: one JSON line for the
// intent before a write and one for its result after it, appended to one file
// per store. Several processes may write the same journal.
package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"sync"
	"time"

	"relctl-tui/sources"
)

const (
	defaultMaxBytes = 4 << 20
	maxLine         = 1 << 20 // the longest record written or read
	version         = 1
)

// Options tune a Journal. The zero value is ready to use.
type Options struct {
	Now      func() time.Time // the clock; nil for time.Now
	MaxBytes int64            // size at which the file is renamed to FILE.1; 0 for 4 MiB
	Disk     Disk             // where the files lie; nil for those of the system
}

// Entry is one change: its intent and, once known, its result. Strings read
// back are cleaned for display, but for the flag's key and the revisions.
type Entry struct {
	ID          string
	At          time.Time
	Kind        sources.ChangeKind
	Flag        sources.FlagID
	Actor       string
	Reason      string
	Old         string // brief: "25%"
	New         string // brief: "killed"
	OldRevision sources.Revision
	NewRevision sources.Revision
	Restore     []byte // what brings Old back
	To          string // the percentage asked for, "" where none was
	Undoes      string // ID of the change that this one undoes
	Group       string // shared by the changes that were asked for as one, "" for one alone
	Outcome     sources.Outcome
	Err         string
	Settled     bool // the outcome was found out later, by Settle

	Untold []string // outlets that could not be told of it

	Done      time.Time // when the first result was recorded; zero while there is none
	Effective time.Time // when the side that evaluates was seen to have it; zero while that is not known
}

// Journal is an append-only file of changes. It is goroutine-safe, holds no file
// open between calls, but for what Begin has begun, and creates nothing before the first
// write.
type Journal struct {
	path string
	opts Options
	mu   sync.Mutex // orders the writers of this process; flock orders processes
}

// record is one line of the file. Unknown fields of later versions are ignored.
type record struct {
	V           int                `json:"v"`
	Type        string             `json:"type"` // "intent" or "result"
	ID          string             `json:"id"`
	At          time.Time          `json:"at"`
	Kind        sources.ChangeKind `json:"kind,omitempty"`
	Flag        *sources.FlagID    `json:"flag,omitempty"`
	Actor       string             `json:"actor,omitempty"`
	Reason      string             `json:"reason,omitempty"`
	Old         string             `json:"old,omitempty"`
	New         string             `json:"new,omitempty"`
	OldRevision sources.Revision   `json:"old_revision,omitempty"`
	NewRevision sources.Revision   `json:"new_revision,omitempty"`
	Restore     []byte             `json:"restore,omitempty"`
	To          string             `json:"to,omitempty"`
	Undoes      string             `json:"undoes,omitempty"`
	Group       string             `json:"group,omitempty"`
	Outcome     sources.Outcome    `json:"outcome,omitempty"`
	Err         string             `json:"err,omitempty"`
	Settled     bool               `json:"settled,omitempty"`
	Effective   time.Time          `json:"effective,omitzero"`
	Outlet      string             `json:"outlet,omitempty"` // of a type "told"
}

const (
	typeIntent = "intent"
	typeResult = "result"
	typeTold   = "told" // of later versions for those that do not know it
)

// Open names a journal's file. Nothing is touched until the first write; the
// file is then created with mode 0600, or 0660 and the folder's group in a folder
// that a group shares, and missing parent folders with 0700.
func Open(path string, opts Options) *Journal {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Disk == nil {
		opts.Disk = system{}
	}
	if opts.MaxBytes <= 0 {
		opts.MaxBytes = defaultMaxBytes
	}
	return &Journal{path: path, opts: opts}
}

// Path is the journal's file.
func (j *Journal) Path() string { return j.path }

// Intent records what is about to be done. When it returns nil the record is on
// disk. An entry without At gets the present time. Errors wrap ErrUnavailable,
// or ErrInvalid for an entry that has no ID or is too big.
func (j *Journal) Intent(e Entry) error {
	endure, err := j.Begin(e)
	if err != nil {
		return err
	}
	return endure()
}

// Begin is Intent for what cannot wait for the disk: the record is written, so that it
// outlives the process, and endure brings it to the disk with whatever was recorded since.
// It is to be called once.
func (j *Journal) Begin(e Entry) (endure func() error, err error) {
	if e.At.IsZero() {
		e.At = j.opts.Now()
	}
	flag := e.Flag
	f, err := j.append(record{
		V: version, Type: typeIntent, ID: e.ID, At: e.At.UTC(), Kind: e.Kind, Flag: &flag,
		Actor: e.Actor, Reason: e.Reason, Old: e.Old, New: e.New,
		OldRevision: e.OldRevision, NewRevision: e.NewRevision,
		Restore: e.Restore, To: e.To, Undoes: e.Undoes, Group: e.Group,
	})
	if err != nil {
		return nil, err
	}
	return func() error { return j.close(f, f.Sync()) }, nil // outside the locks: writers need not wait for each other's disk
}

// Result records what became of the intent of that ID; the last result counts.
// It is written but not waited for on disk: losing it leaves an intent in doubt,
// which is settled by asking the store.
func (j *Journal) Result(id string, outcome sources.Outcome, errText string, at time.Time) error {
	return j.result(record{ID: id, At: at, Outcome: outcome, Err: errText})
}

// Settle is Result for what was found out later by asking the store: the entry
// is Settled then, and need not be asked about again.
func (j *Journal) Settle(id string, outcome sources.Outcome, errText string, at time.Time) error {
	return j.result(record{ID: id, At: at, Outcome: outcome, Err: errText, Settled: true})
}

// Effective records when the side that evaluates was seen to have a change that was
// confirmed.
func (j *Journal) Effective(id string, at time.Time) error {
	return j.result(record{ID: id, At: at, Outcome: sources.Confirmed, Effective: at.UTC()})
}

// Told records that an outlet was told of a change, or why it could not be.
func (j *Journal) Told(id, outlet, errText string, at time.Time) error {
	return j.put(record{V: version + 1, Type: typeTold, ID: id, Outlet: outlet, Err: errText, At: at.UTC()})
}

func (j *Journal) result(r record) error {
	if r.At.IsZero() {
		r.At = j.opts.Now()
	}
	r.V, r.Type, r.At = version, typeResult, r.At.UTC()
	return j.put(r)
}

// put writes a record and waits for no disk.
func (j *Journal) put(r record) error {
	f, err := j.append(r)
	if err != nil {
		return err
	}
	return j.close(f, nil)
}

// append writes a record and hands back the open file.
func (j *Journal) append(r record) (File, error) {
	if r.ID == "" {
		return nil, fmt.Errorf("journal %s: a record needs an id: %w", j.path, sources.ErrInvalid)
	}
	line, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("journal %s: %w: %w", j.path, sources.ErrInvalid, err)
	}
	if len(line) >= maxLine {
		return nil, fmt.Errorf("journal %s: a record of %d bytes is too big, the most is %d: %w", j.path, len(line), maxLine, sources.ErrInvalid)
	}
	f, err := j.write(append(line, '\n'))
	if err != nil {
		return nil, fmt.Errorf("journal %s cannot be written (%w), check the disk and its permissions: %w", j.path, cause(err), sources.ErrUnavailable)
	}
	return f, nil
}

// close ends what was written; err is what became of it before.
func (j *Journal) close(f File, err error) error {
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("journal %s may not have reached the disk (%w): %w", j.path, cause(err), sources.ErrUnavailable)
	}
	return nil
}

// cause leaves out of an error what a sentence about the journal says anyway: its
// path.
func cause(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// write appends one line in one write call and hands back the open file. A lock
// that cannot be had in time does not stop it: O_APPEND keeps lines whole, the
// lock only keeps rotations apart, and so only rotation is skipped without it.
func (j *Journal) write(line []byte) (File, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	size, err := j.opts.Disk.Size(j.path)
	if errors.Is(err, fs.ErrNotExist) { // else its folder is there
		if err := j.opts.Disk.MakeFolder(filepath.Dir(j.path)); err != nil {
			return nil, err
		}
	}
	unlock, locked := j.opts.Disk.Lock(j.path + ".lock")
	defer unlock()
	if locked && err == nil && size >= j.opts.MaxBytes {
		j.rotate()
	}
	f, err := j.opts.Disk.Append(j.path)
	if err != nil {
		return nil, err
	}
	if torn(f) {
		line = append([]byte{'\n'}, line...)
	}
	if _, err := f.Write(line); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// rotate moves a full file aside. The caller holds the lock. Where that may not
// be done the file grows on, for reading looks at its end alone. The size is looked
// at once more, for somebody else may have rotated before the lock was had.
func (j *Journal) rotate() {
	if size, err := j.opts.Disk.Size(j.path); err == nil && size >= j.opts.MaxBytes {
		_ = j.opts.Disk.Rename(j.path, j.path+".1")
	}
}

// torn says that the last line was cut short by a crash, so that the next
// record must not be glued to it.
func torn(f File) bool {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil || size == 0 {
		return false
	}
	last := make([]byte, 1)
	_, err = f.ReadAt(last, size-1)
	return err == nil && !bytes.Equal(last, []byte{'\n'})
}
