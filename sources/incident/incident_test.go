package incident_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/incident"
)

var now = time.Date(2026, 3, 14, 14, 30, 0, 0, time.UTC)

func ago(d time.Duration) time.Time { return now.Add(-d) }

// past is a reader of latencies that go from one level to another.
type past struct {
	mu     sync.Mutex
	asked  []sources.SeriesQuery
	broke  map[string]time.Time // when a latency went to ten times its level
	healed map[string]time.Time // and when it came back
	since  time.Time            // before it nothing is known
	err    map[string]error
	events []sources.Event
	silent []string
}

func (p *past) Series(_ context.Context, source string, q sources.SeriesQuery) (sources.Series, error) {
	p.mu.Lock()
	p.asked = append(p.asked, q)
	p.mu.Unlock()
	if err := p.err[q.Latency]; err != nil {
		return sources.Series{}, err
	}
	rng := rand.New(rand.NewPCG(1, uint64(len(q.Latency))))
	s := sources.Series{Source: source, Step: q.Step(), Over: time.Minute, ReadAt: now, From: now.Add(-time.Duration(q.Points-1) * q.Step())}
	for i := range q.Points {
		at, v, errors := s.At(i), 0.1, 0.0
		if b, ok := p.broke[q.Latency]; ok && !at.Before(b) {
			v, errors = 1, 0.2
		}
		if h, ok := p.healed[q.Latency]; ok && !at.Before(h) {
			v, errors = 0.1, 0
		}
		known := !at.Before(p.since)
		s.P99 = append(s.P99, sources.Quantile{Seconds: v * math.Exp(0.05*rng.NormFloat64()), OK: known})
		s.P50, s.P95 = s.P99, s.P99
		s.Rate = append(s.Rate, sources.Opt[float64]{V: 50, OK: known})
		s.Errors = append(s.Errors, sources.Opt[float64]{V: errors, OK: known})
	}
	return s, nil
}

func (p *past) Past(context.Context, time.Duration) ([]sources.Event, []string) {
	return p.events, p.silent
}

func latency(name string, verdict sources.Verdict, calls ...string) sources.Latency {
	return sources.Latency{
		Source: "prom", Name: name, SLO: 500 * time.Millisecond, Rate: sources.Some(50.0), Verdict: verdict, Calls: calls,
		P99: sources.Quantile{Seconds: .1, OK: true},
	}
}

func flag(key, metric string) sources.Flag {
	return sources.Flag{ID: sources.FlagID{Source: "prod", Key: key}, Name: key, Metric: metric}
}

func change(id, key, old, is string, at time.Time) sources.Activity {
	kind := sources.Ramp
	if is == "killed" {
		kind = sources.Kill
	}
	return sources.Activity{
		ID: id, At: at, Kind: string(kind), Flag: sources.FlagID{Source: "prod", Key: key}, Name: key,
		Actor: "ana", Reason: "canary is clean", Old: old, New: is, Outcome: sources.Confirmed,
	}
}

// shop is a payment that breached ten minutes ago, twelve seconds after checkout-v2 was
// raised.
func shop() (*past, incident.Question) {
	p := &past{broke: map[string]time.Time{"payment": ago(10 * time.Minute)}}
	return p, incident.Question{
		Now: now,
		Snapshot: &sources.Snapshot{
			At:    now,
			Flags: []sources.Flag{flag("checkout-v2", "payment"), flag("footer", "web")},
			Latencies: []sources.Latency{
				latency("payment", sources.VerdictBreached, "database"), latency("database", sources.VerdictOK),
				latency("web", sources.VerdictOK), latency("checkout", sources.VerdictOK, "payment"),
			},
			Activity: []sources.Activity{
				{ID: "deploy web 2", At: ago(9 * time.Minute), Kind: sources.KindDeploy, Name: "web", Old: "1.9", New: "2.0", Outcome: sources.Seen},
				change("2", "checkout-v2", "10%", "50%", ago(10*time.Minute+12*time.Second)),
				change("1", "footer", "0%", "100%", ago(11*time.Minute)),
			},
		},
	}
}

