package record

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"time"

	"relctl-tui/sources"
)

// Cursor goes through a recording, frame by frame. It is one goroutine's.
type Cursor struct {
	rec   *Recording
	seg   int    // the next segment
	lines *lines // of the segment before that; nil when it is over
	ahead *line  // read, but not taken
	lost  uint64 // before that line
	last  *sources.Snapshot
	at    time.Time
}

// from is a Cursor at the beginning of the segment in which t is.
func (r *Recording) from(t time.Time) *Cursor {
	after, _ := slices.BinarySearchFunc(r.segments, t, func(s segment, t time.Time) int {
		if s.first.After(t) {
			return 1
		}
		return -1
	})
	return &Cursor{rec: r, seg: max(0, after-1)}
}

// At is the frame that was shown at t, or the first of all where t is before that, and
// a Cursor for those after it. An error says what of the recording cannot be read.
func (r *Recording) At(t time.Time) (Frame, *Cursor, error) {
	c := r.from(t)
	f, err := c.Next()
	for err == nil {
		due, more := c.Due()
		if !more || due.After(t) {
			break
		}
		f, err = c.Next()
	}
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("nothing is recorded of that moment: %w", sources.ErrInvalid)
	}
	return f, c, err
}

// near says that a moment ahead lies in the segment that is being read.
func (c *Cursor) near(t time.Time) bool {
	return c.seg >= len(c.rec.segments) || c.rec.segments[c.seg].first.After(t)
}

// Due is when the next frame was shown; false when there is none.
func (c *Cursor) Due() (time.Time, bool) {
	if err := c.peek(); err != nil {
		return time.Time{}, false
	}
	return later(c.ahead.at, c.at), true
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// Next is the next frame; io.EOF after the last whole one.
func (c *Cursor) Next() (Frame, error) {
	if err := c.peek(); err != nil {
		return Frame{}, err
	}
	l := c.ahead
	was := c.last
	if l.kind == wholeLine || was == nil {
		was = &sources.Snapshot{}
	}
	is, err := changed(reflect.ValueOf(was).Elem(), l.raw)
	if err != nil {
		c.lines, c.ahead = nil, nil // the next segment may be whole
		return Frame{}, fmt.Errorf("what was recorded at %s cannot be read: %w: %w", l.at.Format("15:04:05"), err, sources.ErrInvalid)
	}
	s := as[*sources.Snapshot](is.Addr())
	c.at = later(l.at, c.at)
	s.At, c.last = c.at, s
	f := Frame{At: c.at, Snapshot: s, Lost: c.lost}
	c.ahead, c.lost = nil, 0
	return f, nil
}

// peek reads the next line with a snapshot, in this segment or a later one.
func (c *Cursor) peek() error {
	for c.ahead == nil {
		if c.lines == nil {
			if err := c.enter(); err != nil {
				return err
			}
		}
		l, err := c.lines.next()
		switch {
		case err != nil: // its end, or what is torn, of which Open has said how much
			c.lines = nil
		case l.kind == gapLine:
			c.lost += l.lost
		default:
			c.ahead = &l
		}
	}
	return nil
}

// enter opens the next segment.
func (c *Cursor) enter() error {
	if c.seg >= len(c.rec.segments) {
		return io.EOF
	}
	seg := c.rec.segments[c.seg]
	c.seg++
	zip, err := gzip.NewReader(bufio.NewReader(io.NewSectionReader(c.rec.in, seg.at, seg.size)))
	if err != nil {
		return fmt.Errorf("the recording was changed while it was read: %w", sources.ErrUnavailable)
	}
	c.lines = newLines(zip)
	if err := c.lines.header(); err != nil {
		return fmt.Errorf("the recording was changed while it was read: %w", sources.ErrUnavailable)
	}
	return nil
}
