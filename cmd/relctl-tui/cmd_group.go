package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
)

// groupOf is what undoes a group, none where the change, "" for the actor's last one, is
// no group's. Nothing is said here: what goes wrong with the sources is told by whoever
// opens them to act.
func (o *options) groupOf(ctx context.Context, change string) ([]sources.Intent, error) {
	s, err := o.open(io.Discard)
	if err != nil {
		return nil, nil //nolint:nilerr // see above
	}
	ctl := s.controller(o.now)
	return ctl.Group(ctx, cmp.Or(change, ctl.Last(ctx, o.actorName())), o.actorName())
}

// group is several intents that are asked for as one, and the flags of which it is known
// before that they cannot be changed so.
type group struct {
	ins     []sources.Intent
	refused []control.Done
}

// killAll is a kill of each flag.
func killAll(flags []sources.Flag) (g group) {
	for i := range flags {
		g.ins = append(g.ins, sources.Intent{Kind: sources.Kill, Flag: flags[i].ID})
	}
	return g
}

// stepAll is one step of each flag, or for sources.Set the percentage. A flag that has
// no such step keeps no other from taking its own.
func stepAll(flags []sources.Flag, step sources.ChangeKind, to sources.Percent, override bool) (g group) {
	for i := range flags {
		f := &flags[i]
		in, err := f.Intend(step)
		if step == sources.Set && f.Migration == nil {
			in.To, err = to, f.CanRamp()
		}
		if err != nil {
			g.refused = append(g.refused, control.Done{Flag: f.ID, Err: refused(err)})
			continue
		}
		in.Override = override
		g.ins = append(g.ins, in)
	}
	return g
}

// several is each flag that is named or has one of the tags, once. A name or a tag that
// is nobody's is an error, and then nothing is changed: half of what was meant for a
// typing error is nothing that anybody asked for.
func (s *setup) several(ctx context.Context, names, tags []string, now func() time.Time) ([]sources.Flag, error) {
	var all []sources.Flag
	for _, name := range names {
		f, err := s.find(ctx, name, now)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	if len(tags) > 0 {
		p := s.read(ctx, want{flags: true}, now)
		if len(p.errs) > 0 { // the flags that could not be read may have the tag
			return nil, severalErrors(p.errs)
		}
		for _, tag := range tags {
			before := len(all)
			for i := range p.flags {
				if slices.Contains(p.flags[i].Tags, tag) {
					all = append(all, p.flags[i])
				}
			}
			if len(all) == before {
				return nil, fmt.Errorf("no flag has the tag %s, nothing was changed: %w", quote(tag), sources.ErrNotFound)
			}
		}
	}
	seen := map[sources.FlagID]bool{}
	return slices.DeleteFunc(all, func(f sources.Flag) bool {
		had := seen[f.ID]
		seen[f.ID] = true
		return had
	}), nil
}

// runGroup carries out several intents as one group and says what became of each flag.
func (o *options) runGroup(cmd *cobra.Command, of func(context.Context, *setup) (group, error)) error {
	s, err := o.open(cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	if err := s.canChange(cmd); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), changeTimeout)
	defer cancel()
	ctl := s.controller(o.now)
	g, err := of(ctx, s)
	if err != nil {
		return notDone(cmd, nil, err)
	}
	ins := g.ins
	for i := range ins {
		ins[i].Confirm, ins[i].Actor, ins[i].Reason = o.confirm, o.actorName(), sources.Clean(o.reason, 500)
	}
	if o.agree != nil {
		if err := o.agreed(s, ins...); err != nil {
			return err
		}
		ctx, cancel = context.WithTimeout(cmd.Context(), changeTimeout) // an answer has its own time
		defer cancel()
	}
	name, done := ctl.DoAll(ctx, ins)
	if !o.noWait {
		s.effects(cmd.Context(), ctl, done)
	}
	for i := range g.refused {
		ins, done = append(ins, sources.Intent{Flag: g.refused[i].Flag}), append(done, g.refused[i])
	}
	if err := o.printGroup(cmd.OutOrStdout(), name, ins, done); err != nil {
		return err
	}
	err = control.Incomplete(done)
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		return severalErrors(several.Unwrap())
	}
	return err
}

// effects waits until each change is in force where flags are evaluated.
func (s *setup) effects(ctx context.Context, ctl *control.Controller, done []control.Done) {
	var wg sync.WaitGroup
	for i := range done {
		d := &done[i]
		if d.Err != nil || idle(&d.Receipt) || !ctl.CanVerify(d.Flag.Source) {
			continue
		}
		wg.Go(func() {
			r, err := ctl.Effect(ctx, d.Receipt, s.effective())
			if !errors.Is(err, sources.ErrUnsupported) {
				d.Receipt, d.Err = r, err
			}
		})
	}
	wg.Wait()
}

// printGroup is a line for each flag, whatever became of it, and how to undo them all;
// or one JSON document.
func (o *options) printGroup(out io.Writer, group string, ins []sources.Intent, done []control.Done) error {
	changes, wrote := make([]changeJSON, len(done)), 0
	for i := range done {
		d := &done[i]
		outcome := sources.Confirmed
		switch {
		case d.Err != nil && d.Receipt.Change == "":
			outcome = sources.Failed
		case control.EffectError(d.Err): // the change itself was read back
		case d.Err != nil:
			outcome = sources.Unconfirmed
		}
		changes[i] = receiptShape(&d.Receipt, ins[i], outcome, o.now())
		changes[i].Kind, changes[i].Source, changes[i].Key = string(ins[i].Kind), d.Flag.Source, d.Flag.Key
		if d.Err != nil {
			changes[i].Error = sources.Sentence(d.Err)
		}
		if outcome != sources.Failed && !idle(&d.Receipt) {
			wrote++
		}
		if o.output == "json" {
			continue
		}
		if _, err := fmt.Fprintln(out, groupLine(d, outcome)); err != nil {
			return err
		}
	}
	if o.output == "json" {
		return writeJSON(out, map[string]any{"group": group, "changes": changes})
	}
	if wrote == 0 {
		return nil
	}
	_, err := fmt.Fprintf(out, "%d of %d flags changed (group %s; undo with: %s)\n", wrote, len(done), group, o.undoCommand(group))
	return err
}

func groupLine(d *control.Done, outcome sources.Outcome) string {
	r := &d.Receipt
	name := cmp.Or(r.New.Name, r.Old.Name, sources.Clean(d.Flag.Key, sources.MaxName))
	var line string
	switch {
	case outcome == sources.Failed && exitCode(d.Err) == exitRefused:
		return name + " not changed, refused: " + trimRefused(d.Err)
	case outcome == sources.Failed:
		return name + " not changed: " + once(sources.Sentence(d.Err))
	case outcome == sources.Unconfirmed:
		return fmt.Sprintf("%s %s → %s written, not confirmed: %s", name, r.Old.Brief(), r.New.Brief(), once(sources.Sentence(d.Err)))
	case idle(r):
		line = name + " is at " + r.New.Brief() + " already"
	default:
		line = fmt.Sprintf("%s %s → %s confirmed (change %s)", name, r.Old.Brief(), r.New.Brief(), r.Change)
	}
	if r.Warning != "" && !idle(r) {
		line += "; " + r.Warning
	}
	if d.Err != nil {
		line += "; " + once(sources.Sentence(d.Err))
	}
	return line
}
