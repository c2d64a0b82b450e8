package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/sources/live"
	"relctl-tui/ui"
)

// runBoard opens the board; where there is no screen to draw on it says so and
// prints the status instead.
func runBoard(cmd *cobra.Command, o *options) error {
	if !o.plain && !isTerminal(cmd.OutOrStdout()) {
		const why = "stdout is not a terminal"
		if o.record != "" {
			return &usageError{msg: "--record: " + why + ", and without the board there is nothing to record"}
		}
		say(cmd.ErrOrStderr(), why+", so this is the status instead of the board; --plain follows in lines of text")
		o.output = "table"
		return runStatus(cmd, o)
	}
	s, err := o.open(cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	t, err := o.openTape()
	if err != nil {
		return err
	}
	defer t.close(cmd.ErrOrStderr())
	for {
		next, err := showBoard(cmd.Context(), o, s, t, cmd.OutOrStdout(), cmd.ErrOrStderr())
		if err != nil || next == "" {
			return err
		}
		if s, err = o.another(s, next); err != nil {
			return err
		}
	}
}

// another opens another context than that of s. Where it cannot be opened the old one
// is, for a fault of staging is no reason to be blind in production.
func (o *options) another(s *setup, name string) (*setup, error) {
	old := s.context
	var warnings strings.Builder
	for _, o.context = range []string{name, old} {
		other, err := o.open(&warnings)
		if err == nil {
			other.banner = cmp.Or(sources.Clean(strings.TrimSpace(warnings.String()), 500), other.banner)
			return other, nil
		}
		if o.context == old {
			return nil, err
		}
		say(&warnings, fmt.Sprintf("context %s cannot be opened, this is %s again: %s", name, old, strings.Join(errorSentences(err), "; ")))
	}
	return nil, nil // not reached: the second of two ends it
}

// showBoard runs the engine and the board on it until the operator quits.
// next is the context that the operator asked for, "" for none.
func showBoard(ctx context.Context, o *options, s *setup, t *tape, out, errOut io.Writer) (next string, err error) {
	if o.seen == nil { // and once only, however many contexts are looked at
		if err := o.watchSelf(ctx); err != nil {
			return "", err
		}
	}
	reports := newCrashes(o.now)
	left := reports.leftBehind()
	defer reports.watch()()
	if why, lines := o.inLines(s, out); lines {
		if why != "" {
			say(errOut, why)
		}
		return "", showLines(ctx, o, s, t, out, errOut)
	}
	r := s.start(ctx, o)
	defer r.end()
	go giveBack(r.life, r.engine)
	defer t.follow(ctx, r.engine)()
	defer r.enter(o.actorName())()
	options := r.board(o, o.actorName())
	t.board(&options)
	if err := s.dress(o, &options, terminalOf(os.Environ(), tmuxPasses(ctx, os.Getenv, s.notify))); err != nil {
		return "", err
	}
	options.Environ, options.Banner = os.Environ(), cmp.Or(left, s.banner, s.unproven())
	options.Report = func(ctx context.Context, found *sources.Incident) (string, error) {
		return r.keepReport(ctx, o.now, found)
	}
	options.Saved = ownFilters()
	if !s.untold {
		options.FirstTime = firstTime
	}
	options.Output, options.Say, options.Crashed = out, func(sentence string) { say(errOut, sentence) }, reports.keep
	if term.IsTerminal(int(o.stdin.Fd())) { // else the board finds the terminal itself
		options.Input = o.stdin
	}
	return ui.Run(ctx, options)
}

// running is a context whose engine runs, with the one path by which its flags are
// changed.
type running struct {
	*setup
	engine  *live.Engine
	control *control.Controller
	here    *control.Roster
	life    context.Context //nolint:containedctx // of guarded ramps that outlive their board
	end     func()          // gives back what is ramped and ends the engine
}

// start runs the engine of a context until end, or until ctx is over.
func (s *setup) start(ctx context.Context, o *options) *running {
	ctx, cancel := context.WithCancel(ctx)
	var engine *live.Engine
	ctl := s.controllerOn(o, func() *live.Engine { return engine })
	engine = s.engine(o, ctl)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		_ = engine.Run(ctx) // its only way to end is ctx
	}()
	defer o.seen.follow(s.context, engine)
	go ctl.FollowLeases(ctx, leasesEvery, engine.ObserveLeases)
	life, endRamps := context.WithCancel(ctx)
	waitForSchedules := s.runBeside(life, o, ctl, engine)
	here, waitForGoodbye := s.attend(life, ctl, engine)
	return &running{setup: s, engine: engine, control: ctl, here: here, life: life, end: func() {
		endRamps()
		waitForSchedules()
		waitForGoodbye()
		stopRamps(ctl)
		s.closeOutlets()
		cancel()
		awaitEnd(func() { <-stopped }) // a store that does not let go of its reader keeps nobody from leaving
	}}
}

