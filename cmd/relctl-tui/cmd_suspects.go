package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"relctl-tui/sources"
	"relctl-tui/sources/incident"
)

const suspectsLong = `Say which change may have broken what breaches: flags of every store, deploys, and breakers
that were switched by hand, each with one sentence of reasons and numbers, the most likely
first. "No suspect" is an answer, with what was looked at. Nothing is changed.

It needs a source that keeps a past, such as a Prometheus. Exit code 0 with or without a
suspect, 1 when no metric could be read.`

func newSuspectsCmd(o *options) *cobra.Command {
	var since string
	cmd := &cobra.Command{
		Use: "suspects", Short: "Say which change may have broken what breaches", Long: suspectsLong,
		Args: argCount(0, 0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			span, err := sinceOf("suspects", since)
			if err != nil {
				return err
			}
			s, err := o.open(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			if err := s.canAnswer(want{latencies: true}); err != nil {
				return err
			}
			in, errs := s.incident(cmd.Context(), o.now, span)
			if len(in.Metrics) == 0 && len(errs) > 0 {
				return severalErrors(errs)
			}
			if len(errs) > 0 {
				say(cmd.ErrOrStderr(), errorSentences(severalErrors(errs))...)
			}
			if o.output == "json" {
				return writeJSON(cmd.OutOrStdout(), map[string]any{"incident": incidentShape(&in)})
			}
			return suspectTable(cmd.OutOrStdout(), &in)
		},
	}
	cmd.Flags().StringVar(&since, "since", "1h", "how far back to look, such as 90m or 1d; 7d at most")
	addOutput(cmd, o)
	return cmd
}

// incident looks once at what broke, with an error for each source that could not be
// read.
func (s *setup) incident(ctx context.Context, now func() time.Time, since time.Duration) (sources.Incident, []error) {
	snap := sources.Snapshot{Context: s.context, Guards: s.guards}
	var p, alerts *reading
	var deploys []sources.Activity
	var wg sync.WaitGroup
	wg.Go(func() { p = s.read(ctx, want{flags: len(s.stores) > 0, breakers: true, latencies: true}, now) })
	wg.Go(func() { alerts = s.read(ctx, want{alerts: true}, now) })
	wg.Go(func() { deploys = s.deployed(ctx) })
	wg.Wait()
	snap.At, snap.Sources, snap.Flags, snap.Breakers, snap.Latencies = p.at, p.sources, p.flags, p.breakers, p.latencies
	snap.Alerts, snap.Activity = alerts.alerts, deploys
	history, warnings := s.controller(now).History(0)
	in := incident.Read(ctx, pastOf{s}, incident.Question{Snapshot: &snap, History: history, Now: now(), Span: since})
	in.Missing = append(in.Missing, warnings...)
	return in, p.errs
}

// deployed is what changed of what runs, as far as sources have it on record.
func (s *setup) deployed(ctx context.Context) (out []sources.Activity) {
	known := map[string]bool{}
	for i := range s.readers {
		r := &s.readers[i]
		lister, ok := r.src.(sources.DeployLister)
		if !ok || r.breakersOnly || r.alertsOnly {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, max(r.timeout, readTimeout))
		set, err := lister.Deploys(ctx)
		cancel()
		if err != nil {
			continue // whoever cannot tell of deploys says so where it is asked for the rest
		}
		for _, d := range set.Changes {
			id := fmt.Sprintf("deploy %s %s %d", d.Service, d.New, d.At.Unix())
			if !known[id] {
				known[id] = true
				out = append(out, sources.Activity{ID: id, At: d.At, Kind: sources.KindDeploy, Name: d.Service, Old: d.Old, New: d.New, Outcome: sources.Seen})
			}
		}
	}
	return out
}

// pastOf is the past as a context's sources have it on record.
type pastOf struct{ s *setup }

// Series implements incident.Reader.
func (p pastOf) Series(ctx context.Context, source string, q sources.SeriesQuery) (sources.Series, error) {
	i := slices.IndexFunc(p.s.readers, func(r reader) bool { return r.name == source })
	if i < 0 {
		return sources.Series{}, fmt.Errorf("no source is called %s: %w", sources.Clean(source, sources.MaxName), sources.ErrNotFound)
	}
	r, ok := p.s.readers[i].src.(sources.SeriesReader)
	if !ok {
		return sources.Series{}, fmt.Errorf("%s keeps no past of it: %w", source, sources.ErrUnsupported)
	}
	ctx, cancel := context.WithTimeout(ctx, max(p.s.readers[i].timeout, readTimeout))
	defer cancel()
	return r.Series(ctx, q)
}

// Past implements incident.Reader.
func (p pastOf) Past(ctx context.Context, span time.Duration) (events []sources.Event, missing []string) {
	for i := range p.s.readers {
		r, ok := p.s.readers[i].src.(sources.PastReader)
		if !ok {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, max(p.s.readers[i].timeout, readTimeout))
		got, err := r.Past(ctx, span)
		cancel()
		if events = append(events, got...); err != nil && !errors.Is(err, sources.ErrUnsupported) {
			missing = append(missing, sources.Sentence(err))
		}
	}
	slices.SortStableFunc(events, func(a, b sources.Event) int { return a.At.Compare(b.At) })
	return events, missing
}

type incidentJSON struct {
	From     *string       `json:"from"`
	At       *string       `json:"at"`
	Answer   string        `json:"answer"`
	Suspects []suspectJSON `json:"suspects"`
	Breaches []breachJSON  `json:"breaches"`
	Metrics  int           `json:"metrics"` // looked at
	Changes  int           `json:"changes"` // weighed
	Missing  []string      `json:"missing"`
}

type suspectJSON struct {
	Kind    string  `json:"kind"` // flag, deploy or breaker
	Source  string  `json:"source"`
	Key     string  `json:"key"`
	Change  string  `json:"change"`
	Subject string  `json:"subject"`
	What    string  `json:"what"`
	Actor   string  `json:"actor"`
	At      *string `json:"at"`
	Word    string  `json:"word"`
	Score   float64 `json:"score_db"`
	Lag     float64 `json:"lag_s"`
	Metric  string  `json:"metric"`
	Metrics int     `json:"metrics"`
	Undone  bool    `json:"undone"`
	Healed  bool    `json:"recovered"`
	Why     string  `json:"why"`
}

type breachJSON struct {
	Metric  string  `json:"metric"`
	Service string  `json:"service"`
	Unit    string  `json:"unit"` // s for seconds, ratio for 0..1, breaker for 0 closed and 1 open
	At      *string `json:"at"`
	Until   *string `json:"until"` // null while it lasts
	Before  float64 `json:"before"`
	After   float64 `json:"after"`
}

func incidentShape(in *sources.Incident) incidentJSON {
	out := incidentJSON{
		From: stamp(in.From), At: stamp(in.At), Answer: in.Answer(), Metrics: len(in.Metrics), Changes: in.Changes,
		Suspects: []suspectJSON{}, Breaches: []breachJSON{}, Missing: append([]string{}, in.Missing...),
	}
	for i := range in.Suspects {
		s := &in.Suspects[i]
		out.Suspects = append(out.Suspects, suspectJSON{
			Kind: kindOf(s.Lane), Source: s.Flag.Source, Key: s.Flag.Key, Change: s.Change, Subject: s.Subject, What: s.What, Actor: s.Actor,
			At: stamp(s.At), Word: s.Word, Score: s.Score, Lag: s.Lag.Seconds(), Metric: s.Metric, Metrics: s.Metrics,
			Undone: s.Undone, Healed: s.Healed, Why: s.Why,
		})
	}
	for i := range in.Breaches {
		b := &in.Breaches[i]
		out.Breaches = append(out.Breaches, breachJSON{
			Metric: b.Metric, Service: b.Service, Unit: cmp.Or(b.Unit, "ratio"), At: stamp(b.At), Until: stamp(b.Until), Before: b.Before, After: b.After,
		})
	}
	return out
}

// kindOf is what a suspect is, in one word.
func kindOf(l sources.Lane) string {
	switch l {
	case sources.LaneDeploys:
		return "deploy"
	case sources.LaneBreakers:
		return "breaker"
	default:
		return "flag"
	}
}

func suspectTable(out io.Writer, in *sources.Incident) error {
	if len(in.Suspects) == 0 {
		if _, err := fmt.Fprintln(out, in.Answer()); err != nil {
			return err
		}
	} else {
		cols := []column{
			{title: "CASE"}, {title: "KIND"}, {title: "SUBJECT"}, {title: "WHAT"}, {title: "WHO"}, {title: "AT"}, {title: "CHANGE"},
		}
		var rows [][]string
		for i := range in.Suspects {
			s := &in.Suspects[i]
			rows = append(rows, []string{s.Word, kindOf(s.Lane), s.Subject, s.What, s.Actor, s.At.Local().Format("2006-01-02 15:04:05"), s.Change})
		}
		if err := writeTable(out, cols, rows); err != nil {
			return err
		}
		for i := range in.Suspects {
			if _, err := fmt.Fprintf(out, "\n%d. %s\n", i+1, in.Suspects[i].Why); err != nil {
				return err
			}
		}
	}
	for _, text := range in.Missing {
		if _, err := fmt.Fprintln(out, "missing: "+text); err != nil {
			return err
		}
	}
	return nil
}
