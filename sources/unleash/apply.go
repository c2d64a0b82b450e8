package unleash

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/web"
)

// settleTime is how long reading back and making safe may take after the caller has
// given up, for a write is out by then.
const settleTime = 5 * time.Second

// act is one step of a write.
type act int

const (
	switchOff act = iota
	setRollout
	switchOn
)

// plan is a change worked out on one reading of a flag.
type plan struct {
	before, after *feature
	acts          []act
	strategy      *strategy // as it was read, for setRollout
	rollout       string
	restore       []byte
}

// restore is what an undo goes back to.
type restore struct {
	Enabled  bool   `json:"enabled"`
	Strategy string `json:"strategy,omitempty"` // the one that is ramped; "" for a custom flag
	Rollout  string `json:"rollout,omitempty"`
	Shape    string `json:"shape"` // of all strategies but for that rollout
}

// Apply makes one change. A ramp of a killed flag sets the percentage first and
// switches on then. The receipt warns of somebody who was overwritten.
func (s *Store) Apply(ctx context.Context, c sources.Change) (sources.Receipt, error) {
	if err := s.stopped(ctx, "nothing was written"); err != nil {
		return sources.Receipt{}, err
	}
	before, err := s.feature(ctx, c.Flag)
	if err != nil {
		return sources.Receipt{}, err
	}
	old := s.stamped(before)
	if c.Seen != "" && c.Seen != old.Revision {
		return sources.Receipt{}, fmt.Errorf("%s: %w", s.who(), sources.Changed(&old))
	}
	p, err := s.draft(before, &old, c)
	if err != nil {
		return sources.Receipt{}, err
	}
	planned := sources.Planned{Old: old, New: s.stamped(p.after), Restore: p.restore}
	receipt := sources.Receipt{Change: c.ID, Kind: c.Kind, Old: old, New: planned.New, Restore: p.restore}
	if c.Commit != nil {
		if err := c.Commit(planned); err != nil {
			return sources.Receipt{}, err
		}
	}
	if len(p.acts) == 0 {
		receipt.Accepted = s.opts.Now()
		receipt.Warning = "nothing to change: " + old.Name + " is " + old.Brief() + " already"
		return receipt, nil
	}
	if err := s.stopped(ctx, "given up before the write, nothing was changed"); err != nil {
		return sources.Receipt{}, err
	}
	if err := s.carryOut(ctx, p); err != nil {
		return sources.Receipt{}, err
	}
	receipt.Accepted = s.opts.Now()
	s.written.Ring()
	return s.lookBack(ctx, p, receipt)
}

// draft works out the steps of a change, and refuses what cannot be done.
func (s *Store) draft(before *feature, old *sources.Flag, c sources.Change) (*plan, error) {
	p := &plan{before: before}
	var err error
	switch c.Kind {
	case sources.Kill:
		p.after = before.with(false, "", "")
		if before.Enabled {
			p.acts = []act{switchOff}
		}
	case sources.Ramp, sources.Back, sources.Set:
		err = s.draftRollout(p, old, c.To)
	case sources.Undo:
		err = s.draftUndo(p, old, c.Restore)
	case sources.Move:
		err = sources.CannotMove(s.who())
	default:
		err = fmt.Errorf("%s: %s is nothing that can be done to a flag: %w", s.who(), sources.Clean(string(c.Kind), 20), sources.ErrInvalid)
	}
	if err != nil {
		return nil, err
	}
	back := restore{Enabled: before.Enabled}
	if one, _ := before.ramped(); one != nil {
		back.Strategy = one.ID
		back.Rollout, _ = one.param("rollout")
	}
	back.Shape = before.shape(back.Strategy)
	p.restore, err = json.Marshal(back)
	return p, err
}

// draftRollout brings the flag to a percentage, and to life where it was killed.
func (s *Store) draftRollout(p *plan, old *sources.Flag, to sources.Percent) error {
	switch {
	case to < 0 || to > sources.Full:
		return fmt.Errorf("%s: %s%% is outside 0..100: %w", s.who(), to, sources.ErrInvalid)
	case to%sources.Pct(1) != 0:
		return fmt.Errorf("%s: Unleash has whole percentages only, so %s cannot be set to %s%%, take %d or %d: %w",
			s.who(), old.Name, to, to/sources.Pct(1), to/sources.Pct(1)+1, sources.ErrInvalid)
	}
	if err := old.CanRamp(); err != nil {
		return fmt.Errorf("%s: %w", s.who(), err)
	}
	one, _ := p.before.ramped() // there is one, or the flag could not be ramped
	p.to(one, strconv.Itoa(int(to/sources.Pct(1))), true)
	return nil
}

