package metrics_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
)

// spans is a world whose bad calls depend on how far back one looks.
type spans struct {
	*world
	bad   map[time.Duration]float64 // share of slow calls over a span
	asked []metrics.Query
	err   error
}

func (s *spans) Ask(_ context.Context, queries []metrics.Query) ([]metrics.Answer, error) {
	s.asked = append(s.asked, queries...)
	if s.err != nil {
		return nil, s.err
	}
	out := make([]metrics.Answer, len(queries))
	for i, q := range queries {
		share := s.bad[q.Over]
		switch q.Kind {
		case metrics.Buckets:
			for _, b := range []metrics.Bucket{{Upper: 0.25, Count: 100 * (1 - share)}, {Upper: 1, Count: 100 * (1 - share/2)}, {Upper: math.Inf(1), Count: 100}} {
				if q.Bounds == nil || contains(q.Bounds, b.Upper) {
					if len(out[i].Hists) == 0 {
						out[i].Hists = []metrics.Hist{{Labels: metrics.Labels{"job": "pay"}}}
					}
					out[i].Hists[0].Classic = append(out[i].Hists[0].Classic, b)
				}
			}
		case metrics.Count:
			out[i].Series = []metrics.Series{
				at(100*(1-share), "job", "pay", "code", "200"), at(100*share, "job", "pay", "code", "500"),
			}
		case metrics.Gauge, metrics.Rate:
		}
	}
	return out, nil
}

func contains(list []float64, v float64) bool {
	for _, x := range list {
		if x == v {
			return true
		}
	}
	return false
}

func worldOfSpans(bad map[time.Duration]float64) *spans {
	return &spans{world: &world{series: map[string][]metrics.Series{"http_request_duration_seconds_count": {at(1, "job", "pay")}}}, bad: bad}
}

func all(t *testing.T, p *metrics.Plan, w *spans, now time.Time) sources.Budget {
	t.Helper()
	for range 20 {
		set, err := p.Budgets(t.Context(), w, now)
		require.NoError(t, err)
		if !set.More {
			return set.Budgets["pay"]
		}
	}
	t.Fatal("spans are due without end")
	return sources.Budget{}
}

func objective(t *testing.T, r metrics.LatencyRule) *metrics.Plan {
	t.Helper()
	r.Name = "pay"
	p, err := metrics.Config{Latency: []metrics.LatencyRule{r}}.Compile()
	require.NoError(t, err)
	return p
}

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func TestABudgetBurnsWhenTheShortAndTheLongSpanOfAnAlarmDo(t *testing.T) {
	t.Parallel()
	bad := map[time.Duration]float64{5 * time.Minute: 0.02, time.Hour: 0.016, 30 * 24 * time.Hour: 0.0004}
	p := objective(t, metrics.LatencyRule{SLO: 250 * time.Millisecond, Objective: 0.999})
	b := all(t, p, worldOfSpans(bad), noon)
	require.InDelta(t, 0.6, b.Left.V, 1e-9)
	require.InDelta(t, 16, b.Burning().Rate, 1e-9)
	require.Equal(t, time.Hour, b.Burning().Over)
	require.Equal(t, sources.VerdictBurning, b.Judge(sources.VerdictBreached))

	bad[5*time.Minute] = 0.001 // it is over, though the hour still remembers it
	b = all(t, objective(t, metrics.LatencyRule{SLO: 250 * time.Millisecond, Objective: 0.999}), worldOfSpans(bad), noon)
	require.Zero(t, b.Burning())
	require.Equal(t, sources.VerdictOK, b.Judge(sources.VerdictBreached))
}

func TestAnOverspentBudgetIsBreachedAndASlowBurnIsBurningToo(t *testing.T) {
	t.Parallel()
	slow := map[time.Duration]float64{6 * time.Hour: 0.0011, 72 * time.Hour: 0.0012, 30 * 24 * time.Hour: 0.0011}
	b := all(t, objective(t, metrics.LatencyRule{Errors: true, Objective: 0.999}), worldOfSpans(slow), noon)
	require.Equal(t, 72*time.Hour, b.Burning().Over)
	require.Equal(t, sources.VerdictBreached, b.Judge(sources.VerdictOK))
	require.InDelta(t, -0.1, b.Left.V, 1e-9)
}

