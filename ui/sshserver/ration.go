package sshserver

import (
	"net/netip"
	"sync"
	"time"
)

// What is written of refusals in a minute: whoever may come from anywhere could fill the
// disk with them. One address has its share, so that it hides nobody else's. Those who
// have been let in have names, and more lines.
const (
	strangersEach, strangersInAll = 20, 120
	knownEach, knownInAll         = 60, 300

	rationsLast = time.Minute
)

// ration says which lines are written, and counts those that are not. It remembers no more
// addresses than lines are written, and of them no longer than a minute. It is
// goroutine-safe.
type ration struct {
	each, all int
	now       func() time.Time

	mu    sync.Mutex
	began time.Time // of the minute; zero before the first line
	lines int
	left  int // lines that were left out
	from  map[netip.Prefix]*share
}

type share struct{ lines, left int }

// leftOut is what was not written of a minute.
type leftOut struct {
	lines   int
	since   time.Time
	loudest netip.Prefix // where most of them came from, of the addresses that had a line
	of      int          // so many
}

// take says whether one more line about an address is written, and what has been left out
// of a minute that is over by now.
func (r *ration) take(a netip.Addr) (written bool, before leftOut) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	before = r.turn(now)
	if r.began.IsZero() {
		r.began, r.from = now, map[netip.Prefix]*share{}
	}
	near := neighbourhood(a)
	one := r.from[near]
	if r.lines >= r.all || one != nil && one.lines >= r.each {
		r.left++
		if one != nil {
			one.left++
		}
		return false, before
	}
	if one == nil {
		one = &share{}
		r.from[near] = one
	}
	one.lines++
	r.lines++
	return true, before
}

// over is what has been left out of a minute that is over by now, or of the present one
// where no other follows.
func (r *ration) over(last bool) leftOut {
	r.mu.Lock()
	defer r.mu.Unlock()
	if last && !r.began.IsZero() {
		return r.end()
	}
	return r.turn(r.now())
}

// turn ends a minute that is over. A clock that was set back ends it too.
func (r *ration) turn(now time.Time) leftOut {
	if r.began.IsZero() || !now.Before(r.began) && now.Before(r.began.Add(rationsLast)) {
		return leftOut{}
	}
	return r.end()
}

func (r *ration) end() leftOut {
	out := leftOut{lines: r.left, since: r.began}
	for p, one := range r.from {
		if one.left > out.of {
			out.loudest, out.of = p, one.left
		}
	}
	r.began, r.lines, r.left, r.from = time.Time{}, 0, 0, nil
	return out
}

// refused logs what was refused to a stranger at an address, as long as such lines are few.
func (s *Server) refused(a netip.Addr, what, why string, attrs ...any) {
	s.write(s.strangers, a, append([]any{"what", what, "why", why, "addr", a.String()}, attrs...))
}

// denied logs the same of whoever has been let in, which no stranger can crowd out.
func (s *Server) denied(a netip.Addr, what, why string, attrs ...any) {
	s.write(s.known, a, append([]any{"what", what, "why", why, "addr", a.String()}, attrs...))
}

// Denied logs what a session was refused by whoever serves it.
func (s *Session) Denied(what, why string) {
	s.link.s.denied(s.link.addr, what, why, "who", s.Name, "role", string(s.Role), "key", s.Fingerprint)
}

func (s *Server) write(r *ration, a netip.Addr, attrs []any) {
	written, before := r.take(a)
	s.count(before)
	if written {
		s.o.Log.Warn("refused", attrs...)
	}
}

// recount logs what was left out of a minute that is over, though nothing follows it.
func (s *Server) recount(last bool) {
	s.count(s.strangers.over(last))
	s.count(s.known.over(last))
}

func (s *Server) count(out leftOut) {
	if out.lines == 0 {
		return
	}
	attrs := []any{"lines", out.lines, "since", out.since.UTC().Format(time.RFC3339), "why", "they were too many to be written one by one"}
	if out.of > 0 {
		attrs = append(attrs, "of", out.of, "from", out.loudest.String())
	}
	s.o.Log.Warn("refused more", attrs...)
}
