package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"relctl-tui/sources"
	"relctl-tui/views"
)

func newFlagsCmd(o *options) *cobra.Command {
	cmd := readCmd(o, "flags", "List the flags: state, rollout, observed exposure",
		want{flags: true, exposures: true}, func(p *reading, out io.Writer) error {
			if o.output == "json" {
				return writeJSON(out, map[string]any{"flags": flagShapes(p, p.flags)})
			}
			return flagTable(out, p, p.flags, o.now())
		})
	cmd.AddCommand(newExportCmd(o), newImportCmd(o))
	return cmd
}

func newBreakersCmd(o *options) *cobra.Command {
	cmd := readCmd(o, "breakers", "List the circuit breakers, worst first",
		want{breakers: true}, func(p *reading, out io.Writer) error {
			if o.output == "json" {
				return writeJSON(out, map[string]any{"breakers": breakerShapes(p.breakers)})
			}
			return breakerTable(out, p.breakers)
		})
	cmd.AddCommand(newOpenCmd(o), newCloseCmd(o))
	return cmd
}

func newLatencyCmd(o *options) *cobra.Command {
	cmd := readCmd(o, "latency", "List latencies against their SLOs, worst first",
		want{latencies: true}, func(p *reading, out io.Writer) error {
			if o.output == "json" {
				return writeJSON(out, map[string]any{"latencies": latencyShapes(p.latencies)})
			}
			return latencyTable(out, p.latencies)
		})
	addPath(cmd, o)
	return cmd
}

func readCmd(o *options, use, short string, w want, show func(*reading, io.Writer) error) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Args: argCount(0, 0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := o.open(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			if err := s.canAnswer(w); err != nil {
				return err
			}
			p := s.read(cmd.Context(), w, o.now)
			return p.report(cmd.OutOrStdout(), cmd.ErrOrStderr(), w, show)
		},
	}
	addOutput(cmd, o)
	return cmd
}

// canAnswer refuses a question that no source of this context is there for.
func (s *setup) canAnswer(w want) error {
	switch {
	case w.flags && len(s.stores) == 0:
		return &usageError{msg: "no flag store is configured: name one with --flags flagd:PATH"}
	case !w.flags && len(s.readers) == 0:
		return &usageError{msg: "no metrics are configured: name a source with --metrics http://PROMETHEUS or scrape+http://HOST/metrics"}
	default:
		return nil
	}
}

// report prints what was read and, to errOut, a sentence for each source that
// failed. It fails only when what was asked for could not be had from any source.
func (p *reading) report(out, errOut io.Writer, w want, show func(*reading, io.Writer) error) error {
	asked, failed := 0, 0
	for _, s := range p.sources {
		if s.Flags == w.flags || (w.flags && w.breakers) {
			asked++
			if s.Err != "" {
				failed++
			}
		}
	}
	if asked > 0 && failed == asked {
		return severalErrors(p.errs)
	}
	if len(p.errs) > 0 {
		say(errOut, errorSentences(severalErrors(p.errs))...)
	}
	for _, s := range p.sources {
		for _, warning := range s.Warnings {
			say(errOut, s.Name+": "+warning)
		}
	}
	return show(p, out)
}

func flagShapes(p *reading, flags []sources.Flag) []flagJSON {
	out := make([]flagJSON, len(flags))
	for i := range flags {
		out[i] = flagShape(&flags[i], p.exposure(&flags[i]))
	}
	return out
}

func breakerShapes(list []sources.Breaker) []breakerJSON {
	out := make([]breakerJSON, len(list))
	for i := range list {
		out[i] = breakerShape(&list[i])
	}
	return out
}

func latencyShapes(list []sources.Latency) []latencyJSON {
	out := make([]latencyJSON, len(list))
	for i := range list {
		out[i] = latencyShape(&list[i])
	}
	return out
}

