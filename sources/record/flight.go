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
// saved, and whoever copies it flushes it then.
func (f *Flight) Flush() error { return nil }

// place is how far somebody has copied a Flight; the zero place is its beginning.
type place struct {
	in  *taken
	off int
}

// since is what was recorded behind a place, as a file goes on with it, and until when
// that is; last ends the segment, since nobody will copy what comes after it. It is the
// one encoding of both.
func (f *Flight) since(p *place, last bool) (data []byte, stats Stats, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken != nil {
		return nil, f.w.Stats(), f.broken
	}
	flush := f.w.Flush
	if last {
		flush = f.w.Close
	}
	if err := flush(); err != nil || len(f.segments) == 0 {
		return nil, f.w.Stats(), err
	}
	i := 0
	if p.in != nil {
		if i = slices.Index(f.segments, p.in); i < 0 {
			return nil, f.w.Stats(), errBehind
		}
	}
	for ; i < len(f.segments); i++ {
		if p.in != f.segments[i] {
			*p = place{in: f.segments[i]}
		}
		data = append(data, p.in.Bytes()[p.off:]...)
		p.off = p.in.Len()
	}
	return data, f.w.Stats(), nil
}

// errBehind is the end of a copy that is further behind than anything is kept.
var errBehind = fmt.Errorf("its disk is slower than what is recorded: %w", sources.ErrUnavailable)

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
