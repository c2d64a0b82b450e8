package wire

import (
	"math"
	"time"
)

const (
	// portion is how much of a slow line's time is filled in advance: what is asked for
	// meanwhile waits no longer than that.
	portion = 60 * time.Millisecond
	// least is the smallest portion, in bytes: a jump, a pen and a few cells.
	least = 48
	// quick is from how many bytes a second on a line is left to itself: the largest
	// frame is through in the blink of an eye.
	quick = 40_000
)

// pace is how fast a line takes what is sent. Its zero value is of a line that takes all
// at once, until it is found full.
type pace struct {
	rate float64   // bytes a second; 0 while nothing says that it is slow
	free time.Time // when the line will have taken what it was given

	said  bool      // the rate is what the line itself says
	since time.Time // when it was found full last
	taken int       // bytes given from then on
}

// forgets is after how long without being full a line is believed to be twice as fast:
// what held it up may be over.
const forgets = 30 * time.Second

// limit is how many bytes fill a portion.
func (p *pace) limit() int {
	if p.rate == 0 || p.rate >= quick {
		return math.MaxInt
	}
	return max(least, int(p.rate*portion.Seconds()))
}

// wait is how long the line is still busy.
func (p *pace) wait(now time.Time) time.Duration {
	if p.limit() == math.MaxInt {
		return 0
	}
	return p.free.Sub(now)
}

// gives notes a write of n bytes that is about to be, to a line that is full or not.
// What a line took between two moments in which it was full says how fast it is; how
// long a write takes does not, where the machine is busy.
func (p *pace) gives(n int, full bool, now time.Time) {
	switch span := now.Sub(p.since); {
	case p.said:
	case full:
		if !p.since.IsZero() && p.taken > least && span < forgets {
			p.rate = float64(p.taken) / span.Seconds()
		}
		p.since, p.taken = now, 0
	case p.rate > 0 && span > forgets:
		p.rate *= 2
		p.since, p.taken = now, 0
	}
	p.taken += n
	if p.rate > 0 {
		if p.free.Before(now) {
			p.free = now
		}
		p.free = p.free.Add(time.Duration(float64(n) / p.rate * float64(time.Second)))
	}
}

const (
	// sip is how many bytes of what changed by itself are sent at once, and sipEvery how
	// far apart they are, whatever the line: most links do not say that they are slow, and
	// this is 9,600 baud's share. What is new is all there within a second.
	sip      = 64
	sipEvery = 64 * time.Millisecond
	// evenSips are of that size; each one after those is four times as large as the one before.
	evenSips = 11
)

// sips is when what changed by itself goes. Its zero value sends at once.
type sips struct {
	due   time.Time // for the next one
	count int       // since all was shown last
}

// room is how many bytes may go now.
func (s *sips) room(now time.Time) int {
	if now.Before(s.due) {
		return 0
	}
	return sip << min(2*max(0, s.count-evenSips), 20)
}

// took notes that n bytes went now, and whether there is more. More than there was room
// for is as many sips.
func (s *sips) took(n int, more bool, now time.Time) {
	sips := max(1, (n+s.room(now)-1)/s.room(now))
	s.due = now.Add(time.Duration(sips) * sipEvery)
	s.count += sips
	if !more {
		s.count = 0
	}
}
