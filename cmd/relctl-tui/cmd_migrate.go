package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
)

// newMigrateCmd is everything that is done to a migration; ramp FLAG next|back does
// the same as its next and back.
func newMigrateCmd(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Walk a dual-write migration stage by stage, with proof",
		Long: `Walk a dual-write migration stage by stage, with proof. A flag is a migration when the config says so
(rules: FLAG: migration). A step forward needs the mismatch to have stayed under its limit for the whole
verify window; the point of no return needs the flag's name typed out as --confirm. A step back never waits.`,
		Args: noStep,
		RunE: func(cmd *cobra.Command, args []string) error { return noStep(cmd, args) },
	}
	step := func(use, short string, kind sources.ChangeKind) *cobra.Command {
		c := changeCmd(o, &cobra.Command{
			Use: use + " FLAG", Short: short, ValidArgsFunction: o.completeFlags, Args: argCount(1, 1, "one flag"),
		}, func(ctx context.Context, s *setup, args []string) (sources.Intent, error) {
			f, err := s.find(ctx, args[0], o.now)
			if err != nil {
				return sources.Intent{}, err
			}
			if f.Migration == nil {
				return sources.Intent{}, fmt.Errorf("%s is no migration: the config makes it one under rules, nothing was changed: %w", f.Name, errRefused)
			}
			in, err := f.Intend(kind)
			o.toProve = kind == sources.Ramp
			return in, refused(err)
		})
		return c
	}
	next := step("next", "One stage forward", sources.Ramp)
	next.Flags().DurationVar(&o.proofWait, "wait", 0, "watch the comparisons for up to this long, until they prove enough")
	cmd.AddCommand(newMigrateStatusCmd(o), next, step("back", "One stage back", sources.Back), newMigrateSignCmd(o))
	return cmd
}

// noStep refuses whatever is no step, with the step that was meant.
func noStep(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return &usageError{msg: "migrate takes a step and a flag: migrate status|next|back FLAG, or migrate sign FLAG ITEM"}
	}
	return &usageError{msg: fmt.Sprintf("unknown step %s%s", quote(args[0]), didYouMean(args[0], "steps", []string{"status", "next", "back", "sign"}))}
}

func newMigrateStatusCmd(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use: "status FLAG", Short: "Stage, proof and checklist of a migration", ValidArgsFunction: o.completeFlags, Args: argCount(1, 1, "one flag"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), changeTimeout)
			defer cancel()
			s, ctl, f, err := o.migrating(ctx, cmd.ErrOrStderr(), args[0])
			if err != nil {
				return err
			}
			st, err := s.standing(ctx, ctl, f.ID)
			if err != nil {
				return err
			}
			if o.output == "json" {
				return writeJSON(cmd.OutOrStdout(), map[string]any{"migration": standingShape(&st)})
			}
			return printStanding(cmd.OutOrStdout(), &st)
		},
	}
	addOutput(cmd, o)
	return cmd
}

func newMigrateSignCmd(o *options) *cobra.Command {
	items := []string{sources.SignDeleteOld, sources.SignRefillOld}
	cmd := &cobra.Command{
		Use:   "sign FLAG " + strings.Join(items, "|"),
		Short: "Sign an item of the checklist: it was done, outside, by you",
		Args:  argCount(2, 2, "a flag and an item"),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) == 1 {
				return items, cobra.ShellCompDirectiveNoFileComp
			}
			return o.completeFlags(cmd, args, word)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), changeTimeout)
			defer cancel()
			_, ctl, f, err := o.migrating(ctx, cmd.ErrOrStderr(), args[0])
			if err != nil {
				return err
			}
			if err := ctl.Sign(ctx, f.ID, args[1], o.actorName(), sources.Clean(o.reason, 500)); err != nil {
				return refused(err)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %s signed by %s\n", f.Name, args[1], o.actorName())
			return err
		},
	}
	cmd.Flags().StringVar(&o.reason, "reason", "", "why, or how it was checked, for the record")
	return cmd
}

// migrating opens what a verb about one migration needs.
func (o *options) migrating(ctx context.Context, errOut io.Writer, word string) (*setup, *control.Controller, sources.Flag, error) {
	s, err := o.open(errOut)
	if err != nil {
		return nil, nil, sources.Flag{}, err
	}
	if len(s.stores) == 0 {
		return nil, nil, sources.Flag{}, s.canAnswer(want{flags: true})
	}
	f, err := s.find(ctx, word, o.now)
	return s, s.controller(o.now), f, err
}

// standing is how a migration stands. Sources that have rates from their second read
// on are read twice.
func (s *setup) standing(ctx context.Context, ctl *control.Controller, id sources.FlagID) (sources.Standing, error) {
	st, err := ctl.Standing(ctx, id)
	for i := range s.readers {
		if w := s.readers[i].warmUp; err == nil && w > 0 && st.Proof.Verdict == sources.ProofUnknown {
			if err = wait(ctx, w); err == nil {
				st, err = ctl.Standing(ctx, id)
			}
			break
		}
	}
	for i := range s.stores {
		if s.stores[i].name == id.Source && err == nil {
			changedBy(&st.Flag, lastChanges(&s.stores[i]))
		}
	}
	return st, err
}

