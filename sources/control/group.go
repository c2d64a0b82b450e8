package control

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"relctl-tui/sources"
)

// Done is what became of one flag of a group. Err is as of Do.
type Done struct {
	Flag    sources.FlagID
	Receipt sources.Receipt
	Err     error
}

// Wrote says that the flag is, or may be, as it was asked for: written or there already.
func (d *Done) Wrote() bool { return d.Err == nil || errors.Is(d.Err, ErrUnconfirmed) }

// DoAll carries out intents that were asked for as one: each is a change of its own,
// with its own compare-and-swap and its own entry in the journal, and all share the
// group that is given back, by which Group finds what takes them back together. Flags of one
// store go one after the other, in the order given, stores side by side. A flag that
// fails keeps no other from being changed, because whoever kills ten flags wants the
// other nine dead all the more. The answers are in the order of ins.
func (c *Controller) DoAll(ctx context.Context, ins []sources.Intent) (group string, done []Done) {
	group, done = c.opts.NewID(), make([]Done, len(ins))
	queues := map[string][]int{}
	for i := range ins {
		queues[ins[i].Flag.Source] = append(queues[ins[i].Flag.Source], i)
	}
	var wg sync.WaitGroup
	for _, queue := range queues {
		wg.Go(func() {
			for _, i := range queue {
				r, err := c.do(ctx, ins[i], nil, group)
				done[i] = Done{Flag: ins[i].Flag, Receipt: r, Err: err}
			}
		})
	}
	wg.Wait()
	return group, done
}

// Group is the undos of a group's changes that are in force, newest first: what to hand
// to DoAll to return each flag to its own former value. It is empty when nothing is
// recorded under that name, and an error wraps ErrNotFound when all is undone already.
func (c *Controller) Group(ctx context.Context, group, actor string) (ins []sources.Intent, err error) {
	if group == "" {
		return nil, nil
	}
	entries, _ := c.entries(0)
	undone, known := c.undone(ctx, entries), false
	for i := range entries {
		e := &entries[i]
		if e.Group != group {
			continue
		}
		known = true
		// What cannot be told to have happened is tried: the undo's own comparison decides.
		if !undone[e.ID] && !e.Outcome.Void() {
			ins = append(ins, sources.Intent{Kind: sources.Undo, Flag: e.Flag, Change: e.ID, Actor: actor})
		}
	}
	if known && len(ins) == 0 {
		return nil, fmt.Errorf("nothing of group %s is left to undo: %w", sources.Clean(group, sources.MaxName), sources.ErrNotFound)
	}
	return ins, nil
}

// UndoLast takes back the actor's last change that is in force, and with it the whole
// group that it is one of: done has an answer for each flag, and group is the name of
// the undo's own group, "" where the change stood alone. Like an Undo of no named change
// it waits for what the actor is still writing.
func (c *Controller) UndoLast(ctx context.Context, actor string) (group string, done []Done) {
	actor = sources.Clean(actor, sources.MaxName)
	if err := await(ctx, c.under(actor)); err != nil {
		return "", []Done{{Err: err}}
	}
	if last := c.Last(ctx, actor); last != "" {
		if ins, err := c.Group(ctx, last, actor); err == nil && len(ins) > 0 {
			return c.DoAll(ctx, ins)
		}
	}
	r, err := c.Do(ctx, sources.Intent{Kind: sources.Undo, Actor: actor})
	return "", []Done{{Flag: r.New.ID, Receipt: r, Err: err}}
}

// Undoable is what UndoLast would take back.
type Undoable struct {
	Change string           // what an Undo of it names: its ID, or the name of its group
	Last   sources.Activity // the change, or the newest of the group
	Flags  int              // how many it is about
}

// NextUndo finds what UndoLast would take back, so that somebody can be asked about it by
// its name. Like that it waits for what the actor is still writing. The error wraps
// ErrNotFound where nothing is left.
func (c *Controller) NextUndo(ctx context.Context, actor string) (Undoable, error) {
	actor = sources.Clean(actor, sources.MaxName)
	if err := await(ctx, c.under(actor)); err != nil {
		return Undoable{}, err
	}
	entries, warnings := c.entries(0)
	e := c.last(ctx, entries, c.undone(ctx, entries), actor)
	if e == nil {
		return Undoable{}, nothingLeft(warnings)
	}
	u := Undoable{Change: e.ID, Last: e.Activity(), Flags: 1}
	if ins, err := c.Group(ctx, e.Group, actor); err == nil && len(ins) > 0 {
		u.Change, u.Flags = e.Group, len(ins)
	}
	return u, nil
}

// under is the changes of an actor that are under way.
func (c *Controller) under(actor string) (all []*work) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range c.running {
		if w.actor == actor {
			all = append(all, w)
		}
	}
	return all
}

// Last is the group of the actor's last change that can be undone, "" where that
// change stands alone or there is none.
func (c *Controller) Last(ctx context.Context, actor string) string {
	entries, _ := c.entries(0)
	if e := c.last(ctx, entries, c.undone(ctx, entries), sources.Clean(actor, sources.MaxName)); e != nil {
		return e.Group
	}
	return ""
}

// Incomplete is the error of a group: nil when every flag is as asked for. Where some
// are and some are not it is ErrPartly, which is ErrUnconfirmed; where none is, it is
// all their errors.
func Incomplete(done []Done) error {
	var errs []error
	wrote := 0
	for i := range done {
		if done[i].Wrote() {
			wrote++
		}
		if done[i].Err != nil {
			errs = append(errs, done[i].Err)
		}
	}
	switch {
	case len(errs) == 0:
		return nil
	case wrote == 0:
		return errors.Join(errs...)
	default:
		return partly{fmt.Errorf("%d of %d flags are not as they should be", len(errs), len(done))}
	}
}
