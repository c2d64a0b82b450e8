package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"relctl-tui/sources"
)

func newRampCmd(o *options) *cobra.Command {
	var flags rampFlags
	var tags []string
	cmd := changeCmd(o, &cobra.Command{
		Use:   "ramp FLAG... [PERCENT|next|back]",
		Short: "Set the percentage of flags, or take one step of their ladders",
		Long: "Set the percentage of flags, or take one step of their ladders: of those that are named and those with a tag\n" +
			"of --tag. Several flags are one group: each is held against its own guards and has its own change, and one undo\n" +
			"takes all of them back.",
		ValidArgsFunction: func(cmd *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
			more, how := o.completeMore(cmd, args, word)
			if len(args) > 0 {
				more = append([]cobra.Completion{"next", "back"}, more...)
			}
			return more, how
		},
	}, func(ctx context.Context, s *setup, args []string) (sources.Intent, error) {
		return o.rampOne(ctx, s, args, flags.override)
	})
	flags.add(cmd.Flags())
	cmd.Flags().StringArrayVar(&tags, "tag", nil, "all flags with this tag; several are any of them")
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 && len(tags) == 0 {
			return &usageError{msg: verbOf(cmd) + " takes one flag, several, or --tag, and at most one step at the end"}
		}
		return nil
	}
	one := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		alone := len(args) <= 2 && len(tags) == 0
		switch {
		case flags.override && (flags.guarded || strings.TrimSpace(o.reason) == ""):
			return &usageError{msg: "--override raises a flag once against its guards: it needs --reason, and never goes with --guarded"}
		case !flags.guarded && alone:
			return one(cmd, args)
		case !flags.guarded:
			return o.rampAll(cmd, args, tags, flags.override)
		case !alone:
			return &usageError{msg: "--guarded climbs with one flag at a time"}
		case len(args) > 1:
			return &usageError{msg: "with --guarded the goal is named with --to"}
		}
		s, err := o.open(cmd.ErrOrStderr())
		if err != nil {
			return err
		}
		if len(s.stores) == 0 {
			return s.canAnswer(want{flags: true})
		}
		return runGuarded(cmd, o, s, args[0], &flags)
	}
	return cmd
}

// rampOne is what a flag, and perhaps a step after it, mean.
func (o *options) rampOne(ctx context.Context, s *setup, args []string, override bool) (sources.Intent, error) {
	step, to, err := parseStep(args[1:])
	if err != nil {
		return sources.Intent{}, err
	}
	f, err := s.find(ctx, args[0], o.now)
	if err != nil {
		return sources.Intent{}, err
	}
	if step != sources.Set || f.Migration != nil {
		in, err := f.Intend(step)
		o.toProve, in.Override = step == sources.Ramp, override
		return in, refused(err)
	}
	if err := f.CanRamp(); err != nil {
		return sources.Intent{}, refused(err)
	}
	return sources.Intent{Kind: step, Flag: f.ID, Seen: f.Revision, SeenAs: f.Brief(), To: to, Override: override}, nil
}

// rampAll takes one step with several flags. The last word is the step, but where flags
// are known by their tag it may be left out.
func (o *options) rampAll(cmd *cobra.Command, args, tags []string, override bool) error {
	names, word := args, []string(nil)
	if n := len(args); n > 0 {
		if _, _, err := parseStep(args[n-1:]); err == nil || len(tags) == 0 {
			names, word = args[:n-1], args[n-1:]
		}
	}
	step, to, err := parseStep(word)
	if err != nil {
		return err
	}
	return o.runGroup(cmd, func(ctx context.Context, s *setup) (group, error) {
		flags, err := s.several(ctx, names, tags, o.now)
		return stepAll(flags, step, to, override), err
	})
}

// parseStep reads "next", "back" or a percentage; nothing means next.
func parseStep(args []string) (sources.ChangeKind, sources.Percent, error) {
	switch word := firstOr(args, "next"); word {
	case "next":
		return sources.Ramp, 0, nil
	case "back":
		return sources.Back, 0, nil
	default:
		to, err := sources.ParsePercent(word)
		if err != nil {
			return "", 0, &usageError{msg: trimInvalid(err) + " (or next, or back)"}
		}
		return sources.Set, to, nil
	}
}

// refused marks a rule's answer, so that "already at the top" is told apart from
// a typing error.
func refused(err error) error {
	if errors.Is(err, sources.ErrInvalid) {
		return fmt.Errorf("%s, nothing was changed: %w", trimInvalid(err), errRefused)
	}
	return err
}
