package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"relctl-tui/sources"
	"relctl-tui/sources/incident"
	"relctl-tui/sources/report"
)

// The times of a report: how far back one goes that nobody gave a span, and how long
// everything may take to be read.
const (
	reportSpan = 2 * time.Hour
	reportRead = time.Minute
	firstReads = 15 * time.Second
)

func newReportCmd(o *options) *cobra.Command {
	var since, format, to string
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Write down what happened: what broke, who changed what and why, what helped",
		Example: `relctl-tui report --since 2h > incident.md
relctl-tui report --since 90m -o html --file incident.html`,
		Args: argCount(0, 0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			write, ok := reportFormats[format]
			if !ok {
				return &usageError{msg: fmt.Sprintf("report: unknown output %s: write -o md, -o html or -o json", quote(format))}
			}
			span, err := sinceOf("report", since)
			if err != nil {
				return err
			}
			s, err := o.open(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			d, err := s.happened(cmd.Context(), o, span)
			if err != nil {
				return err
			}
			if to == "" {
				return write(d, cmd.OutOrStdout())
			}
			return writeNew(to, func(w io.Writer) error { return write(d, w) })
		},
	}
	cmd.Flags().StringVar(&since, "since", "2h", "how far back, such as 90m or 1d; 7d at most")
	cmd.Flags().StringVarP(&format, "output", "o", "md", "md, html or json")
	cmd.Flags().StringVar(&to, "file", "", "a new file to write to, for you alone to read (default stdout)")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"md", "html", "json"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

var reportFormats = map[string]func(*report.Document, io.Writer) error{
	"md":   (*report.Document).Markdown,
	"html": (*report.Document).HTML,
	"json": (*report.Document).JSON,
}

// sinceOf reads a span that a verb looks back over.
func sinceOf(verb, text string) (time.Duration, error) {
	var d Duration
	if err := d.setScalar(text, pos{}); err != nil {
		return 0, &usageError{msg: verb + ": --since: " + err.Error()}
	}
	if d.D < sources.MinSeriesSpan || d.D > sources.MaxSeriesSpan {
		return 0, &usageError{msg: fmt.Sprintf("%s: --since wants %s to 7d, not %s", verb, sources.Span(sources.MinSeriesSpan), quote(text))}
	}
	return d.D, nil
}

// happened reads everything once, as a board would, and writes down what happened.
func (s *setup) happened(ctx context.Context, o *options, span time.Duration) (*report.Document, error) {
	if s.shared != nil {
		return s.shared.happened(ctx, o.now, span, nil), nil
	}
	if len(s.stores)+len(s.readers) == 0 {
		return nil, s.canAnswer(want{flags: true})
	}
	ctx, cancel := context.WithTimeout(ctx, reportRead)
	defer cancel()
	r := s.start(ctx, o)
	defer r.end()
	r.firstLook(ctx)
	return r.happened(ctx, o.now, span, nil), nil
}

// firstLook waits until every part of every source was read once, well or badly.
func (r *running) firstLook(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, firstReads)
	defer cancel()
	for snap := r.engine.Snapshot(); !lookedAt(snap); {
		next, err := r.engine.Next(ctx, snap.Seq)
		if err != nil {
			return
		}
		snap = next
	}
}

func lookedAt(s *sources.Snapshot) bool {
	for i := range s.Sources {
		st := &s.Sources[i]
		if !st.Shown() {
			continue
		}
		for p := range st.Parts {
			if part := &st.Parts[p]; part.Has && part.LastOK.IsZero() && part.Err == "" {
				return false
			}
		}
	}
	return len(s.Sources) > 0
}

// happened is the document of a span that ends now. Found is what an earlier look at the
// same time came to, nil for none: right after an incident it saw more of it.
func (r *running) happened(ctx context.Context, now func() time.Time, span time.Duration, found *sources.Incident) *report.Document {
	ctx, cancel := context.WithTimeout(ctx, reportRead)
	defer cancel()
	snap := r.engine.Snapshot()
	history, gaps := r.control.History(0)
	at := now()
	in := report.Input{
		Context: r.context, Zone: time.Local,
		Incident: incident.Read(ctx, r.engine, incident.Question{Snapshot: snap, History: history, Now: at, Span: span}),
		Changes:  slices.Concat(history, snap.Activity), Alerts: snap.Alerts, Breakers: snap.Breakers, Flags: snap.Flags,
	}
	remember(&in.Incident, found)
	for i := range snap.Sources {
		if st := &snap.Sources[i]; st.Err != "" {
			gaps = append(gaps, st.Err)
		}
	}
	in.Gaps = gaps
	return report.Build(in)
}

// remember gives an incident the suspects of an earlier look, nil for none, where it has
// none itself: the points of a long span lie too far apart to tell what a look in the
// minute of the incident could.
func remember(in, earlier *sources.Incident) {
	if earlier == nil || len(earlier.Suspects) == 0 || len(in.Suspects) > 0 {
		return
	}
	for i := range earlier.Breaches {
		b := &earlier.Breaches[i]
		switch {
		case b.At.Before(in.From):
			return // that was another time
		case !slices.ContainsFunc(in.Breaches, func(has sources.Breach) bool { return has.Metric == b.Metric }):
			in.Breaches = append(in.Breaches, *b)
		}
	}
	slices.SortStableFunc(in.Breaches, func(a, b sources.Breach) int { return a.At.Compare(b.At) })
	in.Suspects = earlier.Suspects
}

// keepReport writes a report of the last hours into the folder for them, as a page and
// as text, and says where.
func (r *running) keepReport(ctx context.Context, now func() time.Time, found *sources.Incident) (string, error) {
	d := r.happened(ctx, now, reportSpan, found)
	dir := cmp.Or(r.reports, filepath.Join(stateDir(), "reports"))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("no report was written: cannot make the folder %s: %s", homely(dir), plainWriteError(err))
	}
	name := fileWord(strings.Trim(r.context+"-"+now().UTC().Format("20060102-150405"), "-"))
	path := filepath.Join(dir, name)
	for _, format := range []string{"md", "html"} {
		if err := writeNew(path+"."+format, func(w io.Writer) error { return reportFormats[format](d, w) }); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("the last %s are in %s.html and .md", sources.Span(reportSpan), homely(path)), nil
}

// homely is a path for a sentence, with the home directory as people write it.
func homely(path string) string {
	if home, err := os.UserHomeDir(); err == nil {
		if rest, ok := strings.CutPrefix(path, home+string(filepath.Separator)); ok {
			path = "~/" + rest
		}
	}
	return sources.Clean(path, sources.MaxName)
}

// writeNew writes a file that is not there yet and that nobody else may read. One that
// could not be written to its end is taken away again.
func writeNew(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("no report was written: %s is there already, name another file", homely(path))
	}
	if err == nil {
		if err = errors.Join(write(f), f.Close()); err == nil {
			return nil
		}
		_ = os.Remove(path)
	}
	return fmt.Errorf("no report was written: cannot write %s: %s", homely(path), plainWriteError(err))
}
