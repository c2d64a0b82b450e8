package record

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"relctl-tui/sources"
)

const (
	framesEvery = 50 * time.Millisecond // at most 20 snapshots a second, as the live engine
	gapShown    = 5 * time.Second       // of the recording's time
	ordersMost  = 64
)

// speeds are those that Faster and Slower step through.
var speeds = []float64{0.5, 1, 2, 5, 10, 30, 60, 300}

// SpeedMost is the highest speed of a Player.
const SpeedMost = 1000

// PlayerOptions make a Player. Show is required.
type PlayerOptions struct {
	At    time.Time // where to begin; zero for the beginning
	Speed float64   // 0 for 1; at most SpeedMost

	// Show takes each snapshot as its moment comes, and the same one again when
	// something else about the playback changed.
	Show func(*sources.Snapshot)

	Now   func() time.Time
	After func(time.Duration) <-chan time.Time
}

// Player shows a recording at its own pace or another. Make it with NewPlayer. It is
// goroutine-safe, and its methods but Run wait for no file.
type Player struct {
	rec    *Recording
	opts   PlayerOptions
	orders chan func(*Player)

	cursor *Cursor // Run's own, as is what is on show
	frame  Frame

	mu    sync.Mutex
	state sources.Playback
	base  time.Time // the wall's time at which state.Moment was it
	gapAt time.Time
}

// NewPlayer is a Player that has shown what it begins with.
func NewPlayer(rec *Recording, o PlayerOptions) *Player {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.After == nil {
		o.After = time.After
	}
	if !(o.Speed > 0) {
		o.Speed = 1
	}
	p := &Player{rec: rec, opts: o, orders: make(chan func(*Player), ordersMost)}
	p.state = sources.Playback{From: rec.From, To: rec.To, Speed: min(o.Speed, SpeedMost)}
	p.state.Moment, p.base = p.within(o.At), o.Now()
	p.find()
	p.show()
	return p
}

func (p *Player) within(t time.Time) time.Time {
	if t.Before(p.rec.From) {
		return p.rec.From
	}
	if t.After(p.rec.To) {
		return p.rec.To
	}
	return t
}

// Playback is where the replay is now.
func (p *Player) Playback() sources.Playback {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.state
	s.Moment = p.moment()
	if s.Moment.Sub(p.gapAt).Abs() > gapShown {
		s.Lost = 0
	}
	return s
}

// moment is the recording's time now. The caller holds p.mu.
func (p *Player) moment() time.Time {
	if p.state.Paused {
		return p.state.Moment
	}
	passed := float64(p.opts.Now().Sub(p.base)) * p.state.Speed
	if left := p.rec.To.Sub(p.state.Moment); passed >= float64(left) {
		return p.rec.To
	}
	return p.state.Moment.Add(time.Duration(max(0, passed)))
}

// change brings the clock to now and changes something about it.
func (p *Player) change(f func(s *sources.Playback)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state.Moment, p.base = p.moment(), p.opts.Now()
	f(&p.state)
	p.state.Moment = p.within(p.state.Moment)
	p.state.Ended = !p.state.Moment.Before(p.rec.To)
	if p.state.Ended {
		p.state.Paused = true
	}
}

// order has Run do something; a Player that is behind with its orders forgets it.
func (p *Player) order(f func(*Player)) {
	select {
	case p.orders <- f:
	default:
	}
}

// Pause stops the time, or lets it go on; at the end it begins again.
func (p *Player) Pause() {
	p.order(func(p *Player) {
		again := false
		p.change(func(s *sources.Playback) {
			if again = s.Ended; again {
				s.Moment = p.rec.From
			}
			s.Paused = !s.Paused
		})
		if again {
			p.find()
		}
	})
}

// Seek moves by so much of the recording's time, to its ends at most.
func (p *Player) Seek(by time.Duration) {
	p.order(func(p *Player) {
		p.change(func(s *sources.Playback) { s.Moment = s.Moment.Add(by) })
		p.find()
	})
}

// Faster plays at the next higher speed.
func (p *Player) Faster() {
	p.order(func(p *Player) {
		p.change(func(s *sources.Playback) {
			for _, v := range speeds {
				if v > s.Speed {
					s.Speed = v
					return
				}
			}
		})
	})
}

