package haproxy

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"relctl-tui/sources"
)

// draft is a change that was compared and worked out.
type draft struct {
	pair    *pair
	to      setting
	planned sources.Planned
}

// kept is what a Restore holds.
type kept struct {
	Backend string `json:"backend"`
	Canary  string `json:"canary"`
	Stable  string `json:"stable"`
	Weights [2]int `json:"weights"` // canary, stable
	Admin   string `json:"admin"`
}

// Apply reads the pair, compares, commits and writes in one exchange that looks right
// before and right after. What HAProxy refuses in part is put back, but for a kill
// that is in force.
func (s *Store) Apply(ctx context.Context, c sources.Change) (sources.Receipt, error) {
	select {
	case s.lock <- struct{}{}:
		defer func() { <-s.lock }()
	case <-ctx.Done():
		return sources.Receipt{}, s.sock.givenUp(s.name, ctx.Err())
	}
	now, pic, err := s.get(ctx, c.Flag)
	if err != nil {
		return sources.Receipt{}, err
	}
	d, err := s.draft(now, pic, &c)
	if err != nil {
		return sources.Receipt{}, err
	}
	r := sources.Receipt{
		Change: c.ID, Kind: c.Kind, Old: d.planned.Old, New: d.planned.New, Restore: d.planned.Restore,
	}
	if c.Commit != nil {
		if err := c.Commit(d.planned); err != nil {
			return sources.Receipt{}, err
		}
	}
	steps := now.of.steps(now.setting(), d.to)
	if len(steps) == 0 {
		r.Warning = "nothing to change: " + r.Old.Name + " is " + r.Old.Brief() + " already"
		r.Accepted = s.opts.Now()
		return r, nil
	}
	if err := ctx.Err(); err != nil {
		return sources.Receipt{}, s.sock.givenUp(s.name, err)
	}
	defer s.written.Ring() // whatever became of it, the watches look
	w, err := s.write(ctx, now.of, steps)
	if err != nil {
		return sources.Receipt{}, err
	}
	r.Accepted = s.opts.Now()
	if w.refused != nil && (c.Kind != sources.Kill || !w.after.killed()) {
		return sources.Receipt{}, s.putBack(ctx, d, w)
	}
	r.New = w.after.flag(s.name)
	r.Warning = sources.Clean(strings.Join(w.warnings(d, c.Kind), "; "), sources.MaxName*2)
	return r, nil
}

// draft compares and works out what is to be written.
func (s *Store) draft(now *pair, pic *picture, c *sources.Change) (*draft, error) {
	old := now.flag(s.name)
	d := &draft{pair: now, to: now.setting()}
	if c.Seen != "" && c.Seen != old.Revision {
		return nil, fmt.Errorf("%s: %w", s.name, sources.Changed(&old))
	}
	if why := pic.readOnly(); why != "" {
		return nil, fmt.Errorf("%s cannot be changed, %s: %w", old.Name, why, sources.ErrReadOnly)
	}
	var err error
	switch c.Kind {
	case sources.Kill:
		d.kill()
		if old.Killed {
			d.planned.Warning = strings.Join(now.notes(), "; ")
		}
	case sources.Undo:
		d.to, err = now.undo(c.Restore)
	case sources.Ramp, sources.Back, sources.Set:
		if err := old.CanRamp(); err != nil {
			return nil, err
		}
		if c.To < 0 || c.To > sources.Full {
			return nil, fmt.Errorf("%s%% is outside 0 to 100: %w", c.To, sources.ErrInvalid)
		}
		d.to.admin = ready
		if !old.Stored.OK || old.Stored.V != c.To || d.to.canary+d.to.stable == 0 {
			d.to.canary, d.to.stable, err = now.express(c.To)
		}
	case sources.Move:
		return nil, sources.CannotMove(s.name)
	default:
		return nil, fmt.Errorf("%s: %q is nothing that can be done to a pair of servers: %w", s.name, sources.Clean(string(c.Kind), 20), sources.ErrUnsupported)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", old.Name, err)
	}
	had := now.setting()
	d.planned.Old, d.planned.New = old, now.with(d.to).flag(s.name)
	d.planned.Restore, err = json.Marshal(kept{now.of.Backend, now.of.Canary, now.of.Stable, [2]int{had.canary, had.stable}, had.admin})
	return d, err
}

// kill takes the canary out. A stable server with weight 0 would then leave the
// backend with nobody: it gets the least weight, and the canary's is the most, so that
// what is stored stays as near to 100 % as weights can say. Where other weights than
// the configured may be refused, it gets that one.
func (d *draft) kill() {
	n := d.pair
	if n.killed() {
		return
	}
	d.to.admin = maint
	if n.stable.uweight > 0 || n.canary.uweight == 0 || n.others > 0 {
		return
	}
	if d.to.stable = 1; n.static() || n.hashes() {
		d.to.stable = max(1, n.stable.iweight)
		return
	}
	d.to.canary = maxWeight
}

