package unleash

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/web"
)

// How much of the log is read: at the start for who changed what, later what is new.
const (
	firstPage = 200
	pastPage  = 1000
	page      = 50
	maxPages  = 8
	keepSeen  = 2000
)

// event is one line of Unleash's event log.
type event struct {
	ID          int64     `json:"id"`
	Type        string    `json:"type"`
	By          string    `json:"createdBy"`
	At          time.Time `json:"createdAt"`
	Feature     string    `json:"featureName"`
	Environment string    `json:"environment"`
	Data        *strategy `json:"-"`
	Before      *strategy `json:"-"`
}

// UnmarshalJSON reads data and preData where they are a strategy: other events hold
// other things there, lists among them.
func (e *event) UnmarshalJSON(b []byte) error {
	type plain event
	in := struct {
		*plain
		Data    json.RawMessage `json:"data"`
		PreData json.RawMessage `json:"preData"`
	}{plain: (*plain)(e)}
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	if e.Type == strategyUpdated {
		e.Data, e.Before = strategyOf(in.Data), strategyOf(in.PreData)
	}
	return nil
}

func strategyOf(raw json.RawMessage) *strategy {
	var s strategy
	if json.Unmarshal(raw, &s) != nil || s.ID == "" {
		return nil
	}
	return &s
}

// The events that are told apart; every other one is an edit.
const (
	strategyUpdated = "feature-strategy-update"
	strategyAdded   = "feature-strategy-add"
	strategyRemoved = "feature-strategy-remove"
	switchedOn      = "feature-environment-enabled"
	switchedOff     = "feature-environment-disabled"
)

// search reads events of the project, newest first.
func (s *Store) search(ctx context.Context, limit, offset int, more url.Values) ([]event, error) {
	q := url.Values{"limit": {strconv.Itoa(limit)}, "project": {"IS:" + s.opts.Project}}
	if offset > 0 {
		q.Set("offset", strconv.Itoa(offset))
	}
	for k, v := range more {
		q[k] = v
	}
	var got struct {
		Events []event `json:"events"`
	}
	if _, err := s.admin.Do(ctx, web.Request{Method: http.MethodGet, Path: "/api/admin/search/events", Query: q}, &got); err != nil {
		return nil, s.readFault(err)
	}
	return got.Events[:min(len(got.Events), limit)], nil
}

// touch is the last change of a flag.
type touch struct {
	id int64
	at time.Time
	by string
}

// ledger is who changed each flag last, as far as the log was read.
type ledger struct {
	mu       sync.Mutex
	last     map[string]touch
	rollouts map[string]sources.Percent // as last read, also of killed flags
}

// note takes events that may be newer than what is known.
func (l *ledger) note(s *Store, events []event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range events {
		e := &events[i]
		if s.concerns(e) && l.last[e.Feature].id < e.ID {
			l.last[e.Feature] = touch{e.ID, e.At, sources.Clean(e.By, sources.MaxName)}
		}
	}
}

// stored is the percentage that a flag had when it was last read.
func (l *ledger) stored(key string) (sources.Percent, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p, ok := l.rollouts[key]
	return p, ok
}

// stamp writes into flags what is known of their last change, and notes what they are.
func (l *ledger) stamp(flags []sources.Flag) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range flags {
		if t, ok := l.last[flags[i].ID.Key]; ok {
			flags[i].ChangedAt, flags[i].ChangedBy = t.at, t.by
		}
		if p := flags[i].Stored; p.OK {
			l.rollouts[flags[i].ID.Key] = p.V
		}
	}
}

// cursor follows the log of the project: it gives each event once.
type cursor struct {
	s *Store

	mu       sync.Mutex // held while the log is asked
	begun    bool
	floor    int64 // events up to this one are old
	seen     map[int64]bool
	newer    int64 // the newest id
	pastRead bool
	held     []event // found by a look that failed further on
}

func newCursor(s *Store) *cursor { return &cursor{s: s, seen: map[int64]bool{}} }

// fresh is what a look at the log found that none before it had.
type fresh struct {
	events []event // newest first; of the first look none
	gap    bool    // there is more than was read
}

// begin looks at the newest events unless that was done, so that read gives those
// after them.
func (c *cursor) begin(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.first(ctx)
}

func (c *cursor) first(ctx context.Context) error {
	if c.begun {
		return nil
	}
	events, err := c.s.search(ctx, firstPage, 0, nil)
	if err != nil {
		return err
	}
	if c.begun = true; len(events) == firstPage {
		c.floor = events[len(events)-1].ID - 1
	}
	c.take(events)
	return nil
}

// read looks for events that no look has seen. An event may become visible after one
// with a higher id, so those seen are remembered one by one.
func (c *cursor) read(ctx context.Context) (fresh, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.begun {
		return fresh{}, c.first(ctx)
	}
	for n := range maxPages {
		events, err := c.s.search(ctx, page, n*page, nil)
		if err != nil {
			return fresh{}, err
		}
		unseen := c.take(events)
		if c.held = append(c.held, unseen...); len(unseen) < page {
			return c.handOut(false), nil
		}
	}
	return c.handOut(true), nil
}

// past reads further back than the first look did, for who changed what: the board
// does not wait for that, and has it with the next set. It is worth no error.
func (c *cursor) past(ctx context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.floor == 0 || c.pastRead {
		return
	}
	if events, err := c.s.search(ctx, pastPage, firstPage, nil); err == nil {
		c.pastRead = true
		c.s.ledger.note(c.s, events)
	}
}

func (c *cursor) handOut(gap bool) fresh {
	out := fresh{c.held, gap}
	c.held = nil
	return out
}

// take notes events and returns those that were not known, in their order.
func (c *cursor) take(events []event) []event {
	c.s.ledger.note(c.s, events)
	var unseen []event
	for i := range events {
		id := events[i].ID
		if id <= c.floor || c.seen[id] {
			continue
		}
		c.seen[id] = true
		c.newer = max(c.newer, id)
		unseen = append(unseen, events[i])
	}
	if len(c.seen) > 2*keepSeen {
		c.floor = max(c.floor, c.newer-keepSeen)
		for id := range c.seen {
			if id <= c.floor {
				delete(c.seen, id)
			}
		}
	}
	return unseen
}

// concerns says that an event is about a flag as this environment shows it.
func (s *Store) concerns(e *event) bool {
	return e.Feature != "" && (e.Environment == "" || e.Environment == s.opts.Environment)
}
