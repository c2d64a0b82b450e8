package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"relctl-tui/sources"
)

const scheduleLong = `Keep one change for later, beside the flags, where every board of the store sees it:

relctl-tui schedule checkout-v2 25 --at "Fri 10:00" --zone Europe/Berlin
relctl-tui schedule checkout-v2 kill --at "2026-12-04 18:00"
relctl-tui schedule orders-db shadow --at 10:00

It is run by whoever is there then: an open board that may change flags, or
relctl-tui serve runner. Exactly one of them makes the change, as the one who scheduled
it, held against guards and freezes as if a key had been pressed. What nobody runs within
--expires is missed and reported, never made up for.`

// scheduleFlags are the options of schedule.
type scheduleFlags struct {
	at, zone string
	expires  time.Duration
	guarded  bool
}

func newScheduleCmd(o *options) *cobra.Command {
	var flags scheduleFlags
	cmd := &cobra.Command{
		Use:   "schedule FLAG PERCENT|STAGE|kill --at WHEN",
		Short: "Keep a change for later",
		Long:  scheduleLong,
		Args:  argCount(2, 2, "a flag and what becomes of it"),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) == 1 {
				return []cobra.Completion{"kill"}, cobra.ShellCompDirectiveNoFileComp
			}
			return o.completeFlags(cmd, args, word)
		},
		RunE: func(cmd *cobra.Command, args []string) error { return o.runSchedule(cmd, args, &flags) },
	}
	f := cmd.Flags()
	f.StringVar(&flags.at, "at", "", `when: "2026-12-04 10:00", "Fri 10:00", 10:00 or 2026-12-04T10:00:00+01:00`)
	f.StringVar(&flags.zone, "zone", "", "whose clocks are meant, such as Europe/Berlin (default: this machine's)")
	f.DurationVar(&flags.expires, "expires", sources.DefaultExpiry, "how late it may be run")
	f.BoolVar(&flags.guarded, "guarded", false, "begin a guarded ramp to the percentage then")
	f.StringVar(&o.reason, "reason", "", "why, for the record")
	addOutput(cmd, o)
	return cmd
}

// machineZone is this machine's time zone by a name that others know, where it has one.
func machineZone(now time.Time) *time.Location {
	for _, name := range []string{envZone(), etcZone()} {
		if loc, ok := loadZone(name); ok {
			return loc
		}
	}
	name, offset := now.Local().Zone()
	return time.FixedZone(name, offset)
}

func (o *options) runSchedule(cmd *cobra.Command, args []string, flags *scheduleFlags) error {
	loc := machineZone(o.now())
	if flags.zone != "" {
		var ok bool
		if loc, ok = loadZone(flags.zone); !ok {
			return &usageError{msg: "--zone: unknown time zone " + quote(flags.zone) + ": write one such as Europe/Berlin, America/New_York or UTC"}
		}
	}
	if flags.at == "" {
		return &usageError{msg: `schedule needs --at, such as --at "Fri 10:00"`}
	}
	at, err := sources.ParseMoment(flags.at, loc, o.now())
	if err != nil {
		return &usageError{msg: "--at: " + trimInvalid(err)}
	}
	s, err := o.open(cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	if err := s.canChange(cmd); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), changeTimeout)
	defer cancel()
	f, err := s.find(ctx, args[0], o.now)
	if err != nil {
		return notDone(cmd, args, err)
	}
	sch := sources.Schedule{
		Flag: f.ID, Guarded: flags.guarded, At: at, Expires: at.Add(flags.expires), Zone: loc.String(),
		Actor: o.actorName(), Reason: o.reason,
	}
	f.Migration = s.rules[f.ID.Key].migration
	if err := scheduled(&sch, &f, args[1]); err != nil {
		return err
	}
	if err := sch.Check(o.now()); err != nil {
		return &usageError{msg: trimInvalid(err)}
	}
	kept, err := s.controller(o.now).Schedule(ctx, sch)
	if err != nil {
		return refused(err)
	}
	if o.output == "json" {
		return writeJSON(cmd.OutOrStdout(), map[string]any{"schedule": scheduleShape(&kept)})
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s %s at %s, in %s (schedule %s; cancel with: %s)\n", f.Name, kept.What(),
		whenText(&kept, kept.At), roughly(kept.At.Sub(o.now())), kept.ID, o.command("schedules", "cancel", kept.ID))
	return err
}

// scheduled reads what becomes of the flag: a percentage, a stage of a migration or kill.
func scheduled(sch *sources.Schedule, f *sources.Flag, word string) error {
	switch {
	case word == "kill":
		sch.Kind = sources.Kill
		return nil
	case f.Migration != nil:
		sch.Kind, sch.Stage = sources.Move, word
		return nil
	}
	to, err := sources.ParsePercent(word)
	if err != nil {
		return &usageError{msg: trimInvalid(err) + " (or kill)"}
	}
	sch.Kind, sch.To = sources.Set, to
	return nil
}

// whenText is a moment by the clocks that the schedule was written by.
func whenText(sch *sources.Schedule, t time.Time) string {
	if loc, ok := loadZone(sch.Zone); ok {
		t = t.In(loc)
	}
	return t.Format("Mon 2006-01-02 15:04 MST")
}

