package wire

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
)

// Options are what a Terminal is on. Out is required.
type Options struct {
	Out         io.Writer
	Profile     colorprofile.Profile // what it shows; Unknown is taken for sixteen colours
	FeedReturns bool                 // a line feed is made to return the carriage on the way
	Every       time.Duration        // frames are no closer than this
	Speed       int                  // bytes a second, where the line says so; 0 where it does not
	Full        func() bool          // the line has no room at the moment; nil where nobody knows
	Now         func() time.Time     // nil for time.Now
}

// Terminal shows the newest frame on a terminal, and lets through what a program writes
// to switch the terminal's modes: it draws while the alternate screen is on. Frames that
// were not yet begun when a newer one came are never sent. What somebody waits for goes
// first and at once, on a slow line in portions; what changed by itself goes in sips. So
// the next key waits for one portion or sip, and not for a frame. All of it is goroutine-safe; make it with NewTerminal.
type Terminal struct {
	every time.Duration
	now   func() time.Time
	wake  chan struct{}
	quit  chan struct{}
	once  sync.Once
	done  chan struct{}

	mu     sync.Mutex // of what is to be shown; never held while writing
	frame  string
	ranks  map[int]Rank // of the rows that somebody waits for; the others are numbers
	w, h   int
	held   time.Time // no frame before: one of the new size comes
	atomic bool      // the terminal shows an update at once
	width  ansi.Method

	writing sync.Mutex // of the terminal
	out     io.Writer
	full    func() bool
	screen  *Screen
	on      bool   // the alternate screen is
	shown   string // the frame that was drawn last, to its end
	left    Rank   // what it lacks of the newest one
	pace    pace
	sips    sips
	sent    atomic.Int64 // bytes, since the beginning
	spare   []byte
}

// NewTerminal makes one of no size, whose Run draws.
func NewTerminal(o Options) *Terminal {
	if o.Profile == colorprofile.Unknown {
		o.Profile = colorprofile.ANSI
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Terminal{
		every: o.Every, now: o.Now, full: o.Full, pace: pace{rate: float64(o.Speed), said: o.Speed > 0},
		wake: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{}),
		out: o.Out, screen: NewScreen(o.Profile, o.FeedReturns), width: ansi.WcWidth,
	}
}

// Show makes frame the one that is to be seen; awaited says that somebody waits for what
// is new in it, as after a key: it did not change by itself. It does not wait.
func (t *Terminal) Show(frame string, awaited bool) {
	t.mu.Lock()
	same := frame == t.frame
	if !same {
		t.rankRows(frame, awaited)
	}
	t.frame = frame
	t.mu.Unlock()
	if !same {
		t.nudge()
	}
}

// rankRows ranks the rows in which a frame differs from the one before.
func (t *Terminal) rankRows(after string, awaited bool) {
	before, ranks := t.frame, make(map[int]Rank, len(t.ranks)) // the old one may be in use
	for y, r := range t.ranks {
		if awaited && r == Answer {
			r = Asked
		}
		ranks[y] = r
	}
	for y := 0; before != "" || after != ""; y++ {
		var a, b string
		a, before, _ = strings.Cut(before, "\n")
		b, after, _ = strings.Cut(after, "\n")
		r, known := ranks[y]
		switch {
		case a == b:
		case awaited:
			ranks[y] = Answer
		case (!known || r > Word) && words(a) != words(b):
			ranks[y] = Word
		}
	}
	t.ranks = ranks
}

// words is a line without its numbers and signs.
func words(line string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return r
		}
		return -1
	}, ansi.Strip(line))
}

func (t *Terminal) nudge() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// settles is longer than it takes from a new size to the frame of that size.
const settles = 25 * time.Millisecond

// Resize takes the terminal's size in cells.
func (t *Terminal) Resize(w, h int) {
	t.mu.Lock()
	if w != t.w || h != t.h {
		if t.w > 0 {
			t.held = t.now().Add(settles)
		}
		t.w, t.h = w, h
	}
	t.mu.Unlock()
	t.nudge()
}

// ShowAtOnce says that the terminal can show an update as a whole (mode 2026).
func (t *Terminal) ShowAtOnce() {
	t.mu.Lock()
	t.atomic = true
	t.mu.Unlock()
}

// MeasureClusters says that the terminal measures whole clusters of runes (mode 2027).
func (t *Terminal) MeasureClusters() {
	t.mu.Lock()
	t.width = ansi.GraphemeWidth
	t.mu.Unlock()
}

