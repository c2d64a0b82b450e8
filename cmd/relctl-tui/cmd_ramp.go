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
	cmd := changeCmd(o, &cobra.Command{
		Use:   "ramp FLAG [PERCENT|next|back]",
		Short: "Set a flag's percentage, or take one step of its ladder",
		Args:  argCount(1, 2, "a flag and at most one step"),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) == 1 {
				return []cobra.Completion{"next", "back"}, cobra.ShellCompDirectiveNoFileComp
			}
			return o.completeFlags(cmd, args, word)
		},
	}, func(ctx context.Context, s *setup, args []string) (sources.Intent, error) {
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
			o.toProve, in.Override = step == sources.Ramp, flags.override
			return in, refused(err)
		}
		if err := f.CanRamp(); err != nil {
			return sources.Intent{}, refused(err)
		}
		return sources.Intent{Kind: step, Flag: f.ID, Seen: f.Revision, SeenAs: f.Brief(), To: to, Override: flags.override}, nil
	})
	flags.add(cmd.Flags())
	one := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case flags.override && (flags.guarded || strings.TrimSpace(o.reason) == ""):
			return &usageError{msg: "--override raises a flag once against its guards: it needs --reason, and never goes with --guarded"}
		case !flags.guarded:
			return one(cmd, args)
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