// roughly is a time to wait, in its two largest units.
func roughly(d time.Duration) string {
	switch {
	case d >= 24*time.Hour:
		return fmt.Sprintf("%dd%02dh", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	default:
		return d.Round(time.Second).String()
	}
}

func newSchedulesCmd(o *options) *cobra.Command {
	all := false
	cmd := &cobra.Command{
		Use:   "schedules",
		Short: "List what is scheduled, the next first",
		Args:  noVerb,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := o.open(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			if err := s.canSchedule(); err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), readTimeout)
			defer cancel()
			list, warnings := s.controller(o.now).Schedules(ctx)
			say(cmd.ErrOrStderr(), warnings...)
			err = o.printSchedules(cmd.OutOrStdout(), list, all)
			if err == nil && len(warnings) > 0 {
				err = fmt.Errorf("not every store could be asked: %w", sources.ErrUnavailable)
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "also those that ended within a week")
	addOutput(cmd, o)
	cancel := &cobra.Command{
		Use:   "cancel ID",
		Short: "Call off what waits",
		Args:  argCount(1, 1, "a schedule's ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := o.open(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			if err := s.canChange(cmd); err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), changeTimeout)
			defer cancel()
			sch, err := s.controller(o.now).CancelSchedule(ctx, args[0], o.actorName())
			if err != nil {
				return err
			}
			if o.output == "json" {
				return writeJSON(cmd.OutOrStdout(), map[string]any{"schedule": scheduleShape(&sch)})
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "cancelled: %s %s at %s\n", sources.Clean(sch.Flag.Key, sources.MaxName), sch.What(), whenText(&sch, sch.At))
			return err
		},
	}
	addOutput(cancel, o)
	cmd.AddCommand(cancel)
	return cmd
}

// canSchedule says why no store of the context keeps schedules, or nil.
func (s *setup) canSchedule() error {
	if len(s.stores) == 0 {
		return s.canAnswer(want{flags: true})
	}
	for i := range s.stores {
		if _, ok := s.stores[i].src.(sources.Scheduler); ok {
			return nil
		}
	}
	return fmt.Errorf("no store of this context has a place for schedules (flag files and etcd have): %w", sources.ErrUnsupported)
}

// scheduleJSON is one schedule for scripts.
type scheduleJSON struct {
	ID      string  `json:"id"`
	Source  string  `json:"source"`
	Key     string  `json:"key"`
	What    string  `json:"what"`
	Kind    string  `json:"kind"`
	To      *string `json:"to"`
	Guarded bool    `json:"guarded"`
	At      string  `json:"at"`
	Expires string  `json:"expires"`
	Zone    string  `json:"zone"`
	Actor   string  `json:"actor"`
	Reason  string  `json:"reason"`
	State   string  `json:"state"`
	Owner   string  `json:"owner"`
	Change  string  `json:"change"`
	Why     string  `json:"why"`
}

func scheduleShape(s *sources.Schedule) scheduleJSON {
	out := scheduleJSON{
		ID: sources.Clean(s.ID, 64), Source: s.Flag.Source, Key: s.Flag.Key, What: s.What(), Kind: sources.Clean(string(s.Kind), 20), Guarded: s.Guarded,
		At: s.At.UTC().Format(time.RFC3339), Expires: s.Expires.UTC().Format(time.RFC3339), Zone: sources.Clean(s.Zone, 60),
		Actor: sources.Clean(s.Actor, sources.MaxName), Reason: sources.Clean(s.Reason, 500),
		State: sources.Clean(string(s.State), 20), Owner: sources.Clean(s.Owner, sources.MaxName), Change: sources.Clean(s.Change, 64), Why: sources.Clean(s.Why, 500),
	}
	if to := s.To.String(); s.Kind == sources.Set {
		out.To = &to
	}
	return out
}

func (o *options) printSchedules(out io.Writer, list []sources.Schedule, all bool) error {
	shown := []scheduleJSON{}
	var rows [][]string
	for i := range list {
		s := &list[i]
		if s.State.Ended() && !all {
			continue
		}
		j := scheduleShape(s)
		shown = append(shown, j)
		in := ""
		if left := s.At.Sub(o.now()); left > 0 && !s.State.Ended() {
			in = roughly(left)
		}
		rows = append(rows, []string{
			whenText(s, s.At), in, sources.Clean(s.Flag.Key, sources.MaxName), j.What, j.Actor, j.State, j.ID, cmp.Or(j.Why, j.Reason),
		})
	}
	switch {
	case o.output == "json":
		return writeJSON(out, map[string]any{"schedules": shown})
	case len(rows) == 0:
		_, err := io.WriteString(out, "nothing is scheduled\n")
		return err
	}
	return writeTable(out, []column{
		{title: "AT"}, {title: "IN", right: true}, {title: "FLAG"}, {title: "TO"}, {title: "WHO"}, {title: "STATE"}, {title: "SCHEDULE"}, {title: "WHY"},
	}, rows)
}