func flagTable(out io.Writer, p *reading, flags []sources.Flag, now time.Time) error {
	if len(flags) == 0 {
		_, err := fmt.Fprintln(out, "no flags")
		return err
	}
	several := severalSources(flags, func(f sources.Flag) string { return f.ID.Source })
	cols := []column{
		{title: "SOURCE"},
		{title: "FLAG"},
		{title: "STATE"},
		{title: "ROLLOUT", right: true},
		{title: "EXPOSURE", right: true},
		{title: "CHANGED", right: true},
		{title: "BY"},
		{title: "NOTE"},
	}
	var rows [][]string
	for i := range flags {
		f := &flags[i]
		rollout, note := "-", f.Note
		if f.Rollout.OK {
			rollout = f.Rollout.V.String() + "%"
		}
		state := f.State.String()
		switch stage := views.StageText(f); {
		case stage != "": // as the board has it
			at, _ := f.Migration.Position(f)
			state, rollout, note = f.Migration.Stages[at.High], stage, "" // why it is no percentage
		case f.Killed:
			state = "killed"
			if f.Stored.OK && note == "" {
				note = f.Stored.V.String() + "% is kept behind the kill"
			}
		}
		rows = append(rows, []string{
			only(several, f.ID.Source), f.Name, state, rollout,
			blankDash(views.Share(p.exposure(f))), blankDash(views.AgeOf(f.ChangedAt, now, true)), f.ChangedBy, note,
		})
	}
	return writeTable(out, cols, rows)
}

func breakerTable(out io.Writer, list []sources.Breaker) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(out, "no breakers")
		return err
	}
	several := severalSources(list, func(b sources.Breaker) string { return b.Source })
	cols := []column{
		{title: "SOURCE"},
		{title: "BREAKER"},
		{title: "STATE"},
		{title: "OPEN", right: true},
		{title: "ERRORS", right: true},
		{title: "RATE", right: true},
		{title: "NOTE"},
	}
	var rows [][]string
	for i := range list {
		b := &list[i]
		state, open := b.State.String(), ""
		if b.Inferred {
			state += " (inferred)"
		}
		if b.Instances > 1 {
			open = strconv.Itoa(b.OpenInstances) + "/" + strconv.Itoa(b.Instances)
		}
		rows = append(rows, []string{
			only(several, b.Source), b.Name, state, open,
			views.Ratio(b.ErrorRatio), views.Rate(b.Rate), b.Note,
		})
	}
	return writeTable(out, cols, rows)
}

func latencyTable(out io.Writer, list []sources.Latency) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(out, "no latencies")
		return err
	}
	several := severalSources(list, func(l sources.Latency) string { return l.Source })
	cols := []column{
		{title: "SOURCE"},
		{title: "LATENCY"},
		{title: "P50", right: true},
		{title: "P95", right: true},
		{title: "P99", right: true},
		{title: "SLO", right: true},
		{title: "VERDICT"},
		{title: "RATE", right: true},
		{title: "ERRORS", right: true},
		{title: "CALLS"},
		{title: "NOTE"},
	}
	var rows [][]string
	for i := range list {
		l := &list[i]
		slo, verdict := "", l.Verdict.String()
		if l.Verdict == sources.VerdictNone {
			verdict = ""
		}
		if l.SLO > 0 {
			slo = l.SLO.String()
		}
		rows = append(rows, []string{
			only(several, l.Source), l.Name, views.ShortSeconds(l.P50), views.ShortSeconds(l.P95), views.ShortSeconds(l.P99), slo,
			verdict, views.Rate(l.Rate), views.Ratio(l.ErrorRatio),
			strings.Join(l.Calls, ", "), l.Note,
		})
	}
	return writeTable(out, cols, rows)
}

func severalSources[T any](list []T, source func(T) string) bool {
	for i := range list {
		if source(list[i]) != source(list[0]) {
			return true
		}
	}
	return false
}

func only(show bool, s string) string {
	if show {
		return s
	}
	return ""
}

func blankDash(s string) string {
	if s == views.Absent {
		return ""
	}
	return s
}
