package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"relctl-tui/sources"
	"relctl-tui/views"
)

// addPath gives the latency verb its call path.
func addPath(cmd *cobra.Command, o *options) {
	list := cmd.RunE
	var service string
	var ago time.Duration
	cmd.Flags().StringVar(&service, "path", "", "show what this latency is made of: the services that it calls, call by call")
	cmd.Flags().DurationVar(&ago, "ago", 15*time.Minute, "compare the call path with how it was so long ago")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if !cmd.Flags().Changed("path") {
			if cmd.Flags().Changed("ago") {
				return &usageError{msg: "--ago compares a call path: name one with --path NAME"}
			}
			return list(cmd, args)
		}
		s, err := o.open(cmd.ErrOrStderr())
		if err != nil {
			return err
		}
		if err := s.canAnswer(want{latencies: true}); err != nil {
			return err
		}
		q := sources.CallsQuery{Service: service, Ago: ago}
		if err := q.Check(); err != nil {
			return &usageError{msg: sources.Sentence(err)}
		}
		c, err := s.calls(cmd.Context(), q)
		if err != nil {
			return err
		}
		say(cmd.ErrOrStderr(), c.Warnings...)
		if o.output == "json" {
			return writeJSON(cmd.OutOrStdout(), pathShape(&c))
		}
		return pathTable(cmd.OutOrStdout(), &c)
	}
}

// calls asks one source after the other, until one knows the service.
func (s *setup) calls(ctx context.Context, q sources.CallsQuery) (sources.Calls, error) {
	var errs []error
	for i := range s.readers {
		r := &s.readers[i]
		if driver, ok := r.src.(sources.PathReader); ok && !r.breakersOnly {
			c, err := readCalls(ctx, r, driver, q)
			if err == nil {
				return c, nil
			}
			errs = append(errs, err)
		}
	}
	if len(errs) == 0 {
		return sources.Calls{}, fmt.Errorf("no configured source knows of calls: %w", sources.ErrUnsupported)
	}
	return sources.Calls{}, severalErrors(errs)
}

func readCalls(ctx context.Context, r *reader, driver sources.PathReader, q sources.CallsQuery) (sources.Calls, error) {
	ctx, cancel := context.WithTimeout(ctx, max(r.timeout, readTimeout)+r.warmUp)
	defer cancel()
	c, err := driver.Calls(ctx, q)
	if r.warmUp == 0 || err != nil && !errors.Is(err, sources.ErrNotFound) {
		return c, err
	}
	if err := wait(ctx, r.warmUp); err != nil { // one page is no rate
		return c, err
	}
	return driver.Calls(ctx, q)
}

// hopJSON is one call of a path. Times are means, in seconds.
type hopJSON struct {
	Name   string        `json:"name"`
	Depth  int           `json:"depth"`
	Rest   int           `json:"rest,omitempty"`
	Cycle  bool          `json:"cycle"`
	Cut    bool          `json:"cut"`
	Took   sources.Value `json:"mean_s"`
	Own    sources.Value `json:"own_s"`
	Share  sources.Value `json:"share"`
	Rate   sources.Value `json:"rate"`
	Errors sources.Value `json:"error_ratio"`
	Moved  sources.Value `json:"moved_s"`
	Most   bool          `json:"moved_most"`
	Shared bool          `json:"shared"`
	Beside bool          `json:"overlaps"`
}

func pathShape(c *sources.Calls) map[string]any {
	p := c.Path()
	hops := make([]hopJSON, len(p.Hops))
	for i := range p.Hops {
		h := &p.Hops[i]
		hops[i] = hopJSON{
			Name: h.Name, Depth: h.Depth, Rest: h.Rest, Cycle: h.Again, Cut: h.Cut, Took: h.Took, Own: h.Own, Share: h.Share,
			Rate: h.Rate, Errors: h.Errors, Moved: h.Moved, Most: i == p.Most, Shared: h.Shared, Beside: h.Beside,
		}
	}
	return map[string]any{
		"source": c.Source, "service": c.Service, "from": c.From, "compared_with": stamp(c.At), "window_s": c.Over.Seconds(), "hops": hops,
	}
}

func pathTable(out io.Writer, c *sources.Calls) error {
	p := c.Path()
	cols := []column{
		{title: "CALL"},
		{title: "OWN", right: true},
		{title: "MEAN", right: true},
		{title: "SHARE", right: true},
		{title: "RATE", right: true},
		{title: "ERRORS", right: true},
		{title: "MOVED", right: true},
		{title: "NOTE"},
	}
	rows := make([][]string, len(p.Hops))
	for i := range p.Hops {
		h := &p.Hops[i]
		name, note := h.Name, views.HopNote(h)
		if h.Rest > 0 {
			name = "and " + strconv.Itoa(h.Rest) + " more"
		}
		if i == p.Most {
			note = sources.JoinClauses("moved most", note)
		}
		rows[i] = []string{
			strings.Repeat("  ", h.Depth) + name, views.Mean(h.Own), views.Mean(h.Took), views.Ratio(h.Share),
			views.Rate(h.Rate), views.Ratio(h.Errors), views.Moved(h.Moved), note,
		}
	}
	if err := writeTable(out, cols, rows); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "\nmeans over %s, from %s\nown: mean without what it calls; share: of its caller's time; moved: of one call of %s, since %s\n",
		c.Over, c.From, c.Service, c.At.Local().Format(time.DateTime))
	return err
}
