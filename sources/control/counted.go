package control

import (
	"context"
	"fmt"
	"math"
	"time"

	"relctl-tui/sources"
)

// countedWithin is how far a counted share may lie from a flag's percentage, for
// the counters do not say how many evaluations it stands on. None and all are exact.
const countedWithin = 0.05

// Counted is a sources.Verifier over evaluation counters: applications have a change
// when what they count is what the flag says. from should count over a short window,
// for what was evaluated before the change is in it at first.
func Counted(from sources.ExposureReader) sources.Verifier { return counted{from} }

type counted struct{ from sources.ExposureReader }

// Probe implements sources.Prober: the counters can be read.
func (c counted) Probe(ctx context.Context) error {
	_, err := c.from.Exposures(ctx)
	return err
}

// Verify implements sources.Verifier. A flag that nobody evaluated proves nothing.
func (c counted) Verify(ctx context.Context, r sources.Receipt) (sources.Evidence, error) {
	set, err := c.from.Exposures(ctx)
	if err != nil {
		return sources.Evidence{}, err
	}
	f := &r.New
	variant := f.Variant
	if variant == "" {
		variant = r.Old.Variant
	}
	e := sources.Evidence{At: set.ReadAt}
	if e.At.IsZero() {
		e.At = time.Now()
	}
	share := set.Exposure(f.ID.Key, variant)
	switch {
	case variant == "" || !f.Rollout.OK:
		return e, fmt.Errorf("%s is no one percentage, so counters cannot prove it: %w", f.Name, sources.ErrUnsupported)
	case !share.OK:
		e.Detail = "no evaluation of it was counted"
		return e, nil
	}
	e.Detail = fmt.Sprintf("%s%% of the evaluations counted get %s", sources.Percent(math.Round(share.V*float64(sources.Full))), sources.Clean(variant, sources.MaxName))
	switch want := float64(f.Rollout.V) / float64(sources.Full); want {
	case 0, 1:
		e.Effective = share.V == want
	default:
		e.Effective = math.Abs(share.V-want) <= countedWithin
	}
	return e, nil
}
