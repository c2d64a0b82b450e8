package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/sources/live"
)

// rampFlags are the options of ramp about guards.
type rampFlags struct {
	guarded, override bool
	takeOver          bool
	to                string
	hold, tick        time.Duration
	onBreach          string
}

func (r *rampFlags) add(f *pflag.FlagSet) {
	f.BoolVar(&r.guarded, "guarded", false, "climb the ladder step by step under the flag's guards, until the end or a breach")
	f.StringVar(&r.to, "to", "100", "with --guarded: the percentage at which it has arrived")
	f.DurationVar(&r.hold, "hold", 0, "with --guarded: how long to stay at each step (default: the config's, else 5m)")
	f.DurationVar(&r.tick, "tick", 0, "with --guarded: how often to look (default: a fifth of --hold, at most 5s)")
	f.StringVar(&r.onBreach, "on-breach", "", "with --guarded: ask (stop there), back or kill (default: the config's)")
	f.BoolVar(&r.takeOver, "take-over", false, "with --guarded: stop whoever ramps the flag now, and go on from where it is")
	f.BoolVar(&r.override, "override", false, "raise the flag against its guards, or during a freeze that allows it; needs --reason and is on record")
}

// options are those of the ramp of a flag.
func (r *rampFlags) options(s *setup, f *sources.Flag, actor, reason string) (control.RampOptions, error) {
	to, err := sources.ParsePercent(r.to)
	if err != nil {
		return control.RampOptions{}, &usageError{msg: "--to: " + trimInvalid(err)}
	}
	rule := s.rampOf(f.ID.Key)
	out := control.RampOptions{
		Flag: f.ID, To: to, Hold: cmp.Or(r.hold, rule.hold), Tick: r.tick,
		OnBreach: cmp.Or(sources.OnBreach(r.onBreach), rule.onBreach), Actor: actor, Owner: owner(actor), Reason: reason,
	}
	switch out.OnBreach {
	case sources.AskOnBreach, sources.BackOnBreach, sources.KillOnBreach:
		return out, nil
	default:
		return out, &usageError{msg: fmt.Sprintf("--on-breach: unknown word %s: write ask, back or kill", quote(r.onBreach))}
	}
}

// owner is who runs a ramp, for other boards: the actor and where the process is.
func owner(actor string) string {
	host, err := os.Hostname()
	if err != nil {
		host = "an unknown host"
	}
	return fmt.Sprintf("%s on %s (process %d)", actor, sources.Clean(host, 60), os.Getpid())
}

// runGuarded ramps a flag under guard without a board, and says each step. The error
// says how it ended where that is not at its goal.
func runGuarded(cmd *cobra.Command, o *options, s *setup, key string, flags *rampFlags) error {
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	f, err := s.find(ctx, key, o.now)
	if err != nil {
		return notDone(cmd, []string{key}, err)
	}
	ro, err := flags.options(s, &f, o.actorName(), sources.Clean(o.reason, 500))
	if err != nil {
		return err
	}
	if flags.takeOver {
		if ro.Over, err = s.holder(ctx, o, f.ID); err != nil {
			return err
		}
	}
	_, err = s.climb(ctx, o, ro, cmd.OutOrStdout())
	return err
}

// holder is the lease of whoever ramps a flag now; "" for nobody.
func (s *setup) holder(ctx context.Context, o *options, id sources.FlagID) (string, error) {
	leases, err := s.controller(o.now).Leases(ctx, id.Source)
	if err != nil {
		return "", err
	}
	for i := range leases {
		if leases[i].Flag == id {
			return leases[i].Token, nil
		}
	}
	return "", nil
}

// climb runs the engine and a guarded ramp on it to its end.
func (s *setup) climb(ctx context.Context, o *options, ro control.RampOptions, out io.Writer) (sources.RampStatus, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	said := &steps{out: out, json: o.output == "json", now: o.now}
	var engine *live.Engine
	ctl := s.controllerOf(control.Options{
		Now: o.now, Observe: func(a sources.Activity) { engine.Observe(a) },
		ObserveRamp: func(r sources.RampStatus) {
			said.step(&r)
			if r.Phase == sources.RampAsking { // nobody is there to answer
				cancel()
			}
		},
		Guards: control.Guards{Snapshot: func(context.Context) (*sources.Snapshot, error) { return engine.Snapshot(), nil }},
	})
	engine = s.engine(o, ctl)
	stopped := make(chan struct{})
	engineCtx, end := context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer close(stopped)
		_ = engine.Run(engineCtx) // its only way to end is its context
	}()
	defer func() {
		end()
		<-stopped
	}()
	readOnce(ctx, engine)
	ramp, err := ctl.StartRamp(ctx, ro)
	switch {
	case errors.Is(err, sources.ErrConflict) && ro.Over == "":
		return sources.RampStatus{}, fmt.Errorf("%s; --take-over stops that ramp and goes on from where the flag is: %w", sources.Sentence(err), sources.ErrConflict)
	case err != nil:
		return sources.RampStatus{}, refused(err)
	}
	status := ramp.Run(ctx)
	return status, said.end(&status)
}

