package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
	"relctl-tui/sources/outlet"
)

// What measures or proves, or is told, and lacks what the config promised it stands in its place and
// fails with the reason, so that everything else works: in the shell of the one who must
// kill a flag now, the variable of a dashboard's token may well be missing.

// without stands for a source of breakers and latencies that lacks a variable.
type without struct{ why error }

func (w without) Breakers(context.Context) (sources.BreakerSet, error) { //nolint:unparam // the interface's
	return sources.BreakerSet{}, w.why
}

func (w without) Latencies(context.Context) (sources.LatencySet, error) { //nolint:unparam // the interface's
	return sources.LatencySet{}, w.why
}

func (w without) Matches(context.Context) ([]metrics.Match, error) { return nil, w.why } //nolint:unparam // the interface's

// withoutFlags stands for a flag store that lacks a variable.
type withoutFlags struct{ why error }

func (w withoutFlags) Flags(context.Context) (sources.FlagSet, error) { //nolint:unparam // the interface's
	return sources.FlagSet{}, w.why
}

func storeWithout(name string, d DSN, why error) store {
	kind, _, _ := strings.Cut(d.Scheme, "+")
	return store{kind: kind, src: withoutFlags{fmt.Errorf("source %s: %w: %w", name, why, sources.ErrUnauthorized)}}
}

// withoutEffect stands for a side that evaluates and cannot be asked for want of a variable.
type withoutEffect struct{ why string }

func (w withoutEffect) Verify(context.Context, sources.Receipt) (sources.Evidence, error) {
	return sources.Evidence{}, fmt.Errorf("%s: %w", w.why, sources.ErrUnsupported)
}

func (w withoutEffect) Probe(context.Context) error { return errors.New(w.why) }

// unproven says of which stores changes are not proven that were to be; "" for none.
func (s *setup) unproven() string {
	for i := range s.stores {
		if st := &s.stores[i]; st.unproven != "" {
			return fmt.Sprintf("changes of %s are confirmed, but not proven: %s", st.name, st.unproven)
		}
	}
	return ""
}

// withoutAlerts stands for a source of alerts that lacks a variable.
type withoutAlerts struct{ why error }

func (w withoutAlerts) Alerts(context.Context) (sources.AlertSet, error) { //nolint:unparam // the interface's
	return sources.AlertSet{}, w.why
}

// lack puts what a reader lacks in the place of what it would read; nil leaves it as it is.
func (r *reader) lack(why error) {
	if why == nil {
		return
	}
	why = fmt.Errorf("source %s: %w: %w", r.name, why, sources.ErrUnauthorized)
	if r.src = (without{why}); r.alertsOnly {
		r.src = withoutAlerts{why}
	}
}

// mute stands for an outlet that cannot be told of anything.
type mute struct {
	name string
	why  error
}

func (m mute) Name() string { return m.name }

func (m mute) Send(context.Context, outlet.Event) error { return m.Check(context.Background()) }

func (m mute) Check(context.Context) error {
	return fmt.Errorf("%s: %w: %w", m.name, m.why, sources.ErrInvalid)
}
