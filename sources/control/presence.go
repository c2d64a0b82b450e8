package control

import (
	"context"
	"slices"
	"sync"
	"time"

	"relctl-tui/sources"
)

const (
	beatTime    = 3 * time.Second // of one beat, or one look at who is there
	lookEvery   = 2 * time.Second // where a store cannot be followed
	goodbyeTime = time.Second     // with a store that hangs: its entry runs out by itself
)

// Roster is who looks through this process: one board of its own, or everybody who came
// in over SSH. It is goroutine-safe; make it with NewRoster.
type Roster struct {
	shared  bool
	mu      sync.Mutex
	people  map[int]sources.Person
	next    int
	changed chan struct{} // closed and replaced with each change
}

// NewRoster is a Roster of nobody yet. Those of a shared one are told of each other.
func NewRoster(shared bool) *Roster {
	return &Roster{shared: shared, people: map[int]sources.Person{}, changed: make(chan struct{})}
}

// Enter adds somebody, until they leave.
func (r *Roster) Enter(p sources.Person) (leave func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.next++
	at := r.next
	r.people[at] = p
	r.tell()
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.people, at)
		r.tell()
	}
}

func (r *Roster) tell() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// here is who is here, and what is closed when that is another.
func (r *Roster) here() ([]sources.Person, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]sources.Person, 0, len(r.people))
	for _, p := range r.people {
		all = append(all, p)
	}
	return sources.Present(all), r.changed
}

// FollowPresence says in each store that keeps it who looks at it through the process id,
// and tells who else does, until ctx ends; with a shared Roster its own people too. A store that
// cannot keep it, or does not answer, loses nothing by it but that.
func (c *Controller) FollowPresence(ctx context.Context, id string, r *Roster, tell func(source string, people []sources.Person)) {
	var stores sync.WaitGroup
	for i := range c.opts.Stores {
		if a, ok := c.opts.Stores[i].Driver.(sources.Attender); ok {
			p := &presence{store: a, id: id, roster: r, tell: func(people []sources.Person) { tell(c.opts.Stores[i].Name, people) }}
			stores.Go(func() { p.follow(ctx) })
		}
	}
	stores.Wait()
}

// presence is one store's.
type presence struct {
	store  sources.Attender
	id     string
	roster *Roster
	tell   func([]sources.Person)
	said   bool // the store may have something of us
}

func (p *presence) follow(ctx context.Context) {
	defer p.goodbye(ctx)
	beat := time.NewTicker(sources.BeatEvery)
	defer beat.Stop()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	looks, stirs := look.C, (<-chan struct{})(nil)
	if w, ok := p.store.(sources.AttendanceWatcher); ok {
		looks, stirs = nil, w.Attendances(ctx)
	}
	changed := p.beat(ctx)
	p.look(ctx)
	for {
		select {
		case <-ctx.Done():
			return
		case <-changed:
			changed = p.beat(ctx)
			p.look(ctx)
		case <-beat.C:
			changed = p.beat(ctx)
		case <-looks:
			p.look(ctx)
		case _, ok := <-stirs:
			if !ok {
				stirs = nil
				continue
			}
			p.look(ctx)
		}
	}
}

// beat says who is here, and returns what is closed when that is another.
func (p *presence) beat(ctx context.Context) <-chan struct{} {
	people, changed := p.roster.here()
	if len(people) == 0 && !p.said {
		return changed
	}
	ctx, cancel := context.WithTimeout(ctx, beatTime)
	defer cancel()
	err := p.store.Attend(ctx, sources.Attendance{ID: p.id, People: people}) // doctor says why not
	p.said = len(people) > 0 || err != nil                                   // the end may have come between
	return changed
}

// look tells who is there. A store that does not answer leaves what was known: its
// health says that already.
func (p *presence) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, beatTime)
	defer cancel()
	if all, err := p.store.Attending(ctx); err == nil {
		all = slices.DeleteFunc(all, func(a sources.Attendance) bool { return a.ID == p.id })
		if p.roster.shared {
			own, _ := p.roster.here() // as it is, kept or not
			all = append(all, sources.Attendance{People: own})
		}
		p.tell(sources.PresentIn(all))
	}
}

func (p *presence) goodbye(ctx context.Context) {
	if !p.said {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbyeTime)
	defer cancel()
	_ = p.store.Attend(ctx, sources.Attendance{ID: p.id})
}