// to plans the steps to a percentage and a state: a flag that goes on has its
// percentage first, one that goes off is off before it has another.
func (p *plan) to(one *strategy, rollout string, enabled bool) {
	p.strategy, p.rollout = one, rollout
	p.after = p.before.with(enabled, "", "")
	var write []act
	if one != nil {
		p.after = p.before.with(enabled, one.ID, rollout)
		if was, _ := one.param("rollout"); was != rollout {
			write = []act{setRollout}
		}
	}
	switch {
	case enabled == p.before.Enabled:
		p.acts = write
	case enabled:
		p.acts = append(write, switchOn)
	default:
		p.acts = append([]act{switchOff}, write...)
	}
}

// draftUndo goes back to what a receipt kept, as long as the strategies are the same
// but for the percentage.
func (s *Store) draftUndo(p *plan, old *sources.Flag, kept []byte) error {
	var back restore
	if json.Unmarshal(kept, &back) != nil || back.Shape == "" {
		return fmt.Errorf("%s: the record of that change does not say what %s was before: %w", s.who(), old.Name, sources.ErrInvalid)
	}
	if p.before.shape(back.Strategy) != back.Shape {
		return fmt.Errorf("%s: the strategies of %s are not any more what they were, so it was not undone; change it in Unleash: %w", s.who(), old.Name, sources.ErrConflict)
	}
	var one *strategy
	for i := range p.before.Strategies {
		if p.before.Strategies[i].ID == back.Strategy && back.Strategy != "" {
			one = &p.before.Strategies[i]
		}
	}
	if back.Enabled && !p.before.Enabled && len(p.before.active()) == 0 {
		return fmt.Errorf("%s: %s has no strategy that is enabled, and switched on by itself Unleash would give it to everybody; enable one in Unleash: %w", s.who(), old.Name, sources.ErrUnsupported)
	}
	p.to(one, back.Rollout, back.Enabled)
	for _, a := range p.acts {
		if n, err := strconv.Atoi(back.Rollout); a == setRollout && (err != nil || n < 0 || n > 100) {
			return fmt.Errorf("%s: %s had the rollout %s before, which is no percentage, so it was not undone: %w", s.who(), old.Name, strconv.Quote(sources.Clean(back.Rollout, 20)), sources.ErrInvalid)
		}
	}
	return nil
}

