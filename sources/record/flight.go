package record

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"relctl-tui/sources"
)

// The flight recorder keeps this much, whichever is reached first.
const (
	FlightSpan = 30 * time.Minute
	FlightMost = 16 << 20 // bytes, compressed
)

// Flight is the flight recorder: the last FlightSpan as a recording in memory, of a
// bounded size. It is goroutine-safe; make it with NewFlight.
type Flight struct {
	span time.Duration
	most int

	mu       sync.Mutex
	w        *Writer
	segments []*taken // the oldest first
	broken   error    // why it holds nothing more
}

// taken is one segment in memory.
type taken struct {
	bytes.Buffer
	began time.Time
}

// NewFlight is a flight recorder of this span and this many bytes, 0 for the defaults.
func NewFlight(span time.Duration, most int) *Flight {
	if span <= 0 {
		span = FlightSpan
	}
	if most <= 0 {
		most = FlightMost
	}
	f := &Flight{span: span, most: most}
	f.w = NewWriter(func() io.Writer {
		t := &taken{}
		f.segments = append(f.segments, t)
		return t
	})
	return f
}

// Add takes a snapshot; lost is how many were missed before it.
func (f *Flight) Add(s *sources.Snapshot, lost uint64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken != nil {
		return f.broken
	}
	if f.broken = f.w.Add(s, lost); f.broken != nil {
		return f.broken
	}
	now := f.w.Stats().To
	if t := f.segments[len(f.segments)-1]; t.began.IsZero() {
		t.began = now
	}
	size := 0
	for _, t := range f.segments {
		size += t.Len()
	}
	// A segment goes when the one after it still holds the whole span; the present one
	// stays, whatever its size.
	for len(f.segments) > 1 && (size > f.most || now.Sub(f.segments[1].began) >= f.span) {
		size -= f.segments[0].Len()
		f.segments = slices.Delete(f.segments, 0, 1)
	}
	return nil
}

// Flush is for the sake of Follow: what is in memory need not be flushed before it is
// saved.
func (f *Flight) Flush() error { return nil }

// Size is how many bytes it holds, compressed.
func (f *Flight) Size() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, t := range f.segments {
		n += t.Len()
	}
	return n
}

// Recording is what is held, as a file has it, and from when to when that is. Nothing
// yet is ErrNotFound. Recording goes on meanwhile.
func (f *Flight) Recording() (data []byte, from, to time.Time, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken != nil {
		return nil, from, to, f.broken
	}
	if len(f.segments) == 0 {
		return nil, from, to, fmt.Errorf("nothing is recorded yet: %w", sources.ErrNotFound)
	}
	if err := f.w.Close(); err != nil { // the next snapshot begins another segment
		return nil, from, to, err
	}
	for _, t := range f.segments {
		data = append(data, t.Bytes()...)
	}
	return data, f.segments[0].began, f.w.Stats().To, nil
}
