package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"relctl-tui/sources"
)

func newSilenceCmd(o *options) *cobra.Command {
	var lasts time.Duration
	cmd := changeCmd(o, &cobra.Command{
		Use:   "silence ALERT",
		Short: "Silence one alert for a while, in an Alertmanager with silences: true",
		Long:  "Silence one alert for a while: by its name where that is enough, else by the ID that alerts shows. It ends by itself; undo ends it at once.",
		Args:  argCount(1, 1, "one alert"),
	}, func(ctx context.Context, s *setup, args []string) (sources.Intent, error) {
		a, err := s.findAlert(ctx, args[0], o.now)
		if err != nil {
			return sources.Intent{}, err
		}
		return sources.Intent{Kind: sources.SilenceAlert, Flag: sources.FlagID{Source: a.Source, Key: a.Key()}, For: lasts}, nil
	})
	cmd.Flags().DurationVar(&lasts, "for", time.Hour, "how long, such as 30m, at most 168h")
	for _, name := range []string{"no-wait", "confirm"} { // an alert is evaluated by nobody, and has no stages
		_ = cmd.Flags().MarkHidden(name)
	}
	return cmd
}

// anySilencer says whether alerts can be silenced somewhere.
func (s *setup) anySilencer() bool {
	return slices.ContainsFunc(s.readers, func(r reader) bool { return r.silences })
}

// findAlert is the one alert that word names: its name, its key in the record, or the
// beginning of its ID.
func (s *setup) findAlert(ctx context.Context, word string, now func() time.Time) (sources.Alert, error) {
	only := *s
	only.readers = slices.DeleteFunc(slices.Clone(s.readers), func(r reader) bool { return !r.silences })
	p := only.read(ctx, want{alerts: true}, now)
	var hits []sources.Alert
	var names []string
	for i := range p.alerts {
		a := &p.alerts[i]
		names = append(names, a.Name)
		if a.Name == word || a.Key() == word || len(word) >= shownID && strings.HasPrefix(a.ID, word) {
			hits = append(hits, *a)
		}
	}
	switch {
	case len(hits) == 1:
		return hits[0], nil
	case len(hits) > 1:
		const enough = 5
		var ids []string
		for i := range hits[:min(len(hits), enough)] {
			ids = append(ids, hits[i].ID[:shownID]+" ("+firstWord(hits[i].Service, "no service")+")")
		}
		return sources.Alert{}, &usageError{msg: fmt.Sprintf("%d alerts are called %s: write the ID of one, such as %s", len(hits), quote(word), strings.Join(ids, ", "))}
	case len(p.errs) > 0:
		return sources.Alert{}, severalErrors(p.errs)
	}
	return sources.Alert{}, fmt.Errorf("no alert %s%s, nothing was changed: %w", quote(word), didYouMean(word, "alerts", names), sources.ErrNotFound)
}