// carryOut makes the steps. Once the first is done, a refusal of the next is not one
// of the whole, and is never told as one.
func (s *Store) carryOut(ctx context.Context, p *plan) error {
	for i, a := range p.acts {
		var err error
		switch a {
		case switchOff:
			err = s.turn(ctx, p.before.Name, "off")
		case setRollout:
			err = s.patch(ctx, p)
		case switchOn:
			err = s.turnOn(ctx, p)
		}
		if err != nil {
			err = s.writeFault(p.before.Name, err)
		}
		if err != nil && i > 0 {
			return fmt.Errorf("only half of it was done, look at %s before you go on: %s: %w",
				sources.Clean(p.before.Name, sources.MaxName), sources.Sentence(err), sources.ErrUnavailable)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) turn(ctx context.Context, key, to string) error {
	_, err := s.admin.Do(ctx, web.Request{Method: http.MethodPost, Path: s.environmentPath(key) + "/" + to}, nil)
	return err
}

// turnOn switches the environment on where a strategy is enabled, reads what became
// of that, and switches off again at once where Unleash has added one for everybody.
func (s *Store) turnOn(ctx context.Context, p *plan) error {
	key := p.before.Name
	if len(p.after.active()) == 0 {
		return fmt.Errorf("%s: %s has no strategy that is enabled: %w", s.who(), sources.Clean(key, sources.MaxName), sources.ErrUnsupported)
	}
	if len(p.acts) > 1 { // a step before it took time: somebody may have disabled a strategy
		now, err := s.feature(ctx, sources.FlagID{Source: s.name, Key: key})
		if err != nil {
			return err
		}
		if now.shape("") != p.after.shape("") {
			return fmt.Errorf("%s: the strategies of %s were changed by somebody else just now, so it was not switched on: %w", s.who(), sources.Clean(key, sources.MaxName), sources.ErrConflict)
		}
	}
	if err := s.turn(ctx, key, "on"); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	now, err := s.feature(ctx, sources.FlagID{Source: s.name, Key: key})
	if err != nil || len(now.Strategies) <= len(p.after.Strategies) {
		return nil // the write is out, and is read back by whoever asked for it
	}
	why := "somebody disabled its strategies just then and Unleash added one for everybody"
	if err := s.turn(ctx, key, "off"); err != nil {
		return fmt.Errorf("%s: %s IS ON FOR EVERYBODY: %s, and it could not be switched off again, kill it: %w", s.who(), sources.Clean(key, sources.MaxName), why, sources.ErrUnavailable)
	}
	return fmt.Errorf("%s: %s was switched off again, because %s; look at its strategies in Unleash: %w", s.who(), sources.Clean(key, sources.MaxName), why, sources.ErrUnavailable)
}

// operation is one step of a JSON patch.
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// patch sets the rollout and nothing else, on condition that the strategy is as it
// was read where the server knows conditions.
func (s *Store) patch(ctx context.Context, p *plan) error {
	path := s.environmentPath(p.before.Name) + "/strategies/" + url.PathEscape(p.strategy.ID)
	write := operation{"replace", "/parameters/rollout", p.rollout}
	s.mu.Lock()
	plain := s.noTest
	s.mu.Unlock()
	if !plain {
		steps := append(p.strategy.tests(), write)
		_, err := s.admin.Do(ctx, web.Request{Method: http.MethodPatch, Path: path, Body: steps}, nil)
		if web.StatusOf(err) != http.StatusBadRequest || !strings.Contains(web.Said(err), "validation failed") {
			return err
		}
		s.mu.Lock() // a 400 of the request's form, as 6 answers: nothing was written
		s.noTest = true
		s.mu.Unlock()
	}
	_, err := s.admin.Do(ctx, web.Request{Method: http.MethodPatch, Path: path, Body: []operation{write}}, nil)
	return err
}

// tests are the conditions that the strategy is as it was read.
func (s *strategy) tests() []operation {
	list := func(v []json.RawMessage) []json.RawMessage {
		if v == nil {
			return []json.RawMessage{}
		}
		return v
	}
	return []operation{
		{"test", "/name", s.Name},
		{"test", "/disabled", s.Disabled},
		{"test", "/parameters", s.Parameters},
		{"test", "/constraints", list(s.Constraints)},
		{"test", "/segments", list(s.Segments)},
		{"test", "/variants", list(s.Variants)},
	}
}

// writeFault says what a refused write means.
func (s *Store) writeFault(key string, err error) error {
	name, said := sources.Clean(key, sources.MaxName), web.Said(err)
	switch status := web.StatusOf(err); {
	case status == http.StatusForbidden && strings.Contains(said, "SKIP_CHANGE_REQUEST"):
		return sources.WithLink(fmt.Errorf("%s: changes of %s need a change request that somebody approves, nothing was written; make it on the flag's page in Unleash: %w",
			s.who(), s.where(), sources.ErrApprovalNeeded), s.page(key))
	case status == http.StatusForbidden:
		return fmt.Errorf("%s: this token may not change %s in %s, nothing was written (%s): %w", s.who(), name, s.where(), said, sources.ErrReadOnly)
	case status == http.StatusBadRequest && strings.Contains(said, "archived"):
		return fmt.Errorf("%s: %s was archived just now, nothing was written: %w", s.who(), name, sources.ErrNotFound)
	case status == http.StatusInternalServerError && strings.Contains(said, "Test operation failed"):
		return fmt.Errorf("%s: somebody else changed the strategy of %s just now, nothing was written; look again and repeat: %w", s.who(), name, sources.ErrConflict)
	case status == http.StatusNotFound:
		return fmt.Errorf("%s: %s or its strategy was removed just now, nothing was written: %w", s.who(), name, sources.ErrNotFound)
	case status == http.StatusUnauthorized:
		return s.readFault(err)
	}
	return err
}

// lookBack reads what became of a write, and of whom it overwrote.
func (s *Store) lookBack(ctx context.Context, p *plan, r sources.Receipt) (sources.Receipt, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	overwrote := make(chan string, 1)
	go func() { overwrote <- s.overwritten(ctx, p) }()
	now, err := s.feature(ctx, r.New.ID)
	r.Warning = <-overwrote
	if err != nil {
		return r, nil // it was accepted; whoever reads it back again will say so
	}
	if got := s.stamped(now); got.Revision == r.New.Revision {
		r.New, r.Reread = got, s.opts.Now()
	}
	return r, nil
}

// overwritten says whose rollout was lost between our read and our write, from what
// the event log has as the value before ours; "" for nobody's, and for a write that
// replaces no value.
func (s *Store) overwritten(ctx context.Context, p *plan) string {
	ramped := false
	for _, a := range p.acts {
		ramped = ramped || a == setRollout
	}
	if !ramped {
		return ""
	}
	events, err := s.search(ctx, 20, 0, url.Values{"feature": {"IS:" + p.before.Name}})
	if err != nil {
		return "whether somebody was overwritten is not known: " + sources.Sentence(err)
	}
	s.ledger.note(s, events)
	mine := -1
	for i := range events {
		e := &events[i]
		if e.Type != strategyUpdated || e.Environment != s.opts.Environment || e.Data == nil || e.Before == nil || e.Data.ID != p.strategy.ID {
			continue
		}
		if mine < 0 {
			if to, _ := e.Data.param("rollout"); to == p.rollout {
				mine = i
			}
			continue
		}
		lost := events[mine].Before
		if hash(lost) == hash(p.strategy) {
			return ""
		}
		to, _ := lost.param("rollout")
		if was, _ := p.strategy.param("rollout"); to == was {
			return fmt.Sprintf("%s edited that strategy a moment before, see whether it still stands", sources.Clean(e.By, 60))
		}
		return fmt.Sprintf("this overwrote %s%%, which %s had set a moment before", sources.Clean(to, 20), sources.Clean(e.By, 60))
	}
	return ""
}

func hash(s *strategy) string { return (&feature{Strategies: []strategy{*s}}).shape("") }
