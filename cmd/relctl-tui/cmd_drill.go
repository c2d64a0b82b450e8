package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/views"
)

const drillLong = `Kill a flag, see the kill in force where the flag is evaluated, bring the flag back, see
that in force too, and say how long each took. It is how a team finds out before the incident
whether a kill works within its budget ("effective_within" in the config, 60s by default).

The flag must be marked in the config (rules: FLAG: {drill: true}), and the store must name
who evaluates it (verify). The flag is brought back whatever happens, also on ctrl-c.
Exit code 0 only when both were in force in time; 3 when the flag is not marked.`

func newDrillCmd(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:               "drill FLAG",
		Short:             "Kill a flag marked for it, prove the effect, bring it back",
		Long:              drillLong,
		ValidArgsFunction: o.completeFlags,
		Args:              argCount(1, 1, "one flag"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := o.open(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			if len(s.stores) == 0 {
				return s.canAnswer(want{flags: true})
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), changeTimeout)
			defer cancel()
			f, err := s.find(ctx, args[0], o.now)
			if err != nil {
				return notDone(cmd, args, err)
			}
			d := drill{o: o, ctl: s.controller(o.now), flag: f, within: s.effective(), out: cmd.OutOrStdout()}
			if err := d.allowed(s); err != nil {
				return err
			}
			return d.run(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&o.reason, "reason", "", "why, for the record (default drill)")
	addOutput(cmd, o)
	return cmd
}

// drill is one flag killed and brought back.
type drill struct {
	o      *options
	ctl    *control.Controller
	flag   sources.Flag
	within time.Duration
	out    io.Writer
	legs   []drillLeg
}

// drillLeg is one of a drill's two changes, as JSON has it. Times are seconds from
// the moment at which it was asked for; null is never.
type drillLeg struct {
	Change    string        `json:"change"`
	Kind      string        `json:"kind"`
	Accepted  sources.Value `json:"accepted_s"`
	Effective sources.Value `json:"effective_s"`
	InTime    bool          `json:"in_time"`
	Error     string        `json:"error"`
}

// allowed says what keeps a flag from being drilled; nothing has been changed then.
func (d *drill) allowed(s *setup) error {
	switch f := &d.flag; {
	case !s.rules[f.ID.Key].drill:
		return fmt.Errorf("%s is not marked for drills, nothing was changed: write rules: {%s: {drill: true}} in the config: %w",
			f.Name, quote(f.ID.Key), errRefused)
	case f.Migration != nil:
		return fmt.Errorf("%s is a migration: what was missed after a kill is not brought back by an undo, so it is no drill; nothing was changed: %w", f.Name, errRefused)
	case f.Killed || f.State == sources.FlagOff:
		return fmt.Errorf("%s is %s, so a kill would prove nothing; nothing was changed: %w", f.Name, f.Brief(), errRefused)
	case !d.ctl.CanVerify(f.ID.Source):
		return &usageError{msg: fmt.Sprintf("nobody is named who evaluates flags of %s, so a drill would prove nothing: add verify: to the store in the config", f.ID.Source)}
	}
	for i := range s.stores {
		if st := &s.stores[i]; st.name == d.flag.ID.Source && st.unproven != "" {
			return &usageError{msg: fmt.Sprintf("not all who evaluate flags of %s can be asked, so a drill would prove nothing; nothing was changed: %s", st.name, st.unproven)}
		}
	}
	return nil
}

// run drills. Once the flag is killed it is brought back, whoever asks to stop.
func (d *drill) run(ctx context.Context) error {
	killed, err := d.leg(ctx, sources.Intent{Kind: sources.Kill, Flag: d.flag.ID})
	if killed == "" {
		return err
	}
	_, back := d.leg(context.WithoutCancel(ctx), sources.Intent{Kind: sources.Undo, Change: killed})
	if back != nil {
		back = fmt.Errorf("bringing %s back: %w", d.flag.Name, back)
	}
	if d.o.output == "json" {
		err = errors.Join(err, writeJSON(d.out, map[string]any{"drill": map[string]any{
			"source": d.flag.ID.Source, "key": d.flag.ID.Key, "budget_s": d.within.Seconds(), "changes": d.legs,
		}}))
	} else if err == nil && back == nil {
		_, err = fmt.Fprintf(d.out, "the drill of %s was in time: both ways within %s\n", d.flag.Name, d.within)
	}
	return errors.Join(err, back)
}

// leg makes one change and waits for its effect; its ID is "" when nothing changed.
func (d *drill) leg(ctx context.Context, in sources.Intent) (id string, err error) {
	in.Actor, in.Reason = d.o.actorName(), sources.Clean(cmp.Or(d.o.reason, "drill"), 500)
	do, cancel := context.WithTimeout(ctx, changeTimeout)
	defer cancel()
	began := d.o.now()
	r, err := d.ctl.Do(do, in)
	if err != nil && !errors.Is(err, control.ErrUnconfirmed) {
		return "", err
	}
	leg := drillLeg{Change: r.Change, Kind: string(in.Kind), Accepted: since(began, r.Accepted)}
	if err == nil {
		r, err = d.ctl.Effect(ctx, r, d.within)
	}
	leg.Effective, leg.InTime = since(began, r.Effective), err == nil
	if err != nil {
		leg.Error = sources.Sentence(err)
	} else if d.o.output != "json" {
		_, err = fmt.Fprintf(d.out, "%s %s → %s: accepted %s · effective %s (change %s)\n", r.New.Name, r.Old.Brief(), r.New.Brief(),
			views.Took(began, r.Accepted), views.Took(began, r.Effective), r.Change)
	}
	d.legs = append(d.legs, leg)
	return r.Change, err
}

func since(from, to time.Time) sources.Value {
	if to.IsZero() {
		return sources.Value{}
	}
	return sources.Some(to.Sub(from).Seconds())
}
