package record

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"time"

	"relctl-tui/sources"
)

// Version is the version of the format that this program writes, and the only one
// that it reads.
const Version = 1

const (
	segmentFor  = time.Minute
	segmentMost = 16 << 20 // bytes before compression
	lineMost    = 64 << 20 // bytes
	lineKept    = 1 << 20  // bytes of a buffer that is kept for the next line
)

// Header is the first line of each segment.
type Header struct {
	Kind    string    `json:"relctl-tui"` // always "recording"
	Version int       `json:"version"`
	At      time.Time `json:"at"`
}

const headerKind = "recording"

// Stats is what a Writer has written.
type Stats struct {
	From, To  time.Time // of the first and last snapshot; zero for none
	Snapshots int
	Cells     int    // values that changed, those of whole snapshots not counted
	Lost      uint64 // snapshots that were too quick to be recorded
	Raw       int64  // bytes before compression
}

// Writer writes snapshots as a recording. Make it with NewWriter; it is one
// goroutine's.
type Writer struct {
	segment func() io.Writer
	zip     *gzip.Writer
	open    bool
	dirty   bool // something was added since the last Flush
	enc     encoder
	last    *sources.Snapshot
	began   time.Time // this segment
	raw     int64     // of this segment
	stats   Stats
}

// NewWriter is a Writer that asks for each segment where it goes: to the same file
// every time, or each to its own place.
func NewWriter(segment func() io.Writer) *Writer { return &Writer{segment: segment} }

// Stats is what was written so far.
func (w *Writer) Stats() Stats { return w.stats }

// Add writes a snapshot; lost is how many were missed before it. When the clock was set
// back the recording goes on by the time that has passed: it never goes back. After an
// error nothing more may be added.
func (w *Writer) Add(s *sources.Snapshot, lost uint64) error {
	at := s.At.Round(0) // by the clock on the wall, which is what is written
	if w.last != nil && at.Before(w.stats.To) {
		at = w.stats.To.Add(max(0, s.At.Sub(w.last.At)))
	}
	fresh := !w.open || at.Sub(w.began) >= segmentFor || w.raw >= segmentMost
	if fresh {
		if err := w.begin(at); err != nil {
			return err
		}
	}
	if lost > 0 {
		w.start(at)
		w.enc.put(`"gap":`)
		w.enc.b = strconv.AppendUint(w.enc.b, lost, 10)
		if err := w.line(); err != nil {
			return err
		}
		w.stats.Lost += lost
	}
	if err := w.state(s, at, fresh); err != nil {
		return err
	}
	if w.stats.Snapshots == 0 {
		w.stats.From = at
	}
	if cap(w.enc.b) > lineKept { // a whole snapshot is once a minute
		w.enc.b = nil
	}
	w.last, w.stats.To, w.dirty = s, at, true
	w.stats.Snapshots++
	return nil
}

// state is the line with a snapshot, whole or what changed.
func (w *Writer) state(s *sources.Snapshot, at time.Time, whole bool) error {
	was, key := w.last, `"d":`
	if whole {
		was, key = &sources.Snapshot{}, `"k":`
	}
	w.start(at)
	w.enc.put(key)
	before := w.enc.cells
	if !w.enc.change(reflect.ValueOf(was).Elem(), reflect.ValueOf(s).Elem()) {
		w.enc.put("{}")
	}
	if !whole {
		w.stats.Cells += w.enc.cells - before
	}
	return w.line()
}

func (w *Writer) start(at time.Time) {
	w.enc.b = append(w.enc.b[:0], `{"t":`...)
	w.enc.b = strconv.AppendInt(w.enc.b, at.UnixNano(), 10)
	w.enc.put(",")
}

func (w *Writer) line() error {
	w.enc.put("}\n")
	if n := len(w.enc.b); n > lineMost {
		return fmt.Errorf("one moment of this board is %d MB, and a recording holds %d at most: %w", n>>20, lineMost>>20, sources.ErrInvalid)
	}
	n, err := w.zip.Write(w.enc.b)
	w.raw += int64(n)
	w.stats.Raw += int64(n)
	return err //nolint:wrapcheck // says itself what failed
}

// begin ends the segment before and starts another.
func (w *Writer) begin(at time.Time) error {
	if err := w.Close(); err != nil {
		return err
	}
	if w.zip == nil {
		w.zip, _ = gzip.NewWriterLevel(w.segment(), gzip.BestSpeed) // a level that there is cannot fail
	} else {
		w.zip.Reset(w.segment())
	}
	w.open, w.began, w.raw = true, at, 0
	head, err := json.Marshal(Header{headerKind, Version, at.UTC()})
	if err != nil {
		return fmt.Errorf("the recording has no beginning: %w", err)
	}
	w.enc.b = append(w.enc.b[:0], bytes.TrimSuffix(head, []byte("}"))...)
	return w.line()
}

// Flush writes out what was added, so that it can be read from now on.
func (w *Writer) Flush() error {
	if !w.open || !w.dirty {
		return nil
	}
	w.dirty = false
	return w.zip.Flush() //nolint:wrapcheck // says itself what failed
}

// Close ends the segment. The next Add begins another.
func (w *Writer) Close() error {
	if !w.open {
		return nil
	}
	w.open, w.dirty = false, false
	return w.zip.Close() //nolint:wrapcheck // says itself what failed
}
