package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/sources/live"
)

const serveRunnerLong = `Make what is scheduled happen, without a screen, for as long as it runs.

Any number of runners and boards may run the same stores: each schedule is claimed by one
of them, which makes its change, held against guards and freezes. What nobody ran in time
is reported as missed. A line for each schedule that comes, begins and ends; SIGINT and
SIGTERM let a write that is under way finish.`

func newServeRunnerCmd(o *options) *cobra.Command {
	every := 2 * time.Second
	cmd := &cobra.Command{
		Use:   "runner",
		Short: "Run what is scheduled",
		Long:  serveRunnerLong,
		Args:  argCount(0, 0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if every < 100*time.Millisecond || every > time.Minute {
				return &usageError{msg: "--every wants a time from 100ms to 1m"}
			}
			s, err := o.open(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			if err := s.canSchedule(); err != nil {
				return err
			}
			if s.readOnly {
				return fmt.Errorf("read-only, so nothing scheduled could be done here: %w", sources.ErrReadOnly)
			}
			return s.runSchedules(cmd.Context(), o, every, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().DurationVar(&every, "every", every, "how often to look")
	return cmd
}

// runSchedules runs an engine, which guards look at, and the schedules on it.
func (s *setup) runSchedules(ctx context.Context, o *options, every time.Duration, out, errOut io.Writer) error {
	var engine *live.Engine
	ctl := s.controllerOn(o, func() *live.Engine { return engine })
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
	readOnce(ctx, engine) // so that the first guards have something to look at
	if _, err := fmt.Fprintf(out, "running what is scheduled as %s\n", owner(o.actorName())); err != nil {
		return err
	}
	said := &scheduleLog{out: out, errOut: errOut, now: o.now, states: map[string]string{}, errs: map[string]string{}}
	ctl.RunSchedules(ctx, control.RunnerOptions{
		Owner: owner(o.actorName()), Every: every, Ramp: s.rampHow, Tell: func(source string, all []sources.Schedule, err error) {
			engine.ObserveSchedules(source, all, err)
			said.tell(source, all, err)
		},
	})
	return nil
}

// rampHow is how a flag's guarded ramp climbs.
func (s *setup) rampHow(key string) (time.Duration, sources.OnBreach) {
	r := s.rampOf(key)
	return r.hold, r.onBreach
}

// lastWrite is how long a board that ends waits for a scheduled write that is under way.
const lastWrite = 16 * time.Second

// runBeside runs what is scheduled beside a board until ctx ends, or follows it where the
// board may not change anything. wait lets what is under way then finish.
func (s *setup) runBeside(ctx context.Context, o *options, ctl *control.Controller, engine *live.Engine) (wait func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		ctl.RunSchedules(ctx, control.RunnerOptions{
			Owner: owner(o.actorName()), Watch: s.readOnly, Ramp: s.rampHow, Tell: engine.ObserveSchedules,
		})
	}()
	return func() {
		select {
		case <-done:
		case <-time.After(lastWrite):
		}
	}
}

// scheduleLog says once what becomes of each schedule.
type scheduleLog struct {
	out, errOut io.Writer
	now         func() time.Time

	mu     sync.Mutex
	begun  map[string]bool // stores that were told of before
	states map[string]string
	errs   map[string]string
}

func (l *scheduleLog) tell(source string, all []sources.Schedule, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := sources.Sentence(err)
	if text != l.errs[source] {
		l.errs[source] = text
		if text != "" {
			say(l.errOut, text)
		}
	}
	if err != nil {
		return
	}
	first := !l.begun[source]
	if l.begun == nil {
		l.begun = map[string]bool{}
	}
	l.begun[source] = true
	for i := range all {
		s := &all[i]
		now := strings.TrimSuffix(string(s.State)+": "+s.Why, ": ")
		was, known := l.states[s.ID]
		l.states[s.ID] = now
		if was == now || !known && first && s.State.Ended() {
			continue
		}
		_, _ = fmt.Fprintf(l.out, "%s %s %s at %s %s (schedule %s by %s)\n", l.now().Format(time.DateTime),
			sources.Clean(s.Flag.Key, sources.MaxName), s.What(), whenText(s, s.At), sources.Clean(now, 500), sources.Clean(s.ID, 64), sources.Clean(s.Actor, sources.MaxName))
	}
}

// envZone and etcZone are where a machine's time zone has its name.
func envZone() string { return strings.TrimPrefix(os.Getenv("TZ"), ":") }

func etcZone() string {
	path, err := filepath.EvalSymlinks("/etc/localtime")
	if err != nil {
		return ""
	}
	_, name, _ := strings.Cut(path, "zoneinfo/")
	return name
}
