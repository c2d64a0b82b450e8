package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/sources/journal"
	"relctl-tui/views"
)

// changeTimeout bounds a change as a whole, so that a script never hangs on it.
const changeTimeout = 20 * time.Second

func newKillCmd(o *options) *cobra.Command {
	cmd := changeCmd(o, &cobra.Command{
		Use:               "kill FLAG...",
		Short:             "Switch flags off as a whole, at once",
		Long:              "Switch flags off as a whole, at once: those that are named and those with a tag of --tag.\nSeveral flags are one group: each has its own change, and one undo takes all of them back.",
		ValidArgsFunction: o.completeMore,
	}, func(ctx context.Context, s *setup, args []string) (sources.Intent, error) {
		f, err := s.find(ctx, args[0], o.now)
		return sources.Intent{Kind: sources.Kill, Flag: f.ID}, err // control knows what a kill is of a migration
	})
	var tags []string
	cmd.Flags().StringArrayVar(&tags, "tag", nil, "all flags with this tag; several are any of them")
	one := cmd.RunE
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 && len(tags) == 0 {
			return &usageError{msg: verbOf(cmd) + " takes one flag, several, or --tag"}
		}
		return nil
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 1 && len(tags) == 0 {
			return one(cmd, args)
		}
		return o.runGroup(cmd, func(ctx context.Context, s *setup) (group, error) {
			flags, err := s.several(ctx, args, tags, o.now)
			return killAll(flags), err
		})
	}
	return cmd
}

func newUndoCmd(o *options) *cobra.Command {
	cmd := changeCmd(o, &cobra.Command{
		Use:   "undo [CHANGE]",
		Short: "Take back a change or a group of them, by default your last one",
		Args:  argCount(0, 1, "at most one change"),
	}, func(_ context.Context, _ *setup, args []string) (sources.Intent, error) {
		return sources.Intent{Kind: sources.Undo, Change: firstOr(args, "")}, nil
	})
	one := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ins, err := o.groupOf(cmd.Context(), firstOr(args, ""))
		switch {
		case err != nil:
			return err
		case len(ins) == 0:
			return one(cmd, args)
		}
		return o.runGroup(cmd, func(context.Context, *setup) (group, error) { return group{ins: ins}, nil })
	}
	return cmd
}

// changeCmd completes a verb that changes something: what is to be done comes
// from intent, everything else is the same for all.
func changeCmd(o *options, cmd *cobra.Command, intent func(context.Context, *setup, []string) (sources.Intent, error)) *cobra.Command {
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		s, err := o.open(cmd.ErrOrStderr())
		if err != nil {
			return err
		}
		if err := s.canChange(cmd); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), changeTimeout)
		defer cancel()
		in, err := intent(ctx, s, args)
		if err != nil {
			return notDone(cmd, args, err) // it only read
		}
		in.Confirm = o.confirm
		in.Actor, in.Reason = o.actorName(), sources.Clean(o.reason, 500)
		ctl := s.controller(o.now)
		if err := o.beforehand(cmd, ctl, s, in); err != nil {
			return err
		}
		if o.proofWait > 0 || o.agree != nil { // what follows has its own time
			ctx, cancel = context.WithTimeout(cmd.Context(), changeTimeout)
			defer cancel()
		}
		began := o.now()
		r, err := ctl.Do(ctx, in)
		if err != nil && !errors.Is(err, control.ErrUnconfirmed) {
			return notDone(cmd, args, o.withNext(in, err))
		}
		if r.Warning != "" && !idle(&r) {
			say(cmd.ErrOrStderr(), r.Warning)
		}
		prove := err == nil && !o.noWait && !idle(&r) && ctl.CanVerify(r.New.ID.Source)
		if prove && o.output == "json" { // one document, so it comes last
			if r, err = ctl.Effect(cmd.Context(), r, s.effective()); errors.Is(err, sources.ErrUnsupported) {
				say(cmd.ErrOrStderr(), sources.Sentence(err))
				err = nil
			}
			return errors.Join(err, o.printReceipt(cmd.OutOrStdout(), &r, in, nil))
		}
		if printed := o.printReceipt(cmd.OutOrStdout(), &r, in, err); err == nil {
			err = printed
		}
		if prove && err == nil {
			err = o.printEffect(cmd.Context(), cmd.OutOrStdout(), ctl, r, began, s.effective())
		}
		return err
	}
	cmd.Flags().StringVar(&o.confirm, "confirm", "", "the flag's name typed out, where a migration asks for it")
	cmd.Flags().StringVar(&o.reason, "reason", "", "why, for the record")
	cmd.Flags().BoolVar(&o.noWait, "no-wait", false, "do not wait until the change is in force where flags are evaluated")
	addOutput(cmd, o)
	return cmd
}