// Slower plays at the next lower speed.
func (p *Player) Slower() {
	p.order(func(p *Player) {
		p.change(func(s *sources.Playback) {
			for i := len(speeds) - 1; i >= 0; i-- {
				if speeds[i] < s.Speed {
					s.Speed = speeds[i]
					return
				}
			}
		})
	})
}

// NextEvent moves to where the next thing happened, or to the end.
func (p *Player) NextEvent() {
	p.order(func(p *Player) {
		known := map[rowID]bool{}
		p.happened(func(id rowID, _ time.Time) bool { known[id] = true; return false })
		p.moveTo(p.first(p.Playback().Moment, func(id rowID) bool { return !known[id] }))
	})
}

// PrevEvent moves to where the last thing before this moment happened, or to the
// beginning.
func (p *Player) PrevEvent() {
	p.order(func(p *Player) {
		before, to := p.Playback().Moment.Add(-time.Second), p.rec.From // else one would never leave it
		p.happened(func(id rowID, at time.Time) bool {
			if at.Before(p.rec.From) {
				return false
			}
			shown := p.first(at, func(other rowID) bool { return other == id })
			if shown.Before(before) {
				to = shown
			}
			return shown.Before(before)
		})
		p.moveTo(to)
	})
}

func (p *Player) moveTo(t time.Time) {
	p.change(func(s *sources.Playback) { s.Moment = t })
	p.find()
}

// happened goes through what has happened up to the frame on show, the newest first,
// until such a thing.
func (p *Player) happened(such func(rowID, time.Time) bool) {
	if p.frame.Snapshot != nil {
		happenedIn(p.frame.Snapshot, such)
	}
}

// happenedIn leaves out what is only under way: it has happened once it is known how it
// ended.
func happenedIn(s *sources.Snapshot, such func(rowID, time.Time) bool) bool {
	for i := range s.Activity {
		if s.Activity[i].Outcome != sources.Pending && such(activityID(&s.Activity[i]), s.Activity[i].At) {
			return true
		}
	}
	return false
}

// first is when, from a moment on, such a thing was first shown; the end where it never
// was.
func (p *Player) first(from time.Time, such func(rowID) bool) time.Time {
	f, c, err := p.rec.At(from)
	for !errors.Is(err, io.EOF) {
		if err == nil && happenedIn(f.Snapshot, func(id rowID, _ time.Time) bool { return such(id) }) {
			return f.At
		}
		f, err = c.Next()
	}
	return p.rec.To
}

// Run shows the recording until ctx ends.
func (p *Player) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case do := <-p.orders:
			do(p)
			p.show()
		case <-p.wait():
			p.advance()
			p.show()
		}
	}
}

func (p *Player) show() {
	if p.frame.Snapshot != nil {
		p.opts.Show(p.frame.Snapshot)
	}
}

// wait is until the next frame is due, or the end is reached; never while paused.
func (p *Player) wait() <-chan time.Time {
	s := p.Playback()
	if s.Paused {
		return nil
	}
	next := p.rec.To
	if due, more := p.cursor.Due(); more {
		next = due
	}
	return p.opts.After(max(framesEvery, time.Duration(float64(next.Sub(s.Moment))/s.Speed)))
}

// find reads what was shown at the moment: from where the cursor is, when that is just
// before, else from the beginning of a segment.
func (p *Player) find() {
	if now := p.Playback().Moment; p.frame.Snapshot != nil && !now.Before(p.frame.At) && p.cursor.near(now) {
		p.advance()
		return
	}
	f, c, err := p.rec.At(p.Playback().Moment)
	p.cursor = c
	if p.take(f, err) {
		return
	}
	p.advance()
	if p.frame.Snapshot == nil { // nothing up to here could be read
		f, err := c.Next()
		p.take(f, err)
	}
}

// advance takes the frames that are due.
func (p *Player) advance() {
	p.change(func(*sources.Playback) {})
	now := p.Playback().Moment
	for {
		due, more := p.cursor.Due()
		if !more || due.After(now) {
			return
		}
		f, err := p.cursor.Next()
		p.take(f, err)
	}
}

// take puts a frame on show, or notes why it cannot be.
func (p *Player) take(f Frame, err error) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		if !errors.Is(err, io.EOF) {
			p.state.Note = sources.Sentence(err)
		}
		return false
	}
	p.frame, p.state.Note = f, ""
	if f.Lost > 0 {
		p.state.Lost, p.gapAt = f.Lost, f.At
	}
	return true
}