// proofPace is how often comparisons are looked at while a step waits for them.
const proofPace = time.Second

// watchProof looks at the comparisons of a migration until they prove enough, or the
// time that the operator gave is up. It decides nothing: control does.
func (o *options) watchProof(cmd *cobra.Command, ctl *control.Controller, s *setup, in sources.Intent) error {
	if in.Kind != sources.Move || !o.toProve { // back never waits for anything
		return nil
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), max(o.proofWait, changeTimeout))
	defer cancel()
	first, err := s.standing(ctx, ctl, in.Flag) // for readers that need two looks
	if err != nil {
		return err
	}
	if at, err := first.Flag.Migration.Position(&first.Flag); err != nil || !first.Flag.Migration.Proves(at) {
		return nil
	}
	if ctl.Barred(&in, &first.Flag) != nil { // no proof thaws the calendar
		return nil
	}
	for until, told := o.now().Add(o.proofWait), ""; o.now().Before(until); {
		st, err := ctl.Standing(ctx, in.Flag)
		if err != nil {
			return err
		}
		if st.Proof.Verdict == sources.ProofPass {
			return nil
		}
		if word := st.Proof.Verdict.String(); word != told {
			say(cmd.ErrOrStderr(), "waiting: "+st.Proof.Sentence())
			told = word
		}
		if err := wait(ctx, proofPace); err != nil {
			if errors.Is(err, context.DeadlineExceeded) {
				return nil
			}
			return err
		}
	}
	return nil
}

func printStanding(out io.Writer, st *sources.Standing) error {
	f, m := &st.Flag, st.Flag.Migration
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", f.Name, f.Brief())
	at, err := m.Position(f)
	if err != nil {
		fmt.Fprintf(&b, "stage     unknown: %s\n", sources.Sentence(err))
	}
	b.WriteString("stages    ")
	for i, name := range m.Stages {
		switch {
		case i == m.NoReturn:
			b.WriteString(" ║ ")
		case i > 0:
			b.WriteString(" → ")
		}
		if err == nil && i >= at.Low && i <= at.High {
			name = "[" + name + "]"
		}
		b.WriteString(name)
	}
	fmt.Fprintf(&b, "\nproof     %s: %s\n", st.Proof.Verdict, st.Proof.Sentence())
	if st.Past.Gap {
		b.WriteString("gap       the old side misses writes; refill it, then: relctl-tui migrate sign " + shellQuote(f.Name) + " " + sources.SignRefillOld + "\n")
	}
	for _, s := range st.Signed {
		fmt.Fprintf(&b, "signed    %s by %s at %s %s\n", s.Item, s.By, s.At.Format(time.RFC3339), s.Reason)
	}
	if st.SignedOff(sources.SignDeleteOld) == nil {
		b.WriteString("open      delete-old: when it is done, relctl-tui migrate sign " + shellQuote(f.Name) + " " + sources.SignDeleteOld + "\n")
	}
	_, werr := io.WriteString(out, b.String())
	return werr
}

type standingJSON struct {
	Flag       flagJSON      `json:"flag"`
	NoReturn   string        `json:"no_return"`
	Verdict    string        `json:"verdict"`
	Mismatch   sources.Value `json:"mismatch"`
	Limit      float64       `json:"limit"`
	Window     float64       `json:"window_s"`
	Held       float64       `json:"held_s"`
	Left       float64       `json:"left_s"`
	Count      sources.Value `json:"comparisons"`
	MeasuredAt *string       `json:"measured_at"`
	Sentence   string        `json:"sentence"`
	Gap        bool          `json:"gap"`
	Signed     []signedJSON  `json:"signed"`
}

type signedJSON struct {
	Item   string  `json:"item"`
	By     string  `json:"by"`
	At     *string `json:"at"`
	Reason string  `json:"reason"`
}

func standingShape(st *sources.Standing) standingJSON {
	p := &st.Proof
	out := standingJSON{
		Flag: flagShape(&st.Flag, sources.Value{}), NoReturn: st.Flag.Migration.Stages[st.Flag.Migration.NoReturn],
		Verdict: p.Verdict.String(), Mismatch: p.Ratio, Limit: p.Limit, Window: p.Window.Seconds(), Held: p.Held.Seconds(), Left: p.Left().Seconds(),
		Count: p.Count, MeasuredAt: stamp(p.At), Sentence: p.Sentence(), Gap: st.Past.Gap, Signed: []signedJSON{},
	}
	for _, s := range st.Signed {
		out.Signed = append(out.Signed, signedJSON{Item: s.Item, By: s.By, At: stamp(s.At), Reason: s.Reason})
	}
	return out
}