// withNext adds to the error of a change of which nothing was written what to type if it
// is meant all the same.
func (o *options) withNext(in sources.Intent, err error) error {
	if errors.Is(err, sources.ErrConfirm) {
		id, _ := sources.NameOf(err)
		return fmt.Errorf("%s: nothing was changed; if that is meant, repeat with --confirm %s: %w", sources.Sentence(err), shellQuote(id.Key), sources.ErrConfirm)
	}
	if clash, ok := control.ClashOf(err); ok && in.Kind == sources.Undo && clash.To != clash.Flag.Brief() {
		return fmt.Errorf("%s; to return it to %s all the same: %s: %w", sources.Sentence(err), clash.To,
			o.command("restore", shellQuote(clash.Flag.ID.Key), "--before", clash.Instead.Change), sources.ErrConflict)
	}
	return err
}

// effectiveIn is how soon a change must be in force where nothing else was said.
const effectiveIn = time.Minute

func (s *setup) effective() time.Duration { return cmp.Or(s.effectiveIn, effectiveIn) }

// printEffect waits until a change is in force and says how far it came when.
func (o *options) printEffect(ctx context.Context, out io.Writer, ctl *control.Controller, r sources.Receipt, began time.Time, within time.Duration) error {
	r, err := ctl.Effect(ctx, r, within)
	if errors.Is(err, sources.ErrUnsupported) {
		_, err = fmt.Fprintln(out, sources.Sentence(err))
		return err
	}
	if err != nil || o.followed {
		return err
	}
	_, err = fmt.Fprintf(out, "%s: accepted %s · re-read %s · effective %s\n", r.New.Name,
		views.Took(began, r.Accepted), views.Took(began, r.Reread), views.Took(began, r.Effective))
	return err
}

// controller is the one path by which anything is changed; the board has its own
// over the same stores and journals. Its guards read each source once.
func (s *setup) controller(now func() time.Time) *control.Controller {
	if s.shared != nil {
		return s.shared.control
	}
	return s.controllerOf(control.Options{
		Now:    now,
		Guards: control.Guards{Snapshot: func(ctx context.Context) (*sources.Snapshot, error) { return s.look(ctx, now), nil }},
	})
}

// look is one snapshot of what guards look at.
func (s *setup) look(ctx context.Context, now func() time.Time) *sources.Snapshot {
	p := s.read(ctx, want{flags: true, breakers: true, latencies: true}, now)
	return &sources.Snapshot{
		At: p.at, Context: s.context, Sources: p.sources, Flags: p.flags, Breakers: p.breakers, Latencies: p.latencies,
	}
}

// controllerOf is a controller over this context's stores and guards.
func (s *setup) controllerOf(opts control.Options) *control.Controller {
	opts.ReadOnly, opts.Guards.Rules, opts.Calendar = s.readOnly, s.guards, s.calendar
	opts.Migrations = map[string]*sources.Migration{}
	for key, r := range s.rules {
		if r.migration != nil {
			opts.Migrations[key] = r.migration
		}
	}
	for i := range s.readers {
		if r, ok := s.readers[i].src.(sources.RatioReader); ok && !s.readers[i].breakersOnly {
			opts.Ratios = append(opts.Ratios, r)
		}
		if r, ok := s.readers[i].src.(sources.GuardReader); ok && !s.readers[i].breakersOnly {
			opts.Guards.Readers = append(opts.Guards.Readers, r)
		}
	}
	now := opts.Now
	for i := range s.stores {
		st := &s.stores[i]
		opts.Stores = append(opts.Stores, control.Store{
			Name: st.name, Driver: st.src, ReadOnly: st.readOnly, Evaluators: st.verifiers(),
			Journal: journal.Open(st.journal, journal.Options{Now: now}),
		})
	}
	for i := range s.readers {
		if r := &s.readers[i]; r.switches || r.silences {
			opts.Stores = append(opts.Stores, control.Store{
				Name: r.name, Driver: r.src, ReadOnly: r.readOnly, Journal: journal.Open(r.journal, journal.Options{Now: now}),
			})
		}
	}
	s.tellOf(&opts)
	return control.New(opts)
}

