package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"relctl-tui/sources"
	"relctl-tui/views/alerts"
	"relctl-tui/views/breakers"
)

func newStatusCmd(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say in one look what is unhealthy and what is under way",
		Args:  argCount(0, 0, "no argument"),
		RunE:  func(cmd *cobra.Command, _ []string) error { return runStatus(cmd, o) },
	}
	addOutput(cmd, o)
	return cmd
}

func runStatus(cmd *cobra.Command, o *options) error {
	s, err := o.open(cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	all := want{flags: true, breakers: true, latencies: true, exposures: true}
	p := s.readWithAlerts(cmd.Context(), all, o.now)
	p.here, p.hereKnown = s.whoIsHere(cmd.Context())
	return p.report(cmd.OutOrStdout(), cmd.ErrOrStderr(), all, func(p *reading, out io.Writer) error {
		if o.output == "json" {
			return statusJSON(out, s, p)
		}
		return statusText(out, s, p, o.now())
	})
}

// readWithAlerts reads what is wanted and the alerts. They are asked for beside the rest:
// a source that has both answers both, and is named once.
func (s *setup) readWithAlerts(ctx context.Context, w want, now func() time.Time) *reading {
	if s.shared != nil {
		w.alerts = true
		return s.read(ctx, w, now)
	}
	var told *reading
	var wg sync.WaitGroup
	wg.Go(func() { told = s.read(ctx, want{alerts: true}, now) })
	p := s.read(ctx, w, now)
	wg.Wait()
	p.alertSets, p.alerts = told.alertSets, told.alerts
	errs := told.errs // in the order of the sources that failed
	for _, src := range told.sources {
		var err error
		if src.Err != "" {
			err, errs = errs[0], errs[1:]
		}
		i := slices.IndexFunc(p.sources, func(known sources.SourceStatus) bool { return known.Name == src.Name })
		if i < 0 {
			p.sources = append(p.sources, src)
		} else {
			p.sources[i].Alerts = true
			if p.sources[i].Err != "" { // that it failed is said
				continue
			}
			p.sources[i].Warnings = append(p.sources[i].Warnings, src.Warnings...)
		}
		p.errs = appendErr(p.errs, err)
	}
	return p
}

// attention is the flags that are under way, killed or broken: those at a plain
// 0 % or 100 % say nothing in an incident. What changed last is suspected first.
func attention(flags []sources.Flag) []sources.Flag {
	var out []sources.Flag
	for i := range flags {
		f := &flags[i]
		plain := f.Rollout.OK && (f.Rollout.V == 0 || f.Rollout.V == sources.Full) && !f.Killed
		if !plain {
			out = append(out, *f)
		}
	}
	slices.SortStableFunc(out, func(a, b sources.Flag) int { return b.ChangedAt.Compare(a.ChangedAt) })
	return out
}

func notClosed(list []sources.Breaker) []sources.Breaker {
	var out []sources.Breaker
	for i := range list {
		if list[i].State != sources.BreakerClosed {
			out = append(out, list[i])
		}
	}
	return out
}

// loud is the alerts that somebody is told of, or soon will be.
func loud(list []sources.Alert) []sources.Alert {
	return slices.DeleteFunc(slices.Clone(list), func(a sources.Alert) bool {
		return a.State != sources.AlertFiring && a.State != sources.AlertPending
	})
}

func statusJSON(out io.Writer, s *setup, p *reading) error {
	list := make([]sourceJSON, len(p.sources))
	for i, src := range p.sources {
		list[i] = sourceJSON{
			Name: src.Name, Kind: src.Kind, Health: src.Health.String(), LastOK: stamp(src.LastOK),
			Error: src.Err, Warnings: append([]string{}, src.Warnings...),
		}
	}
	total, open, firing := sources.Opt[int]{}, sources.Opt[int]{}, sources.Opt[int]{}
	if p.answered(true) {
		total = sources.Some(len(p.flags))
	}
	if p.answered(false) {
		n, _ := breakers.Count(p.breakers)
		open = sources.Some(n)
	}
	if len(p.alertSets) > 0 {
		firing = sources.Some(alerts.Firing(p.alerts))
	}
	return writeJSON(out, map[string]any{
		"context":       s.context,
		"at":            stamp(p.at),
		"sources":       list,
		"flags_total":   total,
		"flags":         flagShapes(p, attention(p.flags)),
		"alerts_firing": firing,
		"alerts":        alertShapes(loud(p.alerts)),
		"breakers_open": open,
		"breakers":      breakerShapes(notClosed(p.breakers)),
		"latencies":     latencyShapes(p.latencies),
		"here":          peopleShape(p.here, p.hereKnown),
	})
}

// statusText is in the order of an incident: what is unhealthy, then what may have
// done it.
func statusText(out io.Writer, s *setup, p *reading, now time.Time) error {
	var b strings.Builder
	if s.context != "" {
		fmt.Fprintf(&b, "context %s\n\n", sources.Clean(s.context, 40))
	}
	var rows [][]string
	for _, src := range p.sources {
		health := src.Health.String()
		if src.Err != "" {
			health = "failed"
		}
		rows = append(rows, []string{src.Name, src.Kind, health})
	}
	if err := writeTable(&b, []column{{title: "SOURCE"}, {title: "KIND"}, {title: "HEALTH"}}, rows); err != nil {
		return err
	}
	if err := errors.Join(statusAlerts(&b, p, now), statusMetrics(&b, p), statusFlags(&b, s, p, now)); err != nil {
		return err
	}
	if len(p.here) > 0 {
		fmt.Fprintf(&b, "\nat their boards: %s\n", whoIs(peopleShape(p.here, true)))
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func statusFlags(b *strings.Builder, s *setup, p *reading, now time.Time) error {
	if len(s.stores) == 0 {
		return nil
	}
	if !p.answered(true) {
		b.WriteString("\nflags unknown: no flag store answered\n")
		return nil
	}
	flags := attention(p.flags)
	fmt.Fprintf(b, "\n%s, %d under way, killed, custom or broken\n", count(len(p.flags), "flag"), len(flags))
	if len(flags) == 0 {
		return nil
	}
	return flagTable(b, p, flags, now)
}

func statusAlerts(b *strings.Builder, p *reading, now time.Time) error {
	if !slices.ContainsFunc(p.sources, func(src sources.SourceStatus) bool { return src.Alerts }) {
		return nil
	}
	if len(p.alertSets) == 0 {
		b.WriteString("\nalerts unknown: no source of them answered\n")
		return nil
	}
	fmt.Fprintf(b, "\n%s, %d firing\n", count(len(p.alerts), "alert"), alerts.Firing(p.alerts))
	list := loud(p.alerts)
	if len(list) == 0 {
		return nil
	}
	return alertTable(b, list, now)
}

func statusMetrics(b *strings.Builder, p *reading) error {
	if !slices.ContainsFunc(p.sources, func(src sources.SourceStatus) bool { return src.Metrics }) {
		return nil
	}
	if !p.answered(false) {
		b.WriteString("\nbreakers and latencies unknown: no metrics source answered\n")
		return nil
	}
	open := notClosed(p.breakers)
	fmt.Fprintf(b, "\n%s, %d not closed\n", count(len(p.breakers), "breaker"), len(open))
	if len(open) > 0 {
		if err := breakerTable(b, open); err != nil {
			return err
		}
	}
	b.WriteByte('\n')
	return latencyTable(b, p.latencies)
}

// answered tells whether any flag store, or any metrics source, answered: what
// nobody said is unknown, never zero.
func (p *reading) answered(flags bool) bool {
	for _, s := range p.sources {
		if (flags && s.Flags || !flags && s.Metrics) && s.Err == "" {
			return true
		}
	}
	return false
}

func count(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}