func TestTheFlagThatWasRaisedBeforeItsServiceBrokeIsTheFirstSuspect(t *testing.T) {
	t.Parallel()
	p, q := shop()
	q.History = []sources.Activity{q.Snapshot.Activity[1], change("0", "footer", "100%", "0%", ago(50*time.Minute))}
	in := incident.Read(t.Context(), p, q)
	require.NotEmpty(t, in.Suspects, in.Answer())
	s := in.Suspects[0]
	require.Equal(t, sources.FlagID{Source: "prod", Key: "checkout-v2"}, s.Flag)
	require.Equal(t, sources.LaneFlags, s.Lane)
	require.Equal(t, "strong", s.Word)
	require.Equal(t, "payment", s.Service)
	require.Contains(t, s.Why, "it is on payment; it moved 20 req/s")
	require.Contains(t, in.Answer(), "strong suspect: checkout-v2 10% to 50%")
	require.Equal(t, 4, in.Changes, "a change that two records know is one")
	require.Empty(t, in.Missing)
	require.WithinDuration(t, ago(10*time.Minute), in.Breaches[0].At, 30*time.Second)

	lanes := map[sources.Lane]string{}
	for _, e := range in.Events {
		lanes[e.Lane] += e.Name + " " + e.Text + "\n"
	}
	require.Contains(t, lanes[sources.LaneFlags], "checkout-v2 10% to 50%, ana: canary is clean")
	require.Contains(t, lanes[sources.LaneDeploys], "web 1.9 to 2.0")
	require.Contains(t, lanes[sources.LaneSLOs], "payment p99 to 1.", "the breach")
	require.True(t, in.Events[len(in.Events)-1].At.After(in.Events[0].At), "oldest first")
}

func TestAQuietHourHasNoSuspectAndSaysWhatWasLookedAt(t *testing.T) {
	t.Parallel()
	p, q := shop()
	p.broke = nil
	in := incident.Read(t.Context(), p, q)
	require.Empty(t, in.Suspects)
	require.Equal(t, "no suspect: nothing left its level, of 8 metrics and 3 changes in the last 60 min", in.Answer())
}

func TestABreachThatNothingWasChangedBeforeSaysSo(t *testing.T) {
	t.Parallel()
	p, q := shop()
	q.Snapshot.Activity = nil
	in := incident.Read(t.Context(), p, q)
	require.Empty(t, in.Suspects)
	require.Regexp(t, `^no suspect: payment (p99|errors) rose at 14:\d\d:\d\d from .* and no change before it explains that, of 8 metrics and 0 changes`, in.Answer())
}

func TestWhatCannotBeReadIsSaidAndFailsNothing(t *testing.T) {
	t.Parallel()
	p, q := shop()
	p.err = map[string]error{
		"web":      fmt.Errorf("prom did not answer: %w", sources.ErrUnavailable),
		"checkout": fmt.Errorf("prom did not answer: %w", sources.ErrUnavailable),
		"database": fmt.Errorf("no such latency: %w", sources.ErrNotFound),
	}
	p.silent = []string{"alerts: no past"}
	in := incident.Read(t.Context(), p, q)
	require.Equal(t, "checkout-v2", in.Suspects[0].Subject)
	require.Len(t, in.Metrics, 2)
	require.Equal(t, []string{
		"database not looked at: nothing is known of their past", "web, checkout not looked at: prom did not answer", "alerts: no past",
	}, in.Missing)
}

func TestAShortMemoryIsReadAgainFiner(t *testing.T) {
	t.Parallel()
	p, q := shop()
	p.since = ago(2 * time.Minute)
	p.broke = map[string]time.Time{"payment": ago(time.Minute)}
	q.Snapshot.Activity = []sources.Activity{change("2", "checkout-v2", "10%", "50%", ago(time.Minute+4*time.Second))}
	in := incident.Read(t.Context(), p, q)
	require.Equal(t, time.Second, in.Metrics[0].Step)
	require.Equal(t, "checkout-v2", in.Suspects[0].Subject)
	require.LessOrEqual(t, len(p.asked), 8, "each latency at most twice")
}

func TestALookThatNobodyAskedForReadsOnlyWhatBreaksAndItsNeighbours(t *testing.T) {
	t.Parallel()
	p, q := shop()
	q.Near = true
	for i := range 200 {
		q.Snapshot.Latencies = append(q.Snapshot.Latencies, latency(fmt.Sprint("other", i), sources.VerdictOK))
	}
	in := incident.Read(t.Context(), p, q)
	require.Len(t, p.asked, 3, "payment, the database that it calls, the checkout that calls it")
	require.Equal(t, "checkout-v2", in.Suspects[0].Subject)

	p.asked, q.Near = nil, false
	incident.Read(t.Context(), p, q)
	require.Len(t, p.asked, 24, "and one that somebody asked for is bounded too")
}

func TestTheKillThatHealedItSpeaksAgainstWhatItKilledAndIsNoSuspectItself(t *testing.T) {
	t.Parallel()
	p, q := shop()
	p.healed = map[string]time.Time{"payment": ago(4 * time.Minute)}
	q.Snapshot.Activity = append(q.Snapshot.Activity, change("3", "checkout-v2", "50%", "killed", ago(4*time.Minute+20*time.Second)))
	in := incident.Read(t.Context(), p, q)
	require.Equal(t, "2", in.Suspects[0].Change)
	require.True(t, in.Suspects[0].Undone)
	require.True(t, in.Suspects[0].Healed)
	require.Contains(t, in.Suspects[0].Why, "undone, and it recovered")
	for _, s := range in.Suspects {
		require.NotEqual(t, "3", s.Change)
	}
}

