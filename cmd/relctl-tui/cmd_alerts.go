package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"relctl-tui/sources"
	"relctl-tui/views"
)

func newAlertsCmd(o *options) *cobra.Command {
	cmd := readCmd(o, "alerts", "List the alerts, worst first: firing, pending, silenced",
		want{alerts: true}, func(p *reading, out io.Writer) error {
			if len(p.alertSets) == 0 {
				return fmt.Errorf("no source here has alerts: name an Alertmanager with --metrics alertmanager+http://HOST: %w", sources.ErrUnsupported)
			}
			if o.output == "json" {
				return writeJSON(out, map[string]any{"alerts": alertShapes(p.alerts)})
			}
			return alertTable(out, p.alerts, o.now())
		})
	cmd.AddCommand(newSilenceCmd(o))
	return cmd
}

// readAlerts reads a source for nothing but its alerts. A source that has none to tell
// of, as it says itself, leaves no set.
func readAlerts(ctx context.Context, r *reader, l sources.AlertLister, now func() time.Time) *reading {
	ctx, cancel := context.WithTimeout(ctx, max(r.timeout, readTimeout))
	defer cancel()
	p := &reading{}
	set, err := l.Alerts(ctx)
	switch {
	case errors.Is(err, sources.ErrUnsupported):
		return nil
	case err == nil:
		p.alertSets = [][]sources.Alert{slices.Clone(set.Alerts)}
	}
	p.settle(sources.SourceStatus{Name: r.name, Kind: r.kind, Alerts: true}, err, set.Warnings, now())
	return p
}

// knowsSilences says whether a source is one that silences are made in, whoever may.
func (s *setup) knowsSilences(source string) bool {
	return slices.ContainsFunc(s.readers, func(r reader) bool {
		_, knows := r.src.(sources.AlertSilencer)
		return r.name == source && knows
	})
}

type alertJSON struct {
	ID          string            `json:"id"`
	Source      string            `json:"source"`
	Also        string            `json:"also"` // another source that has it; "" for none
	Name        string            `json:"name"`
	State       string            `json:"state"`
	Severity    string            `json:"severity"`
	Service     string            `json:"service"`
	Flag        string            `json:"flag"`
	Since       *string           `json:"since"`
	Until       *string           `json:"silenced_until"`
	Why         string            `json:"why"`
	Summary     string            `json:"summary"`
	Description string            `json:"description"`
	Runbook     string            `json:"runbook"`
	Value       string            `json:"value"`
	Labels      map[string]string `json:"labels"`
	Cut         int               `json:"labels_left_out"`
}

func alertShape(a *sources.Alert) alertJSON {
	return alertJSON{
		ID: a.ID, Source: a.Source, Also: a.Also, Name: a.Name, State: a.State.String(), Severity: a.Severity,
		Service: a.Service, Flag: a.Flag, Since: stamp(a.Since), Until: stamp(a.Until), Why: a.Why, Summary: a.Summary,
		Description: a.Description, Runbook: a.Runbook, Value: a.Value, Labels: a.Labels, Cut: a.Cut,
	}
}

func alertShapes(list []sources.Alert) []alertJSON {
	out := make([]alertJSON, len(list))
	for i := range list {
		out[i] = alertShape(&list[i])
	}
	return out
}

func alertTable(out io.Writer, list []sources.Alert, now time.Time) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(out, "nothing fires")
		return err
	}
	several := severalSources(list, func(a sources.Alert) string { return a.Source })
	cols := []column{
		{title: "SOURCE"},
		{title: "ALERT"},
		{title: "STATE"},
		{title: "SEVERITY"},
		{title: "SERVICE"},
		{title: "FLAG"},
		{title: "SINCE", right: true},
		{title: "ID"},
		{title: "WHY"},
	}
	var rows [][]string
	for i := range list {
		a := &list[i]
		why := a.Summary
		if a.State == sources.AlertSilenced && a.Why != "" {
			why = a.Why
		}
		rows = append(rows, []string{
			only(several, a.Source), a.Name, a.State.String(), a.Severity, a.Service, a.Flag,
			blankDash(views.AgeOf(a.Since, now, true)), a.ID[:min(len(a.ID), shownID)], why,
		})
	}
	return writeTable(out, cols, rows)
}

// shownID is how much of an alert's ID is shown, and at least has to be written.
const shownID = 8