// find is the one flag that word names: its key, or its source, a slash and its
// key. Several are a usage error that lists them, none is ErrNotFound.
func (s *setup) find(ctx context.Context, word string, now func() time.Time) (sources.Flag, error) {
	p := s.read(ctx, want{flags: true}, now)
	var hits []sources.Flag
	var keys, names []string
	for i := range p.flags {
		f := &p.flags[i]
		full := f.ID.Source + "/" + f.ID.Key
		if f.ID.Key == word || full == word {
			hits = append(hits, *f)
			names = append(names, quote(full))
		}
		keys = append(keys, f.Name)
	}
	switch {
	case len(hits) == 1:
		return hits[0], nil
	case len(hits) > 1:
		return sources.Flag{}, &usageError{msg: fmt.Sprintf("%s is in several stores: write one of %s", quote(word), strings.Join(names, ", "))}
	case len(p.errs) > 0:
		return sources.Flag{}, severalErrors(p.errs)
	}
	return sources.Flag{}, fmt.Errorf("no flag %s%s, nothing was changed: %w", quote(word), near(word, keys), sources.ErrNotFound)
}

// printReceipt says what became of a change, in one line or as JSON.
func (o *options) printReceipt(out io.Writer, r *sources.Receipt, in sources.Intent, err error) error {
	outcome := sources.Confirmed
	if err != nil {
		outcome = sources.Unconfirmed
	}
	if o.output == "json" {
		return writeJSON(out, map[string]any{"change": receiptShape(r, in, outcome, o.now())})
	}
	if o.followed && outcome == sources.Confirmed && !idle(r) {
		return nil
	}
	name := cmp.Or(r.New.Name, r.Old.Name, sources.Clean(in.Flag.Key, sources.MaxName))
	var line string
	switch {
	case outcome == sources.Confirmed && idle(r):
		line = "nothing to do: " + cmp.Or(r.Warning, name+" is at "+r.New.Brief())
	case outcome == sources.Confirmed && r.Kind == sources.Undo:
		line = fmt.Sprintf("%s %s → %s confirmed (change %s)", name, r.Old.Brief(), r.New.Brief(), r.Change)
	case outcome == sources.Confirmed:
		line = fmt.Sprintf("%s %s → %s confirmed (change %s; undo with: %s)",
			name, r.Old.Brief(), r.New.Brief(), r.Change, o.undoCommand(r.Change))
	case errors.Is(err, control.ErrPartly):
		line = fmt.Sprintf("%s %s → %s done in part (change %s; undo with: %s)", name, r.Old.Brief(), r.New.Brief(), r.Change, o.undoCommand(r.Change))
	default:
		line = fmt.Sprintf("%s %s → %s written, not confirmed (change %s)", name, r.Old.Brief(), r.New.Brief(), r.Change)
	}
	_, err = fmt.Fprintln(out, line)
	return err
}

// idle tells a receipt for which there was nothing to do.
func idle(r *sources.Receipt) bool { return r.Old.Revision == r.New.Revision }

// undoCommand is what to type to take a change back.
func (o *options) undoCommand(change string) string { return o.command("undo", change) }

// command is a verb as it is to be typed, with the options that led to this store.
func (o *options) command(words ...string) string {
	if o.opened == nil { // else it is typed after ssh and the server's name
		words = append([]string{"relctl-tui"}, words...)
	}
	for _, opt := range []struct{ name, value string }{{"--config", o.config}, {"--context", o.context}} {
		if opt.value != "" {
			words = append(words, opt.name, shellQuote(opt.value))
		}
	}
	for _, of := range []struct {
		name string
		dsns []string
	}{{"--flags", o.flags}, {"--metrics", o.metrics}, {"--breakers", o.breakers}} {
		for _, dsn := range of.dsns {
			words = append(words, of.name, shellQuote(dsn))
		}
	}
	return strings.Join(words, " ")
}

func shellQuote(s string) string {
	safe := func(r rune) bool {
		return r < 0x80 && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=+@%,", r))
	}
	if strings.IndexFunc(s, func(r rune) bool { return !safe(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(sources.Clean(s, 4096), "'", `'\''`) + "'"
}

// actorName is who acts, for the record.
func (o *options) actorName() string {
	name := cmp.Or(o.actor, os.Getenv("RELCTL_ACTOR"), os.Getenv("SUDO_USER"))
	if name == "" {
		if u, err := user.Current(); err == nil {
			name = u.Username
		}
	}
	return sources.Clean(cmp.Or(name, os.Getenv("USER"), "unknown"), 60)
}