// undo reads a Restore.
func (n *pair) undo(restore []byte) (setting, error) {
	var k kept
	if err := json.Unmarshal(restore, &k); err != nil {
		return setting{}, fmt.Errorf("what was kept for the undo cannot be read: %w", sources.ErrInvalid)
	}
	if (Pair{k.Backend, k.Stable, k.Canary}) != n.of {
		return setting{}, fmt.Errorf("what was kept for the undo is of other servers (%s): %w",
			sources.Clean(k.Backend+": "+k.Stable+" and "+k.Canary, sources.MaxName), sources.ErrInvalid)
	}
	to := setting{k.Weights[0], k.Weights[1], k.Admin}
	if min(to.canary, to.stable) < 0 || max(to.canary, to.stable) > maxWeight || (to.admin != ready && to.admin != drain && to.admin != maint) {
		return setting{}, fmt.Errorf("what was kept for the undo is no state of two servers: %w", sources.ErrInvalid)
	}
	return to, nil
}

// written is what an exchange that writes has shown.
type written struct {
	before, after *pair
	refused       error // of the first command that was
	wholly        bool  // all were
}

// write sends the steps with a look on both sides.
func (s *Store) write(ctx context.Context, of Pair, steps []step) (*written, error) {
	look := asking([]string{of.Backend})
	commands := []string{look[0]}
	for _, st := range steps {
		commands = append(commands, st.command)
	}
	answers, err := s.sock.exchange(ctx, s.name, append(commands, look...))
	if err != nil {
		return nil, err
	}
	w := &written{wholly: true}
	for i, st := range steps {
		err := refusal(s.name, st.what, answers[1+i])
		w.refused, w.wholly = cmp.Or(w.refused, err), w.wholly && err != nil
	}
	after, err := seen(s.name, answers[1+len(steps):])
	if err == nil {
		w.after, err = after.pair(s.name, of)
	}
	if err == nil {
		before := &picture{servers: map[string][]server{}, balance: after.balance}
		if err = before.state(s.name, answers[0]); err == nil {
			w.before, err = before.pair(s.name, of)
		}
	}
	if err != nil && w.wholly {
		return nil, w.refused
	}
	if err != nil {
		return nil, fmt.Errorf("%s: the change was sent, but cannot be read back (%s): %w", s.name, sources.Sentence(err), sources.ErrUnavailable)
	}
	return w, nil
}

// putBack undoes what was taken of a change that was refused, and says so.
func (s *Store) putBack(ctx context.Context, d *draft, w *written) error {
	was, is := w.before.setting(), w.after.setting()
	if was == is {
		return w.refused
	}
	again, err := s.write(ctx, d.pair.of, d.pair.of.steps(is, was))
	if err == nil && again.refused == nil && again.after.setting() == was {
		return fmt.Errorf("%w; the rest was put back", w.refused)
	}
	f := w.after.flag(s.name)
	return fmt.Errorf("%s is %s now, HAProxy took half of the change and would not go back, look before you go on (%s): %w",
		f.Name, f.Brief(), sources.Sentence(w.refused), sources.ErrUnavailable)
}

// warnings is what the operator must know of a change that is in force.
func (w *written) warnings(d *draft, kind sources.ChangeKind) (all []string) {
	was := w.before.flag("")
	if was.Revision != d.planned.Old.Revision {
		all = append(all, "somebody else made it "+was.Brief()+" at the same moment, which is overwritten")
	}
	now := w.after
	f := now.flag("")
	if w.refused == nil && f.Revision != d.planned.New.Revision {
		all = append(all, "somebody else changed it at the same moment and it is "+f.Brief()+" now")
	}
	if w.refused != nil {
		all = append(all, sources.Sentence(w.refused))
	}
	c := &now.canary
	if kind == sources.Kill {
		if d.pair.stable.uweight == 0 && now.stable.uweight > 0 {
			all = append(all, fmt.Sprintf("%s had weight 0 and got %d, so that somebody serves", now.of.Stable, now.stable.uweight))
		}
		if !now.serves() {
			all = append(all, "nobody serves "+now.of.Backend+" now: "+now.of.Stable+" takes no requests either")
		}
		if c.sessions > 0 {
			all = append(all, fmt.Sprintf("%d sessions on %s are still open and end by themselves", c.sessions, c.name))
		}
		return all
	}
	if f.Rollout.Or(0) > 0 && c.down() {
		all = append(all, c.name+" is DOWN, nobody gets it yet")
	}
	return all
}