// readOnce waits until every source has answered, well or badly.
func readOnce(ctx context.Context, engine *live.Engine) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	for s := engine.Snapshot(); ; {
		waiting := false
		for i := range s.Sources {
			st := &s.Sources[i]
			for p := range st.Parts {
				part := &st.Parts[p]
				waiting = waiting || part.Has && st.Shown() && part.LastOK.IsZero() && part.Err == ""
			}
		}
		if !waiting && len(s.Sources) > 0 {
			return
		}
		next, err := engine.Next(ctx, s.Seq)
		if err != nil {
			return // what did not answer in time is unknown, and the guards say so
		}
		s = next
	}
}

// steps says what a guarded ramp does, a line for each thing that happens.
type steps struct {
	out   io.Writer
	json  bool
	now   func() time.Time
	last  string
	lines []map[string]any
	err   error
	asked bool
}

func (s *steps) step(r *sources.RampStatus) {
	key := fmt.Sprint(r.Phase, r.At, r.Verdict)
	if key == s.last || s.asked && r.Phase == sources.RampStopped {
		return
	}
	s.last, s.asked = key, r.Phase == sources.RampAsking
	if s.json {
		s.lines = append(s.lines, map[string]any{
			"at": s.now().UTC().Format(time.RFC3339Nano), "rollout": r.At, "phase": r.Phase, "verdict": r.Verdict.String(), "why": r.Why,
		})
		return
	}
	_, err := fmt.Fprintf(s.out, "%s %s %s%% %s\n", s.now().Format("15:04:05"), r.Name, r.At, stepWords(r, s.now()))
	s.err = cmp.Or(s.err, err)
}

// stepWords is a ramp's standing in words.
func stepWords(r *sources.RampStatus, now time.Time) string {
	text := string(r.Phase)
	if left := r.Due.Sub(now); r.Phase == sources.RampHolding && left > 0 {
		text += " for " + left.Round(100*time.Millisecond).String()
	}
	if r.Why != "" {
		text += ": " + r.Why
	}
	var guards []string
	for i := range r.Guards {
		g := &r.Guards[i]
		if !strings.Contains(r.Why, g.Text) {
			guards = append(guards, g.Verdict.String()+" "+g.Text)
		}
	}
	if len(guards) > 0 {
		text += " · " + strings.Join(guards, " · ")
	}
	return text
}

// end says how it ended: nil for arrived.
func (s *steps) end(r *sources.RampStatus) error {
	if s.json {
		guards := make([]map[string]any, len(r.Guards))
		for i := range r.Guards {
			g := &r.Guards[i]
			guards[i] = map[string]any{
				"name": g.Name, "verdict": g.Verdict.String(), "value": g.Value, "threshold": g.Limit, "samples": g.Count, "text": g.Text,
			}
		}
		phase := r.Phase
		if s.asked {
			phase = sources.RampAsking
		}
		s.err = cmp.Or(s.err, writeJSON(s.out, map[string]any{"ramp": map[string]any{
			"source": r.Flag.Source, "key": r.Flag.Key, "rollout": r.At, "phase": phase, "why": r.Why, "guards": guards, "steps": s.lines,
		}}))
	}
	at := fmt.Sprintf("%s is at %s%%", r.Name, r.At)
	switch {
	case r.Phase == sources.RampArrived:
		return s.err
	case s.asked:
		return fmt.Errorf("%s and stays there, its guards are breached: %s: %w", at, sources.Objections(r.Guards, sources.GuardBreach), control.ErrGuarded)
	case r.Phase == sources.RampBack, r.Phase == sources.RampKilled:
		return fmt.Errorf("%s, %s: %s: %w", at, r.Phase, r.Why, control.ErrGuarded)
	case r.Phase == sources.RampOvertaken, r.Phase == sources.RampLost:
		return fmt.Errorf("%s as far as this ramp knows: %s: %w", at, r.Why, sources.ErrConflict)
	case r.Phase == sources.RampFailed:
		return fmt.Errorf("%s was written or not: %s: %w", r.Name, r.Why, control.ErrUnconfirmed)
	default:
		return fmt.Errorf("%s and stays there: the ramp was stopped before its end", at)
	}
}
