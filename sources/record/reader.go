package record

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"

	"relctl-tui/sources"
)

// segmentsMost bounds the segments of a recording: two months of them.
const segmentsMost = 100_000

// Recording is a recording that can be read from any moment on. It is goroutine-safe;
// what it reads from must be, as files are.
type Recording struct {
	in       io.ReaderAt
	segments []segment

	From, To  time.Time // of the first and the last snapshot
	Snapshots int
	Gaps      int
	Lost      uint64 // snapshots that the gaps are made of
	Torn      int64  // bytes at the end that cannot be read; 0 for none
}

// segment is one gzip member.
type segment struct {
	at, size    int64
	first, last time.Time
}

// Frame is one snapshot of a recording, with the time since when it was shown. Lost
// is how many snapshots before it were not recorded.
type Frame struct {
	At       time.Time
	Snapshot *sources.Snapshot
	Lost     uint64
}

// Open reads through a recording of size bytes. One that is torn is read as far as it
// is whole; one without a single whole snapshot is ErrInvalid, and so is another
// format or version.
func Open(in io.ReaderAt, size int64) (*Recording, error) {
	r := &Recording{in: in}
	src := &counter{in: bufio.NewReaderSize(io.NewSectionReader(in, 0, size), 64<<10)}
	var whole int64
	for src.n < size {
		if len(r.segments) >= segmentsMost {
			return nil, fmt.Errorf("it has more than %d segments: %w", segmentsMost, sources.ErrInvalid)
		}
		err := r.scan(src)
		if err != nil {
			if errors.Is(err, errVersion) {
				return nil, err
			}
			if len(r.segments) == 0 {
				return nil, fmt.Errorf("nothing of it can be read (%w): %w", err, sources.ErrInvalid)
			}
			r.Torn = max(1, size-whole)
			break
		}
		whole = src.n
	}
	if r.Snapshots == 0 {
		return nil, fmt.Errorf("there is no whole snapshot in it: %w", sources.ErrInvalid)
	}
	return r, nil
}

// scan reads through one segment. What is whole of a torn one counts.
func (r *Recording) scan(src *counter) error {
	seg := segment{at: src.n}
	zip, err := gzip.NewReader(src)
	if err != nil {
		return errNone
	}
	lines := newLines(zip)
	err = lines.header()
	for err == nil {
		var l line
		if l, err = lines.next(); err != nil {
			break
		}
		switch l.kind {
		case gapLine:
			r.Gaps++
			r.Lost += l.lost
			continue
		case wholeLine:
		case changeLine:
			if seg.first.IsZero() {
				err = errShape
				continue
			}
		}
		if r.Snapshots == 0 {
			r.From = l.at
		}
		if seg.first.IsZero() {
			seg.first = l.at
		}
		seg.last = l.at
		r.Snapshots++
	}
	seg.size = src.n - seg.at
	if !seg.first.IsZero() {
		r.segments = append(r.segments, seg)
		r.To = seg.last
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// counter knows how far a gzip reader has read, which takes single bytes from it.
type counter struct {
	in *bufio.Reader
	n  int64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.in.Read(b)
	c.n += int64(n)
	return n, err //nolint:wrapcheck // io.EOF must stay io.EOF
}

func (c *counter) ReadByte() (byte, error) {
	b, err := c.in.ReadByte()
	if err == nil {
		c.n++
	}
	return b, err //nolint:wrapcheck // io.EOF must stay io.EOF
}

type lineKind int

const (
	wholeLine lineKind = iota
	changeLine
	gapLine
)

type line struct {
	at   time.Time
	kind lineKind
	raw  json.RawMessage // valid until the next line
	lost uint64
}

var (
	errVersion = errors.New("version")
	errNone    = errors.New("it is no recording, or a damaged one")
)

// lines reads the lines of one segment.
type lines struct {
	in  *bufio.Reader
	buf []byte
}

func newLines(zip *gzip.Reader) *lines {
	zip.Multistream(false)
	return &lines{in: bufio.NewReaderSize(zip, 64<<10)}
}

// read is the next whole line without its end, valid until the next call. io.EOF
// means that the segment is over, anything else that it is torn.
func (l *lines) read() ([]byte, error) {
	l.buf = l.buf[:0]
	for {
		part, err := l.in.ReadSlice('\n')
		l.buf = append(l.buf, part...)
		switch {
		case err == nil:
			return bytes.TrimSuffix(l.buf, []byte("\n")), nil
		case len(l.buf) > lineMost:
			return nil, fmt.Errorf("a line is longer than %d MB: %w", lineMost>>20, sources.ErrInvalid)
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(l.buf) > 0:
			return nil, io.ErrUnexpectedEOF
		default:
			return nil, err //nolint:wrapcheck // io.EOF must stay io.EOF
		}
	}
}

func (l *lines) header() error {
	raw, err := l.read()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	var h Header
	if err := json.Unmarshal(raw, &h); err != nil || h.Kind != headerKind {
		return errNone
	}
	if h.Version != Version {
		return fmt.Errorf("it has %w %d of the format, and this program reads %d: replay it with the program that wrote it", errVersion, h.Version, Version)
	}
	return nil
}

// next is the next line with data.
func (l *lines) next() (line, error) {
	raw, err := l.read()
	if err != nil {
		return line{}, err
	}
	rest, ok := bytes.CutPrefix(raw, []byte(`{"t":`))
	comma := bytes.IndexByte(rest, ',')
	if !ok || comma < 0 || rest[len(rest)-1] != '}' {
		return line{}, errShape
	}
	ns, err := strconv.ParseInt(string(rest[:comma]), 10, 64)
	if err != nil || ns <= 0 || ns > math.MaxInt64/2 {
		return line{}, errShape
	}
	key, raw, ok := bytes.Cut(rest[comma+1:len(rest)-1], []byte(":"))
	if !ok {
		return line{}, errShape
	}
	out := line{at: time.Unix(0, ns), raw: raw}
	switch string(key) {
	case `"k"`:
		out.kind = wholeLine
	case `"d"`:
		out.kind = changeLine
	case `"gap"`:
		out.kind = gapLine
		if out.lost, err = strconv.ParseUint(string(raw), 10, 64); err != nil {
			return line{}, errShape
		}
	default:
		return line{}, errShape
	}
	return out, nil
}
