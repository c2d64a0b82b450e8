package control_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
)

type counts map[string]float64

func (c counts) Exposures(context.Context) (sources.ExposureSet, error) {
	if c == nil {
		return sources.ExposureSet{}, sources.ErrUnavailable
	}
	set := sources.ExposureSet{ByKey: map[string]map[string]float64{}}
	if len(c) > 0 {
		set.ByKey["checkout"] = c
	}
	return set, nil
}

func at(percent int, killed bool) sources.Receipt {
	f := sources.Flag{ID: checkout, Name: "checkout", Variant: "on", Rollout: sources.Some(sources.Pct(percent)), Killed: killed}
	return sources.Receipt{New: f}
}

func TestCountersProveAChangeWhenTheyCountWhatTheFlagSays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		counted counts
		receipt sources.Receipt
		want    bool
		detail  string
	}{
		"killed, nobody gets it":        {counts{"off": 1}, at(0, true), true, "0% of the evaluations counted get on"},
		"killed, one in a thousand":     {counts{"on": 0.001, "off": 0.999}, at(0, true), false, "0.1% of the evaluations counted get on"},
		"killed, nobody evaluates it":   {counts{}, at(0, true), false, "no evaluation of it was counted"},
		"all":                           {counts{"on": 1}, at(100, false), true, "100% of the evaluations counted get on"},
		"all but a few":                 {counts{"on": 0.99, "off": 0.01}, at(100, false), false, "99% of the evaluations counted get on"},
		"half, as far as can be seen":   {counts{"on": 0.52, "off": 0.48}, at(50, false), true, "52% of the evaluations counted get on"},
		"half, but it is still a tenth": {counts{"on": 0.1, "off": 0.9}, at(50, false), false, "10% of the evaluations counted get on"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, err := control.Counted(c.counted).Verify(t.Context(), c.receipt)
			require.NoError(t, err)
			require.Equal(t, c.want, e.Effective)
			require.Equal(t, c.detail, e.Detail)
			require.False(t, e.At.IsZero())
		})
	}
}

func TestCountersThatCannotBeReadOrAFlagThatIsNoPercentageProveNothing(t *testing.T) {
	t.Parallel()
	_, err := control.Counted(counts(nil)).Verify(t.Context(), at(0, true))
	require.ErrorIs(t, err, sources.ErrUnavailable)
	_, err = control.Counted(counts{"on": 1}).Verify(t.Context(), sources.Receipt{New: sources.Flag{Name: "x", State: sources.FlagCustom}})
	require.ErrorIs(t, err, sources.ErrUnsupported)
}
