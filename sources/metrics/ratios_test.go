package metrics_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
)

func TestARatioRuleSaysWhatIsWrongWithIt(t *testing.T) {
	t.Parallel()
	for want, r := range map[string]metrics.RatioRule{
		"give one of metric and query": {Name: "a"},
		"one of metric and query":      {Name: "a", Metric: "x_total", Query: "1", Bad: `b="c"`},
		"belong to metric":             {Name: "a", Query: "1", Bad: `b="c"`},
		"is no metric name":            {Name: "a", Metric: "x total", Bad: `b="c"`},
		"which of the tries":           {Name: "a", Metric: "x_total"},
		"mismatch of a: ":              {Name: "a", Metric: "x_total", Bad: `b=`},
	} {
		err := metrics.Config{Ratios: []metrics.RatioRule{r}}.Validate()
		require.ErrorIs(t, err, sources.ErrInvalid)
		require.ErrorContains(t, err, want)
	}
	twice := metrics.RatioRule{Name: "a", Query: "1"}
	require.ErrorContains(t, metrics.Config{Ratios: []metrics.RatioRule{twice, twice}}.Validate(), "given twice")
}

func TestARatioOfNothingIsAbsentAndNaNDoesNotCount(t *testing.T) {
	t.Parallel()
	plan, err := metrics.Config{Ratios: []metrics.RatioRule{{Name: "a", Metric: "x_total", Bad: `result=~"mismatch|missing"`}}}.Compile()
	require.NoError(t, err)
	require.True(t, plan.Names()["x_total"])
	r, err := plan.Ratio("a")
	require.NoError(t, err)
	series := func(result string, v float64) metrics.Series {
		return metrics.Series{Labels: metrics.Labels{"result": result}, Value: v}
	}
	ratio, rate := r.Of(nil)
	require.False(t, ratio.OK || rate.OK)
	ratio, rate = r.Of([]metrics.Series{series("match", 0)})
	require.False(t, ratio.OK)
	require.True(t, rate.OK)
	ratio, rate = r.Of([]metrics.Series{series("match", 6), series("mismatch", 1), series("missing", 1), series("match", math.NaN())})
	require.InDelta(t, 0.25, ratio.V, 1e-9)
	require.InDelta(t, 8, rate.V, 1e-9)
}