// awaitEnd waits for something, but not longer than the end of a board may take.
func awaitEnd(wait func()) {
	done := make(chan struct{})
	go func() { wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(lastReads):
	}
}

// board is what a board on a running context needs, but for its terminal.
func (r *running) board(o *options, actor string) ui.Options {
	return ui.Options{
		Ramp: r.rampHow, Zone: machineZone(o.now()),
		Owner: owner(actor), Actor: actor,
		Engine: r.engine, Control: r.control, Keys: r.keys, Mouse: r.mouse || o.mouse,
		Filters:  r.filters,
		ReadOnly: r.readOnly, Confirm: r.confirm, Effect: r.effectiveIn, Next: r.next, Contexts: r.contexts, Now: o.now,
		Painted: o.seen.painted(), Debug: o.self.debug,
	}
}

// leasesEvery is how soon a guarded ramp of another board is seen.
const leasesEvery = 2 * time.Second

// stopRamps gives the flags back that this board ramped; the board has ended.
func stopRamps(ctl *control.Controller) {
	ctx, cancel := context.WithTimeout(context.Background(), lastReads)
	defer cancel()
	ctl.StopRamps(ctx)
}

// controllerOn is a controller whose guards look at what an engine reads, and whose
// changes and ramps the engine shows.
func (s *setup) controllerOn(o *options, engine func() *live.Engine) *control.Controller {
	return s.controllerOf(control.Options{
		Now:         o.now,
		Observe:     func(a sources.Activity) { o.seen.acted(&a); engine().Observe(a) },
		ObserveRamp: func(r sources.RampStatus) { engine().ObserveRamp(r) },
		Guards:      control.Guards{Snapshot: func(context.Context) (*sources.Snapshot, error) { return engine().Snapshot(), nil }},
	})
}

// lastReads is how long the engine may take to end. What is written is waited for
// before that, by the board.
const lastReads = 2 * time.Second

func (s *setup) engine(o *options, ctl *control.Controller) *live.Engine {
	opts := live.Options{
		Context: s.context, Accent: s.accent, StaleAfter: s.staleAfter, UnknownAfter: s.unknownAfter, CoolDown: s.coolDown,
		Now: o.now, Ladder: s.ladder, Guards: s.guards, Calendar: s.calendar, Rules: make(map[string]live.FlagRule, len(s.rules)),
		History: func() []sources.Activity {
			acts, _ := ctl.History(0)
			return acts
		},
		Crashed: newCrashes(o.now).survivor(), // the loop goes on
		Asked:   o.seen.asked(s.context),
	}
	for key, r := range s.rules {
		opts.Rules[key] = live.FlagRule{Ladder: r.ladder, Metric: r.metric, Migration: r.migration}
	}
	for i := range s.stores {
		st := &s.stores[i]
		opts.Sources = append(opts.Sources, live.Source{
			Name: st.name, Kind: st.kind, Driver: st.src, Writable: !st.readOnly && !s.readOnly,
		})
	}
	for i := range s.readers {
		r := &s.readers[i]
		driver := r.src
		if r.breakersOnly && !r.switches {
			if b, ok := driver.(breakersInDepth); ok {
				driver = onlyBreakers{b}
			}
		}
		opts.Sources = append(opts.Sources, live.Source{
			Name: r.name, Kind: r.kind, Driver: driver, Every: r.every, Timeout: r.timeout, Group: r.group, Tier: r.tier,
			Writable: (r.switches && !r.readOnly || r.silences) && !s.readOnly,
		})
	}
	return live.New(opts)
}

// onlyBreakers hides what else a source could serve.
type onlyBreakers struct{ breakersInDepth }

type breakersInDepth interface {
	sources.BreakerLister
	sources.BreakerInspector
}