func TestAKillJustAfterItBrokeIsAReactionAndNoCause(t *testing.T) {
	t.Parallel()
	p, q := shop()
	q.Snapshot.Activity = []sources.Activity{change("3", "checkout-v2", "50%", "killed", ago(10*time.Minute-10*time.Second))}
	require.Empty(t, incident.Read(t.Context(), p, q).Suspects)
}

func TestADeployAndABreakerForcedByHandAreSuspectsWithoutAFlag(t *testing.T) {
	t.Parallel()
	p, q := shop()
	forced := change("f", "payment", "closed", "forced-open", ago(10*time.Minute+5*time.Second))
	forced.Kind = string(sources.ForceOpen)
	q.Snapshot.Activity = []sources.Activity{
		forced,
		{ID: "d", At: ago(10*time.Minute + 20*time.Second), Kind: sources.KindDeploy, Name: "payment", Old: "2.0", New: "2.1", Outcome: sources.Seen},
	}
	in := incident.Read(t.Context(), p, q)
	require.Len(t, in.Suspects, 2)
	require.ElementsMatch(t, []sources.Lane{sources.LaneDeploys, sources.LaneBreakers}, []sources.Lane{in.Suspects[0].Lane, in.Suspects[1].Lane})
}

func TestABreakerThatOpenedIsABreachEvenWhereNoLatencyIsMeasured(t *testing.T) {
	t.Parallel()
	_, q := shop()
	q.Snapshot.Latencies = nil
	open := sources.Event{Lane: sources.LaneBreakers, At: ago(10 * time.Minute), Lasting: true, Bad: true, Name: "payment", Text: "closed to open"}
	in := incident.Read(t.Context(), &past{events: []sources.Event{open}}, q)
	require.Len(t, in.Breaches, 1)
	require.Equal(t, "payment breaker", in.Breaches[0].Metric)
	require.Contains(t, in.Answer(), "before payment breaker went from closed to open")
}

func TestWhatDidNotHappenIsNoChange(t *testing.T) {
	t.Parallel()
	p, q := shop()
	for i, o := range []sources.Outcome{sources.Failed, sources.Awaiting, sources.Scheduled, sources.Refused} {
		a := change(fmt.Sprint("x", i), "checkout-v2", "10%", "50%", ago(10*time.Minute+3*time.Second))
		a.Outcome = o
		q.Snapshot.Activity = append(q.Snapshot.Activity, a)
	}
	require.Equal(t, 3, incident.Read(t.Context(), p, q).Changes)
}

func TestWhatAGuardRefusedIsInItsLaneWithWhatItWasRefusedOn(t *testing.T) {
	t.Parallel()
	p, q := shop()
	a := change("no", "checkout-v2", "25%", "50%", ago(5*time.Minute))
	a.Outcome, a.Err = sources.Refused, "errors 5%, more than the 2%"
	q.History = append(q.History, a)
	q.Snapshot.Activity = append(q.Snapshot.Activity, a) // known to both, told once
	var said []string
	for _, e := range incident.Read(t.Context(), p, q).Events {
		if e.Lane == sources.LaneGuards {
			said = append(said, e.Name+" "+e.Text)
		}
	}
	require.Equal(t, []string{"checkout-v2 refused 25% to 50%: errors 5%, more than the 2%"}, said)
}

func TestABreachThatDipsBelowItsLimitForAMomentIsOneEvent(t *testing.T) {
	t.Parallel()
	p, q := shop()
	q.Span = 15 * time.Minute
	slo := 0
	for _, e := range incident.Read(t.Context(), p, q).Events {
		if e.Lane == sources.LaneSLOs {
			slo++
			require.True(t, e.Lasting)
		}
	}
	require.Equal(t, 1, slo)
}

func TestALookEndsWithItsContext(t *testing.T) {
	t.Parallel()
	_, q := shop()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	in := incident.Read(ctx, waiting{}, q)
	require.Empty(t, in.Metrics)
	require.NotEmpty(t, in.Missing)
}

// waiting answers when its context ends.
type waiting struct{}

func (waiting) Series(ctx context.Context, _ string, _ sources.SeriesQuery) (sources.Series, error) {
	<-ctx.Done()
	return sources.Series{}, fmt.Errorf("nobody waits any more: %w", sources.ErrUnavailable)
}

func (waiting) Past(ctx context.Context, _ time.Duration) ([]sources.Event, []string) {
	<-ctx.Done()
	return nil, nil
}