// Run draws until End.
func (t *Terminal) Run() {
	defer close(t.done)
	timer, next := time.NewTimer(0), time.NewTimer(0)
	defer timer.Stop()
	next.Stop() // nothing is due
	defer next.Stop()
	for {
		select {
		case <-t.quit:
			return
		case <-t.wake:
		case <-next.C:
		}
		began := t.now()
		for wait := t.early(began); wait > 0; wait = t.early(t.now()) {
			if !t.sleep(timer, wait) {
				return
			}
		}
		began = t.now()
		if wait := t.draw(); wait > 0 {
			next.Reset(wait)
		}
		if !t.sleep(timer, t.every-t.now().Sub(began)) {
			return
		}
	}
}

// draw sends a part of the newest frame, and says when the next one is due that nobody
// waits for; 0 for never.
func (t *Terminal) draw() time.Duration {
	t.writing.Lock()
	defer t.writing.Unlock()
	_ = t.paint(nil) // a terminal that is gone is noticed where its keys are read
	if t.left <= Asked || t.left == None {
		return 0
	}
	return max(time.Nanosecond, t.sips.due.Sub(t.now()))
}

// sleep waits, and tells whether it is to go on.
func (t *Terminal) sleep(timer *time.Timer, wait time.Duration) bool {
	timer.Reset(max(0, wait))
	select {
	case <-t.quit:
		return false
	case <-timer.C:
		return true
	}
}

// early is how long nothing may be drawn yet.
func (t *Terminal) early(now time.Time) time.Duration {
	t.writing.Lock()
	busy := t.pace.wait(now)
	t.writing.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	return max(busy, t.held.Sub(now))
}

// End stops drawing and returns when the last byte is written. Run must have been
// called, or be called by somebody.
func (t *Terminal) End() {
	t.once.Do(func() { close(t.quit) })
	<-t.done
}

// Write sends what the program says to the terminal besides frames.
func (t *Terminal) Write(b []byte) (int, error) {
	t.writing.Lock()
	defer t.writing.Unlock()
	if bytes.Contains(b, []byte(ansi.ResetModeAltScreenSaveCursor)) {
		t.on = false // what comes after is somebody else's screen, or begins below where there is no other
		out := append(t.spare[:0], ansi.ResetStyle...)
		if h := t.screen.h; h > 0 {
			out = append(out, ansi.CursorPosition(1, h)...)
		}
		if err := t.send(append(out, b...)); err != nil {
			return 0, err
		}
		return len(b), nil
	}
	t.screen.Stray()
	enters := bytes.Contains(b, []byte(ansi.SetModeAltScreenSaveCursor))
	rest := bytes.ReplaceAll(b, []byte(ansi.EraseEntireScreen), nil) // the next frame goes over it line by line, and nobody sees it empty
	if enters || len(rest) < len(b) {
		t.screen.Forget()
		t.shown = ""
	}
	send := t.send
	if enters {
		t.on, send = true, t.paint
	}
	t.nudge()
	if err := send(rest); err != nil {
		return 0, err
	}
	return len(b), nil
}

// paint sends before, and then what makes the terminal show the newest frame.
func (t *Terminal) paint(before []byte) error {
	t.mu.Lock()
	frame, ranks, w, h, atOnce, width := t.frame, t.ranks, t.w, t.h, t.atomic, t.width
	t.mu.Unlock()
	out := append(t.spare[:0], before...)
	t.left = None
	if t.on && (frame != t.shown || w != t.screen.w || h != t.screen.h) && frame != "" {
		t.screen.Resize(w, h)
		t.screen.width = width
		now := t.now()
		limits := Limits{t.pace.limit(), t.sips.room(now)}
		out, t.left = t.screen.Draw(out, frame, func(row int) Rank {
			if r, ranked := ranks[row]; ranked {
				return r
			}
			return Number
		}, limits)
		t.shown = ""
		switch {
		case t.left == None:
			t.shown = frame
			t.forget(frame)
		case t.left <= Asked:
			t.nudge()
		}
		if len(out) > len(before) && limits.Unasked > 0 {
			t.sips.took(t.screen.unasked, t.left != None, now)
		}
	}
	if atOnce && len(out) > tearing {
		out = append([]byte(ansi.SetModeSynchronizedOutput), out...)
		out = append(out, ansi.ResetModeSynchronizedOutput...)
	}
	t.spare = out
	return t.send(out)
}

// forget drops the ranks of a frame that is shown, unless there is a newer one.
func (t *Terminal) forget(frame string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.frame == frame {
		t.ranks = nil
	}
}

// Sent is how many bytes went to the terminal so far.
func (t *Terminal) Sent() int64 { return t.sent.Load() }

// tearing is from how many bytes on a terminal may show half of an update.
const tearing = 1024

func (t *Terminal) send(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	t.pace.gives(len(b), t.full != nil && t.full(), t.now())
	t.sent.Add(int64(len(b)))
	_, err := t.out.Write(b)
	return err //nolint:wrapcheck // it is the writer's own
}
