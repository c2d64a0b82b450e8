package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"relctl-tui/sources"
)

func newOpenCmd(o *options) *cobra.Command {
	return switchCmd(o, sources.ForceOpen, &cobra.Command{
		Use:   "open BREAKER",
		Short: "Force a breaker open on all its instances, at once",
	})
}

func newCloseCmd(o *options) *cobra.Command {
	return switchCmd(o, sources.CloseBreaker, &cobra.Command{
		Use:   "close BREAKER",
		Short: "Let a breaker go on all its instances, back to closed",
	})
}

func switchCmd(o *options, kind sources.ChangeKind, cmd *cobra.Command) *cobra.Command {
	cmd.Args = argCount(1, 1, "one breaker")
	cmd.ValidArgsFunction = o.completeBreakers
	cmd = changeCmd(o, cmd, func(ctx context.Context, s *setup, args []string) (sources.Intent, error) {
		b, err := s.findBreaker(ctx, args[0], o.now)
		if err != nil {
			return sources.Intent{}, err
		}
		return sources.Intent{
			Kind: kind, Flag: sources.FlagID{Source: b.Source, Key: b.Name},
			Seen: sources.Revision(b.State.String()), SeenAs: b.State.String(),
		}, nil
	})
	_ = cmd.Flags().MarkHidden("no-wait") // nobody evaluates a breaker but itself
	return cmd
}

// switches says whether the breakers of a source can be switched, if somebody may.
func (s *setup) switches(source string) bool {
	return slices.ContainsFunc(s.readers, func(r reader) bool { return r.name == source && r.switches })
}

func (s *setup) anySwitch() bool {
	return slices.ContainsFunc(s.readers, func(r reader) bool { return r.switches })
}

// canChange refuses a verb for which nothing in this context is there: undo takes back
// changes of flags and of breakers, open and close are of breakers, the rest of flags.
func (s *setup) canChange(cmd *cobra.Command) error {
	switch ofBreakers := cmd.Name() == "open" || cmd.Name() == "close"; {
	case ofBreakers && !s.anySwitch():
		return &usageError{msg: "no breakers that can be switched are configured: name them with --breakers actuator+http://HOST/actuator or haproxy:SOCKET"}
	case cmd.Name() == "silence" && !s.anySilencer():
		return &usageError{msg: "no alerts that can be silenced are configured: an Alertmanager under metrics with silences: true"}
	case cmd.Name() == "silence":
		return nil
	case ofBreakers, cmd.Name() == "undo" && (s.anySwitch() || s.anySilencer()), len(s.stores) > 0:
		return nil
	default:
		return s.canAnswer(want{flags: true})
	}
}

// findBreaker is the one breaker that word names: its name, or its source, a slash and
// its name. What can be switched is read first, and the rest only for a better sentence:
// whoever forces a breaker open waits for no metrics.
func (s *setup) findBreaker(ctx context.Context, word string, now func() time.Time) (sources.Breaker, error) {
	only := *s
	only.readers = slices.DeleteFunc(slices.Clone(s.readers), func(r reader) bool { return !r.switches })
	p := only.read(ctx, want{breakers: true}, now)
	if !slices.ContainsFunc(p.breakers, func(b sources.Breaker) bool { return named(&b, word) }) {
		p = s.read(ctx, want{breakers: true}, now)
	}
	var hits, measured []sources.Breaker
	var names, known []string
	for i := range p.breakers {
		b := &p.breakers[i]
		known = append(known, b.Name)
		switch {
		case !named(b, word):
		case s.switches(b.Source):
			hits, names = append(hits, *b), append(names, quote(b.Source+"/"+b.Name))
		default:
			measured = append(measured, *b)
		}
	}
	switch {
	case len(hits) == 1:
		return hits[0], nil
	case len(hits) > 1:
		return sources.Breaker{}, &usageError{msg: fmt.Sprintf("%s is in several sources: write one of %s", quote(word), strings.Join(names, ", "))}
	case len(measured) > 0:
		return sources.Breaker{}, fmt.Errorf("%s is known from %s, which measures and cannot switch, nothing was changed: %w",
			measured[0].Name, measured[0].Source, sources.ErrUnsupported)
	case len(p.errs) > 0:
		return sources.Breaker{}, severalErrors(p.errs)
	}
	return sources.Breaker{}, fmt.Errorf("no breaker %s%s, nothing was changed: %w", quote(word), near(word, known), sources.ErrNotFound)
}

func named(b *sources.Breaker, word string) bool {
	return b.Name == word || b.Source+"/"+b.Name == word
}