func TestAnSLOBetweenTwoBucketsIsCountedAtTheLowerAndSaysSo(t *testing.T) {
	t.Parallel()
	w := worldOfSpans(map[time.Duration]float64{time.Hour: 0.5})
	b := all(t, objective(t, metrics.LatencyRule{SLO: 900 * time.Millisecond, Objective: 0.9}), w, noon)
	require.Contains(t, b.Note, "250ms")
	require.InDelta(t, 5, b.Burn(time.Hour).V, 1e-9)

	b = all(t, objective(t, metrics.LatencyRule{SLO: 100 * time.Millisecond, Objective: 0.9}), w, noon)
	require.Contains(t, b.Note, "no bucket ends")
	require.False(t, b.Left.OK, "what cannot be counted is unknown, never fine")
	require.Equal(t, sources.VerdictUnknown, b.Judge(sources.VerdictUnknown))
}

func TestLongSpansAreReadRarelyAndAFewAtATime(t *testing.T) {
	t.Parallel()
	p, w := objective(t, metrics.LatencyRule{SLO: 250 * time.Millisecond, Objective: 0.999}), worldOfSpans(nil)
	count := func(now time.Time) map[time.Duration]int {
		w.asked = nil
		_, err := p.Budgets(t.Context(), w, now)
		require.NoError(t, err)
		out := map[time.Duration]int{}
		for _, q := range w.asked {
			if q.Over > 0 {
				out[q.Over]++
			}
		}
		return out
	}
	all(t, p, w, noon)
	require.Empty(t, count(noon.Add(14*time.Second)))
	require.Equal(t, map[time.Duration]int{5 * time.Minute: 2}, count(noon.Add(16*time.Second)), "the shortest span alone is due")
	month := 30 * 24 * time.Hour
	require.Zero(t, count(noon.Add(10 * time.Minute))[month])
	for range 8 {
		require.LessOrEqual(t, len(count(noon.Add(time.Hour))), 2)
	}
}

func TestTheHourIsReadAgainAsSoonAsTheFiveMinutesBurn(t *testing.T) {
	t.Parallel()
	bad := map[time.Duration]float64{}
	p, w := objective(t, metrics.LatencyRule{SLO: 250 * time.Millisecond, Objective: 0.999}), worldOfSpans(bad)
	at := func(now time.Time) sources.Budget {
		set, err := p.Budgets(t.Context(), w, now)
		require.NoError(t, err)
		require.Len(t, set.Budgets, 1)
		for _, b := range set.Budgets {
			return b
		}
		panic("none")
	}
	all(t, p, w, noon)
	bad[5*time.Minute], bad[time.Hour] = 0.5, 0.1 // everything breaks a moment later
	b := at(noon.Add(16 * time.Second))
	require.Zero(t, b.Burning(), "the hour was read when all was well")
	b = at(noon.Add(21 * time.Second))
	require.Equal(t, time.Hour, b.Burning().Over)
	require.Equal(t, sources.VerdictBurning, b.Judge(sources.VerdictBreached))
}

func TestWithoutAnObjectiveNoBudgetIsAskedFor(t *testing.T) {
	t.Parallel()
	w := worldOfSpans(nil)
	_, err := objective(t, metrics.LatencyRule{SLO: time.Second}).Budgets(t.Context(), w, noon)
	require.ErrorIs(t, err, sources.ErrUnsupported)
	require.Empty(t, w.asked)
}

func TestEachMistakeInAnObjectiveIsOneSentence(t *testing.T) {
	t.Parallel()
	for says, r := range map[string]metrics.LatencyRule{
		"above 0 and below 1":                   {SLO: time.Second, Objective: 1},
		"the objective needs an slo":            {Objective: 0.9},
		"outside 1h..366d":                      {SLO: time.Second, Objective: 0.9, Window: time.Minute},
		"belong to an objective":                {SLO: time.Second, Window: time.Hour},
		"a window and an sli belong to an obje": {SLO: time.Second, Errors: true},
	} {
		r.Name = "pay"
		err := metrics.Config{Latency: []metrics.LatencyRule{r}}.Validate()
		require.ErrorIs(t, err, sources.ErrInvalid)
		require.ErrorContains(t, err, says)
	}
}
